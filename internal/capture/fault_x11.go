//go:build linux

package capture

import (
	"errors"
	"fmt"
	"log/slog"

	"jiseki/internal/screen"
	"jiseki/internal/x11"
)

// needed are the extensions without which nothing is shown.
var needed = []string{"DAMAGE", "XFIXES", "RANDR"}

// An X11Watch tells whether the screen of an X server can be shown, without showing it.
type X11Watch struct {
	conn     *x11.Conn
	log      *slog.Logger
	relayout chan struct{} // holds at most one signal
	faults   chan Fault
}

// WatchX11 connects to an X server. A server that lacks something is no error but a fault.
func WatchX11(cfg X11Config) (*X11Watch, error) {
	w := &X11Watch{log: cfg.Log, relayout: make(chan struct{}, 1), faults: make(chan Fault, 1)}
	conn, err := x11.Dial(x11.Options{
		Display: cfg.Display, Authority: cfg.Authority, OnEvent: func(x11.Event) { signal(w.relayout) },
	})
	if err != nil {
		return nil, fmt.Errorf("capture: %w", err)
	}
	w.conn = conn
	fault, err := w.open()
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("capture: %w", err)
	}
	w.faults <- fault
	go w.follow(fault)
	return w, nil
}

// Faults delivers the present fault at once, then each change. It holds the newest alone, and is closed when the server
// is gone.
func (w *X11Watch) Faults() <-chan Fault { return w.faults }

// Done is closed when the server is gone, or by Close.
func (w *X11Watch) Done() <-chan struct{} { return w.conn.Done() }

// Close ends the watch.
func (w *X11Watch) Close() error { return w.conn.Close() }

// open has the server tell of each change of the layout, and returns the present fault.
func (w *X11Watch) open() (Fault, error) {
	for _, name := range needed {
		if _, err := w.conn.Extension(name); err != nil {
			return w.lacks(err)
		}
	}
	if !w.conn.Setup.TrueColour() {
		w.log.Error("the screen cannot be shown", "fault", FaultColours, "depth", w.conn.Setup.RootDepth)
		return FaultColours, nil
	}
	if err := w.conn.WatchLayout(); err != nil {
		return w.lacks(err)
	}
	return w.look()
}

// lacks makes a fault of an error that says what the server has not.
func (w *X11Watch) lacks(err error) (Fault, error) {
	var missing *x11.MissingExtensionError
	if !errors.As(err, &missing) {
		return "", err
	}
	w.log.Error("the screen cannot be shown", "fault", FaultSystem, "reason", err)
	return FaultSystem, nil
}

// look measures the layout.
func (w *X11Watch) look() (Fault, error) {
	l, err := layoutOf(w.conn)
	if err != nil || screen.Valid(l.Size) {
		return "", err
	}
	w.log.Error("the screen cannot be shown", "fault", FaultSize, "size", l.Size)
	return FaultSize, nil
}

// follow looks at each change of the layout. What a server lacks, and its depth, are its own for as long as it runs.
func (w *X11Watch) follow(last Fault) {
	defer close(w.faults)
	for {
		select {
		case <-w.conn.Done():
			return
		case <-w.relayout:
		}
		if last == FaultColours || last == FaultSystem {
			continue
		}
		now, err := w.look()
		if err != nil {
			w.log.Warn("the layout cannot be read", "err", err) // the next change tells
			continue
		}
		if now == last {
			continue
		}
		last = now
		select {
		case <-w.faults:
		default:
		}
		w.faults <- now
	}
}
