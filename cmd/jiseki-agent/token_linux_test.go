package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

func TestDefaultDir(t *testing.T) {
	for _, c := range []struct {
		uid         int
		state, want string
	}{
		{0, "/x", "/var/lib/jiseki-agent"},
		{1000, "", "/home/tanaka/.local/state/jiseki-agent"},
		{1000, "/x/state", "/x/state/jiseki-agent"},
		{1000, "relative", "/home/tanaka/.local/state/jiseki-agent"},
	} {
		env := map[string]string{"HOME": "/home/tanaka", "XDG_STATE_HOME": c.state}
		if got := defaultDir(c.uid, func(name string) string { return env[name] }); got != c.want {
			t.Errorf("%d, %q: %s, want %s", c.uid, c.state, got, c.want)
		}
	}
}

// TestLocker: the locker's own flags are no flags of the agent, however they are written.
func TestLocker(t *testing.T) {
	for _, args := range [][]string{{"--locker", "xlock,-mode,blank"}, {"--locker=xlock,-mode,blank"}} {
		var c commands
		parser, err := kong.New(&c, kong.Vars{"dir": t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parser.Parse(append([]string{"run"}, args...)); err != nil {
			t.Fatal(args, err)
		}
		if diff := cmp.Diff(words{"xlock", "-mode", "blank"}, c.Run.Locker); diff != "" {
			t.Error(args, diff)
		}
	}
}

// TestUnitNamesNoFolder: unit and command agree only while neither names another folder.
func TestUnitNamesNoFolder(t *testing.T) {
	unit, err := os.ReadFile("../../packaging/systemd/jiseki-agent.service")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(unit), "ExecStart=/usr/bin/jiseki-agent run\n") {
		t.Error("the unit passes something to the agent")
	}
}

// pseudoTerminal opens a terminal: the side of who types, and the side of the program.
func pseudoTerminal(t *testing.T) (hands, program *os.File) {
	t.Helper()
	hands, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { hands.Close() })
	if err := unix.IoctlSetPointerInt(int(hands.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(hands.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { program.Close() })
	return hands, program
}

func echoes(t *testing.T, f *os.File) bool {
	t.Helper()
	state, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return state.Lflag&unix.ECHO != 0
}

// awaitQuiet waits until the terminal shows nothing of what is typed.
func awaitQuiet(t *testing.T, f *os.File) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); echoes(t, f); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the terminal still shows what is typed")
		}
	}
}

func TestTokenIsTypedUnseen(t *testing.T) {
	hands, program := pseudoTerminal(t)
	var prompt bytes.Buffer
	type answer struct {
		text string
		err  error
	}
	got := make(chan answer, 1)
	go func() {
		text, err := (&enrollCommand{}).token(context.Background(), terminal{in: program, prompt: &prompt})
		got <- answer{text, err}
	}()
	awaitQuiet(t, program)
	if _, err := hands.WriteString("jt1_secret\n"); err != nil {
		t.Fatal(err)
	}
	if a := <-got; a.err != nil || a.text != "jt1_secret" {
		t.Errorf("read %q, %v", a.text, a.err)
	}
	if !echoes(t, program) {
		t.Error("the terminal stays silent")
	}
	if !strings.Contains(prompt.String(), "トークン") || strings.Contains(prompt.String(), "secret") {
		t.Errorf("the prompt is %q", prompt.String())
	}
}

func TestInterruptedPromptLeavesTheTerminalAsItWas(t *testing.T) {
	_, program := pseudoTerminal(t)
	ctx, cancel := context.WithCancel(t.Context())
	got := make(chan error, 1)
	go func() {
		_, err := terminal{in: program, prompt: new(bytes.Buffer)}.ask(ctx, "? ")
		got <- err
	}()
	awaitQuiet(t, program)
	cancel()
	if err := <-got; !errors.Is(err, context.Canceled) || !echoes(t, program) {
		t.Errorf("%v, echo %v", err, echoes(t, program))
	}
}

func TestTokenFromPipeAndFile(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := w.WriteString("jt1_pipe\n"); err != nil {
		t.Fatal(err)
	}
	w.Close()
	var prompt bytes.Buffer
	text, err := (&enrollCommand{}).token(t.Context(), terminal{in: r, prompt: &prompt})
	if err != nil || strings.TrimSpace(text) != "jt1_pipe" || prompt.Len() != 0 {
		t.Errorf("from a pipe: %q, %v, prompt %q", text, err, &prompt)
	}
	file := t.TempDir() + "/token"
	if err := os.WriteFile(file, []byte("jt1_file"), 0o600); err != nil {
		t.Fatal(err)
	}
	if text, err := (&enrollCommand{TokenFile: file}).token(t.Context(), terminal{}); err != nil || text != "jt1_file" {
		t.Errorf("from a file: %q, %v", text, err)
	}
	if text, err := (&enrollCommand{Token: "jt1_arg"}).token(t.Context(), terminal{}); err != nil || text != "jt1_arg" {
		t.Errorf("from the command line: %q, %v", text, err)
	}
}
