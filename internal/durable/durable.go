// Package durable writes files that survive a crash: a killed process, a full disk, a power cut.
//
// It is the one way in which Jiseki writes what must be there after that. Each write goes to a file beside its place,
// is seen on the disk, gets its name, and the folder that holds the name is seen on the disk too. A reader finds the
// file as it was before or as it is after, whole, never a part of it and never an empty one.
package durable

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// Replace puts a file with the content data in the place of path, whether there was one or not. perm is the mode of the
// new file on systems that have one. If it fails, what was there is unchanged.
func Replace(path string, data []byte, perm fs.FileMode) error {
	return put(path, data, perm, os.Rename)
}

// Create makes a new file with the content data. A file that is there is never replaced: fs.ErrExist.
func Create(path string, data []byte, perm fs.FileMode) error {
	return put(path, data, perm, os.Link) // unlike a rename, a hard link fails if the name is taken
}

// put writes data beside path, sees it on the disk, and has name give it its name.
func put(path string, data []byte, perm fs.FileMode, name func(from, to string) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if gone := os.Remove(f.Name()); !errors.Is(gone, fs.ErrNotExist) { // a rename took it away
			err = errors.Join(err, gone)
		}
	}()
	if _, err = f.Write(data); err == nil && runtime.GOOS != "windows" {
		err = f.Chmod(perm)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := name(f.Name(), path); err != nil {
		return err
	}
	return syncFolder(path)
}

// Rename gives a file another name in the same folder, in the place of what has that name.
func Rename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return syncFolder(to)
}

// Remove removes a file for good. One that is not there is fs.ErrNotExist.
func Remove(path string) error {
	if err := os.Remove(path); err != nil {
		return err
	}
	return syncFolder(path)
}

// Append adds a line to a file, which is made if it is not there, and sees it on the disk. line ends with its end of
// line. What is there is never changed; if a crash left a last line without its end, the new one begins on a line of
// its own.
func Append(path string, line []byte, perm fs.FileMode) (err error) {
	_, absent := os.Stat(path)
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_RDWR, perm)
	if err != nil {
		return err
	}
	torn, err := endsTorn(f)
	if err == nil && torn {
		line = append([]byte{'\n'}, line...)
	}
	if err == nil {
		_, err = f.Write(line)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil || absent == nil {
		return err
	}
	return syncFolder(path)
}

// endsTorn says whether a file has a last line without its end.
func endsTorn(f *os.File) (bool, error) {
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil || end == 0 {
		return false, err
	}
	var last [1]byte
	_, err = f.ReadAt(last[:], end-1)
	return last[0] != '\n', err
}

// SetAside gives a damaged file another name, under which somebody can look at it, and returns that.
func SetAside(path string, now time.Time) (string, error) {
	aside := fmt.Sprintf("%s.damaged-%s", path, now.UTC().Format("20060102T150405.000"))
	return aside, Rename(path, aside)
}

// syncFolder makes the names in the folder of path durable. Windows cannot and need not.
func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
