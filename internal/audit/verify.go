package audit

import (
	"fmt"
	"iter"
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
	Problem *Problem // nil if the chain is whole
}

// Against are the heads that a chain is held against. All are optional.
type Against struct {
	Stored *Mark  // the head row of the database
	Marks  []Mark // heads whose signatures were checked before
	Lines  []Line // printed heads
}

// Verify reads the whole chain from event 1 and stops at the first problem: a gap (deletion), a number or time that
// goes backwards (reordering), a hash that does not follow (rewriting), an end before a given head (truncation), or
// another history than a given head's. The error is events' own.
func Verify(events iter.Seq2[Event, error], against Against) (Report, error) {
	v := verifier{against: against, marks: make(map[uint64][]Mark)}
	for _, k := range against.Marks {
		v.marks[k.Number] = append(v.marks[k.Number], k)
	}
	for e, err := range events {
		if err != nil {
			return v.report, err
		}
		if p := v.add(&e); p != nil {
			v.report.Problem = p
			return v.report, nil
		}
	}
	v.report.Problem = v.finish()
	return v.report, nil
}

type verifier struct {
	report  Report
	against Against
	marks   map[uint64][]Mark // those of against by their number
}

func (v *verifier) add(e *Event) *Problem {
	last := v.report.Last
	switch {
	case e.Number > last.Number+1:
		return &Problem{last.Number + 1, fmt.Sprintf("missing: the next event has number %d", e.Number)}
	case e.Number != last.Number+1:
		return &Problem{e.Number, fmt.Sprintf("out of order after %d", last.Number)}
	case e.TimeMS < last.TimeMS:
		return &Problem{e.Number, "earlier than the event in front"}
	case e.hash(last.Hash) != e.Hash:
		return &Problem{e.Number, "its hash does not follow: it or an event in front was rewritten"}
	}
	v.report.Last = e.Mark()
	v.report.Checked++
	return v.compare()
}

// compare holds the event just read against every head of the same number.
func (v *verifier) compare() *Problem {
	m := v.report.Last
	for _, k := range v.marks[m.Number] {
		if k != m {
			return &Problem{m.Number, "another history than the signed head's"}
		}
	}
	for _, l := range v.against.Lines {
		if l.Number == m.Number && !l.Matches(m) {
			return &Problem{m.Number, "another history than the printed head's"}
		}
	}
	return nil
}

// finish looks for an end that came too early.
func (v *verifier) finish() *Problem {
	end := v.report.Last.Number
	highest := uint64(0)
	for _, k := range v.against.Marks {
		highest = max(highest, k.Number)
	}
	for _, l := range v.against.Lines {
		highest = max(highest, l.Number)
	}
	if s := v.against.Stored; s != nil {
		highest = max(highest, s.Number)
	}
	if highest > end {
		return &Problem{end + 1, fmt.Sprintf("the log ends at %d, but a head of %d is known", end, highest)}
	}
	if s := v.against.Stored; s != nil && *s != v.report.Last {
		return &Problem{end, "the head kept in the database is another one"}
	}
	return nil
}
