package main

import (
	"errors"
	"testing"

	"connectrpc.com/connect"

	"jiseki/internal/access"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
)

// TestLockTellsWhatIsKnown: a desk that said that it does not lock is another thing than one that did not answer.
func TestLockTellsWhatIsKnown(t *testing.T) {
	refusal := func(code access.Code) error {
		detail, err := connect.NewErrorDetail(&controlv1.Refusal{Reasons: []*controlv1.Reason{{Code: string(code)}}})
		if err != nil {
			t.Fatal(err)
		}
		failed := connect.NewError(connect.CodeFailedPrecondition, errors.New("no"))
		failed.AddDetail(detail)
		return failed
	}
	for _, c := range []struct {
		err     error
		unknown bool
	}{
		{refusal(access.DeskCannotLock), false},
		{refusal(access.AgentNoAnswer), true},
		{refusal(access.DeskOff), true},
		{refusal(access.DeskUnknown), true},
		{connect.NewError(connect.CodeUnavailable, errors.New("no gateway")), true},
		{connect.NewError(connect.CodeInternal, errors.New("the other gateway failed")), true},
		{connect.NewError(connect.CodePermissionDenied, errors.New("not yours")), false},
	} {
		if got := lockError(c.err); errors.Is(got, errUnknown) != c.unknown {
			t.Errorf("%v counts as unknown: %v", c.err, !c.unknown)
		}
	}
}
