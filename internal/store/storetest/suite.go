package storetest

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"jiseki/internal/audit"
	"jiseki/internal/store"
)

// suite is one test's database and clock.
type suite struct {
	*testing.T
	s     *store.Store
	clock *Clock
	ctx   context.Context //nolint:containedctx // of the test
	seq   uint64          // of the last event that an agent reported by bringTo
}

// Run runs the suite, each test on a database of its own: a copy of one that newDSN names, with the town in it. copyDSN
// copies a closed database. Each open store is shown to opened before its test begins.
func Run(t *testing.T, newDSN func(testing.TB) string, copyDSN func(t testing.TB, dsn string) string, opened ...func(*store.Store)) {
	town := newDSN(t)
	t.Run("town", func(t *testing.T) { Town(t, Open(t, town, NewClock().Now)) })
	for name, test := range map[string]func(*suite){
		"organisation": organisation, "sections": sections, "users": users, "last administrator": lastAdministrator,
		"passwords": passwords, "second factor": secondFactor, "sign-ins": signIns, "many sign-ins": manySignIns, "overtaken sign-ins": overtakenSignIns,
		"throttle": throttle, "sparing throttle": sparing, "attempts at once": attemptsAtOnce,
		"nonces": nonces, "device codes": deviceCodes, "inventory": inventory, "revoked device": revokedDevice, "desks": desks, "late acts": lateActs, "desk tokens": deskTokens,
		"register": registerOfDevices, "desk moves": deskMoves, "register that differs": registerThatDiffers,
		"desk epochs": deskEpochs, "session life": sessionLife, "lives and movers": livesAndMovers, "foreign reports": foreignReports, "opens in time": opensInTime,
		"grant once": grantOnce, "grant after taking away": grantAfterTakingAway, "take-over": takeOver, "session limit": sessionLimit, "seats apart": seatsApart,
		"policy": policy, "holidays": holidays, "hours": hours, "standing": standing, "registrations": registrations, "staff": staff,
		"agent events once": agentEventsOnce, "stale sessions": staleSessions, "pages": pages, "event of every act": eventOfEveryAct,
		"acts at once": actsAtOnce, "clock backwards": clockBackwards, "clock ahead": clockAhead, "tidy": tidy,
		"tidy by a wrong clock": tidyByAWrongClock,
		"machines":              machines, "wakes": wakes, "wakes planned": wakesPlanned, "power asks": powerAsks, "lost device": lostDevice, "self checks": selfChecks,
		"requests": requests, "request returned": requestReturned, "request replaced": requestReplaced, "request rights": requestRights,
		"requests at once": requestsAtOnce, "deputies": deputies,
		"absences by others": absencesByOthers, "absence acts": absenceActsOfADay, "orders": orders, "routes": routes, "request lists": requestLists, "authority": authority,
		"notices": notices, "notices once": noticesOnce,
		"workdays": workdays, "workday over midnight": workdayOverMidnight, "workday with a forgotten end": workdayForgottenEnd,
		"workday and the clock": workdayClock, "workday beside connections": workdayConnections, "months": months, "segments at once": segmentsAtOnce, "reminders": reminders,
		"mail digest": mailDigest, "mail digest at once": mailDigestAtOnce, "outbox": outbox, "mail given up": mailGivenUp, "mails at once": mailsAtOnce, "mails and the clock": mailsAndTheClock,
	} {
		t.Run(name, func(t *testing.T) {
			clock := NewClock()
			s := Open(t, copyDSN(t, town), clock.Now)
			for _, show := range opened {
				show(s)
			}
			test(&suite{T: t, s: s, clock: clock, ctx: t.Context()})
			report, err := s.VerifyEvents(t.Context(), audit.Against{})
			if err != nil || report.Problem != nil {
				t.Errorf("chain after the test: %v, %v", report.Problem, err)
			}
		})
	}
}

func (t *suite) ok(err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (t *suite) fails(err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got %v, want %v", err, want)
	}
}

func (t *suite) equal(got, want any, opts ...cmp.Option) {
	t.Helper()
	if d := cmp.Diff(want, got, append(opts, cmpopts.EquateEmpty())...); d != "" {
		t.Fatalf("(-want +got)\n%s", d)
	}
}
