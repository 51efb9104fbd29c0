//go:build linux

package desktop

import (
	"bytes"
	"embed"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"path"
	"strings"
)

// homeFiles holds the files of a fresh desk, below the home folder. A leading "dot-" of a name stands for ".". The word
// @HOME@ in them is the home folder.
//
//go:embed home
var homeFiles embed.FS

// writeHome puts the desk's files where they are missing; what the desk's user has changed stays.
func (d *Desktop) writeHome() error {
	if err := d.writeTree("home"); err != nil {
		return err
	}
	picture, err := wallpaper(1920, 1080)
	if err != nil {
		return err
	}
	if err := d.home.writeNew(".jiseki/wallpaper.png", picture); err != nil {
		return err
	}
	return d.home.makeDir(".jiseki/run")
}

func (d *Desktop) writeTree(dir string) error {
	entries, err := homeFiles.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		if e.IsDir() {
			if err := d.writeTree(name); err != nil {
				return err
			}
			continue
		}
		data, err := homeFiles.ReadFile(name)
		if err != nil {
			return err
		}
		data = bytes.ReplaceAll(data, []byte("@HOME@"), []byte(d.cfg.Home))
		target := strings.ReplaceAll(strings.TrimPrefix(name, "home/"), "dot-", ".")
		if err := d.home.writeNew(target, data); err != nil {
			return fmt.Errorf("home folder: %w", err)
		}
	}
	return nil
}

// A hill of the wallpaper; measures are parts of the picture's height and width.
type hill struct {
	base, height, waves, shift float64
	colour                     [3]float64
}

// wallpaper paints a calm picture: a slope from light to dark blue with soft hills.
func wallpaper(w, h int) ([]byte, error) {
	hills := []hill{
		{0.62, 0.06, 1.3, 0.4, [3]float64{104, 152, 186}},
		{0.72, 0.05, 1.9, 2.1, [3]float64{74, 124, 160}},
		{0.83, 0.04, 1.1, 4.0, [3]float64{48, 96, 132}},
	}
	p := image.NewRGBA(image.Rect(0, 0, w, h))
	edges := make([]float64, len(hills))
	for x := range w {
		for i, k := range hills {
			edges[i] = k.base + k.height*math.Sin(2*math.Pi*k.waves*float64(x)/float64(w)+k.shift)
		}
		for y := range h {
			p.SetRGBA(x, y, paint(float64(y)/float64(h), hills, edges))
		}
	}
	var b bytes.Buffer
	err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&b, p)
	return b.Bytes(), err
}

// paint is the colour at a height, in a column where the hills have these edges.
func paint(y float64, hills []hill, edges []float64) color.RGBA {
	c := mix([3]float64{214, 230, 242}, [3]float64{120, 168, 204}, y)
	for i, edge := range edges {
		if y > edge {
			c = mix(c, hills[i].colour, min((y-edge)*600, 1))
		}
	}
	return color.RGBA{uint8(c[0]), uint8(c[1]), uint8(c[2]), 255}
}

func mix(a, b [3]float64, t float64) (c [3]float64) {
	for i := range c {
		c[i] = a[i] + (b[i]-a[i])*t
	}
	return c
}
