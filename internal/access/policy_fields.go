package access

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// field is one value of a policy: whether a rule sets it, how, and how it is written on the why page.
type field struct {
	name  string
	set   func(*PolicyRule) bool
	apply func(*Policy, *PolicyRule)
	show  func(*Policy) string
}

// fields are all values of a policy, under the names of PolicyRule in the control API, in its order.
var fields = []field{
	yesNo("telework", func(r *PolicyRule) Allow { return r.Telework }, func(p *Policy) *bool { return &p.Telework }),
	value("approval", func(r *PolicyRule) ApprovalNeed { return r.Approval }, func(p *Policy) *ApprovalNeed { return &p.Approval },
		name[ApprovalNeed]("APPROVAL_NEED_", "ALWAYS", "OUTSIDE_HOURS", "NEVER")),
	value("at_end", func(r *PolicyRule) AtEnd { return r.AtEnd }, func(p *Policy) *AtEnd { return &p.AtEnd },
		name[AtEnd]("AT_END_", "NOTHING", "WARN", "END")),
	yesNo("night", func(r *PolicyRule) Allow { return r.Night }, func(p *Policy) *bool { return &p.Night }),
	yesNo("days_off", func(r *PolicyRule) Allow { return r.DaysOff }, func(p *Policy) *bool { return &p.DaysOff }),
	value("idle_s", func(r *PolicyRule) time.Duration { return r.Idle }, func(p *Policy) *time.Duration { return &p.Idle },
		func(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }),
	value("second_factor", func(r *PolicyRule) SecondFactorNeed { return r.SecondFactor },
		func(p *Policy) *SecondFactorNeed { return &p.SecondFactor }, name[SecondFactorNeed]("SECOND_FACTOR_NEED_", "NEVER", "OUTSIDE")),
	{
		"viewers", func(r *PolicyRule) bool { return len(r.Viewers) > 0 }, func(p *Policy, r *PolicyRule) { p.Viewers = r.Viewers },
		func(p *Policy) string { return names(p.Viewers, "VIEWER_KIND_", "BROWSER", "NATIVE", "HEADLESS") },
	},
	{
		"devices", func(r *PolicyRule) bool { return len(r.Devices) > 0 }, func(p *Policy, r *PolicyRule) { p.Devices = r.Devices },
		func(p *Policy) string { return names(p.Devices, "DEVICE_KIND_", "LENT", "PRIVATE") },
	},
	yesNo("clipboard", func(r *PolicyRule) Allow { return r.Clipboard }, func(p *Policy) *bool { return &p.Clipboard }),
	value("watermark", func(r *PolicyRule) string { return r.Watermark }, func(p *Policy) *string { return &p.Watermark },
		func(s string) string { return s }),
	yesNo("office", func(r *PolicyRule) Allow { return r.Office }, func(p *Policy) *bool { return &p.Office }),
	value("on_break", func(r *PolicyRule) OnBreak { return r.OnBreak }, func(p *Policy) *OnBreak { return &p.OnBreak },
		name[OnBreak]("ON_BREAK_", "NOTHING", "LOCK")),
	value("power_after", func(r *PolicyRule) PowerAfter { return r.PowerAfter }, func(p *Policy) *PowerAfter { return &p.PowerAfter },
		name[PowerAfter]("POWER_AFTER_", "LEAVE", "SLEEP", "SHUT_DOWN")),
	yesNo("registration", func(r *PolicyRule) Allow { return r.Registration }, func(p *Policy) *bool { return &p.Registration }),
	value("days_per_week", func(r *PolicyRule) int { return r.DaysPerWeek }, func(p *Policy) *int { return &p.DaysPerWeek }, strconv.Itoa),
	{
		"apply", func(r *PolicyRule) bool { return r.ApplySet },
		func(p *Policy, r *PolicyRule) {
			p.ApplySet, p.ApplyDaysBefore, p.ApplyMinute = true, r.ApplyDaysBefore, r.ApplyMinute
		},
		func(p *Policy) string {
			if !p.ApplySet {
				return ""
			}
			return fmt.Sprintf("%d %02d:%02d", p.ApplyDaysBefore, p.ApplyMinute/60, p.ApplyMinute%60)
		},
	},
	yesNo("personal_data", func(r *PolicyRule) Allow { return r.PersonalData }, func(p *Policy) *bool { return &p.PersonalData }),
	yesNo("after_fact", func(r *PolicyRule) Allow { return r.AfterFact }, func(p *Policy) *bool { return &p.AfterFact }),
}

// yesNo is a field that rules answer with yes, no, or not at all.
func yesNo(name string, of func(*PolicyRule) Allow, in func(*Policy) *bool) field {
	return field{
		name, func(r *PolicyRule) bool { return of(r) != 0 },
		func(p *Policy, r *PolicyRule) { *in(p) = of(r) == AllowYes },
		func(p *Policy) string {
			if *in(p) {
				return "ALLOW_YES"
			}
			return "ALLOW_NO"
		},
	}
}

// value is a field whose zero value in a rule is inherited.
func value[T comparable](name string, of func(*PolicyRule) T, in func(*Policy) *T, show func(T) string) field {
	var inherited T
	return field{
		name, func(r *PolicyRule) bool { return of(r) != inherited },
		func(p *Policy, r *PolicyRule) { *in(p) = of(r) },
		func(p *Policy) string { return show(*in(p)) },
	}
}

// name writes a small number that counts from 1 as the control API names it.
func name[T ~uint8](prefix string, all ...string) func(T) string {
	return func(n T) string {
		if n == 0 || int(n) > len(all) {
			return prefix + "UNSPECIFIED"
		}
		return prefix + all[n-1]
	}
}

func names[T ~uint8](kinds []T, prefix string, all ...string) string {
	texts := make([]string, len(kinds))
	for i, k := range kinds {
		texts[i] = name[T](prefix, all...)(k)
	}
	return strings.Join(texts, " ")
}

// Value is one value of a resolved policy and where it comes from.
type Value struct {
	Name  string      // as in PolicyRule of the control API
	Value string      // in words of the control API
	Rule  *PolicyRule // nil: the organisation's settings
}

// Values are the values of [Settings.Resolve] with their sources.
func (s *Settings) Values(sub Subject) []Value {
	p, layers := s.Resolve(sub), s.Policy.layers(sub)
	values := make([]Value, len(fields))
	for i, f := range fields {
		values[i] = Value{Name: f.name, Value: f.show(&p)}
		for _, r := range layers {
			if f.set(r) {
				values[i].Rule = r
			}
		}
	}
	return values
}
