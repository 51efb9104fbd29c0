//go:build linux

package notice

import (
	"bytes"
	"image"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"jiseki/internal/desktop"
	"jiseki/internal/desktop/desktoptest"
	"jiseki/internal/input"
	"jiseki/internal/x11"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A bench is a notice on a desk with everything needed to try it.
type bench struct {
	desk  *desktop.Desktop
	n     *X11
	conn  *x11.Conn
	input *input.X11
	ended chan struct{}
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{desk: desktoptest.Bare(t, image.Pt(1024, 768)), ended: make(chan struct{}, 2)}
	b.n = b.show(t)
	var err error
	b.conn, err = x11.Dial(x11.Options{Display: b.desk.Display(), Authority: b.desk.Authority()})
	must(t, err)
	t.Cleanup(func() { b.conn.Close() })
	b.input, err = input.OpenX11(input.X11Config{Display: b.desk.Display(), Authority: b.desk.Authority()})
	must(t, err)
	t.Cleanup(func() { b.input.Close() })
	return b
}

// show shows a notice.
func (b *bench) show(t *testing.T) *X11 {
	t.Helper()
	n, err := ShowX11(X11Config{
		Display: b.desk.Display(), Authority: b.desk.Authority(), Name: "山田 太郎",
		OnEnd: func() { b.ended <- struct{}{} }, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	must(t, err)
	t.Cleanup(func() { n.Close() })
	return n
}

// seen waits until the whole strip is on the screen with its corner at a place.
func (b *bench) seen(t *testing.T, at image.Point) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		pix, err := b.conn.GetPicture(b.conn.Setup.Root, image.Rectangle{at, at.Add(b.n.size)}, nil)
		must(t, err)
		for i := 3; i < len(pix); i += 4 {
			pix[i] = 0
		}
		if bytes.Equal(pix, b.n.pix) {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("the notice is not at %v", at)
}

func (b *bench) place() image.Point { return image.Pt((1024-b.n.size.X)/2, 0) }

func TestNoticeIsShownAtTheTop(t *testing.T) {
	b := newBench(t)
	b.seen(t, b.place())
	if b.n.size.Y > 28 || b.n.size.X > 600 {
		t.Errorf("the notice of %v is in the way", b.n.size)
	}
}

func TestButtonEndsTheSessionOnce(t *testing.T) {
	b := newBench(t)
	b.seen(t, b.place())
	middle := b.place().Add(b.n.button.Min.Add(b.n.button.Max).Div(2))
	must(t, b.input.Pointer(b.place().Add(image.Pt(40, 14)))) // on the text
	click := func() {
		t.Helper()
		must(t, b.input.Buttons(input.Left))
		must(t, b.input.Buttons(0))
	}
	click()
	must(t, b.input.Pointer(middle))
	must(t, b.input.Buttons(input.Left)) // pressed, but let go elsewhere
	must(t, b.input.Pointer(image.Pt(500, 500)))
	must(t, b.input.Buttons(0))
	must(t, b.conn.Sync())
	if len(b.ended) != 0 {
		t.Fatal("the session ends without the button")
	}
	must(t, b.input.Pointer(middle))
	click()
	select {
	case <-b.ended:
	case <-time.After(time.Minute):
		t.Fatal("the button does nothing")
	}
	click()
	must(t, b.n.Close())
	if len(b.ended) != 0 {
		t.Error("the session ends twice")
	}
}

func TestNoticeCanBeMovedAside(t *testing.T) {
	b := newBench(t)
	b.seen(t, b.place())
	must(t, b.input.Pointer(b.place().Add(image.Pt(40, 14))))
	must(t, b.input.Buttons(input.Left))
	must(t, b.input.Pointer(image.Pt(340, 414)))
	b.seen(t, image.Pt(300, 400))
	must(t, b.input.Pointer(image.Pt(0, 767)))
	b.seen(t, image.Pt(0, 740)) // never out of the screen
	must(t, b.input.Buttons(0))
	must(t, b.desk.SetMode(t.Context(), desktop.PrimaryOutput, image.Pt(800, 600)))
	b.seen(t, image.Pt(0, 572))
}

func TestNoticeStaysOnTopButNotOfALock(t *testing.T) {
	b := newBench(t)
	b.seen(t, b.place())
	window := func(r image.Rectangle) x11.Window {
		w, err := b.conn.CreateWindow(r, x11.Attributes{OverrideRedirect: true, Background: 0x335577})
		must(t, err)
		must(t, b.conn.MapWindow(w))
		return w
	}
	small := window(image.Rect(0, 0, 1000, 300))
	b.seen(t, b.place())
	must(t, b.conn.DestroyWindow(small))
	for name, bounds := range map[string]image.Rectangle{"whole": image.Rect(0, 0, 1024, 768), "but the edge": image.Rect(1, 1, 1023, 767)} {
		cover := window(bounds)
		later := b.show(t)
		time.Sleep(3 * raiseAfter) // it would come up by now
		inside := image.Rectangle{b.place(), b.place().Add(b.n.size)}.Intersect(bounds)
		pix, err := b.conn.GetPicture(b.conn.Setup.Root, inside, nil)
		must(t, err)
		if pix[0] != 0x77 || pix[len(pix)-4] != 0x77 {
			t.Errorf("%s: a notice covers a locked screen", name)
		}
		must(t, later.Close())
		must(t, b.conn.DestroyWindow(cover))
		b.seen(t, b.place())
	}
}

// TestNoEventIsLost: a press is followed by a flood of motion before anybody has time for it; the release and the need
// to paint count all the same.
func TestNoEventIsLost(t *testing.T) {
	ended := make(chan struct{})
	n := &X11{cfg: X11Config{OnEnd: func() { close(ended) }}, todo: make(chan struct{}, 1), button: image.Rect(0, 0, 10, 10)}
	event := func(kind, detail byte) {
		e := make(x11.Event, 32)
		e[0], e[1] = kind, detail
		n.onEvent(e)
	}
	event(x11.ButtonPress, 1)
	for range 1000 {
		event(x11.MotionNotify, 0)
	}
	event(x11.Expose, 0)
	event(x11.ButtonRelease, 1)
	<-ended
	if !n.due.paint {
		t.Error("nobody paints the strip")
	}
}

// TestAnotherLine: the same strip with other words, such as the evening's reminder.
func TestAnotherLine(t *testing.T) {
	b := newBench(t)
	session := b.n.pix
	must(t, b.n.Close())
	var err error
	b.n, err = ShowX11(X11Config{
		Display: b.desk.Display(), Authority: b.desk.Authority(), Text: "明日はテレワークです。電源を入れたまま退庁してください", Button: "確認しました",
		OnEnd: func() { b.ended <- struct{}{} }, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	must(t, err)
	t.Cleanup(func() { b.n.Close() })
	b.seen(t, b.place())
	if bytes.Equal(b.n.pix, session) || b.n.size.X > 600 {
		t.Errorf("a line of %v", b.n.size)
	}
	must(t, b.input.Pointer(b.place().Add(b.n.button.Min.Add(b.n.button.Max).Div(2))))
	must(t, b.input.Buttons(input.Left))
	must(t, b.input.Buttons(0))
	select {
	case <-b.ended:
	case <-time.After(time.Minute):
		t.Fatal("the button does nothing")
	}
}

func TestText(t *testing.T) {
	if got := Text("山田 太郎"); got != "接続中: 山田 太郎さんが遠隔で使用しています" {
		t.Error(got)
	}
	if got := []rune(Text(strings.Repeat("長", 200))); len(got) > 50 {
		t.Errorf("%d characters", len(got))
	}
}

func TestNoFont(t *testing.T) {
	if _, _, err := openFace([]string{"/nonexistent.ttc"}, 14); err == nil {
		t.Error("no error without a font")
	}
	bad := t.TempDir() + "/bad.ttc"
	must(t, os.WriteFile(bad, []byte("not a font"), 0o600))
	if _, _, err := openFace([]string{bad}, 14); err == nil {
		t.Error("no error with a broken font")
	}
}
