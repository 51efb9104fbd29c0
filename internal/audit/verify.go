package audit

import (
	"cmp"
	"fmt"
	"iter"
	"slices"

	"jiseki/internal/cert"
)

// Problem is what does not fit in a chain.
type Problem struct {
	At   uint64 // number of the event where it shows
	What string // what is wrong, for an administrator
}

// Error makes a Problem an error.
func (p *Problem) Error() string { return fmt.Sprintf("audit: event %d: %s", p.At, p.What) }

// Report is what Verify found.
type Report struct {
	Checked uint64   // events that were read and fit
	Last    Mark     // head of the part that fits
	Heads   uint64   // kept heads that were held against it
	Problem *Problem // nil if the chain is whole
}

// Against are the heads that a chain is held against. All are optional.
type Against struct {
	Stored *Mark // the head row of the database
	Kept   Kept
	Lines  []Line // printed heads
}

// Kept are signed heads that somebody kept, such as ReadHeads gives them. In the order of their numbers none is held in
// memory.
type Kept struct {
	Heads iter.Seq2[Head, error] // nil: none
	Keys  []cert.PublicKey       // the audit keys: one has signed each head
}

// Verify reads the whole chain from event 1 and stops at the first problem: a gap (deletion), a number or time that
// goes backwards (reordering), a hash that does not follow (rewriting), an end before a given head (truncation), or
// another history than a given head's. The error is events' or the kept heads' own.
//
// Of the kept heads that fit it checks the newest one's signature: with the chain, that signature stands for all before
// it. One that does not fit, or lies beyond the end, says something only if it is signed. A signature that is none is
// ErrHead. It may read events twice.
func Verify(events iter.Seq2[Event, error], against Against) (Report, error) {
	heads := against.Kept.Heads
	if heads == nil {
		heads = func(func(Head, error) bool) {}
	}
	next, stop := iter.Pull2(heads)
	defer stop()
	v := verifier{against: against, next: next}
	if err := v.advance(); err != nil {
		return v.report, err
	}
	for e, err := range events {
		if err == nil {
			v.report.Problem, err = v.add(&e)
		}
		if err != nil || v.report.Problem != nil {
			return v.report, err
		}
	}
	var err error
	if v.report.Problem, err = v.finish(); err != nil || v.report.Problem != nil || len(v.behind) == 0 {
		return v.report, err
	}
	again, err := Verify(events, Against{Kept: Kept{inOrder(v.behind), against.Kept.Keys}})
	v.report.Problem = again.Problem
	return v.report, err
}

func inOrder(heads []Head) iter.Seq2[Head, error] {
	slices.SortFunc(heads, func(a, b Head) int { return cmp.Compare(a.Number, b.Number) })
	return func(yield func(Head, error) bool) {
		for i := range heads {
			if !yield(heads[i], nil) {
				return
			}
		}
	}
}

type verifier struct {
	report  Report
	against Against
	next    func() (Head, error, bool)
	head    Head   // the next kept head
	more    bool   // there is one
	newest  Head   // of the kept heads that fit; without issuer and signature if there is none
	behind  []Head // kept heads that came after a later one
}

// advance reads the next kept head.
func (v *verifier) advance() (err error) {
	if v.head, err, v.more = v.next(); err == nil && v.more {
		v.report.Heads++
	}
	return err
}

func (v *verifier) add(e *Event) (*Problem, error) {
	last := v.report.Last
	switch {
	case e.Number > last.Number+1:
		return &Problem{last.Number + 1, fmt.Sprintf("missing: the next event has number %d", e.Number)}, nil
	case e.Number != last.Number+1:
		return &Problem{e.Number, fmt.Sprintf("out of order after %d", last.Number)}, nil
	case e.TimeMS < last.TimeMS:
		return &Problem{e.Number, "earlier than the event in front"}, nil
	case e.hash(last.Hash) != e.Hash:
		return &Problem{e.Number, "its hash does not follow: it or an event in front was rewritten"}, nil
	}
	v.report.Last = e.Mark()
	v.report.Checked++
	for _, l := range v.against.Lines {
		if l.Number == e.Number && !l.Matches(v.report.Last) {
			return &Problem{e.Number, "another history than the printed head's"}, nil
		}
	}
	return v.compare()
}

// compare holds the event just read against the kept heads of the same number.
func (v *verifier) compare() (*Problem, error) {
	m := v.report.Last
	for v.more && v.head.Number <= m.Number {
		switch {
		case v.head.Number < m.Number:
			v.behind = append(v.behind, v.head)
		case v.head.Mark == m:
			v.newest = v.head
		default:
			if err := v.signed(v.head); err != nil {
				return nil, err
			}
			return &Problem{m.Number, "another history than the signed head's"}, nil
		}
		if err := v.advance(); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// signed is ErrHead for a head that none of the keys signed.
func (v *verifier) signed(h Head) error {
	if err := h.Verify(v.against.Kept.Keys); err != nil {
		return fmt.Errorf("%w: head %d: %w", ErrHead, h.Number, err)
	}
	return nil
}

// finish looks for an end that came too early, and at the newest signature.
func (v *verifier) finish() (*Problem, error) {
	end := v.report.Last.Number
	for v.more { // what is left lies beyond the end, but for what is behind
		if v.head.Number > max(end, v.newest.Number) {
			v.newest = v.head
		}
		if v.head.Number <= end {
			v.behind = append(v.behind, v.head)
		}
		if err := v.advance(); err != nil {
			return nil, err
		}
	}
	highest := v.newest.Number
	if highest > 0 {
		if err := v.signed(v.newest); err != nil {
			return nil, err
		}
	}
	for _, l := range v.against.Lines {
		highest = max(highest, l.Number)
	}
	if s := v.against.Stored; s != nil {
		highest = max(highest, s.Number)
	}
	if highest > end {
		return &Problem{end + 1, fmt.Sprintf("the log ends at %d, but a head of %d is known", end, highest)}, nil
	}
	if s := v.against.Stored; s != nil && *s != v.report.Last {
		return &Problem{end, "the head kept in the database is another one"}, nil
	}
	return nil, nil
}
