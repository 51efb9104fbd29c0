package codec

import (
	"bytes"
	"testing"

	"jiseki/internal/screen"
)

// TestNothing sends updates without a change before, between and after others.
func TestNothing(t *testing.T) {
	cfg := Config{Coder: CoderQ2Z, Size: screen.Point{X: 200, Y: 130}}
	e, err := NewEncoder(cfg)
	if err != nil {
		t.Fatal(err)
	}
	d, err := NewDecoder(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	picture := screen.NewPicture(cfg.Size)
	for i := range 6 {
		var update []byte
		if i%2 == 0 {
			update, err = e.Nothing(nil)
		} else {
			picture.Row(i*20, 0, 200)[4*i*10] = byte(i)
			update, _, err = e.Encode(nil, picture, picture.Bounds(), nil, 1<<18)
		}
		if err != nil || len(update) == 0 {
			t.Fatalf("update %d: %d bytes, %v", i, len(update), err)
		}
		damage, err := d.Decode(update)
		if err != nil {
			t.Fatalf("update %d: %v", i, err)
		}
		if (len(damage) == 0) != (i%2 == 0) || !bytes.Equal(d.Picture().Pix, picture.Pix) {
			t.Errorf("update %d wrote %v, picture equal: %v", i, damage, bytes.Equal(d.Picture().Pix, picture.Pix))
		}
	}
}
