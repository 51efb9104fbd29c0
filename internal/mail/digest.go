package mail

import (
	"fmt"
	"strings"
	"time"

	"jiseki/internal/calendar"
)

// maxListed is how many notices a mail lists; it says how many more there are.
const maxListed = 50

// Told is a notice that waits for a mail.
type Told struct {
	Kind   string
	Args   map[string]string
	Path   string
	TimeMS int64
}

// Letter is what a mail says.
type Letter struct{ Subject, Body string }

// Compose writes one user's notices, oldest first, as one mail in Japanese and English. Portal is the address that
// paths are below of; without it there are no links.
func Compose(told []Told, portal string) Letter {
	n := len(told)
	var ja, en strings.Builder
	fmt.Fprintf(&ja, "テレワークについてのお知らせが%d件あります。\n\n", n)
	fmt.Fprintf(&en, "Notices about telework: %d\n\n", n)
	for _, x := range told[:min(n, maxListed)] {
		wordsJA, wordsEN := Words(x.Kind, x.Args)
		at := time.UnixMilli(x.TimeMS).In(calendar.JST)
		fmt.Fprintf(&ja, "■ %s %s\n%s\n%s\n", dateJA(calendar.DateOf(at)), at.Format("15:04"), wordsJA, link(portal, x.Path))
		fmt.Fprintf(&en, "* %s\n%s\n%s\n", at.Format("Mon 2 Jan 15:04"), wordsEN, link(portal, x.Path))
	}
	if n > maxListed {
		fmt.Fprintf(&ja, "ほか%d件は、ポータルで確認してください。\n%s\n", n-maxListed, link(portal, "/notices"))
		fmt.Fprintf(&en, "%d more are in the portal.\n%s\n", n-maxListed, link(portal, "/notices"))
	}
	ja.WriteString("このメールは自動で送信しています。返信しても届きません。\n")
	en.WriteString("This mail was sent by a program. Please do not reply.\n")
	return Letter{
		Subject: fmt.Sprintf("【テレワーク】お知らせ%d件 / Telework: %d notices", n, n),
		Body:    ja.String() + "\n-- English --\n" + en.String(),
	}
}

// link is a line with the address of a page, or an empty one.
func link(portal, path string) string {
	if portal == "" {
		return ""
	}
	if path == "" {
		path = "/notices"
	}
	return strings.TrimSuffix(portal, "/") + path + "\n"
}
