package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// A Reserve is room on a disk that is kept for what must be written even when the disk is full: a file that holds
// blocks and gives them back when it is removed.
type Reserve struct {
	Path string
	Size int64 // bytes
}

// Held says whether the room is kept now.
func (r Reserve) Held() bool {
	st, err := os.Stat(r.Path)
	return err == nil && st.Size() == r.Size
}

// Hold keeps the room, unless it is held already. It fails when the disk has not so much.
func (r Reserve) Hold() error {
	if r.Held() {
		return nil
	}
	f, err := os.OpenFile(r.Path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err == nil {
		err = errors.Join(allocate(f, r.Size), f.Close())
	}
	if err != nil {
		os.Remove(r.Path) // what little it got is of more use to others
		return fmt.Errorf("keep a reserve on the disk: %w", err)
	}
	return nil
}

// Release gives the room back. It fails when there is none to give.
func (r Reserve) Release() error {
	err := os.Remove(r.Path) // not Remove, whose syncing of the folder may need room itself
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New("the reserve on the disk is used up")
	}
	if err != nil {
		return fmt.Errorf("use the reserve on the disk: %w", err)
	}
	return nil
}

// fill writes zeros, which allocates blocks on every file system that does not compress.
func fill(f *os.File, size int64) error {
	zeros := make([]byte, 1<<20)
	for size > 0 {
		n, err := f.Write(zeros[:min(size, int64(len(zeros)))])
		if err != nil {
			return err
		}
		size -= int64(n)
	}
	return f.Sync()
}
