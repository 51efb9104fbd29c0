package telework

import (
	"maps"
	"slices"

	"jiseki/internal/access"
)

// Section is a section with who decides in it.
type Section struct {
	ID, Parent, Name string
	Head             string // empty: the post is vacant
	Deputies         []string
	Route            []RouteStep // empty: that of the section above
}

// RouteStep is a step as a section's route names it.
type RouteStep struct {
	Section   string
	Circulate bool // 供覧
}

// MaxDeciding is how many deciding steps a route may have.
const MaxDeciding = 3

// maxDepth bounds walks along the organisation.
const maxDepth = 50

// CheckRoute says whether a section's route can be meant: empty, or one to three deciding steps followed by any that
// read, no section twice.
func CheckRoute(steps []RouteStep) bool {
	deciding := 0
	for i, s := range steps {
		if s.Section == "" || slices.ContainsFunc(steps[:i], func(o RouteStep) bool { return o.Section == s.Section }) {
			return false
		}
		if s.Circulate {
			continue
		}
		if deciding != i { // a step that decides behind one that reads
			return false
		}
		deciding++
	}
	return len(steps) == 0 || (deciding >= 1 && deciding <= MaxDeciding && len(steps) <= 10)
}

// Organisation is what routes and rights follow from, as it is on one day.
type Organisation struct {
	Sections map[string]Section
	Absent   map[string]bool   // users who are absent on the day
	Disabled map[string]bool   // users who may do nothing
	Main     map[string]string // main section (主務) of each user
	Others   map[string][]string
	Clerks   map[string]bool // 庶務担当 of their main section
	Names    map[string]string
}

// upward walks from a section to the top, the section itself first, until visit says stop.
func (o *Organisation) upward(section string, visit func(Section) (stop bool)) {
	for range maxDepth {
		s, ok := o.Sections[section]
		if !ok || visit(s) {
			return
		}
		section = s.Parent
	}
}

// below says whether section is top or lies below it.
func (o *Organisation) below(section, top string) bool {
	found := false
	o.upward(section, func(s Section) bool {
		found = s.ID == top
		return found
	})
	return found
}

// standing lists who may decide in a section: its head, and each deputy while the head and all deputies before are
// absent. Whoever is disabled or left out counts as absent and is not in the list.
func (o *Organisation) standing(section string, leftOut func(user string) bool) []string {
	s := o.Sections[section]
	var all []string
	for _, user := range append([]string{s.Head}, s.Deputies...) {
		if user == "" || o.Disabled[user] || leftOut(user) || slices.Contains(all, user) {
			continue
		}
		all = append(all, user)
		if !o.Absent[user] {
			break
		}
	}
	return all
}

// Route is the way of a user's request: that of the nearest section above that has one, else the head of the main
// section. A step whose head is the user, or that has nobody to decide, moves to the section above; equal neighbours
// become one. Without anybody left to decide it is refused with no_approver.
func (o *Organisation) Route(user string) ([]Step, error) {
	main := o.Main[user]
	wanted := []RouteStep{{Section: main}}
	o.upward(main, func(s Section) bool {
		if len(s.Route) == 0 {
			return false
		}
		wanted = s.Route
		return true
	})
	var steps, readers []Step
	for _, w := range wanted {
		if w.Circulate {
			readers = append(readers, o.step(w.Section, true))
			continue
		}
		at, ok := o.decidingSection(w.Section, user)
		if !ok || (len(steps) > 0 && o.same(steps[len(steps)-1].Section, at)) {
			continue
		}
		steps = append(steps, o.step(at, false))
	}
	if len(steps) == 0 {
		return nil, refuse(access.NoApprover)
	}
	for _, r := range readers {
		decides := slices.ContainsFunc(steps, func(s Step) bool { return o.same(s.Section, r.Section) })
		if !decides && len(o.standing(r.Section, is(user))) > 0 {
			steps = append(steps, r)
		}
	}
	return steps, nil
}

func is(user string) func(string) bool { return func(u string) bool { return u == user } }

func (o *Organisation) step(section string, circulate bool) Step {
	return Step{Section: section, SectionName: o.Sections[section].Name, Circulate: circulate}
}

// decidingSection is the first section, from one upward, that has a head or deputy other than the user and is not the
// user's to head.
func (o *Organisation) decidingSection(section, user string) (found string, ok bool) {
	o.upward(section, func(s Section) bool {
		ok = s.Head != user && len(o.standing(s.ID, is(user))) > 0
		found = s.ID
		return ok
	})
	return found, ok
}

// same: two steps in a row for the same section, or for the same head, are one.
func (o *Organisation) same(a, b string) bool {
	return a == b || (o.Sections[a].Head != "" && o.Sections[a].Head == o.Sections[b].Head)
}

// Authority is what somebody is to others.
type Authority struct {
	User string
	// Sections that the user heads or stands in for now.
	Sections []string
	// Clerk is the section whose clerk (庶務担当) the user is, or empty.
	Clerk string

	org *Organisation
}

// Authority of a user on the organisation's day.
func (o *Organisation) Authority(user string) Authority {
	a := Authority{User: user, org: o}
	if o.Disabled[user] {
		return a
	}
	for id := range o.Sections {
		if slices.Contains(o.standing(id, is("")), user) {
			a.Sections = append(a.Sections, id)
		}
	}
	slices.Sort(a.Sections)
	if o.Clerks[user] {
		a.Clerk = o.Main[user]
	}
	return a
}

// Approver says whether the user heads or stands in for any section.
func (a *Authority) Approver() bool { return len(a.Sections) > 0 }

// Over says whether the user is the superior of another: head or acting head of the other's main section or of one
// above it. Nobody is their own superior, nor that of a head at their own level or above.
func (a *Authority) Over(user string) bool {
	_, over := a.Through(user)
	return over
}

// Through is the section, nearest to the other user, by which the user is the other's superior.
func (a *Authority) Through(user string) (section string, over bool) {
	if user == a.User || a.org == nil {
		return "", false
	}
	a.org.upward(a.org.Main[user], func(s Section) bool {
		if s.Head == user { // those who act for this section are not over its head
			section, over = "", false
		} else if !over && slices.Contains(a.Sections, s.ID) {
			section, over = s.ID, true
		}
		return false
	})
	return section, over
}

// ClerkOf says whether the user is clerk of another's main section.
func (a *Authority) ClerkOf(user string) bool {
	return a.Clerk != "" && user != a.User && a.org.Main[user] == a.Clerk
}

// MayApplyFor says whether the user may enter requests (代理申請) for another.
func (a *Authority) MayApplyFor(user string) bool { return a.Over(user) || a.ClerkOf(user) }

// Sees says whether another user has a post, main or additional, in the user's sections or below them.
func (a *Authority) Sees(user string) bool {
	return a.org != nil && slices.ContainsFunc(a.org.posts(user), func(post string) bool {
		return slices.ContainsFunc(a.Sections, func(s string) bool { return a.org.below(post, s) })
	})
}

// Colleague says whether another user shares a post's section with the user.
func (a *Authority) Colleague(user string) bool {
	if a.org == nil {
		return false
	}
	mine := a.org.posts(a.User)
	return slices.ContainsFunc(a.org.posts(user), func(post string) bool { return slices.Contains(mine, post) })
}

// posts are the sections of a user, the main one first.
func (o *Organisation) posts(user string) []string {
	var all []string
	if main := o.Main[user]; main != "" {
		all = append(all, main)
	}
	return append(all, o.Others[user]...)
}

// Heads says whether a user is head or deputy of any section.
func (o *Organisation) Heads(user string) bool {
	for _, s := range o.Sections {
		if s.Head == user || slices.Contains(s.Deputies, user) {
			return user != ""
		}
	}
	return false
}

// MayEnterAbsence says whether somebody may enter another's absence: their own, and of who is head or deputy of the
// same section.
func (o *Organisation) MayEnterAbsence(by, user string) bool {
	if by == user {
		return by != ""
	}
	for _, s := range o.Sections {
		heads := append([]string{s.Head}, s.Deputies...)
		if slices.Contains(heads, by) && slices.Contains(heads, user) {
			return by != "" && user != ""
		}
	}
	return false
}

// MayBeAbsentFor are those whose absence somebody may enter, that person first and the others by id.
func (o *Organisation) MayBeAbsentFor(by string) []string {
	others := map[string]bool{}
	for _, s := range o.Sections {
		heads := append([]string{s.Head}, s.Deputies...)
		if !slices.Contains(heads, by) {
			continue
		}
		for _, user := range heads {
			if user != "" && user != by {
				others[user] = true
			}
		}
	}
	return append([]string{by}, slices.Sorted(maps.Keys(others))...)
}

// SuperiorOf is the head of the nearest section, from the user's main one upward, that somebody else heads and that is
// not below one the user heads. Empty if there is none.
func (o *Organisation) SuperiorOf(user string) (head string) {
	o.upward(o.Main[user], func(s Section) bool {
		switch {
		case s.Head == user:
			head = ""
		case head == "" && s.Head != "" && !o.Disabled[s.Head]:
			head = s.Head
		}
		return false
	})
	return head
}
