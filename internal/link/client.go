package link

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"time"
)

const (
	// callTimeout is for one whole call of the gateway's API, as in the browser.
	callTimeout = 30 * time.Second
	// maxAnswer bounds an answer: the longest is a list of desks.
	maxAnswer = 4 << 20
	// idleCall is how long a connection waits for the next call.
	idleCall = 90 * time.Second
)

// A ClientConfig says how the gateway's API is reached: TLS and Proxy as in DialConfig.
type ClientConfig struct {
	TLS   *tls.Config
	Proxy string
	// Single gives each call a connection of its own: for who calls once a month.
	Single bool
}

// NewClient returns a client for calls of the gateway's API, on the way that Dial takes. It follows no redirect, for
// passwords and tokens are for the gateway alone, takes at most 4 MiB of an answer and waits 30 s at most.
func NewClient(cfg ClientConfig) *http.Client {
	config := cfg.TLS.Clone()
	if config == nil {
		config = &tls.Config{}
	}
	config.MinVersion = tls.VersionTLS13
	way := DialConfig{Proxy: cfg.Proxy, DialContext: (&net.Dialer{}).DialContext}
	return &http.Client{
		Timeout:       callTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: bounded{&http.Transport{
			TLSClientConfig: config, ForceAttemptHTTP2: true, DisableKeepAlives: cfg.Single, IdleConnTimeout: idleCall,
			DialContext: func(ctx context.Context, _, address string) (net.Conn, error) { // its own proxy takes 200 only
				ctx, cancel := context.WithTimeout(ctx, openTimeout)
				defer cancel()
				return way.connect(ctx, &url.URL{Scheme: "https", Host: address})
			},
		}},
	}
}

// bounded cuts answers off.
type bounded struct{ *http.Transport }

// RoundTrip is that of the Transport; reading more than maxAnswer fails with an *http.MaxBytesError.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := b.Transport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	answer.Body = http.MaxBytesReader(nil, answer.Body, maxAnswer)
	return answer, nil
}
