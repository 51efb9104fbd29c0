//go:build linux

package desktop

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// An account is who runs the desk's programs.
type account struct {
	name       string
	uid, gid   int
	groups     []uint32
	credential *syscall.Credential // nil: as the invoking user
}

func lookupAccount(name string) (account, error) {
	if name == "" {
		u, err := user.Current()
		if err != nil {
			return account{}, err
		}
		return account{name: u.Username, uid: os.Getuid(), gid: os.Getgid()}, nil
	}
	u, err := user.Lookup(name)
	if err != nil {
		return account{}, err
	}
	uid, err1 := strconv.Atoi(u.Uid)
	gid, err2 := strconv.Atoi(u.Gid)
	ids, err3 := u.GroupIds()
	if err := errors.Join(err1, err2, err3); err != nil {
		return account{}, err
	}
	a := account{name: name, uid: uid, gid: gid}
	if uid == os.Getuid() {
		return a, nil
	}
	if os.Getuid() != 0 {
		return account{}, fmt.Errorf("only root can run a desk as %s", name)
	}
	for _, id := range ids {
		n, err := strconv.ParseUint(id, 10, 32)
		if err != nil {
			return account{}, err
		}
		a.groups = append(a.groups, uint32(n))
	}
	a.credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid), Groups: a.groups}
	return a, nil
}

// own gives a file or folder to the account.
func (a account) own(path string) error {
	if a.credential == nil {
		return nil
	}
	return os.Lchown(path, a.uid, a.gid)
}

// write makes a file of the account, with its folders below home.
func (a account) write(home, path string, data []byte, mode os.FileMode) error {
	full := filepath.Join(home, path)
	at := home
	for _, dir := range strings.Split(filepath.Dir(path), "/") {
		at = filepath.Join(at, dir)
		if err := os.Mkdir(at, 0o700); err != nil && !os.IsExist(err) {
			return err
		}
		if err := a.own(at); err != nil {
			return err
		}
	}
	if err := os.WriteFile(full, data, mode); err != nil {
		return err
	}
	return a.own(full)
}

// lockFile takes a lock that ends with the process.
func lockFile(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		return nil, fmt.Errorf("another desk uses %s", filepath.Dir(filepath.Dir(path)))
	}
	return func() { f.Close() }, nil
}

const serverPath = "/usr/lib/xorg/Xorg"

// checkInstalled says which programs are missing, all at once.
func checkInstalled(bare bool) error {
	programs := []string{serverPath, "xrandr"}
	if !bare {
		programs = append(programs, sessionPrograms...)
	}
	var missing []string
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			missing = append(missing, p)
		}
	}
	const dummy = "/usr/lib/xorg/modules/drivers/dummy_drv.so"
	if _, err := os.Stat(dummy); err != nil {
		missing = append(missing, dummy)
	}
	if missing != nil {
		return fmt.Errorf("a virtual desk needs programs that are not installed: %s", strings.Join(missing, ", "))
	}
	return nil
}
