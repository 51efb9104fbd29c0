package gateway

import (
	"context"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync/atomic"
	"time"

	"jiseki/internal/audit"
)

// headEvery is how often the head of the audit log is signed and copied, if it has changed. After an act that gives or
// takes a right that is done at once.
const headEvery = time.Minute

// openHeads prepares the copies of the audit log's head: this gateway's log, the agents, the heads file and syslog. A
// syslog that is asked for and not there is an error: nobody would notice that the copies are missing.
func (c *core) openHeads(ctx context.Context, moved <-chan struct{}) error {
	c.newest = &newestHead{}
	sinks := []audit.HeadSink{c.newest, headLog{c.env.Log}, audit.FileSink{Path: c.cfg.headsFile()}}
	if socket := c.cfg.Audit.Syslog; socket != "" {
		if err := reach(ctx, socket); err != nil {
			return fmt.Errorf("audit.syslog: %w", err)
		}
		host, err := os.Hostname()
		if err != nil {
			return fmt.Errorf("name this machine to syslog: %w", err)
		}
		sinks = append(sinks, audit.SyslogSink{Socket: socket, Host: host})
	}
	c.heads = &audit.Publisher{Head: c.store.Head, Key: c.ca.AuditKey(), Sinks: sinks, Every: headEvery, Moved: moved, Log: c.env.Log}
	return nil
}

// reach says whether somebody listens on a datagram socket.
func reach(ctx context.Context, socket string) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "unixgram", socket)
	if err != nil {
		return err
	}
	return conn.Close()
}

// keptHeads are the heads that this gateway wrote to its heads file.
func (c *core) keptHeads() audit.Kept {
	return audit.Kept{Heads: audit.ReadHeads(c.cfg.headsFile()), Keys: c.ca.AuditKeys()}
}

// newestHead holds the newest signed head for the agents, who get it with their leases.
type newestHead struct{ form atomic.Pointer[[]byte] }

// Put keeps the head.
func (n *newestHead) Put(_ context.Context, h audit.Head) error {
	b := h.Bytes()
	n.form.Store(&b)
	return nil
}

// bytes is the byte form of the newest head, nil before there is one.
func (n *newestHead) bytes() []byte {
	if b := n.form.Load(); b != nil {
		return *b
	}
	return nil
}

// headLog writes heads to the gateway's own log, which the system copies elsewhere.
type headLog struct{ log *slog.Logger }

// Put logs the head.
func (l headLog) Put(_ context.Context, h audit.Head) error {
	l.log.Info("head of the audit log", "number", h.Number, "line", h.Line(), "signed", hex.EncodeToString(h.Bytes()))
	return nil
}
