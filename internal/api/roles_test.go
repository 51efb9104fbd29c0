package api_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"jiseki/internal/gateway/gatewaytest"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
)

// roles are the columns of the table below. Those at the office come through the office listener, which knows the
// console; the others through the public one.
var roles = []role{
	{letter: 'N', name: "nobody", office: true},
	{letter: 'I', name: "staff inside the office, by password", user: "inside", office: true},
	{letter: 'H', name: "staff at home, on a device", user: "athome", device: true},
	{letter: 'P', name: "staff at home, by password", user: "password"},
	{letter: 'A', name: "approver of the section", user: "chief", office: true},
	{letter: 'C', name: "clerk of the section", user: "clerk", office: true},
	{letter: 'X', name: "approver of another section", user: "stranger", office: true},
	{letter: 'B', name: "administrator at the office", user: "boss", office: true},
	{letter: 'O', name: "administrator from outside, on a device", user: "bossout", device: true},
	{letter: 'G', name: "agent, or another program", agent: true},
	{letter: 'D', name: "disabled user, signed in before", user: "gone", device: true},
	{letter: 'S', name: "deputy, the head is present", user: "second", office: true},
	{letter: 'T', name: "deputy, the head is absent", user: "second", office: true, headAbsent: true},
}

type role struct {
	letter                            byte
	name, user                        string
	office, device, agent, headAbsent bool
}

// whoMay says what becomes of each method when each role calls it, one letter a role:
//
//	y  it is done, or answered
//	o  let in, but refused for what was asked: the arguments, or the state of things
//	n  refused to this role
//	h  hidden, as if what it names were not there
//	s  sign in first
//	-  not behind this door
//
// The arguments name somebody else's things wherever they can: $desk, $session, $wake, $device, $request, $notice and
// $check are the worker's, a member of 企画課; $absence is the chief's. Lists are about the caller: what they must not
// show is in the test.
var whoMay = []struct{ want, method, body string }{
	// NIHPACXBOGDST
	{"yyyyyyyyyyyyy", "Auth/GetChallenge", `{}`},
	{"ooooooooooooo", "Auth/SignIn", `{"userId":"worker","password":"wrong"}`},
	{"syyyyyyyyssyy", "Auth/GetMe", `{}`},
	{"soonooooossoo", "Auth/ChangePassword", `{"oldPassword":"wrong","newPassword":"Kumquat-8-lantern-drift"}`},
	{"soooooooossoo", "Auth/EnrolDevice", `{"oneTimeCode":"wrong"}`},
	{"soooooooossoo", "Auth/RenewDeviceCertificate", `{"device":{"deviceId":"$device"}}`},
	{"soonooooossoo", "Auth/BeginTOTP", `{"password":"wrong"}`},
	{"soonooooossoo", "Auth/ConfirmTOTP", `{"totp":"123456"}`},
	{"soonooooossoo", "Auth/DisableTOTP", `{"password":"wrong"}`},

	//  NIHPACXBOGDST
	{"syynyyyyyssyy", "Desk/ListDesks", `{}`},
	{"snnnnnnnnssnn", "Desk/PrepareSession", `{"deskId":"$desk"}`},
	{"snonnnnnossnn", "Desk/OpenSession", `{"sessionId":"$session"}`},
	{"snhnnnnnhssnn", "Desk/EndSession", `{"sessionId":"$session"}`},
	{"syynyyyyyssyy", "Desk/ListMySessions", `{}`},

	//  NIHPACXBOGDST
	{"nnnnnnnnnynnn", "Agent/GetAgentChallenge", `{}`},
	{"nnnnnnnnnonnn", "Agent/EnrolDesk", `{"secret":"AAAA"}`},
	{"nnnnnnnnnonnn", "Agent/RenewDeskCertificate", `{"deskId":"$desk"}`},

	//  NIHPACXBOGDST
	{"syynyyyyyssyy", "Telework/GetToday", `{}`},
	{"snnnyynnnssny", "Telework/GetCalendar", `{"from":"$today","until":"$today","userId":"worker"}`},
	{"snnnyynnnssny", "Telework/CheckRequest", `{"userId":"worker","draft":{"days":[{"date":"$free","unit":"DAY_UNIT_FULL"}],"place":"PLACE_HOME","reason":"REQUEST_REASON_WORK"}}`},
	{"snnnyynnnssny", "Telework/SubmitRequest", `{"userId":"worker","draft":{"days":[{"date":"$free","unit":"DAY_UNIT_FULL"}],"place":"PLACE_HOME","reason":"REQUEST_REASON_WORK"}}`},
	{"syynyyyyyssyy", "Telework/ListMyRequests", `{}`},
	{"shhnyyhyhssyy", "Telework/GetRequest", `{"requestId":"$request"}`},
	{"snnnyynnnssny", "Telework/WithdrawRequest", `{"requestId":"$request"}`},
	{"syynyyyyyssyy", "Telework/ReportWorkday", `{"kind":"SEGMENT_KIND_WORK"}`},
	{"syynyyyyyssyy", "Telework/SaveDone", `{"date":"$today","done":"$new"}`},
	{"syynyyyyyssyy", "Telework/CorrectWorkday", `{"date":"$today","reason":"打ち間違い","segments":[{"kind":"SEGMENT_KIND_WORK","fromMs":"$eight","untilMs":"$nine"}]}`},
	{"snnnyynnnssny", "Telework/GetWorkday", `{"date":"$today","userId":"worker"}`},
	{"snnnyynnnssny", "Telework/GetMonth", `{"month":"$month","userId":"worker"}`},
	{"snnnyynnnssny", "Telework/ExportMonths", `{"month":"$month","userIds":["worker"]}`},
	{"snnnynnynssny", "Telework/WakeDesk", `{"deskId":"$desk"}`},
	{"snnnynnynssny", "Telework/GetWake", `{"wakeId":"$wake"}`},
	{"snnnynnonssno", "Telework/AskPowerOn", `{"deskId":"$desk"}`},
	{"syynyyyyyssyy", "Telework/ListNotices", `{}`},
	{"syynyyyyyssyy", "Telework/ReadNotices", `{"noticeIds":["$notice"]}`},
	{"snnnynnynssny", "Telework/ListMyDevices", `{"userId":"worker"}`},
	{"snnnynnynssny", "Telework/ReportLost", `{"deviceId":"$device"}`},
	{"syynyyyyyssyy", "Telework/GetSelfCheck", `{}`},
	{"syynyyyyyssyy", "Telework/SaveSelfCheck", `{"items":[{"name":"clock","outcome":"ok"}]}`},

	//  NIHPACXBOGDST
	{"syynyyyyyssyy", "Approval/ListInbox", `{}`},
	{"snnnynnnnssny", "Approval/DecideRequests", `{"decisions":[{"requestId":"$request","revision":1}],"answer":"ANSWER_APPROVE"}`},
	{"syynyyyyyssyy", "Approval/ListReviews", `{}`},
	{"syynyyyyyssyy", "Approval/ConfirmReviews", `{"requestIds":["$request"]}`},
	{"syynyyyyyssyy", "Approval/GetBoard", `{}`},
	{"syynyyyyyssyy", "Approval/GetWeek", `{}`},
	{"snnnynnnnssny", "Approval/PutOrder", `{"kind":"REQUEST_KIND_OVERTIME_ORDER","userIds":["worker"],"draft":{"days":[{"date":"$free","unit":"DAY_UNIT_HOURS","fromMinute":1100,"untilMinute":1200}],"place":"PLACE_HOME"}}`},
	{"syynyyyyyssyy", "Approval/ListMonths", `{"month":"$month"}`},
	{"snnnonnnnssno", "Approval/ConfirmMonths", `{"month":"$month","userIds":["worker"]}`},
	{"syynyyyyyssyy", "Approval/ListAbsences", `{}`},
	{"snnnynnynssyy", "Approval/PutAbsence", `{"absence":{"userId":"chief","from":"$free","until":"$free"}}`},
	{"snnnynnynssyy", "Approval/DeleteAbsence", `{"absenceId":"$absence"}`},
	{"syynyyyyyssyy", "Approval/ListMembers", `{}`},
	{"syynyyyyyssyy", "Approval/ListPowerOn", `{}`},

	//  NIHPACXBOGDST
	{"sn--nnny---nn", "Policy/GetPolicy", `{}`},
	{"sn--nnno---nn", "Policy/UpdatePolicy", `{}`},
	{"sn--nnny---nn", "Policy/Why", `{"userId":"worker","deskId":"$desk","place":"PLACE_HOME"}`},
	{"sn--nnny---nn", "Policy/ListHolidays", `{"fiscalYear":$year}`},
	{"sn--nnno---nn", "Policy/ImportHolidays", `{}`},
	{"sn--nnny---nn", "Policy/PutHoliday", `{"holiday":{"date":"2099-01-04","name":"町民の日"}}`},
	{"sn--nnnh---nn", "Policy/DeleteHoliday", `{"date":"2099-01-05"}`},
	{"sn--nnny---nn", "Policy/ListStaff", `{}`},
	{"sn--nnny---nn", "Policy/UpdateStaff", `{"member":{"userId":"$user"}}`},
	{"sn--nnny---nn", "Policy/RenewRegistrations", `{"userIds":["$user"],"fiscalYear":$year}`},
	{"sn--nnny---nn", "Policy/GetRoutes", `{}`},
	{"sn--nnny---nn", "Policy/PutRoute", `{"route":{"sectionId":"$section"}}`},
	{"sn--nnny---nn", "Policy/ListSegments", `{}`},
	{"sn--nnny---nn", "Policy/WakeDesks", `{"deskIds":["$desk"]}`},
	{"sn--nnny---nn", "Policy/ListWakes", `{}`},
	{"sn--nnny---nn", "Policy/ListMails", `{}`},
	{"sn--nnny---nn", "Policy/RetryMails", `{}`},
	{"sn--nnny---nn", "Policy/FindSelfCheck", `{"code":"$check"}`},

	//  NIHPACXBOGDST
	{"sn--nnny---nn", "Admin/ListSections", `{}`},
	{"sn--nnny---nn", "Admin/PutSection", `{"section":{"sectionId":"$new","name":"新設課"}}`},
	{"sn--nnny---nn", "Admin/DeleteSection", `{"sectionId":"$section"}`},
	{"sn--nnny---nn", "Admin/ListUsers", `{}`},
	{"sn--nnny---nn", "Admin/CreateUsers", `{"users":[{"userId":"$new","name":"新人","roles":["ROLE_STAFF"],"deviceKind":"DEVICE_KIND_LENT","inventoryNumber":"R6-014"}]}`},
	{"sn--nnny---nn", "Admin/UpdateUser", `{"userId":"$user","name":"改名","roles":["ROLE_STAFF"]}`},
	{"sn--nnny---nn", "Admin/ResetPassword", `{"userId":"$user"}`},
	{"sn--nnny---nn", "Admin/SetUserDisabled", `{"userId":"$user","disabled":true}`},
	{"sn--nnny---nn", "Admin/UnlockUser", `{"userId":"$user"}`},
	{"sn--nnny---nn", "Admin/ResetTOTP", `{"userId":"$user"}`},
	{"sn--nnny---nn", "Admin/CreateDeviceCode", `{"userId":"$user","deviceKind":"DEVICE_KIND_LENT","inventoryNumber":"R6-014"}`},
	{"sn--nnny---nn", "Admin/ListDevices", `{}`},
	{"sn--nnny---nn", "Admin/RevokeDevice", `{"deviceId":"$device","reason":"紛失"}`},
	{"sn--nnny---nn", "Admin/ListAllDesks", `{}`},
	{"sn--nnny---nn", "Admin/PutDesk", `{"name":"予備","zone":"ZONE_INTERNET"}`},
	{"sn--nnny---nn", "Admin/DeleteDesk", `{"deskId":"$spare"}`},
	{"sn--nnny---nn", "Admin/CreateDeskToken", `{"deskId":"$spare"}`},
	{"sn--nnno---nn", "Admin/LockDesk", `{"deskId":"$desk"}`},
	{"sn--nnny---nn", "Admin/ListSessions", `{}`},
	{"sn--nnny---nn", "Admin/EndAnySession", `{"sessionId":"$session","reason":"点検"}`},
	{"sn--nnny---nn", "Admin/ListEvents", `{}`},
	{"sn--nnny---nn", "Admin/VerifyEvents", `{}`},
	{"sn--nnny---nn", "Admin/GetSettings", `{}`},
	{"sn--nnno---nn", "Admin/UpdateSettings", `{}`},

	{"syyyyyyyyssyy", "Auth/SignOut", `{}`},
}

// mayRead says which roles, by their letters, may find which texts in answers.
var mayRead = map[string]string{
	"腰痛のため":  "AT", // why the worker asks for telework: approvers only
	"実家":     "AT", // and where exactly
	workDone: "ACT",
}

// hidesWorker are lists about the people of somebody who heads or helps a section: others do not find the worker there.
var hidesWorker = []string{
	"Approval/ListInbox", "Approval/ListReviews", "Approval/GetBoard", "Approval/ListMonths", "Approval/ListMembers", "Approval/ListPowerOn",
	"Telework/ListMyRequests", "Telework/ListNotices", "Telework/GetToday", "Desk/ListMySessions", "Desk/ListDesks",
}

func TestEveryMethodByEveryRole(t *testing.T) {
	h := newHall(t)
	got := make([][]byte, len(whoMay))
	for _, r := range roles {
		if r.headAbsent {
			h.absent(t)
		}
		who := h.enter(t, r)
		for i, row := range whoMay {
			letter, answer := who.call(t, row.method, h.fill(t, row.body))
			got[i] = append(got[i], letter)
			if letter == 'y' || letter == 'o' {
				h.session = "" // it may be used up
			}
			for secret, readers := range mayRead {
				if strings.Contains(answer, secret) && !strings.ContainsRune(readers, rune(r.letter)) {
					t.Errorf("%s: %s reads %q", row.method, r.name, secret)
				}
			}
			if slices.Contains(hidesWorker, row.method) && strings.ContainsRune("IHX", rune(r.letter)) && strings.Contains(answer, "worker") {
				t.Errorf("%s shows %s the worker: %s", row.method, r.name, answer)
			}
		}
	}
	for i, row := range whoMay {
		if string(got[i]) != row.want {
			t.Errorf("%s: got %s, want %s", row.method, got[i], row.want)
		}
	}
	h.untouched(t)
	h.log.silent(t)
}

// logged keeps what the gateway writes to its log.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

// silent: no secret is in the log, at the most talkative level.
func (l *logged) silent(t *testing.T) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if !strings.Contains(l.text.String(), "WithdrawRequest") {
		t.Error("the log does not tell of the calls")
	}
	for secret := range mayRead {
		if strings.Contains(l.text.String(), secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
}

// untouched: what others were let do without effect had none.
func (h *hall) untouched(t *testing.T) {
	t.Helper()
	r, err := h.worker.day.ListNotices(t.Context(), &controlv1.ListNoticesRequest{Page: &controlv1.Page{Limit: 500}})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range r.GetNotices() {
		if n.GetReadMs() != 0 {
			t.Errorf("somebody else read a notice of the worker's: %v", n)
		}
	}
	day, err := h.worker.day.GetWorkday(t.Context(), &controlv1.GetWorkdayRequest{})
	if err != nil || day.GetWorkday().GetDone() != workDone || len(day.GetWorkday().GetCorrections()) > 0 {
		t.Errorf("somebody else changed the worker's day: %v, %v", day, err)
	}
}

// TestEveryMethodHasARow walks all services of the contract.
func TestEveryMethodHasARow(t *testing.T) {
	missing := methods()
	for _, row := range whoMay {
		if missing[row.method] == nil {
			t.Errorf("%s is no method, or has two rows", row.method)
		}
		if len(row.want) != len(roles) {
			t.Errorf("%s: %d letters for %d roles", row.method, len(row.want), len(roles))
		}
		delete(missing, row.method)
	}
	for method := range missing {
		t.Errorf("%s has no row: say who may call it", method)
	}
}

// visitor is somebody of a role at a browser, or an agent.
type visitor struct {
	role
	client *http.Client
	host   string
}

// enter signs somebody in as the role says.
func (h *hall) enter(t *testing.T, r role) *visitor {
	t.Helper()
	b := h.NewBrowser(t)
	if r.office {
		from := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(insideNetwork)}}
		b.Client.Transport.(*http.Transport).DialContext = func(ctx context.Context, _, address string) (net.Conn, error) {
			return from.DialContext(ctx, "tcp4", address)
		}
	}
	v := &visitor{role: r, client: b.Client, host: h.Host}
	if r.office {
		v.host = h.office
	}
	if r.user == "" {
		return v
	}
	b.SignIn(t, r.user, gatewaytest.Password)
	if r.device {
		code, err := h.Admin.CreateDeviceCode(t.Context(), &controlv1.CreateDeviceCodeRequest{
			UserId: r.user, DeviceKind: controlv1.DeviceKind_DEVICE_KIND_LENT, InventoryNumber: "R6-015",
		})
		if err != nil {
			t.Fatal(err)
		}
		b.Enrol(t, code.GetSlip().GetDeviceCode())
		b.SignIn(t, r.user, gatewaytest.Password)
	}
	if r.user == "gone" {
		if _, err := h.Admin.SetUserDisabled(t.Context(), &controlv1.SetUserDisabledRequest{UserId: "gone", Disabled: true}); err != nil {
			t.Fatal(err)
		}
	}
	return v
}

// call is one call as a page would make it, or an agent: what became of it, and the answer as text.
func (v *visitor) call(t *testing.T, method, body string) (letter byte, answer string) {
	t.Helper()
	service, name, _ := strings.Cut(method, "/")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+v.host+"/jiseki.control.v1."+service+"Service/"+name, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "agent")
	if !v.agent {
		r.Header.Set("User-Agent", "Mozilla/5.0")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	got, err := v.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	if got.Header.Get("Content-Type") != "application/json" {
		if got.StatusCode != http.StatusNotFound {
			t.Errorf("%s by %s: status %d, %s", method, v.name, got.StatusCode, text)
		}
		return '-', ""
	}
	var file struct{ CSV []byte }
	_ = json.Unmarshal(text, &file) // most answers hold none
	return outcome(t, got.StatusCode, text), string(text) + string(file.CSV)
}

// outcome is the letter of an answer.
func outcome(t *testing.T, status int, text []byte) byte {
	t.Helper()
	type refusal struct {
		Reasons []struct{ Code string }
	}
	var a struct {
		Message  string
		Refusal  *refusal
		Refusals []struct{ Refusal *refusal }
		Results  []struct{ Refusal *refusal }
	}
	if err := json.Unmarshal(text, &a); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	code := a.Message
	for _, one := range append(a.Results, a.Refusals...) {
		if one.Refusal != nil {
			a.Refusal = one.Refusal
		}
	}
	if a.Refusal != nil {
		code = "other"
		if len(a.Refusal.Reasons) > 0 {
			code = a.Refusal.Reasons[0].Code
		}
	}
	switch {
	case status == http.StatusInternalServerError:
		t.Errorf("a call failed: %s", text)
		return '!'
	case status == http.StatusUnauthorized:
		return 's'
	case status == http.StatusForbidden, slices.Contains([]string{"not_yours", "not_approver", "not_allowed", "desk_not_yours"}, code):
		return 'n'
	case code == "not_found":
		return 'h'
	case code != "":
		return 'o'
	}
	return 'y'
}
