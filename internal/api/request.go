package api

import (
	"context"
	"net/netip"

	"jiseki/internal/access"
	"jiseki/internal/auth"
	"jiseki/internal/store"
)

// A Door is the way by which a request came in.
type Door uint8

// The doors.
const (
	// Public is the listener for viewers and agents.
	Public Door = iota
	// Office is the listener that may answer the console: requests from other
	// networks than the office's find no administration behind it either.
	Office
	// Socket is the administrative socket of this machine. Who comes through it is
	// root or the gateway's own user.
	Socket
)

// request is what a call needs to know of its HTTP request.
type request struct {
	id     string // for the log and the person who calls the help desk
	door   Door
	remote netip.Addr // of the TCP connection; never from a header
	host   string     // as the client typed it
}

// caller is who calls, after authentication.
type caller struct {
	identity *auth.Identity // nil: through the socket
	may      access.May
	by       store.By
}

// user is the id of who is signed in, empty if nobody is.
func (c *caller) user() string {
	if c.identity == nil {
		return ""
	}
	return c.identity.User.ID
}

type (
	requestKey struct{}
	callerKey  struct{}
)

// withRequest notes what later steps need of r.
func withRequest(ctx context.Context, r *request) context.Context {
	return context.WithValue(ctx, requestKey{}, r)
}

// requestOf is the request of a call; every call has one.
func requestOf(ctx context.Context) *request {
	r, ok := ctx.Value(requestKey{}).(*request)
	if !ok {
		return &request{}
	}
	return r
}

func withCaller(ctx context.Context, c *caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// callerOf is the caller of a method that is not open. Without one it is nobody,
// who may nothing.
func callerOf(ctx context.Context) *caller {
	c, ok := ctx.Value(callerKey{}).(*caller)
	if !ok {
		return &caller{identity: &auth.Identity{}}
	}
	return c
}
