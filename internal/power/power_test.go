package power

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"jiseki/internal/calendar"
)

// A desk is a desk of which a test says how it is used; it remembers what was shown and run.
type desk struct {
	mu    sync.Mutex
	use   Use
	comes time.Time // when somebody takes the mouse, right after its use was looked at; zero: never
	shown []string  // on the screen now
	press map[string]func()
	ran   []string
	fails error
	at    time.Time // of the wake timer
	sets  int
	off   time.Duration // how far its clock is ahead
}

// turn puts the clock so far ahead of the bubble's.
func (d *desk) turn(off time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.off = off
}

func (d *desk) now() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.comes.IsZero() && !time.Now().Before(d.comes) {
		d.use.Present = true
	}
	return time.Now().Add(d.off)
}

func (d *desk) Set(at, _ time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sets++
	if d.fails == nil {
		d.at = at
	}
	return d.fails
}

func (d *desk) Clear() error { return d.Set(time.Time{}, time.Time{}) }

func (d *desk) show(text, _ string, pressed func()) (io.Closer, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.shown = append(d.shown, text)
	d.press[text] = pressed
	return &line{d, text}, nil
}

type line struct {
	d    *desk
	text string
}

func (l *line) Close() error {
	l.d.mu.Lock()
	defer l.d.mu.Unlock()
	for i, s := range l.d.shown {
		if s == l.text {
			l.d.shown = append(l.d.shown[:i], l.d.shown[i+1:]...)
			break
		}
	}
	return nil
}

func (d *desk) set(u Use) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.use = u
}

// sees lists what is on the screen, what was run and when the machine wakes.
func (d *desk) sees() (screen, ran string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return strings.Join(d.shown, "|"), strings.Join(d.ran, "|")
}

func (d *desk) wakes() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.at
}

// manage runs a Manager in a bubble of fake time, from 2000-01-01 00:00 UTC on.
func manage(t *testing.T, d *desk) *Manager {
	t.Helper()
	d.press = map[string]func(){}
	m := New(Config{
		Log: slog.New(slog.DiscardHandler), Now: d.now, Timer: d, Show: d.show,
		Use: func() Use { d.mu.Lock(); defer d.mu.Unlock(); return d.use },
		Command: func(_ context.Context, name string, args ...string) error {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.ran = append(d.ran, name+" "+args[len(args)-1])
			return nil
		},
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("ended with %v", err)
		}
	})
	return m
}

// pass lets time go by and everything settle.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func plan(t *testing.T, m *Manager, p Plan) {
	t.Helper()
	if err := m.SetPlan(p); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
}

func TestAfterASession(t *testing.T) {
	for name, c := range map[string]struct {
		after     After
		onPurpose bool
		use       Use
		pass      time.Duration
		screen    string // part of it
		ran       string
	}{
		"leaves it on":                     {Leave, true, Use{}, time.Hour, "", ""},
		"no plan, nothing":                 {0, true, Use{}, time.Hour, "", ""},
		"the user may come back":           {Sleep, true, Use{}, settle - look, "", ""},
		"sleeps":                           {Sleep, true, Use{}, settle + look, "", "systemctl suspend"},
		"shuts down":                       {ShutDown, true, Use{}, settle + look, "", "systemctl poweroff"},
		"never under somebody's hands":     {ShutDown, true, Use{Present: true, LoggedOn: true}, time.Hour, "", ""},
		"never under a viewer":             {ShutDown, true, Use{InSession: true}, time.Hour, "", ""},
		"asks who is logged on":            {ShutDown, true, Use{LoggedOn: true}, settle + look, "電源を切ります", ""},
		"counts down":                      {Sleep, true, Use{LoggedOn: true}, settle + 35*time.Second, "約30秒後にスリープします", ""},
		"nobody answers":                   {ShutDown, true, Use{LoggedOn: true}, settle + countDown + 2*look, "", "systemctl poweroff"},
		"a lost line waits":                {Sleep, false, Use{}, lost - look, "", ""},
		"a lost line sleeps":               {Sleep, false, Use{}, lost + look, "", "systemctl suspend"},
		"a lost line is never a shut-down": {ShutDown, false, Use{}, lost + look, "", "systemctl suspend"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &desk{use: c.use}
				m := manage(t, d)
				plan(t, m, Plan{After: c.after})
				m.SessionEnded(c.onPurpose)
				pass(c.pass)
				screen, ran := d.sees()
				if !strings.Contains(screen, c.screen) || (c.screen == "") != (screen == "") || ran != c.ran {
					t.Errorf("screen %q, ran %q; want %q and %q", screen, ran, c.screen, c.ran)
				}
			})
		})
	}
}

func TestCountDownIsCalledOff(t *testing.T) {
	for name, off := range map[string]func(*desk){
		"by the button":   func(d *desk) { d.mu.Lock(); f := d.press[d.shown[0]]; d.mu.Unlock(); f() },
		"by a hand":       func(d *desk) { d.set(Use{LoggedOn: true, Present: true}) },
		"by a viewer":     func(d *desk) { d.set(Use{LoggedOn: true, InSession: true}) },
		"by another plan": nil,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &desk{use: Use{LoggedOn: true}}
				m := manage(t, d)
				plan(t, m, Plan{After: ShutDown})
				m.SessionEnded(true)
				pass(settle + 20*time.Second)
				if screen, _ := d.sees(); screen == "" {
					t.Fatal("nothing is asked")
				}
				if off == nil {
					plan(t, m, Plan{After: Leave})
				} else {
					off(d)
				}
				pass(look)
				d.set(Use{LoggedOn: true})
				pass(time.Hour)
				if screen, ran := d.sees(); screen != "" || ran != "" {
					t.Errorf("screen %q, ran %q", screen, ran)
				}
			})
		})
	}
}

// TestHandsAtTheLastMoment: how the desk is used is looked at once more right before it sleeps or is shut down: whoever
// comes while the last step is taken keeps it.
func TestHandsAtTheLastMoment(t *testing.T) {
	for name, c := range map[string]struct {
		use  Use
		wait time.Duration
	}{
		"nobody logged on":   {Use{}, settle},
		"somebody logged on": {Use{LoggedOn: true}, settle + countDown},
	} {
		for _, comes := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, comes %v", name, comes), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					d := &desk{use: c.use}
					if comes {
						d.comes = time.Now().Add(c.wait)
					}
					m := manage(t, d)
					plan(t, m, Plan{After: ShutDown})
					m.SessionEnded(true)
					pass(c.wait + look/2)
					if screen, ran := d.sees(); screen != "" || (ran != "") == comes {
						t.Errorf("screen %q, ran %q", screen, ran)
					}
				})
			})
		}
	}
}

// TestRestAfterAWrongClock: a session that ended, or a count-down that began, while the clock was ahead by a month does
// not keep the desk awake for a month when the clock is put right.
func TestRestAfterAWrongClock(t *testing.T) {
	for name, wrong := range map[string]time.Duration{"session": time.Second, "count-down": settle + 20*time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &desk{use: Use{LoggedOn: true}}
				m := manage(t, d)
				d.turn(30 * 24 * time.Hour)
				plan(t, m, Plan{After: Sleep})
				m.SessionEnded(true)
				pass(wrong)
				d.turn(0)
				pass(settle + countDown + 2*look)
				if screen, ran := d.sees(); ran != "systemctl suspend" {
					t.Errorf("screen %q, ran %q", screen, ran)
				}
			})
		})
	}
}

func TestSecondSessionBeginsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &desk{}
		m := manage(t, d)
		plan(t, m, Plan{After: Sleep})
		m.SessionEnded(true)
		pass(settle - look)
		m.SessionEnded(true)
		pass(settle - look)
		if _, ran := d.sees(); ran != "" {
			t.Fatalf("%s before the second session had settled", ran)
		}
		pass(2 * look)
		if _, ran := d.sees(); ran != "systemctl suspend" {
			t.Errorf("ran %q", ran)
		}
		pass(time.Hour)
		if _, ran := d.sees(); ran != "systemctl suspend" {
			t.Errorf("twice: %q", ran)
		}
	})
}

func TestWakeTimerFollowsThePlan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &desk{}
		m := manage(t, d)
		now := time.Now().Round(0)
		first, second := now.Add(8*time.Hour), now.Add(32*time.Hour)
		plan(t, m, Plan{Wake: []time.Time{now.Add(-time.Hour), first, second}})
		if got := d.wakes(); !got.Equal(first) {
			t.Fatalf("wakes at %s, want %s", got, first)
		}
		pass(8*time.Hour + look)
		if got := d.wakes(); !got.Equal(second) {
			t.Fatalf("afterwards it wakes at %s, want %s", got, second)
		}
		d.mu.Lock()
		sets := d.sets
		d.at = time.Time{} // another program has changed it
		d.mu.Unlock()
		pass(verify + look)
		if got := d.wakes(); !got.Equal(second) {
			t.Errorf("a timer that somebody changed is not set again: %s", got)
		}
		d.mu.Lock()
		if d.sets > sets+2 {
			t.Errorf("set %d times in ten minutes", d.sets-sets)
		}
		d.fails = errors.New("no permission")
		d.mu.Unlock()
		third := now.Add(50 * time.Hour)
		plan(t, m, Plan{Wake: []time.Time{third}})
		pass(verify)
		d.mu.Lock()
		d.fails = nil
		d.mu.Unlock()
		pass(verify + look)
		if got := d.wakes(); !got.Equal(third) {
			t.Errorf("after a failure it wakes at %s, want %s", got, third)
		}
		plan(t, m, Plan{})
		if got := d.wakes(); !got.IsZero() {
			t.Errorf("without a plan it wakes at %s", got)
		}
	})
}

func TestReminder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &desk{use: Use{LoggedOn: true}}
		m := manage(t, d)
		now := time.Now().Round(0)
		p := Plan{Wake: []time.Time{now.Add(20 * time.Hour)}, RemindFrom: now.Add(time.Hour), RemindUntil: now.Add(4 * time.Hour)}
		plan(t, m, p)
		pass(time.Hour - look)
		if screen, _ := d.sees(); screen != "" {
			t.Fatalf("too early: %q", screen)
		}
		pass(2 * look)
		screen, _ := d.sees()
		if screen != Reminder(time.Now(), p.Wake[0]) {
			t.Fatalf("shown %q", screen)
		}
		d.set(Use{LoggedOn: true, InSession: true})
		pass(look)
		if s, _ := d.sees(); s != "" {
			t.Errorf("shown to a viewer: %q", s)
		}
		d.set(Use{LoggedOn: true})
		pass(look)
		d.mu.Lock()
		pressed := d.press[screen]
		d.mu.Unlock()
		pressed()
		pass(look)
		plan(t, m, p) // the gateway says the same again
		pass(look)
		if s, _ := d.sees(); s != "" {
			t.Errorf("shown again after the button: %q", s)
		}
		p.RemindFrom = p.RemindFrom.Add(time.Minute) // another reminder
		plan(t, m, p)
		pass(2 * time.Minute)
		if s, _ := d.sees(); s == "" {
			t.Error("the next reminder is not shown")
		}
		pass(3 * time.Hour)
		if s, _ := d.sees(); s != "" {
			t.Errorf("still shown at night: %q", s)
		}
	})
}

func TestReminderNamesTheDay(t *testing.T) {
	friday := calendar.Date{Year: 2026, Month: 11, Day: 27}
	evening := friday.At(17 * 60)
	for next, want := range map[time.Time]string{
		friday.Add(1).At(8 * 60): "明日は",
		friday.Add(3).At(8 * 60): "11月30日（月）は",
		{}:                       "次の勤務日は",
	} {
		if got := Reminder(evening, next); !strings.HasPrefix(got, want) || !strings.HasSuffix(got, "電源を入れたまま退庁してください") {
			t.Errorf("%s: %q, want %q", next, got, want)
		}
	}
}

func TestPlansThatCannotBeMeant(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	for name, p := range map[string]Plan{
		"unsorted":          {Wake: []time.Time{now.Add(time.Hour), now}},
		"too many":          {Wake: make([]time.Time, maxWakes+1)},
		"unknown after":     {After: 4},
		"backwards":         {RemindFrom: now, RemindUntil: now.Add(-time.Second)},
		"a reminder a week": {RemindFrom: now, RemindUntil: now.Add(7 * 24 * time.Hour)},
	} {
		if err := New(Config{}).SetPlan(p); !errors.Is(err, ErrPlan) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// rtcDir is a clock as the kernel shows it.
func rtcDir(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestRTC(t *testing.T) {
	// The second clock sets the system's time and shows Japan's; the first cannot wake.
	const shows = 1_800_032_400
	dir := rtcDir(t, map[string]string{
		"rtc0/since_epoch": "1", "rtc0/hctosys": "0",
		"rtc1/since_epoch": "7", "rtc1/wakealarm": "", "rtc1/hctosys": "0",
		"rtc2/since_epoch": "1800032400\n", "rtc2/wakealarm": "", "rtc2/hctosys": "1\n",
	})
	r, err := FindRTC(dir)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(shows-9*3600, 0)
	if err := r.Set(now.Add(90*time.Minute), now); err != nil {
		t.Fatal(err)
	}
	read := func() string {
		raw, err := os.ReadFile(filepath.Join(dir, "rtc2/wakealarm"))
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(raw))
	}
	if d := cmp.Diff("1800037800", read()); d != "" {
		t.Error(d)
	}
	if err := r.Clear(); err != nil || read() != "0" {
		t.Errorf("cleared: %q, %v", read(), err)
	}
	if err := os.Remove(filepath.Join(dir, "rtc2/since_epoch")); err != nil {
		t.Fatal(err)
	}
	if err := r.Set(now, now); err == nil {
		t.Error("a clock that cannot be read is set")
	}
	for _, dir := range []string{t.TempDir(), filepath.Join(t.TempDir(), "none")} {
		if _, err := FindRTC(dir); !errors.Is(err, ErrNoRTC) {
			t.Errorf("a machine without clock: %v", err)
		}
	}
}

func TestRunSaysWhatAProgramSaid(t *testing.T) {
	if err := Run(t.Context(), "sh", "-c", "exit 0"); err != nil {
		t.Error(err)
	}
	if err := Run(t.Context(), "sh", "-c", "echo Access denied >&2; exit 1"); err == nil || !strings.Contains(err.Error(), "Access denied") {
		t.Errorf("got %v", err)
	}
}
