package api_test

import (
	"bytes"
	"context"
	"database/sql"
	"path/filepath"
	"runtime"
	"testing"

	"jiseki/internal/cert"
	"jiseki/internal/gateway/gatewaytest"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
)

// TestWhatWasBegunIsFinished: an administrator resets a password, and is gone while that waits for its turn at the
// database. The password is reset and the session of who knew the old one ends.
func TestWhatWasBegunIsFinished(t *testing.T) {
	town := gatewaytest.Start(t)
	staff := town.Staff(t, "tanaka", "田中 太郎")
	agent := town.NewAgent(t, "総務課 1", "tanaka")
	_, g := staff.Connect(t, agent.Desk, cert.NoiseKey{1})
	agent.Report(t, g.Session[:], controlv1.SessionEventKind_SESSION_EVENT_KIND_OPENED, 0)

	db, err := sql.Open("sqlite", "file:"+filepath.Join(town.Config.DataDir, "jiseki.db")+"?_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	turn, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_, _ = town.Admin.ResetPassword(ctx, &controlv1.ResetPasswordRequest{UserId: "tanaka"})
	}()
	for stacks := make([]byte, 16<<20); !bytes.Contains(stacks[:runtime.Stack(stacks, true)], []byte("(*Store).ResetPassword")); {
		runtime.Gosched() // the gateway is in this process
	}
	cancel()
	<-gone
	if err := turn.Rollback(); err != nil {
		t.Fatal(err)
	}
	for o := range agent.Orders() {
		if o.GetEndSession() != nil {
			return
		}
	}
	t.Error("the session goes on")
}
