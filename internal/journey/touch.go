//go:build linux

package journey

import (
	"context"
	"errors"
	"fmt"
	"image"
	"regexp"
	"strings"
	"sync"
	"time"

	"jiseki/internal/journey/browser"
	"jiseki/internal/x11"
)

// telephone is a telephone in the hand.
var telephone = browser.Size{Width: 390, Height: 844, Ratio: 2, Touch: true}

// staffTouches opens the locked desk on a telephone, unlocks it by the keyboard on the screen, works with fingers, and
// ends.
func staffTouches(ctx context.Context, j *Journey) error {
	defer j.page.Resize(laptop) //nolint:errcheck // what follows tells
	if err := j.page.Resize(telephone); err != nil {
		return err
	}
	// Text may be pasted on this desk: what must not be pasted all the same is the password.
	if _, err := j.town.Gateway(ctx, "settings", "set", "clipboard_internet=true"); err != nil {
		return err
	}
	return all(ctx,
		j.goTo(j.viewerPath()), j.live, j.same, j.deskLocked(true),
		func(ctx context.Context) error { return j.shoot(ctx, "locked") },
		j.unlockByScreen, j.gestures, j.writesByFinger, j.endByFinger, j.deskLocked(true),
	)
}

// writing is whether what is written goes to the desk by the field for keyboards on the screen.
const writing = `document.activeElement?.classList.contains("writing")`

// bar taps a tool of the toolbar, which a tap on its handle brings out.
func (j *Journey) bar(tool string) func(context.Context) error {
	return func(ctx context.Context) error {
		return all(ctx, j.barGoes,
			func(ctx context.Context) error {
				return j.page.TapOn(ctx, "the toolbar's handle", `document.querySelector(".handle")`)
			},
			func(ctx context.Context) error { return j.page.TapIn(ctx, ".bar", tool) },
		)
	}
}

// barGoes waits until the toolbar has gone by itself.
func (j *Journey) barGoes(ctx context.Context) error {
	return j.page.Wait(ctx, "the toolbar to go", `!document.querySelector(".dock").classList.contains("open")`)
}

// unlockByScreen writes the password on the keyboard of the screen. The desk gets keys; its clipboard stays what it is,
// also when something is written that no key writes.
func (j *Journey) unlockByScreen(ctx context.Context) error {
	before, err := j.deskClipboardOwner()
	if err != nil {
		return err
	}
	err = all(ctx,
		j.bar("文字を入力"),
		func(ctx context.Context) error { return j.page.Wait(ctx, "the field to write in", writing) },
		j.barGoes, // it hides nothing while somebody writes
		func(ctx context.Context) error { return j.page.Write(ctx, "鍵") },
		j.text("この文字は自席端末のキーボードになく、貼り付けることもできないため、入力できません。"),
		func(ctx context.Context) error { return j.shoot(ctx, "denied") },
		func(ctx context.Context) error { return j.page.Write(ctx, j.town.LockPassword) },
		func(ctx context.Context) error { return j.page.PressNamed(ctx, "Enter") },
		j.deskLocked(false), j.same,
		func(ctx context.Context) error { return j.page.Wait(ctx, "the field to write in", writing) },
		func(ctx context.Context) error { return j.shoot(ctx, "unlocked") },
	)
	if err != nil {
		return err
	}
	if after, err := j.deskClipboardOwner(); err != nil || after != before {
		return errors.Join(errors.New("the desk's clipboard has changed while the desk was locked"), err)
	}
	j.note("携帯電話の大きさの画面で、画面上のキーボードからパスワードを入力してロックを解除。" +
		"自席端末のクリップボードは変わらない")
	return nil
}

// A pad is a window on the desk that notes what the pointer does to it, such as "+1" for the left button going down and
// "-1" for its going up.
type pad struct {
	conn *x11.Conn
	area image.Rectangle

	mu     sync.Mutex
	marks  strings.Builder
	places []image.Point // where a button went down or up
}

// newPad covers the middle of the desk.
func (j *Journey) newPad() (*pad, error) {
	p := &pad{}
	desk := j.town.Desktop
	var err error
	p.conn, err = x11.Dial(x11.Options{Display: desk.Display(), Authority: desk.Authority(), OnEvent: p.note})
	if err != nil {
		return nil, err
	}
	root, err := p.conn.Geometry(p.conn.Setup.Root)
	if err != nil {
		return nil, errors.Join(err, p.conn.Close())
	}
	p.area = image.Rect(root.Dx()/8, root.Dy()/8, root.Dx()*7/8, root.Dy()*7/8)
	const paper = 0xf4f1e8
	win, err := p.conn.CreateWindow(p.area, x11.Attributes{
		Background: paper, OverrideRedirect: true, Events: x11.MaskButtons,
	})
	if err == nil {
		err = errors.Join(p.conn.MapWindow(win), p.conn.RaiseWindow(win))
	}
	if err != nil {
		return nil, errors.Join(err, p.conn.Close())
	}
	return p, nil
}

func (p *pad) note(e x11.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e.Type() {
	case x11.ButtonPress:
		fmt.Fprintf(&p.marks, "+%d", e.Detail())
	case x11.ButtonRelease:
		fmt.Fprintf(&p.marks, "-%d", e.Detail())
	default:
		return
	}
	p.places = append(p.places, e.RootPosition())
}

// took returns what was noted, and forgets it.
func (p *pad) took() (marks string, places []image.Point) {
	p.mu.Lock()
	defer p.mu.Unlock()
	marks, places = p.marks.String(), p.places
	p.marks.Reset()
	p.places = nil
	return marks, places
}

func (p *pad) seen() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.marks.String()
}

// A gesture is what fingers do, and what the desk's pointer does then.
type gesture struct {
	name string
	// fingers are the places one after the other, in CSS pixels from the middle of the pad; they are lifted at the end.
	fingers [][][2]float64
	rests   bool // until the desk has noticed
	// means is what the pad notes.
	means *regexp.Regexp
	// from, to are where the first button goes down and the last one up, in CSS pixels from the middle; none if it is
	// zero.
	from, to [2]float64
}

// together moves fingers together from places by a way, in steps.
func together(by [2]float64, from ...[2]float64) (way [][][2]float64) {
	const steps = 12
	for i := range steps + 1 {
		at := make([][2]float64, len(from))
		for f := range from {
			at[f] = [2]float64{from[f][0] + by[0]*float64(i)/steps, from[f][1] + by[1]*float64(i)/steps}
		}
		way = append(way, at)
	}
	return way
}

// apart moves two fingers away from the middle.
func apart(from, to float64) (way [][][2]float64) {
	const steps = 12
	for i := range steps + 1 {
		d := from + (to-from)*float64(i)/steps
		way = append(way, [][2]float64{{-d, 0}, {d, 0}})
	}
	return way
}

func hands() []gesture {
	still := func(at ...[2]float64) [][][2]float64 { return [][][2]float64{at} }
	at := func(x, y float64) [2]float64 { return [2]float64{x, y} }
	left, right, nothing := regexp.MustCompile(`^\+1-1$`), regexp.MustCompile(`^\+3-3$`), regexp.MustCompile(`^$`)
	up, down := regexp.MustCompile(`^(\+5-5){2,}$`), regexp.MustCompile(`^(\+4-4){2,}$`)
	return []gesture{
		{name: "tap", fingers: still(at(-60, 10)), means: left, from: at(-60, 10), to: at(-60, 10)},
		{name: "long press", fingers: still(at(40, -20)), rests: true, means: right, from: at(40, -20), to: at(40, -20)},
		{name: "tap of two", fingers: still(at(-20, 0), at(40, 0)), means: right, from: at(-20, 0), to: at(-20, 0)},
		{name: "drag", fingers: together(at(80, 30), at(-50, -20)), means: left, from: at(-50, -20), to: at(30, 10)},
		{name: "two up", fingers: together(at(0, -120), at(-25, 40), at(25, 40)), means: up},
		{name: "two down", fingers: together(at(0, 120), at(-25, -40), at(25, -40)), means: down},
		{name: "pinch", fingers: apart(30, 90), means: nothing},
	}
}

// gestures makes each gesture over the pad, and looks at what came to the desk.
func (j *Journey) gestures(ctx context.Context) error {
	p, err := j.newPad()
	if err != nil {
		return err
	}
	defer p.conn.Close()
	before, err := j.canvasWidth(ctx)
	if err != nil {
		return err
	}
	var names []string
	for _, g := range hands() {
		if err := j.gesture(ctx, p, g); err != nil {
			return fmt.Errorf("%s: %w", g.name, err)
		}
		names = append(names, g.name)
	}
	after, err := j.canvasWidth(ctx)
	if err != nil {
		return err
	}
	if after < 2*before {
		return fmt.Errorf("two fingers that move from 60 to 180 pixels apart make %g pixels %g", before, after)
	}
	j.note("指の操作を自席の X サーバーで確認: %s。ピンチで表示は %.1f 倍になり、自席には何も届かない",
		strings.Join(names, ", "), after/before)
	if err := j.shoot(ctx, "pinched"); err != nil {
		return err
	}
	// What is tapped on the larger picture is still what lies under the finger.
	tap := hands()[0]
	if err := j.gesture(ctx, p, tap); err != nil {
		return fmt.Errorf("tap on the larger picture: %w", err)
	}
	back := gesture{name: "pinch back", fingers: apart(150, 15), means: regexp.MustCompile(`^$`)}
	if err := j.gesture(ctx, p, back); err != nil {
		return fmt.Errorf("%s: %w", back.name, err)
	}
	return j.page.Wait(ctx, "the whole desk again", fmt.Sprintf(`%s === %g`, canvasWidth, before))
}

const canvasWidth = `document.querySelector(".stage canvas").getBoundingClientRect().width`

func (j *Journey) canvasWidth(ctx context.Context) (float64, error) {
	return browser.Get[float64](ctx, j.page, canvasWidth)
}

// tapTime is how long a tap may take that is no long press, which is one after 500 ms, and a loaded machine's share of
// that.
const tapTime = 350 * time.Millisecond

// gesture makes one gesture, then taps, so that all that comes before the tap was caused by the gesture. Who was slower
// than a tap may be tries again.
func (j *Journey) gesture(ctx context.Context, p *pad, g gesture) error {
	middle := p.area.Min.Add(p.area.Size().Div(2))
	for {
		at, err := j.place(ctx, middle)
		if err != nil {
			return err
		}
		from, to, err := j.ends(ctx, at, g)
		if err != nil {
			return err
		}
		p.took()
		slow, err := j.perform(ctx, p, g, at)
		if err != nil {
			return err
		}
		if slow {
			if err := j.deskAnswers(ctx); err != nil {
				return err
			}
			continue
		}
		marks, places, err := j.lastTap(ctx, p, at)
		if errors.Is(err, errSlow) {
			continue
		}
		if err != nil {
			return err
		}
		if !g.means.MatchString(marks) {
			return fmt.Errorf("the desk's pointer did %q, want %v", marks, g.means)
		}
		if g.from == [2]float64{} {
			return nil // turns the wheel, or nothing
		}
		return errors.Join(near(places[0], from), near(places[1], to))
	}
}

// perform moves the fingers. slow says that a tap took longer than a tap may.
func (j *Journey) perform(ctx context.Context, p *pad, g gesture, middle [2]float64) (slow bool, err error) {
	began := time.Now()
	for _, step := range g.fingers {
		places := make([][2]float64, len(step))
		for i, at := range step {
			places[i] = [2]float64{middle[0] + at[0], middle[1] + at[1]}
		}
		if err := j.page.Fingers(ctx, places...); err != nil {
			return false, err
		}
	}
	if g.rests {
		noticed := func() (bool, error) { return p.seen() != "", nil }
		if err := until(ctx, "the desk is to notice the finger that rests", noticed); err != nil {
			return false, err
		}
	}
	err = j.page.Fingers(ctx)
	return len(g.fingers) == 1 && !g.rests && time.Since(began) > tapTime, err
}

var errSlow = errors.New("the tap was too slow to be one")

// lastTap taps in the middle, and returns what the pad noted before that tap.
func (j *Journey) lastTap(ctx context.Context, p *pad, middle [2]float64) (marks string, places []image.Point, err error) {
	tap := gesture{fingers: [][][2]float64{{{0, 0}}}}
	slow, err := j.perform(ctx, p, tap, middle)
	if err != nil {
		return "", nil, err
	}
	if slow {
		return "", nil, errors.Join(errSlow, j.deskAnswers(ctx))
	}
	const last = "+1-1"
	want := image.Pt(p.area.Min.X+p.area.Dx()/2, p.area.Min.Y+p.area.Dy()/2)
	err = until(ctx, "the last tap is to come to the desk", func() (bool, error) {
		p.mu.Lock()
		defer p.mu.Unlock()
		return strings.HasSuffix(p.marks.String(), last) && near(p.places[len(p.places)-1], want) == nil, nil
	})
	if err != nil {
		return "", nil, fmt.Errorf("%w: %q at %v", err, p.seen(), p.places)
	}
	marks, places = p.took()
	return strings.TrimSuffix(marks, last), places, nil
}

// ends is where on the desk a gesture begins and ends.
func (j *Journey) ends(ctx context.Context, middle [2]float64, g gesture) (from, to image.Point, err error) {
	bounds, err := j.x.Geometry(j.x.Setup.Root)
	if err != nil {
		return from, to, err
	}
	box, err := browser.Get[[]float64](ctx, j.page, canvasSize)
	if err != nil || len(box) != 4 {
		return from, to, errors.Join(errors.New("the canvas has no place"), err)
	}
	point := func(at [2]float64) image.Point {
		scale := float64(bounds.Dx()) / box[2]
		return image.Pt(int((middle[0]+at[0]-box[0])*scale), int((middle[1]+at[1]-box[1])*scale))
	}
	return point(g.from), point(g.to), nil
}

// near says whether a place is within a CSS pixel of a telephone, which has five of the desk's.
func near(got, want image.Point) error {
	if d := got.Sub(want); d.X < -5 || d.X > 5 || d.Y < -5 || d.Y > 5 {
		return fmt.Errorf("it is at %v, want %v", got, want)
	}
	return nil
}

// writesByFinger writes what the desk's keyboard has keys for and what it has none for, and uses a menu.
func (j *Journey) writesByFinger(ctx context.Context) error {
	path, err := j.document(ctx, "指.txt", "")
	if err != nil {
		return err
	}
	return all(ctx,
		j.bar("文字を入力"),
		func(ctx context.Context) error { return j.page.Wait(ctx, "the field to write in", writing) },
		func(ctx context.Context) error { return j.page.Write(ctx, "ab窓口c") },
		func(ctx context.Context) error { return j.town.Desktop.WaitWindow(ctx, "*~/文書/指.txt") },
		j.bar("表示"), func(ctx context.Context) error { return j.shoot(ctx, "menu") },
		func(ctx context.Context) error { return j.page.TapIn(ctx, ".bar", "画面に合わせる") },
		j.focusOnDesk, j.press("ControlLeft", "KeyS"),
		func(ctx context.Context) error { return fileHolds(ctx, path, "ab窓口c") },
	)
}

// endByFinger ends the session.
func (j *Journey) endByFinger(ctx context.Context) error {
	return all(ctx, j.bar("接続を終了"),
		func(ctx context.Context) error { return j.shoot(ctx, "end") },
		func(ctx context.Context) error { return j.page.TapIn(ctx, "dialog[open]", "接続を終了") },
		func(ctx context.Context) error {
			return j.page.Wait(ctx, "the end of the session", phase+` === "ended"`)
		},
		j.text("接続を終了しました"),
		func(ctx context.Context) error { return j.shoot(ctx, "ended") },
	)
}
