package power

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// An RTC is a real-time clock of Linux that wakes the machine (Documentation/admin-guide/rtc.rst of the kernel). Its
// files must be writable: the package's udev rule gives them to the group jiseki-agent.
type RTC struct{ dir string }

// ErrNoRTC means that the machine has no clock that can wake it.
var ErrNoRTC = errors.New("power: no real-time clock that wakes the machine")

// FindRTC finds the clock among those that the kernel lists in a folder, /sys/class/rtc: the one that sets the system's
// time, or the first that can wake.
func FindRTC(dir string) (*RTC, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("power: %w", err)
	}
	var found *RTC
	for _, e := range entries {
		r := &RTC{filepath.Join(dir, e.Name())}
		if _, err := os.Stat(r.path("wakealarm")); err != nil {
			continue
		}
		if main, err := r.number("hctosys"); err == nil && main == 1 {
			return r, nil
		}
		if found == nil {
			found = r
		}
	}
	if found == nil {
		return nil, ErrNoRTC
	}
	return found, nil
}

// Set implements Timer. The clock may show local time, as other systems on the machine like it: the alarm counts from
// what the clock shows.
func (r *RTC) Set(at, now time.Time) error {
	base, err := r.number("since_epoch")
	if err != nil {
		return fmt.Errorf("power: read the clock: %w", err)
	}
	if err := r.Clear(); err != nil { // an alarm that is set is not replaced
		return err
	}
	alarm := base + int64(at.Sub(now)/time.Second)
	if err := os.WriteFile(r.path("wakealarm"), []byte(strconv.FormatInt(alarm, 10)+"\n"), 0); err != nil {
		return fmt.Errorf("power: set the wake timer: %w", err)
	}
	got, err := r.number("wakealarm")
	if err != nil {
		return fmt.Errorf("power: read the wake timer back: %w", err)
	}
	if got != alarm {
		return fmt.Errorf("power: the wake timer reads back %d in place of %d", got, alarm)
	}
	return nil
}

// Clear implements Timer.
func (r *RTC) Clear() error {
	if err := os.WriteFile(r.path("wakealarm"), []byte("0\n"), 0); err != nil {
		return fmt.Errorf("power: clear the wake timer: %w", err)
	}
	return nil
}

func (r *RTC) path(file string) string { return filepath.Join(r.dir, file) }

func (r *RTC) number(file string) (int64, error) {
	raw, err := os.ReadFile(r.path(file))
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.TrimSpace(string(raw)), 10, 64)
}
