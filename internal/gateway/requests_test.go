package gateway

import (
	"bytes"
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"testing"

	h2 "golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"jiseki/internal/crowd"
)

// stall asks on a hundred streams of one connection and gives no room for the answers. It sends each stream that the
// server resets to given.
func stall(t *testing.T, address string, config *tls.Config, given chan<- uint32) {
	t.Helper()
	config = config.Clone()
	config.NextProtos, config.ServerName = []string{"h2"}, "example.com"
	conn, err := (&tls.Dialer{Config: config}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	var out bytes.Buffer
	out.WriteString(h2.ClientPreface)
	framer := h2.NewFramer(&out, conn)
	_ = framer.WriteSettings(h2.Setting{ID: h2.SettingInitialWindowSize, Val: 0})
	for i := range uint32(100) {
		var block bytes.Buffer
		encoder := hpack.NewEncoder(&block)
		for _, h := range [][2]string{{":method", "GET"}, {":scheme", "https"}, {":authority", "example.com"}, {":path", "/"}} {
			_ = encoder.WriteField(hpack.HeaderField{Name: h[0], Value: h[1]})
		}
		_ = framer.WriteHeaders(h2.HeadersFrameParam{
			StreamID: 2*i + 1, BlockFragment: block.Bytes(), EndStream: true, EndHeaders: true,
		})
	}
	if _, err := conn.Write(out.Bytes()); err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			frame, err := framer.ReadFrame()
			if err != nil {
				return // the test is over
			}
			if reset, ok := frame.(*h2.RSTStreamFrame); ok {
				given <- reset.StreamID
			}
		}
	}()
}

// TestStalledStreamsGiveWay: whoever lets very many answers hang, which this server would never end by itself, has the
// oldest of them ended, and keeps nobody from getting theirs.
func TestStalledStreamsGiveWay(t *testing.T) {
	const connections, stay = 3, 20
	limits := crowd.Limits{Strangers: 100, Met: 100, Inside: 100, PerNetwork: stay, PerInside: stay}
	server := httptest.NewUnstartedServer(&requests{crowd: crowd.New(limits, nil), next: http.NotFoundHandler()})
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	client := server.Client()
	given := make(chan uint32, 100*connections)
	for range connections {
		stall(t, server.Listener.Addr().String(), client.Transport.(*http.Transport).TLSClientConfig, given)
	}
	for range 100*connections - stay {
		<-given
	}
	answer, err := client.Get(server.URL) //nolint:noctx // of this process
	if err != nil || answer.StatusCode != http.StatusNotFound || answer.ProtoMajor != 2 {
		t.Fatalf("an honest one got %v, %v", answer, err)
	}
	answer.Body.Close()
}
