package session

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
)

// TestLostActIsLogged: an act that finds no room among those that are owed is lost, and the log says so.
func TestLostActIsLogged(t *testing.T) {
	var log bytes.Buffer
	m := &Manager{log: slog.New(slog.NewTextHandler(&log, nil))}
	for range mostOwed {
		m.owe(write{what: "one of many"}, errors.New("no line"))
	}
	m.owe(write{what: "the last straw"}, errors.New("no line"))
	if !strings.Contains(log.String(), "the last straw") {
		t.Error("the log says nothing of the act that was lost")
	}
}
