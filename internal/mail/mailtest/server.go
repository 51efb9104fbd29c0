// Package mailtest has a small mail server that misbehaves as it is told, for tests of what sends mails.
package mailtest

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// Mood is what a mail server does with one connection.
type Mood int

// The moods.
const (
	Good        Mood = iota
	Refuses          // no connection
	Hangs            // says nothing
	Busy             // 421 instead of a greeting
	HangsInData      // takes the text and says nothing
	CutsInData       // hangs up in the middle of the text
	CutsAfter        // takes the mail, and hangs up instead of saying so
	Defers           // 451 to the recipient
	Rejects          // 550 to the recipient
	FailsAfter       // 554 after the text
	NoTLS            // does not offer STARTTLS
)

// Mail is a mail as the server has it.
type Mail struct{ From, To, Text string }

// Server is a small mail server. Its fields are set before it is used.
type Server struct {
	Moods []Mood         // of the next connections; then Good
	Busy  map[string]int // recipients that are busy so many times
	Auth  string         // what AUTH offers
	// Hello are further lines of the answer to EHLO, as they are.
	Hello []string
	// Asks are the two texts after 334 of AUTH LOGIN, as they are; nil: Username: and Password: in base64.
	Asks  []string
	Taken func(Mail) // called with each mail

	mu             sync.Mutex
	mails          []Mail
	connections    int
	encrypted      *tls.Config
	user, password string
}

// SetMoods changes the moods of the next connections.
func (s *Server) SetMoods(moods ...Mood) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Moods = moods
}

// take is the mood of the next connection.
func (s *Server) take() Mood {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.connections++
	if len(s.Moods) == 0 {
		return Good
	}
	m := s.Moods[0]
	s.Moods = s.Moods[1:]
	return m
}

// Mails are those that it took.
func (s *Server) Mails() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Mail(nil), s.mails...)
}

// Connections counts those that were tried.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.connections
}

// SignedIn is who signed in last, and with what.
func (s *Server) SignedIn() (user, password string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.user, s.password
}

// Dial connects to the server without a network, so that time may be a fake one.
func (s *Server) Dial(context.Context, string, string) (net.Conn, error) {
	m := s.take()
	if m == Refuses {
		return nil, errors.New("connection refused")
	}
	here, there := net.Pipe()
	go s.serve(there, m)
	return here, nil
}

// Listen serves on a port of this machine until the test ends.
func (s *Server) Listen(t testing.TB) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go s.serve(c, s.take())
		}
	}()
	return l.Addr().String()
}

// serve speaks SMTP with one client (RFC 5321), in a mood.
func (s *Server) serve(raw net.Conn, m Mood) {
	defer func() { _ = raw.Close() }()
	c := &conversation{server: s, mood: m, conn: raw, in: bufio.NewReader(raw)}
	switch m {
	case Hangs:
		_, _ = c.in.ReadByte() // until the client Hangs up
		return
	case Busy:
		c.say("421 try later")
		return
	}
	c.say("220 mail.town.example.jp ESMTP")
	for c.next() {
	}
}

type conversation struct {
	server *Server
	mood   Mood
	conn   net.Conn
	in     *bufio.Reader
	secure bool
	mail   Mail
}

func (c *conversation) say(lines ...string) bool {
	_, err := c.conn.Write([]byte(strings.Join(lines, "\r\n") + "\r\n"))
	return err == nil
}

func (c *conversation) read() (string, bool) {
	line, err := c.in.ReadString('\n')
	return strings.TrimRight(line, "\r\n"), err == nil
}

// next answers one command. It is false when the conversation is over.
func (c *conversation) next() bool {
	line, ok := c.read()
	if !ok {
		return false
	}
	verb, rest, _ := strings.Cut(line, " ")
	switch strings.ToUpper(verb) {
	case "EHLO":
		return c.hello()
	case "STARTTLS":
		return c.starttls()
	case "AUTH":
		return c.signIn(rest)
	case "MAIL":
		c.mail = Mail{From: address(rest)}
		return c.say("250 ok")
	case "RCPT":
		return c.recipient(address(rest))
	case "DATA":
		return c.data()
	case "RSET", "NOOP":
		return c.say("250 ok")
	case "QUIT":
		c.say("221 bye")
		return false
	}
	return c.say("500 unknown")
}

func address(rest string) string {
	_, after, _ := strings.Cut(rest, "<")
	inside, _, _ := strings.Cut(after, ">")
	return inside
}

func (c *conversation) hello() bool {
	lines := []string{"250-mail.town.example.jp", "250-8BITMIME"}
	if c.server.encrypted != nil && !c.secure && c.mood != NoTLS {
		lines = append(lines, "250-STARTTLS")
	}
	if c.server.Auth != "" {
		lines = append(lines, "250-AUTH "+c.server.Auth)
	}
	for _, l := range c.server.Hello {
		lines = append(lines, "250-"+l)
	}
	return c.say(append(lines, "250 SIZE 10000000")...)
}

func (c *conversation) starttls() bool {
	c.say("220 go ahead")
	c.conn = tls.Server(c.conn, c.server.encrypted)
	c.in, c.secure = bufio.NewReader(c.conn), true
	return true
}

func (c *conversation) signIn(rest string) bool {
	how, first, _ := strings.Cut(rest, " ")
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	if how == "PLAIN" {
		b, _ := base64.StdEncoding.DecodeString(first)
		parts := strings.Split(string(b), "\x00")
		c.server.user, c.server.password = parts[1], parts[2]
		return c.say("235 welcome")
	}
	asks := c.server.Asks
	if asks == nil {
		asks = []string{base64.StdEncoding.EncodeToString([]byte("Username:")), base64.StdEncoding.EncodeToString([]byte("Password:"))}
	}
	for i, into := range []*string{&c.server.user, &c.server.password} {
		c.say("334 " + asks[i])
		line, _ := c.read()
		b, err := base64.StdEncoding.DecodeString(line)
		if err != nil {
			return c.say("501 no base64")
		}
		*into = string(b)
	}
	if len(asks) > 2 {
		c.say("334 " + asks[2])
		c.read()
		return c.say("535 no")
	}
	return c.say("235 welcome")
}

func (c *conversation) recipient(to string) bool {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	c.mail.To = to
	if c.server.Busy[to] > 0 {
		c.server.Busy[to]--
		return c.say("450 mailbox busy")
	}
	switch c.mood {
	case Defers:
		return c.say("451 greylisted")
	case Rejects:
		return c.say("550 no such user")
	}
	return c.say("250 ok")
}

func (c *conversation) data() bool {
	c.say("354 go ahead")
	if c.mood == CutsInData {
		_, _ = c.read()
		return false
	}
	var text strings.Builder
	for {
		line, ok := c.read()
		if !ok {
			return false
		}
		if line == "." {
			break
		}
		text.WriteString(strings.TrimPrefix(line, ".") + "\r\n")
	}
	switch c.mood {
	case HangsInData:
		_, _ = c.in.ReadByte()
		return false
	case FailsAfter:
		return c.say("554 no")
	}
	c.mail.Text = text.String()
	c.server.mu.Lock()
	c.server.mails = append(c.server.mails, c.mail)
	c.server.mu.Unlock()
	if c.server.Taken != nil {
		c.server.Taken(c.mail)
	}
	if c.mood == CutsAfter {
		return false
	}
	return c.say("250 taken")
}

// Certify gives the server a certificate for a name and returns what verifies it.
func (s *Server) Certify(t testing.TB, name string) *x509.CertPool {
	t.Helper()
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(s.CertifyPEM(t, name))
	return pool
}

// CertifyPEM is Certify with the certificate as a file would have it.
func (s *Server) CertifyPEM(t testing.TB, name string) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, DNSNames: []string{name},
	}
	if ip := net.ParseIP(name); ip != nil {
		template.DNSNames, template.IPAddresses = nil, []net.IP{ip}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	s.encrypted = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}
