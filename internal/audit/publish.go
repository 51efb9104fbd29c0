package audit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"jiseki/internal/cert"
)

// sinkTimeout is how long a sink may take before the heads go on without it: a disk of another machine that hangs never
// returns.
const sinkTimeout = 5 * time.Second

// rest is how long after one head the next is given out at the earliest: whoever does all the time what moves the head
// fills no disk with copies. An attacker can cut off at most so much unnoticed.
const rest = time.Second

var errHangs = errors.New("it hangs, and is left out until it comes back")

// Publisher signs the head of the chain when it has moved and gives copies to all sinks.
type Publisher struct {
	// Head reads the head from the store.
	Head func(ctx context.Context) (Mark, error)
	// Key signs heads.
	Key cert.PrivateKey
	// Sinks keep the copies. One that fails, or hangs, keeps none of the others from theirs.
	Sinks []HeadSink
	// Every is how often the head is looked at; an attacker can cut off at most so much unnoticed of what does not move
	// it.
	Every time.Duration
	// Moved has the head looked at now. nil: only each period.
	Moved <-chan struct{}
	// Last is the head that all sinks have from the start. With the zero Mark the first Publish gives out whatever
	// there is.
	Last Mark
	Log  *slog.Logger

	outlets []*outlet
}

// An outlet is a sink and what it has.
type outlet struct {
	sink  HeadSink
	has   Mark
	put   chan error // of a Put that has not returned; else nil
	gives Mark       // what that Put keeps
}

// Run publishes at once, whenever Moved says so, though no more than once a second, and in each period until ctx ends.
// It does not wait for a sink that hangs.
func (p *Publisher) Run(ctx context.Context) error {
	tick := time.NewTicker(p.Every)
	defer tick.Stop()
	for {
		if err := p.Publish(ctx); err != nil && ctx.Err() == nil {
			p.Log.Error("the head of the audit log was not copied", "err", err)
		}
		select {
		case <-time.After(rest):
		case <-ctx.Done():
			return nil
		}
		select {
		case <-tick.C:
		case <-p.Moved:
		case <-ctx.Done():
			return nil
		}
	}
}

// Publish gives the head to all sinks that have another one. A sink that fails gets the next one: a newer head says all
// that an older one does. One that hangs is an error once, and then left out until it has returned. Publish must not be
// called by two at a time, nor while Run runs.
func (p *Publisher) Publish(ctx context.Context) error {
	m, err := p.Head(ctx)
	if err != nil {
		return fmt.Errorf("read the head of the audit log: %w", err)
	}
	if m.Number == 0 {
		return nil
	}
	h, err := m.Sign(p.Key)
	if err != nil {
		return err
	}
	if p.outlets == nil {
		for _, s := range p.Sinks {
			p.outlets = append(p.outlets, &outlet{sink: s, has: p.Last})
		}
	}
	if err := p.give(ctx, h); err != nil {
		return fmt.Errorf("copy the head of the audit log: %w", err)
	}
	return nil
}

// give starts all sinks, and waits for them no longer than for one.
func (p *Publisher) give(ctx context.Context, h Head) error {
	var failed []error
	var started []*outlet
	for _, o := range p.outlets {
		if o.put != nil && !p.returned(o) {
			continue // it was said that it hangs
		}
		if o.has != h.Mark {
			o.start(ctx, h)
			started = append(started, o)
		}
	}
	late := time.NewTimer(sinkTimeout)
	defer late.Stop()
	for _, o := range started {
		failed = append(failed, o.wait(ctx, late))
	}
	return errors.Join(failed...)
}

// returned says whether a sink that hung has come back.
func (p *Publisher) returned(o *outlet) bool {
	select {
	case err := <-o.put:
		_ = o.end(err) // it gets the newest head now
		p.Log.Warn("a copy of the audit log's head that hung is taken again", "sink", fmt.Sprintf("%T", o.sink))
		return true
	default:
		return false
	}
}

func (o *outlet) start(ctx context.Context, h Head) {
	put := make(chan error, 1) // nobody may wait for it any more
	o.put, o.gives = put, h.Mark
	go func() { put <- o.sink.Put(ctx, h) }()
}

// wait gives the outcome of a Put, or says that it is late. One that has returned is never late.
func (o *outlet) wait(ctx context.Context, late *time.Timer) error {
	select {
	case err := <-o.put:
		return o.end(err)
	default:
	}
	select {
	case err := <-o.put:
		return o.end(err)
	case <-late.C:
		late.Reset(0) // for the others
		return fmt.Errorf("%T: %w", o.sink, errHangs)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// end takes the outcome of a Put.
func (o *outlet) end(err error) error {
	o.put = nil
	if err == nil {
		o.has = o.gives
	}
	return err
}
