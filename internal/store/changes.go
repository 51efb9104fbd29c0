package store

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"jiseki/internal/access"
	"jiseki/internal/audit"
)

const (
	// shortChange is how long "old -> new" may be, in bytes, to stand as a whole.
	shortChange = 500
	// longestPiece is how long a text of a change may be; a longer one becomes several.
	longestPiece = 3000
	// changesOfEvent bounds the changes of one event, in bytes of JSON; others follow in further events of the same
	// act.
	changesOfEvent = 6000
)

// A change is one fact of an act that is never cut: a setting that differs, or one of those concerned.
type change struct {
	name, text string
	one        bool // of several: a list in the event, also if it is alone
}

// recordAll records an act whose facts may be too many for one event: in as many events as it takes, each with the
// details of all and with its part of the changes.
func (t *tx) recordAll(e audit.Entry, changes []change) error {
	for {
		part := e
		part.Details, changes = pack(e.Details, changes)
		if err := t.record(part); err != nil || len(changes) == 0 {
			return err
		}
	}
}

// pack gives an event what fits of the changes, and says what is left.
func pack(of audit.Details, changes []change) (audit.Details, []change) {
	d := maps.Clone(of)
	if d == nil {
		d = audit.Details{}
	}
	size, n := 0, 0
	for ; n < len(changes); n++ {
		c := changes[n]
		quoted, _ := json.Marshal(c.text) // text can always be written
		if size += len(c.name) + len(quoted) + len(`"":,`); size > changesOfEvent && n > 0 {
			break
		}
		switch before := d[c.name].(type) {
		case string:
			d[c.name] = []string{before, c.text}
		case []string:
			d[c.name] = append(before, c.text)
		default:
			if d[c.name] = c.text; c.one {
				d[c.name] = []string{c.text}
			}
		}
	}
	return d, changes[n:]
}

// changesOf lists the settings that differ, parts of the policy each for itself. The log keeps both values, however
// long.
func changesOf(before, after Organisation) ([]change, error) {
	var all []change
	if before.Name != after.Name {
		all = append(all, pieces("name", before.Name+" -> "+after.Name)...)
	}
	policy, err := differ("policy.", before.Settings.Policy, after.Settings.Policy)
	if err != nil {
		return nil, err
	}
	before.Settings.Policy, after.Settings.Policy = access.PolicySettings{}, access.PolicySettings{}
	rest, err := differ("", before.Settings, after.Settings)
	return slices.Concat(all, policy, rest), err
}

// differ compares the members of two structures, as JSON has them.
func differ(prefix string, before, after any) ([]change, error) {
	olds, err := members(before)
	if err != nil {
		return nil, err
	}
	news, err := members(after)
	if err != nil {
		return nil, err
	}
	for name := range olds {
		if _, ok := news[name]; !ok {
			news[name] = json.RawMessage("null")
		}
	}
	var all []change
	for _, name := range slices.Sorted(maps.Keys(news)) {
		if old, now := string(olds[name]), string(news[name]); old != now {
			// A setting's name may hold a word that the log keeps out (totp_outside); the setting is no secret.
			all = append(all, changed(prefix+strings.ReplaceAll(name, "totp", "second_factor"), old, now)...)
		}
	}
	return all, nil
}

// members are those of a structure, as JSON has them.
func members(of any) (all map[string]json.RawMessage, err error) {
	b, err := json.Marshal(of)
	if err != nil {
		return nil, err
	}
	return all, json.Unmarshal(b, &all)
}

// changed says how a value differs: short ones as a whole, of long lists the elements that came and went.
func changed(name, old, now string) []change {
	if whole := old + " -> " + now; len(whole) <= shortChange {
		return []change{{name: name, text: whole}}
	}
	was, is, ok := lists(old, now)
	if !ok {
		return append(pieces(name+" before", old), pieces(name+" now", now)...)
	}
	var all []change
	for _, x := range without(was, is) {
		all = append(all, pieces(name+" removed", x)...)
	}
	for _, x := range without(is, was) {
		all = append(all, pieces(name+" added", x)...)
	}
	if len(all) == 0 { // in another order, or one of them more than once
		all = pieces(name+" now", now)
	}
	return all
}

// lists reads both values as lists of texts in JSON.
func lists(old, now string) (was, is []string, ok bool) {
	var a, b []json.RawMessage
	if json.Unmarshal([]byte(old), &a) != nil || json.Unmarshal([]byte(now), &b) != nil {
		return nil, nil, false
	}
	texts := func(all []json.RawMessage) []string {
		out := make([]string, len(all))
		for i, x := range all {
			out[i] = string(x)
		}
		return out
	}
	return texts(a), texts(b), true
}

// without are the elements of all that are not among others.
func without(all, others []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(x string) bool { return slices.Contains(others, x) })
}

// pieces are changes of a name with a text that may be too long for one.
func pieces(name, text string) []change {
	text = audit.Cut(text, len(text)) // not shorter, but fit for an event
	var all []change
	for len(text) > longestPiece {
		head := audit.Cut(text, longestPiece)
		all = append(all, change{name: name, text: head})
		text = text[len(head):]
	}
	return append(all, change{name: name, text: text})
}

// each makes a change of every text: for lists of those concerned.
func each(name string, texts []string) []change {
	all := make([]change, len(texts))
	for i, x := range texts {
		all[i] = change{name: name, text: x, one: true}
	}
	return all
}
