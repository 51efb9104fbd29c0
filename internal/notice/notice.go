// Package notice shows a line with a button at a desk: that somebody uses it from afar and how to end that, or what the
// desk is about to do. It is a strip at the top of the screen that stays above other windows and can be moved aside.
package notice

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"os"

	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// maxName is how many characters of a name are shown.
const maxName = 24

// Text is what the notice says while somebody uses the desk.
func Text(name string) string {
	if r := []rune(name); len(r) > maxName {
		name = string(r[:maxName-1]) + "…"
	}
	return fmt.Sprintf("接続中: %sさんが遠隔で使用しています", name)
}

// ButtonText is what the button says.
const ButtonText = "接続を終了"

// fontFiles are where systems keep a font with Japanese characters, the best first.
var fontFiles = []string{
	"/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
	"/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
	"/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
	"/usr/share/fonts/google-noto-sans-cjk-fonts/NotoSansCJK-Regular.ttc",
	"/usr/share/fonts/truetype/fonts-japanese-gothic.ttf",
	"/usr/share/fonts/opentype/ipafont-gothic/ipag.ttf",
	"/usr/share/fonts/truetype/vlgothic/VL-Gothic-Regular.ttf",
}

// openFace opens a font at a size in pixels. The file is read as glyphs are needed; close it when done.
func openFace(files []string, size float64) (font.Face, *os.File, error) {
	for _, path := range files {
		f, err := os.Open(path)
		if err != nil {
			continue
		}
		face, err := readFace(f, size)
		if err != nil {
			f.Close()
			return nil, nil, fmt.Errorf("font %s: %w", path, err)
		}
		return face, f, nil
	}
	return nil, nil, fmt.Errorf("no font with Japanese characters, looked for %v", files)
}

// readFace takes the first font of a file; of Noto's collection that is the Japanese one.
func readFace(f *os.File, size float64) (font.Face, error) {
	fonts, err := opentype.ParseCollectionReaderAt(f)
	if err != nil {
		return nil, err
	}
	one, err := fonts.Font(0)
	if err != nil {
		return nil, err
	}
	return opentype.NewFace(one, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingFull})
}

// Measures of the strip, in pixels.
const (
	height     = 28
	fontSize   = 14
	padding    = 12
	dot        = 10
	buttonPad  = 10
	buttonEdge = 3 // above and below the button
)

var (
	barColour    = color.RGBA{0x1f, 0x3a, 0x5f, 0xff}
	edgeColour   = color.RGBA{0xff, 0xff, 0xff, 0xff}
	textColour   = color.RGBA{0xff, 0xff, 0xff, 0xff}
	dotColour    = color.RGBA{0xff, 0x5a, 0x4d, 0xff}
	buttonColour = color.RGBA{0xff, 0xff, 0xff, 0xff}
	buttonText   = color.RGBA{0x1f, 0x3a, 0x5f, 0xff}
)

// paint draws the strip and returns where its button is.
func paint(face font.Face, text, label string) (*image.RGBA, image.Rectangle) {
	textWidth, labelWidth := font.MeasureString(face, text).Ceil(), font.MeasureString(face, label).Ceil()
	button := image.Rect(0, buttonEdge, labelWidth+2*buttonPad, height-buttonEdge).
		Add(image.Pt(padding+dot+8+textWidth+padding, 0))
	p := image.NewRGBA(image.Rect(0, 0, button.Max.X+buttonEdge+1, height))
	fill(p, p.Rect, edgeColour)
	fill(p, p.Rect.Inset(1), barColour)
	fillDot(p, image.Pt(padding+dot/2, height/2), dot/2)
	fill(p, button, buttonColour)
	write(p, face, padding+dot+8, text, textColour)
	write(p, face, button.Min.X+buttonPad, label, buttonText)
	return p, button
}

func fill(p *image.RGBA, r image.Rectangle, c color.RGBA) {
	draw.Draw(p, r, image.NewUniform(c), image.Point{}, draw.Src)
}

func fillDot(p *image.RGBA, centre image.Point, radius int) {
	for y := -radius; y <= radius; y++ {
		for x := -radius; x <= radius; x++ {
			if x*x+y*y <= radius*radius {
				p.SetRGBA(centre.X+x, centre.Y+y, dotColour)
			}
		}
	}
}

func write(p *image.RGBA, face font.Face, x int, text string, c color.RGBA) {
	m := face.Metrics()
	baseline := (height + m.CapHeight.Ceil()) / 2
	d := font.Drawer{Dst: p, Src: image.NewUniform(c), Face: face, Dot: fixed.P(x, baseline)}
	d.DrawString(text)
}

// bgrx turns a picture into rows of 4 bytes a pixel: blue, green, red, 0.
func bgrx(p *image.RGBA) []byte {
	out := make([]byte, 0, len(p.Pix))
	for i := 0; i+3 < len(p.Pix); i += 4 {
		out = append(out, p.Pix[i+2], p.Pix[i+1], p.Pix[i], 0)
	}
	return out
}
