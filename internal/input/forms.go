package input

import (
	"unicode/utf8"

	"golang.org/x/text/encoding/japanese"
)

// latin1 is a text in ISO 8859-1, which the form STRING of a clipboard is (ICCCM, section 2.7.1); false when the text
// has other characters.
func latin1(text string) ([]byte, bool) {
	out := make([]byte, 0, len(text))
	for _, r := range text {
		if r > 0xff {
			return nil, false
		}
		out = append(out, byte(r))
	}
	return out, true
}

// Escapes of Compound Text (X Consortium standard, version 1.1; UTF-8 as XFree86 and X.Org have it).
const (
	toASCII   = "\x1b(B"  // into the left half
	toJIS     = "\x1b$(B" // JIS X 0208 into the left half
	beginUTF8 = "\x1b%G"
	endUTF8   = "\x1b%@"
)

// A set is how compoundText writes a character.
type set int

const (
	either   set = iota // ISO 8859-1 in the right half, which never changes
	ascii               // in the left half
	jis                 // in the left half
	unmapped            // as UTF-8
)

// compoundText is a text in Compound Text: ISO 8859-1, JIS X 0208, and UTF-8 for what neither has. It has at most 3.6
// bytes for each of the text.
func compoundText(text string) []byte {
	out := make([]byte, 0, len(text))
	left, utf := ascii, false
	encoder := japanese.EUCJP.NewEncoder()
	for _, r := range text {
		in, coded := setOf(encoder.Bytes, r)
		if utf && in != unmapped {
			out, utf = append(out, endUTF8...), false
		}
		switch {
		case in == unmapped && !utf:
			out, utf = append(out, beginUTF8...), true
		case in == ascii && left != ascii:
			out, left = append(out, toASCII...), ascii
		case in == jis && left != jis:
			out, left = append(out, toJIS...), jis
		}
		out = append(out, coded...)
	}
	if utf {
		out = append(out, endUTF8...)
	}
	if left != ascii {
		out = append(out, toASCII...)
	}
	return out
}

func setOf(eucJP func([]byte) ([]byte, error), r rune) (set, []byte) {
	utf := utf8.AppendRune(nil, r)
	switch {
	case r < 0x80:
		return ascii, utf
	case r >= 0xa0 && r <= 0xff:
		return either, []byte{byte(r)}
	}
	b, err := eucJP(utf)
	if err != nil || len(b) != 2 || b[0] < 0xa1 || b[1] < 0xa1 { // others are half-width kana or JIS X 0212
		return unmapped, utf
	}
	return jis, []byte{b[0] &^ 0x80, b[1] &^ 0x80}
}
