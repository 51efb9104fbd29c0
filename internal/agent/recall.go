package agent

import (
	"encoding/hex"
	"fmt"
	"io"
	"sync"
	"time"

	"jiseki/internal/calendar"
	"jiseki/internal/grant"
)

// RecallButton is what the button below the last sessions says.
const RecallButton = "確認"

// longAgo is after how long a session is told to a session from the same device.
const longAgo = 30 * time.Minute

// recall shows the last sessions to whoever sees the desk's unlocked screen. The agent's lock does not guard it.
type recall struct {
	mu    sync.Mutex
	shown io.Closer // nil: nothing is
}

// recallVisits shows, after an unlock and when a session begins on an unlocked desk, who was here. At the desk: all
// since somebody there pressed the button; a press in a session only closes the line. In a session: the one before it,
// unless the user has just left it.
func (a *Agent) recallVisits() {
	if a.desk.Recall == nil {
		return
	}
	a.recall.mu.Lock()
	defer a.recall.mu.Unlock()
	a.recall.close(a)
	text := a.recallText()
	if text == "" {
		return
	}
	strip, err := a.desk.Recall(text, RecallButton, func() { a.tasks.Go(a.recalled) })
	if err != nil {
		a.log.Error("the last sessions are not shown at the desk", "err", err)
		return
	}
	a.recall.shown = strip
}

// recallText is what is to be shown now, empty if nothing is.
func (a *Agent) recallText() string {
	a.mu.Lock()
	s, locked := a.session, a.isLocked
	a.mu.Unlock()
	switch {
	case locked:
		return ""
	case s == nil:
		return recallOf(a.visits.unread(""))
	}
	last := a.visits.before(hex.EncodeToString(s.grant.Session[:]))
	if last == nil || last.Device == s.grant.Device && last.User == s.grant.User && a.justEnded(last) {
		return ""
	}
	return "前回の接続: " + last.text()
}

// justEnded says whether a session ended moments ago. One that ended in the future, by a clock that was ahead, did not.
func (a *Agent) justEnded(p *past) bool {
	since := a.now().Sub(time.UnixMilli(p.until))
	return since >= 0 && since < longAgo
}

// recalled is the press of the button.
func (a *Agent) recalled() {
	a.recall.mu.Lock()
	defer a.recall.mu.Unlock()
	a.recall.close(a)
	if a.inSession() {
		return // whoever presses it from afar has not seen it for the desk
	}
	if err := a.visits.read(); err != nil {
		a.log.Error("that the last sessions were seen was not noted", "err", err)
	}
}

// hideVisits takes the line away: the desk is locked.
func (a *Agent) hideVisits() {
	a.recall.mu.Lock()
	defer a.recall.mu.Unlock()
	a.recall.close(a)
}

// close takes the line away. The caller holds mu.
func (r *recall) close(a *Agent) {
	if r.shown == nil {
		return
	}
	if err := r.shown.Close(); err != nil {
		a.log.Debug("the last sessions were not taken away", "err", err)
	}
	r.shown = nil
}

// recallOf says what was since somebody last looked.
func recallOf(all []past) string {
	if len(all) == 0 {
		return ""
	}
	last := all[len(all)-1].text()
	if len(all) == 1 {
		return "前回の確認後の接続: " + last
	}
	return fmt.Sprintf("前回の確認後の接続: %s ほか%d件", last, len(all)-1)
}

// text says who, when and from which kind of device.
func (p *past) text() string {
	from := clockOf(p.TimeMS)
	if p.Kind == visitDamaged {
		return from + " 接続の記録が壊れていたため、新しく始めました"
	}
	until := "（終了の記録なし）"
	if p.until != 0 {
		until = time.UnixMilli(p.until).In(calendar.JST).Format("15:04")
	}
	kind := "貸与端末"
	if grant.DeviceKind(p.DeviceKind) == grant.DevicePrivate {
		kind = "私用端末"
	}
	return fmt.Sprintf("%s～%s %sさん（%s）", from, until, p.UserName, kind)
}

func clockOf(ms int64) string {
	return time.UnixMilli(ms).In(calendar.JST).Format("1月2日 15:04")
}
