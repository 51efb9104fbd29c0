package agent

import (
	"log/slog"
	"testing"

	"jiseki/internal/desktop/desktoptest"
	"jiseki/internal/screen"
)

// TestNoticeWithoutAScreen asks a desk for its strips whose X server is gone: there is none, and nothing to be closed.
func TestNoticeWithoutAScreen(t *testing.T) {
	d, stop := desktoptest.BareUntil(t, screen.Point{X: 640, Y: 480})
	desk, closeDesk, err := OpenX11(X11Config{
		Display: d.Display(), Authority: d.Authority(), Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer closeDesk()
	stop()
	a := &Agent{log: slog.New(slog.DiscardHandler), desk: desk}
	a.guard.agent = a
	a.guard.tell()() // a desk that is lost cannot be locked either
	for name, show := range map[string]func(string, string, func()) (closer any, err error){
		"say":    func(text, button string, pressed func()) (any, error) { return desk.Say(text, button, pressed) },
		"recall": func(text, button string, pressed func()) (any, error) { return desk.Recall(text, button, pressed) },
		"notice": func(name, _ string, end func()) (any, error) { return desk.Notice(name, end) },
	} {
		if c, err := show("text", "button", func() {}); c != nil || err == nil {
			t.Errorf("%s: %#v, %v", name, c, err)
		}
	}
}
