package gateway

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"jiseki/internal/durable"
)

// takeLock takes the lock of the data folder, and fails with code data_locked when somebody else has it.
// As root it fails with wrong_user in a folder of somebody else's, in which it would leave files that the owner cannot
// read.
func takeLock(path string) (release func() error, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	if st, err := os.Stat(filepath.Dir(path)); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	} else if rootInOthers(st) {
		return nil, errWrongUser(filepath.Dir(path))
	}
	release, err = durable.Lock(path)
	if errors.Is(err, durable.ErrLocked) {
		return nil, errLocked(nil)
	}
	return release, err
}
