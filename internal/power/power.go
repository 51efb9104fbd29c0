// Package power is a desk's power as the gateway plans it: it sets the machine's wake timer for the next approved day,
// reminds whoever is at the desk in the evening to leave it on, and lets the desk sleep or shut down after sessions.
//
// It never takes a desk from somebody: while a session runs or somebody uses the desk's own keyboard or mouse nothing
// happens; where somebody is logged on it asks on the screen, counts down, and any use or the button calls it off. What
// was not ended on purpose, such as a session whose line was lost, is put to sleep at most and never shut down.
package power

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"jiseki/internal/calendar"
)

// After says what a desk does after a session. The numbers are those of the message PlanOrder.
type After uint8

// What a desk does. 0 is Leave.
const (
	Leave    After = 1
	Sleep    After = 2
	ShutDown After = 3
)

// Plan is when the desk will be needed. The zero value plans nothing.
type Plan struct {
	Wake                    []time.Time // ascending
	RemindFrom, RemindUntil time.Time   // zero: no reminder
	After                   After
}

// maxWakes is how many times a plan may name.
const maxWakes = 16

// ErrPlan means that a plan cannot be meant.
var ErrPlan = errors.New("power: malformed plan")

// Check refuses a plan that cannot be meant.
func (p *Plan) Check() error {
	reminder := p.RemindUntil.Sub(p.RemindFrom)
	if len(p.Wake) > maxWakes || p.After > ShutDown || reminder < 0 || reminder > 24*time.Hour ||
		!slices.IsSortedFunc(p.Wake, time.Time.Compare) {
		return ErrPlan
	}
	return nil
}

// next is the first time to wake after now; zero if there is none.
func (p *Plan) next(now time.Time) time.Time {
	for _, at := range p.Wake {
		if at.After(now) {
			return at
		}
	}
	return time.Time{}
}

// Use is how a desk is used now.
type Use struct {
	InSession bool // by a viewer
	LoggedOn  bool // somebody is logged on
	Present   bool // its own keyboard or mouse was used in the last minutes
}

// A Timer wakes the machine at a time, also from sleep and, where the machine can, when it is shut down.
type Timer interface {
	// Set replaces the time. now is the caller's clock: the machine's hardware clock may show another time.
	Set(at, now time.Time) error
	// Clear forgets it.
	Clear() error
}

// Config is what a Manager needs. Use and Now are required.
type Config struct {
	Log *slog.Logger
	Now func() time.Time
	Use func() Use // how the desk is used at the moment of the call
	// Timer; nil: the machine has none.
	Timer Timer
	// Show shows a line with a button at the desk until it is closed; nil: the desk has no screen to show it on.
	Show func(text, button string, pressed func()) (io.Closer, error)
	// Command runs a program; nil is [Run].
	Command func(ctx context.Context, name string, args ...string) error
}

const (
	// look is how often the desk's use is looked at.
	look = 5 * time.Second
	// settle is how long after a session nothing is done: its user may come back.
	settle = 2 * time.Minute
	// lost is the same for a session that was not ended on purpose.
	lost = 30 * time.Minute
	// countDown is how long somebody who is logged on is asked.
	countDown = 60 * time.Second
	// countBy is in which steps the count is shown.
	countBy = 10 * time.Second
	// verify is how often the wake timer is set again: other programs may have changed it.
	verify = 10 * time.Minute
	// commandLimit bounds a program that is run.
	commandLimit = 30 * time.Second
)

// A Manager is the power of one desk. Its methods may be called from many goroutines.
type Manager struct {
	cfg  Config
	kick chan struct{} // holds one token when something has changed

	mu    sync.Mutex
	plan  Plan
	rest  *rest // what to do after the last session; nil: nothing
	heard bool  // the reminder's button was pressed

	// Of Run alone:
	armed    time.Time // what the timer is set to
	checked  time.Time // when it was
	unset    bool      // setting it failed, which was said
	reminder io.Closer
}

// A rest is the way from a session's end to sleeping or shutting down.
type rest struct {
	ended     time.Time
	onPurpose bool
	asked     time.Time // when the count-down began; zero: not yet
	shown     time.Duration
	notice    io.Closer
	off       bool // somebody called it off
}

// New makes a Manager that does nothing until Run.
func New(cfg Config) *Manager {
	if cfg.Command == nil {
		cfg.Command = Run
	}
	return &Manager{cfg: cfg, kick: make(chan struct{}, 1)}
}

// Run runs a program of the system, bounded in time; its error has what it said.
func Run(ctx context.Context, name string, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, commandLimit)
	defer cancel()
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, strings.TrimSpace(string(out[:min(len(out), 300)])))
	}
	return nil
}

// SetPlan replaces the plan.
func (m *Manager) SetPlan(p Plan) error {
	if err := p.Check(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if !p.RemindFrom.Equal(m.plan.RemindFrom) {
		m.heard = false
	}
	m.plan = p
	m.changed()
	return nil
}

// SessionEnded says that a session ended, on purpose or not.
func (m *Manager) SessionEnded(onPurpose bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rest = &rest{ended: m.now(), onPurpose: onPurpose}
	m.changed()
}

// changed wakes Run. The caller holds mu.
func (m *Manager) changed() {
	select {
	case m.kick <- struct{}{}:
	default:
	}
}

// now is without the monotonic clock, which stands still while the machine sleeps.
func (m *Manager) now() time.Time { return m.cfg.Now().Round(0) }

// Run manages the desk's power until ctx ends. The wake timer stays set.
func (m *Manager) Run(ctx context.Context) error {
	tick := time.NewTicker(look)
	defer tick.Stop()
	var resting *rest
	defer func() { m.hide(&m.reminder); m.drop(resting) }()
	for {
		m.mu.Lock()
		plan, heard, newest := m.plan, m.heard, m.rest
		m.mu.Unlock()
		if newest != resting {
			m.drop(resting)
			resting = newest
		}
		use, now := m.cfg.Use(), m.now()
		m.arm(&plan, now)
		m.remind(&plan, use, now, heard)
		if resting != nil && m.step(ctx, resting, &plan, use, now) {
			m.finished(resting)
			m.drop(resting)
			resting = nil
		}
		select {
		case <-tick.C:
		case <-m.kick:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// finished forgets r unless a newer session ended meanwhile.
func (m *Manager) finished(r *rest) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.rest == r {
		m.rest = nil
	}
}

// drop takes away what r shows.
func (m *Manager) drop(r *rest) {
	if r != nil {
		m.hide(&r.notice)
	}
}

// arm keeps the wake timer at the plan's next time. The kernel keeps it over sleep and shut-down, so it is set at once
// and not only before sleep: a machine that loses its battery still wakes.
func (m *Manager) arm(plan *Plan, now time.Time) {
	if m.cfg.Timer == nil {
		return
	}
	next := plan.next(now)
	if next.Equal(m.armed) && (next.IsZero() || now.Sub(m.checked) < verify && !now.Before(m.checked)) {
		return
	}
	err := m.set(next, now)
	if err != nil && !m.unset {
		m.cfg.Log.Warn("the wake timer was not set", "at", next, "err", err)
	}
	if err == nil && !next.Equal(m.armed) {
		m.cfg.Log.Info("wake timer", "at", next)
	}
	m.unset = err != nil
	m.armed, m.checked = next, now // a timer that cannot be set is tried again with the check
}

func (m *Manager) set(at, now time.Time) error {
	if at.IsZero() {
		return m.cfg.Timer.Clear()
	}
	return m.cfg.Timer.Set(at, now)
}

// remind shows the evening's reminder while it is time, nobody works from afar, and somebody is logged on to read it.
func (m *Manager) remind(plan *Plan, use Use, now time.Time, heard bool) {
	due := !plan.RemindFrom.IsZero() && !now.Before(plan.RemindFrom) && now.Before(plan.RemindUntil)
	if !due || heard || use.InSession || !use.LoggedOn {
		m.hide(&m.reminder)
		return
	}
	if m.reminder != nil {
		return
	}
	m.reminder = m.show(Reminder(now, plan.next(plan.RemindFrom)), "確認しました", func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.heard = true
		m.changed()
	})
}

// Reminder is what the desk shows in the evening before a telework day.
func Reminder(now, next time.Time) string {
	day := "次の勤務日"
	if !next.IsZero() {
		d := calendar.DateOf(next)
		day = fmt.Sprintf("%d月%d日（%s）", d.Month, d.Day, calendar.WeekdayJA(d))
		if d == calendar.DateOf(now).Add(1) {
			day = "明日"
		}
	}
	return day + "はテレワークです。電源を入れたまま退庁してください"
}

// step goes on with a rest and says whether it is over: done, or called off.
func (m *Manager) step(ctx context.Context, r *rest, plan *Plan, use Use, now time.Time) (over bool) {
	after := plan.After
	if after == ShutDown && !r.onPurpose {
		after = Sleep
	}
	r.notAhead(now)
	wait := settle
	if !r.onPurpose {
		wait = lost
	}
	if after <= Leave || m.taken(r, use) {
		return true
	}
	if now.Sub(r.ended) < wait || use.LoggedOn && !m.counted(r, after, now) {
		return false
	}
	use = m.cfg.Use() // again: setting the timer and showing lines has taken its time
	if m.taken(r, use) {
		return true
	}
	if use.LoggedOn && !m.counted(r, after, now) { // since a moment
		return false
	}
	m.act(ctx, after)
	return true
}

// taken says whether somebody uses the desk, or has called the rest off.
func (m *Manager) taken(r *rest, use Use) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return r.off || use.InSession || use.Present
}

// notAhead has waits of a clock that was ahead begin anew when it is put right.
func (r *rest) notAhead(now time.Time) {
	if now.Before(r.ended) {
		r.ended = now
	}
	if now.Before(r.asked) {
		r.asked = now
	}
}

// counted shows the count-down and says whether it has ended.
func (m *Manager) counted(r *rest, after After, now time.Time) bool {
	if r.asked.IsZero() {
		r.asked = now
	}
	left := countDown - now.Sub(r.asked)
	if left <= 0 {
		return true
	}
	if shown := (left + countBy - 1).Truncate(countBy); r.notice == nil || shown != r.shown {
		m.hide(&r.notice)
		r.shown = shown
		r.notice = m.show(Question(after, shown), "中止", func() {
			m.mu.Lock()
			defer m.mu.Unlock()
			r.off = true
			m.changed()
		})
	}
	return false
}

// Question is what the desk shows to somebody who is logged on, while it counts down.
func Question(after After, left time.Duration) string {
	what := "スリープします"
	if after == ShutDown {
		what = "電源を切ります"
	}
	return fmt.Sprintf("テレワークが終了しました。約%d秒後に%s", int(left/time.Second), what)
}

// act lets the machine sleep or shut down. Programs that must not be interrupted can hold it up (systemd-inhibit).
func (m *Manager) act(ctx context.Context, after After) {
	verb := "suspend"
	if after == ShutDown {
		verb = "poweroff"
	}
	m.cfg.Log.Info("after the session", "do", verb)
	if err := m.cfg.Command(ctx, "systemctl", "--no-ask-password", "--check-inhibitors=yes", verb); err != nil {
		m.cfg.Log.Error("the desk stays on", "err", err)
	}
}

func (m *Manager) show(text, button string, pressed func()) io.Closer {
	if m.cfg.Show == nil {
		return nil
	}
	c, err := m.cfg.Show(text, button, pressed)
	if err != nil {
		m.cfg.Log.Warn("the desk cannot show a line", "err", err)
		return nil
	}
	return c
}

func (m *Manager) hide(c *io.Closer) {
	if *c == nil {
		return
	}
	if err := (*c).Close(); err != nil {
		m.cfg.Log.Debug("a line at the desk was not taken away", "err", err)
	}
	*c = nil
}
