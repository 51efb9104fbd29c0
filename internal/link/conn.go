package link

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// A Conn is one open link. One goroutine may be in Receive or Forward and any number in Send at the same time; Close
// may be called at any time. A Conn starts no goroutine that outlives a call, but a timer, which ends with it: whoever
// holds a Conn closes it.
type Conn struct {
	nc     net.Conn // carries the frames: TLS, or plain where there is none
	raw    net.Conn // the connection under nc
	client bool     // masks what it sends
	peer   net.Addr

	receiving chan struct{} // holds one token while somebody reads; a mutex would stop the time of tests
	br        *bufio.Reader
	ahead     []byte  // read before the Conn was made, served first
	held      *buffer // what the last message lies in
	readCtx   watch

	sending  chan struct{} // holds one token while somebody writes
	writeCtx watch

	start    time.Time
	heard    atomic.Int64 // since start, of the last byte or the begin of Receive; idle outside Receive
	writing  atomic.Int64 // since start, when the write in progress began; idle if there is none
	nextPing time.Duration
	timer    *time.Timer

	pongMu   sync.Mutex
	pong     [maxControl]byte
	pongSize int
	ponging  bool

	mu   sync.Mutex
	err  error // why it ended; nil while open
	done chan struct{}
}

const idle = -1

// newConn takes over nc and, if it is another, raw under it. ahead is what was already read of nc.
func newConn(nc, raw net.Conn, client bool, ahead []byte) *Conn {
	c := &Conn{
		nc: nc, raw: raw, client: client, peer: raw.RemoteAddr(), ahead: ahead,
		receiving: make(chan struct{}, 1), sending: make(chan struct{}, 1), done: make(chan struct{}),
		start: time.Now(), nextPing: PingEvery,
	}
	c.heard.Store(idle)
	c.writing.Store(idle)
	c.br = bufio.NewReaderSize((*source)(c), readAhead)
	c.readCtx.conn, c.writeCtx.conn = c, c
	c.mu.Lock() // the timer must not run before c.timer is set
	c.timer = time.AfterFunc(PingEvery, c.keep)
	c.mu.Unlock()
	return c
}

// RemoteAddr is the address of the other end of the connection, which may be a proxy's.
func (c *Conn) RemoteAddr() net.Addr { return c.peer }

// Done is closed when the link has ended.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Err says why the link ended, or nil while it is open.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Send writes one message of at most MaxMessage bytes and returns when the kernel has taken it. It keeps nothing of b.
// A message is written whole or the link ends: so a ctx that ends while the message is being written ends the link.
func (c *Conn) Send(ctx context.Context, b []byte) error {
	if len(b) > MaxMessage {
		return &CloseError{Code: TooLarge, Reason: "sent"}
	}
	buf := takeBuffer(len(b))
	defer buf.give()
	copy(buf.b[headroom:], b)
	return c.sendBuffer(ctx, buf, len(b))
}

// Receive waits for the next message. The slice is valid until the next Receive or Forward. A ctx that ends during the
// call ends the link, for the message may have been read in part.
func (c *Conn) Receive(ctx context.Context) ([]byte, error) {
	n, err := c.receive(ctx, MaxMessage)
	if err != nil {
		return nil, err
	}
	return c.held.b[headroom : headroom+n : headroom+n], nil
}

// Forward receives one message and sends it on dst, without copying or allocating, and returns its size. It does not
// read while it writes. An error means that one of the two has ended; their Err tells which.
func (c *Conn) Forward(ctx context.Context, dst *Conn) (int, error) {
	n, err := c.receive(ctx, MaxMessage)
	if err != nil {
		return 0, err
	}
	if err := dst.sendBuffer(ctx, c.held, n); err != nil {
		return 0, err
	}
	return n, nil
}

// ReceiveClaim is Receive for a client's first message, which is not allowed to be larger than a claim.
func (c *Conn) ReceiveClaim(ctx context.Context) (Claim, error) {
	n, err := c.receive(ctx, ClaimSize)
	if err != nil {
		return Claim{}, err
	}
	return ParseClaim(c.held.b[headroom : headroom+n])
}

// SendPaired answers a client's claim.
func (c *Conn) SendPaired(ctx context.Context) error {
	var b [PairedSize]byte
	return c.Send(ctx, AppendPaired(b[:0]))
}

// Close ends the link with a code and a reason for logs (at most 123 bytes are sent). It gives a message that is being
// written, and then the peer's answer, a second each. Only the first call counts.
func (c *Conn) Close(code Code, reason string) error {
	if !c.end(&CloseError{Code: code, Reason: reason}) {
		return nil
	}
	// Wakes a Receive, which then leaves the rest of the stream to drain. The connection may be gone already: then
	// there is nothing to wake.
	_ = c.raw.SetReadDeadline(time.Unix(1, 0))
	c.receiving <- struct{}{}
	defer func() { <-c.receiving }()
	if c.farewell(code, reason) {
		c.drain()
	}
	return c.hangUp()
}

// end makes err the reason why the link ended, if it is the first.
func (c *Conn) end(err error) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return false
	}
	c.err = err
	close(c.done)
	c.timer.Stop()
	return true
}

// lost ends the link because of err, unless it ended before, and returns why it ended. It says nothing to the peer.
func (c *Conn) lost(doing string, err error) error {
	if c.end(fmt.Errorf("link: %s: %w", doing, err)) {
		_ = c.hangUp() // the reason is in err
	}
	return c.Err()
}

func (c *Conn) hangUp() error {
	c.readCtx.stop()
	c.writeCtx.stop()
	// Not nc: closing TLS would wait for a peer that does not read.
	if err := c.raw.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("link: close: %w", err)
	}
	return nil
}

// farewell sends a close frame as the last frame of this end.
func (c *Conn) farewell(code Code, reason string) bool {
	limit := time.NewTimer(closeWait)
	defer limit.Stop()
	select {
	case c.sending <- struct{}{}: // and keeps it: nothing is sent after a close frame
	case <-limit.C:
		return false
	}
	_ = c.raw.SetWriteDeadline(time.Now().Add(closeWait)) // an error shows again at the write
	buf := takeBuffer(maxControl)
	defer buf.give()
	p := buf.b[headroom : headroom+maxControl]
	binary.BigEndian.PutUint16(p, uint16(code))
	n := 2 + copy(p[2:], reason)
	return c.write(buf, opClose, n) == nil
}

// drain reads until the peer has closed its side. Closing with bytes unread would make the kernel reset the
// connection, and a reset can overtake the close frame.
func (c *Conn) drain() {
	for _, nc := range []net.Conn{c.nc, c.raw} {
		if half, ok := nc.(interface{ CloseWrite() error }); ok {
			_ = half.CloseWrite() // if it fails, so does the read below
		}
	}
	_ = c.raw.SetReadDeadline(time.Now().Add(closeWait))
	buf := takeBuffer(smallMessage)
	defer buf.give()
	for {
		if _, err := c.raw.Read(buf.b); err != nil {
			return
		}
	}
}

// sendBuffer sends n bytes that lie in buf after the headroom. It may change them.
func (c *Conn) sendBuffer(ctx context.Context, buf *buffer, n int) error {
	if err := c.lockSending(ctx); err != nil {
		return err
	}
	if err := c.writeCtx.enter(ctx); err != nil {
		<-c.sending
		return err
	}
	err := c.write(buf, opBinary, n)
	c.writeCtx.leave()
	if err != nil {
		return c.sendFailed(err)
	}
	<-c.sending
	return nil
}

func (c *Conn) lockSending(ctx context.Context) error {
	select {
	case <-c.done:
		return c.Err()
	default:
	}
	select {
	case c.sending <- struct{}{}:
		return nil
	case <-c.done:
		return c.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// sendFailed gives a Receive in progress a moment to find the close frame in which the peer said why.
func (c *Conn) sendFailed(err error) error {
	_ = c.raw.SetReadDeadline(time.Now().Add(closeWait))
	limit := time.NewTimer(closeWait)
	defer limit.Stop()
	select {
	case <-c.done:
	case <-limit.C:
	}
	return c.lost("send", err)
}

// write puts a header before the n bytes in buf and writes both at once. The caller holds the token of sending.
func (c *Conn) write(buf *buffer, op byte, n int) error {
	var at int
	if c.client {
		var mask [4]byte
		binary.LittleEndian.PutUint32(mask[:], rand.Uint32()) // the runtime's ChaCha8, seeded by the system
		xorMask(buf.b[headroom:headroom+n], mask, 0)
		at = putHeader(buf.b, headroom, op, n, &mask)
	} else {
		at = putHeader(buf.b, headroom, op, n, nil)
	}
	c.writing.Store(c.clock())
	_, err := c.nc.Write(buf.b[at : headroom+n])
	c.writing.Store(idle)
	return err
}

// receive reads the next message, of at most limit bytes, into c.held.
func (c *Conn) receive(ctx context.Context, limit int) (int, error) {
	c.receiving <- struct{}{}
	defer func() { <-c.receiving }()
	if c.held != nil {
		c.held.give()
		c.held = nil
	}
	if err := c.Err(); err != nil {
		return 0, err
	}
	if err := c.readCtx.enter(ctx); err != nil {
		return 0, err
	}
	c.heard.Store(c.clock())
	n, err := c.readMessage(limit)
	c.heard.Store(idle)
	c.readCtx.leave()
	if err != nil {
		return 0, c.receiveFailed(err)
	}
	return n, nil
}

// receiveFailed ends the link for what went wrong in reading, tells the peer where that makes sense, and returns why
// the link ended. The caller holds the token of receiving.
func (c *Conn) receiveFailed(err error) error {
	var told *CloseError
	switch {
	case errors.As(err, &told):
	case errors.Is(err, errTooLarge):
		told = &CloseError{Code: TooLarge}
	case errors.Is(err, errText):
		told = &CloseError{Code: NotBinary}
	case errors.Is(err, errFrame):
		told = &CloseError{Code: ProtocolError}
	default:
		return c.lost("receive", err)
	}
	if c.end(told) {
		if c.farewell(told.Code, "") && !told.Remote {
			c.drain()
		}
		_ = c.hangUp() // the reason is in told
	}
	return c.Err()
}

// readMessage reads up to the end of a binary message, answering and obeying the control frames before it.
func (c *Conn) readMessage(limit int) (int, error) {
	n, begun := 0, false
	for {
		h, err := readHeader(c.br, !c.client, limit-n)
		if err != nil {
			return 0, err
		}
		if h.op >= opClose {
			if err := c.readControl(h); err != nil {
				return 0, err
			}
			continue
		}
		if begun != (h.op == opContinue) {
			return 0, errFrame
		}
		if !begun {
			c.held = takeFor(h, limit)
			begun = true
		}
		if err := c.readPayload(c.held.b[headroom+n:], h); err != nil {
			return 0, err
		}
		n += h.size
		if h.fin {
			return n, nil
		}
	}
}

// takeFor takes a buffer for the message that begins with h.
func takeFor(h header, limit int) *buffer {
	if h.fin {
		return takeBuffer(h.size)
	}
	return takeBuffer(limit) // of how many bytes it will be in the end is not known yet
}

func (c *Conn) readPayload(b []byte, h header) error {
	b = b[:h.size]
	if _, err := io.ReadFull(c.br, b); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	if h.masked {
		xorMask(b, h.mask, 0)
	}
	return nil
}

func (c *Conn) readControl(h header) error {
	buf := takeBuffer(maxControl)
	defer buf.give()
	p := buf.b[:h.size]
	if err := c.readPayload(p, h); err != nil {
		return err
	}
	switch h.op {
	case opPing:
		c.answer(p)
	case opClose:
		return closeError(p)
	}
	return nil
}

// closeError reads a close frame. A frame without a code is a normal end.
func closeError(p []byte) error {
	switch {
	case len(p) == 0:
		return &CloseError{Code: Normal, Remote: true}
	case len(p) == 1:
		return errFrame
	}
	code := binary.BigEndian.Uint16(p)
	if code < 1000 || code > 4999 || code >= 1004 && code <= 1006 || code >= 1015 && code < 3000 {
		return errFrame
	}
	return &CloseError{Code: Code(code), Reason: string(p[2:]), Remote: true}
}

// answer has a pong sent, by another goroutine: if Receive waited until it can be written, two ends that both write
// would wait for each other. Only the newest ping is answered (RFC 6455, 5.5.3), so pings cannot pile up.
func (c *Conn) answer(ping []byte) {
	c.pongMu.Lock()
	defer c.pongMu.Unlock()
	c.pongSize = copy(c.pong[:], ping)
	if !c.ponging {
		c.ponging = true
		go c.sendPong()
	}
}

func (c *Conn) sendPong() {
	if c.lockSending(context.Background()) != nil {
		return
	}
	buf := takeBuffer(maxControl)
	defer buf.give()
	c.pongMu.Lock()
	n := copy(buf.b[headroom:], c.pong[:c.pongSize])
	c.ponging = false
	c.pongMu.Unlock()
	c.sendControl(buf, opPong, n)
}

// sendControl writes a control frame and gives the token of sending back.
func (c *Conn) sendControl(buf *buffer, op byte, n int) {
	if err := c.write(buf, op, n); err != nil {
		_ = c.sendFailed(err) // kept in c.err
		return
	}
	<-c.sending
}

// keep runs from time to time: it ends a link that is silent or stalled, and pings.
func (c *Conn) keep() {
	now := time.Duration(c.clock())
	heard, writing := time.Duration(c.heard.Load()), time.Duration(c.writing.Load())
	switch {
	case heard != idle && now-heard >= SilenceLimit:
		_ = c.Close(Silent, "")
		return
	case writing != idle && now-writing >= StallLimit:
		_ = c.Close(PeerStalled, "")
		return
	}
	ping := now >= c.nextPing
	if ping {
		c.nextPing = now + PingEvery
	}
	next := c.nextPing
	if heard != idle {
		next = min(next, heard+SilenceLimit)
	}
	if writing != idle {
		next = min(next, writing+StallLimit)
	}
	if !c.again(next - now) {
		return
	}
	if ping {
		c.ping()
	}
}

func (c *Conn) again(in time.Duration) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return false
	}
	c.timer.Reset(in)
	return true
}

// ping sends a ping, unless something is being sent anyhow.
func (c *Conn) ping() {
	select {
	case c.sending <- struct{}{}:
	default:
		return
	}
	buf := takeBuffer(maxControl)
	defer buf.give()
	c.sendControl(buf, opPing, 0)
}

func (c *Conn) clock() int64 { return int64(time.Since(c.start)) }

// A source is a Conn as the io.Reader of its own buffered reader.
type source Conn

func (s *source) Read(p []byte) (int, error) {
	if len(s.ahead) > 0 {
		n := copy(p, s.ahead)
		if s.ahead = s.ahead[n:]; len(s.ahead) == 0 {
			s.ahead = nil
		}
		return n, nil
	}
	n, err := s.nc.Read(p)
	if n > 0 {
		s.heard.Store((*Conn)(s).clock())
	}
	return n, err
}

// A watch ends the link when the context of a call in progress ends. It stays registered with a context that is used
// again, so that a call costs no allocation.
type watch struct {
	conn   *Conn
	mu     sync.Mutex
	ctx    context.Context
	forget func() bool
	inside bool
}

func (w *watch) enter(ctx context.Context) error {
	if ctx.Done() == nil {
		return nil
	}
	w.mu.Lock()
	if w.ctx == nil || w.ctx.Done() != ctx.Done() {
		if w.forget != nil {
			w.forget()
		}
		w.ctx = ctx
		w.forget = context.AfterFunc(ctx, func() { w.fired(ctx) })
	}
	w.inside = true
	w.mu.Unlock()
	// After inside is set: whichever of this and fired comes second sees the other.
	if err := ctx.Err(); err != nil {
		w.leave()
		return err
	}
	return nil
}

func (w *watch) leave() {
	w.mu.Lock()
	w.inside = false
	w.mu.Unlock()
}

func (w *watch) fired(ctx context.Context) {
	w.mu.Lock()
	hit := w.inside && w.ctx == ctx
	w.mu.Unlock()
	if hit {
		_ = w.conn.lost("context", ctx.Err())
	}
}

func (w *watch) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.forget != nil {
		w.forget()
		w.forget, w.ctx = nil, nil
	}
}

// A buffer holds a message after headroom for its header.
type buffer struct{ b []byte }

var (
	smallBuffers = sync.Pool{New: func() any { return &buffer{make([]byte, headroom+smallMessage)} }}
	largeBuffers = sync.Pool{New: func() any { return &buffer{make([]byte, headroom+MaxMessage)} }}
)

// takeBuffer borrows a buffer for n bytes, at most MaxMessage. Idle links hold none.
func takeBuffer(n int) *buffer {
	if n <= smallMessage {
		return smallBuffers.Get().(*buffer)
	}
	return largeBuffers.Get().(*buffer)
}

func (b *buffer) give() {
	if len(b.b) == headroom+smallMessage {
		smallBuffers.Put(b)
		return
	}
	largeBuffers.Put(b)
}
