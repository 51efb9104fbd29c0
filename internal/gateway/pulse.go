package gateway

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

const (
	// pulseEvery is how long an answer of the database counts: everybody may ask for it.
	pulseEvery = time.Second
	// pulseTimeout is what the database may take to answer.
	pulseTimeout = 5 * time.Second
)

// A pulse says whether the gateway's database answers. However many ask, it looks once a second.
type pulse struct {
	log  *slog.Logger
	now  func() time.Time
	look func(context.Context) error

	mu  sync.Mutex
	at  time.Time // of the last look
	err error
}

// ServeHTTP says that the gateway and its database answer, and nothing about them.
func (p *pulse) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if p.feel(r.Context()) != nil {
		http.Error(w, "unhealthy", http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write([]byte("ok\n")) // who asked may be gone
}

func (p *pulse) feel(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if age := p.now().Sub(p.at); age >= 0 && age < pulseEvery {
		return p.err
	}
	// Whoever hangs up must not make it look bad for the others.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), pulseTimeout)
	defer cancel()
	if p.err = p.look(ctx); p.err != nil {
		p.log.Error("the gateway is not well", "err", p.err)
	}
	p.at = p.now()
	return p.err
}
