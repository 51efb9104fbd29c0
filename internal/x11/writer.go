//go:build linux

package x11

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

// A writer builds one request in a buffer that the connection keeps. request locks the connection for writing; exactly
// one of send, check and call must follow.
type writer struct {
	c  *Conn
	b  []byte
	fd int // passed along with the request, or -1
}

// request starts a request: its opcode and the byte that follows (a small argument, or the minor opcode).
func (c *Conn) request(opcode, data uint8) *writer {
	c.writing.Lock()
	c.w.b = append(c.w.b[:0], opcode, data, 0, 0)
	c.w.fd = -1
	return &c.w
}

func (w *writer) u8(v ...uint8) *writer { w.b = append(w.b, v...); return w }

func (w *writer) u16(v ...uint16) *writer {
	for _, x := range v {
		w.b = le.AppendUint16(w.b, x)
	}
	return w
}

func (w *writer) i16(v ...int) *writer {
	for _, x := range v {
		w.b = le.AppendUint16(w.b, uint16(int16(x)))
	}
	return w
}

func (w *writer) u32(v ...uint32) *writer {
	for _, x := range v {
		w.b = le.AppendUint32(w.b, x)
	}
	return w
}

// bytes appends b and pads to a multiple of four.
func (w *writer) bytes(b []byte) *writer {
	w.b = append(w.b, b...)
	for len(w.b)%4 != 0 {
		w.b = append(w.b, 0)
	}
	return w
}

var errTooLong = errors.New("x11: request is too long")

// send sends a request that has no reply. Its error, if any, goes to OnError.
func (w *writer) send() error {
	defer w.c.writing.Unlock()
	return w.c.write(nil, w.b, w.fd)
}

// check sends a request that has no reply and waits until the server has done or refused it.
func (w *writer) check() error {
	c := w.c
	void, sync := c.newCall(nil), c.newCall(nil)
	void.void = true
	err := c.write(void, w.b, w.fd)
	if err == nil {
		err = c.ask(sync)
	}
	c.writing.Unlock()
	if err != nil {
		return err // the calls may still be written to: leave them to the collector
	}
	<-void.ready
	<-sync.ready
	err = void.err
	c.freeCall(void)
	c.freeCall(sync)
	return err
}

// call sends a request and returns its reply, header included. The reply is written to into if that is large enough.
func (w *writer) call(into []byte) (reply, error) {
	c := w.c
	k := c.newCall(into)
	err := c.write(k, w.b, w.fd)
	c.writing.Unlock()
	if err != nil {
		return nil, err
	}
	<-k.ready
	b, err := k.reply, k.err
	c.freeCall(k)
	if err != nil {
		return nil, err
	}
	return reply(b), nil
}

var inputFocusRequest = [4]byte{43, 0, 1, 0} // GetInputFocus; never written to

// maxSilence is how many requests may go without an answer. Sequence numbers on the wire have 16 bits, so an answer
// must come before they wrap.
const maxSilence = 30000

// write sends a request. The caller holds c.writing.
func (c *Conn) write(k *call, b []byte, fd int) error {
	if len(b)%4 != 0 || len(b)/4 > 0xffff {
		return errTooLong
	}
	le.PutUint16(b[2:], uint16(len(b)/4))
	sync, err := c.enqueue(k)
	if err != nil {
		return err
	}
	if err := c.writeBytes(b, fd); err != nil {
		return c.lost(err)
	}
	if sync {
		return c.ask(c.newCall(nil)) // nobody waits for it
	}
	return nil
}

// ask sends the shortest request that has a reply. The caller holds c.writing.
func (c *Conn) ask(k *call) error {
	if _, err := c.enqueue(k); err != nil {
		return err
	}
	if err := c.writeBytes(inputFocusRequest[:], -1); err != nil {
		return c.lost(err)
	}
	return nil
}

// enqueue numbers a request and remembers its call. It says whether an extra answer is due.
func (c *Conn) enqueue(k *call) (sync bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return false, c.err
	}
	if c.closed {
		return false, ErrClosed
	}
	c.sent++
	if k != nil {
		k.seq = uint16(c.sent)
		if c.pending = append(c.pending, k); len(c.pending) == 1 {
			c.expect()
		}
	}
	return k == nil && c.sent%maxSilence == 0, nil
}

func (c *Conn) writeBytes(b []byte, fd int) error {
	err := c.nc.SetWriteDeadline(time.Now().Add(patience))
	switch {
	case err != nil:
	case fd < 0:
		_, err = c.nc.Write(b)
	default:
		_, _, err = c.nc.WriteMsgUnix(b, unix.UnixRights(fd), nil)
	}
	return err
}

// lost turns a failed write into the connection's error, and ends the connection.
func (c *Conn) lost(err error) error {
	c.mu.Lock()
	if c.err == nil {
		c.err = &ServerGoneError{err}
	}
	c.mu.Unlock()
	c.nc.Close()
	<-c.done
	return c.Err()
}

func (c *Conn) newCall(into []byte) *call {
	k := c.calls.Get().(*call)
	k.reply, k.err, k.void, k.take = into[:0], nil, false, nil
	return k
}

func (c *Conn) freeCall(k *call) {
	k.reply = nil
	c.calls.Put(k)
}

// A reply is the server's answer to a request, header included.
type reply []byte

func (r reply) u8(o int) uint8   { return r[o] }
func (r reply) u16(o int) uint16 { return le.Uint16(r[o:]) }
func (r reply) i16(o int) int    { return int(int16(le.Uint16(r[o:]))) }
func (r reply) u32(o int) uint32 { return le.Uint32(r[o:]) }

// has says whether the reply holds n bytes, so that a short reply is an error and not a panic.
func (r reply) has(n int) bool { return n >= 0 && len(r) >= n }

var errShort = errors.New("x11: reply is too short")
