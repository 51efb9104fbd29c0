//go:build !linux

package link

import (
	"log/slog"
	"syscall"
)

// tune sets nothing: other systems choose their congestion control themselves and do not tell.
func tune(uintptr, *slog.Logger) string { return "" }

// boundQueue sets nothing: other systems have no such bound.
func boundQueue(_, _ string, _ syscall.RawConn) error { return nil }
