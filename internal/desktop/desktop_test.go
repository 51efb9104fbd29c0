//go:build linux

package desktop_test

import (
	"testing"

	"jiseki/internal/desktop/desktoptest"
	"jiseki/internal/screen"
)

func TestBareDeskStartsAndEnds(t *testing.T) {
	d := desktoptest.Bare(t, screen.Point{})
	t.Log(d.Display())
}
