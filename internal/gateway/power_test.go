package gateway_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"jiseki/internal/calendar"
	"jiseki/internal/cert"
	"jiseki/internal/gateway"
	"jiseki/internal/gateway/gatewaytest"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/gen/jiseki/control/v1/controlv1connect"
)

// machine is an agent with one adapter in a network.
func machine(t *testing.T, town *gatewaytest.Town, name, prefix string, n byte, users ...string) *gatewaytest.Agent {
	t.Helper()
	_, token := town.NewDesk(t, name, users...)
	a := town.EnrolAgent(t, token)
	a.Adapters = []*controlv1.Adapter{{Mac: []byte{0, 0x1b, 0x21, 0, 0, n}, Prefixes: []string{prefix}, WakeKnown: true, WakeAllowed: true}}
	a.Connect(t)
	return a
}

// sleeps ends an agent's connection and waits until the console shows it.
func sleeps(t *testing.T, a *gatewaytest.Agent) {
	t.Helper()
	a.Disconnect()
	a.AwaitState(t, controlv1.DeskState_DESK_STATE_OFF)
}

// ordered waits for the next wake order of an agent.
func ordered(t *testing.T, a *gatewaytest.Agent) *controlv1.WakeOrder {
	t.Helper()
	for {
		select {
		case o := <-a.Orders():
			if o.GetWake() != nil {
				return o.GetWake()
			}
		case <-t.Context().Done():
			t.Fatal("no wake order came")
		}
	}
}

// TestWaking: who may wake what, and the way of an order from the button to the agent and back.
func TestWaking(t *testing.T) {
	town := gatewaytest.Start(t)
	chief, worker, other := section(t, town)
	desk := machine(t, town, "税務課 1", "192.168.10.21/24", 1, "suzuki")
	waker := machine(t, town, "受付 1", "192.168.10.22/24", 2)
	sleeps(t, desk)

	for name, call := range map[string]func() error{
		"wake": func() error {
			_, err := other.WakeDesk(t.Context(), &controlv1.WakeDeskRequest{DeskId: desk.Desk})
			return err
		},
		"look": func() error {
			_, err := other.GetWake(t.Context(), &controlv1.GetWakeRequest{DeskId: desk.Desk})
			return err
		},
		"ask colleagues": func() error {
			_, err := other.AskPowerOn(t.Context(), &controlv1.AskPowerOnRequest{DeskId: desk.Desk})
			return err
		},
		"wake what is not there": func() error {
			_, err := other.WakeDesk(t.Context(), &controlv1.WakeDeskRequest{DeskId: "nothing"})
			return err
		},
	} {
		if got := codeOf(t, call()); got != "desk_not_yours" {
			t.Errorf("%s: %s", name, got)
		}
	}

	for _, who := range []member{worker, chief} {
		asked, err := who.WakeDesk(t.Context(), &controlv1.WakeDeskRequest{DeskId: desk.Desk})
		if err != nil || asked.GetWake() == nil {
			t.Fatalf("%v, %v", err, asked.GetRefusal())
		}
		o := ordered(t, waker)
		if !bytes.Equal(o.GetMacs()[0], desk.Adapters[0].GetMac()) || !slices.Equal(o.GetNetworks(), []string{"192.168.10.0/24"}) {
			t.Errorf("the order is %v", o)
		}
		desk.Connect(t)
		for {
			r, err := who.GetWake(t.Context(), &controlv1.GetWakeRequest{WakeId: asked.GetWake().GetWakeId()})
			if err != nil {
				t.Fatal(err)
			}
			if r.GetWake().GetState() == controlv1.WakeState_WAKE_STATE_ON && r.GetWake().GetWakerName() == "受付 1" {
				break
			}
			time.Sleep(5 * time.Millisecond) // between two looks
		}
		sleeps(t, desk)
	}

	policy, done, err := gateway.OpenPolicy(t.Context(), town.Config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = done() }()
	segments, err := policy.ListSegments(t.Context(), &controlv1.ListSegmentsRequest{})
	if err != nil || len(segments.GetSegments()) != 1 {
		t.Fatalf("%v, %v", segments, err)
	}
	if s := segments.GetSegments()[0]; fmt.Sprintf("%s %d %d %s", s.GetPrefix(), s.GetDesks(), s.GetDesksOn(), s.GetWarning().GetCode()) != "192.168.10.0/24 2 1 segment_no_always_on" {
		t.Errorf("segment %v", s)
	}
	bulk, err := policy.WakeDesks(t.Context(), &controlv1.WakeDesksRequest{DeskIds: []string{desk.Desk, waker.Desk}})
	if err != nil || len(bulk.GetWakes()) != 2 || bulk.GetWakes()[1].GetState() != controlv1.WakeState_WAKE_STATE_ON {
		t.Fatalf("%v, %v", bulk, err)
	}
	ordered(t, waker)
	desk.Connect(t)
	all, err := policy.ListWakes(t.Context(), &controlv1.ListWakesRequest{})
	if err != nil || len(all.GetWakes()) != 3 || all.GetWakes()[1].GetByName() != "佐藤 次郎" {
		t.Errorf("%v, %v", all, err)
	}
	sleeps(t, desk)
	sleeps(t, waker)
	no, err := worker.WakeDesk(t.Context(), &controlv1.WakeDeskRequest{DeskId: desk.Desk})
	if err != nil || codes(no.GetRefusal()) != "wake_no_waker" {
		t.Errorf("%v, %v", no, err)
	}
}

// TestAskingColleagues: those in the hall are told, once in ten minutes.
func TestAskingColleagues(t *testing.T) {
	town := gatewaytest.Start(t)
	chief, worker, _ := section(t, town)
	desk, _ := town.NewDesk(t, "税務課 1", "suzuki")
	told, err := worker.AskPowerOn(t.Context(), &controlv1.AskPowerOnRequest{DeskId: desk})
	if err != nil || told.GetTold() != 1 {
		t.Fatalf("%v, %v", told, err)
	}
	notices, err := chief.ListNotices(t.Context(), &controlv1.ListNoticesRequest{})
	if err != nil || len(notices.GetNotices()) != 1 || notices.GetNotices()[0].GetKind() != "power_on_asked" {
		t.Errorf("%v, %v", notices, err)
	}
	if _, err := worker.AskPowerOn(t.Context(), &controlv1.AskPowerOnRequest{DeskId: desk}); codeOf(t, err) != "power_asked_lately" {
		t.Errorf("again: %v", err)
	}
}

// TestPowerOnList: today's list for the chief, not for others.
func TestPowerOnList(t *testing.T) {
	town := gatewaytest.Start(t)
	chief, worker, other := section(t, town)
	machine(t, town, "税務課 1", "192.168.10.21/24", 1, "suzuki")
	date := calendar.DateOf(time.Now()).Add(1)
	for !(calendar.Days{}).Open(date) {
		date = date.Add(1)
	}
	given, err := chief.approvals.PutOrder(t.Context(), &controlv1.PutOrderRequest{
		Kind: controlv1.RequestKind_REQUEST_KIND_TELEWORK_ORDER, UserIds: []string{"suzuki"}, Draft: &controlv1.Draft{
			Days:  []*controlv1.RequestDay{{Date: date.String(), Unit: controlv1.DayUnit_DAY_UNIT_HOURS, FromMinute: 540, UntilMinute: 1020}},
			Place: controlv1.Place_PLACE_HOME, Work: "議案の作成",
		},
	})
	if err != nil {
		t.Fatalf("%v, %v", given, err)
	}
	list, err := chief.approvals.ListPowerOn(t.Context(), &controlv1.ListPowerOnRequest{Date: date.String()})
	if err != nil || len(list.GetRows()) != 1 {
		t.Fatalf("%v, %v", list, err)
	}
	row := list.GetRows()[0]
	got := fmt.Sprint(row.GetUserName(), row.GetSectionName(), row.GetDeskName(), row.GetDay().GetFromMinute(), row.GetDay().GetUntilMinute(), row.GetState(), row.GetWakeable())
	if got != "鈴木 一郎税務課税務課 1540 1020 DESK_STATE_ON false" {
		t.Errorf("row %s", got)
	}
	for _, who := range []member{worker, other} {
		list, err := who.approvals.ListPowerOn(t.Context(), &controlv1.ListPowerOnRequest{Date: date.String()})
		if err != nil || len(list.GetRows()) != 0 {
			t.Errorf("%s sees %v, %v", who.User, list, err)
		}
	}
}

// TestLostDevice: the report revokes at once and ends the session, by its user and by the superior, and by nobody else.
func TestLostDevice(t *testing.T) {
	town := gatewaytest.Start(t)
	chief, worker, other := section(t, town)
	agent := town.NewAgent(t, "税務課 1", "suzuki")
	opened, g := worker.Browser.Connect(t, agent.Desk, cert.NoiseKey{1})
	if opened == nil {
		t.Fatal("no session")
	}
	agent.Report(t, g.Session[:], controlv1.SessionEventKind_SESSION_EVENT_KIND_OPENED, 0)
	if _, err := other.ReportLost(t.Context(), &controlv1.ReportLostRequest{DeviceId: worker.Device}); codeOf(t, err) != "not_allowed" {
		t.Errorf("by somebody else: %v", err)
	}
	if _, err := other.ListMyDevices(t.Context(), &controlv1.ListMyDevicesRequest{UserId: "suzuki"}); codeOf(t, err) != "not_allowed" {
		t.Errorf("devices of somebody else: %v", err)
	}
	if _, err := other.ReportLost(t.Context(), &controlv1.ReportLostRequest{DeviceId: "nothing"}); codeOf(t, err) != "not_allowed" {
		t.Errorf("a device that is none: %v", err)
	}
	mine, err := worker.ListMyDevices(t.Context(), &controlv1.ListMyDevicesRequest{})
	if err != nil || len(mine.GetDevices()) != 1 || !mine.GetDevices()[0].GetCurrent() {
		t.Fatalf("%v, %v", mine, err)
	}
	theirs, err := chief.ListMyDevices(t.Context(), &controlv1.ListMyDevicesRequest{UserId: "suzuki"})
	if err != nil || len(theirs.GetDevices()) != 1 || theirs.GetDevices()[0].GetCurrent() {
		t.Fatalf("%v, %v", theirs, err)
	}
	r, err := chief.ReportLost(t.Context(), &controlv1.ReportLostRequest{DeviceId: worker.Device, Circumstances: "電車の網棚に\n置き忘れた。"})
	if err != nil {
		t.Fatal(err)
	}
	if r.GetEndedSessions() != 1 || len(r.GetSessions()) != 1 {
		t.Errorf("ended %d of %v", r.GetEndedSessions(), r.GetSessions())
	}
	for _, want := range []string{
		"情報セキュリティ事故報告書（案）", "作成日　　" + calendar.Wareki(calendar.DateOf(time.Now())), "所属　　　税務課", "氏名　　　鈴木 一郎",
		"届出者　　佐藤 次郎", "貸与ノート（貸与端末）", "　　電車の網棚に\n　　置き忘れた。", "実行中の接続1件を終了し", "自席端末「税務課 1」",
	} {
		if !strings.Contains(r.GetDraft(), want) {
			t.Errorf("the draft lacks %q:\n%s", want, r.GetDraft())
		}
	}
	if _, err := worker.ListMyDevices(t.Context(), &controlv1.ListMyDevicesRequest{}); codeOf(t, err) != "not_signed_in" {
		t.Errorf("the sign-in of the lost device goes on: %v", err)
	}
	again, err := worker.TrySignIn(t, "suzuki", gatewaytest.Password)
	if err == nil && again.GetMe() != nil {
		t.Error("the lost device signs in again")
	}
	for o := range agent.Orders() {
		if o.GetRevokeDevice().GetDeviceId() == worker.Device {
			break
		}
	}
}

func TestSelfCheck(t *testing.T) {
	town := gatewaytest.Start(t)
	_, worker, other := section(t, town)
	desk := machine(t, town, "税務課 1", "192.168.10.21/24", 1, "suzuki")
	machine(t, town, "税務課 2", "192.168.10.22/24", 2, "tanaka")
	check, err := worker.GetSelfCheck(t.Context(), &controlv1.GetSelfCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if check.GetAddress() != "127.0.0.1" || check.GetProxied() || check.GetCertificateUntilMs() == 0 || !check.GetPersistentStorage() || check.GetOutsideMs() != 0 {
		t.Errorf("got %v", check)
	}
	if check.GetRttUs() == 0 || check.GetSentSegments() == 0 || check.GetCongestionControl() == "" {
		t.Errorf("of the line the gateway knows %v", check)
	}
	if len(check.GetDesks()) != 1 || !check.GetDesks()[0].GetWakeable() || !check.GetDesks()[0].GetMayOpen() || check.GetDesks()[0].GetDeskId() != desk.Desk {
		t.Errorf("desks %v", check.GetDesks())
	}

	answer, body := probe(t, worker.Browser, http.MethodPost, "https://"+town.Host+controlv1connect.TeleworkServiceGetSelfCheckProcedure, []byte("{}"),
		"Content-Type", "application/json", "Via", "1.1 proxy.example.lg.jp")
	var behind struct{ Proxied bool }
	if err := json.Unmarshal(body, &behind); err != nil || answer.StatusCode != http.StatusOK || !behind.Proxied {
		t.Errorf("behind a proxy: %s %s, %v", answer.Status, body, err)
	}

	saved, err := worker.SaveSelfCheck(t.Context(), &controlv1.SaveSelfCheckRequest{Items: []*controlv1.SelfCheckItem{
		{Name: "clock", Outcome: "ok", Value: "+0.1 s"}, {Name: "throughput", Outcome: "warn", Value: "1.2 Mbit/s"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for name, items := range map[string][]*controlv1.SelfCheckItem{
		"nothing": nil, "an outcome that is none": {{Name: "clock", Outcome: "great"}}, "no name": {{Outcome: "ok"}},
		"a novel": {{Name: "clock", Outcome: "ok", Value: strings.Repeat("あ", 201)}}, "too many": make([]*controlv1.SelfCheckItem, 51),
	} {
		if _, err := other.SaveSelfCheck(t.Context(), &controlv1.SaveSelfCheckRequest{Items: items}); codeOf(t, err) != "invalid" {
			t.Errorf("%s: %v", name, err)
		}
	}
	policy, done, err := gateway.OpenPolicy(t.Context(), town.Config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = done() }()
	found, err := policy.FindSelfCheck(t.Context(), &controlv1.FindSelfCheckRequest{Code: strings.ToLower(strings.ReplaceAll(saved.GetCode(), "-", " "))})
	if err != nil || found.GetUserName() != "鈴木 一郎" || len(found.GetItems()) != 2 || found.GetItems()[1].GetValue() != "1.2 Mbit/s" {
		t.Errorf("%s finds %v, %v", saved.GetCode(), found, err)
	}
	wrong := []byte(saved.GetCode())
	wrong[0] = map[bool]byte{true: '3', false: '2'}[wrong[0] == '2']
	if _, err := policy.FindSelfCheck(t.Context(), &controlv1.FindSelfCheckRequest{Code: string(wrong)}); codeOf(t, err) != "check_code_mistyped" {
		t.Errorf("mistyped: %v", err)
	}
}

// probe asks for or sends bytes and returns status and body.
func probe(t *testing.T, b *gatewaytest.Browser, method, url string, body []byte, header ...string) (*http.Response, []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := b.Client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	got, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, got
}

func TestProbe(t *testing.T) {
	town := gatewaytest.Start(t)
	b := town.Staff(t, "suzuki", "鈴木 一郎")
	base := "https://" + town.Host + "/probe"
	answer, body := probe(t, b, http.MethodGet, base+"?bytes=100000", nil)
	if answer.StatusCode != http.StatusOK || len(body) != 100_000 || answer.Header.Get("Cache-Control") != "no-store" || answer.Header.Get("Content-Encoding") != "" {
		t.Errorf("%s, %d bytes, %v", answer.Status, len(body), answer.Header)
	}
	_, again := probe(t, b, http.MethodGet, base+"?bytes=100000", nil)
	if bytes.Equal(body, again) {
		t.Error("the same bytes twice")
	}
	if answer, body := probe(t, b, http.MethodGet, base+"?bytes=0", nil); answer.StatusCode != http.StatusOK || len(body) != 0 {
		t.Errorf("nothing: %s, %d bytes", answer.Status, len(body))
	}
	answer, body = probe(t, b, http.MethodPost, base, make([]byte, 4<<20))
	var got struct{ Bytes int64 }
	if err := json.Unmarshal(body, &got); err != nil || answer.StatusCode != http.StatusOK || got.Bytes != 4<<20 {
		t.Errorf("%s, %s, %v", answer.Status, body, err)
	}
	stranger := town.NewBrowser(t)
	for name, c := range map[string]struct {
		browser      *gatewaytest.Browser
		method, path string
		body         int
		header       []string
		want         int
	}{
		"a stranger":     {stranger, http.MethodGet, "?bytes=1", 0, nil, http.StatusUnauthorized},
		"a stranger too": {stranger, http.MethodPost, "", 10, nil, http.StatusUnauthorized},
		"too much":       {b, http.MethodGet, "?bytes=4194305", 0, nil, http.StatusBadRequest},
		"less than none": {b, http.MethodGet, "?bytes=-1", 0, nil, http.StatusBadRequest},
		"no number":      {b, http.MethodGet, "", 0, nil, http.StatusBadRequest},
		"too long":       {b, http.MethodPost, "", 4<<20 + 1, nil, http.StatusRequestEntityTooLarge},
		"another site":   {b, http.MethodPost, "", 10, []string{"Sec-Fetch-Site", "cross-site"}, http.StatusForbidden},
		"another method": {b, http.MethodPut, "", 10, nil, http.StatusMethodNotAllowed},
	} {
		answer, body := probe(t, c.browser, c.method, base+c.path, make([]byte, c.body), c.header...)
		if answer.StatusCode != c.want {
			t.Errorf("%s: %s %s, want %d", name, answer.Status, body, c.want)
		}
	}
	for i := 0; ; i++ { // 64 MiB in a minute
		answer, _ := probe(t, b, http.MethodGet, base+"?bytes=4194304", nil)
		if answer.StatusCode == http.StatusTooManyRequests {
			if answer.Header.Get("Retry-After") == "" {
				t.Error("it does not say when to come again")
			}
			break
		}
		if i > 40 {
			t.Fatal("there is no limit")
		}
	}
}
