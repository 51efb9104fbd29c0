package api_test

import (
	"encoding/base64"
	"fmt"
	"log/slog"
	"net"
	"regexp"
	"testing"

	"jiseki/internal/calendar"
	"jiseki/internal/gateway"
	"jiseki/internal/gateway/gatewaytest"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/gen/jiseki/control/v1/controlv1connect"
)

// hall is a town hall with the worker's things, which others try to get.
type hall struct {
	*gatewaytest.Town
	clock  *clock
	log    *logged
	office string // host of the office listener
	today  calendar.Date
	worker person
	chief  person
	desk   string // sleeps, can be woken
	open   string // is on
	wake   string
	notice string
	// session is one that the worker prepared and nobody has used up.
	session string
	day     calendar.Date // the last that was asked for
	count   int
}

// insideNetwork is where the office stands in this test.
const insideNetwork = "127.0.0.2"

func newHall(t *testing.T) *hall {
	t.Helper()
	h := &hall{clock: &clock{}, log: &logged{}}
	h.today = openAfter(calendar.DateOf(h.clock.Now()))
	h.clock.set(h.today.At(9 * 60))
	h.day = h.today
	h.Town = gatewaytest.Start(t, gatewaytest.WithNow(h.clock.Now), gatewaytest.WithWholeLog(slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug}))),
		gatewaytest.WithConfig(func(c *gateway.Config) { c.Office = gateway.OfficeConfig{Address: "127.0.0.1:0"} }),
		gatewaytest.WithReady(func(l gateway.Listening) {
			_, port, _ := net.SplitHostPort(l.Office.String())
			h.office = net.JoinHostPort("localhost", port)
		}))
	h.ChangeSettings(t, func(s *controlv1.Settings) { s.OfficeNetworks = []string{insideNetwork + "/32"} })
	h.people(t)
	h.things(t)
	return h
}

// people: 企画課 (chief, second, clerk, worker and others) and 税務課 (stranger).
func (h *hall) people(t *testing.T) {
	t.Helper()
	h.section(t, &controlv1.Section{SectionId: "kikaku", Name: "企画課"})
	h.section(t, &controlv1.Section{SectionId: "zeimu", Name: "税務課"})
	h.worker, h.chief = h.member(t, "worker", "kikaku"), h.member(t, "chief", "kikaku")
	h.member(t, "clerk", "kikaku")
	policy, done, err := gateway.OpenPolicy(t.Context(), h.Config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = done() }()
	_, err = policy.UpdateStaff(t.Context(), &controlv1.UpdateStaffRequest{Member: &controlv1.StaffMember{UserId: "clerk", Clerk: true}})
	if err != nil {
		t.Fatal(err)
	}
	h.member(t, "second", "kikaku")
	h.member(t, "stranger", "zeimu")
	h.section(t, &controlv1.Section{SectionId: "kikaku", Name: "企画課", HeadUserId: "chief", DeputyUserIds: []string{"second"}})
	h.section(t, &controlv1.Section{SectionId: "zeimu", Name: "税務課", HeadUserId: "stranger"})
	for _, name := range []string{"inside", "athome", "password", "gone"} {
		h.member(t, name, "kikaku")
	}
	for _, name := range []string{"boss", "bossout"} {
		h.member(t, name, "", controlv1.Role_ROLE_ADMIN)
	}
}

func (h *hall) section(t *testing.T, s *controlv1.Section) {
	t.Helper()
	if _, err := h.Admin.PutSection(t.Context(), &controlv1.PutSectionRequest{Section: s}); err != nil {
		t.Fatal(err)
	}
}

// member is somebody with a post and a device.
func (h *hall) member(t *testing.T, name, section string, more ...controlv1.Role) person {
	t.Helper()
	b := h.Staff(t, name, "名前 "+name)
	_, err := h.Admin.UpdateUser(t.Context(), &controlv1.UpdateUserRequest{
		UserId: name, Name: "名前 " + name, MainSectionId: section, Roles: append(more, controlv1.Role_ROLE_STAFF),
	})
	if err != nil {
		t.Fatal(err)
	}
	base := "https://" + h.Host
	return person{
		b, controlv1connect.NewTeleworkServiceClient(b.Client, base), controlv1connect.NewApprovalServiceClient(b.Client, base),
	}
}

// things are the worker's: a desk that sleeps, one that is on, a wake, a notice, a workday.
func (h *hall) things(t *testing.T) {
	t.Helper()
	machine := func(name string, n byte, users ...string) *gatewaytest.Agent {
		t.Helper()
		_, token := h.NewDesk(t, name, users...)
		a := h.EnrolAgent(t, token)
		a.Adapters = []*controlv1.Adapter{{
			Mac: []byte{0, 0x1b, 0x21, 0, 0, n}, Prefixes: []string{"192.168.10.21/24"}, WakeKnown: true, WakeAllowed: true,
		}}
		a.Connect(t)
		return a
	}
	asleep := machine("企画 1", 1, "worker")
	h.desk, h.open = asleep.Desk, machine("企画 2", 2, "worker").Desk
	asleep.Disconnect()
	asleep.AwaitState(t, controlv1.DeskState_DESK_STATE_OFF)
	ctx := t.Context()
	asked, err := h.worker.day.WakeDesk(ctx, &controlv1.WakeDeskRequest{DeskId: h.desk})
	if err != nil || asked.GetWake() == nil {
		t.Fatalf("wake: %v, %v", err, asked.GetRefusal())
	}
	h.wake = asked.GetWake().GetWakeId()
	_, err = h.worker.day.ReportWorkday(ctx, &controlv1.ReportWorkdayRequest{Kind: controlv1.SegmentKind_SEGMENT_KIND_WORK, Done: workDone})
	if err != nil {
		t.Fatal(err)
	}
	h.fresh(t, "request")
	if _, err := h.chief.approval.PutOrder(ctx, &controlv1.PutOrderRequest{
		Kind: controlv1.RequestKind_REQUEST_KIND_TELEWORK_ORDER, UserIds: []string{"worker"}, Draft: ill(h.next()),
	}); err != nil {
		t.Fatal(err)
	}
	notices, err := h.worker.day.ListNotices(ctx, &controlv1.ListNoticesRequest{})
	if err != nil || len(notices.GetNotices()) == 0 {
		t.Fatalf("the worker's notices: %v, %v", notices, err)
	}
	h.notice = notices.GetNotices()[0].GetNoticeId()
}

const workDone = "台帳の突合"

// next is an open day that nobody has asked for.
func (h *hall) next() calendar.Date {
	h.day = openAfter(h.day)
	return h.day
}

// absent enters that the chief is away today.
func (h *hall) absent(t *testing.T) {
	t.Helper()
	_, err := h.chief.approval.PutAbsence(t.Context(), &controlv1.PutAbsenceRequest{
		Absence: &controlv1.Absence{From: h.today.String(), Until: h.today.String()},
	})
	if err != nil {
		t.Fatal(err)
	}
}

var placeholder = regexp.MustCompile(`\$[a-z]+`)

// fill puts things into arguments; what an act could use up is new each time.
func (h *hall) fill(t *testing.T, body string) string {
	t.Helper()
	return placeholder.ReplaceAllStringFunc(body, func(name string) string { return h.fresh(t, name[1:]) })
}

func (h *hall) fresh(t *testing.T, name string) string {
	t.Helper()
	ctx := t.Context()
	h.count++
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	switch name {
	case "desk":
		return h.desk
	case "wake":
		return h.wake
	case "notice":
		return h.notice
	case "today":
		return h.today.String()
	case "month":
		return h.today.InMonth().String()
	case "year":
		return fmt.Sprint(h.today.FiscalYear())
	case "eight":
		return fmt.Sprint(h.today.At(8 * 60).UnixMilli())
	case "nine":
		return fmt.Sprint(h.today.At(9 * 60).UnixMilli())
	case "free":
		return h.next().String()
	case "request":
		r, err := h.worker.day.SubmitRequest(ctx, &controlv1.SubmitRequestRequest{Draft: ill(h.next())})
		must(err)
		if r.GetRequest() == nil {
			t.Fatal(r.GetRefusal())
		}
		return r.GetRequest().GetRequestId()
	case "device":
		code, err := h.Admin.CreateDeviceCode(ctx, &controlv1.CreateDeviceCodeRequest{UserId: "worker", DeviceKind: controlv1.DeviceKind_DEVICE_KIND_LENT, InventoryNumber: "R6-014"})
		must(err)
		b := h.NewBrowser(t)
		b.SignIn(t, "worker", gatewaytest.Password)
		b.Enrol(t, code.GetSlip().GetDeviceCode())
		_, err = b.Auth.SignOut(ctx, &controlv1.SignOutRequest{}) // a user has only so many sign-ins
		must(err)
		return b.Device
	case "session": // a user may prepare only so many in a minute
		if h.session != "" {
			return h.session
		}
		p := h.worker.Prepare(t, h.open)
		if p.GetPrepared() == nil {
			t.Fatal(p.GetRefusal())
		}
		h.session = base64.StdEncoding.EncodeToString(p.GetPrepared().GetSessionId())
		return h.session
	case "absence":
		day := h.today.Add(300).String()
		a, err := h.chief.approval.PutAbsence(ctx, &controlv1.PutAbsenceRequest{Absence: &controlv1.Absence{From: day, Until: day}})
		must(err)
		return a.GetAbsence().GetAbsenceId()
	case "check":
		c, err := h.worker.day.SaveSelfCheck(ctx, &controlv1.SaveSelfCheckRequest{
			Items: []*controlv1.SelfCheckItem{{Name: "clock", Outcome: "ok"}},
		})
		must(err)
		return c.GetCode()
	case "section":
		id := fmt.Sprintf("section-%d", h.count)
		h.section(t, &controlv1.Section{SectionId: id, Name: id})
		return id
	case "user":
		id := fmt.Sprintf("user-%d", h.count)
		h.NewUser(t, id, id)
		return id
	case "spare":
		id, _ := h.NewDesk(t, fmt.Sprintf("予備 %d", h.count))
		return id
	case "new":
		return fmt.Sprintf("new-%d", h.count)
	}
	t.Fatalf("unknown placeholder %s", name)
	return ""
}
