package gateway

import (
	"net/http"
	"time"

	"jiseki/internal/crowd"
	"jiseki/internal/remote"
)

// streams are how many requests of HTTP/2 may be in work at once on a listener. One whose answer nobody reads costs up
// to 40 KB, most of it its header. A browser asks for some thirty files at once, and a town hall may stand behind one
// address.
func streams() crowd.Limits {
	return crowd.Limits{Strangers: 2048, Met: 2048, Inside: 2048, PerNetwork: 256, PerInside: 2048}
}

// requests bound those of HTTP/2 that are in work: whoever has many answers hang gives way to the next. Those of
// HTTP/1.1 are one to a connection, which [connections] bounds.
type requests struct {
	crowd *crowd.Crowd
	next  http.Handler
}

func (q *requests) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.ProtoMajor < 2 {
		q.next.ServeHTTP(w, r)
		return
	}
	line := http.NewResponseController(w)
	place := q.crowd.Enter(remote.Addr(r.RemoteAddr), func() {
		go func() { _ = line.SetWriteDeadline(time.Unix(1, 0)) }() // resets the stream, for which it may have to wait
	})
	if place == nil {
		panic(http.ErrAbortHandler) // resets the stream without an answer
	}
	defer place.Leave()
	q.next.ServeHTTP(w, r)
	_ = line.Flush() // else a short answer hangs after the handler has returned; who asked may be gone
}
