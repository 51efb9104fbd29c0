package store

import (
	"runtime"
	"testing"
)

// TestWaitingWritersLeaveReadersTheirConnections: acts that wait for each other's turn at the head of the chain hold no
// connection that others read by, however many they are.
func TestWaitingWritersLeaveReadersTheirConnections(t *testing.T) {
	for name, s := range engines(t) {
		t.Run(name, func(t *testing.T) {
			first, err := s.write.BeginTx(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := first.Exec(`UPDATE chain_head SET id = id WHERE id = 1`); err != nil {
				t.Fatal(err)
			}
			acts := make(chan error)
			for range 100 {
				go func() { acts <- s.PutSection(t.Context(), By{Actor: "cli:test"}, Section{ID: "a", Name: "課"}) }()
			}
			for s.write.Stats().WaitCount == 0 { // all connections that write are taken
				runtime.Gosched()
			}
			if _, err := s.Sections(t.Context()); err != nil {
				t.Error(err)
			}
			if err := first.Rollback(); err != nil {
				t.Fatal(err)
			}
			for range 100 {
				<-acts // one makes the section, the others find it
			}
		})
	}
}
