package demo

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/calendar"
	"jiseki/internal/telework"
)

// seed of the month: every town has the same past, counted from the day of its founding.
const seed = 2026

// A habit is who teleworks on which days of the week, and on what.
type habit struct {
	user   string
	days   []time.Weekday
	reason telework.Reason
	work   []string // planned
	done   []string
}

var habits = []habit{
	{
		"soumu02",
		[]time.Weekday{time.Wednesday, time.Friday},
		telework.ReasonWork,
		[]string{"例規の改正案の作成、起案文書の点検", "文書管理簿の整理、庁議資料の作成"},
		[]string{"会計年度任用職員の勤務条件に関する規則の改正案を作成した。", "庁議資料の原案を作成し、課内に回覧した。", "起案文書12件を点検し、2件を差し戻した。"},
	},
	{
		"soumu01",
		[]time.Weekday{time.Thursday},
		telework.ReasonWork,
		[]string{"来年度予算要求書の確認"},
		[]string{"予算要求書のうち人件費と庁舎管理費を確認した。", "条例審査会の資料を確認した。"},
	},
	{
		"zeimu02",
		[]time.Weekday{time.Tuesday, time.Thursday},
		telework.ReasonChildcare,
		[]string{"固定資産税の課税台帳の点検、照会への回答案の作成", "償却資産申告書の受付準備、通知文の作成"},
		[]string{
			"課税台帳の点検（大字東分 120件）を終えた。照会3件の回答案を作成した。", "償却資産申告の案内文を作成し、課長補佐に送付した。",
			"土地評価の見直し資料を集計した。翌日は窓口当番のため続きは金曜日に行う。",
		},
	},
	{
		"zeimu05",
		[]time.Weekday{time.Monday, time.Wednesday},
		telework.ReasonWork,
		[]string{"町県民税の申告相談の日程調整、様式の見直し"},
		[]string{"申告相談の会場と日程の案を作成した。", "様式の見直し案を作成した。問合せ対応4件。"},
	},
	{"zeimu04", []time.Weekday{time.Friday}, telework.ReasonWork, []string{"庶務事務（旅費、時間外勤務の集計）"}, []string{"旅費の精算5件、時間外勤務の集計を終えた。"}},
	{
		"fukushi02",
		[]time.Weekday{time.Tuesday},
		telework.ReasonWork,
		[]string{"地域福祉計画の素案の作成"},
		[]string{"地域福祉計画の第2章の素案を作成した。", "委員会の会議録を確認した。"},
	},
	{
		"fukushi03",
		[]time.Weekday{time.Monday, time.Thursday},
		telework.ReasonChildcare,
		[]string{"補助金の実績報告の点検、会議録の作成"},
		[]string{"補助金の実績報告7件を点検した。", "民生委員協議会の会議録を作成した。"},
	},
	{"fukushi04", []time.Weekday{time.Wednesday}, telework.ReasonWork, []string{"統計資料の入力と点検"}, []string{"福祉統計の第3四半期分を入力し、点検した。"}},
}

// A month is the writing of the past: who teleworked when, and what went otherwise than usual.
type month struct {
	*past
	from, now time.Time
	today     calendar.Date
	random    *rand.Rand
	away      map[string][]calendar.Date // heads who were absent
	teleworks map[string][]calendar.Date // days on which somebody did
	lapsed    map[lapse]bool             // what happened already
}

// write writes down what happened from the founding until now.
func (p *past) write(from, now time.Time) {
	m := &month{
		past: p, from: from, now: now, today: calendar.DateOf(now), random: rand.New(rand.NewPCG(seed, seed)), //nolint:gosec // plausible, not secret
		away: map[string][]calendar.Date{}, teleworks: map[string][]calendar.Date{}, lapsed: map[lapse]bool{},
	}
	m.at(from.Add(20*time.Minute), m.equip)
	m.absences()
	for _, h := range habits {
		m.habit(h)
	}
	m.exceptions()
	m.confirmations()
	m.thisDay()
}

// minutes is a random time of up to n minutes, to the second.
func (m *month) minutes(n int) time.Duration {
	return time.Duration(m.random.IntN(n*60+1)) * time.Second
}

// ago is the n-th day before today on which the hall was open.
func (m *month) ago(n int) calendar.Date { return m.days.OpenBefore(m.today, n) }

// hours of somebody's usual day.
func (m *month) hours(user string) calendar.Hours {
	h := access.DefaultPolicy().Hours
	switch user {
	case earlyUser:
		h.Start, h.End = earlyHours.Start, earlyHours.End
	case shortUser:
		h.Start, h.End = shortHours.Start, shortHours.End
	}
	return h
}

// decider is who decides in a section on a day: the head, or the deputy in the head's absence.
func (m *month) decider(user string, d calendar.Date) string {
	r := find(user)
	if r.post == head {
		for _, o := range offices {
			if o.name == r.section {
				return boss(o.above)
			}
		}
	}
	if h := boss(r.section); !slices.Contains(m.away[h], d) {
		return h
	}
	return second(r.section)
}

// habit writes somebody's telework of all weeks up to the next.
func (m *month) habit(h habit) {
	for monday := calendar.DateOf(m.from).Monday(); monday.Before(m.today.Add(8)); monday = monday.Add(7) {
		if days := m.weekOf(h, monday); len(days) > 0 {
			m.week(h, days)
		}
	}
}

// weekOf are the days of a week on which somebody teleworks by habit. Today is written apart.
func (m *month) weekOf(h habit, monday calendar.Date) []calendar.Date {
	var days []calendar.Date
	for i := range 7 {
		d := monday.Add(i)
		inTime := m.days.OpenBefore(d, 1).At(16 * 60).After(m.from.Add(3 * time.Hour))
		if slices.Contains(h.days, d.Weekday()) && m.days.Open(d) && d != m.today && inTime {
			days = append(days, d)
		}
	}
	return days
}

// week writes the request of a week, its approval, and the days.
func (m *month) week(h habit, days []calendar.Date) {
	draft := m.draft(h, days...)
	before := m.days.OpenBefore(days[0], 1+m.random.IntN(3))
	asked := before.At(9 * 60).Add(m.minutes(150))
	if asked.Before(m.from.Add(2 * time.Hour)) {
		asked = m.from.Add(2*time.Hour + m.minutes(30))
	}
	day := calendar.DateOf(asked)
	s := m.ask(h.user, h.user, asked, draft)
	m.answer(m.decider(h.user, day), s, day.At(13*60+10).Add(m.minutes(180)), telework.Approve, "")
	for _, d := range days {
		m.work(h, d)
	}
}

func (m *month) draft(h habit, days ...calendar.Date) telework.Draft {
	d := telework.Draft{
		Place: access.Home, Reason: h.reason, Work: h.work[m.random.IntN(len(h.work))],
		TakeOut: true, TakeOutDevice: "貸与PC " + find(h.user).desk,
	}
	for _, day := range days {
		d.Days = append(d.Days, telework.Day{Date: day, Unit: telework.Full})
	}
	return d
}

// work writes a whole day: begin, connection, break, connection, end.
func (m *month) work(h habit, d calendar.Date) {
	m.teleworks[h.user] = append(m.teleworks[h.user], d)
	hours := m.hours(h.user)
	begin, end := d.At(hours.Start).Add(-m.minutes(5)), d.At(hours.End).Add(m.minutes(9))
	noon, after := d.At(hours.BreakStart).Add(m.minutes(4)), d.At(hours.BreakEnd).Add(-m.minutes(3))
	done := h.done[m.random.IntN(len(h.done))]
	m.report(h.user, begin, telework.Work)
	m.connect(h.user, begin.Add(time.Minute+m.minutes(2)), noon.Add(30*time.Second))
	m.report(h.user, noon, telework.Break)
	late := end.Add(-20 * time.Second)
	switch m.lapse(h.user, d) {
	case lapseEnd:
		m.report(h.user, after, telework.Work)
		m.connect(h.user, after.Add(m.minutes(2)), late)
		return
	case lapseBreak:
		m.connect(h.user, after.Add(m.minutes(2)), late)
		m.finish(h.user, end, done)
		m.correct(h.user, d, begin, noon, d.At(hours.BreakEnd), end)
		return
	}
	m.report(h.user, after, telework.Work)
	m.connect(h.user, after.Add(m.minutes(2)), late)
	if h.user == shortUser {
		m.report(h.user, d.At(14*60+30).Add(m.minutes(10)), telework.Interruption)
		m.report(h.user, d.At(14*60+50).Add(m.minutes(10)), telework.Work)
	}
	m.finish(h.user, end, done)
}

// A lapse is what somebody forgot.
type lapse uint8

const (
	lapseNone  lapse = iota
	lapseEnd         // 終業 was not reported: a correction is waited for
	lapseBreak       // 再開 was not reported, and corrected the next day
)

// lapse: one forgotten end two weeks ago or so, and one forgotten resumption that was corrected.
func (m *month) lapse(user string, d calendar.Date) lapse {
	if d.Before(m.ago(12)) || m.ago(4).Before(d) {
		return lapseNone
	}
	l := map[string]lapse{earlyUser: lapseEnd, "zeimu04": lapseBreak}[user]
	if m.lapsed[l] {
		return lapseNone
	}
	m.lapsed[l] = true
	return l
}

// correct writes the correction of a day on the next open day.
func (m *month) correct(user string, d calendar.Date, begin, noon, after, end time.Time) {
	next := d.Add(1)
	for !m.days.Open(next) {
		next = next.Add(1)
	}
	m.at(next.At(8*60+50), func(ctx context.Context) error {
		return m.store.CorrectWorkday(ctx, inHall(user), user, d, []telework.Segment{
			{Kind: telework.Work, FromMS: begin.UnixMilli(), UntilMS: noon.UnixMilli()},
			{Kind: telework.Break, FromMS: noon.UnixMilli(), UntilMS: after.UnixMilli()},
			{Kind: telework.Work, FromMS: after.UnixMilli(), UntilMS: end.UnixMilli()},
		}, "休憩後の再開の報告を忘れたため")
	})
}
