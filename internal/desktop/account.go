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

// A folder is a home folder. Paths are relative to it and never lead out of it, whatever links the account, which owns
// the folder, has put there: root writes to it.
type folder struct {
	root  *os.Root
	owner account
}

func openFolder(path string, owner account) (folder, error) {
	root, err := os.OpenRoot(path)
	return folder{root, owner}, err
}

// own gives a file or folder to the account.
func (f folder) own(path string) error {
	if f.owner.credential == nil {
		return nil
	}
	return f.root.Lchown(path, f.owner.uid, f.owner.gid)
}

// write makes a file of the account, with its folders.
func (f folder) write(path string, data []byte, mode os.FileMode) error {
	if err := f.makeDir(filepath.Dir(path)); err != nil {
		return err
	}
	if err := f.root.WriteFile(path, data, mode); err != nil {
		return err
	}
	return f.own(path)
}

// writeNew is like write, but leaves a file that exists alone.
func (f folder) writeNew(path string, data []byte) error {
	if _, err := f.root.Lstat(path); err == nil {
		return nil
	}
	return f.write(path, data, 0o644)
}

// makeDir makes a folder and those above it.
func (f folder) makeDir(path string) error {
	at := ""
	for name := range strings.SplitSeq(path, "/") {
		at = filepath.Join(at, name)
		if err := f.root.Mkdir(at, 0o700); os.IsExist(err) {
			continue
		} else if err != nil {
			return err
		}
		if err := f.own(at); err != nil {
			return err
		}
	}
	return nil
}

// lock takes a lock on the folder that ends with the process.
func (f folder) lock() (unlock func(), err error) {
	file, err := f.root.OpenFile(".jiseki/lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		file.Close()
		return nil, fmt.Errorf("another desk uses %s", f.root.Name())
	}
	return func() { file.Close() }, nil
}

const serverPath = "/usr/lib/xorg/Xorg"

// checkInstalled says which programs are missing, all at once.
func checkInstalled(bare bool) error {
	programs := []string{serverPath, "xrandr", "xkbcomp"}
	if !bare {
		programs = append(programs, sessionPrograms...)
	}
	var missing []string
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			missing = append(missing, p)
		}
	}
	for _, driver := range []string{"drivers/dummy_drv.so", "input/inputtest_drv.so"} {
		if path := "/usr/lib/xorg/modules/" + driver; !exists(path) {
			missing = append(missing, path)
		}
	}
	if out, err := exec.Command("locale", "-a").Output(); !bare && (err != nil || !strings.Contains(string(out), "ja_JP.utf8")) {
		missing = append(missing, "locale ja_JP.UTF-8 (package locales, then: localedef -i ja_JP -f UTF-8 ja_JP.UTF-8)")
	}
	if missing != nil {
		return fmt.Errorf("a virtual desk needs programs that are not installed: %s", strings.Join(missing, ", "))
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
