package agent

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"jiseki/internal/durable"
	"jiseki/internal/grant"
)

const (
	visitsFile = "sessions.json"
	// maxVisits entries are kept, the newest; the first of them still names the hash of the one before it.
	maxVisits = 200
)

// Kinds of entries of the desk's own journal of sessions.
const (
	visitOpened  = "opened"  // a session has the desk
	visitEnded   = "ended"   // it is over
	visitRead    = "read"    // somebody at the desk has seen what was before
	visitDamaged = "damaged" // what was before could not be read and was set aside
)

// A Visit is one entry of the journal, in the form that it has on disk.
type Visit struct {
	Number     uint64 `json:"number"`
	Kind       string `json:"kind"`
	TimeMS     int64  `json:"time_ms"`
	Session    string `json:"session,omitempty"`
	User       string `json:"user,omitempty"`
	UserName   string `json:"user_name,omitempty"`
	Device     string `json:"device,omitempty"`
	DeviceKind uint8  `json:"device_kind,omitempty"`
	Code       uint16 `json:"code,omitempty"`   // of the end, docs/PROTOCOL.md section 5.2
	Before     string `json:"before,omitempty"` // hash of the entry before
	Hash       string `json:"hash,omitempty"`
}

// hash is SHA-256 of the entry's JSON without its hash.
func (v Visit) hash() string {
	v.Hash = ""
	b, err := json.Marshal(v)
	if err != nil {
		panic("agent: numbers and texts cannot fail: " + err.Error())
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// visits is the desk's own journal of sessions: what the gateway's log may hide is here. Each entry names the hash of
// the one before. It is safe for concurrent use.
type visits struct {
	path string
	now  func() time.Time

	mu      sync.Mutex
	entries []Visit
}

// ReadVisits reads the journal of a home. An error means that it was damaged or changed.
func ReadVisits(dir string) ([]Visit, error) {
	raw, err := os.ReadFile(filepath.Join(dir, visitsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the journal of sessions: %w", err)
	}
	var entries []Visit
	if err := json.Unmarshal(raw, &entries); err != nil {
		return nil, fmt.Errorf("the journal of sessions: %w", err)
	}
	for i, e := range entries {
		if e.Hash != e.hash() || (i > 0 && (e.Before != entries[i-1].Hash || e.Number != entries[i-1].Number+1)) {
			return nil, fmt.Errorf("the journal of sessions: entry %d does not follow from the one before", e.Number)
		}
	}
	return entries, nil
}

// openVisits opens the journal. One that is damaged is set aside, and the new one begins by saying so.
func openVisits(dir string, now func() time.Time) (v *visits, err error) {
	v = &visits{path: filepath.Join(dir, visitsFile), now: now}
	var damaged error
	if v.entries, damaged = ReadVisits(dir); damaged == nil {
		return v, nil
	}
	v.entries = nil
	if _, err := durable.SetAside(v.path, now()); err != nil {
		return nil, fmt.Errorf("set the damaged journal of sessions aside: %w", err)
	}
	return v, v.add(Visit{Kind: visitDamaged})
}

// opened notes durably that a session takes the desk. When it returns an error, none may.
func (v *visits) opened(g *grant.Grant) error { return v.add(visitOf(visitOpened, g)) }

// neverOpened takes the newest entry back, the opening of a session that did not come about. If the disk does not take
// that, the next entry does it.
func (v *visits) neverOpened(g *grant.Grant) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	n := len(v.entries) - 1
	if n < 0 || v.entries[n].Kind != visitOpened || v.entries[n].Session != hex.EncodeToString(g.Session[:]) {
		return nil // somebody at the desk has read it since: it stays
	}
	v.entries = v.entries[:n:n]
	return v.save(v.entries)
}

// ended notes the end of a session, with its code.
func (v *visits) ended(g *grant.Grant, code uint16) error {
	e := visitOf(visitEnded, g)
	e.Code = code
	return v.add(e)
}

// read notes that somebody at the desk has seen all that is there.
func (v *visits) read() error { return v.add(Visit{Kind: visitRead}) }

func visitOf(kind string, g *grant.Grant) Visit {
	return Visit{
		Kind: kind, Session: hex.EncodeToString(g.Session[:]), User: g.User, UserName: g.UserName, Device: g.Device,
		DeviceKind: uint8(g.DeviceKind),
	}
}

func (v *visits) add(e Visit) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	e.Number, e.TimeMS = 1, v.now().UnixMilli()
	if n := len(v.entries); n > 0 {
		e.Number, e.Before = v.entries[n-1].Number+1, v.entries[n-1].Hash
	}
	e.Hash = e.hash()
	next := append(v.entries[max(0, len(v.entries)+1-maxVisits):len(v.entries):len(v.entries)], e)
	if err := v.save(next); err != nil {
		return err
	}
	v.entries = next
	return nil
}

// save replaces the file. The caller holds mu.
func (v *visits) save(entries []Visit) error {
	if err := replaceJSON(v.path, entries); err != nil {
		return fmt.Errorf("write the journal of sessions: %w", err)
	}
	return nil
}

// A past session, as the journal tells it.
type past struct {
	Visit       // of its opening, or the note of damage
	until int64 // milliseconds; 0: its end is not there
}

// unread are the sessions since somebody at the desk has seen them, oldest first, without the one named.
func (v *visits) unread(running string) []past {
	v.mu.Lock()
	defer v.mu.Unlock()
	from := len(v.entries)
	for from > 0 && v.entries[from-1].Kind != visitRead {
		from--
	}
	return sessionsOf(v.entries[from:], running)
}

// before is the last session before the one named, nil if there is none.
func (v *visits) before(running string) *past {
	v.mu.Lock()
	defer v.mu.Unlock()
	all := sessionsOf(v.entries, running)
	if len(all) == 0 {
		return nil
	}
	return &all[len(all)-1]
}

func sessionsOf(entries []Visit, without string) (all []past) {
	at := map[string]int{}
	for _, e := range entries {
		switch {
		case e.Kind == visitDamaged:
			all = append(all, past{Visit: e})
		case e.Kind == visitOpened && e.Session != without:
			at[e.Session] = len(all)
			all = append(all, past{Visit: e})
		case e.Kind == visitEnded:
			if i, ok := at[e.Session]; ok {
				all[i].until = e.TimeMS
			}
		}
	}
	return all
}
