package mail_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode"

	"jiseki/internal/mail"
)

// fitting are arguments that a kind takes.
func fitting(kind string) map[string]string {
	all := map[string]string{
		"date": "2026-11-25", "until": "2026-11-30", "was": "2026-11-24", "was_until": "2026-11-26", "month": "2026-11", "more": "2", "count": "12", "minutes": "10", "order": "overtime",
		"name": "田中 花子", "by": "佐藤 次郎", "desk": "総務課 01", "device": "貸与 03",
	}
	args := map[string]string{}
	for _, name := range mail.Args(kind) {
		args[name] = all[name]
	}
	return args
}

// TestEveryKindHasWordsInBothLanguages and takes exactly the arguments that its words name.
func TestEveryKindHasWordsInBothLanguages(t *testing.T) {
	if len(mail.Kinds()) < 17 {
		t.Fatalf("only %d kinds", len(mail.Kinds()))
	}
	for _, kind := range mail.Kinds() {
		t.Run(kind, func(t *testing.T) {
			args := fitting(kind)
			n := mail.Notice{User: "tanaka", Kind: kind, Args: args, Path: "/x"}
			if err := n.Check(); err != nil {
				t.Fatal(err)
			}
			ja, en := mail.Words(kind, args)
			if !strings.HasSuffix(ja, "。") || !strings.ContainsFunc(ja, func(r rune) bool { return unicode.Is(unicode.Hiragana, r) }) {
				t.Errorf("no Japanese sentence: %s", ja)
			}
			if !strings.HasSuffix(en, ".") || !unicode.IsUpper([]rune(en)[0]) && !strings.HasPrefix(en, args["name"]) && !strings.HasPrefix(en, args["by"]) {
				t.Errorf("no English sentence: %s", en)
			}
			for _, text := range []string{ja, en} {
				if strings.ContainsAny(text, "{}\r\n") {
					t.Errorf("a placeholder is left: %s", text)
				}
			}
			rest := en
			for _, value := range args {
				rest = strings.ReplaceAll(rest, value, "")
			}
			if strings.ContainsFunc(rest, func(r rune) bool { return r > 0x7f }) {
				t.Errorf("Japanese in the English words: %s", en)
			}
			for name := range args {
				less := maps.Clone(args)
				delete(less, name)
				if err := (&mail.Notice{Kind: kind, Args: less}).Check(); !errors.Is(err, mail.ErrNotice) {
					t.Errorf("without %s: %v", name, err)
				}
			}
			args["reason"] = "看護"
			if err := (&mail.Notice{Kind: kind, Args: args}).Check(); !errors.Is(err, mail.ErrNotice) {
				t.Errorf("with an argument that the words do not name: %v", err)
			}
		})
	}
}

func TestWords(t *testing.T) {
	for _, c := range []struct {
		kind   string
		args   map[string]string
		ja, en string
	}{
		{
			"request_submitted",
			map[string]string{"name": "鈴木 一郎", "date": "2026-11-25", "more": "0"},
			"鈴木 一郎さんからテレワークの申請がありました（11月25日（水））。内容を確認し、決裁してください。",
			"鈴木 一郎 has asked for telework (Wed 25 Nov). Please decide the request.",
		},
		{
			"request_approved",
			map[string]string{"date": "2026-12-01", "more": "1"},
			"テレワークの申請（12月1日（火）ほか1日）が承認されました。", "Your request for telework (Tue 1 Dec and 1 more day) was approved.",
		},
		{
			"order_given",
			map[string]string{"by": "佐藤 次郎", "order": "overtime", "date": "2026-11-25", "more": "3"},
			"佐藤 次郎さんから時間外勤務命令がありました（11月25日（水）ほか3日）。", "佐藤 次郎 has given you an order for overtime (Wed 25 Nov and 3 more days).",
		},
		{
			"month_confirmed",
			map[string]string{"month": "2026-11", "by": "佐藤 次郎"},
			"令和8年11月のテレワーク実績を、佐藤 次郎さんが確認しました。", "佐藤 次郎 confirmed your workdays of November 2026.",
		},
		{
			"power_on_asked",
			map[string]string{"name": "a\r\nBcc: x", "desk": "{name}"},
			"a  Bcc: xさんから、自席端末「(name)」の電源投入の依頼がありました。", "a  Bcc: x asks somebody in the hall to switch on the desk (name).",
		},
		{"a_later_kind", nil, "a_later_kind", "a_later_kind"},
	} {
		ja, en := mail.Words(c.kind, c.args)
		if ja != c.ja || en != c.en {
			t.Errorf("%s:\n%s\n%s", c.kind, ja, en)
		}
	}
}

func TestNoticesThatAreRefused(t *testing.T) {
	approved := func(change func(map[string]string)) mail.Notice {
		args := fitting("request_approved")
		change(args)
		return mail.Notice{User: "u", Kind: "request_approved", Args: args}
	}
	for name, n := range map[string]mail.Notice{
		"unknown kind": {Kind: "later", Args: map[string]string{}},
		"no date":      approved(func(a map[string]string) { a["date"] = "25.11." }),
		"no number":    approved(func(a map[string]string) { a["more"] = "" }),
		"a word":       approved(func(a map[string]string) { a["more"] = "two" }),
		"too long":     approved(func(a map[string]string) { a["more"] = strings.Repeat("1", 301) }),
		"elsewhere":    {Kind: "request_approved", Args: fitting("request_approved"), Path: "https://example.net/"},
	} {
		if err := n.Check(); !errors.Is(err, mail.ErrNotice) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if !slices.IsSorted(mail.Kinds()) {
		t.Error("kinds are not sorted")
	}
}

// TestPathsStayInThePortal: a notice is a link that people click.
func TestPathsStayInThePortal(t *testing.T) {
	for path, good := range map[string]bool{
		"": true, "/": true, "/requests/3f2a": true, "/approvals/months?month=2026-11": true,
		"requests": false, "//evil.example": false, `/\evil.example`: false, "/\t/evil.example": false, "javascript:alert(1)": false,
		"https://evil.example": false, "/a b": false, "/@evil.example": false, "/requests#x": false, "/%2f%2fevil.example": false,
	} {
		n := mail.Notice{Kind: "tomorrow_telework", Args: map[string]string{"date": "2026-11-25"}, Path: path}
		if err := n.Check(); (err == nil) != good {
			t.Errorf("%q: %v", path, err)
		}
	}
}
