package agent

import (
	"time"

	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/power"
	"jiseki/internal/wire"
)

// plan takes a plan order.
func (a *Agent) plan(order *controlv1.PlanOrder) (code string) {
	p := power.Plan{After: power.After(min(order.GetAfter(), 0xff))} //nolint:gosec // bounded here
	for _, ms := range order.GetWakeMs() {
		p.Wake = append(p.Wake, time.UnixMilli(ms))
	}
	if order.GetRemindFromMs() != 0 {
		p.RemindFrom, p.RemindUntil = time.UnixMilli(order.GetRemindFromMs()), time.UnixMilli(order.GetRemindUntilMs())
	}
	if err := a.power.SetPlan(p); err != nil {
		a.log.Warn("plan of the gateway", "err", err)
		return "bad_order"
	}
	return ""
}

// use is how the desk is used at this moment: whoever has just come must not lose it.
func (a *Agent) use() power.Use {
	a.look()
	a.mu.Lock()
	defer a.mu.Unlock()
	return power.Use{InSession: a.session != nil || len(a.pending) > 0, LoggedOn: a.loggedOn, Present: a.present}
}

// onPurpose says whether a code ends a session for good: somebody ended it, or its time was over. The others leave a
// user who comes back.
func onPurpose(code wire.Code) bool {
	return code == wire.EndedByUser || code == wire.Expired || code == wire.Policy
}
