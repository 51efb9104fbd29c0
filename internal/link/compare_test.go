package link

import (
	"bufio"
	"io"
	"net/http"
	"testing"

	"github.com/lxzan/gws"
)

// until is an endless connection that ends when the handler says so.
type until struct {
	endless
	ended bool
}

func (u *until) Read(p []byte) (int, error) {
	if u.ended {
		return 0, io.EOF
	}
	return u.endless.Read(p)
}

// forwards is the other implementation's relay: what comes from one socket goes to another.
type forwards struct {
	gws.BuiltinEventHandler
	src  *until
	to   *gws.Conn
	left int
	err  error
}

func (f *forwards) OnMessage(_ *gws.Conn, m *gws.Message) {
	if err := f.to.WriteMessage(gws.OpcodeBinary, m.Bytes()); err != nil {
		f.err = err
	}
	_ = m.Close()
	if f.left--; f.left <= 0 || f.err != nil {
		f.src.ended = true
	}
}

// BenchmarkForwardOther is BenchmarkForward with gws, for docs/adr/0004-websocket-library.md.
func BenchmarkForwardOther(b *testing.B) {
	for _, size := range []int{280, 5000, 61477} {
		b.Run(byteSize(size), func(b *testing.B) {
			request := &http.Request{Method: http.MethodGet, Header: http.Header{
				"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="},
			}}
			up := gws.NewUpgrader(gws.BuiltinEventHandler{}, &gws.ServerOption{ReadMaxPayloadSize: MaxMessage})
			sink := &deaf{}
			to, err := up.UpgradeFromConn(sink, bufio.NewReader(sink), request)
			if err != nil {
				b.Fatal(err)
			}
			src := &until{endless: endless{frame: frame(0x82, pattern(size), true)}}
			h := &forwards{src: src, to: to, left: b.N}
			from, err := gws.NewUpgrader(h, &gws.ServerOption{ReadMaxPayloadSize: MaxMessage}).UpgradeFromConn(src, bufio.NewReader(src), request)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(size))
			b.ReportAllocs()
			b.ResetTimer()
			from.ReadLoop()
			if h.err != nil {
				b.Fatal(h.err)
			}
		})
	}
}
