package link

import "time"

// Limits of the protocol (docs/PROTOCOL.md section 3).
const (
	// MaxMessage is the greatest size of a message in bytes. A sealed record with the greatest plaintext (61,440 bytes)
	// fits.
	MaxMessage = 64 << 10

	// PingEvery is the time between two pings of a Conn.
	PingEvery = 5 * time.Second

	// SilenceLimit is how long a Conn that wants to read waits without a single byte.
	SilenceLimit = 15 * time.Second

	// StallLimit is how long a Conn tries to write one message.
	StallLimit = 15 * time.Second
)

const (
	// closeWait bounds each half of closing: waiting for a message that is being written, and for the peer's answer.
	// Without it a peer that does not read would hold the closing end.
	closeWait = time.Second

	// openTimeout bounds dialling, proxy, TLS and WebSocket handshake together.
	openTimeout = 15 * time.Second

	// pairTimeout bounds the wait for the other side. The relay gives up after 10 s; the rest is for the way.
	pairTimeout = 15 * time.Second

	// maxOpening is how many bytes of HTTP a server or proxy may answer with before it has upgraded or connected.
	maxOpening = 16 << 10
	// maxReason is how many bytes of a refusal's reason are kept.
	maxReason = 200

	// smallMessage divides messages into the two sizes of pooled buffers: most of control's are below it.
	smallMessage = 2 << 10

	// readAhead is the size of a Conn's read buffer. It only gathers headers and small messages; payloads are read
	// past it.
	readAhead = 1 << 10

	// notSentLowWater bounds what the kernel holds of a socket beyond what the network has taken: 64 KB is one
	// message.
	notSentLowWater = 64 << 10
)
