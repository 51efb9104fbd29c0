package agent

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"jiseki/internal/capture"
	"jiseki/internal/screen"
)

// steps is a source whose frames the test hands out one by one.
type steps struct {
	frames  chan *screen.Frame
	cursors chan *screen.Cursor
	asked   int
	err     error
}

func newSteps() *steps {
	return &steps{frames: make(chan *screen.Frame), cursors: make(chan *screen.Cursor, 1)}
}

func (s *steps) Next(ctx context.Context) (*screen.Frame, error) {
	s.asked++
	select {
	case f, ok := <-s.frames:
		if !ok {
			return nil, s.err
		}
		return f, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (s *steps) Cursors() <-chan *screen.Cursor { return s.cursors }
func (s *steps) Close() error                   { close(s.cursors); return nil }

func frame(w, h int, value byte, damage ...screen.Rect) *screen.Frame {
	p := screen.NewPicture(screen.Point{X: w, Y: h})
	for i := range p.Pix {
		p.Pix[i] = value
	}
	return &screen.Frame{Picture: p, Layout: screen.Layout{Generation: 1, Size: p.Size}, Damage: damage}
}

func TestFeedCapturesOnlyWhatIsTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := newSteps()
		f := newFeed(func() (capture.Source, error) { return source, nil })
		v := f.look(func() {}, func() {})
		defer v.close()

		source.frames <- frame(4, 4, 1)
		synctest.Wait()
		if source.asked != 1 {
			t.Fatalf("source was asked %d times before anybody took the first picture", source.asked)
		}
		take(t, v, func(p *screen.Picture, _ screen.Layout, damage []screen.Rect) {
			if damage != nil || p.Pix[0] != 1 {
				t.Errorf("first picture: damage %v, pixel %d", damage, p.Pix[0])
			}
		})
		synctest.Wait()
		if source.asked != 2 {
			t.Fatalf("source was asked %d times after the first take, want 2", source.asked)
		}
		if v.fresh() {
			t.Error("a picture that was taken is still fresh")
		}
	})
}

func TestFeedCopiesOnlyTheDamage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := newSteps()
		f := newFeed(func() (capture.Source, error) { return source, nil })
		v := f.look(func() {}, func() {})
		defer v.close()
		source.frames <- frame(4, 4, 1)
		synctest.Wait()
		take(t, v, func(*screen.Picture, screen.Layout, []screen.Rect) {})

		corner := screen.Rect{Max: screen.Point{X: 2, Y: 1}}
		source.frames <- frame(4, 4, 2, corner)
		synctest.Wait()
		take(t, v, func(p *screen.Picture, _ screen.Layout, damage []screen.Rect) {
			want := append(bytes.Repeat([]byte{2}, 8), bytes.Repeat([]byte{1}, 56)...)
			if !bytes.Equal(p.Pix, want) || len(damage) != 1 || damage[0] != corner {
				t.Errorf("damage %v, pixels %v", damage, p.Pix)
			}
		})
	})
}

func TestFeedCountsLayoutsOverItsSources(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var source *steps
		f := newFeed(func() (capture.Source, error) { source = newSteps(); return source, nil })
		generation := func(w int) (got uint32) {
			v := f.look(func() {}, func() {})
			defer v.close()
			synctest.Wait()
			source.frames <- frame(w, 4, 1)
			synctest.Wait()
			take(t, v, func(_ *screen.Picture, l screen.Layout, _ []screen.Rect) { got = l.Generation })
			return got
		}
		if a, b, c := generation(4), generation(4), generation(8); a != 1 || b != 1 || c != 2 {
			t.Errorf("generations %d, %d, %d; want 1, 1, 2", a, b, c)
		}
	})
}

func TestFeedTellsWhyItEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := newSteps()
		source.err = errors.New("the screen is gone")
		poked := 0
		f := newFeed(func() (capture.Source, error) { return source, nil })
		v := f.look(func() { poked++ }, func() {})
		defer v.close()
		close(source.frames)
		synctest.Wait()
		err := v.take(func(*screen.Picture, screen.Layout, []screen.Rect) error { return nil })
		if !errors.Is(err, source.err) || poked == 0 || !v.fresh() {
			t.Errorf("take: %v, poked %d times, fresh %v", err, poked, v.fresh())
		}
	})
}

func take(t *testing.T, v *view, use func(*screen.Picture, screen.Layout, []screen.Rect)) {
	t.Helper()
	err := v.take(func(p *screen.Picture, l screen.Layout, d []screen.Rect) error { use(p, l, d); return nil })
	if err != nil {
		t.Fatal(err)
	}
}
