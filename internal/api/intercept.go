package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"connectrpc.com/connect"

	"jiseki/internal/access"
	"jiseki/internal/auth"
	"jiseki/internal/quiet"
	"jiseki/internal/store"
)

// idleLimit ends a sign-in that was not used for so long, unless a session of
// its device runs: then its user is at work.
const idleLimit = 30 * time.Minute

// workTime bounds what is done for a caller who may be gone. What takes longest is checking the whole audit log.
const workTime = 10 * time.Minute

// intercept turns what a method answers with into what goes out. What somebody who is signed in has begun is done to
// its end, whatever becomes of his line and however little time he gives it: else an act could be written, and what
// follows from it, as the end of sessions, not be done. Of one user few calls are at work, so this holds nobody up.
func (s *Server) intercept() connect.UnaryInterceptorFunc {
	return func(next connect.UnaryFunc) connect.UnaryFunc {
		return func(ctx context.Context, r connect.AnyRequest) (connect.AnyResponse, error) {
			if !rules[r.Spec().Procedure].open {
				var done context.CancelFunc
				ctx, done = context.WithTimeout(context.WithoutCancel(ctx), workTime)
				defer done()
			}
			answer, err := next(ctx, r)
			if err != nil {
				return nil, s.fail(ctx, r.Spec().Procedure, err)
			}
			return answer, nil
		}
	}
}

// admit finds out who calls and whether he may call a method with this rule. It knows nothing of the call but its head.
func (s *Server) admit(ctx context.Context, door Door, rule rule, header http.Header) (context.Context, error) {
	if door == Socket {
		return withCaller(ctx, &caller{by: store.By{Actor: "cli:local"}}), nil
	}
	known, err := s.countCall(ctx, rule.open, header)
	if err != nil {
		return ctx, err
	}
	if rule.agent && fromBrowser(header) {
		return ctx, deny(access.NotAllowed)
	}
	if rule.open {
		return ctx, nil
	}
	c, err := s.identify(ctx, door, header, known)
	if err != nil {
		return ctx, err
	}
	if !c.may.Has(rule.may) {
		return ctx, s.denial(c, rule)
	}
	return withCaller(ctx, c), nil
}

// countCall counts a call as its user's, if the sign-in that it brings is known and it needs one, else as its address's.
func (s *Server) countCall(ctx context.Context, open bool, header http.Header) (known bool, err error) {
	wait := 0
	if !open {
		known, wait = s.limiter.takeOwn(tokenOf(header))
	}
	if !known {
		wait = s.limiter.take(requestOf(ctx).remote, open)
	}
	if wait > 0 {
		return known, tooSoon(wait)
	}
	return known, nil
}

// denial says what a sign-in is missing for a method.
func (s *Server) denial(c *caller, r rule) error {
	switch {
	case c.identity.User.MustChange:
		return deny(access.PasswordMustChange)
	case r.may == access.MayChangePassword:
		return deny(access.ChangeNeedsDevice)
	case r.may == access.MayOpenDesk && c.identity.Device == nil:
		return deny(access.DeviceNeeded)
	case c.identity.Device != nil && c.identity.LacksSecond() != "" && r.may != access.MayAdminister:
		return deny(c.identity.LacksSecond())
	case r.may == access.MayAdminister && c.identity.User.Has(access.Admin):
		return deny(access.WrongListener)
	}
	return deny(access.NotAllowed)
}

// identify finds the caller by the cookie. Of those whose token has not shown itself few at a time ask the database.
func (s *Server) identify(ctx context.Context, door Door, header http.Header, known bool) (*caller, error) {
	if !known {
		if err := s.newcomers.Acquire(ctx, 1); err != nil {
			return nil, err
		}
		defer s.newcomers.Release(1)
	}
	c, err := s.authenticate(ctx, door, header)
	if err != nil {
		s.limiter.forget(tokenOf(header))
		return nil, err
	}
	s.limiter.meet(tokenOf(header), c.identity.User.ID)
	return c, nil
}

// authenticate is identify without the order.
func (s *Server) authenticate(ctx context.Context, door Door, header http.Header) (*caller, error) {
	notSignedIn := &failure{code: access.NotSignedIn, status: connect.CodeUnauthenticated}
	token := tokenOf(header)
	if token == "" {
		return nil, notSignedIn
	}
	identity, err := s.cfg.Auth.Resume(ctx, token, requestOf(ctx).remote)
	var no *auth.Refusal
	if errors.As(err, &no) {
		return nil, notSignedIn
	}
	if err != nil {
		return nil, fmt.Errorf("resume sign-in: %w", err)
	}
	idle, err := s.isIdle(ctx, identity)
	if err != nil {
		return nil, err
	}
	if idle {
		if err := s.cfg.Auth.SignOut(ctx, identity); err != nil {
			return nil, fmt.Errorf("end an idle sign-in: %w", err)
		}
		return nil, notSignedIn
	}
	if identity.Device != nil && s.cfg.Met != nil {
		s.cfg.Met("user:"+identity.User.ID, identity.Address)
	}
	return &caller{identity: identity, may: identity.May(s.cfg.Now(), door == Office), by: identity.By()}, nil
}

func (s *Server) isIdle(ctx context.Context, id *auth.Identity) (bool, error) {
	if store.Since(s.cfg.Now(), id.SignIn.LastUsedMS) < idleLimit {
		return false, nil
	}
	if id.SignIn.Device == "" {
		return true, nil
	}
	running, _, err := s.cfg.Store.Sessions(ctx, store.SessionFilter{Device: id.SignIn.Device, User: id.User.ID, Running: true}, store.Page{Limit: 1})
	if err != nil {
		return false, fmt.Errorf("look for a running session: %w", err)
	}
	return len(running) == 0, nil
}

// fail turns an error into what goes out, and logs it once if it is ours.
func (s *Server) fail(ctx context.Context, procedure string, err error) error {
	f := failureOf(err)
	call := requestOf(ctx)
	log := s.log.With(quiet.From(call.remote)).With("request", call.id, "method", procedure, "code", string(f.code))
	if f.serious() {
		log.Error("a call failed", "err", err)
	} else {
		log.Info("a call was refused", "err", err)
	}
	return f.connectError()
}

func (s *Server) recovered(ctx context.Context, spec connect.Spec, _ http.Header, what any) error {
	return s.fail(ctx, spec.Procedure, fmt.Errorf("panic: %v", what))
}

// cookieName's prefix makes browsers insist on Secure, Path=/ and no Domain.
const cookieName = "__Host-jiseki"

func tokenOf(header http.Header) string {
	r := http.Request{Header: header}
	c, err := r.Cookie(cookieName)
	if err != nil {
		return ""
	}
	return c.Value
}

// formerToken is the one that the browser sent along with a call that needs none.
func formerToken(ctx context.Context) string {
	info, ok := connect.CallInfoForHandlerContext(ctx)
	if !ok {
		return ""
	}
	return tokenOf(info.RequestHeader())
}

// setCookie gives the browser a token until the sign-in ends by itself; an empty
// token takes it away.
func setCookie(ctx context.Context, token string, life time.Duration) {
	info, ok := connect.CallInfoForHandlerContext(ctx)
	if !ok {
		return
	}
	c := &http.Cookie{
		Name: cookieName, Value: token, Path: "/", Secure: true, HttpOnly: true,
		SameSite: http.SameSiteStrictMode, MaxAge: int(life / time.Second),
	}
	if token == "" {
		c.MaxAge = -1
	}
	info.ResponseHeader().Add("Set-Cookie", c.String())
}
