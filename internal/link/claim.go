package link

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
)

// A Side is an end of a session.
type Side uint8

// The sides.
const (
	Viewer Side = 1
	Agent  Side = 2
)

// A Channel is one of a session's two links.
type Channel uint8

// The channels.
const (
	Control Channel = 0
	Display Channel = 1
)

// A Ticket is the secret that lets one side claim its links. Printing or logging it shows nothing.
type Ticket [32]byte

// Hash returns SHA-256 of the ticket, which is what the relay knows.
func (t Ticket) Hash() [32]byte { return sha256.Sum256(t[:]) }

// Format hides the ticket, whatever the verb.
func (t Ticket) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "ticket") }

// MarshalText hides the ticket also inside of what is logged as JSON.
func (t Ticket) MarshalText() ([]byte, error) { return []byte("ticket"), nil }

// A Claim is the first message of a client on a link to the relay.
//
//	'J' 'L'   2 B  magic
//	1         u8   version
//	side      u8   1 viewer, 2 agent
//	channel   u8   0 control, 1 display
//	ticket    32 B
type Claim struct {
	Side    Side
	Channel Channel
	Ticket  Ticket
}

// ClaimSize is the size of a claim in bytes.
const ClaimSize = 37

// PairedSize is the size in bytes of the relay's answer to a claim: 'J' 'L', version 1, 0.
const PairedSize = 4

const version = 1

// Ways in which a claim or an answer can be wrong; the names are those of the vectors.
var (
	ErrShort   = errors.New("link: too short")
	ErrTrailer = errors.New("link: bytes follow")
	ErrMagic   = errors.New("link: wrong magic")
	ErrVersion = errors.New("link: unknown version")
	ErrRange   = errors.New("link: value out of range")
)

// Append appends the claim's bytes to b.
func (c Claim) Append(b []byte) []byte {
	b = append(b, 'J', 'L', version, byte(c.Side), byte(c.Channel))
	return append(b, c.Ticket[:]...)
}

// ParseClaim reads a claim; b holds it and nothing else.
func ParseClaim(b []byte) (Claim, error) {
	if err := checkHead(b, ClaimSize); err != nil {
		return Claim{}, err
	}
	c := Claim{Side: Side(b[3]), Channel: Channel(b[4]), Ticket: Ticket(b[5:])}
	if err := c.check(); err != nil {
		return Claim{}, err
	}
	return c, nil
}

func (c Claim) check() error {
	if c.Side != Viewer && c.Side != Agent {
		return ErrRange
	}
	if c.Channel != Control && c.Channel != Display {
		return ErrRange
	}
	return nil
}

// AppendPaired appends to b the relay's answer when both sides have claimed.
func AppendPaired(b []byte) []byte { return append(b, 'J', 'L', version, 0) }

// ParsePaired reports why b is not the relay's answer to a claim, or nil.
func ParsePaired(b []byte) error {
	if err := checkHead(b, PairedSize); err != nil {
		return err
	}
	if b[3] != 0 {
		return ErrRange
	}
	return nil
}

// checkHead checks magic, version and size; what is long enough to be something else is named so before its size.
func checkHead(b []byte, size int) error {
	switch {
	case len(b) < 3:
		return ErrShort
	case b[0] != 'J' || b[1] != 'L':
		return ErrMagic
	case b[2] != version:
		return ErrVersion
	case len(b) < size:
		return ErrShort
	case len(b) > size:
		return ErrTrailer
	}
	return nil
}
