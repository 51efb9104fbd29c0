package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"
)

// A terminal is where secrets are typed, or a pipe that brings them.
type terminal struct {
	in     *os.File
	prompt io.Writer
}

// maxTyped bounds what is read from a pipe, in bytes.
const maxTyped = 4096

// read takes all of a pipe.
func (t terminal) read() (string, error) {
	raw, err := io.ReadAll(io.LimitReader(t.in, maxTyped))
	return string(raw), err
}

// ask prompts for a line and reads it without echo; a pipe is read without a prompt. When ctx ends the terminal shows
// again what is typed.
func (t terminal) ask(ctx context.Context, what string) (string, error) {
	fd := int(t.in.Fd()) //nolint:gosec // a descriptor is small
	if !term.IsTerminal(fd) {
		return t.read()
	}
	before, err := term.GetState(fd)
	if err != nil {
		return "", fmt.Errorf("read the terminal's state: %w", err)
	}
	fmt.Fprint(t.prompt, what)
	defer fmt.Fprintln(t.prompt)
	type line struct {
		raw []byte
		err error
	}
	typed := make(chan line, 1)
	go func() {
		raw, err := term.ReadPassword(fd)
		typed <- line{raw, err}
	}()
	select {
	case l := <-typed:
		return string(l.raw), l.err
	case <-ctx.Done():
		return "", errors.Join(ctx.Err(), term.Restore(fd, before))
	}
}
