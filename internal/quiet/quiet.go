// Package quiet keeps what strangers do from filling the log: lines that somebody outside can cause at will are written
// as samples, with a count of those that were left out. All other lines pass.
//
// A line is a stranger's when it has an attribute made by [From] or [Desk]. Whoever logs decides that where the line is
// written.
package quiet

import (
	"context"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"jiseki/internal/remote"
)

// Limits of strangers' lines in a minute.
const (
	// perAddress lines of one message from one network or desk are written in full: enough to see what somebody does.
	perAddress = 5
	// perMinute lines of all strangers together, and as many that are errors, so that no flood of refusals hides what
	// failed: at 300 bytes 172 MB a day at worst.
	perMinute = 200
	// maxAddresses are counted apart in a minute; lines of further ones have perMinute only.
	maxAddresses = 10_000
)

// stranger is the value of an attribute that makes its line a stranger's: an address, or the id of a desk.
type stranger struct {
	address netip.Addr
	desk    string
}

// String is how the stranger is written.
func (s stranger) String() string {
	if s.desk != "" {
		return s.desk
	}
	return s.address.String()
}

// MarshalText is the same for a handler that writes JSON.
func (s stranger) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// From is the attribute "address" of a line that somebody there causes and can cause again as often as he likes.
func From(a netip.Addr) slog.Attr { return slog.Any("address", stranger{address: a}) }

// Desk is the attribute "desk" of a line that a desk, which may be in hostile hands, causes as often as it likes.
func Desk(id string) slog.Attr { return slog.Any("desk", stranger{desk: id}) }

// A Handler samples the lines of strangers before another handler writes them. It is safe for use by several
// goroutines.
type Handler struct {
	next   slog.Handler
	from   *stranger // of an attribute that all lines have
	counts *counts
}

// New makes a Handler that counts by a clock.
func New(next slog.Handler, now func() time.Time) *Handler {
	return &Handler{next: next, counts: &counts{now: now}}
}

// Enabled asks the other handler.
func (h *Handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

// WithAttrs notes a stranger among the attributes.
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	with := *h
	with.next = h.next.WithAttrs(attrs)
	for _, a := range attrs {
		if s, ok := a.Value.Any().(stranger); ok {
			with.from = &s
		}
	}
	return &with
}

// WithGroup begins a group.
func (h *Handler) WithGroup(name string) slog.Handler {
	with := *h
	with.next = h.next.WithGroup(name)
	return &with
}

// Handle writes a line, or counts it. The first line after a minute in which some were left out, whoever causes it, is
// preceded by a line for each message that says how many.
func (h *Handler) Handle(ctx context.Context, r slog.Record) error {
	from := h.from
	r.Attrs(func(a slog.Attr) bool {
		if s, ok := a.Value.Any().(stranger); ok {
			from = &s
		}
		return from == nil
	})
	left, write := h.counts.take(from, r.Level, r.Message)
	for message, n := range left {
		line := slog.NewRecord(r.Time, slog.LevelWarn, "lines were left out of the log", 0)
		line.AddAttrs(slog.String("of", message), slog.Int("count", n.lines), slog.Int("addresses", n.addresses))
		if err := h.next.Handle(ctx, line); err != nil {
			return err
		}
	}
	if !write {
		return nil
	}
	return h.next.Handle(ctx, r)
}

// counts are the lines of strangers in the present minute.
type counts struct {
	now func() time.Time

	mu      sync.Mutex
	window  time.Time
	written map[slog.Level]int // of strangers: errors, and all others at level 0
	by      map[source]int
	left    map[string]leftOut // by message
}

type source struct {
	network netip.Prefix
	desk    string
	message string
}

// leftOut is how many lines of a message were left out, and from about how many networks.
type leftOut struct{ lines, addresses int }

// take counts a line and says whether it is written, and at the first line after a minute what was left out in it.
func (c *counts) take(from *stranger, level slog.Level, message string) (left map[string]leftOut, write bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.now(); now.Sub(c.window) >= time.Minute || now.Before(c.window) {
		left = c.left
		c.window, c.written, c.by, c.left = now, make(map[slog.Level]int), make(map[source]int), nil
	}
	if from == nil {
		return left, true
	}
	return left, c.stranger(source{remote.Network(from.address), from.desk, message}, level)
}

func (c *counts) stranger(s source, level slog.Level) bool {
	if level < slog.LevelError {
		level = 0
	}
	seen, known := c.by[s]
	if known || len(c.by) < maxAddresses {
		c.by[s] = seen + 1
	}
	if seen < perAddress && c.written[level] < perMinute {
		c.written[level]++
		return true
	}
	if c.left == nil {
		c.left = make(map[string]leftOut)
	}
	n := c.left[s.message]
	n.lines++
	if seen == perAddress || !known {
		n.addresses++
	}
	c.left[s.message] = n
	return false
}
