package telework

import (
	"slices"
	"time"
)

// span is a time in milliseconds, from included and until excluded.
type span struct{ from, until int64 }

// spans are in order and apart.
type spans []span

// join makes spans of any that have length.
func join(all []span) spans {
	all = slices.DeleteFunc(slices.Clone(all), func(s span) bool { return s.until <= s.from })
	slices.SortFunc(all, func(a, b span) int { return int(min(max(a.from-b.from, -1), 1)) })
	var out spans
	for _, s := range all {
		if n := len(out); n > 0 && s.from <= out[n-1].until {
			out[n-1].until = max(out[n-1].until, s.until)
			continue
		}
		out = append(out, s)
	}
	return out
}

func (a spans) total() (ms int64) {
	for _, s := range a {
		ms += s.until - s.from
	}
	return ms
}

// minus is what of a is not in b.
func (a spans) minus(b spans) spans {
	var out spans
	for _, s := range a {
		for _, cut := range b {
			if cut.until <= s.from || cut.from >= s.until {
				continue
			}
			if cut.from > s.from {
				out = append(out, span{s.from, cut.from})
			}
			s.from = cut.until
		}
		if s.from < s.until {
			out = append(out, s)
		}
	}
	return out
}

// spans of the segments of the kinds that are asked for, all without kinds. A segment that lasts goes until now; where
// the end is missing it is nothing.
func (w *Workday) spans(now time.Time, kinds ...SegmentKind) spans {
	var all []span
	current := w.Current(now)
	for _, s := range w.Segments {
		if len(kinds) > 0 && !slices.Contains(kinds, s.Kind) {
			continue
		}
		until := s.UntilMS
		if s.Lasts() && current {
			until = now.UnixMilli()
		}
		all = append(all, span{s.FromMS, until})
	}
	return join(all)
}
