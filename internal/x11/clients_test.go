//go:build linux

package x11_test

import (
	"image"
	"os"
	"slices"
	"testing"

	"jiseki/internal/desktop/desktoptest"
	"jiseki/internal/x11"
)

// spare is a key of no keyboard; servers accept it all the same.
const spare = 8

// TestKeyReceivers: who holds the keyboard gets the key, whoever has the focus.
func TestKeyReceivers(t *testing.T) {
	d := desktoptest.Bare(t, image.Pt(640, 480))
	open := func() *x11.Conn { return dial(t, x11.Options{Display: d.Display(), Authority: d.Authority()}) }
	c, typist, holder := open(), open(), open()
	want := func(who ...*x11.Conn) {
		t.Helper()
		got, err := c.KeyReceivers(spare)
		if err != nil {
			t.Fatal(err)
		}
		var clients []x11.Client
		for _, w := range who {
			clients = append(clients, w.Client(x11.Window(w.NewID())))
		}
		if !slices.Equal(got, clients) {
			t.Errorf("the key reached %x, want %x", got, clients)
		}
	}
	want()
	win, err := typist.CreateWindow(image.Rect(0, 0, 640, 480), x11.Attributes{Events: x11.MaskKeys})
	if err != nil {
		t.Fatal(err)
	}
	if err := typist.MapWindow(win); err != nil {
		t.Fatal(err)
	}
	want(typist)
	if got, err := holder.GrabKeyboard(); err != nil || got != x11.Grabbed {
		t.Fatal(got, err)
	}
	want(holder)
	if got, err := typist.GrabKeyboard(); err != nil || !got.Held() {
		t.Errorf("the keyboard is held: %v, %v", got, err)
	}
	if err := holder.UngrabKeyboard(); err != nil {
		t.Fatal(err)
	}
	want(typist)
}

func TestProcesses(t *testing.T) {
	d := desktoptest.Bare(t, image.Pt(640, 480))
	c := dial(t, x11.Options{Display: d.Display(), Authority: d.Authority()})
	got, err := c.Processes()
	if err != nil {
		t.Fatal(err)
	}
	if me := c.Client(x11.Window(c.NewID())); got[me] != os.Getpid() {
		t.Errorf("client %x is of process %d, want %d; all: %v", me, got[me], os.Getpid(), got)
	}
}
