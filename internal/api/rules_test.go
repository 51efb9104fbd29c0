package api

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"

	"jiseki/internal/access"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/gen/jiseki/control/v1/controlv1connect"
)

// TestEveryMethodHasARule walks the services as the .proto files name them.
func TestEveryMethodHasARule(t *testing.T) {
	seen := 0
	for _, file := range []protoreflect.FileDescriptor{
		controlv1.File_jiseki_control_v1_auth_proto, controlv1.File_jiseki_control_v1_desk_proto,
		controlv1.File_jiseki_control_v1_admin_proto, controlv1.File_jiseki_control_v1_agent_proto,
		controlv1.File_jiseki_control_v1_telework_proto, controlv1.File_jiseki_control_v1_approval_proto,
		controlv1.File_jiseki_control_v1_policy_proto,
	} {
		for i := range file.Services().Len() {
			service := file.Services().Get(i)
			for j := range service.Methods().Len() {
				name := "/" + string(service.FullName()) + "/" + string(service.Methods().Get(j).Name())
				if _, ok := rules[name]; !ok {
					t.Errorf("%s has no rule", name)
				}
				seen++
			}
		}
	}
	if seen != len(rules) {
		t.Errorf("%d methods, %d rules: a rule is for a method that is gone", seen, len(rules))
	}
}

// TestNothingIsOpenByMistake holds the list of open methods against the table.
func TestNothingIsOpenByMistake(t *testing.T) {
	open := []string{"GetChallenge", "SignIn", "GetAgentChallenge", "EnrolDesk", "RenewDeskCertificate"}
	for name, r := range rules {
		method := name[strings.LastIndex(name, "/")+1:]
		wanted := false
		for _, o := range open {
			wanted = wanted || o == method
		}
		if r.open != wanted {
			t.Errorf("%s: open is %v, want %v", name, r.open, wanted)
		}
		if r.body < 1 || r.open && r.body > 16<<10 || r.body > bodiesShare {
			t.Errorf("%s: bodies of %d bytes", name, r.body)
		}
		if strings.Contains(name, ".AdminService/") && r.may != access.MayAdminister {
			t.Errorf("%s is not for administrators only", name)
		}
	}
}

// TestWhatOnlyShowsIsKnown: lists read by connections of their own; what opens or ends a session or takes a right away does not
// wait for them.
func TestWhatOnlyShowsIsKnown(t *testing.T) {
	for procedure, want := range map[string]bool{
		controlv1connect.DeskServiceListMySessionsProcedure: true, controlv1connect.TeleworkServiceGetTodayProcedure: true,
		controlv1connect.ApprovalServiceListReviewsProcedure: true, controlv1connect.AdminServiceListEventsProcedure: true,
		controlv1connect.DeskServicePrepareSessionProcedure: false, controlv1connect.DeskServiceOpenSessionProcedure: false,
		controlv1connect.DeskServiceEndSessionProcedure: false, controlv1connect.AuthServiceSignInProcedure: false,
		controlv1connect.TeleworkServiceReportLostProcedure: false, controlv1connect.AdminServiceSetUserDisabledProcedure: false,
		controlv1connect.AgentServiceRenewDeskCertificateProcedure: false,
	} {
		if onlyShows(procedure) != want {
			t.Errorf("%s only shows: %t", procedure, !want)
		}
	}
}
