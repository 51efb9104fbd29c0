package gateway_test

import (
	"database/sql"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the database of somebody who tampers with it

	"jiseki/internal/gateway"
	"jiseki/internal/gateway/gatewaytest"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
)

// verified checks the audit log of a stopped gateway, as the command does.
func verified(t *testing.T, cfg gateway.Config) *controlv1.VerifyEventsResponse {
	t.Helper()
	admin, done, err := gateway.OpenAdmin(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	r, err := admin.VerifyEvents(t.Context(), &controlv1.VerifyEventsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if err := done(); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestHeadsFileShowsACutOffEnd: who removes the newest events and makes the database's own head fit is found out by the
// heads file.
func TestHeadsFileShowsACutOffEnd(t *testing.T) {
	town := gatewaytest.Start(t)
	town.NewUser(t, "tanaka", "田中 太郎")
	town.Stop(t)
	whole := verified(t, town.Config)
	if !whole.GetIntact() || whole.GetKeptHeads() == 0 {
		t.Fatalf("before: %v", whole)
	}
	cutOff(t, filepath.Join(town.Config.DataDir, "jiseki.db"), 2)
	if r := verified(t, town.Config); r.GetIntact() || r.GetAt() != whole.GetChecked()-1 {
		t.Errorf("with two events less: %v", r)
	}
	heads := filepath.Join(town.Config.DataDir, "heads.log")
	if err := os.Remove(heads); err != nil {
		t.Fatal(err)
	}
	if r := verified(t, town.Config); !r.GetIntact() || r.GetKeptHeads() != 0 {
		t.Errorf("without the heads file nobody can see it, and the answer must say so: %v", r)
	}
	if err := os.WriteFile(heads, []byte(`{"signed":"00"}`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := verified(t, town.Config); r.GetIntact() || !strings.Contains(r.GetProblem(), "did not sign") {
		t.Errorf("with a forged head: %v", r)
	}
}

// TestRightsMoveTheHeadAtOnce: somebody who kills the gateway and cuts off what it did last is found out, although the
// minute after which the head is copied in any case is not over.
func TestRightsMoveTheHeadAtOnce(t *testing.T) {
	town := gatewaytest.Start(t)
	town.NewUser(t, "tanaka", "田中 太郎")
	now, err := town.Admin.VerifyEvents(t.Context(), &controlv1.VerifyEventsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	heads := filepath.Join(town.Config.DataDir, "heads.log")
	newest := fmt.Sprintf(`"number":%d,`, now.GetChecked())
	for deadline := time.Now().Add(40 * time.Second); ; {
		b, err := os.ReadFile(heads)
		if err == nil && strings.Contains(string(b), newest) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("no copy of head %d, %v:\n%s", now.GetChecked(), err, b)
		}
		time.Sleep(10 * time.Millisecond) // somebody else's file: there is nothing to wait for but its content
	}
}

// cutOff removes the last events and sets the head back as if they had never been.
func cutOff(t *testing.T, path string, events int) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, statement := range []string{
		`DELETE FROM events WHERE number > (SELECT number FROM chain_head) - ?1`,
		`UPDATE chain_head SET (number, time_ms, hash) = (SELECT number, time_ms, hash FROM events ORDER BY number DESC LIMIT 1) WHERE ?1 > 0`,
	} {
		var args []any
		if strings.Contains(statement, "?1") {
			args = append(args, events)
		}
		if _, err := db.ExecContext(t.Context(), statement, args...); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// TestCommandsLeaveHeads: what is done while no gateway runs is copied out too, and looking leaves nothing.
func TestCommandsLeaveHeads(t *testing.T) {
	town := gatewaytest.Start(t)
	town.Stop(t)
	before := verified(t, town.Config).GetKeptHeads()
	if after := verified(t, town.Config).GetKeptHeads(); after != before {
		t.Errorf("looking left %d heads", after-before)
	}
	admin, done, err := gateway.OpenAdmin(t.Context(), town.Config)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := admin.SetUserDisabled(t.Context(), &controlv1.SetUserDisabledRequest{UserId: "nobody"}); err == nil {
		t.Error("nobody was enabled")
	}
	if _, err := admin.PutSection(t.Context(), &controlv1.PutSectionRequest{Section: &controlv1.Section{Name: "総務課"}}); err != nil {
		t.Fatal(err)
	}
	if err := done(); err != nil {
		t.Fatal(err)
	}
	if after := verified(t, town.Config).GetKeptHeads(); after != before+1 {
		t.Errorf("an act left %d heads, want 1", after-before)
	}
}

func TestHeadsGoToSyslog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	daemon, err := net.ListenPacket("unixgram", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { daemon.Close() })
	gatewaytest.Start(t, gatewaytest.WithConfig(func(c *gateway.Config) { c.Audit.Syslog = path }))
	b := make([]byte, 4096)
	n, _, err := daemon.ReadFrom(b)
	if err != nil || !strings.Contains(string(b[:n]), " jiseki-gateway ") || !strings.Contains(string(b[:n]), "head=") {
		t.Errorf("syslog got %q, %v", b[:n], err)
	}
}

// TestMissingSyslogIsSaid: copies that somebody counts on are not left out in silence.
func TestMissingSyslogIsSaid(t *testing.T) {
	town := gatewaytest.Start(t)
	town.Stop(t)
	cfg := town.Config
	cfg.Audit.Syslog = filepath.Join(t.TempDir(), "log")
	g, err := gateway.New(cfg, gateway.Environment{})
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "audit.syslog") {
		t.Errorf("got %v", err)
	}
}
