package agent

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"jiseki/internal/cert"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/grant"
	"jiseki/internal/register"
)

// holder is a gateway's register, and another that somebody with its keys made up: both announce tanaka and his device.
func holder(marks ...byte) *register.List {
	l := &register.List{}
	for _, m := range marks {
		l.Add(register.Entry{Op: register.Mark, What: [32]byte{m}})
	}
	l.Add(register.Entry{Op: register.Add, What: register.Device("d1", "user:tanaka", cert.PublicKey{})})
	l.Add(register.Entry{Op: register.Add, What: register.Assignment("k1", "tanaka")})
	return l
}

func openedIn(t *testing.T, dir string) *announced {
	t.Helper()
	a := &Agent{cfg: Config{Dir: dir, Now: time.Now}, log: slog.New(slog.DiscardHandler)}
	if err := a.openAnnounced(); err != nil {
		t.Fatal(err)
	}
	return &a.announced
}

// told is what the desk answers to all of a register, two entries at a time.
func (a *announced) told(l *register.List) (code string) {
	for from := a.number(); ; from += 2 {
		part := l.Part(from, 2)
		var entries []byte
		for _, e := range part.Entries {
			entries = e.Append(entries)
		}
		code, _ = a.follow(&controlv1.RegisterOrder{From: part.From, Before: part.Before[:], Entries: entries, Total: part.Total})
		if code != "" || part.From+uint64(len(part.Entries)) >= part.Total {
			return code
		}
	}
}

func (a *announced) opens() string {
	return a.check(&cert.Certificate{Subject: "d1", Owner: "user:tanaka"}, &grant.Grant{Desk: "k1", User: "tanaka"})
}

// TestDamagedRegisterOpensNothing: after any damage of what the desk keeps, a gateway that does not know the register
// gets nobody in, and the desk's own gateway does as soon as it has given the register again, unless copy and end are
// both lost.
func TestDamagedRegisterOpensNothing(t *testing.T) {
	for name, c := range map[string]struct {
		damage func(log, end string) error
		lost   bool // for good
		whole  bool // nothing that counts is lost
	}{
		"garbage":     {damage: func(log, _ string) error { return os.WriteFile(log, []byte("garbage"), 0o600) }},
		"empty":       {damage: func(log, _ string) error { return os.Truncate(log, 0) }},
		"cut off":     {damage: func(log, _ string) error { return os.Truncate(log, 2*register.EntryLen) }},
		"cut in one":  {damage: func(log, _ string) error { return os.Truncate(log, 2*register.EntryLen+1) }},
		"a bit":       {damage: func(log, _ string) error { return flip(log, 5) }},
		"gone":        {damage: func(log, _ string) error { return os.Remove(log) }},
		"end gone":    {damage: func(_, end string) error { return os.Remove(end) }, whole: true},
		"end garbage": {damage: func(_, end string) error { return os.WriteFile(end, nil, 0o600) }, whole: true},
		"both": {damage: func(log, end string) error {
			_ = os.WriteFile(end, []byte("{}"), 0o600)
			return os.WriteFile(log, []byte("garbage"), 0o600)
		}, lost: true},
		"log garbage, end gone": {damage: func(log, end string) error {
			_ = os.Remove(end)
			return os.WriteFile(log, []byte("garbage"), 0o600)
		}, lost: true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			own, thief := holder(1, 2, 3), holder(7, 8, 9, 10)
			desk := openedIn(t, dir)
			if code := desk.told(own); code != "" || desk.opens() != "" {
				t.Fatalf("%q, %q", code, desk.opens())
			}
			if err := c.damage(filepath.Join(dir, registerFile), filepath.Join(dir, registerEndFile)); err != nil {
				t.Fatal(err)
			}
			for range 2 { // also after a restart
				desk = openedIn(t, dir)
				if code := desk.opens(); (code == "") != c.whole {
					t.Fatalf("before any gateway: %q", code)
				}
				if code := desk.told(thief); code == "" {
					t.Error("another gateway's register was taken")
				}
				if code := desk.opens(); (code == "") != c.whole {
					t.Fatalf("with another gateway's register: %q", code)
				}
			}
			desk = openedIn(t, dir)
			code := desk.told(own)
			if (code == "") == c.lost || (desk.opens() == "") == c.lost {
				t.Fatalf("the own gateway: %q, %q", code, desk.opens())
			}
			if again := openedIn(t, dir); (again.opens() == "") == c.lost {
				t.Errorf("after a restart: %q", again.opens())
			}
			if err := forgetRegister(dir); err != nil {
				t.Fatal(err)
			}
			if desk = openedIn(t, dir); desk.told(own) != "" || desk.opens() != "" {
				t.Error("a desk that was let go takes no register")
			}
		})
	}
}

func flip(path string, at int) error {
	b, err := os.ReadFile(path)
	if err == nil {
		b[at] ^= 1
		err = os.WriteFile(path, b, 0o600)
	}
	return err
}

// TestOnlyWhatIsAnnouncedComesIn: certificate and grant of the gateway's keys are not enough: device, owner, key, user and desk must all be
// as announced.
func TestOnlyWhatIsAnnouncedComesIn(t *testing.T) {
	desk := openedIn(t, t.TempDir())
	tanaka, k1 := cert.Certificate{Subject: "d1", Owner: "user:tanaka"}, grant.Grant{Desk: "k1", User: "tanaka"}
	own := holder(1)
	own.Add(register.Entry{Op: register.Add, What: register.Device("shared", "section:soumu", cert.PublicKey{})})
	own.Add(register.Entry{Op: register.Add, What: register.Device("d2", "user:sato", cert.PublicKey{})})
	if code := desk.check(&cert.Certificate{Subject: "any", Owner: "user:tanaka"}, &k1); code != "" {
		t.Errorf("before there is a register: %s", code)
	}
	if code := desk.told(own); code != "" {
		t.Fatal(code)
	}
	for name, c := range map[string]struct {
		device cert.Certificate
		grant  grant.Grant
		want   string
	}{
		"as announced":          {tanaka, k1, ""},
		"a device of a section": {cert.Certificate{Subject: "shared", Owner: "section:soumu"}, k1, ""},
		"another device":        {cert.Certificate{Subject: "d9", Owner: "user:tanaka"}, k1, "device_unannounced"},
		"another key":           {cert.Certificate{Subject: "d1", Owner: "user:tanaka", Key: cert.PublicKey{1}}, k1, "device_unannounced"},
		"a device of another":   {cert.Certificate{Subject: "d2", Owner: "user:sato"}, k1, "device_owner"},
		"another owner":         {cert.Certificate{Subject: "d1", Owner: "section:soumu"}, k1, "device_unannounced"},
		"another user":          {cert.Certificate{Subject: "d2", Owner: "user:sato"}, grant.Grant{Desk: "k1", User: "sato"}, "user_unannounced"},
		"another desk":          {tanaka, grant.Grant{Desk: "k2", User: "tanaka"}, "user_unannounced"},
	} {
		if code := desk.check(&c.device, &c.grant); code != c.want {
			t.Errorf("%s: %q, want %q", name, code, c.want)
		}
	}
	own.Add(register.Entry{Op: register.Remove, What: register.Device("d1", "user:tanaka", cert.PublicKey{})})
	if code := desk.told(own); code != "" || desk.check(&tanaka, &k1) != "device_unannounced" {
		t.Errorf("a device that was taken back: %q, %q", code, desk.check(&tanaka, &k1))
	}
}
