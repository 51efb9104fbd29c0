package api

import (
	"context"
	"errors"
	"math"
	"time"

	"connectrpc.com/connect"

	"jiseki/internal/access"
	"jiseki/internal/auth"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/session"
	"jiseki/internal/store"
	"jiseki/internal/telework"
)

// A failure is an error with what the caller may know of it: the code and its
// words go out, the cause stays in the log.
type failure struct {
	code       access.Code
	status     connect.Code
	retryAfter int // seconds
	cause      error
}

func (f *failure) Error() string {
	if f.cause == nil {
		return string(f.code)
	}
	return string(f.code) + ": " + f.cause.Error()
}

func (f *failure) Unwrap() error { return f.cause }

func deny(code access.Code) error { return &failure{code: code, status: connect.CodePermissionDenied} }

func invalid(cause error) error {
	return &failure{code: access.Invalid, status: connect.CodeInvalidArgument, cause: cause}
}

// busy refuses a call for which there is no room now; it may be tried again after so many seconds, zero: the caller
// knows when.
func busy(retryAfter int, cause error) error {
	return &failure{code: access.Busy, status: connect.CodeUnavailable, retryAfter: retryAfter, cause: cause}
}

// tooLong refuses a body for its length, or for what it holds.
func tooLong(cause error) error {
	return &failure{code: access.TooLong, status: connect.CodeInvalidArgument, cause: cause}
}

// tooSoon refuses who calls too often, and says in how many seconds to call again.
func tooSoon(wait int) error {
	return &failure{code: access.TooManyAtOnce, status: connect.CodeResourceExhausted, retryAfter: wait}
}

// failureOf finds out what the caller may know of an error.
func failureOf(err error) *failure {
	var known *failure
	if errors.As(err, &known) {
		return known
	}
	var no *telework.Refusal
	if errors.As(err, &no) {
		return &failure{code: no.Problems[0].Code, status: connect.CodeFailedPrecondition, cause: err}
	}
	for _, k := range []struct {
		is     error
		code   access.Code
		status connect.Code
	}{
		{store.ErrNotFound, access.NotFound, connect.CodeNotFound},
		{store.ErrExists, access.Exists, connect.CodeAlreadyExists},
		{store.ErrInUse, access.InUse, connect.CodeFailedPrecondition},
		{store.ErrStale, access.Stale, connect.CodeAborted},
		{session.ErrLost, access.NotKept, connect.CodeUnavailable},
		{session.ErrUnwritten, access.Unwritten, connect.CodeUnavailable},
		{store.ErrFull, access.DiskFull, connect.CodeUnavailable},
		{store.ErrClock, access.GatewayClock, connect.CodeUnavailable},
		{store.ErrNoInventory, access.InventoryNeeded, connect.CodeInvalidArgument},
		{store.ErrInvalid, access.Invalid, connect.CodeInvalidArgument},
		{access.ErrSettings, access.Invalid, connect.CodeInvalidArgument},
		{store.ErrNotAllowed, access.NotYours, connect.CodePermissionDenied},
		{telework.ErrDraft, access.Invalid, connect.CodeInvalidArgument},
		{auth.ErrBusy, access.Busy, connect.CodeUnavailable},
		{context.Canceled, access.Internal, connect.CodeCanceled},
		{context.DeadlineExceeded, access.Busy, connect.CodeDeadlineExceeded},
	} {
		if errors.Is(err, k.is) {
			return &failure{code: k.code, status: k.status, cause: err}
		}
	}
	return &failure{code: access.Internal, status: connect.CodeInternal, cause: err}
}

// connectError is what goes out: the code as text and the words as a detail.
func (f *failure) connectError() *connect.Error {
	out := connect.NewError(f.status, errors.New(string(f.code)))
	refusal := refusalOf(f.code)
	refusal.RetryAfterS = int32(f.retryAfter) //nolint:gosec // some minutes
	detail, err := connect.NewErrorDetail(refusal)
	if err == nil {
		out.AddDetail(detail)
	}
	return out
}

// serious says whether an error is one for the log's attention, and not a
// caller's mistake.
func (f *failure) serious() bool {
	return f.status == connect.CodeInternal || f.status == connect.CodeDeadlineExceeded ||
		f.code == access.Unwritten || f.code == access.NotKept || f.code == access.DiskFull || f.code == access.GatewayClock
}

// refusalOf gives reasons their words.
func refusalOf(codes ...access.Code) *controlv1.Refusal {
	r := &controlv1.Refusal{}
	for _, code := range codes {
		r.Reasons = append(r.Reasons, reasonOf(access.Explain(code)))
	}
	return r
}

func reasonOf(r access.Reason) *controlv1.Reason {
	return &controlv1.Reason{Code: string(r.Code), Ja: r.JA, En: r.EN, HelpJa: r.HelpJA, HelpEn: r.HelpEN}
}

// expectedNo turns a refusal of a session or of package auth into the response's
// own field.
func expectedNo(err error) (*controlv1.Refusal, bool) {
	var session *session.Refusal
	if errors.As(err, &session) {
		r := refusalOf(session.Reasons...)
		r.RetryAfterS = wholeSeconds(session.RetryAfter)
		return r, true
	}
	var no *auth.Refusal
	if !errors.As(err, &no) {
		return nil, false
	}
	r := &controlv1.Refusal{RetryAfterS: wholeSeconds(no.RetryAfter)}
	for _, reason := range no.Reasons {
		r.Reasons = append(r.Reasons, reasonOf(reason))
	}
	return r, true
}

func wholeSeconds(d time.Duration) int32 { return int32(min(math.Ceil(d.Seconds()), math.MaxInt32)) }
