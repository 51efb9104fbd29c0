// Package pgtest starts a private PostgreSQL for the tests of one binary: unix socket only, in a temporary folder,
// without fsync. It needs the server's programs (Debian: postgresql) and nothing that runs already.
package pgtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // driver "pgx"
)

// Cluster is a running server.
type Cluster struct {
	dir    string
	cmd    *exec.Cmd
	log    *os.File
	exited chan error
	number atomic.Int64
}

// Start starts a server. Call it from TestMain, and Stop at its end.
func Start() (*Cluster, error) {
	bin, err := programs()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "pg") // short: a socket's path has at most 107 bytes
	if err != nil {
		return nil, err
	}
	c := &Cluster{dir: dir}
	if err := c.start(bin); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

// programs finds the newest installed server.
func programs() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil || len(found) == 0 {
		if path, err := exec.LookPath("postgres"); err == nil {
			return filepath.Dir(path), nil
		}
		return "", errors.New("pgtest: no PostgreSQL server: apt-get install postgresql")
	}
	version := func(path string) float64 {
		v, err := strconv.ParseFloat(strings.Split(path, "/")[4], 64)
		if err != nil {
			return 0
		}
		return v
	}
	sort.Slice(found, func(i, k int) bool { return version(found[i]) < version(found[k]) })
	return filepath.Dir(found[len(found)-1]), nil
}

func (c *Cluster) start(bin string) error {
	attr, err := c.account()
	if err != nil {
		return err
	}
	data := filepath.Join(c.dir, "data")
	run := func(name string, args ...string) *exec.Cmd {
		cmd := exec.CommandContext(context.Background(), filepath.Join(bin, name), args...)
		cmd.SysProcAttr = attr
		cmd.Dir = c.dir
		cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "HOME="+c.dir)
		return cmd
	}
	if out, err := run("initdb", "-D", data, "-U", "jiseki", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C.UTF-8").
		CombinedOutput(); err != nil {
		return fmt.Errorf("pgtest: initdb: %w: %s", err, out)
	}
	if c.log, err = os.Create(filepath.Join(c.dir, "log")); err != nil {
		return err
	}
	c.cmd = run("postgres", "-D", data, "-k", c.dir, "-c", "listen_addresses=", "-c", "fsync=off", "-c", "synchronous_commit=off",
		"-c", "full_page_writes=off", "-c", "max_connections=60", "-c", "shared_buffers=16MB")
	c.cmd.Stdout, c.cmd.Stderr = c.log, c.log
	if err := c.cmd.Start(); err != nil {
		c.cmd = nil
		return fmt.Errorf("pgtest: %w", err)
	}
	return c.ready()
}

// account: PostgreSQL refuses to run as root, so root runs it as the user that its package made.
func (c *Cluster) account() (*syscall.SysProcAttr, error) {
	attr := &syscall.SysProcAttr{Pdeathsig: syscall.SIGQUIT} // a killed test binary leaves no server
	if os.Getuid() != 0 {
		return attr, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(err1, err2, os.Chown(c.dir, int(uid), int(gid)), os.Chmod(c.dir, 0o700)); err != nil {
			return nil, err
		}
		attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		return attr, nil
	}
	return nil, errors.New("pgtest: running as root, and there is no user postgres or nobody")
}

// ready waits until the server answers.
func (c *Cluster) ready() error {
	db, err := sql.Open("pgx", c.dsn("postgres"))
	if err != nil {
		return err
	}
	defer db.Close()
	c.exited = make(chan error, 1)
	go func() { c.exited <- c.cmd.Wait() }()
	deadline := time.After(time.Minute)
	for {
		if err = db.PingContext(context.Background()); err == nil {
			return nil
		}
		select {
		case werr := <-c.exited:
			c.cmd = nil
			text, _ := os.ReadFile(c.log.Name())
			return fmt.Errorf("pgtest: server ended: %w: %s", werr, text)
		case <-deadline:
			return fmt.Errorf("pgtest: server does not answer: %w", err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (c *Cluster) dsn(database string) string {
	return "postgres://jiseki@/" + database + "?sslmode=disable&host=" + url.QueryEscape(c.dir)
}

// NewDSN makes an empty database and returns its URL.
func (c *Cluster) NewDSN(t testing.TB) string {
	t.Helper()
	return c.create(t, "template1")
}

// CopyDSN copies a database that nobody is connected to and returns the URL of the copy.
func (c *Cluster) CopyDSN(t testing.TB, dsn string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	return c.create(t, strings.TrimPrefix(u.Path, "/"))
}

func (c *Cluster) create(t testing.TB, template string) string {
	t.Helper()
	db, err := sql.Open("pgx", c.dsn("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	name := fmt.Sprintf("t%d", c.number.Add(1))
	if _, err := db.ExecContext(context.Background(), "CREATE DATABASE "+name+" TEMPLATE "+template); err != nil {
		t.Fatalf("create database: %v", err)
	}
	return c.dsn(name)
}

// Stop ends the server and removes its folder.
func (c *Cluster) Stop() error {
	var err error
	if c.cmd != nil {
		err = c.cmd.Process.Signal(syscall.SIGQUIT) // immediate shutdown: nothing is kept
		werr := <-c.exited
		if exit := (*exec.ExitError)(nil); !errors.As(werr, &exit) {
			err = errors.Join(err, werr) // how it ends after the signal does not matter
		}
	}
	if c.log != nil {
		err = errors.Join(err, c.log.Close())
	}
	return errors.Join(err, os.RemoveAll(c.dir))
}
