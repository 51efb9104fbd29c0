package api

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"unicode/utf8"

	"connectrpc.com/connect"

	"jiseki/internal/access"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/paper"
	"jiseki/internal/store"
)

// The help-desk code: 40 bits and two check characters, read over the telephone.
const (
	checkPrefix = "SE1FCHECK"
	checkBytes  = 5
	checkChars  = 8
	checkGroup  = 5
	// maxItems and maxItem bound what a page saves.
	maxItems = 50
	maxItem  = 200
	// codeTries is how often a code may be taken already.
	codeTries = 5
)

type connKey struct{}

// WithConn notes the connection by which requests come, for the self-check: http.Server.ConnContext.
func WithConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// A line is a TCP connection as this end of it sees it. The zero value is an unknown one.
type line struct {
	rttUS         uint32
	sent          uint32 // segments with data
	retransmitted uint32
	congestion    string
}

// lineOf is the line of a request.
func lineOf(ctx context.Context) line {
	c, ok := ctx.Value(connKey{}).(net.Conn)
	if !ok {
		return line{}
	}
	for {
		switch under := c.(type) {
		case interface{ NetConn() net.Conn }: // TLS, and what the gateway has below it
			c = under.NetConn()
		case *net.TCPConn:
			return readLine(under)
		default:
			return line{}
		}
	}
}

// proxyHeaders are what proxies between a browser and the gateway add. Anybody can add them too: they explain, and
// decide nothing.
var proxyHeaders = []string{"Via", "Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Proxy-Id", "Proxy-Connection"}

func proxied(h http.Header) bool {
	for _, name := range proxyHeaders {
		if h.Get(name) != "" {
			return true
		}
	}
	return false
}

func (s *teleworkService) GetSelfCheck(ctx context.Context, _ *controlv1.GetSelfCheckRequest) (*controlv1.GetSelfCheckResponse, error) {
	c := callerOf(ctx)
	tcp := lineOf(ctx)
	answer := &controlv1.GetSelfCheckResponse{
		ServerTimeMs: s.cfg.Now().UnixMilli(), Place: controlv1.Place(c.identity.Place), Address: requestOf(ctx).remote.String(),
		RttUs: tcp.rttUS, SentSegments: tcp.sent, RetransmittedSegments: tcp.retransmitted, CongestionControl: tcp.congestion,
	}
	if info, ok := connect.CallInfoForHandlerContext(ctx); ok {
		answer.Proxied = proxied(info.RequestHeader())
	}
	if d := c.identity.Device; d != nil {
		answer.CertificateUntilMs, answer.PersistentStorage = d.UntilMS, d.Persistent
	}
	var err error
	if answer.OutsideMs, err = s.cfg.Store.LastOutside(ctx, c.identity.User.ID); err != nil {
		return nil, err
	}
	answer.Desks, err = s.selfCheckDesks(ctx)
	return answer, err
}

func (s *teleworkService) selfCheckDesks(ctx context.Context) ([]*controlv1.SelfCheckDesk, error) {
	choices, err := s.cfg.Sessions.Choices(ctx, sessionCaller(ctx))
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(choices))
	for i := range choices {
		ids[i] = choices[i].Desk.ID
	}
	problems, err := s.cfg.Waking.Problems(ctx, ids...)
	if err != nil {
		return nil, err
	}
	desks := make([]*controlv1.SelfCheckDesk, len(choices))
	for i := range choices {
		c := &choices[i]
		desks[i] = &controlv1.SelfCheckDesk{
			DeskId: c.Desk.ID, Name: c.Desk.Name, State: deskState(&c.Desk, c.Presence), MayOpen: c.Decision.Allowed(),
		}
		for _, code := range c.Decision.Reasons {
			desks[i].WhyNot = append(desks[i].WhyNot, reasonOf(access.Explain(code)))
		}
		if code := problems[c.Desk.ID]; code != "" {
			desks[i].WhyNotWakeable = reasonOf(access.Explain(code))
		} else {
			desks[i].Wakeable = true
		}
	}
	return desks, nil
}

// checkItem is the kept form of a line of a result.
type checkItem struct {
	Name    string `json:"name"`
	Outcome string `json:"outcome"`
	Value   string `json:"value"`
}

func (s *teleworkService) SaveSelfCheck(ctx context.Context, r *controlv1.SaveSelfCheckRequest) (*controlv1.SaveSelfCheckResponse, error) {
	if len(r.GetItems()) < 1 || len(r.GetItems()) > maxItems {
		return nil, invalid(errors.New("number of items"))
	}
	items := make([]checkItem, len(r.GetItems()))
	for i, item := range r.GetItems() {
		items[i] = checkItem{item.GetName(), item.GetOutcome(), item.GetValue()}
		if !items[i].possible() {
			return nil, invalid(fmt.Errorf("item %d", i))
		}
	}
	text, err := json.Marshal(items)
	if err != nil {
		return nil, err
	}
	for range codeTries {
		var b [checkBytes]byte
		_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
		code := paper.Encode(b[:], checkChars)
		err = s.cfg.Store.SaveSelfCheck(ctx, store.SelfCheck{Code: code, User: callerOf(ctx).identity.User.ID, Items: string(text)})
		if !errors.Is(err, store.ErrExists) {
			return &controlv1.SaveSelfCheckResponse{Code: paper.Format(checkPrefix, code, checkGroup)}, err
		}
	}
	return nil, err
}

func (i *checkItem) possible() bool {
	ok := i.Name != "" && (i.Outcome == "ok" || i.Outcome == "warn" || i.Outcome == "bad")
	for _, text := range []string{i.Name, i.Value} {
		ok = ok && utf8.ValidString(text) && utf8.RuneCountInString(text) <= maxItem
	}
	return ok
}

func (s *policyService) FindSelfCheck(ctx context.Context, r *controlv1.FindSelfCheckRequest) (*controlv1.FindSelfCheckResponse, error) {
	code, err := paper.Parse(checkPrefix, r.GetCode(), checkChars)
	if err != nil {
		return nil, &failure{code: access.CheckCodeMistyped, status: connect.CodeInvalidArgument, cause: err}
	}
	found, err := s.cfg.Store.SelfCheck(ctx, code)
	if err != nil {
		return nil, err
	}
	var items []checkItem
	if err := json.Unmarshal([]byte(found.Items), &items); err != nil {
		return nil, fmt.Errorf("kept self-check: %w", err)
	}
	answer := &controlv1.FindSelfCheckResponse{UserId: found.User, UserName: found.UserName, TimeMs: found.TimeMS}
	for _, i := range items {
		answer.Items = append(answer.Items, &controlv1.SelfCheckItem{Name: i.Name, Outcome: i.Outcome, Value: i.Value})
	}
	return answer, nil
}
