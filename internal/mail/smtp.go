package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/smtp"
	"net/textproto"
	"slices"
	"strings"
	"time"
)

// sendTimeout bounds the connection with its greeting, and each mail. A server that says nothing for so long is a failing one.
const sendTimeout = 30 * time.Second

// line is an open connection to a mail server.
type line struct {
	conn   net.Conn
	client *smtp.Client
	stop   func() bool
}

// dial opens a connection as the settings say. STARTTLS is never left out because the server does not offer it, and a password
// never goes over an open line.
func (p *Post) dial(ctx context.Context, s *Settings) (*line, error) {
	host, _, err := net.SplitHostPort(s.Server)
	if err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	dialCtx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	conn, err := p.cfg.Dial(dialCtx, "tcp", s.Server)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	l := &line{conn: conn, stop: context.AfterFunc(ctx, func() { _ = conn.Close() })} // a hanging read ends with the context
	if err := l.begin(s, host, p.cfg.Roots, p.cfg.Password); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

func (l *line) begin(s *Settings, host string, roots *x509.CertPool, password func() (string, error)) (err error) {
	if err := l.conn.SetDeadline(time.Now().Add(sendTimeout)); err != nil {
		return fmt.Errorf("deadline: %w", err)
	}
	secure := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host, RootCAs: roots}
	if s.TLS == "tls" {
		l.conn = tls.Client(l.conn, secure)
	}
	if l.client, err = smtp.NewClient(l.conn, host); err != nil {
		return fmt.Errorf("greeting: %w", err)
	}
	if err := l.client.Hello(s.hello()); err != nil {
		return fmt.Errorf("hello: %w", err)
	}
	if s.TLS != "tls" && s.TLS != "none" {
		if ok, _ := l.client.Extension("STARTTLS"); !ok {
			return errors.New("the server does not offer STARTTLS")
		}
		if err := l.client.StartTLS(secure); err != nil {
			return fmt.Errorf("starttls: %w", err)
		}
	}
	if s.User == "" {
		return nil
	}
	return l.signIn(s, host, password)
}

func (l *line) signIn(s *Settings, host string, password func() (string, error)) error {
	secret, err := password()
	if err != nil {
		return fmt.Errorf("password: %w", err)
	}
	_, offered := l.client.Extension("AUTH")
	mechanisms := strings.Fields(strings.ToUpper(offered))
	_, encrypted := l.client.TLSConnectionState()
	var how smtp.Auth
	switch {
	case encrypted && slices.Contains(mechanisms, "PLAIN"):
		how = smtp.PlainAuth("", s.User, secret, host)
	case encrypted && slices.Contains(mechanisms, "LOGIN"):
		how = &login{user: s.User, password: secret}
	case slices.Contains(mechanisms, "CRAM-MD5"):
		how = smtp.CRAMMD5Auth(s.User, secret)
	case !encrypted:
		return errors.New("the password would go over an open line")
	default:
		return fmt.Errorf("the server offers no way to sign in that is known here: %.100q", offered)
	}
	if err := l.client.Auth(how); err != nil {
		return fmt.Errorf("sign in: %w", err)
	}
	return nil
}

// login is AUTH LOGIN, which some servers have only: draft-murchison-sasl-login-00.
type login struct{ user, password string }

func (a *login) Start(*smtp.ServerInfo) (string, []byte, error) { return "LOGIN", nil, nil }

func (a *login) Next(question []byte, more bool) ([]byte, error) {
	switch {
	case !more:
		return nil, nil
	case strings.HasPrefix(strings.ToLower(string(question)), "user"):
		return []byte(a.user), nil
	case strings.HasPrefix(strings.ToLower(string(question)), "pass"):
		return []byte(a.password), nil
	}
	return nil, errors.New("unknown question of the server")
}

// send hands over one mail. The server has taken it when it says so after the last line, not before. dead says that the connection
// is of no more use.
func (l *line) send(from, to string, text []byte) (dead bool, err error) {
	if err := l.conn.SetDeadline(time.Now().Add(sendTimeout)); err != nil {
		return true, fmt.Errorf("deadline: %w", err)
	}
	if err := l.hand(from, to, text); err != nil {
		var answer *textproto.Error
		refused := errors.As(err, &answer) && answer.Code != 421 // 421: the server closes
		return !refused || l.client.Reset() != nil, err
	}
	return false, nil
}

func (l *line) hand(from, to string, text []byte) error {
	if err := l.client.Mail(from); err != nil {
		return fmt.Errorf("sender: %w", err)
	}
	if err := l.client.Rcpt(to); err != nil {
		return fmt.Errorf("recipient: %w", err)
	}
	w, err := l.client.Data()
	if err != nil {
		return fmt.Errorf("data: %w", err)
	}
	if _, err := w.Write(text); err != nil {
		return fmt.Errorf("data: %w", err)
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("after data: %w", err)
	}
	return nil
}

// close says goodbye if that is possible.
func (l *line) close() {
	if l.client != nil {
		_ = l.conn.SetDeadline(time.Now().Add(time.Second)) // politeness takes no longer
		_ = l.client.Quit()
	}
	l.stop()
	_ = l.conn.Close()
}
