package input

import (
	"strings"
	"testing"
)

func TestCompoundText(t *testing.T) {
	for text, want := range map[string]string{
		"plain\n":  "plain\n",
		"é":        "\xe9",
		"自席":       "\x1b$(B<+@J\x1b(B",
		"a自b":      "a\x1b$(B<+\x1b(Bb",
		"自é席":      "\x1b$(B<+\xe9@J\x1b(B",
		"ｶ":        "\x1b%Gｶ\x1b%@",
		"自😀席x":     "\x1b$(B<+\x1b%G😀\x1b%@@J\x1b(Bx",
		"x\u0100ÿ": "x\x1b%G\u0100\x1b%@\xff",
	} {
		if got := string(compoundText(text)); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

// TestCompoundTextIsBounded takes the texts that need the most escapes: a clipboard's fits into one request in every
// form.
func TestCompoundTextIsBounded(t *testing.T) {
	const largest = 4*0xffff - 24 // what X servers take as data of one ChangeProperty
	for _, unit := range []string{"αa", "α\u0100", "\u0100a", "あa", "あ\u0100", "あ\u0100a", "α\u0100a"} {
		text := strings.Repeat(unit, MaxClipboard/len(unit))
		if n := len(compoundText(text)); n > largest || float64(n) > 3.6*float64(len(text)) {
			t.Errorf("%q: %d bytes of %d", unit, n, len(text))
		}
	}
}
