package grant

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
)

// A Ticket lets one side claim its links at the relay. It is a secret of 256 bits: it is not comparable, and printing or
// logging it shows nothing.
type Ticket struct {
	_ [0]func()
	b [32]byte
}

// A TicketHash is SHA-256 of a ticket. It is no secret.
type TicketHash [32]byte

// NewTicket draws a ticket from random, which is crypto/rand.Reader outside of tests.
func NewTicket(random io.Reader) (Ticket, TicketHash, error) {
	var t Ticket
	if _, err := io.ReadFull(random, t.b[:]); err != nil {
		return Ticket{}, TicketHash{}, fmt.Errorf("draw ticket: %w", err)
	}
	return t, t.Hash(), nil
}

// TicketOf makes a ticket of bytes that were sent to its owner.
func TicketOf(b [32]byte) Ticket { return Ticket{b: b} }

// Bytes is the secret itself.
func (t Ticket) Bytes() [32]byte { return t.b }

// Hash is what the grant and the relay know.
func (t Ticket) Hash() TicketHash { return sha256.Sum256(t.b[:]) }

// String hides the ticket.
func (t Ticket) String() string { return "ticket" }

// GoString hides the ticket.
func (t Ticket) GoString() string { return t.String() }

// LogValue hides the ticket.
func (t Ticket) LogValue() slog.Value { return slog.StringValue(t.String()) }

// String shows the first 8 bytes in hexadecimal.
func (h TicketHash) String() string { return hex.EncodeToString(h[:8]) }
