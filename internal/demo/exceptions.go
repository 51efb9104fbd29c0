package demo

import (
	"context"
	"slices"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/calendar"
	"jiseki/internal/store"
	"jiseki/internal/telework"
)

const (
	// Whoever has hours of their own.
	earlyUser = "zeimu05"
	shortUser = "fukushi03"
	// unconfirmed is whose last month waits to be confirmed.
	unconfirmed = "zeimu02"
)

var (
	earlyHours = calendar.Hours{Start: 7*60 + 30, End: 16*60 + 15, BreakStart: 12 * 60, BreakEnd: 13 * 60}
	shortHours = calendar.Hours{Start: 9 * 60, End: 16 * 60, BreakStart: 12 * 60, BreakEnd: 13 * 60}
)

// absences of heads: one in the past, in which the deputy decided, and one of today.
func (m *month) absences() {
	m.absent("zeimu01", m.ago(7), m.ago(6), m.ago(9).At(16*60), "県庁への出張")
	m.absent("fukushi01", m.today, m.today.Add(1), m.ago(1).At(17*60), "研修")
}

func (m *month) absent(user string, from, until calendar.Date, entered time.Time, note string) {
	for d := from; !until.Before(d); d = d.Add(1) {
		m.away[user] = append(m.away[user], d)
	}
	m.at(entered, func(ctx context.Context) error {
		_, err := m.store.PutAbsence(ctx, inHall(user), false, store.Absence{User: user, From: from, Until: until, Note: note})
		return err
	})
}

// exceptions are requests that went otherwise than usual.
func (m *month) exceptions() {
	m.returned()
	m.refused()
	m.withdrawn()
	m.telephoned()
	m.stoodIn()
	m.ordered()
	m.waiting()
}

// free is the first open day from a date on for which somebody has nothing planned.
func (m *month) free(user string, d calendar.Date) calendar.Date {
	for !m.days.Open(d) || slices.Contains(m.teleworks[user], d) {
		d = d.Add(1)
	}
	return d
}

func (m *month) one(d calendar.Date, reason telework.Reason, text, work string) telework.Draft {
	return telework.Draft{
		Days: []telework.Day{{Date: d, Unit: telework.Full}}, Place: access.Home, Reason: reason, ReasonText: text, Work: work,
	}
}

func (m *month) returned() {
	d := m.free("soumu02", m.ago(11))
	before := m.days.OpenBefore(d, 2)
	s := m.ask("soumu02", "soumu02", before.At(9*60+20), m.one(d, telework.ReasonWork, "", "資料作成"))
	m.answer("soumu01", s, before.At(10*60+5), telework.Return, "業務の内容を具体的に記入してください。")
	m.again(s, before.At(10*60+40), m.one(d, telework.ReasonWork, "", "情報公開審査会の資料（論点整理）の作成"))
	m.answer("soumu01", s, before.At(11*60+15), telework.Approve, "")
	m.work(habits[0], d)
}

func (m *month) refused() {
	d := m.free("soumu03", m.ago(5))
	before := m.days.OpenBefore(d, 2)
	s := m.ask("soumu03", "soumu03", before.At(11*60), m.one(d, telework.ReasonWork, "", "議会答弁資料の作成"))
	m.answer("soumu01", s, before.At(15*60+30), telework.Refuse, "当日は議会の委員会に出席してもらうため。")
}

func (m *month) withdrawn() {
	d := m.free("zeimu03", m.ago(4))
	before := m.days.OpenBefore(d, 2)
	s := m.ask("zeimu03", "zeimu03", before.At(10*60+30), m.one(d, telework.ReasonWork, "", "評価替え資料の点検"))
	m.answer("zeimu01", s, before.At(14*60), telework.Approve, "")
	m.at(before.At(16*60+20), func(ctx context.Context) error {
		_, err := m.store.WithdrawRequest(ctx, inHall("zeimu03"), s.request.ID, "窓口当番の交替により出勤するため")
		return err
	})
}

// telephoned: ill in the morning, entered by the section's clerk after the day had begun.
func (m *month) telephoned() {
	const user = "zeimu03"
	d := m.ago(10)
	draft := m.one(d, telework.ReasonIllness, "家族の発熱により通院に付き添うため。電話で連絡があった。", "固定資産評価の照会への回答")
	s := m.ask("zeimu04", user, d.At(8*60+41), draft)
	m.answer("zeimu01", s, d.At(9*60+2), telework.Approve, "")
	m.report(user, d.At(9*60+34), telework.Leave)
	m.report(user, d.At(10*60+30), telework.Work)
	m.connect(user, d.At(10*60+32), d.At(12*60+1))
	m.report(user, d.At(12*60), telework.Break)
	m.report(user, d.At(13*60), telework.Work)
	m.connect(user, d.At(13*60+1), d.At(17*60+14))
	m.finish(user, d.At(17*60+15), "評価に関する照会4件に回答した。")
}

// stoodIn: the deputy decided in the head's absence, and the head has not confirmed it yet.
func (m *month) stoodIn() {
	d := m.free("zeimu04", m.ago(4))
	s := m.ask("zeimu04", "zeimu04", m.ago(7).At(10*60+20), m.one(d, telework.ReasonCare, "母の通院に付き添うため", "時間外勤務の集計"))
	m.answer("zeimu03", s, m.ago(7).At(11*60+40), telework.Approve, "課長不在のため代決します。")
	for _, h := range habits {
		if h.user == "zeimu04" {
			m.work(h, d)
		}
	}
}

// ordered: a typhoon, and one evening's overtime.
func (m *month) ordered() {
	storm := m.ago(13)
	m.at(m.days.OpenBefore(storm, 1).At(16*60+45), func(ctx context.Context) error {
		_, err := m.store.OrderTelework(ctx, inHall("soumu01"), telework.TeleworkOrder, []string{"soumu03", "soumu04"},
			m.one(storm, telework.ReasonDisaster, "台風の接近により公共交通機関の計画運休が見込まれるため", "通常業務"))
		return explain(err)
	})
	for i, user := range []string{"soumu03", "soumu04"} {
		m.work(habit{user: user, done: []string{[]string{"災害対策本部の資料を整理した。", "問合せ対応6件、勤怠の取りまとめを行った。"}[i]}}, storm)
	}
	evening := m.free("soumu03", m.ago(3))
	m.at(evening.At(16*60), func(ctx context.Context) error {
		_, err := m.store.OrderTelework(ctx, inHall("soumu01"), telework.OvertimeOrder, []string{"soumu03"}, telework.Draft{
			Days: []telework.Day{{Date: evening, Unit: telework.Minutes, From: 17*60 + 15, Until: 19 * 60}}, Place: access.Home,
			ReasonText: "議会への提出期限のため", Work: "議会資料の修正",
		})
		return explain(err)
	})
	m.report("soumu03", evening.At(17*60+20), telework.Work)
	m.connect("soumu03", evening.At(17*60+22), evening.At(18*60+50))
	m.finish("soumu03", evening.At(18*60+52), "議会資料の修正を終え、課長に送付した。")
}

// waiting: requests of today that nobody has decided yet.
func (m *month) waiting() {
	for i, w := range []struct{ user, work string }{
		{"zeimu05", "申告相談の案内文の校正"}, {"zeimu04", "年末調整の書類の点検"}, {"soumu04", "研修計画の作成"}, {"fukushi03", "委員会資料の作成"},
	} {
		d := m.free(w.user, m.today.Monday().Add(14+i%2))
		m.ask(w.user, w.user, m.now.Add(-time.Duration(50-7*i)*time.Minute), m.one(d, telework.ReasonWork, "", w.work))
	}
}

// confirmations: heads confirm each month that is over on the first open day of the next, and read what was circulated.
func (m *month) confirmations() {
	for of := calendar.DateOf(m.from).InMonth(); of.Last().Before(m.today); of = of.Add(1) {
		day := of.Add(1).First()
		for !m.days.Open(day) {
			day = day.Add(1)
		}
		for i, r := range cast {
			superior := m.decider(r.id, day)
			newest := !of.Add(1).Last().Before(m.today)
			if superior == adminID || (r.id == unconfirmed && newest) {
				continue
			}
			m.at(day.At(10*60+20+i), func(ctx context.Context) error {
				_, err := m.store.ConfirmMonths(ctx, inHall(superior), superior, of, []string{r.id})
				return err
			})
		}
	}
	m.at(m.now.Add(-time.Hour), m.readOld)
}

// readOld marks the notices of more than two days ago as read.
func (m *month) readOld(ctx context.Context) error {
	for _, r := range cast {
		notices, _, err := m.store.Notices(ctx, r.id, store.Page{Limit: 200})
		if err != nil {
			return err
		}
		var old []string
		for _, n := range notices {
			if n.TimeMS < m.now.Add(-48*time.Hour).UnixMilli() {
				old = append(old, n.ID)
			}
		}
		if len(old) == 0 {
			continue
		}
		if err := m.store.ReadNotices(ctx, r.id, old); err != nil {
			return err
		}
	}
	return nil
}

// thisDay: whoever looks at the demo, at any hour, shall see colleagues at work. So they began three hours ago.
func (m *month) thisDay() {
	minute := calendar.MinuteOf(m.now)
	from, until := max(0, minute-180)/15*15, min(24*60, (minute+300)/15*15)
	begin := m.today.At(from).Add(2 * time.Minute)
	for i, user := range []string{"zeimu05", "soumu04", shortUser, "zeimu04"} {
		asked := m.ago(1).At(9*60 + 10*i)
		s := m.ask(user, user, asked, telework.Draft{
			Days:  []telework.Day{{Date: m.today, Unit: telework.Minutes, From: from, Until: until}},
			Place: access.Home, Reason: telework.ReasonWork, Work: "通常業務",
		})
		m.answer(m.decider(user, m.ago(1)), s, asked.Add(2*time.Hour), telework.Approve, "")
	}
	if minute < 60 {
		return // the day is too young
	}
	m.report("zeimu05", begin, telework.Work)
	m.connect("zeimu05", begin.Add(2*time.Minute), m.now.Add(-6*time.Minute))
	m.report("soumu04", begin.Add(3*time.Minute), telework.Work)
	m.connect("soumu04", begin.Add(5*time.Minute), m.now.Add(-14*time.Minute))
	m.report("soumu04", m.now.Add(-13*time.Minute), telework.Break)
	m.report(shortUser, begin.Add(6*time.Minute), telework.Work)
	m.connect(shortUser, begin.Add(8*time.Minute), m.now.Add(-21*time.Minute))
	m.finish(shortUser, m.now.Add(-20*time.Minute), "補助金の実績報告の点検を終えた。午後は休暇。")
}
