// Package audit is the hash-chained log of what was decided and done: the form of an event, the chain, its signed
// heads and the check that finds deletion, rewriting, reordering and truncation. It keeps nothing itself: package
// store appends events in the transaction of the act that they tell of.
//
// It guarantees that a chain which verifies against a head is the chain that head was taken from. It does not
// prevent somebody who owns the database and every copy of a head from writing another history.
package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"jiseki/internal/typed"
)

// Outcome says how an act ended.
type Outcome string

// The outcomes.
const (
	Done    Outcome = "done"    // it was done
	Refused Outcome = "refused" // a check said no
	Failed  Outcome = "failed"  // it was allowed and did not work
)

// Limits of an event's fields, in bytes. An event that breaks them is an error of the program, not of the act's input:
// callers cut what comes from outside with Cut.
const (
	maxWord    = 256
	maxDetails = 8 << 10
)

// Errors of Entry.Seal.
var (
	// ErrSecret: a detail's name says that its value may be a secret.
	ErrSecret = errors.New("audit: detail may hold a secret")
	// ErrForm: a field is missing, too long or not UTF-8.
	ErrForm = errors.New("audit: malformed event")
)

// Details are further facts of an event. Values are strings, integers, booleans or slices of strings.
type Details map[string]any

// Entry is an event before it has its place in the chain.
type Entry struct {
	Kind    Kind
	Actor   string // "user:<id>", "desk:<id>", "cli:<name>", "gateway:<id>" or "anonymous"
	Subject string // what was acted on, "user:<id>", "desk:<id>", ...; may be empty
	Session []byte // session id, 16 bytes, or nil
	Outcome Outcome
	Code    string // reason code, empty if there is nothing to say
	Details Details
}

// Event is one entry of the log in its place.
type Event struct {
	Number  uint64 // from 1, without gaps
	TimeMS  int64  // gateway's clock, milliseconds since 1970-01-01 UTC; never before the event in front
	Kind    Kind
	Actor   string
	Subject string
	Session []byte
	Outcome Outcome
	Code    string
	Details string // JSON object with sorted names; "{}" if there are none
	Hash    [32]byte
}

// secretWords in a detail's name keep its value out of the log.
var secretWords = []string{"password", "secret", "token", "ticket", "cookie", "nonce", "totp", "one_time", "private_key"}

// Seal gives the entry its place behind head and computes its hash. The time is now, or the head's if the clock went
// backwards.
func (e Entry) Seal(head Mark, now time.Time) (Event, error) {
	details, err := e.Details.canonical()
	if err != nil {
		return Event{}, err
	}
	ev := Event{
		Number: head.Number + 1, TimeMS: max(now.UnixMilli(), head.TimeMS), Kind: e.Kind, Actor: e.Actor,
		Subject: e.Subject, Session: e.Session, Outcome: e.Outcome, Code: e.Code, Details: details,
	}
	if err := ev.check(); err != nil {
		return Event{}, err
	}
	ev.Hash = ev.hash(head.Hash)
	return ev, nil
}

// Mark returns the head of the chain that ends with this event.
func (e *Event) Mark() Mark { return Mark{Number: e.Number, TimeMS: e.TimeMS, Hash: e.Hash} }

// check refuses what Seal would never write.
func (e *Event) check() error {
	for _, f := range []struct{ name, value string }{
		{"kind", string(e.Kind)},
		{"actor", e.Actor},
		{"outcome", string(e.Outcome)},
	} {
		if f.value == "" {
			return fmt.Errorf("%w: no %s", ErrForm, f.name)
		}
	}
	for _, s := range []string{string(e.Kind), e.Actor, e.Subject, string(e.Outcome), e.Code} {
		if len(s) > maxWord || !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
			return fmt.Errorf("%w: %q", ErrForm, Cut(s, 32))
		}
	}
	if len(e.Session) != 0 && len(e.Session) != 16 {
		return fmt.Errorf("%w: session id of %d bytes", ErrForm, len(e.Session))
	}
	if len(e.Details) > maxDetails {
		return fmt.Errorf("%w: %d bytes of details", ErrForm, len(e.Details))
	}
	return nil
}

// hash is SHA-256 over the hash before and every field with its length, so that no two events share an encoding:
//
//	"jiseki-event-1\0" · previous hash 32 B · number u64 · time u64 · six fields, each length u32 and bytes
//	(kind, actor, subject, session, outcome, code) · details as length u32 and bytes; big-endian
func (e *Event) hash(previous [32]byte) [32]byte {
	b := make([]byte, 0, 512)
	b = append(b, "jiseki-event-1\x00"...)
	b = append(b, previous[:]...)
	b = binary.BigEndian.AppendUint64(b, e.Number)
	b = binary.BigEndian.AppendUint64(b, uint64(e.TimeMS)) //nolint:gosec // the bits, not the number
	for _, s := range []string{string(e.Kind), e.Actor, e.Subject, string(e.Session), string(e.Outcome), e.Code, e.Details} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(s))) //nolint:gosec // fields are far below 4 GB
		b = append(b, s...)
	}
	return sha256.Sum256(b)
}

// canonical writes the details as JSON with sorted names and without HTML escapes.
func (d Details) canonical() (string, error) {
	for name, value := range d {
		for _, w := range secretWords {
			if strings.Contains(name, w) {
				return "", fmt.Errorf("%w: %s", ErrSecret, name)
			}
		}
		switch value.(type) {
		case string, bool, int, int32, int64, uint32, uint64, []string:
		default:
			return "", fmt.Errorf("%w: detail %s is a %T", ErrForm, name, value)
		}
	}
	if d == nil {
		return "{}", nil
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(map[string]any(d)); err != nil {
		return "", fmt.Errorf("audit: details: %w", err)
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}

// Cut makes text from outside fit into an event: valid UTF-8 without characters that no line may have (typed.IsBad), so that
// it rewrites no terminal either; at most n bytes.
func Cut(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		if typed.IsBad(r) {
			return '?'
		}
		return r
	}, s)
	for len(s) > n {
		_, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
	}
	return s
}
