// Package paper writes and reads codes that people type from paper: base 32 without letters that look alike, in groups,
// with two check characters that find every single wrong character and every swap of two neighbours.
package paper

import (
	"errors"
	"strings"
)

// alphabet is Crockford's: no I, L, O and U.
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// CheckChars is how many check characters a code ends with.
const CheckChars = 2

// modulus is the largest prime below 32*32: a wrong character changes the sum by less than it in each factor.
const modulus = 1021

// Errors of Parse.
var (
	// ErrLength: characters are missing or too many.
	ErrLength = errors.New("paper: wrong length")
	// ErrChar: a character that no code has.
	ErrChar = errors.New("paper: impossible character")
	// ErrTyped: the check characters do not fit.
	ErrTyped = errors.New("paper: a character is mistyped")
)

// Encode writes the first n characters (5 bits each) of b; it panics if b is too short.
func Encode(b []byte, n int) string {
	out := make([]byte, n)
	for i := range out {
		v := 0
		for bit := i * 5; bit < i*5+5; bit++ {
			v = v<<1 | int(b[bit/8]>>(7-bit%8)&1)
		}
		out[i] = alphabet[v]
	}
	return string(out)
}

// Format appends the check characters to text and cuts it into groups of so many characters, joined by hyphens. The check
// also covers prefix, which is not written.
func Format(prefix, text string, group int) string {
	text += check(prefix + text)
	var b strings.Builder
	for i := 0; i < len(text); i += group {
		if i > 0 {
			b.WriteByte('-')
		}
		b.WriteString(text[i:min(i+group, len(text))])
	}
	return b.String()
}

// Parse reads what Format wrote for a text of n characters, as people type it: any case, spaces and hyphens anywhere, full-width
// characters, O for 0, I and L for 1. It returns the text without check characters.
func Parse(prefix, typed string, n int) (string, error) {
	text := Plain(typed)
	for i := range len(text) {
		if strings.IndexByte(alphabet, text[i]) < 0 {
			return "", ErrChar
		}
	}
	if len(text) != n+CheckChars {
		return "", ErrLength
	}
	if check(prefix+text[:n]) != text[n:] {
		return "", ErrTyped
	}
	return text[:n], nil
}

// Plain brings typed text to the form that codes are written in, without spaces and hyphens.
func Plain(typed string) string {
	return strings.Map(func(r rune) rune {
		if r >= '！' && r <= '～' { // full-width forms, as an input method leaves them
			r -= '！' - '!'
		}
		switch {
		case r == ' ' || r == '\t' || r == '　' || r == '-' || r == '‐' || r == '−' || r == 'ー' || r == '－':
			return -1
		case r >= 'a' && r <= 'z':
			r -= 'a' - 'A'
		}
		switch r {
		case 'O':
			return '0'
		case 'I', 'L':
			return '1'
		}
		return r
	}, typed)
}

// check weighs each character by its place; the modulus is prime and larger than both factors.
func check(s string) string {
	sum := 0
	for i := range len(s) {
		sum = (sum + (i+1)*(strings.IndexByte(alphabet, s[i])+1)) % modulus
	}
	return string([]byte{alphabet[sum/32], alphabet[sum%32]})
}
