package quiet_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"jiseki/internal/quiet"
)

type world struct {
	now  time.Time
	text bytes.Buffer
	log  *slog.Logger
}

func newWorld() *world {
	w := &world{now: time.Date(2026, 11, 29, 9, 0, 0, 0, time.UTC)}
	w.log = slog.New(quiet.New(slog.NewTextHandler(&w.text, nil), func() time.Time { return w.now }))
	return w
}

func (w *world) lines(with string) (n int) {
	for line := range strings.Lines(w.text.String()) {
		if strings.Contains(line, with) {
			n++
		}
	}
	return n
}

// TestFloodIsSampled: one address and very many write few lines, heads of the audit log are all written, and what was
// left out is counted.
func TestFloodIsSampled(t *testing.T) {
	w := newWorld()
	one := netip.MustParseAddr("192.0.2.1")
	for i := range 20_000 {
		w.log.Info("a call was refused", slog.String("code", "x"), quiet.From(one))
		if i%1000 == 0 {
			w.log.Info("head of the audit log", "number", i)
		}
	}
	if refused, heads := w.lines("a call was refused"), w.lines("head of the audit log"); refused != 5 || heads != 20 {
		t.Errorf("%d refusals and %d heads are written, want 5 and 20", refused, heads)
	}
	if !strings.Contains(w.text.String(), "address=192.0.2.1") {
		t.Errorf("no address in %.200s", w.text.String())
	}
	for i := range 20_000 {
		w.log.With(quiet.From(netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}))).Info("claim refused")
	}
	if n := w.lines("claim refused"); n != 195 {
		t.Errorf("%d claims are written, want 195", n)
	}
	if size := w.text.Len(); size > 100_000 {
		t.Errorf("%d bytes", size)
	}
	w.now = w.now.Add(time.Minute)
	w.log.Info("head of the audit log")
	for _, want := range []string{`of="a call was refused" count=19995 addresses=1`, `of="claim refused" count=19805 addresses=19805`} {
		if w.lines(want) != 1 {
			t.Errorf("no line with %s in ...%s", want, w.text.String()[w.text.Len()-400:])
		}
	}
	w.log.Info("a call was refused", quiet.From(one))
	if n := w.lines("msg=\"a call was refused\""); n != 6 {
		t.Errorf("%d refusals in two minutes, want 6", n)
	}
}

// TestDesksAreCountedApart: what one desk causes hides nothing of another.
func TestDesksAreCountedApart(t *testing.T) {
	w := newWorld()
	for range 100 {
		for _, desk := range []string{"k1", "k2"} {
			w.log.Warn("a desk reported", quiet.Desk(desk))
		}
	}
	if n := w.lines("desk=k1"); n != 5 || w.lines("a desk reported") != 10 {
		t.Errorf("%d lines of k1 and %d in all, want 5 and 10", n, w.lines("a desk reported"))
	}
}

// TestKindsAreCountedApart: a flood of one kind hides no other kind of the same address, and one address no other.
func TestKindsAreCountedApart(t *testing.T) {
	w := newWorld()
	for i := range 8 {
		for range 100 {
			w.log.Info(fmt.Sprint("kind ", i%2), quiet.From(netip.AddrFrom4([4]byte{10, 0, 0, byte(i / 2)})))
		}
	}
	if n := w.lines("kind"); n != 8*5 {
		t.Errorf("%d lines, want 40", n)
	}
}

// TestAfterTheClockWasSetBack: what was left out before counts no more.
func TestAfterTheClockWasSetBack(t *testing.T) {
	w := newWorld()
	for range 10 {
		w.log.Info("a call was refused", quiet.From(netip.MustParseAddr("192.0.2.1")))
	}
	w.now = w.now.Add(-time.Hour)
	w.log.Info("a call was refused", quiet.From(netip.MustParseAddr("192.0.2.1")))
	if n := w.lines(`msg="a call was refused"`); n != 6 {
		t.Errorf("%d lines, want 6", n)
	}
}

// TestRefusalsHideNoFailure: what a flood of strangers is refused leaves room for what failed, in whoever's call.
func TestRefusalsHideNoFailure(t *testing.T) {
	w := newWorld()
	for i := range 1000 {
		w.log.Info("a call was refused", quiet.From(netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)})))
	}
	w.log.Error("a call failed", quiet.From(netip.MustParseAddr("192.0.2.1")))
	if w.lines("a call failed") != 1 {
		t.Error("a failure is left out of the log")
	}
	for i := range 1000 {
		w.log.Error("a call failed", quiet.From(netip.AddrFrom4([4]byte{10, 2, byte(i >> 8), byte(i)})))
	}
	if n := w.lines("a call failed"); n != 200 {
		t.Errorf("%d failures are written, want 200", n)
	}
}
