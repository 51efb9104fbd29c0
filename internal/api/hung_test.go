package api_test

import (
	"context"
	"testing"
	"time"

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
	withdraw := func() error { // who waits gives up, and tries again
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		_, err := worker.day.WithdrawRequest(ctx, &controlv1.WithdrawRequestRequest{RequestId: r.GetRequestId()})
		return err
	}
	for tries := 1; withdraw() != nil; tries++ {
		if tries == 60 {
			t.Fatal("nobody is served any more")
		}
	}
	never := time.After(5 * time.Minute)
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
