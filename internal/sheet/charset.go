package sheet

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// decode reads a file in UTF-8, UTF-16 or CP932, with or without a mark, and makes all ends of lines line feeds. What
// cannot be read becomes U+FFFD.
func decode(file []byte) string {
	return strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(characters(file))
}

func characters(file []byte) string {
	if rest, ok := bytes.CutPrefix(file, []byte("\xef\xbb\xbf")); ok {
		return strings.ToValidUTF8(string(rest), "\ufffd")
	}
	if rest, order := utf16Order(file); order != nil {
		return decodeUTF16(rest, order)
	}
	if looksLikeUTF8(file) {
		return strings.ToValidUTF8(string(file), "\ufffd")
	}
	return decodeCP932(file)
}

// utf16Order finds the order of bytes by the mark, or by a first character in ASCII; nil: no UTF-16.
func utf16Order(file []byte) ([]byte, binary.ByteOrder) {
	switch {
	case len(file) < 2:
	case file[0] == 0xff && file[1] == 0xfe:
		return file[2:], binary.LittleEndian
	case file[0] == 0xfe && file[1] == 0xff:
		return file[2:], binary.BigEndian
	case file[0] != 0 && file[1] == 0:
		return file, binary.LittleEndian
	case file[0] == 0 && file[1] != 0:
		return file, binary.BigEndian
	}
	return file, nil
}

func decodeUTF16(b []byte, order binary.ByteOrder) string {
	units := make([]uint16, 0, len(b)/2+1)
	for ; len(b) >= 2; b = b[2:] {
		units = append(units, order.Uint16(b))
	}
	if len(b) > 0 {
		units = append(units, utf8.RuneError)
	}
	return string(utf16.Decode(units))
}

// looksLikeUTF8 says whether a file without a mark is UTF-8: all of it is, or more characters of three bytes are in it,
// as Japanese has them, than faults. Text in CP932 has hardly any by chance.
func looksLikeUTF8(file []byte) bool {
	long, faults := 0, 0
	for len(file) > 0 {
		r, size := utf8.DecodeRune(file)
		switch {
		case r == utf8.RuneError && size == 1:
			faults++
		case size >= 3:
			long++
		}
		file = file[size:]
	}
	return faults == 0 || long > faults
}
