package telework_test

import (
	"slices"
	"testing"

	"jiseki/internal/access"
	"jiseki/internal/telework"

	"github.com/google/go-cmp/cmp"
)

// hall is a town hall: 町 (head mayor) > 総務部 (director, deputy vice) > 総務課 (chief, deputies second and third) >
// 庶務係 (leader), and 秘書係 without a head. worker and clerk are in 庶務係, secretary in 秘書係; clerk is 庶務担当.
func hall() telework.Organisation {
	return telework.Organisation{
		Sections: map[string]telework.Section{
			"town":   {ID: "town", Name: "町", Head: "mayor"},
			"bu":     {ID: "bu", Parent: "town", Name: "総務部", Head: "director", Deputies: []string{"vice"}},
			"ka":     {ID: "ka", Parent: "bu", Name: "総務課", Head: "chief", Deputies: []string{"second", "third"}},
			"kakari": {ID: "kakari", Parent: "ka", Name: "庶務係", Head: "leader"},
			"hisho":  {ID: "hisho", Parent: "ka", Name: "秘書係"},
		},
		Absent: map[string]bool{}, Disabled: map[string]bool{}, Others: map[string][]string{"second": {"bu"}},
		Main: map[string]string{
			"mayor": "town", "director": "bu", "vice": "bu", "chief": "ka", "second": "ka", "third": "ka", "leader": "kakari",
			"worker": "kakari", "clerk": "kakari", "secretary": "hisho",
		},
		Clerks: map[string]bool{"clerk": true}, Names: map[string]string{},
	}
}

// routed is the hall with the route of 総務課: 課 and 部 decide, 秘書係 and 町 read.
func routed(steps ...telework.RouteStep) telework.Organisation {
	o := hall()
	ka := o.Sections["ka"]
	ka.Route = steps
	o.Sections["ka"] = ka
	return o
}

func decides(section string) telework.RouteStep { return telework.RouteStep{Section: section} }
func reads(section string) telework.RouteStep {
	return telework.RouteStep{Section: section, Circulate: true}
}

func TestRoute(t *testing.T) {
	long := routed(decides("kakari"), decides("ka"), decides("bu"), reads("town"))
	sameHead := routed(decides("ka"), decides("bu"))
	bu := sameHead.Sections["bu"]
	bu.Head = "chief"
	sameHead.Sections["bu"] = bu
	vacant := hall()
	kakari := vacant.Sections["kakari"]
	kakari.Head = ""
	vacant.Sections["kakari"] = kakari
	stopped := hall()
	stopped.Disabled["leader"] = true
	for name, c := range map[string]struct {
		o    telework.Organisation
		user string
		want []string // section, with ~ in front if it reads
	}{
		"own head":                     {hall(), "worker", []string{"kakari"}},
		"head goes above":              {hall(), "leader", []string{"ka"}},
		"deputy to the own head":       {hall(), "second", []string{"ka"}},
		"chief goes above":             {hall(), "chief", []string{"bu"}},
		"no head in the section":       {hall(), "secretary", []string{"ka"}},
		"vacant post":                  {vacant, "worker", []string{"ka"}},
		"disabled head":                {stopped, "worker", []string{"ka"}},
		"nobody above the top":         {hall(), "mayor", nil},
		"no section":                   {hall(), "stranger", nil},
		"three steps and a reader":     {long, "worker", []string{"kakari", "ka", "bu", "~town"}},
		"inherited":                    {long, "secretary", []string{"kakari", "ka", "bu", "~town"}},
		"moved step merges":            {long, "leader", []string{"ka", "bu", "~town"}},
		"not inherited upwards":        {long, "director", []string{"town"}},
		"one head of two neighbours":   {sameHead, "worker", []string{"ka"}},
		"reader who decides":           {routed(decides("ka"), reads("ka"), reads("bu")), "worker", []string{"ka", "~bu"}},
		"reader without a head":        {routed(decides("ka"), reads("hisho")), "worker", []string{"ka"}},
		"reader who asks":              {routed(decides("ka"), reads("kakari")), "leader", []string{"ka"}},
		"section on the route is gone": {routed(decides("nowhere"), decides("ka")), "worker", []string{"ka"}},
	} {
		t.Run(name, func(t *testing.T) {
			steps, err := c.o.Route(c.user)
			if c.want == nil {
				if !telework.RefusedWith(err, access.NoApprover) {
					t.Fatalf("route %v, error %v, want no_approver", steps, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, s := range steps {
				mark := ""
				if s.Circulate {
					mark = "~"
				}
				got = append(got, mark+s.Section)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		})
	}
}

func TestCheckRoute(t *testing.T) {
	for name, c := range map[string]struct {
		steps []telework.RouteStep
		want  bool
	}{
		"inherited":       {nil, true},
		"three":           {[]telework.RouteStep{decides("a"), decides("b"), decides("c"), reads("d")}, true},
		"four":            {[]telework.RouteStep{decides("a"), decides("b"), decides("c"), decides("d")}, false},
		"readers only":    {[]telework.RouteStep{reads("a")}, false},
		"decides after":   {[]telework.RouteStep{decides("a"), reads("b"), decides("c")}, false},
		"twice":           {[]telework.RouteStep{decides("a"), reads("a")}, false},
		"without section": {[]telework.RouteStep{decides("")}, false},
	} {
		if got := telework.CheckRoute(c.steps); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestMayBeAbsentFor(t *testing.T) {
	o := hall()
	for by, want := range map[string][]string{
		"second": {"second", "chief", "third"}, "chief": {"chief", "second", "third"}, "worker": {"worker"},
	} {
		got := o.MayBeAbsentFor(by)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", by, got, want)
		}
		for _, user := range got {
			if !o.MayEnterAbsence(by, user) {
				t.Errorf("%s may not enter the absence of %s", by, user)
			}
		}
	}
}

func TestAuthority(t *testing.T) {
	absent := hall()
	absent.Absent["chief"] = true
	disabled := hall()
	disabled.Disabled["director"] = true
	for name, c := range map[string]struct {
		o          telework.Organisation
		by, user   string
		over, sees bool
		applies    bool
	}{
		"head":                          {hall(), "leader", "worker", true, true, true},
		"head of the section above":     {hall(), "chief", "worker", true, true, true},
		"top":                           {hall(), "mayor", "worker", true, true, true},
		"below":                         {hall(), "leader", "chief", false, false, false},
		"oneself":                       {hall(), "leader", "leader", false, true, false},
		"deputy while the head is here": {hall(), "second", "worker", false, false, false},
		"deputy stands in":              {absent, "second", "worker", true, true, true},
		"deputy is not over the head":   {absent, "second", "chief", false, true, false},
		"later deputy":                  {absent, "third", "worker", false, false, false},
		"absent head stays head":        {absent, "chief", "worker", true, true, true},
		"clerk":                         {hall(), "clerk", "worker", false, false, true},
		"clerk of another section":      {hall(), "clerk", "secretary", false, false, false},
		"colleague":                     {hall(), "worker", "clerk", false, false, false},
		"disabled":                      {disabled, "director", "worker", false, false, false},
		"for the disabled":              {disabled, "vice", "worker", true, true, true},
	} {
		a := c.o.Authority(c.by)
		if got := [3]bool{a.Over(c.user), a.Sees(c.user), a.MayApplyFor(c.user)}; got != [3]bool{c.over, c.sees, c.applies} {
			t.Errorf("%s: over, sees, applies %v", name, got)
		}
	}
	o := hall()
	if a := o.Authority("worker"); !a.Colleague("clerk") || a.Colleague("secretary") || a.Approver() {
		t.Error("colleagues of worker")
	}
	if a := o.Authority("director"); !a.Colleague("second") {
		t.Error("an additional post makes no colleague")
	}
	if a := (telework.Authority{User: "x"}); a.Over("y") || a.Sees("y") || a.Colleague("y") || a.ClerkOf("y") {
		t.Error("the zero value is something to somebody")
	}
}

// TestStandIn walks through who may decide while heads and deputies are away.
func TestStandIn(t *testing.T) {
	for name, c := range map[string]struct {
		absent, disabled []string
		user, by         string
		want, called     []string
	}{
		"head":                           {nil, nil, "worker", "worker", []string{"chief"}, []string{"chief"}},
		"first deputy":                   {[]string{"chief"}, nil, "worker", "worker", []string{"chief", "second"}, []string{"second"}},
		"second deputy":                  {[]string{"chief", "second"}, nil, "worker", "worker", []string{"chief", "second", "third"}, []string{"third"}},
		"all away":                       {[]string{"chief", "second", "third"}, nil, "worker", "worker", []string{"chief", "second", "third"}, []string{"chief", "second", "third"}},
		"only a deputy away":             {[]string{"second"}, nil, "worker", "worker", []string{"chief"}, []string{"chief"}},
		"head stopped":                   {nil, []string{"chief"}, "worker", "worker", []string{"second"}, []string{"second"}},
		"deputy's own request":           {[]string{"chief"}, nil, "second", "second", []string{"chief", "third"}, []string{"third"}},
		"entered by the deputy":          {[]string{"chief"}, nil, "worker", "second", []string{"chief", "third"}, []string{"third"}},
		"entered by the head":            {nil, nil, "worker", "chief", []string{"chief"}, []string{"chief"}},
		"everybody but the head stopped": {[]string{"chief"}, []string{"second", "third"}, "worker", "worker", []string{"chief"}, []string{"chief"}},
		"nobody left, the request waits": {nil, []string{"chief", "second", "third"}, "worker", "worker", nil, nil},
	} {
		o := routed(decides("ka"))
		for _, u := range c.absent {
			o.Absent[u] = true
		}
		for _, u := range c.disabled {
			o.Disabled[u] = true
		}
		r := telework.Request{User: c.user, By: c.by, State: telework.Pending, Kind: telework.Telework, Steps: []telework.Step{{Section: "ka"}}}
		got := o.Approvers(&r)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: approvers %v, want %v", name, got, c.want)
		}
		if called := o.Called(got); !slices.Equal(called, c.called) {
			t.Errorf("%s: called %v, want %v", name, called, c.called)
		}
	}
}
