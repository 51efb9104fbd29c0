package cert

import (
	"encoding/binary"
	"time"
	"unicode/utf8"
)

// maxTime is the latest time in milliseconds since 1970 that the protocol can say: the greatest integer that JavaScript
// holds exactly.
const maxTime = 1<<53 - 1

// A Reader takes the fields of a structure of PROTOCOL.md sections 1 and 2, one after another. After the first failure it
// returns zero values and remembers why; Done tells. It never allocates more than the bytes that it was given.
type Reader struct {
	rest []byte
	code Code
}

// NewReader reads b. It keeps no reference to b after Done.
func NewReader(b []byte) *Reader { return &Reader{rest: b} }

// Fail makes Done return code, unless something failed before.
func (r *Reader) Fail(code Code) {
	if r.code == "" {
		r.code = code
	}
}

// Require makes Done return CodeRange if ok is false.
func (r *Reader) Require(ok bool) {
	if !ok {
		r.Fail(CodeRange)
	}
}

// Done returns nil if all fields were good and no byte is left, else an *Error about what.
func (r *Reader) Done(what string) error {
	if len(r.rest) > 0 {
		r.Fail(CodeTrailer)
	}
	if r.code == "" {
		return nil
	}
	return &Error{What: what, Code: r.code}
}

// take returns the next n bytes, or nil.
func (r *Reader) take(n int) []byte {
	if r.code != "" {
		return nil
	}
	if len(r.rest) < n {
		r.Fail(CodeShort)
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

// Header takes a magic of two bytes and a version byte, and requires both.
func (r *Reader) Header(magic string, version byte) {
	b := r.take(len(magic))
	if b != nil && string(b) != magic {
		r.Fail(CodeMagic)
	}
	v := r.take(1)
	if v != nil && v[0] != version {
		r.Fail(CodeVersion)
	}
}

// Bytes fills dst.
func (r *Reader) Bytes(dst []byte) { copy(dst, r.take(len(dst))) }

// Uint8 takes a u8.
func (r *Reader) Uint8() uint8 {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

// Uint16 takes a u16.
func (r *Reader) Uint16() uint16 {
	if b := r.take(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

// Uint32 takes a u32.
func (r *Reader) Uint32() uint32 {
	if b := r.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

// Time takes a time, in UTC.
func (r *Reader) Time() time.Time {
	b := r.take(8)
	if b == nil {
		return time.Time{}
	}
	ms := binary.BigEndian.Uint64(b)
	if ms > maxTime {
		r.Fail(CodeRange)
		return time.Time{}
	}
	return time.UnixMilli(int64(ms)).UTC()
}

// String takes a str8 of at least low and at most high bytes of valid UTF-8.
func (r *Reader) String(low, high int) string {
	n := int(r.Uint8())
	b := r.take(n)
	if r.code != "" {
		return ""
	}
	if n < low || n > high || !utf8.Valid(b) {
		r.Fail(CodeRange)
		return ""
	}
	return string(b)
}

// Key takes a P-256 key and requires a point of the curve.
func (r *Reader) Key() PublicKey {
	var k PublicKey
	r.Bytes(k[:])
	if r.code == "" && !k.valid() {
		r.Fail(CodeRange)
	}
	return k
}

// AppendString appends s as a str8. The caller has checked that s has at most 255 bytes.
func AppendString(b []byte, s string) []byte {
	b = append(b, byte(len(s)))
	return append(b, s...)
}

// AppendTime appends t in milliseconds since 1970. Times before 1970 become 0.
func AppendTime(b []byte, t time.Time) []byte {
	return binary.BigEndian.AppendUint64(b, uint64(max(t.UnixMilli(), 0)))
}
