//go:build linux

package capture

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"jiseki/internal/screen"
	"jiseki/internal/x11"
)

// wholeEvery is how often the whole screen is read while it changes, and how long after the last change it is read once
// more: reports of damage have been seen to miss pixels that change while they are fetched.
const wholeEvery = time.Second

// maxRetries is how often a picture is tried again when the layout changes while it is read.
const maxRetries = 20

// X11Config says which X server to capture.
type X11Config struct {
	Display   string // such as ":0"
	Authority string // path of the Xauthority file; empty: see x11.Options
	Log       *slog.Logger
}

// An X11 is the screen of an X server.
type X11 struct {
	conn   *x11.Conn
	log    *slog.Logger
	events atomic.Pointer[x11.ScreenEvents]

	damaged  chan struct{} // each holds at most one signal
	relayout chan struct{}
	reshape  chan struct{}
	cursors  chan *screen.Cursor
	shaped   chan struct{} // closed when the goroutine that delivers cursors has ended

	using   sync.Mutex // held by Next, and by Close when it frees what follows
	started bool
	damage  *x11.Damage
	grab    grabber
	reply   []byte
	frame   screen.Frame
	rects   []screen.Rect
	settle  *time.Timer // fires wholeEvery after parts of the screen were read
	settles bool        // the timer runs
}

// OpenX11 connects to an X server. The server must have DAMAGE, XFIXES and RANDR 1.5, and a true-colour screen of 2 or
// 4 bytes a pixel; it should have MIT-SHM 1.2.
func OpenX11(cfg X11Config) (*X11, error) {
	s := &X11{
		log:      cfg.Log,
		damaged:  make(chan struct{}, 1),
		relayout: make(chan struct{}, 1),
		reshape:  make(chan struct{}, 1),
		cursors:  make(chan *screen.Cursor, 1),
		shaped:   make(chan struct{}),
		settle:   time.NewTimer(wholeEvery),
	}
	s.settle.Stop()
	conn, err := x11.Dial(x11.Options{Display: cfg.Display, Authority: cfg.Authority, OnEvent: s.onEvent})
	if err != nil {
		return nil, fmt.Errorf("capture: %w", err)
	}
	s.conn, s.grab.conn = conn, conn
	if err := s.watch(); err != nil {
		conn.Close()
		return nil, fmt.Errorf("capture: %w", err)
	}
	go s.deliverCursors()
	return s, nil
}

// watch asks the server to tell of changes.
func (s *X11) watch() error {
	if !s.conn.Setup.TrueColour() {
		return fmt.Errorf("a screen of depth %d cannot be shown", s.conn.Setup.RootDepth)
	}
	events, err := s.conn.ScreenEvents()
	if err != nil {
		return err
	}
	s.events.Store(&events)
	if err := s.conn.WatchLayout(); err != nil {
		return err
	}
	if err := s.conn.WatchCursor(); err != nil {
		return err
	}
	s.damage, err = s.conn.WatchDamage(s.conn.Setup.Root)
	return err
}

// onEvent turns events into signals. It runs on the connection's goroutine.
func (s *X11) onEvent(e x11.Event) {
	n := s.events.Load()
	if n == nil {
		return
	}
	switch e.Type() {
	case n.Damage:
		signal(s.damaged)
	case n.Cursor:
		signal(s.reshape)
	case n.Layout, n.Layout + 1:
		signal(s.relayout)
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Next implements Source.
func (s *X11) Next(ctx context.Context) (*screen.Frame, error) {
	s.using.Lock()
	defer s.using.Unlock()
	for {
		part, err := s.wait(ctx)
		if err != nil {
			return nil, err
		}
		changed, err := s.update(part)
		if err != nil {
			return nil, s.reason(err)
		}
		if changed {
			return &s.frame, nil
		}
	}
}

// What may have changed: the smallest step that brings the frame up to date.
type part int

const (
	damagedPart part = iota // what the server reports
	wholePart               // the whole picture
	layoutPart              // the layout, and with it the picture
)

// wait returns when something may have changed, and what.
func (s *X11) wait(ctx context.Context) (part, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if !s.started {
		s.started = true
		return layoutPart, nil
	}
	select {
	case <-s.relayout: // before damage, which may lie in a layout not known yet
		return layoutPart, nil
	default:
	}
	select {
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-s.conn.Done():
		return 0, s.reason(s.conn.Err())
	case <-s.relayout:
		return layoutPart, nil
	case <-s.damaged:
		return damagedPart, nil
	case <-s.settle.C:
		s.settles = false
		return wholePart, nil
	}
}

// reason turns the end of the connection into the error that Next promises.
func (s *X11) reason(err error) error {
	if errors.Is(err, x11.ErrClosed) {
		return ErrClosed
	}
	return fmt.Errorf("capture: %w", err)
}

// update brings the frame up to date and says whether it changed.
func (s *X11) update(p part) (bool, error) {
	var err error
	for range maxRetries {
		changed := false
		if p == layoutPart {
			if changed, err = s.updateLayout(); err != nil {
				return false, err
			}
		}
		more, err := s.updatePicture(p, changed)
		if err == nil {
			return changed || more, nil
		}
		if !x11.IsError(err, x11.BadMatch) {
			return false, err
		}
		p = layoutPart // the picture reached beyond the screen: the layout has just changed
		if changed {
			// The new layout must not be forgotten because its picture could not be read.
			s.frame.Layout.Monitors = nil
		}
	}
	return false, errors.New("the layout does not settle")
}

// updatePicture reads the pixels that may have changed.
func (s *X11) updatePicture(p part, fresh bool) (bool, error) {
	area, reply, err := s.damage.Take(s.reply)
	s.reply = reply
	if err != nil {
		return false, err
	}
	if p != damagedPart {
		area = s.frame.Bounds()
	}
	area = area.Intersect(s.frame.Bounds())
	if area.Empty() {
		return false, nil
	}
	pix, err := s.grab.get(area)
	if err != nil {
		return false, err
	}
	s.rects = blend(s.frame.Picture, area, pix, s.rects[:0])
	s.frame.Damage = s.rects
	if fresh {
		s.frame.Damage = nil
	}
	if p == damagedPart && !s.settles {
		s.settle.Reset(wholeEvery)
		s.settles = true
	}
	return len(s.rects) > 0, nil
}

// updateLayout asks for the layout and says whether it differs from the frame's. If so, the frame gets a new picture.
func (s *X11) updateLayout() (bool, error) {
	l, err := layoutOf(s.conn)
	if err != nil {
		return false, err
	}
	old := s.frame.Layout
	if l.Size == old.Size && slices.Equal(l.Monitors, old.Monitors) {
		return false, nil
	}
	if !screen.Valid(l.Size) {
		return false, fmt.Errorf("a layout of %v pixels cannot be shown", l.Size)
	}
	l.Generation = old.Generation + 1
	if s.frame.Picture == nil || l.Size != s.frame.Size {
		if err := s.grab.resize(l.Size); err != nil {
			return false, err
		}
		if !s.grab.shared() {
			s.log.Info("capture without shared memory", "reason", s.grab.why)
		}
		s.frame.Picture = screen.NewPicture(l.Size)
	}
	s.frame.Layout = l
	return true, nil
}

// layoutOf asks for the layout.
func layoutOf(conn *x11.Conn) (screen.Layout, error) {
	root, err := conn.Geometry(conn.Setup.Root)
	if err != nil {
		return screen.Layout{}, err
	}
	outputs, err := conn.Monitors()
	if err != nil {
		return screen.Layout{}, err
	}
	return arrange(root, outputs), nil
}

// arrange makes a layout of active outputs. Without any, the whole root window counts as one monitor. Of more than
// [screen.MaxMonitors], the last ones count as one that holds them all.
func arrange(root screen.Rect, outputs []x11.Monitor) screen.Layout {
	var l screen.Layout
	var all screen.Rect
	for _, o := range outputs {
		b := o.Bounds.Intersect(root)
		if b.Empty() {
			continue
		}
		all = all.Union(b)
		if n := len(l.Monitors); n == screen.MaxMonitors {
			last := &l.Monitors[n-1]
			last.Bounds, last.Primary = last.Bounds.Union(b), last.Primary || o.Primary
			continue
		}
		l.Monitors = append(l.Monitors, screen.Monitor{Name: o.Name, Bounds: b, Primary: o.Primary})
	}
	if l.Monitors == nil {
		l.Monitors = []screen.Monitor{{Name: "screen", Bounds: root, Primary: true}}
		all = root
	}
	l.Size = all.Max
	return l
}

// Close implements Source.
func (s *X11) Close() error {
	err := s.conn.Close()
	<-s.shaped
	s.using.Lock()
	defer s.using.Unlock()
	s.settle.Stop()
	s.grab.free()
	return err
}
