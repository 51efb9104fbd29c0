package wire

import "unicode/utf8"

// A reader takes a body apart. The first failure stays; after it every method returns zero values.
type reader struct {
	b     []byte
	class Class  // "" while all is well
	field string // which field was out of range
}

func (r *reader) fail(c Class, field string) {
	if r.class == "" {
		r.class, r.field = c, field
	}
}

// check fails with Range unless ok.
func (r *reader) check(ok bool, field string) {
	if !ok {
		r.fail(Range, field)
	}
}

// take returns the next n bytes as a view, or nil after failing with Short.
func (r *reader) take(n int) []byte {
	if r.class != "" {
		return nil
	}
	if len(r.b) < n {
		r.fail(Short, "")
		return nil
	}
	v := r.b[:n:n]
	r.b = r.b[n:]
	return v
}

// rest returns all that is left, as a view.
func (r *reader) rest() []byte {
	if r.class != "" {
		return nil
	}
	v := r.b[:len(r.b):len(r.b)]
	r.b = nil
	return v
}

func (r *reader) u8() uint8 {
	if v := r.take(1); v != nil {
		return v[0]
	}
	return 0
}

func (r *reader) u16() uint16 {
	if v := r.take(2); v != nil {
		return be.Uint16(v)
	}
	return 0
}

func (r *reader) u32() uint32 {
	if v := r.take(4); v != nil {
		return be.Uint32(v)
	}
	return 0
}

func (r *reader) u64() uint64 {
	if v := r.take(8); v != nil {
		return be.Uint64(v)
	}
	return 0
}

// flag reads a byte that is 0 or 1.
func (r *reader) flag(field string) bool {
	v := r.u8()
	r.check(v <= 1, field)
	return v == 1
}

// str8 reads a length and that many bytes of UTF-8.
func (r *reader) str8(field string) string {
	v := r.take(int(r.u8()))
	r.check(utf8.Valid(v), field)
	if r.class != "" {
		return ""
	}
	return string(v)
}

func appendFlag(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

// appendStr8 cuts s to MaxName bytes, between runes.
func appendStr8(b []byte, s string) []byte {
	if len(s) > MaxName {
		n := MaxName
		for n > 0 && !utf8.RuneStart(s[n]) {
			n--
		}
		s = s[:n]
	}
	return append(append(b, byte(len(s))), s...)
}
