package api

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"jiseki/internal/access"
	"jiseki/internal/audit"
	"jiseki/internal/calendar"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/grant"
	"jiseki/internal/session"
	"jiseki/internal/store"
)

const (
	// maxCircumstances bounds what is told of a loss, in characters.
	maxCircumstances = 2000
	// lastSessions is how many sessions of a lost device are listed.
	lastSessions = 20
)

func (s *teleworkService) ListMyDevices(ctx context.Context, r *controlv1.ListMyDevicesRequest) (*controlv1.ListMyDevicesResponse, error) {
	c := callerOf(ctx)
	user := c.identity.User.ID
	if r.GetUserId() != "" && r.GetUserId() != user {
		if err := s.mayCareFor(ctx, r.GetUserId()); err != nil {
			return nil, err
		}
		user = r.GetUserId()
	}
	devices, _, err := s.cfg.Store.Devices(ctx, "user:"+user, store.Page{Limit: 500})
	if err != nil {
		return nil, err
	}
	answer := &controlv1.ListMyDevicesResponse{}
	for _, d := range devices {
		answer.Devices = append(answer.Devices, &controlv1.OwnDevice{
			DeviceId: d.ID, Label: d.Label, Kind: controlv1.DeviceKind(d.Kind), Grade: controlv1.KeyGrade(d.Grade), EnrolledMs: d.EnrolledMS,
			CertificateUntilMs: d.UntilMS, LastUsedMs: d.LastUsedMS, RevokedMs: d.RevokedMS, RevokedReason: d.RevokedReason,
			Current: d.ID == c.identity.SignIn.Device,
		})
	}
	return answer, nil
}

// mayCareFor lets pass the superiors of a user, and administrators.
func (s *Server) mayCareFor(ctx context.Context, user string) error {
	c := callerOf(ctx)
	if c.may.Has(access.MayAdminister) {
		return nil
	}
	heads, err := s.cfg.Store.Heads(ctx, c.identity.User.ID)
	if err != nil {
		return err
	}
	if heads.Over(user) {
		return nil
	}
	return deny(access.NotAllowed)
}

func (s *teleworkService) ReportLost(ctx context.Context, r *controlv1.ReportLostRequest) (*controlv1.ReportLostResponse, error) {
	c := callerOf(ctx)
	if err := checkID(r.GetDeviceId()); err != nil {
		return nil, err
	}
	if !utf8.ValidString(r.GetCircumstances()) || utf8.RuneCountInString(r.GetCircumstances()) > maxCircumstances {
		return nil, invalid(errors.New("circumstances"))
	}
	device, err := s.cfg.Store.Device(ctx, r.GetDeviceId())
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	owner, personal := strings.CutPrefix(device.Owner, "user:")
	if !personal || owner != c.identity.User.ID {
		// Of a device that is not there the owner is nobody, over whom nobody is.
		if err := s.mayCareFor(ctx, owner); err != nil {
			return nil, err
		}
	}
	if err != nil {
		return nil, err
	}
	report := func(ctx context.Context, by store.By) ([]store.Session, error) {
		return s.cfg.Store.ReportLost(ctx, by, device.ID, r.GetCircumstances())
	}
	var running []store.Session
	var unwritten error
	if device.RevokedMS > 0 { // there is nothing left to take away: a report that cannot be written is not owed
		running, unwritten = report(ctx, c.by)
	} else {
		running, unwritten = s.cfg.Sessions.TakeAway(ctx, c.by, session.Taking{
			Kind: audit.DeviceLost, From: store.SessionFilter{Device: device.ID}, Do: report,
		})
	}
	if unwritten != nil && !errors.Is(unwritten, session.ErrUnwritten) {
		return nil, unwritten
	}
	ended, err := s.cfg.Sessions.RevokeDevice(ctx, c.by, device.ID, running)
	if err != nil {
		// The device is revoked; its sessions end without their next lease.
		s.log.Error("the sessions of a lost device were not all ended", "device", device.ID, "err", err)
	}
	if unwritten != nil {
		return nil, unwritten
	}
	return s.lostReport(ctx, &device, ended, r.GetCircumstances())
}

func (s *teleworkService) lostReport(ctx context.Context, device *store.Device, ended int, circumstances string) (*controlv1.ReportLostResponse, error) {
	sessions, _, err := s.cfg.Store.Sessions(ctx, store.SessionFilter{Device: device.ID}, store.Page{Limit: lastSessions})
	if err != nil {
		return nil, err
	}
	loss := loss{
		device: device, by: callerOf(ctx).identity.User.Name, at: s.cfg.Now(), ended: ended, circumstances: circumstances, sessions: sessions,
	}
	if owner, ok := strings.CutPrefix(device.Owner, "user:"); ok {
		chart, err := s.cfg.Store.Chart(ctx)
		if err != nil {
			return nil, err
		}
		loss.section = chart.Sections[chart.Main[owner]].Name
	}
	answer := &controlv1.ReportLostResponse{EndedSessions: int32(ended), Draft: loss.draft()} //nolint:gosec // small
	for i := range sessions {
		answer.Sessions = append(answer.Sessions, sessionMessage(&sessions[i]))
	}
	return answer, nil
}

// A loss is what the report of a lost device tells.
type loss struct {
	device        *store.Device
	section       string
	by            string // who reported it
	at            time.Time
	ended         int
	circumstances string
	sessions      []store.Session
}

// draft writes the 情報セキュリティ事故報告書 as far as the gateway knows it; people fill in the rest.
func (l *loss) draft() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("情報セキュリティ事故報告書（案）")
	line("")
	line("作成日　　%s", calendar.Wareki(calendar.DateOf(l.at)))
	line("所属　　　%s", filled(l.section))
	line("氏名　　　%s", filled(l.device.OwnerName))
	line("届出者　　%s", filled(l.by))
	line("")
	line("１　事故の種類")
	line("　　接続元端末の紛失又は盗難")
	line("２　対象の端末")
	line("　　名称　　　　%s（%s）", l.device.Label, kindJA(l.device.Kind))
	line("　　端末番号　　%s", l.device.ID)
	line("　　登録日　　　%s", calendar.Wareki(calendar.DateOf(time.UnixMilli(l.device.EnrolledMS))))
	line("３　発生の状況")
	line("　　%s", strings.ReplaceAll(filled(strings.TrimSpace(l.circumstances)), "\n", "\n　　"))
	line("４　講じた措置")
	line("　　%sに端末を失効した。以後、この端末から自席端末に接続することはできない。", clock(l.at.UnixMilli()))
	if l.ended > 0 {
		line("　　実行中の接続%d件を終了し、自席端末の画面をロックした。", l.ended)
	} else {
		line("　　実行中の接続はなかった。")
	}
	line("５　最後の接続（新しい順）")
	if len(l.sessions) == 0 {
		line("　　この端末からの接続の記録はない。")
	}
	for i := range l.sessions {
		s := &l.sessions[i]
		line("　　%s　自席端末「%s」　%s　%s", period(s), s.DeskName, placeJA(s.Place), s.Address)
	}
	line("６　端末に残る情報")
	line("　　自席端末の画面、文字入力及びファイルは、接続元端末に保存されない。画面の撮影など、端末の利用者が自ら残したものは、この限りでない。")
	line("７　今後の対応（記入してください。）")
	line("　　警察への届出　　　□済（受理番号　　　　　　　　）　□未")
	line("　　パスワードの変更　□済　□未")
	line("　　代替端末の貸与　　□済　□未")
	return b.String()
}

// filled is a text, or room to write it.
func filled(s string) string {
	if s == "" {
		return "（記入してください。）"
	}
	return s
}

func clock(ms int64) string {
	t := time.UnixMilli(ms).In(calendar.JST)
	return fmt.Sprintf("%s%d時%02d分", calendar.Wareki(calendar.DateOf(t)), t.Hour(), t.Minute())
}

func period(s *store.Session) string {
	switch {
	case s.OpenedMS == 0:
		return clock(s.PreparedMS) + "（開始に至らず）"
	case s.EndedMS == 0:
		return clock(s.OpenedMS) + "から"
	}
	return clock(s.OpenedMS) + "から" + clock(s.EndedMS) + "まで"
}

func kindJA(k grant.DeviceKind) string {
	if k == grant.DevicePrivate {
		return "私用端末"
	}
	return "貸与端末"
}

func placeJA(p access.Place) string {
	switch p {
	case access.Home:
		return "自宅など"
	case access.Satellite:
		return "サテライトオフィス"
	case access.Office:
		return "庁内"
	}
	return "その他の勤務場所"
}
