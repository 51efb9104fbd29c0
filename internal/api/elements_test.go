package api

import (
	"errors"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/gen/jiseki/control/v1/controlv1connect"
)

// largest are the longest that a page or command of ours sends to some methods.
func largest() map[string]proto.Message {
	text := strings.Repeat("長", 500)
	id := strings.Repeat("a", 64)
	users, decisions := &controlv1.CreateUsersRequest{}, &controlv1.DecideRequestsRequest{}
	draft := &controlv1.Draft{ReasonText: text, Work: text, PlaceNote: text}
	for range 200 {
		users.Users = append(users.Users, &controlv1.NewUser{
			UserId: id, Name: text[:90], Kana: text[:90], MainSectionId: id, OtherSectionIds: []string{id, id},
			Roles: []controlv1.Role{1, 2, 3}, DeskIds: []string{id, id, id, id}, DeviceKind: 1,
		})
		decisions.Decisions = append(decisions.Decisions, &controlv1.Decision{RequestId: id, Revision: 1000, Step: 2})
	}
	for range 60 {
		draft.Days = append(draft.Days, &controlv1.RequestDay{Date: "2026-11-29", Unit: 1, FromMinute: 510, UntilMinute: 1035})
	}
	order := &controlv1.PutOrderRequest{Draft: draft}
	notices, months := &controlv1.ReadNoticesRequest{}, &controlv1.ConfirmMonthsRequest{Month: "2026-11"}
	for range 500 {
		order.UserIds = append(order.UserIds, id)
		notices.NoticeIds = append(notices.NoticeIds, id)
		months.UserIds = append(months.UserIds, id)
	}
	return map[string]proto.Message{
		controlv1connect.AdminServiceCreateUsersProcedure: users, controlv1connect.ApprovalServiceDecideRequestsProcedure: decisions,
		controlv1connect.ApprovalServicePutOrderProcedure: order, controlv1connect.TeleworkServiceReadNoticesProcedure: notices,
		controlv1connect.ApprovalServiceConfirmMonthsProcedure:  months,
		controlv1connect.TeleworkServiceSubmitRequestProcedure:  &controlv1.SubmitRequestRequest{Draft: draft},
		controlv1connect.PolicyServiceImportHolidaysProcedure:   &controlv1.ImportHolidaysRequest{Csv: make([]byte, 400<<10)},
		controlv1connect.TeleworkServiceReportLostProcedure:     &controlv1.ReportLostRequest{Circumstances: strings.Repeat("長", 2000)},
		controlv1connect.AuthServiceSignInProcedure:             &controlv1.SignInRequest{UserId: text[:1023], Password: text[:1023], Totp: text[:1023]},
		controlv1connect.AgentServiceGetAgentChallengeProcedure: &controlv1.GetAgentChallengeRequest{},
	}
}

// TestWhatOfficesSendFits holds the lengths of rules.go against the longest that is meant.
func TestWhatOfficesSendFits(t *testing.T) {
	for procedure, message := range largest() {
		most := rules[procedure].body
		for form, marshal := range map[string]func(proto.Message) ([]byte, error){formProto: proto.Marshal, formJSON: protojson.Marshal} {
			b, err := marshal(message)
			if err != nil {
				t.Fatal(err)
			}
			if len(b) > most {
				t.Errorf("%s as %s: %d bytes, %d allowed", procedure, form, len(b), most)
			}
			if err := count(procedure, form, b, most/bytesPerElement); err != nil {
				t.Errorf("%s as %s: %v", procedure, form, err)
			}
		}
	}
}

// TestEveryElementCounts: bodies that decode to many elements are refused, whatever they are made of.
func TestEveryElementCounts(t *testing.T) {
	const most = 100
	for name, one := range map[string]struct {
		procedure, form string
		body            string
		want            error
	}{
		"messages":      {controlv1connect.AdminServiceCreateUsersProcedure, formProto, strings.Repeat("\x0a\x00", most+1), errElements},
		"as many":       {controlv1connect.AdminServiceCreateUsersProcedure, formProto, strings.Repeat("\x0a\x00", most), nil},
		"inside":        {controlv1connect.AdminServiceCreateUsersProcedure, formProto, "\x0a\x66" + strings.Repeat("\x2a\x00", 51) + strings.Repeat("\x0a\x00", 60), errElements},
		"packed":        {controlv1connect.AdminServiceCreateUsersProcedure, formProto, "\x0a\x67\x32\x65" + strings.Repeat("\x01", 101), errElements},
		"unknown":       {controlv1connect.AuthServiceGetChallengeProcedure, formProto, strings.Repeat("\x78\x01", most+1), errElements},
		"cut short":     {controlv1connect.AdminServiceCreateUsersProcedure, formProto, "\x0a\x05\x0a", errForm},
		"no tag":        {controlv1connect.AdminServiceCreateUsersProcedure, formProto, "\xff", errForm},
		"lists":         {controlv1connect.AuthServiceSignInProcedure, formJSON, "[" + strings.Repeat("[],", most) + "[]]", errElements},
		"numbers":       {controlv1connect.AuthServiceSignInProcedure, formJSON, "[" + strings.Repeat("1,", most) + "1]", errElements},
		"in a string":   {controlv1connect.AuthServiceSignInProcedure, formJSON, `{"userId":"` + strings.Repeat(`,[{\"\\`, 50) + `"}`, nil},
		"deep":          {controlv1connect.AuthServiceSignInProcedure, formJSON, strings.Repeat("[", maxDepth+1), errDepth},
		"open string":   {controlv1connect.AuthServiceSignInProcedure, formJSON, `{"a\`, nil},
		"side by side":  {controlv1connect.AuthServiceSignInProcedure, formJSON, strings.Repeat("{}", most+1), errElements},
		"nothing":       {controlv1connect.AuthServiceSignInProcedure, formJSON, "", nil},
		"nothing, wire": {controlv1connect.AuthServiceSignInProcedure, formProto, "", nil},
	} {
		elements := counter{left: most}
		var err error
		if one.form == formJSON {
			err = elements.json([]byte(one.body))
		} else {
			input, ierr := inputOf(one.procedure)
			if ierr != nil {
				t.Fatal(ierr)
			}
			err = elements.protobuf([]byte(one.body), input, 0)
		}
		if !errors.Is(err, one.want) {
			t.Errorf("%s: %v, want %v", name, err, one.want)
		}
	}
}

// elementsIn counts what a message was decoded to.
func elementsIn(m protoreflect.Message) int {
	n := 0
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.IsList():
			for i := range v.List().Len() {
				n++
				if f.Message() != nil {
					n += elementsIn(v.List().Get(i).Message())
				}
			}
		case f.Message() != nil:
			n += 1 + elementsIn(v.Message())
		default:
			n++
		}
		return true
	})
	return n
}

// FuzzElements: nothing is decoded to more elements than were counted.
func FuzzElements(f *testing.F) {
	f.Add([]byte("\x0a\x04\x0a\x02ab"), false)
	f.Add([]byte(`{"users":[{"userId":"a","roles":[1,2]},{}]}`), true)
	f.Fuzz(func(t *testing.T, b []byte, text bool) {
		const most = 1 << 10
		input, err := inputOf(controlv1connect.AdminServiceCreateUsersProcedure)
		if err != nil {
			t.Fatal(err)
		}
		elements, message := counter{left: most}, dynamicpb.NewMessage(input)
		var counted, decoded error
		if text {
			counted, decoded = elements.json(b), protojson.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(b, message)
		} else {
			counted, decoded = elements.protobuf(b, input, 0), proto.Unmarshal(b, message)
		}
		if counted != nil || decoded != nil {
			return
		}
		if got := elementsIn(message); got > most-elements.left {
			t.Errorf("%d counted, %d decoded", most-elements.left, got)
		}
	})
}
