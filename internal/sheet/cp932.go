package sheet

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/unicode/norm"

	"jiseki/internal/typed"
)

// windows31J maps what Windows writes with another character than Unicode's first choice: Microsoft's table and JIS X
// 0208 disagree. What is read looks the same, so that these do not count as changes.
var windows31J = map[rune]rune{
	'\u301c': '\uff5e', '\u2212': '\uff0d', '\u2014': '\u2015', '\u2016': '\u2225', '\u00a5': '\uffe5', '\u00a2': '\uffe0', '\u00a3': '\uffe1',
	'\u00ac': '\uffe2', '\u203e': '\uffe3', '\u00a0': ' ',
}

// substitute stands for a character that CP932 lacks, as printers do it: 下駄.
const substitute = '〓'

// Private use of Windows-31J: 10 rows of 188 cells from F040 on are U+E000 to U+E757.
const (
	privateFirst = 0xe000
	privateLast  = 0xe757
	privateLead  = 0xf0
	privateCells = 188
)

// Loss counts the characters of a text that CP932 cannot hold as they are.
type Loss struct {
	Reduced int // written in their common form, without the selector or mark that chose another
	Lost    int // written as 〓
}

// EncodeCP932 writes text as Windows-31J. What the charset has is written as it is, IBM's additional characters (such
// as 髙 and the old forms of 隆 and 神) and private use among them; the rest by its composed or common form, or else as 〓,
// and counted.
func EncodeCP932(text string) ([]byte, Loss) {
	e := cp932Encoder{out: make([]byte, 0, len(text))}
	for len(text) > 0 {
		text = text[e.take(text):]
	}
	return e.out, e.loss
}

type cp932Encoder struct {
	out  []byte
	loss Loss
	ibm  map[string]string // IBM's characters and their bytes; nil: not needed yet
}

// take writes the first character of text, with the marks on it, and says how many bytes that was.
func (e *cp932Encoder) take(text string) int {
	r, size := utf8.DecodeRuneInString(text)
	if typed.IsSelector(r) {
		e.loss.Reduced++
		return size
	}
	n := size + marks(text[size:])
	char, common := text[:size], norm.NFC.String(text[:n])
	switch {
	case r == utf8.RuneError && size == 1:
		e.lose()
		return size
	case n == size && e.write(char):
	case utf8.RuneCountInString(common) == 1 && e.write(common):
		if n == size { // another form of the same character, not か with its mark
			e.loss.Reduced++
		}
	case utf8.RuneCountInString(common) > 1 && e.write(char):
		e.loss.Reduced++ // marks that no character has
	default:
		e.lose()
	}
	return n
}

// marks is how many bytes of marks on the character before begin text.
func marks(text string) int {
	for i, r := range text {
		if !unicode.Is(unicode.M, r) || typed.IsSelector(r) {
			return i
		}
	}
	return len(text)
}

func (e *cp932Encoder) lose() {
	e.loss.Lost++
	e.write(string(substitute))
}

// write appends one character; it is false if CP932 does not have it.
func (e *cp932Encoder) write(char string) bool {
	r, _ := utf8.DecodeRuneInString(char)
	if other, ok := windows31J[r]; ok {
		char = string(other)
	}
	if r >= privateFirst && r <= privateLast {
		e.out = append(e.out, privateBytes(r)...)
		return true
	}
	b, err := japanese.ShiftJIS.NewEncoder().String(char) // of the WHATWG, which is Windows-31J
	if err != nil {
		return false
	}
	if b[0] == 0xed || b[0] == 0xee { // NEC's copy of IBM's characters: Windows writes IBM's
		b = e.ibmBytes(char)
	}
	e.out = append(e.out, b...)
	return true
}

// ibmBytes finds a character among IBM's, FA40 to FC4B.
func (e *cp932Encoder) ibmBytes(char string) string {
	if e.ibm == nil {
		e.ibm = map[string]string{}
		decoder := japanese.ShiftJIS.NewDecoder()
		for code := 0xfa40; code <= 0xfc4b; code++ {
			b := string([]byte{byte(code >> 8), byte(code)}) //nolint:gosec // two bytes
			if text, err := decoder.String(b); err == nil && utf8.RuneCountInString(text) == 1 {
				e.ibm[text] = b
			}
		}
	}
	return e.ibm[char]
}

func privateBytes(r rune) []byte {
	cell := (r - privateFirst) % privateCells
	trail := 0x40 + cell
	if trail >= 0x7f { // which is no trail byte
		trail++
	}
	return []byte{byte(privateLead + (r-privateFirst)/privateCells), byte(trail)} //nolint:gosec // F0 to F9, 40 to FC
}

// decodeCP932 reads Windows-31J with private use. What it is not becomes U+FFFD.
func decodeCP932(b []byte) string {
	var out strings.Builder
	for len(b) > 0 {
		n := 1
		if lead := b[0]; lead >= 0x81 && lead < 0xa0 || lead >= 0xe0 && lead < 0xfd {
			n = min(2, len(b))
		}
		if r, ok := privateRune(b[:n]); ok {
			out.WriteRune(r)
			b = b[n:]
			continue
		}
		text, err := japanese.ShiftJIS.NewDecoder().String(string(b[:n]))
		if err != nil {
			text = string(utf8.RuneError)
		}
		out.WriteString(text)
		b = b[n:]
	}
	return out.String()
}

func privateRune(b []byte) (rune, bool) {
	if len(b) != 2 || b[0] < privateLead || b[0] > privateLead+9 || b[1] < 0x40 || b[1] == 0x7f || b[1] > 0xfc {
		return 0, false
	}
	cell := rune(b[1]) - 0x40
	if b[1] > 0x7f {
		cell--
	}
	return privateFirst + rune(b[0]-privateLead)*privateCells + cell, true
}
