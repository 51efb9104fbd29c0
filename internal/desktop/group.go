//go:build linux

package desktop

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// marker is in the environment of every process of a desk, with the desk's home folder: programs that leave their
// process group are found by it.
const marker = "JISEKI_DESK_HOME"

// A group starts the desk's processes and ends them.
type group struct {
	home folder
	log  *slog.Logger
}

// A process is one program of a desk.
type process struct {
	name  string
	args  []string
	env   []string   // besides the desk's
	files []*os.File // the program's descriptors from 3 on
}

// run starts a program and waits for its end. Its whole process group is ended with ctx, or when this process dies. A
// program that ends by itself is an error.
func (g *group) run(ctx context.Context, p process, started chan<- error) error {
	// The kernel ends the child when the thread that made it ends: keep the thread.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd, err := g.launch(p)
	started <- err
	if err != nil {
		return err
	}
	stopped := make(chan struct{})
	defer close(stopped)
	go g.endWith(ctx, cmd.Process.Pid, stopped)
	err = cmd.Wait()
	syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) //nolint:errcheck // most often nobody is left
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err == nil {
		return fmt.Errorf("%s has ended", p.name)
	}
	return fmt.Errorf("%s: %w (see %s)", p.name, err, g.logPath(p.name))
}

// patience is how long a program may take to end when it is asked to.
const patience = 3 * time.Second

// endWith ends a process group when ctx does: first politely.
func (g *group) endWith(ctx context.Context, pid int, stopped <-chan struct{}) {
	select {
	case <-stopped:
		return
	case <-ctx.Done():
	}
	syscall.Kill(-pid, syscall.SIGTERM) //nolint:errcheck // it may just have ended
	select {
	case <-stopped:
	case <-time.After(patience):
		syscall.Kill(-pid, syscall.SIGKILL) //nolint:errcheck // it may just have ended
	}
}

func (g *group) logPath(name string) string {
	return filepath.Join(g.home.root.Name(), ".jiseki", name+".log")
}

// launch starts a program with its output going to its log.
func (g *group) launch(p process) (*exec.Cmd, error) {
	out, err := g.home.root.OpenFile(".jiseki/"+p.name+".log", os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd := exec.Command(p.args[0], p.args[1:]...)
	cmd.Dir = g.home.root.Name()
	cmd.Env = append(g.environment(), p.env...)
	cmd.ExtraFiles = p.files
	cmd.Stdout, cmd.Stderr = out, out
	g.as(cmd)
	return cmd, cmd.Start()
}

// as makes a command run as the desk's account, in a process group of its own.
func (g *group) as(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL, Credential: g.home.owner.credential}
}

// environment is the desk's own: nothing of the invoking process's but the path.
func (g *group) environment() []string {
	return []string{
		"PATH=/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin",
		"HOME=" + g.home.root.Name(),
		"USER=" + g.home.owner.name,
		"LOGNAME=" + g.home.owner.name,
		"SHELL=/bin/bash",
		"TZ=Asia/Tokyo",
		marker + "=" + g.home.root.Name(),
	}
}

// sweep ends every process that carries the desk's marker, also those left by a desk whose owner was killed.
func (g *group) sweep() {
	for range 50 {
		left := g.marked()
		if len(left) == 0 {
			return
		}
		for _, pid := range left {
			syscall.Kill(pid, syscall.SIGKILL) //nolint:errcheck // it may just have ended
		}
		time.Sleep(20 * time.Millisecond) // the kernel needs a moment to remove them
	}
	g.log.Warn("processes of the desk do not end", "pids", g.marked())
}

// marked returns the processes that carry the marker. Processes that have ended but were not waited for carry none.
func (g *group) marked() []int {
	entries, err := fs.ReadDir(os.DirFS("/proc"), ".")
	if err != nil {
		return nil
	}
	want := []byte(marker + "=" + g.home.root.Name())
	var pids []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		env, err := os.ReadFile(filepath.Join("/proc", e.Name(), "environ"))
		if err == nil && slices.ContainsFunc(bytes.Split(env, []byte{0}), func(v []byte) bool { return bytes.Equal(v, want) }) {
			pids = append(pids, pid)
		}
	}
	return pids
}
