package mail

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"jiseki/internal/calendar"
)

// Notice tells a user that something happened or has to be done. It is shown in the portal and, in a digest, sent by
// mail: its arguments must hold nothing that may not leave the gateway, such as the reason of a request.
type Notice struct {
	// User is the id of the one who is told.
	User string
	// Kind is one of Kinds. Kinds never change: old notices stay readable.
	Kind string
	// Args fill the placeholders of the kind's words: exactly those that Args names.
	Args map[string]string
	// Path in the portal that it leads to, such as /requests/3f2a. Empty: the list of notices.
	Path string
	// Once, if not empty, is told to this user once only, however often it is given.
	Once string
}

// ErrNotice means that a notice is unknown, or that its arguments do not fit.
var ErrNotice = errors.New("mail: notice")

// maxArg bounds an argument, in bytes.
const maxArg = 300

// Check refuses a notice whose words could not be written.
func (n *Notice) Check() error {
	w, ok := words[n.Kind]
	switch {
	case !ok:
		return fmt.Errorf("%w: unknown kind %.40q", ErrNotice, n.Kind)
	case !isPage(n.Path):
		return fmt.Errorf("%w: %s: path %.80q", ErrNotice, n.Kind, n.Path)
	}
	have := slices.Sorted(maps.Keys(n.Args))
	if want := placeholders(w[0]); !slices.Equal(have, want) {
		return fmt.Errorf("%w: %s: arguments %v, want %v", ErrNotice, n.Kind, have, want)
	}
	for name, value := range n.Args {
		if _, _, err := render(name, value); err != nil {
			return fmt.Errorf("%w: %s: %w", ErrNotice, n.Kind, err)
		}
	}
	return nil
}

// isPage says whether a path leads to a page of the portal, and to no other site: browsers take //host and /\host for
// one.
func isPage(path string) bool {
	foreign := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("/?=&._-", r)
	}
	return path == "" || (strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "//") && !strings.ContainsFunc(path, foreign))
}

// words of each kind in Japanese and English. A placeholder's name says how its value is written:
//
//	{date} {until}  YYYY-MM-DD, written as 11月25日（水）; {was} {was_until} too
//	{month}         YYYY-MM, written as 令和8年11月
//	{more}          number of further days, written as ほか2日, nothing for 0
//	{count}         a number
//	{minutes}       a number
//	{order}         telework or overtime
//	{name} {by}     name of a person, without さん
//	{desk} {device} {gateway} name of a thing
var words = map[string][2]string{
	"request_submitted": {
		"{name}さんからテレワークの申請がありました（{date}{more}）。内容を確認し、決裁してください。",
		"{name} has asked for telework ({date}{more}). Please decide the request.",
	},
	"request_approved": {
		"テレワークの申請（{date}{more}）が承認されました。",
		"Your request for telework ({date}{more}) was approved.",
	},
	"request_returned": {
		"テレワークの申請（{date}{more}）が差し戻されました。内容を直して、再び申請してください。",
		"Your request for telework ({date}{more}) was returned. Please change it and submit it again.",
	},
	"request_refused": {
		"テレワークの申請（{date}{more}）が不承認となりました。",
		"Your request for telework ({date}{more}) was refused.",
	},
	"request_circulated": {
		"{name}さんのテレワークの申請（{date}{more}）が供覧されています。",
		"The request for telework of {name} ({date}{more}) is circulated to you for information.",
	},
	"request_decided_for_you": {
		"{name}さんのテレワークの申請（{date}{more}）を、不在中に{by}さんが代決しました。後閲してください。",
		"While you were absent, {by} decided the request for telework of {name} ({date}{more}). Please review it.",
	},
	"request_cancelled": {
		"{name}さんのテレワーク（{date}{more}）の承認が取り消されました。",
		"The approved telework of {name} ({date}{more}) was cancelled.",
	},
	"request_withdrawn": {
		"{name}さんのテレワークの申請（{date}{more}）が取り下げられました。",
		"The request for telework of {name} ({date}{more}) was withdrawn.",
	},
	"request_entered": {
		"{by}さんが、あなたのテレワークを代理で申請しました（{date}{more}）。",
		"{by} has asked for telework on your behalf ({date}{more}).",
	},
	"order_given": {
		"{by}さんから{order}がありました（{date}{more}）。",
		"{by} has given you {order} ({date}{more}).",
	},
	"absence_entered": {
		"{name}さんの不在（{date}から{until}まで）が登録されました。この間は、代決者が決裁します。",
		"The absence of {name} from {date} until {until} was entered. Deputies decide during this time.",
	},
	"absence_changed": {
		"{name}さんの不在（{was}から{was_until}まで）が、{date}から{until}までに変更されました。この間は、代決者が決裁します。",
		"The absence of {name} from {was} until {was_until} was changed to {date} until {until}. Deputies decide during this time.",
	},
	"absence_deleted": {
		"{name}さんの不在（{date}から{until}まで）の登録が取り消されました。",
		"The absence of {name} from {date} until {until} was deleted.",
	},
	"power_on_asked": {
		"{name}さんから、自席端末「{desk}」の電源投入の依頼がありました。",
		"{name} asks somebody in the hall to switch on the desk {desk}.",
	},
	"tomorrow_telework": {
		"{date}はテレワークです。自席端末の電源を入れたまま退庁してください。",
		"You telework on {date}. Please leave your desk switched on when you go home.",
	},
	"registration_ends": {
		"テレワークの利用登録は、{date}に終了します。引き続き利用する場合は、更新を申し出てください。",
		"Your registration for telework ends on {date}. Please have it renewed if you want to go on.",
	},
	"workday_missing_end": {
		"{date}の終業が報告されていません。テレワーク実績を訂正し、終業の時刻を入力してください。",
		"The end of your workday of {date} was not reported. Please correct the workday and enter when it ended.",
	},
	"month_to_confirm": {
		"{month}のテレワーク実績の確認が必要です（{count}人）。",
		"The workdays of {month} are to be confirmed (people: {count}).",
	},
	"month_confirmed": {
		"{month}のテレワーク実績を、{by}さんが確認しました。",
		"{by} confirmed your workdays of {month}.",
	},
	"month_corrected": {
		"{name}さんが、確認済みの{month}のテレワーク実績を訂正しました。再び確認してください。",
		"{name} corrected the workdays of {month} that you had confirmed. Please confirm them again.",
	},
	"device_lost": {
		"{name}さんの接続元端末「{device}」の紛失が届け出られ、端末を失効しました。",
		"The device {device} of {name} was reported lost and has been revoked.",
	},
	"desk_moved": {
		"自席端末「{desk}」が、前回と違うアドレスから接続しました。移設や機器の交換でなければ、確認してください。",
		"The desk {desk} connected from another address than before. Unless it was moved or replaced, please look into it.",
	},
	"desk_turns": {
		"自席端末「{desk}」が、接続中に別のアドレスからも接続しました。鍵が複製されたおそれがあります。確認してください。",
		"The desk {desk} connected from a second address while it was connected. Its key may have been copied: please look into it.",
	},
	"desk_differs": {
		"自席端末「{desk}」が持つ端末登録簿の写しが、ゲートウェイのものと一致しません。データを復元した覚えがなければ、鍵の盗用のおそれがあります。運用手引を参照してください。",
		"The desk {desk} holds another register of devices than the gateway. Unless you restored data, keys may have been stolen. See the manual.",
	},
	"gateway_clock": {
		"ゲートウェイ「{gateway}」の時計がほかのゲートウェイとずれています。直るまで、そのゲートウェイではサインインと新しい接続ができません。時刻同期を確認してください。",
		"The clock of the gateway {gateway} differs from the other gateways'. Until it is right, nobody signs in or opens a session there. Please look at its time synchronisation.",
	},
	"session_ends_soon": {
		"自席端末「{desk}」への接続は、あと{minutes}分で終了します。作業中のファイルを保存してください。",
		"Your session on the desk {desk} ends in {minutes} minutes. Please save your work.",
	},
}

// Kinds returns every kind of notice, sorted.
func Kinds() []string { return slices.Sorted(maps.Keys(words)) }

// Args returns the names of the arguments that a kind takes, sorted.
func Args(kind string) []string { return placeholders(words[kind][0]) }

// Words says a notice in Japanese and English. Of a kind that this release does not know it gives the kind itself.
func Words(kind string, args map[string]string) (ja, en string) {
	w, ok := words[kind]
	if !ok {
		return kind, kind
	}
	ja, en = w[0], w[1]
	for _, name := range placeholders(w[0]) {
		valueJA, valueEN, err := render(name, args[name])
		if err != nil {
			valueJA, valueEN = args[name], args[name]
		}
		ja = strings.ReplaceAll(ja, "{"+name+"}", valueJA)
		en = strings.ReplaceAll(en, "{"+name+"}", valueEN)
	}
	return ja, en
}

// placeholders returns the names in braces, sorted, each once.
func placeholders(text string) []string {
	var names []string
	for {
		_, rest, ok := strings.Cut(text, "{")
		if !ok {
			break
		}
		name, after, ok := strings.Cut(rest, "}")
		if !ok {
			break
		}
		names, text = append(names, name), after
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// render writes an argument as its name says. Braces in values become brackets, so that no value can be taken for a
// placeholder.
func render(name, value string) (ja, en string, err error) {
	if len(value) > maxArg {
		return "", "", fmt.Errorf("argument %s is too long", name)
	}
	switch name {
	case "date", "until", "was", "was_until":
		d, err := calendar.ParseDate(value)
		if err != nil {
			return "", "", err
		}
		return dateJA(d), d.At(0).Format("Mon 2 Jan"), nil
	case "month":
		d, err := calendar.ParseDate(value + "-01")
		if err != nil {
			return "", "", err
		}
		return calendar.WarekiMonth(d), d.At(0).Format("January 2006"), nil
	case "more":
		return renderMore(value)
	case "order":
		return renderOrder(value)
	case "count", "minutes":
		if value == "" || strings.Trim(value, "0123456789") != "" {
			return "", "", fmt.Errorf("argument %s is no number", name)
		}
		return value, value, nil
	}
	clean := strings.NewReplacer("{", "(", "}", ")").Replace(oneLine(value))
	return clean, clean, nil
}

func dateJA(d calendar.Date) string {
	return fmt.Sprintf("%d月%d日（%s）", d.Month, d.Day, calendar.WeekdayJA(d))
}

func renderMore(value string) (ja, en string, err error) {
	switch {
	case value == "0":
		return "", "", nil
	case value == "1":
		return "ほか1日", " and 1 more day", nil
	case value == "" || strings.Trim(value, "0123456789") != "":
		return "", "", errors.New("argument more is no number")
	}
	return "ほか" + value + "日", " and " + value + " more days", nil
}

func renderOrder(value string) (ja, en string, err error) {
	switch value {
	case "telework":
		return "在宅勤務命令", "an order to telework", nil
	case "overtime":
		return "時間外勤務命令", "an order for overtime", nil
	}
	return "", "", errors.New("argument order is neither telework nor overtime")
}

// oneLine makes text from outside one line: a notice becomes part of a mail.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f || r == 0x85 || r == 0x2028 || r == 0x2029 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
}
