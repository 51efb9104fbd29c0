// Package link is the message pipe between a viewer or an agent and its peer: WebSocket over TLS 1.3, binary messages
// of at most 64 KiB, in order, with back pressure and no queue of its own. It knows the claim with which a client tells
// the relay who it is, and nothing of what the messages hold: they are sealed (package seal).
//
// The same [Conn] serves both ends: [Dial] and [DialSocket] make it on the client's side, [Upgrade] on the server's. A
// Conn pings every 5 s, ends itself after 15 s in which it wanted to read and heard nothing, and after 15 s in which a
// message could not be written. See docs/PROTOCOL.md section 3.
package link

import (
	"errors"
	"fmt"
	"net/http"
)

// A Code says why a link was closed. Codes from 4000 are Jiseki's, the others are those of RFC 6455.
type Code uint16

// Close codes, as in docs/PROTOCOL.md section 3.
const (
	Normal        Code = 1000 // ended as meant
	GoingAway     Code = 1001 // the program stops
	ProtocolError Code = 1002 // not WebSocket as Jiseki speaks it
	NotBinary     Code = 1003 // a text message
	BadClaim      Code = 4001 // the claim is no claim, or its ticket is unknown, spent, expired or of the other side
	Unpaired      Code = 4002 // the other side did not come
	PeerGone      Code = 4003 // one of the session's other links ended
	PeerStalled   Code = 4004 // somebody did not read for StallLimit
	Revoked       Code = 4005 // the right to the session was taken away
	Replaced      Code = 4006 // a later connection took its place
	Stopping      Code = 4007 // the gateway stops
	TooLarge      Code = 4008 // a message above the limit
	Silent        Code = 4009 // nothing was heard for SilenceLimit
	SealFailed    Code = 4010 // a record did not open
)

// String names the code, for logs.
func (c Code) String() string {
	if s, ok := codeNames[c]; ok {
		return s
	}
	return fmt.Sprintf("code %d", uint16(c))
}

var codeNames = map[Code]string{
	Normal: "normal", GoingAway: "going away", ProtocolError: "protocol error", NotBinary: "not binary",
	BadClaim: "bad claim", Unpaired: "unpaired", PeerGone: "peer gone", PeerStalled: "peer stalled",
	Revoked: "revoked", Replaced: "replaced", Stopping: "gateway stopping", TooLarge: "message too large",
	Silent: "silent", SealFailed: "seal failed",
}

// A CloseError is what Send and Receive return after a link was closed with a code, by either end.
type CloseError struct {
	Code   Code
	Reason string // for logs; chosen by whoever closed, so foreign if Remote
	Remote bool   // the peer closed; otherwise this end did
}

func (e *CloseError) Error() string {
	by := "closed"
	if e.Remote {
		by = "closed by peer"
	}
	if e.Reason == "" {
		return fmt.Sprintf("link %s: %s", by, e.Code)
	}
	return fmt.Sprintf("link %s: %s: %q", by, e.Code, e.Reason)
}

// CloseCode returns the code of the [CloseError] in err's chain, or 0 if there is none: the line broke, a context
// ended, or nothing was closed.
func CloseCode(err error) Code {
	var ce *CloseError
	if errors.As(err, &ce) {
		return ce.Code
	}
	return 0
}

// A StatusError is a server's refusal to open a link, as an HTTP status.
type StatusError struct {
	Status int    // for example 503: too many links are waiting
	Reason string // what the server said, one line; empty: nothing, or it was a proxy
}

func (e *StatusError) Error() string {
	text := fmt.Sprintf("link refused: HTTP status %d %s", e.Status, http.StatusText(e.Status))
	if e.Reason != "" {
		text += ": " + e.Reason
	}
	return text
}
