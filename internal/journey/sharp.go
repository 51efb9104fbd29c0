//go:build linux

package journey

import (
	"context"
	"errors"
	"fmt"
	"image"
	"math"
	"time"

	"jiseki/internal/journey/browser"
	"jiseki/internal/screen"
)

// sharpRatios shows a desk of 1920x1080 in windows of as many device pixels, and compares what the browser paints with
// what the X server has.
func sharpRatios(ctx context.Context, j *Journey) error {
	defer j.page.Resize(large) //nolint:errcheck // what follows tells
	for _, ratio := range []float64{1, 1.25, 2} {
		size := browser.Size{Width: int(1920 / ratio), Height: int(1080 / ratio), Ratio: ratio}
		if err := j.sharp(ctx, size); err != nil {
			return fmt.Errorf("ratio %g: %w", ratio, err)
		}
	}
	return nil
}

// canvasSize is the size of the canvas on the page, in CSS pixels.
const canvasSize = `(() => { const b = document.querySelector(".stage canvas").getBoundingClientRect(); return [b.x, b.y, b.width, b.height]; })()`

func (j *Journey) sharp(ctx context.Context, size browser.Size) error {
	if err := j.page.Resize(size); err != nil {
		return err
	}
	if err := j.same(ctx); err != nil {
		return err
	}
	var box []float64
	err := until(ctx, "the canvas is to fill the window", func() (bool, error) {
		var err error
		box, err = browser.Get[[]float64](ctx, j.page, canvasSize)
		if err != nil || len(box) != 4 {
			return false, err
		}
		near := func(a, b float64) bool { return math.Abs(a-b) < 0.01 }
		fits := near(box[0], 0) && near(box[1], 0) && near(box[2]*size.Ratio, 1920) && near(box[3]*size.Ratio, 1080)
		if !fits {
			err = fmt.Errorf("it is at %v in a window of %v", box, size)
		}
		return fits, err
	})
	if err != nil {
		return err
	}
	return j.samePaint(ctx, size.Ratio)
}

// focusRing is how far the line reaches into the picture that shows that the desk has the keyboard, in CSS pixels.
const focusRing = 2

// samePaint waits until a screenshot of the page equals the desk's screen, outside of the toolbar and the focus ring.
func (j *Journey) samePaint(ctx context.Context, ratio float64) error {
	const dock = `(() => {
  const all = [...document.querySelectorAll(".dock, .dock *, .toast.shown")].map((e) => e.getBoundingClientRect()).filter((b) => b.width > 0 && b.bottom > 0);
  return [Math.min(...all.map((b) => b.left), 1e6), Math.max(...all.map((b) => b.right), 0), Math.max(...all.map((b) => b.bottom), 0)];
})()`
	for {
		bar, err := browser.Get[[]float64](ctx, j.page, dock)
		if err != nil {
			return err
		}
		const shadow = 40
		hidden := image.Rect(int((bar[0]-shadow)*ratio), 0, int((bar[1]+shadow)*ratio), int((bar[2]+shadow)*ratio))
		painted, err := j.page.Picture(ctx)
		if err != nil {
			return err
		}
		frame, err := j.deskFrame(ctx)
		if err != nil {
			return err
		}
		ring := int(math.Ceil(focusRing * ratio))
		wrong, compared, where := differ(painted, frame, frame.Bounds().Inset(ring), hidden)
		if wrong == 0 && compared > 1_500_000 {
			j.note("拡大率 %g%%: 表示された %d 画素がすべて一致（ツールバーとフォーカス枠を除く）", ratio*100, compared)
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("%d of %d painted pixels differ from the desk's, the first at %v", wrong, compared, where), ctx.Err())
		case <-time.After(again):
		}
	}
}

// differ counts the pixels of a screenshot that are not the desk's, within a rectangle and outside of another.
func differ(painted image.Image, frame *screen.Frame, within, but image.Rectangle) (wrong, compared int, first image.Point) {
	bounds := painted.Bounds().Intersect(frame.Bounds()).Intersect(within)
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		row := frame.Row(y, 0, frame.Size.X)
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			if (image.Point{X: x, Y: y}).In(but) {
				continue
			}
			compared++
			r, g, b, _ := painted.At(x, y).RGBA()
			if byte(b>>8) != row[4*x] || byte(g>>8) != row[4*x+1] || byte(r>>8) != row[4*x+2] {
				if wrong == 0 {
					first = image.Point{X: x, Y: y}
				}
				wrong++
			}
		}
	}
	return wrong, compared, first
}

// hiddenTab puts another tab before the viewer's, changes the desk meanwhile, and comes back.
func hiddenTab(ctx context.Context, j *Journey) error {
	if err := j.same(ctx); err != nil {
		return err
	}
	show, err := j.hide(ctx)
	if err != nil {
		return err
	}
	defer show()
	if err := j.sentNothing(ctx); err != nil {
		return err
	}
	j.note("隠れている間に自席の画面が変わっても、更新は0件")
	if j.seen, err = j.deskFrame(ctx); err != nil {
		return err
	}
	return all(ctx, j.page.Front, func(ctx context.Context) error {
		return j.page.Wait(ctx, "the tab to be visible", `document.visibilityState === "visible"`)
	}, j.same)
}

// onTheWay is how often the desk is changed at most: what was on its way when the tab was hidden may still arrive at first.
const onTheWay = 3

// sentNothing changes the desk and says whether the hidden page was left alone.
func (j *Journey) sentNothing(ctx context.Context) error {
	var sent []uint32
	for i := range onTheWay {
		if err := j.deskAnswers(ctx); err != nil { // the agent knows that nobody looks
			return err
		}
		before, err := j.seq(ctx)
		if err != nil {
			return err
		}
		if _, err := j.document(ctx, fmt.Sprintf("後で%d.txt", i+1), "隠れている間に変わった画面\n"); err != nil {
			return err
		}
		// A second for each beat, and a way there and back after the change: an agent that sends would have sent.
		if err := all(ctx, j.deskAnswers, func(ctx context.Context) error { return j.beats(ctx, 2) }, j.deskAnswers); err != nil {
			return err
		}
		after, err := j.seq(ctx)
		if err != nil || after == before {
			return err
		}
		sent = append(sent, after-before)
	}
	return fmt.Errorf("a hidden tab was sent updates each time that the desk changed: %v", sent)
}

// anotherTry is after which time yet another tab is opened before a viewer that is still visible.
const anotherTry = 10 * time.Second

// hide puts another tab before the viewer's, and returns what takes it away. A loaded browser can take long to do it, and has
// been seen to forget a tab that was asked to the front; a new tab comes to the front by itself. Nothing here brings the viewer
// forward, so what happens late does no harm.
func (j *Journey) hide(ctx context.Context) (show func(), err error) {
	var tabs []*browser.Page
	show = func() {
		for _, tab := range tabs {
			tab.Close()
		}
	}
	for {
		tab, err := j.browser.Open(large)
		if err != nil {
			show()
			return nil, err
		}
		tabs = append(tabs, tab)
		try, cancel := context.WithTimeout(ctx, anotherTry)
		err = j.page.Wait(try, "the tab to be hidden", `document.visibilityState === "hidden"`)
		cancel()
		if err == nil {
			return show, nil
		}
		if ctx.Err() != nil {
			show()
			return nil, err
		}
	}
}

// deskAnswers waits until the desk has answered what the viewer asked it after all that the page was told until now: the
// agent has done, then, what it was told before. The engine does what it is told in order, and so does the agent.
func (j *Journey) deskAnswers(ctx context.Context) error {
	if _, err := j.seq(ctx); err != nil { // the engine has done what the page told it
		return err
	}
	if err := j.beats(ctx, 1); err != nil { // and has asked the desk after that
		return err
	}
	asked, err := browser.Get[int](ctx, j.page, "jisekiTest.statistics().asked")
	if err != nil {
		return err
	}
	return j.page.Wait(ctx, "the answer of the desk", fmt.Sprintf("jisekiTest.statistics().answered >= %d", asked))
}

// beats waits for reports of the page's engine, one a second.
func (j *Journey) beats(ctx context.Context, n int) error {
	now, err := browser.Get[int](ctx, j.page, "jisekiTest.beats()")
	if err != nil {
		return err
	}
	return j.page.Wait(ctx, "the connection to go on", fmt.Sprintf("jisekiTest.beats() >= %d", now+n))
}

// seq is the number of the last update that the page shows.
func (j *Journey) seq(ctx context.Context) (uint32, error) {
	got, err := browser.Get[*shown](ctx, j.page, "jisekiTest.picture()")
	if err != nil || got == nil {
		return 0, errors.Join(errors.New("the page shows no picture"), err)
	}
	return got.Seq, nil
}
