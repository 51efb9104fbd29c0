package agent

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	controlv1 "jiseki/internal/gen/jiseki/control/v1"
)

const opened = controlv1.SessionEventKind_SESSION_EVENT_KIND_OPENED

func TestOutboxKeepsEventsOverRestarts(t *testing.T) {
	dir := t.TempDir()
	first := openTestOutbox(t, dir, "run 1")
	for _, code := range []uint32{3, 4} {
		if err := first.add(opened, [16]byte{1}, code); err != nil {
			t.Fatal(err)
		}
	}
	second := openTestOutbox(t, dir, "run 2")
	if err := second.add(opened, [16]byte{2}, 5); err != nil {
		t.Fatal(err)
	}
	if err := second.acknowledge([]byte("run 1"), 1); err != nil {
		t.Fatal(err)
	}
	var got []uint32
	for _, e := range openTestOutbox(t, dir, "run 3").undelivered() {
		got = append(got, e.GetCode())
	}
	if len(got) != 2 || got[0] != 4 || got[1] != 5 {
		t.Errorf("codes that wait: %v, want [4 5]", got)
	}
}

func TestOutboxRefusesWhatItCannotKeep(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "gone")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	o := openTestOutbox(t, dir, "run")
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	if err := o.add(opened, [16]byte{}, 0); err == nil {
		t.Error("an event that is not on disk was accepted")
	}
	if len(o.undelivered()) != 0 {
		t.Error("an event that was refused waits for delivery")
	}
}

func TestOutboxSetsADamagedFileAside(t *testing.T) {
	for _, damaged := range []string{"", "[{\"seq\":", "{}", "\x00\x00"} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "events.json"), []byte(damaged), 0o600); err != nil {
			t.Fatal(err)
		}
		o := openTestOutbox(t, dir, "run")
		if kept, err := os.ReadFile(o.aside); err != nil || string(kept) != damaged {
			t.Errorf("%q was not kept: %q, %v", damaged, kept, err)
		}
		if err := o.add(opened, [16]byte{1}, 0); err != nil || len(openTestOutbox(t, dir, "next").undelivered()) != 1 {
			t.Errorf("after %q no event is kept: %v", damaged, err)
		}
	}
}

// TestOutboxDeliversWhatTheDiskDoesNotTake: what has happened is told all the same, and when there is room again, it is
// kept too.
func TestOutboxDeliversWhatTheDiskDoesNotTake(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "agent")
	o := openTestOutbox(t, dir, "run")
	if err := o.note(opened, [16]byte{1}, 3); err == nil || len(o.undelivered()) != 1 {
		t.Fatalf("without a disk: %v, %d events wait", err, len(o.undelivered()))
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := o.note(opened, [16]byte{2}, 4); err != nil || len(openTestOutbox(t, dir, "next").undelivered()) != 2 {
		t.Errorf("with a disk again: %v", err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := o.acknowledge([]byte("run"), 1); err == nil || len(o.undelivered()) != 1 {
		t.Errorf("what the gateway has is sent again: %v, %d wait", err, len(o.undelivered()))
	}
}

func openTestOutbox(t *testing.T, dir, run string) *outbox {
	t.Helper()
	o, err := openOutbox(dir, []byte(run), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestOutboxDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := openTestOutbox(t, t.TempDir(), "run 1")
		for range 2 {
			if err := o.add(opened, [16]byte{1}, 0); err != nil {
				t.Fatal(err)
			}
		}
		late, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		o.drain(late) // the gateway does not listen
		if left := len(o.undelivered()); late.Err() == nil || left != 2 {
			t.Errorf("gave up early with %d events left", left)
		}
		drained := make(chan struct{})
		go func() {
			defer close(drained)
			o.drain(t.Context())
		}()
		for seq := range uint64(2) {
			synctest.Wait()
			select {
			case <-drained:
				t.Errorf("drained when event %d was left", seq+1)
			default:
			}
			if err := o.acknowledge([]byte("run 1"), seq+1); err != nil {
				t.Fatal(err)
			}
		}
		<-drained
	})
}
