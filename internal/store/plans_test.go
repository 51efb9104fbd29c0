package store_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"jiseki/internal/store"
	"jiseki/internal/store/storetest"
)

// growing are the tables that keep the past of years.
var growing = []string{
	"agent_events", "events", "mails", "month_confirmations", "notices", "request_changes", "request_days", "request_steps",
	"requests", "sessions", "wakes", "workday_corrections", "workday_segments", "workdays",
}

// open are indexes of what is not over alone: however long the past is, they stay short.
var open = []string{
	"notices_mail", "requests_waiting", "sessions_running", "sessions_desk_running", "sessions_open", "wakes_next", "workday_segments_open",
}

// TestNoStatementReadsTheWholePast: of all statements that the suite has SQLite run, none goes through a table that grows
// with the years, but in the order of an index until it has enough.
func TestNoStatementReadsTheWholePast(t *testing.T) {
	var mu sync.Mutex
	seen := map[string]int{}
	storetest.Run(t, storetest.SQLite, storetest.CopySQLite, func(s *store.Store) {
		err := store.Show(s, func(query string, args int) {
			mu.Lock()
			defer mu.Unlock()
			seen[query] = args
		})
		if err != nil {
			t.Fatal(err)
		}
	})
	s := storetest.Open(t, storetest.SQLite(t), storetest.NewClock().Now)
	explained := 0
	for _, query := range slices.Sorted(maps.Keys(seen)) {
		if !isPlanned(query) {
			continue
		}
		steps, err := store.Explain(t.Context(), s, query, seen[query])
		if err != nil {
			t.Errorf("%s: %v", query, err)
		}
		explained++
		if bad := readsAll(query, steps); bad != "" {
			t.Errorf("%s\n  in\n%s\n  of\n%s", bad, strings.Join(steps, "\n"), query)
		}
	}
	if explained < 200 {
		t.Errorf("only %d statements were seen", explained)
	}
}

// isPlanned says that a statement looks for something.
func isPlanned(query string) bool {
	verb, _, _ := strings.Cut(strings.TrimSpace(query), " ")
	return slices.Contains([]string{"SELECT", "UPDATE", "DELETE", "INSERT", "WITH"}, strings.ToUpper(verb)) && strings.Contains(query, "FROM") ||
		strings.EqualFold(verb, "UPDATE")
}

var tableAs = regexp.MustCompile(`(?:FROM|JOIN|UPDATE)\s+(\w+)(?:\s+(?:AS\s+)?(\w+))?`)

// ofThePast are the indexes of all sessions: whoever asks for running ones reads those alone.
var ofThePast = regexp.MustCompile(`INDEX sessions_(user|device|desk|prepared) `)

// readsAll is the step that goes through a table that grows, empty if there is none. In the order of an index until there is
// enough is not all: with a limit, and without sorting.
func readsAll(query string, steps []string) string {
	names := map[string]string{}
	for _, m := range tableAs.FindAllStringSubmatch(query, -1) {
		names[m[1]], names[m[2]] = m[1], m[1]
	}
	sorts := slices.ContainsFunc(steps, func(step string) bool { return strings.HasPrefix(step, "USE TEMP B-TREE FOR ORDER BY") })
	for _, step := range steps {
		if strings.Contains(query, "life < 4") && ofThePast.MatchString(step+" ") {
			return step
		}
		what, ok := strings.CutPrefix(step, "SCAN ")
		name, _, _ := strings.Cut(what, " ")
		_, index, _ := strings.Cut(what, "INDEX ")
		until := strings.Contains(query, " LIMIT ") && !sorts
		if ok && slices.Contains(growing, names[name]) && !until && !slices.Contains(open, index) {
			return step
		}
	}
	return ""
}
