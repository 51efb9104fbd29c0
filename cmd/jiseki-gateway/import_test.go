package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"connectrpc.com/connect"

	controlv1 "jiseki/internal/gen/jiseki/control/v1"
)

// makers make users until they break.
type makers struct {
	made   []string
	before func(made int) error // the users of a call are made
	after  func(made int) error // the answer goes out
}

func (m *makers) CreateUsers(_ context.Context, r *controlv1.CreateUsersRequest) (*controlv1.CreateUsersResponse, error) {
	if m.before != nil {
		if err := m.before(len(m.made)); err != nil {
			return nil, err
		}
	}
	answer := &controlv1.CreateUsersResponse{}
	for _, u := range r.GetUsers() {
		m.made = append(m.made, u.GetUserId())
		answer.Slips = append(answer.Slips, &controlv1.Slip{UserId: u.GetUserId(), InitialPassword: "pw-" + u.GetUserId(), Address: "https://gw.example.lg.jp"})
	}
	if m.after != nil {
		if err := m.after(len(m.made)); err != nil {
			return nil, err
		}
	}
	return answer, nil
}

func newUsers(n int) (users []*controlv1.NewUser) {
	for i := range n {
		users = append(users, &controlv1.NewUser{UserId: fmt.Sprintf("u%03d", i)})
	}
	return users
}

func slipsIn(t *testing.T, dir string) (slips int) {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !strings.HasPrefix(f.Name(), "slip-") {
			t.Errorf("%s stays in the folder", f.Name())
		}
	}
	return len(files)
}

// TestImportLosesNoSlips: whatever breaks, every user who was made has a slip, on the disk or the terminal, or is named.
func TestImportLosesNoSlips(t *testing.T) {
	cut := errors.New("unexpected EOF")
	at := func(n int, do func() error) func(int) error {
		return func(made int) error {
			if made == n {
				return do()
			}
			return nil
		}
	}
	for name, c := range map[string]struct {
		admin  func(dir string) *makers
		slips  int    // on the disk
		made   int    // users
		said   string // on the terminal
		failed string // in the error
	}{
		"nothing breaks": {func(string) *makers { return &makers{} }, 25, 25, "25 of 25 users", ""},
		"the answer is lost": {
			func(string) *makers { return &makers{after: at(20, func() error { return cut })} },
			10, 20, "It is unknown whether these users have been created: u010 u011", "unexpected EOF",
		},
		"the gateway refuses": {func(string) *makers {
			return &makers{before: at(20, func() error { return connect.NewWireError(connect.CodeAlreadyExists, errors.New("exists")) })}
		}, 20, 20, "20 slips have been written, 5 have not", "exists"},
		"the folder goes": {
			func(dir string) *makers { return &makers{after: at(10, func() error { return os.RemoveAll(dir) })} },
			0, 10, "pw-u009", "write slip",
		},
		"the folder is gone": {func(dir string) *makers { _ = os.RemoveAll(dir); return &makers{} }, 0, 0, "", "folder for slips"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			var out, errs bytes.Buffer
			admin := c.admin(dir)
			console := &console{out: &output{w: &out}, errs: &errs, terminal: &errs}
			err := (&importing{c: console, dir: dir, admin: admin}).run(t.Context(), newUsers(25))
			if (err != nil) != (c.failed != "") || err != nil && !strings.Contains(err.Error(), c.failed) {
				t.Errorf("%v", err)
			}
			if c.failed == "" && strings.Contains(errs.String()+out.String(), "pw-") {
				t.Error("secrets on the terminal")
			}
			if len(admin.made) != c.made || !strings.Contains(errs.String(), c.said) {
				t.Errorf("%d users made, said:\n%s", len(admin.made), &errs)
			}
			if c.slips > 0 && slipsIn(t, dir) != c.slips {
				t.Errorf("%d slips", slipsIn(t, dir))
			}
		})
	}
}
