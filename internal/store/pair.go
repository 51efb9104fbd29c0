package store

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"

	"jiseki/internal/durable"
)

// ErrForeignLog says that beside the SQLite file lies the write-ahead log of another one. A backup was unpacked over a database
// that had not been closed; SQLite would play that one's log into it.
var ErrForeignLog = errors.New("store: the write-ahead log is another database's")

// A pair is an SQLite file and the log beside it, which SQLite itself does not tie together. Each opening gives the file
// a number, by the PRAGMA user_version, and writes it into a note that lies there until the file is closed: a file that
// was put in the place of that one has another number.
type pair string // path of the SQLite file

func (p pair) note() string { return string(p) + "-open" }

// check is to be called before SQLite opens the file.
func (p pair) check() error {
	log, err := os.Stat(string(p) + "-wal")
	if errors.Is(err, fs.ErrNotExist) || err == nil && log.Size() == 0 {
		return nil
	}
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	note, err := os.ReadFile(p.note())
	if errors.Is(err, fs.ErrNotExist) { // from before there were notes, or there was no room for one
		return nil
	}
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	number, err := p.number()
	if err != nil {
		return err
	}
	if !slices.Contains(strings.Fields(string(note)), strconv.FormatUint(uint64(number), 10)) {
		return fmt.Errorf("%w: %s-wal", ErrForeignLog, p)
	}
	return nil
}

// number reads the file's number past SQLite, which would take it from the log.
func (p pair) number() (uint32, error) {
	const offset = 60 // of user_version: https://www.sqlite.org/fileformat.html 1.3
	f, err := os.Open(string(p))
	if err != nil {
		return 0, fmt.Errorf("store: %w", err)
	}
	defer f.Close()
	var b [4]byte
	if _, err := f.ReadAt(b[:], offset); err != nil && !errors.Is(err, io.EOF) {
		return 0, fmt.Errorf("store: %w", err)
	}
	return binary.BigEndian.Uint32(b[:]), nil
}

// begin gives the file its next number. Killed in between, it has one of the two that are noted. Where there is no room
// for that, it is not done.
func (p pair) begin(ctx context.Context, db *sql.DB) error {
	const foldIn = "PRAGMA wal_checkpoint(TRUNCATE)"
	if _, err := db.ExecContext(ctx, foldIn); err != nil {
		return unlessFull(err)
	}
	number, err := p.number()
	if err != nil {
		return err
	}
	next := 1 + rand.Uint32N(1<<31-1) //nolint:gosec // tells openings apart, nothing more
	if err := durable.Replace(p.note(), fmt.Appendf(nil, "%d %d\n", number, next), 0o600); err != nil {
		return unlessFull(err)
	}
	for _, statement := range []string{fmt.Sprintf("PRAGMA user_version = %d", next), foldIn} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return unlessFull(err)
		}
	}
	return unlessFull(durable.Replace(p.note(), fmt.Appendf(nil, "%d\n", next), 0o600))
}

// end takes the note away, unless the log is still there.
func (p pair) end() error {
	if _, err := os.Stat(string(p) + "-wal"); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := durable.Remove(p.note()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("store: %w", err)
	}
	return nil
}

func unlessFull(err error) error {
	if err = translate(err); errors.Is(err, ErrFull) {
		return nil
	}
	return err
}
