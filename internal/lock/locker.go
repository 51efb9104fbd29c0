//go:build linux

package lock

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"jiseki/internal/x11"
)

// mark is in the environment of every locker that an agent starts, so that it is known again when the agent has been
// started anew.
const mark = "JISEKI_LOCKER=1"

// knownLockers are programs that do nothing but lock, by the names of their files: somebody may have locked with one of
// them. It counts only where the file belongs to root and nobody else may write it. True are those that run only while
// they lock: another may take their place. The others are parts of a desktop, which would not lock by itself any more.
var knownLockers = map[string]bool{
	"i3lock": true, "xsecurelock": true, "slock": true, "xlock": true, "xscreensaver": false, "xscreensaver-gfx": false,
	"mate-screensaver": false, "xfce4-screensaver": false, "gnome-screensaver": false, "kscreenlocker_greet": false,
}

// A locker is a run of the locker that this process started.
type locker struct {
	pid   int           // of its group and session too
	began time.Time     // just before it was started
	ended chan struct{} // closed when it has ended
	err   error         // then: nil means that somebody unlocked
}

// startLocker starts the locker in a session of its own: it must not end with this process.
func (s *X11) startLocker() (*locker, error) {
	cmd := exec.Command(s.cfg.Command[0], s.cfg.Command[1:]...)
	cmd.Env = append([]string{"DISPLAY=" + s.cfg.Display, "XAUTHORITY=" + s.cfg.Authority, mark}, s.cfg.Env...)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: s.cfg.Credential}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	l := &locker{pid: cmd.Process.Pid, began: began, ended: make(chan struct{})}
	s.mu.Lock()
	s.current = l
	s.mu.Unlock()
	go func() {
		l.err = cmd.Wait()
		close(l.ended)
		s.signal()
	}()
	return l, nil
}

// alive says whether it runs.
func (l *locker) alive() bool {
	select {
	case <-l.ended:
		return false
	default:
		return true
	}
}

// kill ends it and what it started.
func (l *locker) kill() {
	syscall.Kill(-l.pid, syscall.SIGKILL) //nolint:errcheck // it may just have ended
	<-l.ended
}

// ours is the locker that this process started last, unless its end is known already.
func (s *X11) ours() *locker {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current
}

func (s *X11) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current = nil
}

// lockers are the server's clients that are lockers, with their processes.
func (s *X11) lockers() (map[x11.Client]int, error) {
	clients, err := s.conn.Processes()
	if err != nil {
		return nil, err
	}
	for client, pid := range clients {
		if pid == os.Getpid() || !s.isLocker(pid) {
			delete(clients, client)
		}
	}
	return clients, nil
}

// isLocker says whether a process belongs to the locker that this one started, to one that an earlier agent started, or
// is a program that does nothing but lock.
func (s *X11) isLocker(pid int) bool {
	if l := s.ours(); l != nil && l.alive() && sessionOf(pid) == l.pid {
		return true
	}
	return isMarked(pid) || runsLocker(pid)
}

// remains says whether a locker may come to lock again: one that an agent started runs, or one of somebody else's shows
// a window. Those may run on without locking: screen savers are daemons.
func (s *X11) remains() (bool, error) {
	lockers, err := s.lockers()
	if err != nil || s.ours() != nil {
		return true, err
	}
	for _, pid := range lockers {
		if isMarked(pid) {
			return true, nil
		}
	}
	pids, err := s.showing(lockers)
	return len(pids) > 0, err
}

// showing are the processes of those lockers that show a window.
func (s *X11) showing(lockers map[x11.Client]int) (pids []int, err error) {
	windows, err := s.conn.Children(s.conn.Setup.Root)
	if err != nil {
		return nil, err
	}
	for _, win := range windows {
		pid, ok := lockers[s.conn.Client(win)]
		if !ok {
			continue
		}
		_, shows, err := s.shown(win)
		if err != nil {
			return nil, err
		}
		if shows {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// runsLocker says whether a process runs one of knownLockers.
func runsLocker(pid int) bool {
	_, known := knownLockers[lockerName(pid)]
	return known
}

// lockerName is the name of root's program that a process runs; empty when it runs another's.
func lockerName(pid int) string {
	link := procFile(pid, "exe")
	exe, err := os.Readlink(link)
	if err != nil {
		return ""
	}
	info, err := os.Stat(link)
	if err != nil {
		return ""
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok || owner.Uid != 0 || info.Mode().Perm()&0o022 != 0 {
		return ""
	}
	return filepath.Base(exe)
}

// started are the processes of this display's lockers that this process or an earlier agent started.
func (s *X11) started() (pids []int) {
	if l := s.ours(); l != nil && l.alive() {
		pids = append(pids, l.pid)
	}
	clients, err := s.conn.Processes()
	if err != nil {
		return pids
	}
	for _, pid := range clients {
		if pid > 1 && pid != os.Getpid() && isMarked(pid) {
			pids = append(pids, pid)
		}
	}
	return pids
}

func procFile(pid int, name string) string { return filepath.Join("/proc", strconv.Itoa(pid), name) }

func isMarked(pid int) bool {
	env, err := os.ReadFile(procFile(pid, "environ"))
	return err == nil && slices.ContainsFunc(bytes.Split(env, []byte{0}), func(v []byte) bool { return string(v) == mark })
}

// sessionOf is the session of a process; 0 when it cannot be told.
func sessionOf(pid int) int {
	const session = 3 // state, parent, group, session: proc(5)
	return int(statOf(pid, session))
}

// statOf is a number of /proc/PID/stat, counted from the state of the process; 0 when it cannot be told.
func statOf(pid, field int) int64 {
	raw, err := os.ReadFile(procFile(pid, "stat"))
	if err != nil {
		return 0
	}
	fields := bytes.Fields(raw[bytes.LastIndexByte(raw, ')')+1:]) // the name may hold blanks, and ends with the last bracket
	if field >= len(fields) {
		return 0
	}
	n, err := strconv.ParseInt(string(fields[field]), 10, 64)
	if err != nil {
		return 0
	}
	return n
}
