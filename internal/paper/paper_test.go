package paper_test

import (
	"crypto/rand"
	"errors"
	"strings"
	"testing"

	"jiseki/internal/paper"
)

const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

func TestEncodeTakesFiveBitsEach(t *testing.T) {
	if got := paper.Encode([]byte{0b00001_000, 0b10_11111_0, 0b0100_0000}, 4); got != "12Z4" {
		t.Errorf("got %q", got)
	}
}

func TestParseReadsWhatPeopleType(t *testing.T) {
	code := paper.Format("", "10ABCDEFGHJKMN", 4)
	for _, typed := range []string{
		code, strings.ToLower(code), strings.ReplaceAll(code, "-", ""), strings.ReplaceAll(code, "-", "　"),
		" " + strings.Replace(code, "10", "lO", 1), "１０ＡＢ" + code[4:], strings.ReplaceAll(code, "-", "ー"),
	} {
		got, err := paper.Parse("", typed, 14)
		if err != nil || got != "10ABCDEFGHJKMN" {
			t.Errorf("%q: %q, %v", typed, got, err)
		}
	}
}

func TestParseSaysWhatIsWrong(t *testing.T) {
	code := paper.Format("", "10ABCDEFGHJKMN", 4)
	for typed, want := range map[string]error{
		"": paper.ErrLength, code[:5]: paper.ErrLength, code + "0": paper.ErrLength, "U" + code[1:]: paper.ErrChar,
		"あ" + code[1:]: paper.ErrChar, "2" + code[1:]: paper.ErrTyped, "01" + code[2:]: paper.ErrTyped,
	} {
		if _, err := paper.Parse("", typed, 14); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", typed, err, want)
		}
	}
	if _, err := paper.Parse("12", code, 14); !errors.Is(err, paper.ErrTyped) {
		t.Errorf("other prefix: %v", err)
	}
}

// TestCheckFindsEverySlip changes each character into every other and swaps each two neighbours.
func TestCheckFindsEverySlip(t *testing.T) {
	for range 50 {
		var b [16]byte
		_, _ = rand.Read(b[:])
		code := paper.Plain(paper.Format("", paper.Encode(b[:], 20), 5))
		for i := range code {
			for _, c := range alphabet {
				if wrong := code[:i] + string(c) + code[i+1:]; wrong != code {
					if _, err := paper.Parse("", wrong, 20); err == nil {
						t.Fatalf("%s passes for %s", wrong, code)
					}
				}
			}
			if i > 0 && code[i] != code[i-1] {
				wrong := code[:i-1] + string(code[i]) + string(code[i-1]) + code[i+1:]
				if _, err := paper.Parse("", wrong, 20); err == nil {
					t.Fatalf("%s passes for %s", wrong, code)
				}
			}
		}
	}
}
