//go:build linux

package e2e

import (
	"errors"
	"fmt"
	"image"
	"testing"

	"jiseki/internal/access"
	"jiseki/internal/desktop/desktoptest"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/screen"
	"jiseki/internal/viewer"
	"jiseki/internal/x11"
)

// TestDeskThatCannotBeShown is refused before a session, in the portal and by PrepareSession, for the reason that its
// agent gives.
func TestDeskThatCannotBeShown(t *testing.T) {
	for name, c := range map[string]struct {
		server []string
		want   access.Code
	}{
		"palette":   {[]string{"-depth", "8"}, access.DeskColours},
		"no DAMAGE": {[]string{"-extension", "DAMAGE"}, access.DeskScreenSystem},
		"no XFIXES": {[]string{"-extension", "XFIXES"}, access.DeskScreenSystem},
		"no RANDR":  {[]string{"-extension", "RANDR"}, access.DeskScreenSystem},
		"no XTEST":  {[]string{"-extension", "XTEST"}, access.DeskScreenSystem},
	} {
		t.Run(name, func(t *testing.T) {
			h := found(t, plan{server: c.server})
			h.enrol(h.admit())
			h.launch()
			h.refuses(h.staff("tanaka"), c.want)
		})
	}
}

// TestScreenThatGrows is shown with more monitors than a layout has, refused while it is larger than what can be shown,
// and shown again.
func TestScreenThatGrows(t *testing.T) {
	h := found(t, plan{grows: true})
	if err := h.x.WatchLayout(); err != nil {
		t.Fatal(err)
	}
	for i := range 17 {
		if err := h.x.SetMonitor(x11.Monitor{Name: fmt.Sprintf("M%d", i), Bounds: image.Rect(i*32, 0, i*32+32, 480)}); err != nil {
			t.Fatal(err)
		}
	}
	wall := x11.Monitor{Name: "wall", Bounds: image.Rect(0, 0, desktoptest.TooWide, 480)}
	if err := h.x.SetMonitor(wall); err != nil {
		t.Fatal(err)
	}
	h.enrol(h.admit())
	h.start()
	tanaka := h.staff("tanaka")
	v := tanaka.open(look{})
	v.wait("a picture", func(s viewer.State) bool { return len(s.Layout.Monitors) == screen.MaxMonitors })
	if err := v.End(soon(t)); err != nil {
		t.Error(err)
	}

	h.grow(desktoptest.TooWide)
	h.refuses(tanaka, access.DeskScreenSize)

	h.grow(640)
	h.awaitDesk(func(d *controlv1.Desk) bool { return d.GetScreenFault() == nil })
	tanaka.open(look{}).sameAsDesk()
}

func (h *house) grow(width int) {
	h.t.Helper()
	if err := h.screen.SetScreen(h.t.Context(), screen.Point{X: width, Y: 480}); err != nil {
		h.t.Fatal(err)
	}
}

// refuses waits until console and portal name the reason why the desk cannot be opened, and tries to open it.
func (h *house) refuses(s *staff, why access.Code) {
	h.t.Helper()
	h.awaitDesk(func(d *controlv1.Desk) bool {
		return d.GetState() == controlv1.DeskState_DESK_STATE_ON && d.GetScreenFault().GetCode() == string(why)
	})
	desks, err := s.portal.Desks(soon(h.t))
	if err != nil || len(desks) != 1 {
		h.t.Fatalf("%d desks: %v", len(desks), err)
	}
	if d := desks[0]; d.GetMayOpen() || len(d.GetWhyNot()) == 0 || d.GetWhyNot()[0].GetCode() != string(why) || d.GetWhyNot()[0].GetJa() == "" {
		h.t.Errorf("the portal shows %v, want %s", d, why)
	}
	_, err = s.try(look{})
	var refused *viewer.RefusedError
	if !errors.As(err, &refused) || refused.Code() != string(why) {
		h.t.Errorf("opened with %v, want the refusal %s", err, why)
	}
}
