package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// stopLimit is how long a program may take to stop before it is killed.
const stopLimit = 15 * time.Second

// A program is one of Jiseki's own, run as a process with its output in a file.
type program struct {
	name       string
	path       string
	args       []string
	env        []string
	credential *syscall.Credential // nil: the invoking user
	log        string              // file for its output, which is appended to it
}

// run runs the program until ctx ends or it ends by itself, which is an error. A program that is broken off (errBreak) is
// killed, else it may end in good order.
func (p program) run(ctx context.Context) error {
	out, err := os.OpenFile(p.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("log of %s: %w", p.name, err)
	}
	defer out.Close()
	cmd := exec.CommandContext(ctx, p.path, p.args...)
	cmd.Env = append(os.Environ(), p.env...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL, Credential: p.credential}
	cmd.Cancel = func() error {
		if errors.Is(context.Cause(ctx), errBreak) {
			return cmd.Process.Kill()
		}
		return cmd.Process.Signal(syscall.SIGTERM)
	}
	cmd.WaitDelay = stopLimit
	err = cmd.Run()
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("%s ended by itself (%w); its log is %s; it ends with: %s", p.name, err, p.log, tail(p.log))
}

// tail is the last line of a file.
func tail(path string) string {
	raw, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
	return lines[len(lines)-1]
}

// A readiness is the socket on which a service says that it is ready (sd_notify(3)).
type readiness struct {
	conn *net.UnixConn
	dir  string
}

func listenReady() (*readiness, error) {
	dir, err := os.MkdirTemp("", "jiseki-demo-")
	if err != nil {
		return nil, err
	}
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "ready"), Net: "unixgram"})
	if err != nil {
		os.RemoveAll(dir)
		return nil, fmt.Errorf("listen for readiness: %w", err)
	}
	return &readiness{conn, dir}, nil
}

func (r *readiness) env() string { return "NOTIFY_SOCKET=" + filepath.Join(r.dir, "ready") }

// wait returns when the service has said that it is ready.
func (r *readiness) wait(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { _ = r.conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	message := make([]byte, 256)
	for {
		n, err := r.conn.Read(message)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return fmt.Errorf("wait for readiness: %w", err)
		}
		if bytes.Contains(message[:n], []byte("READY=1")) {
			return nil
		}
	}
}

func (r *readiness) close() {
	r.conn.Close()
	os.RemoveAll(r.dir)
}

// call runs a short command and returns what it printed. input is given to it on standard input.
func (p program) call(ctx context.Context, input string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, p.path, append(p.args, args...)...)
	cmd.Env = append(os.Environ(), p.env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.credential}
	cmd.Stdin = strings.NewReader(input)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", p.name, strings.Join(args[:min(2, len(args))], " "), errors.Join(err, errors.New(strings.TrimSpace(errs.String()))))
	}
	return out, nil
}

// callJSON is call with an answer in JSON.
func (p program) callJSON(ctx context.Context, answer any, args ...string) error {
	out, err := p.call(ctx, "", append([]string{"--json"}, args...)...)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(out, answer); err != nil {
		return fmt.Errorf("%s %s: its answer is not what was expected: %w", p.name, args[0], err)
	}
	return nil
}
