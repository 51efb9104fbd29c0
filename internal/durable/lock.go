package durable

import (
	"errors"
	"fmt"
	"os"
)

// ErrLocked says that somebody else has a lock.
var ErrLocked = errors.New("somebody else has the lock")

// Lock takes the lock that a file stands for, which is made if it is not there, and does not wait: ErrLocked. It is
// between processes and within one. The system gives it back when the process ends, however it ends; the file stays.
func Lock(path string) (release func() error, err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDONLY, 0o600) // not for writing: a full disk must not matter
	if err != nil {
		return nil, fmt.Errorf("open the lock: %w", err)
	}
	taken, err := lockFile(f)
	if taken {
		return f.Close, nil
	}
	f.Close()
	if err != nil {
		return nil, fmt.Errorf("take the lock: %w", err)
	}
	return nil, ErrLocked
}
