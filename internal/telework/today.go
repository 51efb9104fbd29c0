package telework

import "time"

// NextStep is the one big button of the home page. The numbers are those of the control API.
type NextStep uint8

// The steps.
const (
	NextRequest NextStep = 1 // 申請する
	NextWake    NextStep = 2 // 電源を入れる
	NextStart   NextStep = 3 // 始業を報告
	NextConnect NextStep = 4 // 接続する
	NextResume  NextStep = 5 // 再開を報告
	NextEnd     NextStep = 6 // 終業を報告
	NextEnrol   NextStep = 7 // 端末を登録する
	NextWait    NextStep = 8 // nothing now
)

// early is how long before the approved time the day's first step is offered.
const early = time.Hour

// Today is what the next step follows from.
type Today struct {
	Now time.Time
	// Covers are today's approved times, in any order. Free: no approval is needed now.
	Covers []Cover
	Free   bool
	// Waiting: a request about today is being decided.
	Waiting bool
	// Device: the user has an enrolled device.
	Device bool

	Started, Finished bool // of the workday
	Away              bool // on a break, interrupted, on leave

	// Of the user's desk that is easiest to open:
	DeskOff   bool
	Wakeable  bool
	MayOpen   bool
	Connected bool // the user's own session runs
}

// Next is the next right thing to do.
func (t *Today) Next() NextStep {
	switch {
	case t.Finished:
		return NextWait
	case t.Away:
		return NextResume
	case t.Started:
		return t.nextAtWork()
	}
	return t.nextBeforeWork()
}

// nextAtWork: connect if not connected, while the time lasts; then end.
func (t *Today) nextAtWork() NextStep {
	switch {
	case t.Connected || !t.covered():
		return NextEnd
	case t.DeskOff && t.Wakeable:
		return NextWake
	case t.MayOpen:
		return NextConnect
	}
	return NextEnd
}

func (t *Today) nextBeforeWork() NextStep {
	switch {
	case !t.ahead():
		if t.Waiting {
			return NextWait
		}
		return NextRequest
	case !t.Device:
		return NextEnrol
	case !t.soon():
		return NextWait
	case t.DeskOff && t.Wakeable:
		return NextWake
	}
	return NextStart
}

// covered: working is approved at this moment.
func (t *Today) covered() bool {
	return t.Free || t.any(func(c Cover) bool { return !t.Now.Before(c.From) && t.Now.Before(c.Until) })
}

// ahead: some approved time of today lasts or comes.
func (t *Today) ahead() bool {
	return t.Free || t.any(func(c Cover) bool { return t.Now.Before(c.Until) })
}

// soon: it lasts, or comes within an hour.
func (t *Today) soon() bool {
	return t.Free || t.any(func(c Cover) bool { return t.Now.Before(c.Until) && !t.Now.Before(c.From.Add(-early)) })
}

func (t *Today) any(is func(Cover) bool) bool {
	for _, c := range t.Covers {
		if is(c) {
			return true
		}
	}
	return false
}
