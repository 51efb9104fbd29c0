package audit

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net"
	"os"
	"time"

	"jiseki/internal/durable"
)

// HeadSink keeps copies of signed heads outside the database. Put may be slow and may fail; it is not called again
// before it has returned.
type HeadSink interface {
	// Put keeps a copy of the head.
	Put(ctx context.Context, h Head) error
}

// FileSink appends heads to a file, one JSON object a line, and sees each on the disk. It never changes what is there,
// so that the file may be append-only to the system too. Put the file on another disk or machine than the database.
type FileSink struct{ Path string }

// Put appends the head.
func (s FileSink) Put(_ context.Context, h Head) error {
	line, err := json.Marshal(h)
	if err == nil {
		err = durable.Append(s.Path, append(line, '\n'), 0o640)
	}
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	return nil
}

// ReadHeads gives the heads that a FileSink wrote, as far as the file goes when reading begins. It checks no signature:
// Verify does. A line that is no whole JSON object is what a crash left and is passed over; any other that has not the
// form of a head is ErrHead. A file that is not there has no heads.
func ReadHeads(path string) iter.Seq2[Head, error] {
	return func(yield func(Head, error) bool) {
		f, err := os.Open(path)
		if errors.Is(err, fs.ErrNotExist) {
			return
		}
		var info fs.FileInfo
		if err == nil {
			defer f.Close()
			info, err = f.Stat()
		}
		if err != nil {
			yield(Head{}, fmt.Errorf("audit: %w", err))
			return
		}
		for r := bufio.NewReader(io.LimitReader(f, info.Size())); ; {
			line, err := r.ReadBytes('\n')
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(Head{}, fmt.Errorf("audit: %w", err))
				return
			}
			h, err := parseLogged(line)
			var torn *json.SyntaxError
			switch {
			case errors.As(err, &torn):
				continue
			case err != nil:
				yield(Head{}, fmt.Errorf("%w: %s", ErrHead, path))
				return
			case !yield(h, nil):
				return
			}
		}
	}
}

// parseLogged reads what MarshalJSON of a head wrote.
func parseLogged(line []byte) (Head, error) {
	var x struct {
		Signed string `json:"signed"`
	}
	if err := json.Unmarshal(line, &x); err != nil {
		return Head{}, err
	}
	b, err := hex.DecodeString(x.Signed)
	if err != nil {
		return Head{}, err
	}
	h, err := ParseHead(b)
	if err == nil && h.Number == 0 { // nothing is signed before the first event
		err = ErrHead
	}
	return h, err
}

// SyslogSink sends heads to the syslog daemon of this machine, which should send them on to another: RFC 5424 messages
// over a Unix datagram socket.
type SyslogSink struct {
	// Socket is the daemon's, usually /dev/log.
	Socket string
	// Host is this machine's name.
	Host string
}

// Facility 13 is "log audit", severity 5 is "notice" (RFC 5424 section 6.2.1).
const syslogPriority = 13*8 + 5

// syslogTimeout is how long a daemon that does not read keeps the heads from the other sinks.
const syslogTimeout = 2 * time.Second

// Put sends the head.
func (s SyslogSink) Put(ctx context.Context, h Head) error {
	d := net.Dialer{Timeout: syslogTimeout}
	c, err := d.DialContext(ctx, "unixgram", s.Socket)
	if err != nil {
		return fmt.Errorf("audit: syslog: %w", err)
	}
	err = c.SetWriteDeadline(time.Now().Add(syslogTimeout))
	if err == nil {
		_, err = c.Write([]byte(s.message(h)))
	}
	if err = errors.Join(err, c.Close()); err != nil {
		return fmt.Errorf("audit: syslog: %w", err)
	}
	return nil
}

func (s SyslogSink) message(h Head) string {
	at := time.UnixMilli(h.TimeMS).UTC().Format("2006-01-02T15:04:05.000Z")
	return fmt.Sprintf("<%d>1 %s %s jiseki-gateway %d head - head=%s signed=%x", syslogPriority, at, s.Host, os.Getpid(), h.Line(), h.Bytes())
}
