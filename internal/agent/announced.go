package agent

import (
	"errors"
	"fmt"
	"io/fs"
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

const registerFile = "register.log"

// announced is the desk's own copy of the gateway's register of devices. What it does not hold opens nothing here, whoever signed it: a
// gateway can only continue the copy, and only one that knows what it ends in. It is safe for concurrent use.
type announced struct {
	path string

	mu     sync.Mutex
	list   *register.List
	joined bool // a gateway has given us a register, so one without is refused from then on
}

// openAnnounced reads the copy that an earlier run kept. One that cannot be read is set aside, and the desk begins a new one with the
// next gateway that it meets.
func (a *Agent) openAnnounced() error {
	c := &a.announced
	c.path, c.list = filepath.Join(a.cfg.Dir, registerFile), &register.List{}
	raw, err := os.ReadFile(c.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("read the register of devices: %w", err)
	}
	list, err := register.Read(raw)
	if err != nil {
		aside, failed := durable.SetAside(c.path, a.now())
		a.log.Error("the copy of the register of devices is damaged: it begins anew with the next gateway", "kept", aside, "err", err)
		if failed != nil {
			return fmt.Errorf("set the damaged register of devices aside: %w", failed)
		}
		return nil
	}
	c.list, c.joined = list, true
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
	if len(fresh) > 0 || (!a.joined && err == nil) {
		if err := durable.Replace(a.path, next.Bytes(), ownOnly); err != nil {
			return "not_kept", err
		}
		a.list, a.joined = next, true
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

// check says whether a user may come to a desk with a device: both must be announced. A desk that no gateway has given a register yet
// believes certificate and grant alone.
func (a *announced) check(device *cert.Certificate, g *grant.Grant) (code string) {
	if owner, personal := strings.CutPrefix(device.Owner, "user:"); personal && owner != g.User {
		return "device_owner"
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case !a.joined:
		return ""
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
