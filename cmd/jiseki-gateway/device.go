package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/gen/jiseki/control/v1/controlv1connect"
)

type deviceCommands struct {
	List   deviceList   `cmd:"" help:"List devices."`
	Revoke deviceRevoke `cmd:"" help:"Revoke a device; acts at once, also on running sessions."`
	Code   deviceCode   `cmd:"" help:"Make a one-time code with which a user enrols a device."`
}

type deviceList struct {
	Owner string `help:"user:ID, section:ID or all."`
}

func (d *deviceList) Run(c *console) error {
	return c.admin(func(ctx context.Context, admin controlv1connect.AdminServiceClient) error {
		all := &controlv1.ListDevicesResponse{}
		err := everyPage(func(page *controlv1.Page) (string, error) {
			r, err := admin.ListDevices(ctx, &controlv1.ListDevicesRequest{Page: page, Owner: d.Owner})
			if err != nil {
				return "", err
			}
			all.Devices = append(all.Devices, r.GetDevices()...)
			return r.GetNextToken(), nil
		})
		if err != nil {
			return err
		}
		return c.out.message(all, func() { printDevices(c.out, all.GetDevices()) })
	})
}

func printDevices(o *output, devices []*controlv1.Device) {
	rows := make([][]string, 0, len(devices))
	for _, d := range devices {
		state := o.say("有効", "active")
		if d.GetRevokedMs() != 0 {
			state = o.say("失効", "revoked")
		}
		rows = append(rows, []string{
			d.GetDeviceId(), d.GetLabel(), d.GetOwner(), enum(d.GetKind().String(), "DEVICE_KIND_"), orDash(d.GetInventoryNumber()),
			enum(d.GetGrade().String(), "KEY_GRADE_"), state, when(d.GetCertificateUntilMs()), when(d.GetLastUsedMs()),
		})
	}
	o.table([]string{
		o.say("端末ID", "DEVICE"), o.say("名称", "LABEL"), o.say("所有", "OWNER"), o.say("種別", "KIND"), o.say("管理番号", "INVENTORY"),
		o.say("鍵（自己申告）", "KEY (SELF-DECLARED)"),
		o.say("状態", "STATE"), o.say("証明書期限", "CERTIFICATE UNTIL"), o.say("最終利用", "LAST USED"),
	}, rows)
}

type deviceRevoke struct {
	Device string `arg:"" help:"Device id."`
	Reason string `required:"" help:"Why; it is written into the audit log."`
}

func (d *deviceRevoke) Run(c *console) error {
	return c.admin(func(ctx context.Context, admin controlv1connect.AdminServiceClient) error {
		r, err := admin.RevokeDevice(ctx, &controlv1.RevokeDeviceRequest{DeviceId: d.Device, Reason: d.Reason})
		if err != nil {
			return err
		}
		return c.out.message(r, func() {
			c.out.line(c.out.say("終了した接続: %d", "sessions ended: %d"), r.GetEndedSessions())
		})
	})
}

type deviceCode struct {
	User string `arg:"" help:"User id."`
	Kind string `default:"private" enum:"lent,private" help:"Kind of the device that the code enrols: lent or private."`
	Slip string `help:"Folder to write the slip to." type:"path"`

	Inventory string `help:"Inventory number (管理番号) of a lent device, needed for it; - for one that has none."`
}

func (d *deviceCode) Run(c *console) error {
	folder, err := openSlips(d.Slip, 1)
	if err != nil {
		return err
	}
	defer folder.close()
	return c.admin(func(ctx context.Context, admin controlv1connect.AdminServiceClient) error {
		r, err := admin.CreateDeviceCode(ctx, &controlv1.CreateDeviceCodeRequest{
			UserId: d.User, DeviceKind: parseKind(d.Kind), InventoryNumber: d.Inventory,
		})
		if err != nil {
			return err
		}
		return folder.deliver(c, r, r.GetSlip())
	})
}

type sessionCommands struct {
	List sessionList `cmd:"" help:"List sessions, newest first."`
	End  sessionEnd  `cmd:"" help:"End a session now."`
}

type sessionList struct {
	All   bool   `help:"Also those that have ended."`
	User  string `help:"User id."`
	Desk  string `help:"Desk id."`
	Limit int32  `default:"100" help:"At most so many."`
}

func (s *sessionList) Run(c *console) error {
	return c.admin(func(ctx context.Context, admin controlv1connect.AdminServiceClient) error {
		r, err := admin.ListSessions(ctx, &controlv1.ListSessionsRequest{
			Page: &controlv1.Page{Limit: s.Limit}, RunningOnly: !s.All, UserId: s.User, DeskId: s.Desk,
		})
		if err != nil {
			return err
		}
		return c.out.message(r, func() { printSessions(c.out, r.GetSessions()) })
	})
}

func printSessions(o *output, sessions []*controlv1.Session) {
	rows := make([][]string, 0, len(sessions))
	for _, s := range sessions {
		end := orDash(s.GetEndReason())
		if s.GetEndCode() != 0 {
			end = fmt.Sprint(s.GetEndCode(), " ", end)
		}
		rows = append(rows, []string{
			hex.EncodeToString(s.GetSessionId()), enum(s.GetLife().String(), "SESSION_LIFE_"), s.GetUserId(), s.GetDeskName(),
			s.GetDeviceLabel(), enum(s.GetPlace().String(), "PLACE_"), when(s.GetOpenedMs()), when(s.GetEndedMs()), end,
		})
	}
	o.table([]string{
		o.say("接続ID", "SESSION"), o.say("状態", "LIFE"), o.say("利用者", "USER"), o.say("自席端末", "DESK"), o.say("接続元", "DEVICE"),
		o.say("場所", "PLACE"), o.say("開始", "OPENED"), o.say("終了", "ENDED"), o.say("終了理由", "END"),
	}, rows)
}

type sessionEnd struct {
	Session string `arg:"" help:"Session id, in hexadecimal."`
	Reason  string `required:"" help:"Why; it is written into the audit log."`
}

func (s *sessionEnd) Run(c *console) error {
	id, err := hex.DecodeString(s.Session)
	if err != nil || len(id) != 16 {
		return errors.New("a session id has 32 hexadecimal digits")
	}
	return c.admin(func(ctx context.Context, admin controlv1connect.AdminServiceClient) error {
		r, err := admin.EndAnySession(ctx, &controlv1.EndAnySessionRequest{SessionId: id, Reason: s.Reason})
		if err != nil {
			return err
		}
		return c.out.message(r, func() {})
	})
}

func parseKind(name string) controlv1.DeviceKind {
	return controlv1.DeviceKind(controlv1.DeviceKind_value["DEVICE_KIND_"+strings.ToUpper(name)])
}
