package gateway

import (
	"fmt"
	"io/fs"
	"strings"
)

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

// errKeyMissing names a file without which the gateway does not run, and which is never made anew: what it signed would
// be worth nothing.
func errKeyMissing(path string, cause error) error {
	return &Error{
		"key_missing", "鍵のファイル " + path + " がありません。バックアップから戻してください。新しく作ることはできません。",
		"The key file " + path + " is missing. Restore it from the backup; it cannot be made anew.", cause,
	}
}

// errTLSNames names what the gateway is called now and its TLS CA may not sign.
func errTLSNames(names []string) error {
	all := strings.Join(names, ", ")
	return &Error{
		"tls_names", "ゲートウェイのTLS認証局は、現在の名前（" + all + "）の証明書を発行できません。「jiseki-gateway keys tls」を実行し、端末に認証局の証明書を入れ直してください。",
		"The gateway's TLS CA may not sign its present names (" + all + "). Run \"jiseki-gateway keys tls\" and install the CA on devices again.", nil,
	}
}

// errLeftovers names what an organisation left whose database is not there.
func errLeftovers(path string) error {
	return &Error{
		"leftovers", path + " が残っているのに、データベースに組織がありません。バックアップからデータベースを復元するか、新しく始めるときは、残っているものを別の場所へ移してください。",
		path + " is there, but the database has no organisation. Restore the database, or move what is left elsewhere to begin anew.", nil,
	}
}

// errForeignLog: the database was put in the place of one that had not been closed.
func errForeignLog(cause error) error {
	return &Error{
		"foreign_log", "データベースのそばに、別のデータベースの書込み記録（-wal）が残っています。データのフォルダーを別名に変えてから、バックアップを展開し直してください。",
		"The log beside the database (-wal) is another one's. Give the data folder another name, and unpack the backup anew.", cause,
	}
}

func errInitialised(cause error) error {
	return &Error{
		"already_initialised", "初期設定は、既に済んでいます。",
		"The organisation exists already.", cause,
	}
}

// errExposed: a file with a secret is for its owner alone.
func errExposed(name, path string, mode fs.FileMode) error {
	return &Error{
		"secret_exposed", fmt.Sprintf("%sのファイル%sは、ほかの利用者も使用できます（モード%04o）。「chmod 600 %s」を実行してください。", name, path, mode, path),
		fmt.Sprintf("The file %s of %s is open to other users (mode %04o). Run \"chmod 600 %s\".", path, name, mode, path), nil,
	}
}

// errWrongUser: what root writes into a folder of somebody else's, the gateway that runs as its owner could not read.
func errWrongUser(dir string) error {
	return &Error{
		"wrong_user", "データのフォルダー " + dir + " は、別の利用者のものです。その利用者として実行してください（例：sudo -u jiseki jiseki-gateway …）。何も変更していません。",
		"The data folder " + dir + " is another user's. Run it as that user, as by sudo -u jiseki jiseki-gateway ... . Nothing was changed.", nil,
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
