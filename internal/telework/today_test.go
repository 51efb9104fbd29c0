package telework_test

import (
	"testing"
	"time"

	"jiseki/internal/telework"
)

// TestNextStep changes one thing at a time, from a day that is approved from 8:30 to 17:15 with an enrolled device and
// a desk that is on, at 8:20.
func TestNextStep(t *testing.T) {
	cover := telework.Cover{From: tuesday.At(510), Until: tuesday.At(1035)}
	for name, c := range map[string]struct {
		change func(*telework.Today)
		want   telework.NextStep
	}{
		"before work":                  {func(*telework.Today) {}, telework.NextStart},
		"nothing approved":             {func(d *telework.Today) { d.Covers = nil }, telework.NextRequest},
		"being decided":                {func(d *telework.Today) { d.Covers, d.Waiting = nil, true }, telework.NextWait},
		"approved, and more asked":     {func(d *telework.Today) { d.Waiting = true }, telework.NextStart},
		"no approval needed":           {func(d *telework.Today) { d.Covers, d.Free = nil, true }, telework.NextStart},
		"no device":                    {func(d *telework.Today) { d.Device = false }, telework.NextEnrol},
		"no device, nothing approved":  {func(d *telework.Today) { d.Device, d.Covers = false, nil }, telework.NextRequest},
		"desk is off":                  {func(d *telework.Today) { d.DeskOff, d.Wakeable, d.MayOpen = true, true, false }, telework.NextWake},
		"desk is off, nobody wakes it": {func(d *telework.Today) { d.DeskOff, d.MayOpen = true, false }, telework.NextStart},
		"an hour before":               {func(d *telework.Today) { d.Now = tuesday.At(450) }, telework.NextStart},
		"earlier":                      {func(d *telework.Today) { d.Now = tuesday.At(449) }, telework.NextWait},
		"after the time":               {func(d *telework.Today) { d.Now = tuesday.At(1035) }, telework.NextRequest},
		"working":                      {func(d *telework.Today) { d.Started, d.Now = true, tuesday.At(520) }, telework.NextConnect},
		"working, desk off": {
			func(d *telework.Today) {
				d.Started, d.Now, d.DeskOff, d.Wakeable, d.MayOpen = true, tuesday.At(520), true, true, false
			}, telework.NextWake,
		},
		"working, desk closed":    {func(d *telework.Today) { d.Started, d.Now, d.MayOpen = true, tuesday.At(520), false }, telework.NextEnd},
		"connected":               {func(d *telework.Today) { d.Started, d.Connected, d.Now = true, true, tuesday.At(520) }, telework.NextEnd},
		"working, time is over":   {func(d *telework.Today) { d.Started, d.Now = true, tuesday.At(1035) }, telework.NextEnd},
		"on a break":              {func(d *telework.Today) { d.Started, d.Away, d.Now = true, true, tuesday.At(725) }, telework.NextResume},
		"on a break, not allowed": {func(d *telework.Today) { d.Started, d.Away, d.Covers = true, true, nil }, telework.NextResume},
		"finished":                {func(d *telework.Today) { d.Started, d.Finished, d.Now = true, true, tuesday.At(1040) }, telework.NextWait},
		"after midnight":          {func(d *telework.Today) { d.Now = tuesday.At(24 * 60) }, telework.NextRequest},
		"overtime over midnight": {func(d *telework.Today) {
			d.Started, d.Connected, d.Now = true, true, tuesday.At(24*60+30)
			d.Covers = []telework.Cover{{From: tuesday.At(1320), Until: tuesday.At(1560)}}
		}, telework.NextEnd},
		"two halves with a gap": {func(d *telework.Today) {
			d.Now = tuesday.At(725)
			d.Covers = []telework.Cover{{From: tuesday.At(510), Until: tuesday.At(720)}, {From: tuesday.At(900), Until: tuesday.At(1035)}}
		}, telework.NextWait},
	} {
		d := telework.Today{Now: tuesday.At(500), Covers: []telework.Cover{cover}, Device: true, MayOpen: true}
		c.change(&d)
		if got := d.Next(); got != c.want {
			t.Errorf("%s at %s: %d, want %d", name, d.Now.Format(time.TimeOnly), got, c.want)
		}
	}
}
