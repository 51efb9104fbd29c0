package audit

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"jiseki/internal/cert"
	"jiseki/internal/paper"
)

// Mark is the head of a chain: the number, time and hash of its last event. The zero Mark is the empty chain's.
type Mark struct {
	Number uint64
	TimeMS int64
	Hash   [32]byte
}

// headContext is what heads are signed under.
const headContext cert.Context = "jiseki-head-1"

// Head is a signed Mark.
type Head struct {
	Mark
	Issuer    cert.KeyID // the audit key that signed
	Signature cert.Signature
}

// headLen is `JH`, version, number, time, hash, issuer, signature.
const headLen = 2 + 1 + 8 + 8 + 32 + 8 + 64

// ErrHead means that bytes or text are no head.
var ErrHead = errors.New("audit: not a head")

// Sign signs the mark with the gateway's audit key.
func (m Mark) Sign(k cert.PrivateKey) (Head, error) {
	h := Head{Mark: m, Issuer: k.Public().ID()}
	sig, err := k.Sign(headContext, h.body())
	if err != nil {
		return Head{}, fmt.Errorf("audit: sign head: %w", err)
	}
	h.Signature = sig
	return h, nil
}

// Verify returns nil if one of the audit keys signed the head; errors are those of cert.VerifyIssued.
func (h Head) Verify(keys []cert.PublicKey) error {
	return cert.VerifyIssued("head", headContext, keys, h.Issuer, h.body(), h.Signature)
}

// body is what is signed: `JH`, version 1, number u64, time u64, hash, issuer; big-endian.
func (h Head) body() []byte {
	b := make([]byte, 0, headLen)
	b = append(b, 'J', 'H', 1)
	b = binary.BigEndian.AppendUint64(b, h.Number)
	b = binary.BigEndian.AppendUint64(b, uint64(h.TimeMS)) //nolint:gosec // the bits, not the number
	b = append(b, h.Hash[:]...)
	return append(b, h.Issuer[:]...)
}

// Bytes is the head's byte form: body and signature.
func (h Head) Bytes() []byte { return append(h.body(), h.Signature[:]...) }

// ParseHead reads the byte form. It does not check the signature.
func ParseHead(b []byte) (Head, error) {
	if len(b) != headLen || b[0] != 'J' || b[1] != 'H' || b[2] != 1 {
		return Head{}, ErrHead
	}
	h := Head{Mark: Mark{Number: binary.BigEndian.Uint64(b[3:]), TimeMS: int64(binary.BigEndian.Uint64(b[11:]))}} //nolint:gosec // bits
	if h.TimeMS < 0 {
		return Head{}, ErrHead
	}
	copy(h.Hash[:], b[19:51])
	copy(h.Issuer[:], b[51:59])
	copy(h.Signature[:], b[59:])
	return h, nil
}

// MarshalJSON writes the head for a log line: number, time_ms, hash and the whole byte form in hexadecimal.
func (h Head) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{
		"number": h.Number, "time_ms": h.TimeMS, "hash": fmt.Sprintf("%x", h.Hash), "signed": fmt.Sprintf("%x", h.Bytes()),
	})
}

// lineChars of the hash are printed: 100 bits, more than anybody can forge, and short enough to type.
const lineChars = 20

// Line is the head as a line to print and keep in a drawer: `1234-4T8VQ-....`: the number, 100 bits of the hash in
// groups, and two check characters.
func (m Mark) Line() string {
	number := strconv.FormatUint(m.Number, 10)
	return number + "-" + paper.Format(number, m.text(), 5)
}

func (m Mark) text() string { return paper.Encode(m.Hash[:], lineChars) }

// Line is a printed head, read back.
type Line struct {
	Number uint64
	text   string
}

// ParseLine reads a printed head as people type it (see paper.Parse).
func ParseLine(s string) (Line, error) {
	number, rest, ok := strings.Cut(strings.TrimSpace(s), "-")
	if !ok {
		return Line{}, ErrHead
	}
	number = paper.Plain(number)
	n, err := strconv.ParseUint(number, 10, 64)
	if err != nil || strconv.FormatUint(n, 10) != number {
		return Line{}, ErrHead
	}
	text, err := paper.Parse(number, rest, lineChars)
	if err != nil {
		return Line{}, fmt.Errorf("%w: %w", ErrHead, err)
	}
	return Line{Number: n, text: text}, nil
}

// Matches reports whether the line was printed from this mark.
func (l Line) Matches(m Mark) bool { return l.Number == m.Number && l.text == m.text() }
