//go:build linux

package journey

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"unicode/utf16"

	"jiseki/internal/lock"
	"jiseki/internal/screen"
)

// deskLocked waits until the desk's screen is locked, or is not, as the X server tells.
func (j *Journey) deskLocked(want bool) func(context.Context) error {
	return func(ctx context.Context) error {
		desk := j.town.Desktop
		l, err := lock.OpenX11(lock.X11Config{Display: desk.Display(), Authority: desk.Authority(), Log: quiet()})
		if err != nil {
			return err
		}
		defer l.Close()
		return until(ctx, fmt.Sprintf("the desk's lock is to be %v", want), func() (bool, error) {
			is, err := l.Locked()
			return is == want, err
		})
	}
}

// nothingStays closes the browser and searches its profile for what was seen and typed on the desk.
func nothingStays(ctx context.Context, j *Journey) error {
	if err := j.shoot(ctx, "before"); err != nil {
		return err
	}
	if err := j.browser.Close(); err != nil {
		return err
	}
	files, total := 0, int64(0)
	traces, err := j.traces()
	if err != nil {
		return err
	}
	err = filepath.WalkDir(j.browser.Profile(), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		total += int64(len(raw))
		return clean(path, raw, traces)
	})
	if err != nil {
		return err
	}
	if files < 10 {
		return errors.New("the profile is empty: nothing was searched")
	}
	j.note("プロファイルの %d ファイル（%.1f MB）に、画面、入力した文、API の応答は見つからない", files, float64(total)/1e6)
	return nil
}

// A trace is what must not be on the disk.
type trace struct {
	what  string
	bytes []byte
}

func (j *Journey) traces() ([]trace, error) {
	all := []trace{
		{"an answer of the API", []byte(j.town.Address() + "/api/")},
		{"an answer of the relay", []byte(j.town.Address() + "/relay")},
	}
	for _, text := range []string{typedText, typedKeys, copiedText, "第1条　町は、職員が"} {
		all = append(all, trace{"text of the desk", []byte(text)}, trace{"text of the desk", wide(text)})
	}
	if j.seen == nil {
		return nil, errors.New("the desk was not seen before it was locked")
	}
	bgr, rgb, colours := busiest(j.seen)
	if colours < 10 {
		return nil, fmt.Errorf("the desk's picture has only %d colours in a row: nothing to search for", colours)
	}
	return append(all, trace{"pixels of the desk", bgr}, trace{"pixels of the desk", rgb}), nil
}

// wide is a text in UTF-16, as browsers keep some.
func wide(s string) (b []byte) {
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

// run is how many pixels in a row count as a piece of the picture.
const run = 24

// busiest returns the run of pixels with the most colours, as B G R 255 and as R G B 255, as a browser would keep it.
func busiest(frame *screen.Frame) (bgr, rgb []byte, colours int) {
	for y := 0; y < frame.Size.Y; y += 3 {
		for x := 0; x+run <= frame.Size.X; x += run {
			row := frame.Row(y, x, x+run)
			seen := map[uint32]bool{}
			for i := 0; i < len(row); i += 4 {
				seen[binary.LittleEndian.Uint32(row[i:])] = true
			}
			if len(seen) > colours {
				colours, bgr = len(seen), bytes.Clone(row)
			}
		}
	}
	rgb = make([]byte, len(bgr))
	for i := 0; i < len(bgr); i += 4 {
		bgr[i+3] = 255
		rgb[i], rgb[i+1], rgb[i+2], rgb[i+3] = bgr[i+2], bgr[i+1], bgr[i], 255
	}
	return bgr, rgb, colours
}

// clean says that a file of the profile holds no trace, and no picture of a desk's size.
func clean(path string, raw []byte, traces []trace) error {
	for _, t := range traces {
		if bytes.Contains(raw, t.bytes) {
			return fmt.Errorf("%s holds %s", path, t.what)
		}
	}
	signature := []byte("\x89PNG\r\n\x1a\n")
	for rest := raw; ; {
		at := bytes.Index(rest, signature)
		if at < 0 || len(rest) < at+24 {
			return nil
		}
		if w := binary.BigEndian.Uint32(rest[at+16:]); w >= 640 && w <= screen.MaxSide {
			return fmt.Errorf("%s holds a picture %d pixels wide", path, w)
		}
		rest = rest[at+len(signature):]
	}
}
