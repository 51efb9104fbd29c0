package agent

import (
	"crypto/sha256"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"jiseki/internal/capture"
	"jiseki/internal/grant"
	"jiseki/internal/input"
	"jiseki/internal/lock"
	"jiseki/internal/screen"
	"jiseki/internal/seal"
	"jiseki/internal/wire"
)

// TestPointingDoesNotWaitForCoding asks for the layout's generation while a picture is coded and the next one waits.
func TestPointingDoesNotWaitForCoding(t *testing.T) {
	source := newSteps()
	f := newFeed(func() (capture.Source, error) { return source, nil })
	poked := make(chan struct{}, 1)
	v := f.look(func() { signal(poked) }, func() {})
	defer v.close()
	source.frames <- frame(4, 4, 1)
	<-poked
	begun, coding, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		take(t, v, func(*screen.Picture, screen.Layout, []screen.Rect) {
			close(begun)
			<-coding
		})
	}()
	<-begun
	f.taken <- struct{}{} // so that the next picture is captured meanwhile
	source.frames <- frame(4, 4, 2)
	for f.mu.TryRLock() { // until the capturing goroutine waits to write
		f.mu.RUnlock()
	}
	got := make(chan uint32, 1)
	go func() {
		(&session{agent: &Agent{feed: f}}).current(1)
		_, _ = v.cursor()
		got <- 1
	}()
	select {
	case <-got:
	case <-time.After(20 * time.Second):
		t.Error("a position waits for the coder")
	}
	close(coding)
	<-done
}

func sumOf(i int) [sha256.Size]byte { return sha256.Sum256([]byte{byte(i), byte(i >> 8)}) }

// TestSlotsOfAFilm shows a pointer of 90 pictures for long, then ordinary ones, then another film.
func TestSlotsOfAFilm(t *testing.T) {
	var s slots
	held := map[uint8][sha256.Size]byte{} // by the viewer
	show := func(i int) (sent bool) {
		slot, known := s.place(sumOf(i))
		if known && held[slot] != sumOf(i) {
			t.Fatalf("the viewer does not have shape %d in slot %d", i, slot)
		}
		held[slot] = sumOf(i)
		return !known
	}
	film := func(from, rounds int) (sent int) {
		for i := range 90 * rounds {
			if show(from + i%90) {
				sent++
			}
		}
		return sent
	}
	if sent := film(0, 10); sent > 90+9*27 {
		t.Errorf("a film of 90 shapes, ten times, sent %d shapes; what the slots do not hold is %d", sent, 90+9*27)
	}
	sent := 0
	for i := range 100 {
		if show(1000 + i%3) {
			sent++
		}
	}
	if sent > 3+2*3 {
		t.Errorf("three ordinary shapes in turn were sent %d times", sent)
	}
	film(2000, 5)
	if sent := film(2000, 10); sent > 10*27 {
		t.Errorf("another film sent %d shapes in ten rounds, want %d at most", sent, 10*27)
	}
}

// desktop is a frame that a viewer takes.
func desktop() *screen.Frame {
	f := frame(4, 4, 1)
	f.Layout.Monitors = []screen.Monitor{{Name: "screen", Bounds: screen.Rect{Max: f.Layout.Size}, Primary: true}}
	return f
}

// A slowViewer reads control at the rate of one slow line and answers marks.
type slowViewer struct {
	sending sync.Mutex

	mu    sync.Mutex
	bytes int // of control
	pongs []time.Duration
	asked time.Time
	slots [wire.CursorSlots]byte // the first byte of each shape
	shape byte                   // what is shown
}

// bytesPerSecond is 1 Mbit/s.
const bytesPerSecond = 125_000

// send sends on control, for whoever comes.
func (v *slowViewer) send(t *testing.T, s *seal.Session, m wire.Message) error {
	v.sending.Lock()
	defer v.sending.Unlock()
	return s.Control.Send(t.Context(), m.Append(nil))
}

func (v *slowViewer) control(t *testing.T, s *seal.Session) {
	for {
		raw, err := s.Control.Receive(t.Context())
		if err != nil {
			return
		}
		time.Sleep(time.Duration(len(raw)+recordSize) * time.Second / bytesPerSecond)
		m, err := wire.Parse(wire.ControlToViewer, raw)
		if err != nil {
			t.Error(err)
			return
		}
		v.mu.Lock()
		v.bytes += len(raw)
		switch m := m.(type) {
		case *wire.Pong:
			v.pongs = append(v.pongs, time.Since(v.asked))
		case *wire.Cursor:
			v.slots[m.Slot], v.shape = m.Pix[0], m.Pix[0]
		case *wire.CursorUse:
			v.shape = v.slots[m.Slot]
		}
		v.mu.Unlock()
		if mark, ok := m.(*wire.Mark); ok {
			if err := v.send(t, s, &wire.Marked{ID: mark.ID}); err != nil {
				return
			}
		}
	}
}

// TestPointerFilmOnASlowLine moves a pointer of 90 shapes of 64 x 64 pixels, 60 a second, over 1 Mbit/s: 8 Mbit/s of
// shapes.
func TestPointerFilmOnASlowLine(t *testing.T) {
	for name, version := range map[string]uint16{"marks": wire.MarkVersion, "no marks": 1} {
		t.Run(name, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { filmOnASlowLine(t, version) }) })
	}
}

func filmOnASlowLine(t *testing.T, version uint16) {
	a, _ := newTestAgent(t, t.TempDir())
	source := newSteps()
	a.feed.open = func() (capture.Source, error) { return source, nil }
	s, viewer := shakenAs(t, a, version, grant.RightView|grant.RightInput)
	ended := make(chan error, 1)
	go func() { ended <- s.run(t.Context()) }()
	v := &slowViewer{}
	send := func(m wire.Message) {
		t.Helper()
		if err := v.send(t, viewer, m); err != nil {
			t.Fatal(err)
		}
	}
	send(&wire.Start{Visible: true, Monitor: wire.AllMonitors})
	go v.control(t, viewer)
	source.frames <- desktop()
	synctest.Wait()
	const seconds, side = 20, 64
	for i := range seconds * 60 {
		c := &screen.Cursor{Size: screen.Point{X: side, Y: side}, Pix: make([]byte, side*side*4)}
		c.Pix[0] = byte(i % 90)
		select { // as a source does: the newest wins
		case <-source.cursors:
		default:
		}
		source.cursors <- c
		if i%60 == 30 {
			v.mu.Lock()
			v.asked = time.Now()
			v.mu.Unlock()
			send(&wire.Ping{ID: uint32(i)})
		}
		time.Sleep(time.Second / 60)
	}
	last := byte((seconds*60 - 1) % 90)
	time.Sleep(5 * time.Second)
	s.finish(wire.EndedAtDesk)
	<-ended
	v.mu.Lock()
	defer v.mu.Unlock()
	if most := seconds * bytesPerSecond / 3; v.bytes > most {
		t.Errorf("control carried %d bytes in %d s, want at most %d", v.bytes, seconds, most)
	}
	if len(v.pongs) != seconds {
		t.Errorf("%d answers to %d pings", len(v.pongs), seconds)
	}
	for _, took := range v.pongs {
		if took > 300*time.Millisecond {
			t.Errorf("an answer took %v", took)
		}
	}
	if v.shape != last {
		t.Errorf("the viewer shows shape %d, want the newest, %d", v.shape, last)
	}
	t.Logf("%d bytes on control in %d s, answers %v", v.bytes, seconds, v.pongs)
}

// keyboard is a desk's input that has lock keys and types what is in ASCII.
type keyboard struct {
	noInput
	locked        bool // the desk is locked
	mu            sync.Mutex
	locks         input.Locks
	typed, pasted []string
}

func (k *keyboard) Locks() (input.Locks, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.locks, nil
}

func (k *keyboard) SetLocks(on input.Locks) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.locks = on
	return nil
}

func (k *keyboard) Type(text string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if strings.ContainsFunc(text, func(r rune) bool { return r > 0x7f }) {
		return input.ErrNoKey
	}
	k.typed = append(k.typed, text)
	return nil
}

func (k *keyboard) Paste(text string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.pasted = append(k.pasted, text)
	return nil
}

// spoken runs a session, has the viewer say something, and ends it. It returns how it ended and the codes of the
// notices.
func spoken(t *testing.T, k *keyboard, version uint16, rights grant.Rights, words ...wire.Message) ([]wire.Code, error) {
	t.Helper()
	a, _ := newTestAgent(t, t.TempDir())
	a.desk.Input = k
	if k.locked {
		a.stands(t.Context(), lock.Locked)
	}
	source := newSteps()
	a.feed.open = func() (capture.Source, error) { return source, nil }
	s, viewer := shakenAs(t, a, version, rights)
	ended := make(chan error, 1)
	go func() { ended <- s.run(t.Context()) }()
	var heard []wire.Code
	read := make(chan struct{})
	go func() {
		defer close(read)
		for {
			raw, err := viewer.Control.Receive(t.Context())
			if err != nil {
				return
			}
			if m, err := wire.Parse(wire.ControlToViewer, raw); err != nil {
				t.Error(err)
			} else if n, ok := m.(*wire.Notice); ok {
				heard = append(heard, n.Code)
			}
		}
	}()
	for i, m := range append([]wire.Message{&wire.Start{Monitor: wire.AllMonitors}}, words...) {
		if err := viewer.Control.Send(t.Context(), m.Append(nil)); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			source.frames <- desktop()
		}
		synctest.Wait()
	}
	s.finish(wire.EndedAtDesk)
	err := <-ended
	<-read
	return heard, err
}

// TestLockKeysAreLeftAsFound changes them from a device and leaves; what the session may not touch it does not put back
// either.
func TestLockKeysAreLeftAsFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &keyboard{locks: input.Num}
		spoken(t, k, wire.Version, grant.RightView|grant.RightInput, &wire.Locks{Locks: wire.CapsLock})
		if k.locks != input.Num {
			t.Errorf("after the session the locks are %b, want Num Lock as before", k.locks)
		}
	})
}

// TestTextWithoutKeys types what the layout has, pastes the rest where the grant allows it, and says so where not.
func TestTextWithoutKeys(t *testing.T) {
	typing, pasting := grant.RightView|grant.RightInput, grant.RightView|grant.RightInput|grant.RightClipboard
	text := func(s string) wire.Message { return &wire.Text{Text: []byte(s)} }
	for name, c := range map[string]struct {
		version       uint16
		rights        grant.Rights
		locked        bool
		typed, pasted []string
		notices       []wire.Code
		end           wire.Code
	}{
		"keys alone":         {wire.TextVersion, typing, false, []string{"abc"}, nil, []wire.Code{wire.TextDenied, wire.TextDenied}, wire.EndedAtDesk},
		"with the clipboard": {wire.TextVersion, pasting, false, []string{"abc"}, []string{"自席", "端末"}, nil, wire.EndedAtDesk},
		"a locked desk":      {wire.TextVersion, pasting, true, []string{"abc"}, nil, []wire.Code{wire.TextDenied, wire.TextDenied}, wire.EndedAtDesk},
		"only looking":       {wire.TextVersion, grant.RightView | grant.RightClipboard, false, nil, nil, []wire.Code{wire.InputDenied}, wire.EndedAtDesk},
		"an older version":   {1, pasting, false, nil, nil, nil, wire.ProtocolError},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := &keyboard{locked: c.locked}
				words := []wire.Message{text("abc"), text("自席"), text("端末")}
				if c.end == wire.ProtocolError {
					words = words[:1]
				}
				notices, err := spoken(t, k, c.version, c.rights, words...)
				if _, code := endCode(err); code != c.end {
					t.Errorf("the session ended with %v, want %v", err, c.end)
				}
				if !slices.Equal(k.typed, c.typed) || !slices.Equal(k.pasted, c.pasted) || !slices.Equal(notices, c.notices) {
					t.Errorf("typed %q, pasted %q, notices %v", k.typed, k.pasted, notices)
				}
			})
		})
	}
}
