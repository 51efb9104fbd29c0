//go:build linux

// Package x11 is a small client of the X Window System, version 11, over the local socket: exactly the requests that a
// desk needs to capture its screen, inject input, show a notice and watch its lock.
//
// It replaces a general binding for four reasons. No package-level state: several connections live in one process, and
// one may open while another reads. Generic events (XInput 2) are read whole. File descriptors can be passed, so that
// shared memory works between different users. And a steady stream of requests allocates nothing.
//
// Sources: "X Window System Protocol, X Version 11", and the protocol documents of MIT-SHM 1.2, DAMAGE 1.1, XFIXES 5,
// RANDR 1.5, XTEST 2.2, XKB 1.0, XInput 2.0, MIT-SCREEN-SAVER 1.1, X-Resource 1.2 and RECORD 1.13 (xorgproto).
package x11

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// ErrClosed is returned by requests on a connection that Close has ended.
var ErrClosed = errors.New("x11: connection is closed")

// patience is how long a server may take for the next answer, or to take a request. One that takes longer counts as
// gone: a client that keeps the server for itself (GrabServer) must not hold up who releases keys and locks. Window
// managers that draw frames keep it for as long as somebody drags a window.
const patience = 10 * time.Second

// A ServerGoneError says that the X server ended, broke the connection, or did nothing for too long.
type ServerGoneError struct{ Err error }

func (e *ServerGoneError) Error() string { return "x11: the X server is gone: " + e.Err.Error() }
func (e *ServerGoneError) Unwrap() error { return e.Err }

// An Error is an X protocol error, the server's answer to a request that it refuses.
type Error struct {
	Code         uint8  // 1 BadRequest, 2 BadValue, 3 BadWindow, 8 BadMatch, 9 BadDrawable, 10 BadAccess, 11 BadAlloc, ...
	Major        uint8  // opcode of the refused request
	Minor        uint16 // minor opcode of the refused request
	BadID        uint32 // the offending resource or value
	sequenceMod1 uint16
}

func (e *Error) Error() string {
	return fmt.Sprintf("x11: error %d for request %d.%d (value %#x)", e.Code, e.Major, e.Minor, e.BadID)
}

// Codes of core errors that callers tell apart.
const (
	BadWindow   = 3
	BadMatch    = 8
	BadDrawable = 9
	BadAccess   = 10
)

// IsError says whether err is a protocol error with this code.
func IsError(err error, code uint8) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == code
}

// Options are what Dial needs.
type Options struct {
	// Display is the server, such as ":0". Only local displays are supported.
	Display string
	// Authority is the path of the Xauthority file. Empty means $XAUTHORITY, then ~/.Xauthority. No file or no entry
	// means a connection without a cookie.
	Authority string
	// OnEvent receives each event in order, on the connection's reading goroutine. It must not block and must not use
	// the connection. The event's bytes are valid only during the call. It may be nil.
	OnEvent func(Event)
	// OnError receives errors of requests that nobody waits for, in the same way. It may be nil.
	OnError func(*Error)
}

// A Conn is a connection to an X server. Its methods may be called from several goroutines.
type Conn struct {
	Setup Setup // what the server said of itself when the connection was opened

	options Options // without receivers of events
	nc      *net.UnixConn
	onEvent func(Event)
	onError func(*Error)

	writing sync.Mutex // held from the start of a request until it is written
	w       writer

	mu      sync.Mutex // guards what follows
	sent    uint64     // sequence number of the last request
	pending []*call    // requests that expect an answer, oldest first
	nextID  uint32
	ext     map[string]Extension
	atoms   map[string]Atom
	closed  bool
	err     error

	done  chan struct{} // closed when the reading goroutine has ended
	calls sync.Pool
}

// A call is a request whose answer somebody waits for.
type call struct {
	seq   uint16
	void  bool // success has no answer of its own: a later answer proves it
	reply []byte
	take  func(reply) (more bool) // of a request with several replies: takes each
	err   error
	ready chan struct{} // one element
}

// Dial connects to the X server of a local display.
func Dial(o Options) (*Conn, error) {
	number, err := displayNumber(o.Display)
	if err != nil {
		return nil, err
	}
	path := "/tmp/.X11-unix/X" + strconv.Itoa(number)
	nc, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("x11: display %s: %w", o.Display, err)
	}
	c := &Conn{
		options: Options{Display: o.Display, Authority: o.Authority},
		nc:      nc, onEvent: o.OnEvent, onError: o.OnError,
		ext: map[string]Extension{}, atoms: map[string]Atom{}, done: make(chan struct{}),
	}
	c.w.c = c
	c.calls.New = func() any { return &call{ready: make(chan struct{}, 1)} }
	in := bufio.NewReaderSize(nc, 64<<10)
	err = errors.Join(
		nc.SetDeadline(time.Now().Add(patience)), c.handshake(in, cookieFor(o.Authority, number)), nc.SetDeadline(time.Time{}))
	if err != nil {
		nc.Close()
		return nil, fmt.Errorf("x11: display %s: %w", o.Display, err)
	}
	go c.read(in)
	return c, nil
}

func displayNumber(display string) (int, error) {
	if display == "" {
		display = os.Getenv("DISPLAY")
	}
	host, rest, ok := strings.Cut(display, ":")
	if !ok || (host != "" && host != "unix") {
		return 0, fmt.Errorf("x11: %q is not a local display such as :0", display)
	}
	rest, _, _ = strings.Cut(rest, ".")
	n, err := strconv.Atoi(rest)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("x11: %q is not a local display such as :0", display)
	}
	return n, nil
}

// Close ends the connection and frees what the server kept for it. Requests that wait for an answer return ErrClosed.
// When Close returns, no event is delivered any more. It must not be called from OnEvent or OnError.
func (c *Conn) Close() error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	err := c.nc.Close()
	<-c.done
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// Done is closed when the connection has ended, by Close or because the server is gone.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Err says why the connection ended: ErrClosed, a *ServerGoneError, or nil while it lives.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// NewID returns an identifier for a resource that the client makes.
func (c *Conn) NewID() uint32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.nextID++
	return c.Setup.idBase | (c.nextID & c.Setup.idMask)
}

// read takes events, errors and replies off the wire until the connection ends.
func (c *Conn) read(in *bufio.Reader) {
	defer close(c.done)
	head := make([]byte, 32)
	var event []byte
	for {
		if _, err := io.ReadFull(in, head); err != nil {
			c.fail(err)
			return
		}
		switch head[0] {
		case 0:
			c.deliverError(&Error{
				Code: head[1], sequenceMod1: le.Uint16(head[2:]), BadID: le.Uint32(head[4:]),
				Minor: le.Uint16(head[8:]), Major: head[10],
			})
		case 1:
			if err := c.deliverReply(in, head); err != nil {
				c.fail(err)
				return
			}
		case genericEvent:
			event = append(event[:0], head...)
			n := int(le.Uint32(head[4:])) * 4
			if n > maxReply {
				c.fail(errors.New("oversized event"))
				return
			}
			event = append(event, make([]byte, n)...)
			if _, err := io.ReadFull(in, event[32:]); err != nil {
				c.fail(err)
				return
			}
			c.deliverEvent(event)
		default:
			c.deliverEvent(head)
		}
	}
}

// maxReply bounds what one answer of the server may make us allocate: a picture of the greatest layout.
const maxReply = 1 << 30

func (c *Conn) deliverEvent(b []byte) {
	if c.onEvent != nil {
		c.onEvent(Event(b))
	}
}

func (c *Conn) deliverError(e *Error) {
	if k := c.match(e.sequenceMod1); k != nil {
		k.err = e
		k.ready <- struct{}{}
	} else if c.onError != nil {
		c.onError(e)
	}
}

func (c *Conn) deliverReply(in *bufio.Reader, head []byte) error {
	n := uint64(le.Uint32(head[4:])) * 4
	if n > maxReply {
		return errors.New("oversized reply")
	}
	k := c.match(le.Uint16(head[2:]))
	if k == nil {
		return errors.New("reply to a request that was not sent")
	}
	size := 32 + int(n)
	if cap(k.reply) < size {
		k.reply = make([]byte, size)
	}
	k.reply = k.reply[:size]
	copy(k.reply, head)
	_, err := io.ReadFull(in, k.reply[32:])
	if err != nil {
		k.err = &ServerGoneError{err}
	} else if k.take != nil && k.take(k.reply) {
		c.awaitMore(k)
		return nil
	}
	k.ready <- struct{}{}
	return err
}

// awaitMore keeps the oldest pending call for its next reply.
func (c *Conn) awaitMore(k *call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pending = slices.Insert(c.pending, 0, k)
	c.expect()
}

// expect bounds how long the next answer may take, if any is due. The caller holds mu.
func (c *Conn) expect() {
	var until time.Time
	if len(c.pending) > 0 {
		until = time.Now().Add(patience)
	}
	c.nc.SetReadDeadline(until) //nolint:errcheck // the connection is closed: there is nothing to wait for
}

// match removes and returns the pending call with this sequence number. Answers come in the order of the requests, so
// void calls before it have succeeded.
func (c *Conn) match(seq uint16) *call {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer c.expect()
	for len(c.pending) > 0 {
		k := c.pending[0]
		if k.seq != seq && !k.void {
			return nil
		}
		c.pop()
		if k.seq == seq {
			return k
		}
		k.ready <- struct{}{}
	}
	return nil
}

func (c *Conn) pop() {
	copy(c.pending, c.pending[1:])
	c.pending[len(c.pending)-1] = nil
	c.pending = c.pending[:len(c.pending)-1]
}

// fail records why the connection ended and wakes everybody who waits.
func (c *Conn) fail(err error) {
	c.nc.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		c.err = ErrClosed
	case c.err == nil:
		c.err = &ServerGoneError{err}
	}
	for _, k := range c.pending {
		k.err = c.err
		k.ready <- struct{}{}
	}
	c.pending = nil
}

var le = binary.LittleEndian
