package mail

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"time"
)

const (
	// every is how often the post looks for notices and mails.
	every = 20 * time.Second
	// batch is how many mails go over one connection.
	batch = 10
	// batchTimeout bounds a connection; it is shorter than the lease, so that a mail is not sent by two gateways at
	// once.
	batchTimeout = 2 * time.Minute
	// lease is how long a claimed mail stays with its gateway. Longer than batchTimeout, with room for clocks that
	// differ.
	lease = 6 * time.Minute
	// firstWait and longestWait bound the time between two tries; each is twice the one before.
	firstWait   = time.Minute
	longestWait = time.Hour
	// maxError is how much of an error is kept, in bytes.
	maxError = 300
)

// GiveUpAfter is how long a mail is tried. Then it waits for an administrator.
const GiveUpAfter = 48 * time.Hour

// Settings say how mails leave. They are read anew each time.
type Settings struct {
	Server       string // host:port; empty: no mail
	TLS          string // tls, starttls or none; anything else counts as starttls
	User         string // empty: no sign-in
	From         string
	Digest       time.Duration // at most one mail a user in this time
	Portal       string        // https://host, for links
	Organisation string        // the sender's name
}

// hello is the name that the gateway gives itself.
func (s *Settings) hello() string {
	if u, err := url.Parse(s.Portal); err == nil && u.Hostname() != "" {
		return u.Hostname()
	}
	return "localhost"
}

// Mail is an entry of the outbox that somebody claimed.
type Mail struct {
	ID      string
	Address string
	Subject string
	Body    string
	Tries   int // this one included
}

// Outbox keeps mails until they are sent: the store.
type Outbox interface {
	// GatherMails makes one mail of the unread notices of each user who has an address and got no mail in the digest's
	// time.
	GatherMails(ctx context.Context, digest time.Duration, compose func([]Told) Letter) (mails int, err error)
	// ClaimMails takes mails that are due. Nobody else gets them until lease is over.
	ClaimMails(ctx context.Context, claim string, lease time.Duration, limit int) ([]Mail, error)
	// MailSent and MailFailed end a claim; a claim that is over changes nothing. A mail that failed is due again after
	// wait, or given up when its time is over.
	MailSent(ctx context.Context, id, claim string) error
	MailFailed(ctx context.Context, id, claim, why string, wait time.Duration) error
	// ReleaseMails gives back what was claimed and not tried.
	ReleaseMails(ctx context.Context, claim string) error
}

// Config is what a Post needs.
type Config struct {
	Log      *slog.Logger
	Now      func() time.Time
	Outbox   Outbox
	Settings func(ctx context.Context) (Settings, error)
	// Password of Settings.User, read when it is needed.
	Password func() (string, error)
	// Roots verify the mail server's certificate; nil: the system's.
	Roots *x509.CertPool
	// Dial opens connections; nil: as the system does.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Jitter is a number from 0 to 1, drawn anew each time.
	Jitter func() float64
}

// A Post sends what is in the outbox.
type Post struct{ cfg Config }

// New makes a Post.
func New(cfg Config) *Post {
	if cfg.Dial == nil {
		cfg.Dial = (&net.Dialer{}).DialContext
	}
	return &Post{cfg: cfg}
}

// Run gathers and sends until ctx ends. What fails is tried again; it never returns an error for a mail server's sake.
func (p *Post) Run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		more, err := p.round(ctx)
		if err != nil && ctx.Err() == nil {
			p.cfg.Log.Error("mails were not sent", "err", err)
		}
		if more && err == nil {
			timer.Reset(0)
		} else {
			timer.Reset(every)
		}
	}
}

// round gathers, and sends one batch. more says that there may be another.
func (p *Post) round(ctx context.Context) (more bool, err error) {
	s, err := p.cfg.Settings(ctx)
	if err != nil {
		return false, fmt.Errorf("read the settings: %w", err)
	}
	if s.Server == "" {
		return false, nil
	}
	// What cannot be made a mail keeps no other back.
	_, err = p.cfg.Outbox.GatherMails(ctx, s.Digest, func(told []Told) Letter { return Compose(told, s.Portal) })
	if err != nil && ctx.Err() == nil {
		p.cfg.Log.Error("notices were not gathered", "err", err)
	}
	claim := rand.Text()
	mails, err := p.cfg.Outbox.ClaimMails(ctx, claim, lease, batch)
	if err != nil {
		return false, fmt.Errorf("claim mails: %w", err)
	}
	if len(mails) == 0 {
		return false, nil
	}
	return len(mails) == batch, p.deliver(ctx, claim, mails, &s)
}

// deliver sends a batch over one connection, and a new one after one that broke. When there is no connection, all that
// is left has failed.
func (p *Post) deliver(ctx context.Context, claim string, mails []Mail, s *Settings) error {
	lineCtx, cancel := context.WithTimeout(ctx, batchTimeout)
	defer cancel()
	var l *line
	defer func() {
		if l != nil {
			l.close()
		}
	}()
	var failed []error // to be written down: of one mail, which keeps no other from its turn
	for i := range mails {
		if lineCtx.Err() != nil { // no time left: these were not tried
			break
		}
		text, err := message(&mails[i], s, p.cfg.Now())
		if err == nil && l == nil {
			if l, err = p.dial(lineCtx, s); err != nil {
				return errors.Join(append(failed, p.failAll(ctx, claim, mails[i:], err))...)
			}
		}
		if err == nil {
			var dead bool
			if dead, err = l.send(s.From, mails[i].Address, text); dead {
				l.close()
				l = nil
			}
		}
		failed = append(failed, p.settle(ctx, claim, &mails[i], err))
	}
	return errors.Join(append(failed, p.cfg.Outbox.ReleaseMails(keep(ctx), claim))...)
}

func (p *Post) failAll(ctx context.Context, claim string, mails []Mail, cause error) error {
	if ctx.Err() != nil { // the gateway stops; the server is not to blame
		return p.cfg.Outbox.ReleaseMails(keep(ctx), claim)
	}
	failed := make([]error, len(mails))
	for i := range mails {
		failed[i] = p.settle(ctx, claim, &mails[i], cause)
	}
	return errors.Join(failed...)
}

// settle writes down what became of a mail. A gateway that is stopping still does.
func (p *Post) settle(ctx context.Context, claim string, m *Mail, cause error) error {
	if cause == nil {
		if err := p.cfg.Outbox.MailSent(keep(ctx), m.ID, claim); err != nil {
			return fmt.Errorf("note a sent mail: %w", err)
		}
		return nil
	}
	p.cfg.Log.Warn("a mail was not taken", "mail", m.ID, "try", m.Tries, "err", cause)
	why := oneLine(cause.Error())
	if err := p.cfg.Outbox.MailFailed(keep(ctx), m.ID, claim, why[:min(len(why), maxError)], p.wait(m.Tries)); err != nil {
		return fmt.Errorf("note a failed mail: %w", err)
	}
	return nil
}

// keep is a context that does not end with the gateway.
func keep(ctx context.Context) context.Context { return context.WithoutCancel(ctx) }

// wait is the time to the next try: doubling, and between half and all of it, so that mails which failed together do
// not come back together.
func (p *Post) wait(tries int) time.Duration {
	wait := longestWait
	if tries < 7 {
		wait = firstWait << max(tries-1, 0)
	}
	return wait/2 + time.Duration(p.cfg.Jitter()*float64(wait/2))
}
