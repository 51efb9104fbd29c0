//go:build !linux

package durable

import "os"

// allocate gives an empty file blocks for size bytes.
func allocate(f *os.File, size int64) error { return fill(f, size) }
