//go:build linux

package input

import (
	"image"
	"testing"

	"jiseki/internal/desktop"
	"jiseki/internal/desktop/desktoptest"
	"jiseki/internal/x11"
)

// TestFetchedByWhomItIsFor waits for the program that is to paste: input methods and clipboard managers get every new
// text at once.
func TestFetchedByWhomItIsFor(t *testing.T) {
	c, d := newClipboard(t)
	manager, editor := newPaster(t, c, d), newPaster(t, c, d)
	must(t, c.offer("窓口"))
	fetched := c.fetch(editor.conn.Client(editor.win))
	for range 2 { // answered one after the other: what the first one caused has happened
		if got := manager.paste(t, 0); got != "窓口" {
			t.Fatalf("pasted %q", got)
		}
	}
	select {
	case <-fetched:
		t.Fatal("another program than the one that is to paste got the text, and that counted")
	default:
	}
	editor.paste(t, 0)
	<-fetched

	fetched = c.fetch(0) // whom it is for is not known
	manager.paste(t, 0)
	<-fetched
}

// TestOffersFollow gives the newest text to a program that names the time of an older one: programs that paste twice in
// a row by way of an input method say the first time again. Who asks for what another program had copied gets nothing.
func TestOffersFollow(t *testing.T) {
	c, d := newClipboard(t)
	editor := newPaster(t, c, d)
	first := offerLater(t, c, "窓", 0)
	offerLater(t, c, "口", first)
	if got := editor.paste(t, first); got != "口" {
		t.Errorf("pasted %q, want the newest text", got)
	}
	if got := editor.paste(t, first-1); got != "" {
		t.Errorf("pasted %q of what was not offered yet", got)
	}
	if own, err := editor.conn.OwnSelection(c.atoms.clipboard, editor.win, 0); err != nil || !own {
		t.Fatal("a program cannot copy", err)
	}
	must(t, c.offer("係"))
	if got := editor.paste(t, first); got != "" {
		t.Errorf("pasted %q of what another program had copied", got)
	}
	if got := editor.paste(t, 0); got != "係" {
		t.Errorf("pasted %q, want the newest text", got)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newClipboard(t *testing.T) (*clipboard, *desktop.Desktop) {
	t.Helper()
	d := desktoptest.Bare(t, image.Pt(64, 64))
	c, err := openClipboard(X11Config{Display: d.Display(), Authority: d.Authority()})
	must(t, err)
	t.Cleanup(func() { must(t, c.close()) })
	return c, d
}

// offerLater offers a text at another time of the server than before, and returns that time.
func offerLater(t *testing.T, c *clipboard, text string, before uint32) (now uint32) {
	t.Helper()
	for now = before; now == before; {
		must(t, c.offer(text))
		c.mu.Lock()
		now = c.since
		c.mu.Unlock()
	}
	return now
}

// A paster is a program that pastes.
type paster struct {
	clipboard *clipboard
	conn      *x11.Conn
	win       x11.Window
	answers   chan x11.Selection
}

func newPaster(t *testing.T, c *clipboard, d *desktop.Desktop) *paster {
	t.Helper()
	p := &paster{clipboard: c, answers: make(chan x11.Selection, 1)}
	var err error
	p.conn, err = x11.Dial(x11.Options{Display: d.Display(), Authority: d.Authority(), OnEvent: func(e x11.Event) {
		if e.Type() == x11.SelectionNotify {
			p.answers <- e.Selection()
		}
	}})
	must(t, err)
	t.Cleanup(func() { p.conn.Close() })
	p.win, err = p.conn.CreateWindow(image.Rect(0, 0, 1, 1), x11.Attributes{})
	must(t, err)
	return p
}

// paste asks for the text at a time of the server; 0 means now. Empty means refused.
func (p *paster) paste(t *testing.T, at uint32) string {
	t.Helper()
	a := p.clipboard.atoms
	must(t, p.conn.ConvertSelection(p.win, a.clipboard, a.utf8, a.text, at))
	if s := <-p.answers; s.Property == 0 {
		return ""
	}
	_, text, err := p.conn.Property(p.win, a.text)
	must(t, err)
	return string(text)
}
