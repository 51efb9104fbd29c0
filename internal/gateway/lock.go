package gateway

import (
	"fmt"
	"os"
	"path/filepath"
)

// takeLock takes the lock of the data folder, and fails with code data_locked
// when somebody else has it. The system gives it back when the process ends,
// however it ends.
func takeLock(path string) (release func() error, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
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
	return nil, errLocked(nil)
}
