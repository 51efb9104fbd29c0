package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/smtp"
	"net/textproto"
	"slices"
	"strings"
	"time"
)

// sendTimeout bounds the connection with its greeting, and each mail. A server that says nothing for so long is a
// failing one.
const sendTimeout = 30 * time.Second

// maxAnswers bounds what a server says until a connection is ready, and then about each mail, in bytes. What it means
// to say fits into one of them: certificates are the most of it.
const maxAnswers = 64 << 10

var errAnswers = errors.New("the server says too much")

// bounded is a connection that reads only so much: net/smtp takes lines and answers of any length.
type bounded struct {
	net.Conn
	left int
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errAnswers
	}
	n, err := b.Conn.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// line is an open connection to a mail server.
type line struct {
	conn   net.Conn
	heard  *bounded // below conn
	client *smtp.Client
	stop   func() bool
}

// dial opens a connection as the settings say. STARTTLS is never left out because the server does not offer it, and a
// password never goes over an open line.
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
	heard := &bounded{conn, maxAnswers}
	l := &line{conn: heard, heard: heard, stop: context.AfterFunc(ctx, func() { _ = conn.Close() })} // a hanging read ends with the context
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
		offers, err := l.offers(s.hello())
		if err != nil {
			return err
		}
		if _, ok := offers["STARTTLS"]; !ok {
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
	if _, encrypted := l.client.TLSConnectionState(); !encrypted {
		// Not even as an answer to CRAM-MD5, from which who listens can guess a weak one.
		return errors.New("the password would go over an open line")
	}
	secret, err := password()
	if err != nil {
		return fmt.Errorf("password: %w", err)
	}
	offers, err := l.offers(s.hello())
	if err != nil {
		return err
	}
	switch mechanisms := offers["AUTH"]; {
	case slices.Contains(mechanisms, "PLAIN"):
		err = l.client.Auth(smtp.PlainAuth("", s.User, secret, host))
	case slices.Contains(mechanisms, "LOGIN"):
		err = l.login(s.User, secret)
	case slices.Contains(mechanisms, "CRAM-MD5"):
		err = l.client.Auth(smtp.CRAMMD5Auth(s.User, secret))
	default:
		return fmt.Errorf("the server offers no way to sign in that is known here: %.100q", mechanisms)
	}
	if err != nil {
		return fmt.Errorf("sign in: %w", err)
	}
	return nil
}

// offers asks once more what the server can do, in upper case: net/smtp knows keywords as RFC 5321 writes them only,
// and not AUTH=LOGIN, the form before RFC 2554. A server that knows HELO only offers nothing.
func (l *line) offers(hello string) (map[string][]string, error) {
	answer, err := l.ask(250, "EHLO %s", hello)
	var refused *textproto.Error
	if errors.As(err, &refused) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("hello: %w", err)
	}
	offers := map[string][]string{}
	for _, one := range strings.Split(answer, "\n")[1:] {
		words := strings.Fields(strings.ToUpper(one))
		if len(words) == 0 {
			continue
		}
		keyword, first, old := strings.Cut(words[0], "=")
		if old && keyword == "AUTH" {
			words[0] = first
		} else {
			keyword, words = words[0], words[1:]
		}
		offers[keyword] = append(offers[keyword], words...)
	}
	return offers, nil
}

// ask sends a command and reads the answer, which must have a code.
func (l *line) ask(code int, format string, args ...any) (string, error) {
	id, err := l.client.Text.Cmd(format, args...)
	if err != nil {
		return "", err
	}
	l.client.Text.StartResponse(id)
	defer l.client.Text.EndResponse(id)
	_, answer, err := l.client.Text.ReadResponse(code)
	return answer, err
}

// login is AUTH LOGIN, which some servers have only: draft-murchison-sasl-login-00. The server asks for the name, then
// for the password; in which words does not matter, they differ from server to server.
func (l *line) login(user, password string) error {
	if _, err := l.ask(334, "AUTH LOGIN"); err != nil {
		return err
	}
	if _, err := l.ask(334, "%s", base64.StdEncoding.EncodeToString([]byte(user))); err != nil {
		return err
	}
	_, err := l.ask(235, "%s", base64.StdEncoding.EncodeToString([]byte(password)))
	return err
}

// send hands over one mail. The server has taken it when it says so after the last line, not before. dead says that the
// connection is of no more use.
func (l *line) send(from, to string, text []byte) (dead bool, err error) {
	if err := l.conn.SetDeadline(time.Now().Add(sendTimeout)); err != nil {
		return true, fmt.Errorf("deadline: %w", err)
	}
	l.heard.left = maxAnswers
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
