package mail

import (
	"encoding/base64"
	"errors"
	"fmt"
	"mime"
	netmail "net/mail"
	"strings"
	"time"
)

// ErrAddress means that a text is no mail address that can be used.
var ErrAddress = errors.New("mail: address")

// CheckAddress refuses what is not one plain ASCII address such as suzuki@town.example.jp: no display name, no line
// breaks, no lists.
func CheckAddress(address string) error {
	parsed, err := netmail.ParseAddress(address)
	if err != nil || parsed.Address != address || len(address) > 254 || strings.ContainsFunc(address, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' }) {
		return fmt.Errorf("%w: %.80q", ErrAddress, address)
	}
	return nil
}

// message is a mail as RFC 5322 has it: UTF-8 with encoded headers (RFC 2047) and a body in base64 (RFC 2045), so that
// nothing in it can be taken for a header or the end. Its Message-ID is the mail's id: a mail that is delivered twice
// is seen as one.
func message(m *Mail, s *Settings, now time.Time) ([]byte, error) {
	for _, address := range []string{s.From, m.Address} {
		if err := CheckAddress(address); err != nil {
			return nil, err
		}
	}
	_, domain, _ := strings.Cut(s.From, "@")
	from := netmail.Address{Name: oneLine(s.Organisation), Address: s.From}
	var b strings.Builder
	for _, h := range [][2]string{
		{"From", from.String()},
		{"To", m.Address},
		{"Subject", mime.BEncoding.Encode("UTF-8", oneLine(m.Subject))},
		{"Date", now.Format(time.RFC1123Z)},
		{"Message-ID", "<" + m.ID + "@" + domain + ">"},
		{"Auto-Submitted", "auto-generated"},
		{"MIME-Version", "1.0"},
		{"Content-Type", "text/plain; charset=UTF-8"},
		{"Content-Transfer-Encoding", "base64"},
	} {
		b.WriteString(h[0] + ": " + h[1] + "\r\n")
	}
	b.WriteString("\r\n")
	body := base64.StdEncoding.EncodeToString([]byte(strings.ReplaceAll(m.Body, "\n", "\r\n")))
	const width = 76
	for len(body) > width {
		b.WriteString(body[:width] + "\r\n")
		body = body[width:]
	}
	b.WriteString(body + "\r\n")
	return []byte(b.String()), nil
}
