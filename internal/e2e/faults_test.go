//go:build linux

package e2e

import (
	"context"
	"errors"
	"fmt"
	"image"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/desktop/desktoptest"
	"jiseki/internal/gateway"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/keys"
	"jiseki/internal/screen"
	"jiseki/internal/shape"
	"jiseki/internal/viewer"
	"jiseki/internal/wire"
)

// hold presses a key and waits until it is down at the desk.
func (e *eyes) hold(code keys.Code) {
	e.t.Helper()
	if err := e.Key(soon(e.t), code, true); err != nil {
		e.t.Fatal(err)
	}
	want := int(codes(code)[0])
	await(e.t, func() bool { return slices.Contains(e.h.keysDown(), want) }, func() string { return "the key did not go down" })
}

// awaitKeysUp waits until no key is down at the desk.
func (h *house) awaitKeysUp() {
	h.t.Helper()
	await(h.t, func() bool { return len(h.keysDown()) == 0 }, func() string { return fmt.Sprintf("keys %v stay down", h.keysDown()) })
}

// TestGatewayRestarts stops and starts the gateway in the middle of a session.
func TestGatewayRestarts(t *testing.T) {
	h := build(t, plan{})
	tanaka := h.staff("tanaka")
	v := tanaka.open(look{})
	w := h.window(image.Rect(20, 60, 520, 400))
	w.noise(6, image.Pt(0, 0), image.Pt(200, 200))
	v.sameAsDesk()
	v.hold(keys.ShiftLeft)
	h.restartGateway()
	if code := v.ended(); code != 0 {
		t.Errorf("the viewer was told %v by the desk, which did not end the session", code)
	}
	h.awaitKeysUp()
	h.awaitDesk(func(d *controlv1.Desk) bool { return d.GetState() == controlv1.DeskState_DESK_STATE_ON })
	// What the agent could not report while the gateway was away comes now.
	h.awaitEvents(v.session[:], "session_granted ", "session_opened ", "session_ended 0")
	again := tanaka.open(look{resume: v})
	if !again.Welcome().Resumed {
		t.Error("the picture was not resumed")
	}
	again.sameAsDesk()
	if h.locked() {
		t.Error("the desk was locked within the grace period")
	}
	h.verifyLog()
}

// TestAgentStops stops the agent in good order: the viewer is told, the desk is locked, and the next run reports it.
func TestAgentStops(t *testing.T) {
	h := build(t, plan{})
	tanaka := h.staff("tanaka")
	v := tanaka.open(look{})
	v.sameAsDesk()
	v.hold(keys.ControlLeft)
	h.agent.cancel()
	if code := v.ended(); code != wire.AgentStopping {
		t.Errorf("the viewer was told %v", code)
	}
	<-h.agent.done
	if h.agent.err != nil {
		t.Errorf("the agent stopped with %v", h.agent.err)
	}
	h.awaitKeysUp()
	h.awaitDesk(func(d *controlv1.Desk) bool { return d.GetState() == controlv1.DeskState_DESK_STATE_OFF })
	h.awaitEvents(v.session[:], "session_granted ", "session_opened ", "session_ended 8", "session_locked ") // before the agent runs again
	h.start()
	if !h.locked() {
		t.Error("the desk is not locked")
	}
	again := tanaka.open(look{resume: v})
	if again.Welcome().Resumed {
		t.Error("another run of the agent resumed a picture")
	}
	again.sameAsDesk()
}

// TestViewerDies breaks the viewer's line without a word: no key stays down, and the desk locks after the grace period.
func TestViewerDies(t *testing.T) {
	h := build(t, plan{settings: func(s *access.Settings) { s.Grace = time.Second }})
	v := h.staff("tanaka").open(look{})
	v.sameAsDesk()
	v.hold(keys.KeyA)
	v.hangUp()
	h.awaitKeysUp()
	h.awaitEvents(v.session[:], "session_granted ", "session_opened ", "session_ended 0", "session_locked ")
	if !h.locked() {
		t.Error("the desk is not locked")
	}
}

// TestScreenDies ends the X server in the middle of a session and serves a new one.
func TestScreenDies(t *testing.T) {
	h := build(t, plan{})
	tanaka := h.staff("tanaka")
	v := tanaka.open(look{})
	v.sameAsDesk()
	h.x.Close()
	h.stopScreen()
	if code := v.ended(); code != wire.CaptureFailed && code != wire.AgentStopping {
		t.Errorf("the viewer was told %v", code)
	}
	<-h.agent.done
	if h.agent.err == nil {
		t.Error("the agent did not say that its screen is gone")
	}
	h.screen = desktoptest.Bare(t, screen.Point{X: 800, Y: 600})
	h.x = h.client(nil)
	h.start()
	// The next run locks what comes up in the place of the screen that could not be locked, unless its user is back before.
	h.awaitEvents(v.session[:], "session_granted ", "session_opened ", fmt.Sprintf("session_ended %d", v.ended()), "session_lock_failed 10",
		"session_locked ")
	tanaka.open(look{resume: v}).sameAsDesk()
}

// TestScreenHeldByAProgram: a program on the desk keeps the X server for itself, which then answers nobody else, while the
// user leaves. The session ends all the same, the desk is said to be open, the next session is refused and does not hang,
// and the desk is locked as soon as the program lets go.
func TestScreenHeldByAProgram(t *testing.T) {
	h := found(t, plan{})
	h.enrol(h.admit())
	(&program{path: buildAgent(t)}).run(h)
	h.awaitDesk(isReady)
	tanaka := h.staff("tanaka")
	v := tanaka.open(look{})
	v.sameAsDesk()
	v.hold(keys.ShiftLeft)
	held := h.client(nil)
	if err := held.GrabServer(); err != nil {
		t.Fatal(err)
	}
	if err := v.End(soon(t)); err != nil {
		t.Error(err)
	}
	events := []string{"session_granted ", "session_opened ", "session_ended 1", "session_lock_failed 10"}
	h.awaitEvents(v.session[:], events...)
	h.awaitDesk(func(d *controlv1.Desk) bool { return !isReady(d) })
	if _, err := tanaka.try(look{}); err == nil {
		t.Error("a session opened on a desk that cannot be shown")
	}
	held.Close()
	h.awaitDesk(isReady)
	h.awaitEvents(v.session[:], append(events, "session_locked ")...)
	h.awaitKeysUp()
	tanaka.open(look{}).sameAsDesk()
	h.verifyLog()
}

// A line is a shaped line to the gateway.
type line struct {
	*shape.Proxy
	host string // what to connect to
}

// line runs a shaped line to the house's gateway until the test ends.
func (h *house) line(up, down shape.Line) *line {
	h.t.Helper()
	p, err := shape.TCP(h.town.Host, up, down)
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	h.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			h.t.Errorf("shaped line: %v", err)
		}
	})
	return &line{Proxy: p, host: p.Addr().String()}
}

// TestSlowLine works over 1 Mbit/s with a round trip of 150 ms: a photo is under way for long, and typing goes on.
func TestSlowLine(t *testing.T) {
	h := build(t, plan{})
	slow := shape.Line{Delay: 75 * time.Millisecond, Rate: 1e6 / 8}
	l := h.line(slow, slow)
	v := h.staffVia("tanaka", l.host).open(look{})
	v.sameAsDesk()
	w := h.window(image.Rect(0, 40, 640, 480))
	w.noise(7, image.Pt(0, 0), image.Pt(320, 240)) // 230 KB that nothing makes small: two seconds
	v.press(letters("ab")...)
	want := codes(letters("ab")...)
	await(t, func() bool { return slices.Equal(w.got(), want) }, func() string { return "the keys did not come" })
	w.fill(image.Rect(600, 400, 620, 420), 0x00ff00)
	v.sameAsDesk()
}

// TestSwallowedTenSeconds is a line on which nothing comes and nothing is refused for 10 s: keys come up at the desk
// meanwhile, and the same session goes on afterwards.
func TestSwallowedTenSeconds(t *testing.T) {
	h := build(t, plan{})
	l := h.line(shape.Line{}, shape.Line{})
	v := h.staffVia("tanaka", l.host).open(look{})
	v.sameAsDesk()
	w := h.window(image.Rect(20, 60, 520, 400))
	v.hold(keys.KeyQ)
	l.Freeze(10 * time.Second)
	h.awaitKeysUp()
	for i := range uint64(5) { // the desk does not stand still meanwhile
		w.noise(8+i, image.Pt(0, 0), image.Pt(300, 200))
	}
	v.echo() // comes when the line lives again
	v.sameAsDesk()
	if err := v.Key(soon(t), keys.KeyQ, false); err != nil {
		t.Error(err)
	}
	v.echo()
	if down := h.keysDown(); len(down) > 0 {
		t.Errorf("keys %v are down again", down)
	}
}

// TestSwallowedThirtySeconds is the same for longer than either side believes in the line: both give it up, and a new
// session shows the right picture.
func TestSwallowedThirtySeconds(t *testing.T) {
	h := build(t, plan{})
	l := h.line(shape.Line{}, shape.Line{})
	tanaka := h.staffVia("tanaka", l.host)
	v := tanaka.open(look{})
	v.sameAsDesk()
	w := h.window(image.Rect(20, 60, 520, 400))
	v.hold(keys.KeyQ)
	l.Freeze(30 * time.Second)
	h.awaitKeysUp()
	w.noise(13, image.Pt(0, 0), image.Pt(300, 200))
	if code := v.ended(); code != 0 {
		t.Errorf("the viewer was told %v over a line that carries nothing", code)
	}
	h.awaitEvents(v.session[:], "session_granted ", "session_opened ", "session_ended 0")
	again := tanaka.open(look{resume: v}) // waits until the line lives again
	again.sameAsDesk()
	if down := h.keysDown(); len(down) > 0 || h.locked() {
		t.Errorf("keys %v are down, locked %v", down, h.locked())
	}
}

// TestAgentLineDies cuts the agent off from the gateway, then lets it come back.
func TestAgentLineDies(t *testing.T) {
	relay := openDoor(t)
	h := build(t, plan{
		gateway: func(c *gateway.Config) { c.Relay.DeskAddress = relay.host },
		more:    func(h *house) { relay.lead(h.town.Host) },
	})
	tanaka := h.staff("tanaka")
	v := tanaka.open(look{})
	v.sameAsDesk()
	v.hold(keys.KeyZ)
	relay.Cut() // the relay's links of the agent; its control channel lives on
	if code := v.ended(); code != 0 {
		t.Errorf("the viewer was told %v", code)
	}
	h.awaitKeysUp()
	again := tanaka.open(look{resume: v})
	if !again.Welcome().Resumed {
		t.Error("the picture was not resumed")
	}
	again.sameAsDesk()
}

// TestResumeInFlight cuts a line of 2 Mbit/s while updates are on it: what came before them is kept, and not sent
// again.
func TestResumeInFlight(t *testing.T) {
	relay := openDoor(t)
	h := build(t, plan{
		gateway: func(c *gateway.Config) { c.Relay.DeskAddress = relay.host },
		more:    func(h *house) { relay.lead(h.town.Host) },
	})
	slow := shape.Line{Delay: 50 * time.Millisecond, Rate: 2e6 / 8}
	l := h.line(slow, slow)
	tanaka := h.staffVia("tanaka", l.host)
	v := tanaka.open(look{})
	w := h.window(image.Rect(20, 60, 520, 400))
	w.noise(30, image.Pt(0, 0), image.Pt(400, 300))
	v.sameAsDesk()
	_, whole := v.seen()

	l.FreezeDown(time.Hour) // acknowledgements still pass, pictures do not
	for i := range 3 {
		sent := relay.in.Load()
		w.noise(uint64(31+i), image.Pt(100*i, 20*i), image.Pt(60, 40))
		await(t, func() bool { return relay.in.Load() > sent+60*40*2 }, func() string { return "the agent sends nothing" })
	}
	l.Cut()
	v.ended()

	again := tanaka.at(h.town.Host).open(look{resume: v})
	again.sameAsDesk()
	updates, bytes := again.seen()
	if !again.Welcome().Resumed || slices.ContainsFunc(updates, func(u viewer.Shown) bool { return u.Fresh }) || bytes > whole/4 {
		t.Errorf("resumed %v by %d bytes, the whole picture took %d", again.Welcome().Resumed, bytes, whole)
	}
	t.Logf("%d bytes instead of %d: %v instead of %v on this line", bytes, whole, onLine(slow, bytes), onLine(slow, whole))
}

// TestResumeBeforeTheDeskNotices comes back by another way while the desk still believes in the line that is dead.
func TestResumeBeforeTheDeskNotices(t *testing.T) {
	h := build(t, plan{})
	l := h.line(shape.Line{}, shape.Line{})
	tanaka := h.staffVia("tanaka", l.host)
	v := tanaka.open(look{})
	w := h.window(image.Rect(20, 60, 520, 400))
	w.noise(40, image.Pt(0, 0), image.Pt(400, 300))
	v.sameAsDesk()
	l.Freeze(time.Hour)
	w.noise(41, image.Pt(10, 10), image.Pt(60, 40))
	again := tanaka.at(h.town.Host).open(look{resume: v})
	if !again.Welcome().Resumed {
		t.Error("the picture was not resumed")
	}
	again.sameAsDesk()
	h.awaitEvents(v.session[:], "session_granted ", "session_opened ", "session_ended 18")
}

// onLine is how long a line takes for so many bytes.
func onLine(l shape.Line, bytes int) time.Duration {
	return time.Duration(float64(bytes) / l.Rate * float64(time.Second)).Round(time.Millisecond)
}

// A door is an address in front of gateways, as that of a balancer: new connections go where it leads now.
type door struct {
	*shape.Proxy
	host   string
	target atomic.Pointer[string]
	in     atomic.Int64 // bytes that went in
}

// A counted connection counts what is written.
type counted struct {
	*net.TCPConn
	sum *atomic.Int64
}

func (c counted) Write(b []byte) (int, error) {
	n, err := c.TCPConn.Write(b)
	c.sum.Add(int64(n))
	return n, err
}

// openDoor opens a door that leads nowhere yet.
func openDoor(t *testing.T) *door {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &door{host: l.Addr().String()}
	d.Proxy = shape.New(shape.Config{Listener: l, Dial: func(ctx context.Context) (net.Conn, error) {
		target := d.target.Load()
		if target == nil {
			return nil, errors.New("the door leads nowhere")
		}
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", *target)
		if err != nil {
			return nil, err
		}
		return counted{c.(*net.TCPConn), &d.in}, nil
	}})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("door: %v", err)
		}
	})
	return d
}

// lead makes the door lead to host.
func (d *door) lead(host string) { d.target.Store(&host) }
