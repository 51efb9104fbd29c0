package mail_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"mime"
	netmail "net/mail"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"jiseki/internal/mail"
	"jiseki/internal/mail/mailtest"
	"jiseki/internal/store"
	"jiseki/internal/store/storetest"
)

// town is a database with users who have addresses, and a mail server.
type town struct {
	*testing.T
	store    *store.Store
	server   *mailtest.Server
	settings mail.Settings
}

// newTown has n users u0, u1, ... The time is the test's, which may be a fake one.
func newTown(t *testing.T, n int) *town {
	t.Helper()
	w := &town{
		T: t, store: storetest.Open(t, storetest.SQLite(t), time.Now), server: &mailtest.Server{Busy: map[string]int{}},
		settings: mail.Settings{
			Server: "mail.town.example.jp:25", TLS: "none", From: "jiseki@town.example.jp", Digest: 15 * time.Minute, Portal: "https://telework.town.example.jp",
			Organisation: "青葉町",
		},
	}
	storetest.Town(t, w.store)
	var users []store.NewUser
	for i := range n {
		users = append(users, store.NewUser{ID: fmt.Sprintf("u%d", i), Name: "職員", PasswordHash: "hash"})
	}
	w.ok(w.store.CreateUsers(t.Context(), storetest.Admin, users))
	for _, u := range users {
		w.ok(w.store.PutStaff(t.Context(), storetest.Admin, store.StaffMember{User: u.ID, Mail: u.ID + "@town.example.jp"}))
	}
	return w
}

func (w *town) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *town) config() mail.Config {
	return mail.Config{
		Log: slog.New(slog.DiscardHandler), Now: time.Now, Outbox: w.store, Dial: w.server.Dial, Jitter: func() float64 { return 0.5 },
		Settings: func(context.Context) (mail.Settings, error) { return w.settings, nil },
		Password: func() (string, error) { return "himitsu", nil },
	}
}

// run starts a post and returns what ends it.
func (w *town) run(cfg mail.Config) (stop func()) {
	ctx, cancel := context.WithCancel(w.Context())
	done := make(chan error)
	go func() { done <- mail.New(cfg).Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			w.Error(err)
		}
	}
}

func (w *town) tell(user string) {
	w.Helper()
	w.ok(w.store.Notify(w.Context(), mail.Notice{
		User: user, Kind: "request_approved", Path: "/requests/1", Args: map[string]string{"date": "2026-11-25", "more": "0"},
	}))
}

func (w *town) outbox() store.Mail {
	w.Helper()
	mails, _, err := w.store.Mails(w.Context(), store.Page{})
	w.ok(err)
	if len(mails) != 1 {
		w.Fatalf("%d mails in the outbox", len(mails))
	}
	return mails[0]
}

// TestMailArrivesWhateverTheServerDoes: each way to fail delays the mail, shows the failure, and loses nothing.
func TestMailArrivesWhateverTheServerDoes(t *testing.T) {
	for name, c := range map[string]struct {
		moods  []mailtest.Mood
		copies int    // copies that arrive
		shown  string // the failure that administrators see meanwhile
	}{
		"good":                    {nil, 1, ""},
		"refuses":                 {[]mailtest.Mood{mailtest.Refuses, mailtest.Refuses, mailtest.Refuses}, 1, "refused"},
		"hangs":                   {[]mailtest.Mood{mailtest.Hangs}, 1, "greeting"},
		"busy":                    {[]mailtest.Mood{mailtest.Busy, mailtest.Busy}, 1, "421"},
		"hangs in the text":       {[]mailtest.Mood{mailtest.HangsInData}, 1, "after data"},
		"cuts in the text":        {[]mailtest.Mood{mailtest.CutsInData}, 1, "data"},
		"defers":                  {[]mailtest.Mood{mailtest.Defers, mailtest.Defers, mailtest.Defers}, 1, "451"},
		"rejects, then is mended": {[]mailtest.Mood{mailtest.Rejects, mailtest.Rejects}, 1, "550"},
		"refuses the text":        {[]mailtest.Mood{mailtest.FailsAfter}, 1, "554"},
		"one after the other":     {[]mailtest.Mood{mailtest.Refuses, mailtest.Hangs, mailtest.Busy, mailtest.HangsInData, mailtest.CutsInData, mailtest.Defers, mailtest.FailsAfter}, 1, "554"},
		"takes it without a word": {[]mailtest.Mood{mailtest.CutsAfter}, 2, "EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newTown(t, 1)
				w.server.Moods = c.moods
				w.tell("u0")
				shown := ""
				stop := w.run(w.config())
				for ; w.mailState() == store.MailWaiting; time.Sleep(40 * time.Second) {
					mails, _, err := w.store.Mails(t.Context(), store.Page{})
					w.ok(err)
					if len(mails) == 1 && mails[0].LastError != "" {
						shown = mails[0].LastError
					}
				}
				time.Sleep(90 * time.Minute) // no second copy
				stop()
				got := w.server.Mails()
				if len(got) != c.copies {
					t.Fatalf("%d mails arrived", len(got))
				}
				if !strings.Contains(shown, c.shown) || (c.shown == "") != (shown == "") {
					t.Errorf("shown was %q, want %q", shown, c.shown)
				}
				m := w.outbox()
				if m.State != store.MailSent || m.Tries != len(c.moods)+1 || m.LastError != "" {
					t.Errorf("outbox: %+v", m)
				}
				for _, x := range got[1:] {
					if id(t, x) != id(t, got[0]) {
						t.Error("a second copy has another Message-ID")
					}
				}
			})
		})
	}
}

func id(t *testing.T, r mailtest.Mail) string {
	t.Helper()
	m, err := netmail.ReadMessage(strings.NewReader(r.Text))
	if err != nil {
		t.Fatal(err)
	}
	return m.Header.Get("Message-Id")
}

// TestDeadServerIsGivenUpAfterTwoDays and goes on when an administrator says so. Meanwhile nobody waits for it.
func TestDeadServerIsGivenUpAfterTwoDays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t, 1)
		for range 100 {
			w.server.Moods = append(w.server.Moods, mailtest.Hangs)
		}
		w.tell("u0")
		begin := time.Now()
		stop := w.run(w.config())
		time.Sleep(50 * time.Second) // the first try hangs now
		before := time.Now()
		w.tell("tanaka")
		if time.Since(before) != 0 {
			t.Error("an act waited for the mail server")
		}
		time.Sleep(6 * time.Hour)
		stop()
		if n := w.outbox().Tries; n < 10 || n > 16 { // after 1, 2, 4, 8, 16, 32, 60 ... minutes, less by chance
			t.Errorf("%d tries in 6 hours", n)
		}
		time.Sleep(47*time.Hour - time.Since(begin)) // the gateway is off
		stop = w.run(w.config())
		for w.mailState() == store.MailWaiting {
			time.Sleep(5 * time.Minute)
		}
		if took := time.Since(begin); took < 48*time.Hour || took > 50*time.Hour {
			t.Errorf("given up after %v", took)
		}
		tries := w.server.Connections()
		time.Sleep(90 * time.Minute)
		if w.server.Connections() != tries {
			t.Error("it was tried although it was given up")
		}
		w.server.SetMoods()
		n, err := w.store.RetryMails(t.Context(), storetest.Admin)
		w.ok(err)
		time.Sleep(time.Minute)
		if n != 1 || len(w.server.Mails()) != 1 || w.mailState() != store.MailSent {
			t.Errorf("%d tried again, %d arrived", n, len(w.server.Mails()))
		}
		stop()
	})
}

// mailState is that of the first mail of the outbox, waiting while there is none.
func (w *town) mailState() store.MailState {
	w.Helper()
	mails, _, err := w.store.Mails(w.Context(), store.Page{})
	w.ok(err)
	if len(mails) == 0 {
		return store.MailWaiting
	}
	return mails[0].State
}

// TestSeveralGatewaysSendOnce: three posts on one database, a server that fails now and then, every mail once.
func TestSeveralGatewaysSendOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const users = 60
		w := newTown(t, users)
		for i := range users {
			w.tell(fmt.Sprintf("u%d", i))
			if i%7 == 0 {
				w.server.Busy[fmt.Sprintf("u%d@town.example.jp", i)] = 1 + i%3
			}
		}
		w.server.Moods = []mailtest.Mood{mailtest.Good, mailtest.CutsInData, mailtest.Refuses, mailtest.Busy, mailtest.Good, mailtest.Hangs, mailtest.HangsInData}
		var stops []func()
		for range 3 {
			stops = append(stops, w.run(w.config()))
		}
		time.Sleep(2 * time.Hour)
		for _, stop := range stops {
			stop()
		}
		copies := map[string]int{}
		for _, m := range w.server.Mails() {
			copies[m.To]++
		}
		for i := range users {
			if to := fmt.Sprintf("u%d@town.example.jp", i); copies[to] != 1 {
				t.Errorf("%s got %d mails", to, copies[to])
			}
		}
	})
}

// TestStoppedGatewayLeavesItsMails: what it was sending is tried by the next one, and counted as it was.
func TestStoppedGatewayLeavesItsMails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t, 1)
		w.server.Moods = []mailtest.Mood{mailtest.Hangs}
		w.tell("u0")
		stop := w.run(w.config())
		time.Sleep(45 * time.Second) // in the middle of the hanging greeting
		stop()
		if m := w.outbox(); m.State != store.MailWaiting || m.Tries != 0 {
			t.Errorf("after the stop: %+v", m)
		}
		stop = w.run(w.config())
		time.Sleep(time.Minute)
		stop()
		if len(w.server.Mails()) != 1 {
			t.Error("the mail did not arrive")
		}
	})
}

// TestWhatAMailSays: headers that mail programs read, both languages, a link, one mail for many notices, and nothing
// that could be taken for a header.
func TestWhatAMailSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t, 1)
		w.settings.Organisation = "青葉町\r\nBcc: evil@example.net"
		w.tell("u0")
		w.ok(w.store.Notify(t.Context(), mail.Notice{User: "u0", Kind: "power_on_asked", Args: map[string]string{
			"name": "鈴木\r\n.\r\nQUIT\r\n", "desk": "総務課 01\r\nBcc: evil@example.net",
		}}))
		stop := w.run(w.config())
		time.Sleep(time.Minute)
		stop()
		got := w.server.Mails()
		if len(got) != 1 || got[0].To != "u0@town.example.jp" || got[0].From != "jiseki@town.example.jp" {
			t.Fatalf("%d mails: %+v", len(got), got)
		}
		m, err := netmail.ReadMessage(strings.NewReader(got[0].Text))
		w.ok(err)
		if len(m.Header) != 9 || m.Header.Get("Bcc") != "" {
			t.Errorf("headers: %v", m.Header)
		}
		subject, err := (&mime.WordDecoder{}).DecodeHeader(m.Header.Get("Subject"))
		if err != nil || subject != "【テレワーク】お知らせ2件 / Telework: 2 notices" {
			t.Errorf("subject: %q, %v", subject, err)
		}
		from, err := m.Header.AddressList("From")
		if err != nil || len(from) != 1 || from[0].Address != "jiseki@town.example.jp" || !strings.HasPrefix(from[0].Name, "青葉町") {
			t.Errorf("from: %v, %v", from, err)
		}
		for _, line := range strings.Split(got[0].Text, "\r\n") {
			if len(line) > 998 || strings.ContainsFunc(line, func(r rune) bool { return r > 126 }) {
				t.Errorf("line: %q", line)
			}
		}
		_, body, _ := strings.Cut(got[0].Text, "\r\n\r\n")
		text, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(body, "\r\n", ""))
		w.ok(err)
		for _, want := range []string{
			"テレワークの申請（11月25日（水））が承認されました。\r\nhttps://telework.town.example.jp/requests/1", "Your request for telework (Wed 25 Nov) was approved.",
			"電源投入の依頼", "https://telework.town.example.jp/notices",
		} {
			if !strings.Contains(string(text), want) {
				t.Errorf("no %q in\n%s", want, string(text))
			}
		}
	})
}

// TestTLS over a real connection: with STARTTLS and from the first byte, signed in by PLAIN and by LOGIN; never without
// encryption, nor to a server with another name.
func TestTLS(t *testing.T) {
	for name, c := range map[string]struct {
		tls, auth, certificate string
		mood                   mailtest.Mood
		user, fails            string
	}{
		"starttls":                      {"starttls", "PLAIN LOGIN", "127.0.0.1", mailtest.Good, "jiseki", ""},
		"starttls, login":               {"", "LOGIN", "127.0.0.1", mailtest.Good, "jiseki", ""},
		"starttls without a user":       {"starttls", "", "127.0.0.1", mailtest.Good, "", ""},
		"none without a user":           {"none", "", "127.0.0.1", mailtest.Good, "", ""},
		"starttls is not offered":       {"starttls", "PLAIN", "127.0.0.1", mailtest.NoTLS, "jiseki", "does not offer STARTTLS"},
		"another server":                {"starttls", "PLAIN", "127.0.0.2", mailtest.Good, "jiseki", "certificate"},
		"password over an open line":    {"none", "PLAIN LOGIN", "127.0.0.1", mailtest.Good, "jiseki", "open line"},
		"answer over an open line":      {"none", "CRAM-MD5", "127.0.0.1", mailtest.Good, "jiseki", "open line"},
		"a way to sign in from Mars":    {"starttls", "XMARS", "127.0.0.1", mailtest.Good, "jiseki", "XMARS"},
		"tls to a server without it":    {"tls", "PLAIN", "127.0.0.1", mailtest.Busy, "jiseki", "tls"},
		"sign-in that is not asked for": {"starttls", "PLAIN", "127.0.0.1", mailtest.Good, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTown(t, 1)
			cfg := w.config()
			cfg.Outbox, cfg.Dial = &once{t: t, done: make(chan error, 1)}, nil
			cfg.Roots = w.server.Certify(t, c.certificate)
			w.server.Auth, w.server.Moods = c.auth, []mailtest.Mood{c.mood}
			w.settings.Server, w.settings.TLS, w.settings.User = w.server.Listen(t), c.tls, c.user
			stop := w.run(cfg)
			err := <-cfg.Outbox.(*once).done
			stop()
			user, password := w.server.SignedIn()
			if c.fails == "" {
				if err != nil || len(w.server.Mails()) != 1 {
					t.Fatalf("%d arrived: %v", len(w.server.Mails()), err)
				}
				if c.user != "" && (user != "jiseki" || password != "himitsu") {
					t.Errorf("signed in as %q", user)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.fails) {
				t.Errorf("got %v, want %s", err, c.fails)
			}
			if err != nil && strings.Contains(err.Error(), "himitsu") {
				t.Error("the password is in the error")
			}
			if password != "" || len(w.server.Mails()) != 0 {
				t.Error("the password or the mail went out")
			}
		})
	}
}

// TestServersThatSignInOtherwise: keywords in any case, the form of AUTH before RFC 2554 of 1999, questions of AUTH
// LOGIN in other words, in other languages, empty or not in base64. The name is first.
func TestServersThatSignInOtherwise(t *testing.T) {
	base64Of := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	for name, c := range map[string]struct {
		hello, asks []string
		fails       string
	}{
		"old form":           {[]string{"AUTH=LOGIN"}, nil, ""},
		"old form of both":   {[]string{"AUTH=LOGIN PLAIN"}, nil, ""},
		"both forms":         {[]string{"AUTH LOGIN", "AUTH=LOGIN"}, nil, ""},
		"lower case":         {[]string{"auth login"}, nil, ""},
		"lower case, plain":  {[]string{"auth plain"}, nil, ""},
		"tab":                {[]string{"AUTH\tLOGIN"}, nil, ""},
		"nameless questions": {[]string{"AUTH LOGIN"}, []string{"", ""}, ""},
		"other words":        {[]string{"AUTH LOGIN"}, []string{base64Of("Login name:"), base64Of("Secret?")}, ""},
		"Japanese":           {[]string{"AUTH LOGIN"}, []string{base64Of("利用者名:"), base64Of("パスワード:")}, ""},
		"mixed case and NUL": {[]string{"AUTH LOGIN"}, []string{base64Of("uSER nAME\x00"), base64Of("PASSWORD\x00")}, ""},
		"not in base64":      {[]string{"AUTH LOGIN"}, []string{"Username:", "Password:"}, ""},
		"a third question":   {[]string{"AUTH LOGIN"}, []string{base64Of("User"), base64Of("Password"), base64Of("Pet")}, "334"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTown(t, 1)
			cfg := w.config()
			cfg.Outbox, cfg.Dial = &once{t: t, done: make(chan error, 1)}, nil
			cfg.Roots = w.server.Certify(t, "127.0.0.1")
			w.server.Hello, w.server.Asks = c.hello, c.asks
			w.settings.Server, w.settings.TLS, w.settings.User = w.server.Listen(t), "starttls", "jiseki"
			stop := w.run(cfg)
			err := <-cfg.Outbox.(*once).done
			stop()
			if c.fails != "" {
				if err == nil || !strings.Contains(err.Error(), c.fails) || strings.Contains(err.Error(), "himitsu") {
					t.Errorf("got %v, want %s", err, c.fails)
				}
				return
			}
			if user, password := w.server.SignedIn(); err != nil || user != "jiseki" || password != "himitsu" {
				t.Errorf("signed in as %q: %v", user, err)
			}
		})
	}
}

// TestStartTLSInLowerCase: keywords have no case (RFC 5321 section 2.4).
func TestStartTLSInLowerCase(t *testing.T) {
	w := newTown(t, 1)
	cfg := w.config()
	cfg.Outbox, cfg.Dial = &once{t: t, done: make(chan error, 1)}, nil
	cfg.Roots = w.server.Certify(t, "127.0.0.1")
	w.server.Hello, w.server.Moods = []string{"starttls", "auth plain"}, []mailtest.Mood{mailtest.NoTLS} // of the server's own line only
	w.settings.Server, w.settings.TLS, w.settings.User = w.server.Listen(t), "starttls", "jiseki"
	stop := w.run(cfg)
	err := <-cfg.Outbox.(*once).done
	stop()
	if err != nil || len(w.server.Mails()) != 1 {
		t.Fatalf("%d arrived: %v", len(w.server.Mails()), err)
	}
}

// once is an outbox with one mail, which says what became of it.
type once struct {
	t       *testing.T
	claimed bool
	done    chan error
}

func (o *once) GatherMails(context.Context, time.Duration, func([]mail.Told) mail.Letter) (int, error) {
	return 0, nil
}

func (o *once) ClaimMails(context.Context, string, time.Duration, int) ([]mail.Mail, error) {
	if o.claimed {
		return nil, nil
	}
	o.claimed = true
	return []mail.Mail{{ID: "m1", Address: "u0@town.example.jp", Subject: "お知らせ", Body: "本文", Tries: 1}}, nil
}

func (o *once) MailSent(context.Context, string, string) error {
	o.done <- nil
	return nil
}

func (o *once) MailFailed(_ context.Context, _, _, why string, _ time.Duration) error {
	o.done <- errors.New(why)
	return nil
}

func (o *once) ReleaseMails(context.Context, string) error { return nil }

// TestAnswersAreBounded: a mail server, or who speaks in its place before TLS, cannot fill the gateway's memory.
func TestAnswersAreBounded(t *testing.T) {
	for name, hello := range map[string][]string{
		"one long line": {strings.Repeat("X", 1<<20)},
		"many lines":    strings.Split(strings.Repeat("X-SOMETHING,", 1<<17), ","),
	} {
		t.Run(name, func(t *testing.T) {
			w := newTown(t, 1)
			cfg := w.config()
			cfg.Outbox, cfg.Dial = &once{t: t, done: make(chan error, 1)}, nil
			w.server.Hello, w.settings.Server, w.settings.TLS = hello, w.server.Listen(t), "none"
			stop := w.run(cfg)
			err := <-cfg.Outbox.(*once).done
			stop()
			if err == nil || !strings.Contains(err.Error(), "says too much") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestAddresses(t *testing.T) {
	for address, good := range map[string]bool{
		"suzuki@town.example.jp": true, "i.suzuki+telework@lg.jp": true, "": false, "suzuki": false, "a@b\r\nRCPT TO:<x@y>": false, "鈴木@town.example.jp": false,
		"Suzuki <suzuki@town.example.jp>": false, "a@b, c@d": false, "<a@b>": false, " a@b": false, "a b@c": false, strings.Repeat("a", 250) + "@b.jp": false, `"a b"@c`: false,
	} {
		if err := mail.CheckAddress(address); (err == nil) != good {
			t.Errorf("%q: %v", address, err)
		}
	}
}

func TestComposeBoundsLongMails(t *testing.T) {
	told := make([]mail.Told, 500)
	for i := range told {
		told[i] = mail.Told{Kind: "request_approved", Args: map[string]string{"date": "2026-11-25", "more": "0"}, Path: "/requests/1"}
	}
	l := mail.Compose(told, "")
	if len(l.Body) > 20_000 || !strings.Contains(l.Body, "ほか450件") || strings.Contains(l.Body, "https://") {
		t.Errorf("%d bytes:\n%s", len(l.Body), l.Body[:400])
	}
}

// oneDamaged is an outbox in which the notices of one user are damaged, as the store says of them.
type oneDamaged struct{ *store.Store }

func (o oneDamaged) GatherMails(ctx context.Context, digest time.Duration, compose func([]mail.Told) mail.Letter) (int, error) {
	n, err := o.Store.GatherMails(ctx, digest, compose)
	return n, errors.Join(err, errors.New("notices of suzuki: unexpected end of JSON input"))
}

// TestDamagedNoticeKeepsNoMailBack: what others were told leaves, and the log says what is damaged.
func TestDamagedNoticeKeepsNoMailBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t, 1)
		w.tell("u0")
		var log bytes.Buffer
		cfg := w.config()
		cfg.Outbox, cfg.Log = oneDamaged{w.store}, slog.New(slog.NewTextHandler(&log, nil))
		stop := w.run(cfg)
		time.Sleep(time.Hour)
		stop()
		if n := len(w.server.Mails()); n != 1 {
			t.Errorf("%d mails left, want 1", n)
		}
		if !strings.Contains(log.String(), "notices of suzuki") {
			t.Errorf("the log does not say what is damaged: %s", log.String())
		}
	})
}
