package gateway_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/text/encoding/japanese"

	"jiseki/internal/access"
	"jiseki/internal/calendar"
	"jiseki/internal/gateway"
	"jiseki/internal/gateway/gatewaytest"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/gen/jiseki/control/v1/controlv1connect"
	"jiseki/internal/mail"
	"jiseki/internal/mail/mailtest"
	"jiseki/internal/store"
)

// member is a browser of somebody of the section, with the services of the day.
type member struct {
	*gatewaytest.Browser
	controlv1connect.TeleworkServiceClient
	approvals controlv1connect.ApprovalServiceClient
}

// section has a chief, a worker and somebody of elsewhere.
func section(t *testing.T, town *gatewaytest.Town) (chief, worker, other member) {
	t.Helper()
	put := func(head string) {
		t.Helper()
		_, err := town.Admin.PutSection(t.Context(), &controlv1.PutSectionRequest{Section: &controlv1.Section{
			SectionId: "zeimu", Name: "税務課", HeadUserId: head,
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	put("")
	join := func(id, name, section string) member {
		t.Helper()
		b := town.Staff(t, id, name)
		_, err := town.Admin.UpdateUser(t.Context(), &controlv1.UpdateUserRequest{
			UserId: id, Name: name, MainSectionId: section, Roles: []controlv1.Role{controlv1.Role_ROLE_STAFF},
		})
		if err != nil {
			t.Fatal(err)
		}
		return member{
			b, controlv1connect.NewTeleworkServiceClient(b.Client, "https://"+town.Host),
			controlv1connect.NewApprovalServiceClient(b.Client, "https://"+town.Host),
		}
	}
	chief, worker, other = join("sato", "佐藤 次郎", "zeimu"), join("suzuki", "鈴木 一郎", "zeimu"), join("tanaka", "田中 花子", "")
	put("sato")
	return chief, worker, other
}

func (m member) report(t *testing.T, r *controlv1.ReportWorkdayRequest) *controlv1.ReportWorkdayResponse {
	t.Helper()
	answer, err := m.ReportWorkday(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// TestWorkdayFromStartToConfirmation: clicks, month, correction, confirmation and export, and who may see what.
func TestWorkdayFromStartToConfirmation(t *testing.T) {
	var ahead atomic.Int64
	now := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	if calendar.MinuteOf(now()) > 23*60 { // the few minutes of this test are on one day
		ahead.Store(int64(2 * time.Hour))
	}
	date := calendar.DateOf(now())
	town := gatewaytest.Start(t, gatewaytest.WithNow(now))
	chief, worker, other := section(t, town)
	if r := worker.report(t, &controlv1.ReportWorkdayRequest{Finish: true}); codes(r.GetRefusal()) != "workday_not_started" {
		t.Errorf("an end without a start: %v", r)
	}
	if _, err := worker.ReportWorkday(t.Context(), &controlv1.ReportWorkdayRequest{}); codeOf(t, err) != "invalid" {
		t.Errorf("nothing: %v", err)
	}
	worker.report(t, &controlv1.ReportWorkdayRequest{Kind: controlv1.SegmentKind_SEGMENT_KIND_WORK})
	ahead.Add(int64(time.Minute))
	w := worker.report(t, &controlv1.ReportWorkdayRequest{Kind: controlv1.SegmentKind_SEGMENT_KIND_BREAK}).GetWorkday()
	if w.GetState() != controlv1.WorkdayState_WORKDAY_STATE_AWAY || len(w.GetSegments()) != 2 || w.GetWorkMs() < 60_000 || w.GetDate() != date.String() {
		t.Errorf("on break: %v", w)
	}
	worker.report(t, &controlv1.ReportWorkdayRequest{Kind: controlv1.SegmentKind_SEGMENT_KIND_WORK})
	ahead.Add(int64(time.Minute))
	w = worker.report(t, &controlv1.ReportWorkdayRequest{Finish: true, Done: "=台帳の確認"}).GetWorkday()
	if w.GetState() != controlv1.WorkdayState_WORKDAY_STATE_FINISHED || w.GetDone() != "=台帳の確認" {
		t.Errorf("finished: %v", w)
	}
	if _, err := worker.SaveDone(t.Context(), &controlv1.SaveDoneRequest{Date: date.Add(1).String(), Done: "明日"}); codeOf(t, err) != "invalid" {
		t.Errorf("tomorrow's text: %v", err)
	}

	seen(t, date, chief, worker, other)
	confirmed(t, date, chief, worker, other, func() {
		ahead.Add(int64(date.InMonth().Add(1).First().At(0).Sub(now()) + time.Hour))
		for _, m := range []member{chief, worker, other} {
			m.SignIn(t, m.User, gatewaytest.Password)
		}
	})
	exported(t, date, chief, other)
}

// seen: a workday is for its user and the superior.
func seen(t *testing.T, date calendar.Date, chief, worker, other member) {
	t.Helper()
	for name, c := range map[string]struct {
		who  member
		user string
		code string
	}{
		"own": {worker, "", ""}, "by superior": {chief, "suzuki", ""}, "of superior": {worker, "sato", "not_yours"}, "by a stranger": {other, "suzuki", "not_yours"},
		"of nobody": {chief, "nobody", "not_yours"},
	} {
		day, err := c.who.GetWorkday(t.Context(), &controlv1.GetWorkdayRequest{Date: date.String(), UserId: c.user})
		month, err2 := c.who.GetMonth(t.Context(), &controlv1.GetMonthRequest{Month: date.InMonth().String(), UserId: c.user})
		_, err3 := c.who.ExportMonths(t.Context(), &controlv1.ExportMonthsRequest{Month: date.InMonth().String(), UserIds: []string{c.user}})
		switch {
		case c.code != "" && (codeOf(t, err) != c.code || codeOf(t, err2) != c.code || codeOf(t, err3) != c.code):
			t.Errorf("%s: %v, %v, %v", name, err, err2, err3)
		case c.code == "" && (errors.Join(err, err2, err3) != nil || len(day.GetWorkday().GetSegments()) != 3 || month.GetReport().GetDays() != 1):
			t.Errorf("%s: %v, %v, %v", name, day, month, errors.Join(err, err2, err3))
		}
	}
}

// confirmed: the superior confirms the month when it is over; a correction takes that back.
func confirmed(t *testing.T, date calendar.Date, chief, worker, other member, nextMonth func()) {
	t.Helper()
	confirm := func(who member) string {
		t.Helper()
		r, err := who.approvals.ConfirmMonths(t.Context(), &controlv1.ConfirmMonthsRequest{Month: date.InMonth().String(), UserIds: []string{"suzuki"}})
		if err != nil {
			t.Fatal(err)
		}
		if len(r.GetRefusals()) == 0 {
			return ""
		}
		return codes(r.GetRefusals()[0].GetRefusal())
	}
	if code := confirm(chief); code != "month_not_over" {
		t.Errorf("too early: %q", code)
	}
	nextMonth()
	for who, code := range map[*member]string{&other: "not_allowed", &worker: "not_allowed", &chief: ""} {
		if got := confirm(*who); got != code {
			t.Errorf("%s: %q, want %q", who.User, got, code)
		}
	}
	months := func() []*controlv1.MonthReport {
		t.Helper()
		r, err := chief.approvals.ListMonths(t.Context(), &controlv1.ListMonthsRequest{Month: date.InMonth().String()})
		if err != nil {
			t.Fatal(err)
		}
		return r.GetReports()
	}
	if m := months(); len(m) != 1 || m[0].GetConfirmedMs() == 0 || m[0].GetConfirmedByName() != "佐藤 次郎" || m[0].GetUserName() != "鈴木 一郎" {
		t.Errorf("confirmed: %v", m)
	}
	from := date.At(8*60 + 30)
	correct := func(until time.Time) *controlv1.CorrectWorkdayResponse {
		t.Helper()
		r, err := worker.CorrectWorkday(t.Context(), &controlv1.CorrectWorkdayRequest{Date: date.String(), Reason: "報告漏れ", Segments: []*controlv1.Segment{
			{Kind: controlv1.SegmentKind_SEGMENT_KIND_WORK, FromMs: from.UnixMilli(), UntilMs: until.UnixMilli()},
		}})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if r := correct(from.Add(-time.Hour)); codes(r.GetRefusal()) != "segments_order" {
		t.Errorf("backwards: %v", r)
	}
	if r := correct(from.Add(8 * time.Hour)); len(r.GetWorkday().GetCorrections()) != 1 || len(r.GetWorkday().GetCorrections()[0].GetBefore()) != 3 {
		t.Errorf("corrected: %v", r)
	}
	if m := months(); m[0].GetConfirmedMs() != 0 || m[0].GetGapDays() != 1 {
		t.Errorf("after the correction: %v", m)
	}
	if got := notices(t, chief); !strings.Contains(got, "month_corrected") {
		t.Errorf("the superior was told %s", got)
	}
	if got := notices(t, worker); !strings.Contains(got, "month_confirmed") {
		t.Errorf("the worker was told %s", got)
	}
}

// notices reads all notices of somebody, and returns their kinds.
func notices(t *testing.T, who member) string {
	t.Helper()
	r, err := who.ListNotices(t.Context(), &controlv1.ListNoticesRequest{})
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, n := range r.GetNotices() {
		if n.GetJa() == n.GetKind() || n.GetEn() == "" {
			t.Errorf("no words: %v", n)
		}
		kinds = append(kinds, n.GetKind())
	}
	if int(r.GetUnread()) != len(kinds) {
		t.Errorf("%d unread of %d", r.GetUnread(), len(kinds))
	}
	if _, err := who.ReadNotices(t.Context(), &controlv1.ReadNoticesRequest{}); err != nil {
		t.Fatal(err)
	}
	if r, err = who.ListNotices(t.Context(), &controlv1.ListNoticesRequest{}); err != nil || r.GetUnread() != 0 {
		t.Errorf("%d unread after reading: %v", r.GetUnread(), err)
	}
	return strings.Join(kinds, " ")
}

func exported(t *testing.T, date calendar.Date, chief, other member) {
	t.Helper()
	ask := &controlv1.ExportMonthsRequest{Month: date.InMonth().String(), UserIds: []string{"suzuki", ""}, Encoding: controlv1.CsvEncoding_CSV_ENCODING_UTF8}
	r, err := chief.ExportMonths(t.Context(), ask)
	if err != nil {
		t.Fatal(err)
	}
	text := string(r.GetCsv())
	if !strings.HasPrefix(text, "\ufeff所属,氏名,") || !strings.Contains(text, "鈴木 一郎") || !strings.Contains(text, "'=台帳の確認") || !strings.Contains(text, calendar.Wareki(date)) {
		t.Errorf("%s:\n%s", r.GetFileName(), text)
	}
	ask.Encoding = controlv1.CsvEncoding_CSV_ENCODING_CP932
	if r, err = chief.ExportMonths(t.Context(), ask); err != nil {
		t.Fatal(err)
	}
	if b, err := japanese.ShiftJIS.NewDecoder().Bytes(r.GetCsv()); err != nil || "\ufeff"+string(b) != text {
		t.Errorf("CP932 says something else: %v\n%s", err, b)
	}
	if _, err := other.ExportMonths(t.Context(), ask); codeOf(t, err) != "not_yours" {
		t.Errorf("a stranger: %v", err)
	}
}

// TestGatewaySendsWhatWaits: a notice from before the start reaches the mail server, signed in with the password of the
// file, and the file's password is nowhere else.
func TestGatewaySendsWhatWaits(t *testing.T) {
	taken := make(chan mailtest.Mail, 1)
	server := &mailtest.Server{Auth: "PLAIN", Taken: func(m mailtest.Mail) { taken <- m }}
	ca := filepath.Join(t.TempDir(), "mail-ca.pem")
	if err := os.WriteFile(ca, server.CertifyPEM(t, "127.0.0.1"), 0o600); err != nil {
		t.Fatal(err)
	}
	town := gatewaytest.Start(t, gatewaytest.WithConfig(func(c *gateway.Config) { c.Mail.CAFile = ca }), gatewaytest.WithSettings(func(s *access.Settings) {
		s.Policy.Mail = access.MailSettings{Server: server.Listen(t), TLS: "starttls", User: "jiseki", From: "jiseki@midori.example.jp", DigestMinutes: 15}
	}))
	town.NewUser(t, "suzuki", "鈴木 一郎")
	town.Stop(t)
	if err := os.WriteFile(filepath.Join(town.Config.DataDir, "mail_password"), []byte("himitsu\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	earlier := func() time.Time { return time.Now().Add(-time.Minute) }
	s, err := store.Open(t.Context(), store.Config{DSN: "sqlite:" + filepath.Join(town.Config.DataDir, "jiseki.db"), Now: earlier})
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(
		s.PutStaff(t.Context(), store.By{Actor: "cli:test"}, store.StaffMember{User: "suzuki", Mail: "suzuki@midori.example.jp"}),
		s.Notify(t.Context(), mail.Notice{User: "suzuki", Kind: "tomorrow_telework", Args: map[string]string{"date": "2026-11-25"}}), s.Close(),
	)
	if err != nil {
		t.Fatal(err)
	}
	town.Run(t)
	m := <-taken
	_, body, _ := strings.Cut(m.Text, "\r\n\r\n")
	text, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(body, "\r\n", ""))
	if err != nil || m.To != "suzuki@midori.example.jp" || !bytes.Contains(text, []byte("https://"+town.Host+"/notices")) {
		t.Errorf("to %s: %s, %v", m.To, text, err)
	}
	if user, password := server.SignedIn(); user != "jiseki" || password != "himitsu" {
		t.Errorf("signed in as %q", user)
	}
}
