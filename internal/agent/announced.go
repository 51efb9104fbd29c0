package agent

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"jiseki/internal/cert"
	"jiseki/internal/durable"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/grant"
	"jiseki/internal/register"
)

const (
	registerFile    = "register.log"
	registerEndFile = "register.end"
)

// announced is the desk's own copy of the gateway's register of devices. What it does not hold opens nothing here,
// whoever signed it: a gateway can only continue the copy, and only one that knows what it ends in. It is safe for
// concurrent use.
type announced struct {
	dir string

	mu     sync.Mutex
	list   *register.List
	joined bool // a gateway has given us a register, so one without is refused from then on
	// end is an end that the copy has reached, kept apart from it: a copy that was damaged or cut off opens nothing
	// until what a gateway gives leads there again.
	end registerEnd
}

// registerEnd is the register after so many entries.
type registerEnd struct {
	Number uint64 `json:"number"`
	Hash   string `json:"hash"` // in hexadecimal
}

// never is an end that no register reaches: copy and end were both lost. The administrator lets the desk go.
var never = registerEnd{Number: math.MaxUint64}

func endOf(l *register.List) registerEnd {
	hash := l.Hash(l.Len())
	return registerEnd{Number: l.Len(), Hash: hex.EncodeToString(hash[:])}
}

// reached says whether a list leads to the end.
func (e registerEnd) reached(l *register.List) bool {
	return e.Number == 0 || l.Len() >= e.Number && e.passed(l)
}

// passed says whether a list that is long enough has this end within it; a shorter one may yet have.
func (e registerEnd) passed(l *register.List) bool {
	if l.Len() < e.Number || e.Number == 0 {
		return true
	}
	hash := l.Hash(e.Number)
	return hex.EncodeToString(hash[:]) == e.Hash
}

// openAnnounced reads the copy that an earlier run kept. One that is damaged is set aside: the desk lets nobody in
// until a gateway leads it to the end that it had reached.
func (a *Agent) openAnnounced() error {
	c := &a.announced
	c.dir, c.list = a.cfg.Dir, &register.List{}
	end, endErr := readRegisterEnd(c.dir)
	raw, err := os.ReadFile(filepath.Join(c.dir, registerFile))
	absent := errors.Is(err, fs.ErrNotExist)
	if err != nil && !absent {
		return fmt.Errorf("read the register of devices: %w", err)
	}
	if absent && errors.Is(endErr, fs.ErrNotExist) {
		return nil
	}
	c.joined, c.end = true, end
	list, err := register.Read(raw)
	if err == nil && !absent && endErr != nil { // as an earlier release kept it
		end = endOf(list)
		c.end, endErr = end, nil
		if err := c.keepEnd(); err != nil {
			return err
		}
	}
	if endErr != nil {
		c.end = never
		if err := c.keepEnd(); err != nil { // before the copy is set aside
			return err
		}
	}
	if err == nil && c.end.passed(list) {
		c.list = list
	} else if !absent {
		aside, failed := durable.SetAside(filepath.Join(c.dir, registerFile), a.cfg.Now())
		a.log.Error("the copy of the register of devices is damaged", "kept", aside, "err", err)
		if failed != nil {
			return fmt.Errorf("set the damaged register of devices aside: %w", failed)
		}
	}
	if !c.end.reached(c.list) {
		a.log.Error("the register of devices is not whole: nobody gets this desk until the gateway has given it again",
			"entries", c.list.Len())
	}
	return nil
}

func readRegisterEnd(dir string) (end registerEnd, err error) {
	raw, err := os.ReadFile(filepath.Join(dir, registerEndFile))
	if err == nil {
		err = json.Unmarshal(raw, &end)
	}
	if err == nil && end != never && len(end.Hash) != 64 {
		err = errors.New("the end of the register of devices is damaged")
	}
	return end, err
}

func (a *announced) keepEnd() error {
	if err := replaceJSON(filepath.Join(a.dir, registerEndFile), a.end); err != nil {
		return fmt.Errorf("keep the end of the register of devices: %w", err)
	}
	return nil
}

// forgetRegister removes what a desk knows of its gateway's register.
func forgetRegister(dir string) error {
	for _, name := range []string{registerFile, registerEndFile} {
		if err := durable.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("forget the former register of devices: %w", err)
		}
	}
	return nil
}

// number is how much the copy holds.
func (a *announced) number() uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.list.Len()
}

// follow continues the copy, durably, and answers with a code of docs/PROTOCOL.md section 6.
func (a *announced) follow(o *controlv1.RegisterOrder) (code string, err error) {
	entries, err := register.Parse(o.GetEntries())
	if err != nil || len(entries) > register.MaxEntries || len(o.GetBefore()) != 32 {
		return "bad_order", register.ErrForm
	}
	part := register.Part{From: o.GetFrom(), Before: [32]byte(o.GetBefore()), Entries: entries, Total: o.GetTotal()}
	a.mu.Lock()
	defer a.mu.Unlock()
	next, err := register.Read(a.list.Bytes())
	if err != nil {
		return "not_kept", err
	}
	fresh, err := next.Follow(part)
	if !a.end.passed(next) {
		a.list = &register.List{} // what was taken since the damage is another gateway's
		return "register_differs", register.ErrDiffers
	}
	if len(fresh) > 0 || (!a.joined && err == nil) {
		if err := a.keep(next); err != nil {
			return "not_kept", err
		}
	}
	if err == nil && !a.end.reached(a.list) && a.list.Len() >= part.Total {
		err = register.ErrAhead
	}
	switch {
	case err == nil:
		return "", nil
	case errors.Is(err, register.ErrAhead):
		return "register_ahead", err
	case errors.Is(err, register.ErrGap):
		return "bad_order", err
	}
	return "register_differs", err
}

// keep takes a longer copy. One that does not reach the known end is not written: it may be another gateway's.
func (a *announced) keep(next *register.List) error {
	if a.end.reached(next) {
		if err := durable.Replace(filepath.Join(a.dir, registerFile), next.Bytes(), ownOnly); err != nil {
			return err
		}
		a.end = endOf(next)
		if err := a.keepEnd(); err != nil {
			return err
		}
	}
	a.list, a.joined = next, true
	return nil
}

// check says whether a user may come to a desk with a device: both must be announced. A desk that no gateway has given
// a register yet believes certificate and grant alone.
func (a *announced) check(device *cert.Certificate, g *grant.Grant) (code string) {
	if owner, personal := strings.CutPrefix(device.Owner, "user:"); personal && owner != g.User {
		return "device_owner"
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case !a.joined:
		return ""
	case !a.end.reached(a.list):
		return "register_damaged"
	case !a.list.Holds(register.Device(device.Subject, device.Owner, device.Key)):
		return "device_unannounced"
	case !a.list.Holds(register.Assignment(g.Desk, g.User)):
		return "user_unannounced"
	}
	return ""
}

// follow continues the copy of the register by order of the gateway.
func (a *Agent) follow(o *controlv1.RegisterOrder) (code string) {
	code, err := a.announced.follow(o)
	if err != nil {
		a.log.Error("the gateway's register of devices does not continue this desk's copy", "code", code, "err", err)
	}
	return code
}
