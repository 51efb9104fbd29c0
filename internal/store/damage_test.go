package store_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"jiseki/internal/mail"
	"jiseki/internal/store"
	"jiseki/internal/store/storetest"
)

// damaged is a town of which somebody has changed a row by hand.
func damaged(t *testing.T, statement string) (*store.Store, *storetest.Clock) {
	t.Helper()
	clock, dsn := storetest.NewClock(), storetest.SQLite(t)
	s := storetest.Open(t, dsn, clock.Now)
	storetest.Town(t, s)
	for _, user := range []string{"suzuki", "tanaka"} {
		until := clock.Now().AddDate(0, 0, 20).Format(time.DateOnly)
		err := s.PutStaff(t.Context(), storetest.Admin, store.StaffMember{User: user, Mail: user + "@town.example.jp"})
		if err == nil {
			err = s.Notify(t.Context(), mail.Notice{User: user, Kind: "registration_ends", Args: map[string]string{"date": until}})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	clock.Add(time.Hour)
	db, err := sql.Open("sqlite", strings.TrimPrefix(dsn, "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
	return s, clock
}

// TestDamagedNoticeKeepsNoMailBack: of whoever else there are notices.
func TestDamagedNoticeKeepsNoMailBack(t *testing.T) {
	for _, user := range []string{"suzuki", "tanaka"} {
		s, _ := damaged(t, fmt.Sprintf(`UPDATE notices SET args = '{' WHERE user_id = '%s'`, user))
		n, err := s.GatherMails(t.Context(), time.Minute, func([]mail.Told) mail.Letter { return mail.Letter{Subject: "x"} })
		if n != 1 || err == nil || !strings.Contains(err.Error(), user) {
			t.Errorf("%s damaged: %d mails, %v", user, n, err)
		}
	}
}

// TestDamagedDateKeepsNoReminderBack: neither of the same kind nor of the next.
func TestDamagedDateKeepsNoReminderBack(t *testing.T) {
	for _, c := range []struct{ bad, good string }{{"suzuki", "tanaka"}, {"tanaka", "suzuki"}} {
		until := storetest.NewClock().Now().AddDate(0, 0, 20).Format(time.DateOnly)
		s, _ := damaged(t, fmt.Sprintf(`UPDATE staff SET registered_until = CASE user_id WHEN '%s' THEN '%s' ELSE '%s' END`,
			c.bad, until[:9]+"x", until))
		before, _, err := s.Notices(t.Context(), c.good, store.Page{})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Remind(t.Context()); err == nil {
			t.Error("the damaged date is not said")
		}
		after, _, err := s.Notices(t.Context(), c.good, store.Page{})
		if err != nil || len(after) != len(before)+1 {
			t.Errorf("%s has %d notices after %d, %v", c.good, len(after), len(before), err)
		}
	}
}

// TestMailOfAClockThatWasAhead is given up as late as one of a right clock.
func TestMailOfAClockThatWasAhead(t *testing.T) {
	s, clock := damaged(t, `UPDATE notices SET read_ms = 1 WHERE user_id = 'tanaka'`)
	clock.Add(30 * 24 * time.Hour)
	n, err := s.GatherMails(t.Context(), time.Minute, func([]mail.Told) mail.Letter { return mail.Letter{Subject: "x"} })
	if n != 1 || err != nil {
		t.Fatalf("%d mails, %v", n, err)
	}
	clock.Add(-30 * 24 * time.Hour)
	for range 2 { // now, and when it should be given up
		mails, err := s.ClaimMails(t.Context(), "a", time.Minute, 1)
		if err != nil || len(mails) != 1 {
			t.Fatalf("%d mails are due, %v", len(mails), err)
		}
		if err := s.MailFailed(t.Context(), mails[0].ID, "a", "no", time.Minute); err != nil {
			t.Fatal(err)
		}
		clock.Add(mail.GiveUpAfter)
	}
	if _, failed, err := s.MailCounts(t.Context()); failed != 1 || err != nil {
		t.Errorf("%d mails are given up, %v", failed, err)
	}
}
