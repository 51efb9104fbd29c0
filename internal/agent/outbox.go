package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"jiseki/internal/durable"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
)

// maxOutbox bounds the events that wait for a gateway. An agent that cannot report is refused new sessions long before.
const maxOutbox = 4096

// An outbox keeps the events of sessions until the gateway has acknowledged them, over restarts too. It is safe for
// concurrent use.
type outbox struct {
	path  string
	run   []byte
	now   func() time.Time
	wake  chan struct{} // holds one token when something was added
	taken chan struct{} // holds one token when something was acknowledged

	// aside is where a damaged file of an earlier run was put, "" if none was: what it held is lost to the gateway.
	aside string

	mu      sync.Mutex
	seq     uint64
	waiting []storedEvent
}

// storedEvent is the form of an event on disk.
type storedEvent struct {
	Run     []byte `json:"run"`
	Seq     uint64 `json:"seq"`
	Kind    int32  `json:"kind"`
	Session []byte `json:"session"`
	Code    uint32 `json:"code"`
	TimeMs  int64  `json:"time_ms"`
}

// openOutbox reads what an earlier run could not deliver. run names this run. A file that cannot be understood is set
// aside.
func openOutbox(dir string, run []byte, now func() time.Time) (*outbox, error) {
	o := &outbox{
		path: filepath.Join(dir, "events.json"), run: run, now: now,
		wake: make(chan struct{}, 1), taken: make(chan struct{}, 1),
	}
	raw, err := os.ReadFile(o.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return o, nil
	case err != nil:
		return nil, fmt.Errorf("read undelivered events: %w", err)
	}
	if json.Unmarshal(raw, &o.waiting) != nil {
		o.waiting = nil
		if o.aside, err = durable.SetAside(o.path, now()); err != nil {
			return nil, fmt.Errorf("set undelivered events aside, which are damaged: %w", err)
		}
	}
	return o, nil
}

// add keeps an event durably. When it returns an error, the event is not kept, and what it tells about must not happen.
func (o *outbox) add(kind controlv1.SessionEventKind, session [16]byte, code uint32) error {
	return o.put(kind, session, code, false)
}

// note keeps an event of what has happened already. When it returns an error, the disk does not hold it: it is
// delivered all the same, unless the agent is killed before, or too many wait.
func (o *outbox) note(kind controlv1.SessionEventKind, session [16]byte, code uint32) error {
	return o.put(kind, session, code, true)
}

func (o *outbox) put(kind controlv1.SessionEventKind, session [16]byte, code uint32, happened bool) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.waiting) >= maxOutbox {
		return errors.New("too many events wait for the gateway")
	}
	e := storedEvent{
		Run: o.run, Seq: o.seq + 1, Kind: int32(kind), Session: session[:], Code: code, TimeMs: o.now().UnixMilli(),
	}
	next := append(o.waiting, e)
	err := o.save(next)
	if err != nil && !happened {
		return err
	}
	o.waiting = next
	o.seq++
	signal(o.wake)
	return err
}

// acknowledge forgets an event that the gateway has written to its log. When it returns an error, the disk still holds
// the event: a later run delivers it once more, which the gateway does not mind.
func (o *outbox) acknowledge(run []byte, seq uint64) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	kept := make([]storedEvent, 0, len(o.waiting))
	for _, e := range o.waiting {
		if e.Seq != seq || string(e.Run) != string(run) {
			kept = append(kept, e)
		}
	}
	if len(kept) == len(o.waiting) {
		return nil
	}
	o.waiting = kept
	signal(o.taken)
	return o.save(kept)
}

// drain waits until no event waits, or until ctx ends.
func (o *outbox) drain(ctx context.Context) {
	for len(o.undelivered()) > 0 {
		select {
		case <-o.taken:
		case <-ctx.Done():
			return
		}
	}
}

// signal puts the one token into a channel that holds one, unless it is there.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// undelivered returns copies of all events that wait, oldest first.
func (o *outbox) undelivered() []*controlv1.SessionEvent {
	o.mu.Lock()
	defer o.mu.Unlock()
	events := make([]*controlv1.SessionEvent, 0, len(o.waiting))
	for _, e := range o.waiting {
		events = append(events, &controlv1.SessionEvent{
			Run: e.Run, Seq: e.Seq, Kind: controlv1.SessionEventKind(e.Kind),
			SessionId: e.Session, Code: e.Code, TimeMs: e.TimeMs,
		})
	}
	return events
}

// save replaces the file. The caller holds mu.
func (o *outbox) save(events []storedEvent) error {
	if err := replaceJSON(o.path, events); err != nil {
		return fmt.Errorf("write undelivered events: %w", err)
	}
	return nil
}
