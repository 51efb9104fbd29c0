//go:build !linux

package wake

import "syscall"

// virtual cannot be told here.
func virtual(string) bool { return false }

// permission cannot be told here.
func permission(string) Permission { return Unknown }

// bindTo does nothing: the socket is bound to the adapter's address.
func bindTo(string) func(network, address string, c syscall.RawConn) error { return nil }
