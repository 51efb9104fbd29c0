package access

import (
	"strconv"
	"strings"
)

// Code names a reason. Codes never change: the manual and the help desk look them up.
type Code string

// Codes of decisions.
const (
	UserDisabled        Code = "user_disabled"
	PasswordMustChange  Code = "password_must_change"
	SignInOver          Code = "sign_in_over"
	DeviceNeeded        Code = "device_needed"
	ChangeNeedsDevice   Code = "change_needs_device"
	DeviceRevoked       Code = "device_revoked"
	DeviceNotYours      Code = "device_not_yours"
	DeviceExpired       Code = "device_expired"
	DevicePrivate       Code = "device_private"
	KeyGrade            Code = "key_grade"
	MyNumberGateway     Code = "zone_gateway"
	MyNumberPlace       Code = "mynumber_place"
	PlaceUnknown        Code = "place_unknown"
	OfficeClosed        Code = "office_closed"
	SecondFactorNeeded  Code = "second_factor_needed"
	SecondFactorMissing Code = "second_factor_missing"
	ApprovalNeeded      Code = "approval_needed"
	DeskNotYours        Code = "desk_not_yours"
	DeskNotEnrolled     Code = "desk_not_enrolled"
	DeskExpired         Code = "desk_expired"
	DeskOff             Code = "desk_off"
	DeskUnknown         Code = "desk_unknown"
	DeskColours         Code = "desk_screen_colours"
	DeskScreenSize      Code = "desk_screen_size"
	DeskScreenSystem    Code = "desk_screen_system"
	DeskScreen          Code = "desk_screen"
	DeskCannotLock      Code = "desk_cannot_lock"
	DeskInUse           Code = "desk_in_use"
	Full                Code = "full"
)

// Codes of signing in, passwords and enrolment.
const (
	WrongCredentials Code = "wrong_credentials"
	SlowDown         Code = "slow_down" // {n} minutes
	Busy             Code = "busy"
	DiskFull         Code = "disk_full"
	GatewayClock     Code = "gateway_clock"
	Unwritten        Code = "unwritten"
	NotKept          Code = "not_kept"
	NotSignedIn      Code = "not_signed_in"
	NotAllowed       Code = "not_allowed"
	TOTPWrong        Code = "totp_wrong"
	DeviceUnknown    Code = "device_unknown"
	SignatureWrong   Code = "signature_wrong"
	ChallengeOver    Code = "challenge_over"
	CodeMistyped     Code = "code_mistyped"
	CodeWrong        Code = "code_wrong"
	CodeSpent        Code = "code_spent"
	CodeExpired      Code = "code_expired"
	TokenSpent       Code = "token_spent"
	TokenExpired     Code = "token_expired"
	AgentNetwork     Code = "agent_network"
	PasswordShort    Code = "password_short"
	PasswordLong     Code = "password_long"
	PasswordKinds    Code = "password_kinds"
	PasswordHasID    Code = "password_has_id"
	PasswordCommon   Code = "password_common"
	PasswordRepeats  Code = "password_repeats"
	PasswordSame     Code = "password_same"
	PasswordChars    Code = "password_chars"
)

// Codes of opening a session and of everything else.
const (
	SessionState  Code = "session_state"
	SessionOver   Code = "session_over"
	AgentRefused  Code = "agent_refused"
	AgentNoAnswer Code = "agent_no_answer"
	ClockSkew     Code = "clock_skew"
	DeskRevoked   Code = "desk_revoked"
	DeskRegister  Code = "desk_register"
	NotFound      Code = "not_found"
	Exists        Code = "exists"
	TooManyUsers  Code = "too_many_users"
	// InventoryNeeded: a lent device is registered by its inventory number.
	InventoryNeeded Code = "inventory_needed"
	InUse           Code = "in_use"
	Stale           Code = "stale"
	Invalid         Code = "invalid"
	Internal        Code = "internal"
	WrongListener   Code = "wrong_listener"
	TooManyAtOnce   Code = "too_many_at_once"
	OrderTooLarge   Code = "order_too_large"
	TooLong         Code = "too_long"
	StorageForgets  Code = "storage_forgets"
)

// Codes of requests and their approval.
const (
	NotYours            Code = "not_yours"
	NoApprover          Code = "no_approver"
	NotApprover         Code = "not_approver"
	OwnRequest          Code = "own_request"
	CommentNeeded       Code = "comment_needed"
	RequestDecided      Code = "request_decided"
	RequestOver         Code = "request_over"
	RequestRefused      Code = "request_refused"
	RequestDayOff       Code = "request_day_off"
	RequestOutsideHours Code = "request_outside_hours"
	RequestOverlaps     Code = "request_overlaps"
	RequestTooMany      Code = "request_too_many" // {n} days a week
	RequestLate         Code = "request_late"
	RequestAfterFact    Code = "request_after_fact"
	RequestTooFar       Code = "request_too_far"
	RequestPersonalData Code = "request_personal_data"
	RequestUnregistered Code = "request_unregistered"
)

// Codes of policy.
const (
	TeleworkRefused   Code = "telework_refused"
	ViewerRefused     Code = "viewer_refused"
	DeviceKindRefused Code = "device_kind_refused"
	RegistrationOver  Code = "registration_over"
	ApprovalPlace     Code = "approval_place"
	DayOffClosed      Code = "day_off_closed"
	NightClosed       Code = "night_closed"
	HoursOver         Code = "hours_over"
	BreakNow          Code = "on_break"
	SeatsReserved     Code = "seats_reserved"
	OfficeFull        Code = "office_full"
)

// Codes of workdays and months.
const (
	WorkdayNotStarted Code = "workday_not_started"
	WorkdayEndMissing Code = "workday_end_missing"
	SegmentsOrder     Code = "segments_order"
	SegmentsFuture    Code = "segments_future"
	SegmentsDay       Code = "segments_day"
	SegmentsOpen      Code = "segments_open"
	SegmentsOverlap   Code = "segments_overlap"
	MonthNotOver      Code = "month_not_over"
)

// Codes of waking desks.
const (
	WakeNoWaker     Code = "wake_no_waker"
	WakeNoAnswer    Code = "wake_no_answer"
	WakeAdapter     Code = "wake_adapter"
	WakeMACUnknown  Code = "wake_mac_unknown"
	PowerAskedLate  Code = "power_asked_lately"
	SegmentNoWaker  Code = "segment_no_waker"
	SegmentNoAlways Code = "segment_no_always_on"
	// CheckCodeMistyped: the help-desk code of a self-check.
	CheckCodeMistyped Code = "check_code_mistyped"
)

// Reason is a code with its words.
type Reason struct {
	Code           Code
	JA, EN         string // what is the matter
	HelpJA, HelpEN string // what to do now
}

// Explain gives a code its words; {n} in them becomes n. An unknown code explains itself as an internal error with that
// code.
func Explain(c Code, n ...int) Reason {
	w, ok := words[c]
	if !ok {
		w = words[Internal]
	}
	if len(n) > 0 {
		for i := range w {
			w[i] = strings.ReplaceAll(w[i], "{n}", strconv.Itoa(n[0]))
		}
	}
	return Reason{Code: c, JA: w[0], HelpJA: w[1], EN: w[2], HelpEN: w[3]}
}

// Codes returns every code, in no order.
func Codes() []Code {
	all := make([]Code, 0, len(words))
	for c := range words {
		all = append(all, c)
	}
	return all
}
