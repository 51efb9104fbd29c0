package typed_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"

	"jiseki/internal/typed"
)

// TestFolds reads the table that TypeScript reads too.
func TestFolds(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("..", "..", "vectors", "typed", "folds.json"))
	if err != nil {
		t.Fatal(err)
	}
	var table []struct{ Comment, Typed, Fold, ID string }
	if err := json.Unmarshal(b, &table); err != nil || len(table) < 20 {
		t.Fatalf("%d rows: %v", len(table), err)
	}
	for _, row := range table {
		if got := typed.Fold(row.Typed); got != row.Fold {
			t.Errorf("%s: %+q, want %+q", row.Comment, got, row.Fold)
		}
		if got := typed.ID(row.Typed); row.ID != "" && got != row.ID {
			t.Errorf("%s: id %q, want %q", row.Comment, got, row.ID)
		}
	}
}

func TestMatches(t *testing.T) {
	for _, word := range []string{"野口太郎", "野口　太郎", "ノグチ", "ﾉｸﾞﾁ", "のぐち", "Ｆ０１", "f０1", "口太", "", " "} {
		if !typed.Matches(word, "f01", "野口 太郎", "のぐち たろう") {
			t.Errorf("%q is not found", word)
		}
	}
	for _, word := range []string{"f02", "郎野", "f01野口", "%", "_"} {
		if typed.Matches(word, "f01", "野口 太郎", "のぐち たろう") {
			t.Errorf("%q is found", word)
		}
	}
}

func TestTidyKeepsNames(t *testing.T) {
	for text, want := range map[string]string{
		"野口\u00a0十四\u200b": "野口 十四", "\ufeff野口　十四　": "野口　十四", "\uf9dc\ufa19葛\U000e0100\ue000": "\uf9dc\ufa19葛\U000e0100\ue000", "か\u3099": "か\u3099", "\u2003": "", "ක්\u200dෂ": "ක්\u200dෂ",
	} {
		if got := typed.Tidy(text); got != want {
			t.Errorf("%+q became %+q, want %+q", text, got, want)
		}
	}
	for _, r := range "\x00\t\n\x1b\x7f\u0085\u202e\u2066\u200f\u061c\u2028\ufffd\ufff9\uffff\U0001fffe\U000e0041" {
		if !typed.IsBad(r) {
			t.Errorf("%U is taken", r)
		}
	}
	for _, r := range "隆\uf9dc　 \u200d\ue000\U000e0100\ufe00髙" {
		if typed.IsBad(r) {
			t.Errorf("%U is refused", r)
		}
	}
}

func FuzzFold(f *testing.F) {
	f.Add("野口　ﾀﾛｳ")
	f.Add("e\u0301\U000e0100")
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) {
			return
		}
		if !typed.Matches(s, s) || !typed.Matches(typed.Fold(s), s) || typed.ID(typed.ID(s)) != typed.ID(s) {
			t.Errorf("%+q does not find itself", s)
		}
	})
}
