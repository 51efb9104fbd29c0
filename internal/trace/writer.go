package trace

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/klauspost/compress/zstd"

	"jiseki/internal/screen"
)

// A Writer writes a trace. It stores pixels unfiltered, so its files are larger than a recorder's. It must not be used
// by two goroutines at once.
type Writer struct {
	size screen.Point
	z    *zstd.Encoder
	buf  []byte
	last *screen.Picture
}

// NewWriter starts a trace on w. The caller calls Finish at the end; w stays the caller's.
func NewWriter(w io.Writer, h Header) (*Writer, error) {
	if h.Size.X < 1 || h.Size.Y < 1 || h.Size.X > screen.MaxSide || h.Size.X*h.Size.Y > maxPixels || len(h.Meta) > maxMeta {
		return nil, fmt.Errorf("trace: header of %v pixels and %d bytes", h.Size, len(h.Meta))
	}
	z, err := zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, fmt.Errorf("trace: %w", err)
	}
	t := &Writer{size: h.Size, z: z, last: screen.NewPicture(h.Size)}
	b := append(t.buf[:0], magic...)
	b = binary.LittleEndian.AppendUint16(b, uint16(h.Size.X))
	b = binary.LittleEndian.AppendUint16(b, uint16(h.Size.Y))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(h.Meta)))
	return t, t.write(append(b, h.Meta...))
}

// Event writes an input event.
func (t *Writer) Event(at time.Duration, text string) error {
	if len(text) > math.MaxUint16 {
		return errors.New("trace: text of an event is too long")
	}
	b := t.record(KindEvent, at)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(text)))
	return t.write(append(b, text...))
}

// Frame writes the rectangles of p that changed since the frame before; they must not overlap.
func (t *Writer) Frame(at time.Duration, p *screen.Picture, damage []screen.Rect) error {
	if p.Size != t.size || len(damage) > math.MaxUint16 {
		return fmt.Errorf("trace: frame of %v pixels, %d rectangles", p.Size, len(damage))
	}
	b := t.record(KindFrame, at)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(damage)))
	for _, r := range damage {
		if r.Empty() || !r.In(p.Bounds()) {
			return fmt.Errorf("trace: rectangle %v outside the picture", r)
		}
		for _, v := range [...]int{r.Min.X, r.Min.Y, r.Dx(), r.Dy()} {
			b = binary.LittleEndian.AppendUint16(b, uint16(v))
		}
		b = append(b, filterRaw)
	}
	for _, r := range damage {
		for y := r.Min.Y; y < r.Max.Y; y++ {
			row := p.Row(y, r.Min.X, r.Max.X)
			copy(t.last.Row(y, r.Min.X, r.Max.X), row)
			for i := 0; i < len(row); i += 4 {
				b = append(b, row[i+2], row[i+1], row[i])
			}
		}
	}
	return t.write(b)
}

// Finish writes the final record and what is still buffered.
func (t *Writer) Finish(at time.Duration) error {
	b := t.record(KindEnd, at)
	if err := t.write(binary.LittleEndian.AppendUint64(b, Hash(t.last))); err != nil {
		return err
	}
	if err := t.z.Close(); err != nil {
		return fmt.Errorf("trace: %w", err)
	}
	return nil
}

func (t *Writer) record(kind byte, at time.Duration) []byte {
	return binary.LittleEndian.AppendUint32(append(t.buf[:0], kind), uint32(at/time.Microsecond))
}

func (t *Writer) write(b []byte) error {
	t.buf = b
	if _, err := t.z.Write(b); err != nil {
		return fmt.Errorf("trace: %w", err)
	}
	return nil
}
