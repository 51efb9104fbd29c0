package storetest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"jiseki/internal/audit"
	"jiseki/internal/mail"
	"jiseki/internal/store"
)

const digest = 15 * time.Minute

// letter says how many notices a mail has.
func letter(told []mail.Told) mail.Letter {
	return mail.Letter{Subject: fmt.Sprintf("%d", len(told)), Body: told[0].Kind}
}

func (t *suite) gather() int {
	t.Helper()
	n, err := t.s.GatherMails(t.ctx, digest, letter)
	t.ok(err)
	return n
}

func (t *suite) tell(user, date string) {
	t.Helper()
	t.ok(t.s.Notify(t.ctx, approvedNotice(user, date)))
}

func (t *suite) claims(claim string) []mail.Mail {
	t.Helper()
	mails, err := t.s.ClaimMails(t.ctx, claim, time.Minute, 10)
	t.ok(err)
	return mails
}

// mail is the newest mail of the outbox.
func (t *suite) mail() store.Mail {
	t.Helper()
	mails, _, err := t.s.Mails(t.ctx, store.Page{Limit: 1})
	t.ok(err)
	return mails[0]
}

// mailDigest: at most one mail a user in the digest's time, of what was not read; nothing for who has no address.
func mailDigest(t *suite) {
	t.address("suzuki", "suzuki@town.example.jp")
	t.tell("suzuki", "2026-11-25")
	t.tell("tanaka", "2026-11-25")
	t.equal(t.gather(), 0) // it waits for what happens at the same time
	t.clock.Add(30 * time.Second)
	t.tell("suzuki", "2026-11-26")
	t.equal(t.gather(), 1)
	t.equal([]any{t.mail().Subject, t.mail().UserName, t.mail().Address, t.mail().State}, []any{"2", "鈴木 一郎", "suzuki@town.example.jp", store.MailWaiting})
	t.equal(t.gather(), 0)
	for range 20 {
		t.tell("suzuki", "2026-11-27")
	}
	t.clock.Add(digest - time.Second)
	t.equal(t.gather(), 0)
	t.clock.Add(time.Second)
	t.equal(t.gather(), 1)
	t.equal(t.mail().Subject, "20")
	t.tell("suzuki", "2026-11-28")
	t.ok(t.s.ReadNotices(t.ctx, "suzuki", nil))
	t.clock.Add(time.Hour)
	t.equal(t.gather(), 0)
	t.tell("suzuki", "2026-11-29")
	_, err := t.s.SetUserDisabled(t.ctx, Admin, "suzuki", true)
	t.ok(err)
	t.clock.Add(time.Hour)
	t.equal(t.gather(), 0)
}

// mailDigestAtOnce: of several gateways one makes the mail.
func mailDigestAtOnce(t *suite) {
	t.address("suzuki", "suzuki@town.example.jp")
	t.tell("suzuki", "2026-11-25")
	t.clock.Add(time.Minute)
	var wg sync.WaitGroup
	var mu sync.Mutex
	made := 0
	for range 6 {
		wg.Go(func() {
			n, err := t.s.GatherMails(context.Background(), digest, letter)
			mu.Lock()
			defer mu.Unlock()
			if made += n; err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	t.equal(made, 1)
}

// oneMail puts one mail into the outbox.
func (t *suite) oneMail() {
	t.Helper()
	t.address("suzuki", "suzuki@town.example.jp")
	t.tell("suzuki", "2026-11-25")
	t.clock.Add(time.Minute)
	t.equal(t.gather(), 1)
}

func outbox(t *suite) {
	t.oneMail()
	claimed := t.claims("a")
	t.equal(claimed, []mail.Mail{{ID: t.mail().ID, Address: "suzuki@town.example.jp", Subject: "1", Body: "request_approved", Tries: 1}})
	t.equal(len(t.claims("b")), 0)
	t.ok(t.s.MailSent(t.ctx, claimed[0].ID, "b")) // not b's to say
	t.equal(t.mail().State, store.MailWaiting)
	t.ok(t.s.MailFailed(t.ctx, claimed[0].ID, "a", "connect: refused", time.Minute))
	m := t.mail()
	t.equal([]any{m.State, m.Tries, m.LastError, m.NextMS}, []any{store.MailWaiting, 1, "connect: refused", t.clock.Now().Add(time.Minute).UnixMilli()})
	t.equal(len(t.claims("b")), 0) // not due
	t.clock.Add(time.Minute)
	t.equal(len(t.claims("b")), 1)
	t.ok(t.s.ReleaseMails(t.ctx, "b"))
	t.equal(t.mail().Tries, 1)
	t.equal(len(t.claims("c")), 1)
	t.clock.Add(time.Minute) // c died
	t.equal(len(t.claims("d")), 1)
	t.ok(t.s.MailSent(t.ctx, claimed[0].ID, "c"))
	t.equal(t.mail().State, store.MailWaiting)
	t.ok(t.s.MailSent(t.ctx, claimed[0].ID, "d"))
	m = t.mail()
	t.equal([]any{m.State, m.SentMS, m.LastError, m.NextMS}, []any{store.MailSent, t.clock.Now().UnixMilli(), "", int64(0)})
	t.clock.Add(time.Hour)
	t.equal(len(t.claims("e")), 0)
}

// mailGivenUp: after two days a mail waits for an administrator, who sees it and tries again, to the address of now.
func mailGivenUp(t *suite) {
	t.oneMail()
	tries := 0
	for ; t.mail().State == store.MailWaiting; tries++ {
		for _, m := range t.claims("a") {
			t.ok(t.s.MailFailed(t.ctx, m.ID, "a", "no", time.Hour))
		}
		t.clock.Add(time.Hour)
	}
	t.equal(tries, 49)
	t.equal(t.mail().State, store.MailFailed)
	waiting, failed, err := t.s.MailCounts(t.ctx)
	t.ok(err)
	t.equal([]int{waiting, failed}, []int{0, 1})
	t.address("suzuki", "i.suzuki@town.example.jp")
	n, err := t.s.RetryMails(t.ctx, Admin)
	t.ok(err)
	t.equal([]any{n, t.last().Kind, t.mail().Address}, []any{1, audit.MailsRetried, "i.suzuki@town.example.jp"})
	claimed := t.claims("b")
	t.equal(len(claimed), 1)
	n, err = t.s.RetryMails(t.ctx, Admin) // what is being sent is left alone
	t.ok(err)
	t.equal(n, 0)
	t.ok(t.s.MailSent(t.ctx, claimed[0].ID, "b"))
	waiting, failed, err = t.s.MailCounts(t.ctx)
	t.ok(err)
	t.equal([]int{waiting, failed}, []int{0, 0})
}

// mailsAtOnce: several gateways never claim the same mail.
func mailsAtOnce(t *suite) {
	const users = 30
	var all []store.NewUser
	for i := range users {
		all = append(all, store.NewUser{ID: fmt.Sprintf("u%d", i), Name: "職員", PasswordHash: "hash"})
	}
	t.ok(t.s.CreateUsers(t.ctx, Admin, all))
	for i := range users {
		t.address(all[i].ID, all[i].ID+"@town.example.jp")
		t.tell(all[i].ID, "2026-11-25")
	}
	t.clock.Add(time.Minute)
	t.equal(t.gather(), users)
	var wg sync.WaitGroup
	var mu sync.Mutex
	seen := map[string]int{}
	for g := range 6 {
		wg.Go(func() {
			for i := range 10 {
				mails, err := t.s.ClaimMails(context.Background(), fmt.Sprintf("g%d-%d", g, i), time.Minute, 3)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				for _, m := range mails {
					seen[m.ID]++
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	t.equal(len(seen), users)
	for id, n := range seen {
		if n != 1 {
			t.Errorf("mail %s was claimed %d times", id, n)
		}
	}
}

// mailsAndTheClock: a clock that was years ahead for a moment holds no mail up.
func mailsAndTheClock(t *suite) {
	t.oneMail()
	now := t.clock.Now()
	t.clock.Add(10 * 365 * 24 * time.Hour)
	t.equal(len(t.claims("a")), 1)
	t.tell("suzuki", "2036-11-25")
	t.clock.Add(time.Minute)
	t.equal(t.gather(), 1)
	t.clock.Add(now.Sub(t.clock.Now()))
	t.tell("suzuki", "2026-11-26")
	t.clock.Add(time.Minute)
	t.equal(t.gather(), 1)
	t.equal(len(t.claims("b")), 3)
}

// address gives a user an official address.
func (t *suite) address(user, address string) {
	t.Helper()
	t.ok(t.s.PutStaff(t.ctx, Admin, store.StaffMember{User: user, Mail: address}))
}
