// Package typed folds what people type and what their programs hand over: ids, cells, words to search for. It never
// folds a name that is kept: a name is the characters that its owner writes. Pure.
package typed

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// ID is the one form of an id of a user or desk: NFKC, in lower case, without blanks around it.
func ID(s string) string { return strings.ToLower(strings.TrimSpace(norm.NFKC.String(s))) }

// Fold is a text as searches compare it: compatibility forms, full and half width, case and kinds of kana are one, as
// are dashes and the long vowel mark (an input method writes one for the other); blanks, variation selectors and
// characters without a form are left out. web/src/typed/fold.ts does the same, held by vectors/typed.
func Fold(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || IsSelector(r):
			return -1
		case r >= 'ァ' && r <= 'ヶ', r == 'ヽ', r == 'ヾ':
			return r - ('ァ' - 'ぁ')
		case r == 'ー', r >= '\u2010' && r <= '\u2015', r == '\u2212':
			return '-'
		}
		return r
	}, strings.ToLower(norm.NFKC.String(s)))
}

// Matches says whether one of the texts has word in it, both folded.
func Matches(word string, texts ...string) bool {
	word = Fold(word)
	for _, text := range texts {
		if strings.Contains(Fold(text), word) {
			return true
		}
	}
	return false
}

// IsSelector says whether r chooses a form of the character before it (variation selectors).
func IsSelector(r rune) bool { return r >= 0xfe00 && r <= 0xfe0f || r >= 0xe0100 && r <= 0xe01ef }

// Tidy is a cell without blanks around it: blanks of other widths become one that everybody can type, but for that of
// the full width; what has no width is left out. Joiners stay, for some names need them.
func Tidy(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\u200b', r == '\u2060', r == '\ufeff', r == '\u00ad':
			return -1
		case r != '\u3000' && unicode.Is(unicode.Zs, r):
			return ' '
		}
		return r
	}, s))
}

// IsBad says whether no line of text may have r in it: controls, line separators, what turns the direction of writing,
// what is no character, and the replacement of one that could not be read.
func IsBad(r rune) bool {
	switch {
	case unicode.IsControl(r), r == utf8.RuneError, r == 0x2028, r == 0x2029, unicode.Is(unicode.Bidi_Control, r):
		return true
	}
	return r >= 0xfff0 && r <= 0xfffb || r >= 0xe0000 && r <= 0xe007f || unicode.Is(unicode.Noncharacter_Code_Point, r)
}
