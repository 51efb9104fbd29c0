package api

import (
	"strings"

	"jiseki/internal/access"
	"jiseki/internal/gen/jiseki/control/v1/controlv1connect"
)

// A rule says who may call a method and how much he may say.
type rule struct {
	// open methods need no sign-in: what they are given proves itself.
	open bool
	// may is what the sign-in must be allowed to do; 0 is any sign-in.
	may access.May
	// agent methods are for agents: a browser page may not call them.
	agent bool
	// body is the longest body, in bytes.
	body int
}

// Longest bodies.
const (
	openBody  = 8 << 10  // of strangers: three typed texts of a kilobyte each, keys and signatures
	smallBody = 64 << 10 // a request for sixty days, five hundred ids
	listBody  = 1 << 20  // two hundred users, a file of holidays
)

var (
	anybody    = rule{open: true, body: openBody}
	agents     = rule{open: true, agent: true, body: openBody}
	signedIn   = rule{body: smallBody}
	changers   = rule{may: access.MayChangePassword, body: openBody}
	enrollers  = rule{may: access.MayEnrolDevice, body: openBody}
	portal     = rule{may: access.MayUsePortal, body: smallBody}
	openers    = rule{may: access.MayOpenDesk, body: smallBody}
	securers   = rule{may: access.MaySetUpTOTP, body: openBody}
	administer = rule{may: access.MayAdminister, body: smallBody}
	importers  = rule{may: access.MayAdminister, body: listBody}
)

// onlyShows says that a method changes nothing, as its name says.
func onlyShows(procedure string) bool {
	name := procedure[strings.LastIndex(procedure, "/")+1:]
	for _, verb := range []string{"List", "Get", "Find", "Check", "Verify", "Export", "Why"} {
		if strings.HasPrefix(name, verb) {
			return true
		}
	}
	return false
}

// rules has a row for every method; a method without one is refused, and a test
// fails.
var rules = map[string]rule{
	controlv1connect.AuthServiceGetChallengeProcedure:           anybody,
	controlv1connect.AuthServiceSignInProcedure:                 anybody,
	controlv1connect.AuthServiceSignOutProcedure:                signedIn,
	controlv1connect.AuthServiceGetMeProcedure:                  signedIn,
	controlv1connect.AuthServiceChangePasswordProcedure:         changers,
	controlv1connect.AuthServiceEnrolDeviceProcedure:            enrollers,
	controlv1connect.AuthServiceRenewDeviceCertificateProcedure: signedIn,
	controlv1connect.AuthServiceBeginTOTPProcedure:              securers,
	controlv1connect.AuthServiceConfirmTOTPProcedure:            securers,
	controlv1connect.AuthServiceDisableTOTPProcedure:            securers,

	controlv1connect.DeskServiceListDesksProcedure:      portal,
	controlv1connect.DeskServicePrepareSessionProcedure: openers,
	controlv1connect.DeskServiceOpenSessionProcedure:    openers,
	controlv1connect.DeskServiceEndSessionProcedure:     openers,
	controlv1connect.DeskServiceListMySessionsProcedure: portal,

	controlv1connect.AgentServiceGetAgentChallengeProcedure:    agents,
	controlv1connect.AgentServiceEnrolDeskProcedure:            agents,
	controlv1connect.AgentServiceRenewDeskCertificateProcedure: agents,

	controlv1connect.AdminServiceListSectionsProcedure:     administer,
	controlv1connect.AdminServicePutSectionProcedure:       administer,
	controlv1connect.AdminServiceDeleteSectionProcedure:    administer,
	controlv1connect.AdminServiceListUsersProcedure:        administer,
	controlv1connect.AdminServiceCreateUsersProcedure:      importers,
	controlv1connect.AdminServiceUpdateUserProcedure:       administer,
	controlv1connect.AdminServiceResetPasswordProcedure:    administer,
	controlv1connect.AdminServiceSetUserDisabledProcedure:  administer,
	controlv1connect.AdminServiceUnlockUserProcedure:       administer,
	controlv1connect.AdminServiceResetTOTPProcedure:        administer,
	controlv1connect.AdminServiceCreateDeviceCodeProcedure: administer,
	controlv1connect.AdminServiceListDevicesProcedure:      administer,
	controlv1connect.AdminServiceRevokeDeviceProcedure:     administer,
	controlv1connect.AdminServiceListAllDesksProcedure:     administer,
	controlv1connect.AdminServicePutDeskProcedure:          administer,
	controlv1connect.AdminServiceDeleteDeskProcedure:       administer,
	controlv1connect.AdminServiceCreateDeskTokenProcedure:  administer,
	controlv1connect.AdminServiceLockDeskProcedure:         administer,
	controlv1connect.AdminServiceListSessionsProcedure:     administer,
	controlv1connect.AdminServiceEndAnySessionProcedure:    administer,
	controlv1connect.AdminServiceListEventsProcedure:       administer,
	controlv1connect.AdminServiceVerifyEventsProcedure:     administer,
	controlv1connect.AdminServiceGetSettingsProcedure:      administer,
	controlv1connect.AdminServiceUpdateSettingsProcedure:   administer,

	controlv1connect.TeleworkServiceGetTodayProcedure:        portal,
	controlv1connect.TeleworkServiceGetCalendarProcedure:     portal,
	controlv1connect.TeleworkServiceCheckRequestProcedure:    portal,
	controlv1connect.TeleworkServiceSubmitRequestProcedure:   portal,
	controlv1connect.TeleworkServiceListMyRequestsProcedure:  portal,
	controlv1connect.TeleworkServiceGetRequestProcedure:      portal,
	controlv1connect.TeleworkServiceWithdrawRequestProcedure: portal,
	controlv1connect.TeleworkServiceReportWorkdayProcedure:   portal,
	controlv1connect.TeleworkServiceSaveDoneProcedure:        portal,
	controlv1connect.TeleworkServiceCorrectWorkdayProcedure:  portal,
	controlv1connect.TeleworkServiceGetWorkdayProcedure:      portal,
	controlv1connect.TeleworkServiceGetMonthProcedure:        portal,
	controlv1connect.TeleworkServiceExportMonthsProcedure:    portal,
	controlv1connect.TeleworkServiceWakeDeskProcedure:        portal,
	controlv1connect.TeleworkServiceGetWakeProcedure:         portal,
	controlv1connect.TeleworkServiceAskPowerOnProcedure:      portal,
	controlv1connect.TeleworkServiceListNoticesProcedure:     portal,
	controlv1connect.TeleworkServiceReadNoticesProcedure:     portal,
	controlv1connect.TeleworkServiceListMyDevicesProcedure:   portal,
	controlv1connect.TeleworkServiceReportLostProcedure:      portal,
	controlv1connect.TeleworkServiceGetSelfCheckProcedure:    portal,
	controlv1connect.TeleworkServiceSaveSelfCheckProcedure:   portal,

	controlv1connect.ApprovalServiceListInboxProcedure:      portal,
	controlv1connect.ApprovalServiceDecideRequestsProcedure: portal,
	controlv1connect.ApprovalServiceListReviewsProcedure:    portal,
	controlv1connect.ApprovalServiceConfirmReviewsProcedure: portal,
	controlv1connect.ApprovalServiceGetBoardProcedure:       portal,
	controlv1connect.ApprovalServiceGetWeekProcedure:        portal,
	controlv1connect.ApprovalServicePutOrderProcedure:       portal,
	controlv1connect.ApprovalServiceListMonthsProcedure:     portal,
	controlv1connect.ApprovalServiceConfirmMonthsProcedure:  portal,
	controlv1connect.ApprovalServiceListAbsencesProcedure:   portal,
	controlv1connect.ApprovalServicePutAbsenceProcedure:     portal,
	controlv1connect.ApprovalServiceDeleteAbsenceProcedure:  portal,
	controlv1connect.ApprovalServiceListMembersProcedure:    portal,
	controlv1connect.ApprovalServiceListPowerOnProcedure:    portal,

	controlv1connect.PolicyServiceGetPolicyProcedure:          administer,
	controlv1connect.PolicyServiceUpdatePolicyProcedure:       importers,
	controlv1connect.PolicyServiceWhyProcedure:                administer,
	controlv1connect.PolicyServiceListHolidaysProcedure:       administer,
	controlv1connect.PolicyServiceImportHolidaysProcedure:     importers,
	controlv1connect.PolicyServicePutHolidayProcedure:         administer,
	controlv1connect.PolicyServiceDeleteHolidayProcedure:      administer,
	controlv1connect.PolicyServiceListStaffProcedure:          administer,
	controlv1connect.PolicyServiceUpdateStaffProcedure:        administer,
	controlv1connect.PolicyServiceRenewRegistrationsProcedure: importers,
	controlv1connect.PolicyServiceGetRoutesProcedure:          administer,
	controlv1connect.PolicyServicePutRouteProcedure:           administer,
	controlv1connect.PolicyServiceListSegmentsProcedure:       administer,
	controlv1connect.PolicyServiceWakeDesksProcedure:          importers,
	controlv1connect.PolicyServiceListWakesProcedure:          administer,
	controlv1connect.PolicyServiceListMailsProcedure:          administer,
	controlv1connect.PolicyServiceRetryMailsProcedure:         administer,
	controlv1connect.PolicyServiceFindSelfCheckProcedure:      administer,
}
