package store

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"jiseki/internal/access"
	"jiseki/internal/audit"
)

// TestEventsHoldEveryChange: whatever an administrator changes for a while and puts back stands in the log whole,
// however much is around it.
func TestEventsHoldEveryChange(t *testing.T) {
	s := engines(t)["sqlite"]
	ctx, by := t.Context(), By{Actor: "cli:test"}
	if err := s.CreateOrganisation(ctx, by, "青葉町", access.Default()); err != nil {
		t.Fatal(err)
	}
	newest := func() string {
		t.Helper()
		all, _, err := s.Events(ctx, EventFilter{}, Page{Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		return all[0].Details
	}
	change := func(f func(*access.Settings)) {
		t.Helper()
		o, err := s.Organisation(ctx)
		if err != nil {
			t.Fatal(err)
		}
		f(&o.Settings)
		if _, err := s.UpdateSettings(ctx, by, o.Revision, o.Name, o.Settings); err != nil {
			t.Fatal(err)
		}
		if _, err := s.UpdatePolicy(ctx, by, o.Revision+1, o.Settings.Policy); err != nil {
			t.Fatal(err)
		}
	}
	change(func(x *access.Settings) {
		for i := range 20 {
			if err := s.PutSection(ctx, by, Section{ID: fmt.Sprint("ka", i), Name: "課"}); err != nil {
				t.Fatal(err)
			}
			x.Policy.Rules = append(x.Policy.Rules, access.PolicyRule{
				Section: fmt.Sprint("ka", i), Approval: access.ApprovalAlways, Watermark: "{user} {device} {time} 持出禁止",
			})
		}
	})
	change(func(x *access.Settings) { x.Policy.Rules[17].Approval = access.ApprovalNever })
	for _, want := range []string{"policy.rules removed", "policy.rules added", `ka17`, `\"approval\":1`, `\"approval\":3`} {
		if got := newest(); !strings.Contains(got, want) {
			t.Errorf("%s is not in %s", want, got)
		}
	}
}

// TestFactsOfAnActAreNotCut: what is too much for one event stands in several, each within the limits of events, and
// nothing is lost.
func TestFactsOfAnActAreNotCut(t *testing.T) {
	long := strings.Repeat("長い説明\"", 2000)
	all := append(each("ids", []string{"a", "b"}), pieces("text", long)...)
	var ids, text string
	events := 0
	for len(all) > 0 {
		var d audit.Details
		before := len(all)
		d, all = pack(audit.Details{"count": 2}, all)
		if len(all) == before {
			t.Fatal("an event holds nothing")
		}
		b, err := json.Marshal(d)
		if err != nil || len(b) > 8<<10 || d["count"] != 2 {
			t.Errorf("%d bytes, %v, %v", len(b), d["count"], err)
		}
		for name, to := range map[string]*string{"ids": &ids, "text": &text} {
			switch v := d[name].(type) {
			case string:
				*to += v
			case []string:
				*to += strings.Join(v, "")
			}
		}
		events++
	}
	if ids != "ab" || text != long || events < 2 {
		t.Errorf("%d events, ids %q, %d of %d bytes of text", events, ids, len(text), len(long))
	}
}

func TestChanged(t *testing.T) {
	long := func(elements ...string) string { return `["` + strings.Join(elements, `","`) + `"]` }
	many := strings.Repeat("x", shortChange)
	for _, c := range []struct {
		name, old, now string
		want           []change
	}{
		{"short", "1", "2", []change{{name: "n", text: "1 -> 2"}}},
		{"element added", long(many), long(many, "home"), []change{{name: "n added", text: `"home"`}}},
		{"element removed", long(many, "home"), long(many), []change{{name: "n removed", text: `"home"`}}},
		{"order", long(many, "a"), long("a", many), []change{{name: "n now", text: long("a", many)}}},
		{"from nothing", "null", long(many), []change{{name: "n added", text: `"` + many + `"`}}},
		{"text", `"` + many + `"`, `"a"`, []change{{name: "n before", text: `"` + many + `"`}, {name: "n now", text: `"a"`}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := changed("n", c.old, c.now)
			if fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}
