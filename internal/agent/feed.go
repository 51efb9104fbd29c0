package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"jiseki/internal/capture"
	"jiseki/internal/screen"
)

// maxDamage is how many rectangles of damage a view remembers before it says "anything".
const maxDamage = 64

// A feed captures the desk's screen while somebody looks, and shares the newest picture between the views of the
// sessions. It captures again only when a view has taken the picture before: what nobody can send yet is not read.
type feed struct {
	open func() (capture.Source, error)

	mu      sync.RWMutex // guards the pixels and all below
	picture *screen.Picture
	layout  screen.Layout
	views   map[*view]struct{}
	taken   chan struct{} // holds one token when some view took the newest picture
	err     error         // why capturing ended
	stop    context.CancelFunc
	done    chan struct{}

	// generation is that of the present layout, 0 before the first picture. It stands alone: who points must not wait
	// for mu, which coding holds for as long as it reads the picture.
	generation atomic.Uint32

	shapes sync.Mutex // guards what follows; may be taken while mu is held
	cursor *screen.Cursor
	shape  uint64             // counts cursors, from 1
	eyes   map[*view]struct{} // the same as views
}

func newFeed(open func() (capture.Source, error)) *feed {
	return &feed{open: open, views: map[*view]struct{}{}, eyes: map[*view]struct{}{}, taken: make(chan struct{}, 1)}
}

// A view is one session's eye on the feed. Its methods are for one goroutine.
type view struct {
	feed *feed
	// Called from the capturing goroutines; must not block.
	poke     func() // there is a new picture, or the reason why there will be none
	reshaped func() // there is a new cursor

	// guarded by feed.mu
	damage  []screen.Rect
	spare   []screen.Rect // what take handed out last; the two change places
	unknown bool          // anything may have changed since the last take
	pending bool          // there is a picture that was not taken
}

// look adds a view; the first starts the capturing.
func (f *feed) look(poke, reshaped func()) *view {
	f.mu.Lock()
	defer f.mu.Unlock()
	v := &view{
		feed: f, poke: poke, reshaped: reshaped, unknown: true,
		damage: make([]screen.Rect, 0, maxDamage), spare: make([]screen.Rect, 0, maxDamage),
	}
	f.views[v] = struct{}{}
	f.shapes.Lock()
	f.eyes[v] = struct{}{}
	f.shapes.Unlock()
	if len(f.views) == 1 {
		f.start()
	}
	return v
}

// close removes the view; the last one stops the capturing and waits for its end.
func (v *view) close() {
	f := v.feed
	f.mu.Lock()
	delete(f.views, v)
	f.shapes.Lock()
	delete(f.eyes, v)
	f.shapes.Unlock()
	last := len(f.views) == 0
	stop, done := f.stop, f.done
	f.mu.Unlock()
	if last && stop != nil {
		stop()
		<-done
	}
}

// start runs the capturing goroutine after any earlier one. The caller holds mu.
func (f *feed) start() {
	ctx, stop := context.WithCancel(context.Background())
	before, done := f.done, make(chan struct{})
	f.stop, f.done = stop, done
	f.picture, f.err = nil, nil // of an earlier capture; the layout stays, so that an equal one keeps its generation
	f.shapes.Lock()
	f.cursor = nil
	f.shapes.Unlock()
	go func() {
		defer close(done)
		defer stop()
		if before != nil {
			<-before
		}
		if err := f.capture(ctx); ctx.Err() == nil {
			f.fail(err)
		}
	}()
}

func (f *feed) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
	f.pokeAll()
}

// capture reads frames until ctx ends or the screen is lost.
func (f *feed) capture(ctx context.Context) error {
	source, err := f.open()
	if err != nil {
		return fmt.Errorf("open the screen: %w", err)
	}
	cursors := make(chan struct{})
	go func() {
		defer close(cursors)
		for c := range source.Cursors() {
			f.setCursor(c)
		}
	}()
	defer func() {
		source.Close()
		<-cursors
	}()
	for {
		frame, err := source.Next(ctx)
		if err != nil {
			return fmt.Errorf("read the screen: %w", err)
		}
		f.apply(frame)
		select {
		case <-f.taken:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// apply copies what changed into the shared picture.
func (f *feed) apply(frame *screen.Frame) {
	f.mu.Lock()
	defer f.mu.Unlock()
	damage := frame.Damage
	if changed := !sameLayout(f.layout, frame.Layout); changed || f.picture == nil {
		if changed { // the generation counts for the run of the agent, over all its sources
			generation := f.layout.Generation + 1
			f.layout = frame.Layout
			f.layout.Monitors = slices.Clone(frame.Layout.Monitors)
			f.layout.Generation = generation
			f.generation.Store(generation)
		}
		f.picture = screen.NewPicture(frame.Size)
		damage = nil
	}
	if damage == nil {
		copy(f.picture.Pix, frame.Pix)
	}
	for _, r := range damage {
		for y := r.Min.Y; y < r.Max.Y; y++ {
			copy(f.picture.Row(y, r.Min.X, r.Max.X), frame.Row(y, r.Min.X, r.Max.X))
		}
	}
	select { // a token of the picture before counts no longer
	case <-f.taken:
	default:
	}
	for v := range f.views {
		v.note(damage)
	}
	f.pokeAll()
}

func sameLayout(a, b screen.Layout) bool {
	return a.Size == b.Size && slices.Equal(a.Monitors, b.Monitors)
}

// note remembers damage. The caller holds feed.mu.
func (v *view) note(damage []screen.Rect) {
	v.pending = true
	if damage == nil || len(v.damage)+len(damage) > maxDamage {
		v.unknown = true
	}
	if v.unknown {
		v.damage = v.damage[:0]
		return
	}
	v.damage = append(v.damage, damage...)
}

func (f *feed) setCursor(c *screen.Cursor) {
	f.shapes.Lock()
	defer f.shapes.Unlock()
	f.cursor = c
	f.shape++
	for v := range f.eyes {
		v.reshaped()
	}
}

// pokeAll tells every view. The caller holds mu.
func (f *feed) pokeAll() {
	for v := range f.views {
		v.poke()
	}
}

// errNoPicture says that nothing was captured yet.
var errNoPicture = errors.New("no picture yet")

// take calls use with the newest picture. The picture and damage are valid during the call only; damage is nil when
// anything may have changed, and empty when nothing did since the last take. It returns errNoPicture before the first
// picture and the reason when capturing has ended.
func (v *view) take(use func(p *screen.Picture, layout screen.Layout, damage []screen.Rect) error) error {
	f := v.feed
	f.mu.Lock()
	if f.err != nil || f.picture == nil {
		defer f.mu.Unlock()
		if f.err != nil {
			return f.err
		}
		return errNoPicture
	}
	damage := v.damage
	if v.unknown {
		damage = nil
	}
	v.unknown, v.pending = false, false
	v.damage, v.spare = v.spare[:0], v.damage
	f.mu.Unlock()

	f.mu.RLock()
	defer f.mu.RUnlock()
	err := use(f.picture, f.layout, damage)
	select {
	case f.taken <- struct{}{}:
	default:
	}
	return err
}

// fresh says whether a picture waits that was not taken, or capturing has ended.
func (v *view) fresh() bool {
	v.feed.mu.RLock()
	defer v.feed.mu.RUnlock()
	return v.pending || v.feed.err != nil
}

// cursor returns the present shape and a number that changes with it; nil before the first.
func (v *view) cursor() (*screen.Cursor, uint64) {
	f := v.feed
	f.shapes.Lock()
	defer f.shapes.Unlock()
	return f.cursor, f.shape
}
