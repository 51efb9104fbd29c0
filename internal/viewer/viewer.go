// Package viewer is the engine of the device's side without a window: it reaches the relay, shakes hands with the
// agent, keeps the desk's picture in memory and sends keys and pointer. The native viewer, the end-to-end tests and the
// benchmarks are built on it; web/src/engine/session.ts is its counterpart in the browser.
package viewer

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"jiseki/internal/cert"
	"jiseki/internal/codec"
	"jiseki/internal/grant"
	"jiseki/internal/keys"
	"jiseki/internal/link"
	"jiseki/internal/screen"
	"jiseki/internal/seal"
	"jiseki/internal/wire"
)

// An Opening is a granted session as the gateway answers it, with what the device made for it.
type Opening struct {
	Session     cert.SessionID
	Desk        string
	Grant       *grant.Grant
	Ticket      link.Ticket
	RelayURL    string
	Certificate *cert.Certificate   // of the desk
	Statement   *cert.DeskStatement // of the desk
	DeskCAs     []cert.PublicKey
	Key         *seal.StaticKey // fresh for this session, named in the grant
}

// Config is what a viewer needs. Proxy, Resume and Shown may be empty.
type Config struct {
	Opening  *Opening
	Identity cert.PrivateKey // the device's
	TLS      *tls.Config     // trusts the gateway
	Proxy    string          // see link.DialConfig
	Monitor  uint8           // index in the layout, or wire.AllMonitors
	Resume   *Viewer         // one whose link was lost: its picture is kept if the agent still knows it
	Log      *slog.Logger
	Now      func() time.Time

	// Shown is called after each update was applied, from the goroutine that decodes. It must not block.
	Shown func(Shown)
}

// A Shown is one update that was applied.
type Shown struct {
	Seq     uint32
	Fresh   bool // the picture was built anew
	Settled bool // the picture now equals the desk's
	Bytes   int  // of the update, as the coder made it
	Damage  []screen.Rect
	Picture *screen.Picture // valid during the call
}

// An EndError says that the agent ended the session.
type EndError struct{ Code wire.Code }

func (e *EndError) Error() string { return "the desk ended the session: " + e.Code.String() }

// A Viewer is one session on one desk. Make it with Open, then call Run.
type Viewer struct {
	cfg     Config
	log     *slog.Logger
	sealed  *seal.Session
	welcome wire.Welcome

	say  sync.Mutex    // one sender at a time on the control channel
	over chan struct{} // closed when Run has returned

	holding sync.Mutex // guards what is held; never waits for a picture
	held    []uint16
	buttons wire.Buttons

	mu       sync.Mutex
	layout   screen.Layout   // of picture
	coming   []screen.Layout // whose first update has not come yet, in order
	picture  *screen.Picture
	decoder  *codec.Decoder
	seq      uint32
	settled  bool
	cursor   *screen.Cursor
	slots    [wire.CursorSlots]*screen.Cursor
	locks    wire.LockBits
	notices  []wire.Notice
	pings    uint32        // sent
	ponged   uint32        // the highest that was answered
	changed  chan struct{} // closed and replaced whenever something of the above changes
	finished error
}

// openLimit is for reaching the relay, the handshake and the agent's first messages.
const openLimit = 30 * time.Second

// Open reaches the desk. When it returns, the desk has proved its identity and answered.
func Open(ctx context.Context, cfg Config) (*Viewer, error) {
	v := &Viewer{cfg: cfg, log: cfg.Log, changed: make(chan struct{}), over: make(chan struct{})}
	ctx, cancel := context.WithTimeout(ctx, openLimit)
	defer cancel()
	o := cfg.Opening
	control, display, err := link.DialBoth(ctx, link.DialConfig{
		URL: o.RelayURL, TLS: cfg.TLS, Proxy: cfg.Proxy, Side: link.Viewer, Ticket: o.Ticket, Log: v.log,
	})
	if err != nil {
		return nil, err
	}
	v.sealed, err = seal.Dial(ctx, link.Pipe{Conn: control}, link.Pipe{Conn: display}, seal.DialConfig{
		Grant: o.Grant, Session: o.Session, Desk: o.Desk, Certificate: o.Certificate, Statement: o.Statement, DeskCAs: o.DeskCAs,
		Identity: cfg.Identity, Key: o.Key, Wire: seal.Wire{Min: wire.MinVersion, Max: wire.Version},
		Coders: []uint8{uint8(codec.CoderQ2Z)}, Now: cfg.Now,
	})
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	if err := v.begin(ctx); err != nil {
		v.sealed.Close(int(link.GoingAway), "")
		return nil, err
	}
	return v, nil
}

// begin says what the viewer wants to see and takes the agent's welcome.
func (v *Viewer) begin(ctx context.Context) error {
	defer func() { v.cfg.Resume = nil }() // its picture is ours now, or of no use; no chain of all before is held
	start := &wire.Start{Visible: true, Monitor: v.cfg.Monitor, Resume: v.cfg.Resume.resume()}
	if err := v.Send(ctx, start); err != nil {
		return err
	}
	raw, err := v.sealed.Control.Receive(ctx)
	if err != nil {
		return err
	}
	message, err := wire.Parse(wire.ControlToViewer, raw)
	if err != nil {
		return err
	}
	switch m := message.(type) {
	case *wire.Welcome:
		v.welcome = *m
	case *wire.AgentEnd:
		return &EndError{m.Code}
	default:
		return errors.New("the desk did not begin with a welcome")
	}
	if v.welcome.Resumed {
		if start.Resume == nil {
			return errors.New("the desk resumes a picture that was not named")
		}
		return v.restart(v.cfg.Resume.layout, v.cfg.Resume.picture)
	}
	return nil
}

// resume names the picture that v still shows; nil if there is none.
func (v *Viewer) resume() *wire.Resume {
	if v == nil {
		return nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.picture == nil {
		return nil
	}
	return &wire.Resume{Run: v.welcome.Run, Generation: v.layout.Generation, Seq: v.seq, Hash: sha256.Sum256(v.picture.Pix)}
}

// restart begins a new history of the coder for a layout. The caller holds mu or is alone.
func (v *Viewer) restart(layout screen.Layout, mirror *screen.Picture) error {
	decoder, err := codec.NewDecoder(codec.Config{Coder: codec.Coder(v.sealed.Coder), Size: layout.Size, Mirror: mirror})
	if err != nil {
		return fmt.Errorf("start the decoder: %w", err)
	}
	if v.decoder != nil {
		v.decoder.Close()
	}
	v.decoder, v.picture, v.layout = decoder, decoder.Picture(), layout
	return nil
}

// Welcome is what the desk said when the session opened.
func (v *Viewer) Welcome() wire.Welcome { return v.welcome }

// Run keeps the picture up to date until ctx ends, the desk ends the session (an *EndError) or the link is lost.
func (v *Viewer) Run(ctx context.Context) error {
	defer close(v.over)
	defer v.sealed.Close(int(link.Normal), "")
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return v.readControl(ctx) })
	group.Go(func() error { return v.readDisplay(ctx) })
	group.Go(func() error { return v.refresh(ctx) })
	err := group.Wait()
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.decoder != nil {
		v.decoder.Close() // the picture stays
		v.decoder = nil
	}
	v.finished = err
	v.tellChange()
	return err
}

// hangUpLimit is how long the desk may take to hang up after the user ended the session.
const hangUpLimit = 2 * time.Second

// End tells the desk that the user ends the session, and waits until it has hung up: who cuts the line at once may cut
// off the message. Run, which must be running, returns with the link's error.
func (v *Viewer) End(ctx context.Context) error {
	if err := v.Send(ctx, &wire.ViewerEnd{Code: wire.EndedByUser}); err != nil {
		return err
	}
	limit := time.NewTimer(hangUpLimit)
	defer limit.Stop()
	select {
	case <-v.over:
	case <-limit.C:
	case <-ctx.Done():
	}
	return v.sealed.Close(int(link.Normal), "")
}

// Hide tells the desk to send nothing until Show.
func (v *Viewer) Hide(ctx context.Context) error {
	return v.Send(ctx, &wire.View{Visible: false, Monitor: v.cfg.Monitor})
}

// Show tells the desk to send one monitor, or all.
func (v *Viewer) Show(ctx context.Context, monitor uint8) error {
	return v.Send(ctx, &wire.View{Visible: true, Monitor: monitor})
}

// Send sends one message on the control channel. It may be called from several goroutines.
func (v *Viewer) Send(ctx context.Context, m wire.Message) error {
	v.say.Lock()
	defer v.say.Unlock()
	return v.sealed.Control.Send(ctx, m.Append(nil))
}

// Echo returns the round trip to the agent, through both seals. What was sent before has reached the agent when it
// returns.
func (v *Viewer) Echo(ctx context.Context) (time.Duration, error) {
	began := time.Now()
	v.mu.Lock()
	v.pings++
	id := v.pings
	v.mu.Unlock()
	if err := v.Send(ctx, &wire.Ping{ID: id}); err != nil {
		return 0, err
	}
	err := v.Wait(ctx, func(State) bool { return v.ponged >= id })
	return time.Since(began), err
}

// Key presses or releases a physical key; what is pressed is refreshed until it is released.
func (v *Viewer) Key(ctx context.Context, code keys.Code, down bool) error {
	v.holding.Lock()
	at, held := slices.BinarySearch(v.held, uint16(code))
	switch {
	case down && !held:
		v.held = slices.Insert(v.held, at, uint16(code))
	case !down && held:
		v.held = slices.Delete(v.held, at, at+1)
	}
	v.holding.Unlock()
	return v.Send(ctx, &wire.Key{Code: uint16(code), Down: down})
}

// Pointer moves the pointer to a place of the present layout and makes exactly these buttons down.
func (v *Viewer) Pointer(ctx context.Context, at screen.Point, down wire.Buttons) error {
	v.holding.Lock()
	v.buttons = down
	v.holding.Unlock()
	v.mu.Lock()
	generation := v.layout.Generation
	v.mu.Unlock()
	return v.Send(ctx, &wire.Pointer{Generation: generation, X: uint16(at.X), Y: uint16(at.Y), Buttons: down})
}

// refresh tells every 250 ms what is held.
func (v *Viewer) refresh(ctx context.Context) error {
	tick := time.NewTicker(wire.HeldEvery * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		v.holding.Lock()
		held := &wire.Held{Buttons: v.buttons, Codes: slices.Clone(v.held)}
		v.holding.Unlock()
		if held.Buttons == 0 && len(held.Codes) == 0 {
			continue
		}
		if err := v.Send(ctx, held); err != nil {
			return err
		}
	}
}
