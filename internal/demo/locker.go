package demo

import (
	"crypto/rand"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
)

// A desk that has an account of its own is locked as every desk is: the locker asks PAM for the account's password, which
// the set-up drew. Without root the desk runs as the invoking user, whose password is nobody's business here: it is locked
// by another locker, which asks for a password of the town's own.
var (
	//go:embed locker/lock
	lockProgram []byte
	//go:embed locker/authproto_desk
	answerProgram []byte
)

// installLocker writes the locker of a desk that runs as the invoking user, and draws its password if there is none.
func (t *Town) installLocker() error {
	if _, err := exec.LookPath("xsecurelock"); err != nil {
		return errors.New("the program xsecurelock is missing (Debian package xsecurelock), which locks a desk that runs without root")
	}
	dir := filepath.Join(t.deskHome, "locker")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for name, text := range map[string][]byte{"lock": lockProgram, "authproto_desk": answerProgram} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o700); err != nil { //nolint:gosec // a program
			return err
		}
	}
	word, err := drawPassword(filepath.Join(dir, "password"))
	if err != nil {
		return fmt.Errorf("password of the screen lock: %w", err)
	}
	t.LockPassword, t.locker = word, filepath.Join(dir, "lock")
	return nil
}

// drawPassword returns the password in a file, which it makes if it is not there.
func drawPassword(path string) (string, error) {
	raw, err := os.ReadFile(path)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return string(raw), err
	}
	random := make([]byte, 6)
	rand.Read(random)
	word := hex.EncodeToString(random)
	return word, os.WriteFile(path, []byte(word), 0o600)
}
