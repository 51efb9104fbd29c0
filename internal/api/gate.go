package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"time"

	"connectrpc.com/connect"

	"jiseki/internal/remote"
	"jiseki/internal/store"
)

const (
	// bodyTime is what a body may take that fits into a packet or two, bodyRate, in bytes a second, what a longer one
	// may take beyond: a megabyte 42 s.
	bodyTime = 10 * time.Second
	bodyRate = 32 << 10
	// lingerTime is how long the server goes on reading a body that nobody wants, so that the connection can be used
	// again.
	lingerTime = 2 * time.Second
	// bytesPerElement is what an element of a body has at least on average, if the body is as long as its method
	// allows: see counter.
	bytesPerElement = 16
)

// gate is what happens before Connect reads anything: it finds the method's rule by the path, looks at who calls and
// whether he may, and only then reads the body, within the rule's length, the room for bodies and a time. Connect gets
// bodies that are complete and whose elements were counted, of one user few at a time.
func (s *Server) gate(door Door, next *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		procedure := r.URL.Path
		rule, known := rules[procedure]
		if _, here := next.Handler(r); !known || here == "" {
			hurry(w, r)
			http.NotFound(w, r)
			return
		}
		form, status := formOf(r)
		if status != 0 {
			hurry(w, r)
			http.Error(w, http.StatusText(status), status)
			return
		}
		ctx, err := s.admit(r.Context(), door, rule, r.Header)
		if err != nil {
			s.refuse(ctx, w, r, err)
			return
		}
		body, done, err := s.receive(ctx, w, r, rule.body)
		if err != nil {
			s.refuse(ctx, w, r, err)
			return
		}
		defer done()
		if err := count(procedure, form, body, rule.body/bytesPerElement); err != nil {
			s.refuse(ctx, w, r, err)
			return
		}
		if user := callerOf(ctx).user(); user != "" {
			working, end, err := s.work.begin(ctx, user)
			if err != nil {
				s.refuse(ctx, w, r, err)
				return
			}
			defer end()
			ctx = working
		}
		if onlyShows(procedure) {
			ctx = store.ForPage(ctx)
		}
		r = r.WithContext(ctx)
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		next.ServeHTTP(w, r)
	})
}

// The forms of bodies.
const (
	formJSON  = "application/json"
	formProto = "application/proto"
)

// formOf is the form of a call's body, or the HTTP status of its refusal. Nothing is unpacked for a caller.
func formOf(r *http.Request) (form string, status int) {
	if r.Method != http.MethodPost {
		return "", http.StatusMethodNotAllowed
	}
	form, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || form != formJSON && form != formProto {
		return "", http.StatusUnsupportedMediaType
	}
	if coding := r.Header.Get("Content-Encoding"); coding != "" && coding != "identity" {
		return "", http.StatusUnsupportedMediaType
	}
	return form, 0
}

// refuse answers a call whose body, if it was not read, nobody wants.
func (s *Server) refuse(ctx context.Context, w http.ResponseWriter, r *http.Request, err error) {
	hurry(w, r)
	_ = connect.NewErrorWriter().Write(w, r, s.fail(ctx, r.URL.Path, err)) // who asked may be gone
}

// hurry bounds how long the server reads what is left of a body after the answer.
func hurry(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength != 0 {
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(lingerTime)) // of a connection that may be gone
	}
}

// receive reads a body of at most so many bytes. Where it succeeds the caller calls done when the body is not used any
// more.
func (s *Server) receive(ctx context.Context, w http.ResponseWriter, r *http.Request, most int) (b []byte, done func(), err error) {
	if r.ContentLength > int64(most) {
		return nil, nil, tooLong(nil)
	}
	size := most
	if r.ContentLength >= 0 {
		size = int(r.ContentLength)
	}
	line := http.NewResponseController(w)
	if err := line.SetReadDeadline(time.Now().Add(bodyTime + time.Duration(size)*time.Second/bodyRate)); err != nil {
		return nil, nil, err
	}
	one, ok := s.bodies.begin(holderOf(ctx), size, func() { _ = line.SetReadDeadline(time.Unix(1, 0)) })
	if !ok {
		return nil, nil, busy(0, nil)
	}
	done = func() { s.bodies.end(one) }
	if b, err = readBody(r.Body, size, most); err == nil && !s.bodies.read(one, len(b)) {
		err = os.ErrDeadlineExceeded // it gave way at its last byte
	}
	if err == nil {
		err = line.SetReadDeadline(time.Time{}) // the work may take longer than the body
	}
	if err != nil {
		done()
		return nil, nil, unread(err)
	}
	return b, done, nil
}

// readBody reads to the end, with room for size bytes.
func readBody(r io.Reader, size, most int) ([]byte, error) {
	b := bytes.NewBuffer(make([]byte, 0, size+bytes.MinRead))
	if _, err := b.ReadFrom(io.LimitReader(r, int64(most)+1)); err != nil {
		return nil, err
	}
	if b.Len() > most {
		return nil, tooLong(nil)
	}
	return b.Bytes(), nil
}

// unread says why a body was not read.
func unread(err error) error {
	var known *failure
	switch {
	case errors.As(err, &known):
		return err
	case errors.Is(err, os.ErrDeadlineExceeded):
		return busy(0, err)
	}
	return invalid(err) // its sender went, or sent no HTTP
}

// holderOf says whose share of the room a body takes: of IPv6 the /56, which one customer has.
func holderOf(ctx context.Context) string {
	if user := callerOf(ctx).user(); user != "" {
		return "user:" + user
	}
	networks := remote.Networks(requestOf(ctx).remote)
	return networks[len(networks)/2].Prefix.String()
}

// count refuses a body that holds more elements than its method may need.
func count(procedure, form string, body []byte, most int) error {
	elements := counter{left: most}
	if form == formJSON {
		return tooMany(elements.json(body))
	}
	input, err := inputOf(procedure)
	if err != nil {
		return err
	}
	return tooMany(elements.protobuf(body, input, 0))
}

func tooMany(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errForm):
		return invalid(err)
	}
	return tooLong(err)
}
