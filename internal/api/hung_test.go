package api_test

import (
	"context"
	"testing"
	"time"

	"connectrpc.com/connect"

	"jiseki/internal/cert"
	"jiseki/internal/gateway/gatewaytest"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/store/pgtest"
)

// TestHungLinesKeepNoSession: when lines to the database hang and new ones work, a session whose approval is withdrawn ends, without
// anybody mending a line.
func TestHungLinesKeepNoSession(t *testing.T) {
	t.Parallel()
	cluster, err := pgtest.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cluster.Stop() })
	line, dsn := pgtest.NewLine(t, cluster.NewDSN(t))
	o := newOffice(t, gatewaytest.WithDatabase(dsn))
	worker := o.who["worker"]
	r := o.submit(t, "worker", o.today)
	o.decide(t, "chief", controlv1.Answer_ANSWER_APPROVE, seen(r))
	agent := o.NewAgent(t, "企画課 01", "worker")
	_, g := worker.Connect(t, agent.Desk, cert.NoiseKey{1})
	agent.Report(t, g.Session[:], controlv1.SessionEventKind_SESSION_EVENT_KIND_OPENED, 0)
	line.Hang()
	withdrawn := func() bool { // who waits gives up, and tries again, though what was begun is done in the end
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		_, err := worker.day.WithdrawRequest(ctx, &controlv1.WithdrawRequestRequest{RequestId: r.GetRequestId()})
		return err == nil || connect.CodeOf(err) == connect.CodeFailedPrecondition
	}
	never := time.After(5 * time.Minute)
	for !withdrawn() { // what was given up is at work until its line is found out, and others wait behind it
		select {
		case <-never:
			t.Fatal("nobody is served any more")
		case <-time.After(100 * time.Millisecond):
		}
	}
	for {
		select {
		case m := <-agent.Orders():
			if end := m.GetEndSession(); end != nil && [16]byte(end.GetSessionId()) == g.Session {
				return
			}
		case err := <-agent.Ended():
			t.Fatalf("the channel ended: %v", err)
		case <-never:
			t.Fatal("a session whose approval was withdrawn goes on")
		}
	}
}
