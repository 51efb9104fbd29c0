package audit

// Kind names what an event tells of. Names never change: logs of years ago must still be readable.
type Kind string

// The kinds of events.
const (
	OrganisationCreated Kind = "organisation_created"
	SettingsChanged     Kind = "settings_changed"
	SectionChanged      Kind = "section_changed"
	SectionDeleted      Kind = "section_deleted"
	KeysCreated         Kind = "keys_created"
	KeysChanged         Kind = "keys_changed"
	GatewayStarted      Kind = "gateway_started"
	GatewayStopped      Kind = "gateway_stopped"

	UserCreated      Kind = "user_created"
	UserChanged      Kind = "user_changed"
	UserDisabled     Kind = "user_disabled"
	UserEnabled      Kind = "user_enabled"
	UserUnlocked     Kind = "user_unlocked"
	PasswordChanged  Kind = "password_changed"
	PasswordReset    Kind = "password_reset"
	TOTPChanged      Kind = "totp_changed"
	RecoveryCodeUsed Kind = "recovery_code_used"

	SignIn        Kind = "sign_in"
	SignInRefused Kind = "sign_in_refused"
	SignOut       Kind = "sign_out"

	DeviceCodeCreated Kind = "device_code_created"
	DeviceEnrolled    Kind = "device_enrolled"
	DeviceRefused     Kind = "device_refused"
	DeviceRenewed     Kind = "device_renewed"
	DeviceRevoked     Kind = "device_revoked"

	DeskCreated      Kind = "desk_created"
	DeskChanged      Kind = "desk_changed"
	DeskDeleted      Kind = "desk_deleted"
	DeskTokenCreated Kind = "desk_token_created"
	DeskEnrolled     Kind = "desk_enrolled"
	DeskRefused      Kind = "desk_refused"
	DeskRenewed      Kind = "desk_renewed"
	DeskConnected    Kind = "desk_connected"
	DeskGone         Kind = "desk_gone"
	DeskLockOrdered  Kind = "desk_lock_ordered"
	DeskMoved        Kind = "desk_moved"
	DeskDiffers      Kind = "desk_differs"
	RegisterKept     Kind = "register_kept"
	DeskLockAnswered Kind = "desk_lock_answered" // what became of it

	DeskWakeAsked    Kind = "desk_wake_asked"
	DeskWakeEnded    Kind = "desk_wake_ended"
	DeskPowerOnAsked Kind = "desk_power_on_asked"
	DeviceLost       Kind = "device_lost"

	SessionPrepared   Kind = "session_prepared"
	SessionRefused    Kind = "session_refused"
	SessionGranted    Kind = "session_granted"
	SessionOpened     Kind = "session_opened"
	SessionEnded      Kind = "session_ended"
	SessionEndOrdered Kind = "session_end_ordered"
	SessionLocked     Kind = "session_locked"
	SessionLockFailed Kind = "session_lock_failed"
)

// Kinds of workdays, months and mails.
const (
	WorkdayReported  Kind = "workday_reported"
	WorkdayDone      Kind = "workday_done_saved"
	WorkdayCorrected Kind = "workday_corrected"
	MonthConfirmed   Kind = "month_confirmed"
	MonthsExported   Kind = "months_exported"
	MailsRetried     Kind = "mails_retried"
)

// Kinds of requests and their approval.
const (
	RequestSubmitted  Kind = "request_submitted"
	RequestPassed     Kind = "request_passed"
	RequestApproved   Kind = "request_approved"
	RequestReturned   Kind = "request_returned"
	RequestRefused    Kind = "request_refused"
	RequestWithdrawn  Kind = "request_withdrawn"
	RequestCancelled  Kind = "request_cancelled"
	RequestsConfirmed Kind = "requests_confirmed"
	OrderGiven        Kind = "order_given"
	AbsenceEntered    Kind = "absence_entered"
	AbsenceDeleted    Kind = "absence_deleted"
	RouteChanged      Kind = "route_changed"

	PolicyChanged        Kind = "policy_changed"
	HolidaysChanged      Kind = "holidays_changed"
	StaffChanged         Kind = "staff_changed"
	RegistrationsRenewed Kind = "registrations_renewed"
)

// words say each kind in Japanese and English.
var words = map[Kind][2]string{
	OrganisationCreated: {"組織を作成", "organisation created"},
	SettingsChanged:     {"設定を変更", "settings changed"},
	SectionChanged:      {"所属を変更", "section changed"},
	SectionDeleted:      {"所属を削除", "section deleted"},
	KeysCreated:         {"鍵を作成", "keys created"},
	KeysChanged:         {"鍵を変更", "keys changed"},
	GatewayStarted:      {"ゲートウェイを起動", "gateway started"},
	GatewayStopped:      {"ゲートウェイを停止", "gateway stopped"},
	UserCreated:         {"利用者を登録", "user created"},
	UserChanged:         {"利用者を変更", "user changed"},
	UserDisabled:        {"利用者を停止", "user disabled"},
	UserEnabled:         {"利用者の停止を解除", "user enabled"},
	UserUnlocked:        {"サインインの制限を解除", "user unlocked"},
	PasswordChanged:     {"パスワードを変更", "password changed"},
	PasswordReset:       {"パスワードを再発行", "password reset"},
	TOTPChanged:         {"ワンタイムパスワードの設定を変更", "one-time password settings changed"},
	RecoveryCodeUsed:    {"回復コードを使用", "recovery code used"},
	SignIn:              {"サインイン", "signed in"},
	SignInRefused:       {"サインインを拒否", "sign-in refused"},
	SignOut:             {"サインアウト", "signed out"},
	DeviceCodeCreated:   {"端末登録コードを発行", "device code created"},
	DeviceEnrolled:      {"接続元端末を登録", "device enrolled"},
	DeviceRefused:       {"接続元端末の登録を拒否", "device enrolment refused"},
	DeviceRenewed:       {"接続元端末の証明書を更新", "device certificate renewed"},
	DeviceRevoked:       {"接続元端末を失効", "device revoked"},
	DeskCreated:         {"自席端末を作成", "desk created"},
	DeskChanged:         {"自席端末を変更", "desk changed"},
	DeskDeleted:         {"自席端末を削除", "desk deleted"},
	DeskTokenCreated:    {"自席端末の登録トークンを発行", "desk token created"},
	DeskEnrolled:        {"自席端末を登録", "desk enrolled"},
	DeskRefused:         {"自席端末を拒否", "desk refused"},
	DeskRenewed:         {"自席端末の証明書を更新", "desk certificate renewed"},
	DeskConnected:       {"自席端末が接続", "desk connected"},
	DeskGone:            {"自席端末が切断", "desk gone"},
	DeskLockOrdered:     {"自席端末のロックを指示", "desk lock ordered"},
	DeskMoved:           {"自席端末の接続元アドレスが変化", "desk came from another address"},
	DeskDiffers:         {"自席端末の端末登録簿の写しが不一致", "a desk's copy of the register of devices differs"},
	RegisterKept:        {"端末登録簿を更新", "register of devices kept up"},
	DeskLockAnswered:    {"自席端末のロックの結果", "what became of the desk lock"},
	DeskWakeAsked:       {"自席端末の電源投入を指示", "desk wake-up asked"},
	DeskWakeEnded:       {"自席端末の電源投入の結果", "desk wake-up ended"},
	DeskPowerOnAsked:    {"電源投入を職場に依頼", "colleagues asked to switch on a desk"},
	DeviceLost:          {"接続元端末の紛失を届出", "device reported lost"},
	SessionPrepared:     {"接続を準備", "session prepared"},
	SessionRefused:      {"接続を拒否", "session refused"},
	SessionGranted:      {"接続を許可", "session granted"},
	SessionOpened:       {"接続を開始", "session opened"},
	SessionEnded:        {"接続を終了", "session ended"},
	SessionEndOrdered:   {"接続の終了を指示", "session end ordered"},
	SessionLocked:       {"接続終了後に画面をロック", "desk locked after session"},
	SessionLockFailed:   {"接続終了後のロックに失敗", "desk could not be locked"},

	WorkdayReported:  {"勤務の区分を報告", "workday reported"},
	WorkdayDone:      {"実施した業務を記録", "what was done was saved"},
	WorkdayCorrected: {"テレワーク実績を訂正", "workday corrected"},
	MonthConfirmed:   {"テレワーク実績の月を確認", "month confirmed"},
	MonthsExported:   {"テレワーク実績を出力", "months exported"},
	MailsRetried:     {"通知メールの再送を指示", "mails tried again"},

	RequestSubmitted:  {"申請を提出", "request submitted"},
	RequestPassed:     {"申請を承認（次の決裁へ）", "request approved by a step of its route"},
	RequestApproved:   {"申請を承認", "request approved"},
	RequestReturned:   {"申請を差戻し", "request returned"},
	RequestRefused:    {"申請を不承認", "request refused"},
	RequestWithdrawn:  {"申請を取下げ", "request withdrawn"},
	RequestCancelled:  {"承認を取消し", "approval cancelled"},
	RequestsConfirmed: {"後閲・供覧を確認", "decisions of deputies and circulated requests read"},
	OrderGiven:        {"命令を発令", "order given"},
	AbsenceEntered:    {"不在を登録", "absence entered"},
	AbsenceDeleted:    {"不在を削除", "absence deleted"},
	RouteChanged:      {"決裁経路を変更", "route changed"},

	PolicyChanged:        {"ポリシーを変更", "policy changed"},
	HolidaysChanged:      {"開庁日の暦を変更", "calendar of open days changed"},
	StaffChanged:         {"職員の勤務条件を変更", "conditions of staff changed"},
	RegistrationsRenewed: {"利用登録を更新", "registrations renewed"},
}

// ordinary are the kinds that give no right and take none.
var ordinary = map[Kind]bool{
	SignInRefused: true, DeviceRefused: true, DeskRefused: true, SessionRefused: true,
	DeskConnected: true, DeskGone: true, DeskWakeAsked: true, DeskWakeEnded: true, DeskPowerOnAsked: true,
	SessionPrepared: true, SessionOpened: true, SessionEnded: true, SessionLocked: true, SessionLockFailed: true,
	WorkdayReported: true, WorkdayDone: true, WorkdayCorrected: true, MonthConfirmed: true, MonthsExported: true,
	MailsRetried: true, RequestSubmitted: true, RequestPassed: true, RequestReturned: true, RequestRefused: true,
	RequestsConfirmed: true,
}

// OfRights says whether such an event gives or takes a right. Every kind does that is not listed as ordinary, also one
// that is added later: the head after it is copied at once.
func (k Kind) OfRights() bool { return !ordinary[k] }

// Kinds returns every kind, in no order.
func Kinds() []Kind {
	all := make([]Kind, 0, len(words))
	for k := range words {
		all = append(all, k)
	}
	return all
}

// Words says the kind in Japanese and English; an unknown kind is its own name.
func (k Kind) Words() (ja, en string) {
	if w, ok := words[k]; ok {
		return w[0], w[1]
	}
	return string(k), string(k)
}
