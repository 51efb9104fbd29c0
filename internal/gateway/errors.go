package gateway

// An Error is a failure that an administrator can do something about, in one
// sentence of each language, with a code for the manual.
type Error struct {
	Code   string
	Ja, En string
	Cause  error // for the log; may be nil
}

// Error is the English sentence and the cause.
func (e *Error) Error() string {
	if e.Cause == nil {
		return e.En
	}
	return e.En + " " + e.Cause.Error()
}

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Cause }

// codeLocked says that the lock of the data is somebody else's.
const codeLocked = "data_locked"

func errLocked(cause error) error {
	return &Error{
		codeLocked, "別のゲートウェイまたは管理コマンドが、このデータを使用しています。",
		"Another gateway or command is using this data.", cause,
	}
}

func errNotInitialised() error {
	return &Error{
		"not_initialised", "まだ初期設定がされていません。「jiseki-gateway init」を実行してください。",
		"There is no organisation yet. Run \"jiseki-gateway init\" first.", nil,
	}
}

func errInitialised(cause error) error {
	return &Error{
		"already_initialised", "初期設定は、既に済んでいます。",
		"The organisation exists already.", cause,
	}
}

func errPortBusy(address string, cause error) error {
	return &Error{
		"port_busy", "アドレス " + address + " は、別のプログラムが使用しています。",
		"The address " + address + " is in use by another program.", cause,
	}
}

func errNotAllowed(cause error) error {
	return &Error{
		"root_only", "この操作には、root またはゲートウェイの利用者の権限が必要です。",
		"This takes the rights of root or of the gateway's own user.", cause,
	}
}
