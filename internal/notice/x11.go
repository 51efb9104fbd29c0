//go:build linux

package notice

import (
	"cmp"
	"errors"
	"fmt"
	"image"
	"log/slog"
	"sync"
	"time"

	"jiseki/internal/x11"
)

// X11Config says what to show, and where.
type X11Config struct {
	Display   string // such as ":0"
	Authority string // path of the Xauthority file; empty: see x11.Options
	Name      string // who uses the desk
	// Text and Button are shown in place of Name and the button that ends the session; empty: those.
	Text, Button string
	// Row is how many strips lower than the top it appears.
	Row int
	// OnEnd is called once when somebody presses the button. It may block.
	OnEnd func()
	Log   *slog.Logger
}

// An X11 is a notice on an X server.
type X11 struct {
	cfg    X11Config
	conn   *x11.Conn
	win    x11.Window
	gc     x11.Context
	size   image.Point
	button image.Rectangle
	pix    []byte

	todo  chan struct{} // one signal: due holds something
	ended chan struct{} // closed when the goroutine that does what is due has ended

	mu      sync.Mutex // guards what follows
	at      image.Point
	grip    image.Point // where in the strip it is being dragged
	drag    bool
	pressed bool // the button is
	done    bool // OnEnd has been called
	due     due
}

// due is what events have made necessary. However many come while nobody has time, each part is done once.
type due struct {
	paint, hidden, layout bool
	move                  bool // to target
	target                image.Point
}

// raiseAfter is how long the notice may be hidden before it comes to the top again; two windows that both insist would
// otherwise flicker.
const raiseAfter = 200 * time.Millisecond

// ShowX11 shows the notice at the top of the primary monitor; while the screen is locked, below the lock. An error
// means that it cannot be shown; the session need not end for it.
func ShowX11(cfg X11Config) (*X11, error) {
	n := &X11{cfg: cfg, todo: make(chan struct{}, 1), ended: make(chan struct{})}
	if err := n.draw(); err != nil {
		return nil, fmt.Errorf("notice: %w", err)
	}
	conn, err := x11.Dial(x11.Options{Display: cfg.Display, Authority: cfg.Authority, OnEvent: n.onEvent})
	if err != nil {
		return nil, fmt.Errorf("notice: %w", err)
	}
	n.conn = conn
	if err := n.show(); err != nil {
		conn.Close()
		return nil, fmt.Errorf("notice: %w", err)
	}
	go n.serve()
	return n, nil
}

// draw paints the strip once; it never changes.
func (n *X11) draw() error {
	face, file, err := openFace(fontFiles, fontSize)
	if err != nil {
		return err
	}
	defer file.Close()
	p, button := paint(face, cmp.Or(n.cfg.Text, Text(n.cfg.Name)), cmp.Or(n.cfg.Button, ButtonText))
	n.size, n.button, n.pix = p.Rect.Size(), button, bgrx(p)
	return nil
}

func (n *X11) show() (err error) {
	if err := n.conn.WatchLayout(); err != nil {
		return err
	}
	area, err := n.area()
	if err != nil {
		return err
	}
	n.at = image.Pt(area.Min.X+(area.Dx()-n.size.X)/2, area.Min.Y+n.cfg.Row*height)
	n.win, err = n.conn.CreateWindow(image.Rectangle{n.at, n.at.Add(n.size)}, x11.Attributes{
		OverrideRedirect: true,
		Events:           x11.MaskExposure | x11.MaskVisibility | x11.MaskButtons | x11.MaskMotion,
	})
	if err != nil {
		return err
	}
	if n.gc, err = n.conn.CreateContext(0); err != nil {
		return err
	}
	if err := n.conn.MapWindow(n.win); err != nil {
		return err
	}
	return n.stack()
}

// area is the primary monitor, or the first.
func (n *X11) area() (image.Rectangle, error) {
	monitors, err := n.monitors()
	if err != nil {
		return image.Rectangle{}, err
	}
	for _, m := range monitors {
		if m.Primary {
			return m.Bounds, nil
		}
	}
	return monitors[0].Bounds, nil
}

// monitors are those of the server, or one of its whole screen.
func (n *X11) monitors() ([]x11.Monitor, error) {
	monitors, err := n.conn.Monitors()
	if err != nil || len(monitors) > 0 {
		return monitors, err
	}
	bounds, err := n.conn.Geometry(n.conn.Setup.Root)
	return []x11.Monitor{{Bounds: bounds}}, err
}

// onEvent notes what an event asks for. It runs on the connection's goroutine; no event is lost, whatever waits.
func (n *X11) onEvent(e x11.Event) {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch e.Type() {
	case x11.Expose:
		n.due.paint = true
	case x11.ButtonPress:
		n.pressed = e.Detail() == 1 && e.Position().In(n.button)
		n.drag = e.Detail() == 1 && !n.pressed
		n.grip = e.Position()
		return
	case x11.ButtonRelease:
		if n.pressed && e.Position().In(n.button) && !n.done {
			n.done = true
			go n.cfg.OnEnd()
		}
		n.pressed, n.drag = false, false
		return
	case x11.MotionNotify:
		if !n.drag {
			return
		}
		n.due.move, n.due.target = true, e.RootPosition().Sub(n.grip)
	case x11.VisibilityNotify:
		if n.due.hidden = n.due.hidden || e[8] != 0; !n.due.hidden {
			return
		}
	default:
		n.due.layout = true
	}
	select {
	case n.todo <- struct{}{}:
	default:
	}
}

// serve does what is due until the connection ends.
func (n *X11) serve() {
	defer close(n.ended)
	var raise <-chan time.Time
	for {
		var err error
		select {
		case <-n.conn.Done():
			return
		case <-n.todo:
			n.mu.Lock()
			d := n.due
			n.due = due{}
			n.mu.Unlock()
			if d.hidden {
				raise = time.After(raiseAfter)
			}
			err = n.do(d)
		case <-raise:
			raise = nil
			err = n.stack()
		}
		if err != nil && n.conn.Err() == nil {
			n.cfg.Log.Warn("the notice at the desk", "error", err)
		}
	}
}

func (n *X11) do(d due) error {
	var errs []error
	if d.paint {
		errs = append(errs, n.conn.PutPicture(n.win, n.gc, image.Point{}, n.size, n.pix))
	}
	switch {
	case d.move:
		errs = append(errs, n.move(d.target))
	case d.layout:
		n.mu.Lock()
		at := n.at
		n.mu.Unlock()
		errs = append(errs, n.move(at))
	}
	return errors.Join(errs...)
}

// stack brings the notice to the top, but below the window of a locker: lockers insist on the top, and a lock below a
// notice is none.
func (n *X11) stack() error {
	cover, err := n.cover()
	if err != nil {
		return err
	}
	if cover != 0 {
		return n.conn.LowerBelow(n.win, cover)
	}
	return n.conn.RaiseWindow(n.win)
}

// cover is a window that covers a monitor on which the notice is, as those of lockers do; 0 if there is none.
func (n *X11) cover() (x11.Window, error) {
	monitors, err := n.monitors()
	if err != nil {
		return 0, err
	}
	n.mu.Lock()
	strip := image.Rectangle{n.at, n.at.Add(n.size)}
	n.mu.Unlock()
	for _, m := range monitors {
		if !m.Bounds.Overlaps(strip) {
			continue
		}
		if cover, err := n.conn.Cover(m.Bounds); err != nil || cover != 0 {
			return cover, err
		}
	}
	return 0, nil
}

// move puts the notice at a place, or as near as the screen allows.
func (n *X11) move(to image.Point) error {
	root, err := n.conn.Geometry(n.conn.Setup.Root)
	if err != nil {
		return err
	}
	at := image.Pt(max(0, min(to.X, root.Dx()-n.size.X)), max(0, min(to.Y, root.Dy()-n.size.Y)))
	n.mu.Lock()
	n.at = at
	n.mu.Unlock()
	return n.conn.MoveWindow(n.win, at)
}

// Close takes the notice away. OnEnd may still be running if the button was pressed.
func (n *X11) Close() error {
	err := n.conn.Close()
	<-n.ended
	return err
}
