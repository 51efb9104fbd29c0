package durable

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// lockFile tries to lock a file; false without an error says that somebody else
// has it.
func lockFile(f *os.File) (bool, error) {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}
