package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/gen/jiseki/control/v1/controlv1connect"
	"jiseki/internal/typed"
)

type userCommands struct {
	List    userList    `cmd:"" help:"List users."`
	Add     userAdd     `cmd:"" help:"Create a user and print the slip for 利用者登録通知書."`
	Import  userImport  `cmd:"" help:"Create the users of a CSV file, ten at a time; none if a line is wrong."`
	Disable userDisable `cmd:"" help:"Stop a user; ends sign-ins and sessions."`
	Enable  userEnable  `cmd:"" help:"Readmit a user."`
	Unlock  userUnlock  `cmd:"" help:"Let a user sign in again at once after wrong passwords."`
	Reset   userReset   `cmd:"" help:"Give a user a new initial password."`
}

type userList struct {
	Query   string `help:"Part of id, name or kana."`
	Section string `help:"Id of a section."`
}

func (u *userList) Run(c *console) error {
	return c.admin(func(ctx context.Context, admin controlv1connect.AdminServiceClient) error {
		all := &controlv1.ListUsersResponse{}
		err := everyPage(func(page *controlv1.Page) (string, error) {
			r, err := admin.ListUsers(ctx, &controlv1.ListUsersRequest{Page: page, Query: u.Query, SectionId: u.Section})
			if err != nil {
				return "", err
			}
			all.Users = append(all.Users, r.GetUsers()...)
			return r.GetNextToken(), nil
		})
		if err != nil {
			return err
		}
		return c.out.message(all, func() { printUsers(c.out, all.GetUsers()) })
	})
}

func printUsers(o *output, users []*controlv1.User) {
	rows := make([][]string, 0, len(users))
	for _, u := range users {
		rows = append(rows, []string{
			u.GetUserId(), u.GetName(), orDash(u.GetMainSectionId()), roleNames(u.GetRoles()), userState(o, u),
			fmt.Sprint(u.GetDeviceCount()), when(u.GetLastSignInMs()),
		})
	}
	o.table([]string{
		o.say("利用者ID", "USER"), o.say("氏名", "NAME"), o.say("所属", "SECTION"), o.say("役割", "ROLES"),
		o.say("状態", "STATE"), o.say("端末", "DEVICES"), o.say("最終サインイン", "LAST SIGN-IN"),
	}, rows)
}

func userState(o *output, u *controlv1.User) string {
	switch {
	case u.GetDisabled():
		return o.say("停止", "disabled")
	case u.GetLockedUntilMs() != 0:
		return o.say("制限中", "locked")
	case u.GetMustChangePassword():
		return o.say("初期パスワード", "initial password")
	}
	return o.say("有効", "active")
}

func roleNames(roles []controlv1.Role) string {
	names := make([]string, 0, len(roles))
	for _, r := range roles {
		names = append(names, strings.ToLower(strings.TrimPrefix(r.String(), "ROLE_")))
	}
	return orDash(strings.Join(names, ","))
}

type userAdd struct {
	ID      string   `arg:"" help:"User id, such as a staff number."`
	Name    string   `required:"" help:"Name."`
	Kana    string   `help:"Reading of the name."`
	Section string   `help:"Id of the section."`
	Role    []string `help:"staff, approver or admin; staff is always included." enum:"staff,approver,admin"`
	Desk    []string `help:"Ids of desks to assign."`
	Device  string   `default:"private" enum:"lent,private" help:"Kind of the device that the one-time code enrols: lent or private."`
	Slip    string   `help:"Folder to write the slip to. Without it the slip is printed here." type:"path"`

	Inventory string `help:"Inventory number (管理番号) of a lent device, needed for it; - for one that has none."`
}

func (u *userAdd) Run(c *console) error {
	return createUsers(c, u.Slip, []*controlv1.NewUser{{
		UserId: typed.ID(u.ID), Name: u.Name, Kana: u.Kana, MainSectionId: u.Section, Roles: parseRoles(u.Role), DeskIds: u.Desk,
		DeviceKind: parseKind(u.Device), InventoryNumber: u.Inventory,
	}})
}

func parseRoles(names []string) []controlv1.Role {
	roles := []controlv1.Role{controlv1.Role_ROLE_STAFF}
	for _, name := range names {
		role := controlv1.Role(controlv1.Role_value["ROLE_"+strings.ToUpper(name)])
		if !slices.Contains(roles, role) {
			roles = append(roles, role)
		}
	}
	return roles
}

func createUsers(c *console, dir string, users []*controlv1.NewUser) error {
	folder, err := openSlips(dir, len(users)) // before anything is done
	if err != nil {
		return err
	}
	defer folder.close()
	return c.admin(func(ctx context.Context, admin controlv1connect.AdminServiceClient) error {
		r, err := admin.CreateUsers(ctx, &controlv1.CreateUsersRequest{Users: users})
		if err != nil {
			return err
		}
		return folder.deliver(c, r, r.GetSlips()...)
	})
}

type userDisable struct {
	ID string `arg:"" help:"User id."`
}

func (u *userDisable) Run(c *console) error { return setDisabled(c, u.ID, true) }

type userEnable struct {
	ID string `arg:"" help:"User id."`
}

func (u *userEnable) Run(c *console) error { return setDisabled(c, u.ID, false) }

func setDisabled(c *console, id string, disabled bool) error {
	return c.admin(func(ctx context.Context, admin controlv1connect.AdminServiceClient) error {
		r, err := admin.SetUserDisabled(ctx, &controlv1.SetUserDisabledRequest{UserId: id, Disabled: disabled})
		if err != nil {
			return err
		}
		return c.out.message(r, func() {})
	})
}

type userUnlock struct {
	ID string `arg:"" help:"User id."`
}

func (u *userUnlock) Run(c *console) error {
	return c.admin(func(ctx context.Context, admin controlv1connect.AdminServiceClient) error {
		r, err := admin.UnlockUser(ctx, &controlv1.UnlockUserRequest{UserId: u.ID})
		if err != nil {
			return err
		}
		return c.out.message(r, func() {})
	})
}

type userReset struct {
	ID   string `arg:"" help:"User id."`
	Slip string `help:"Folder to write the slip to." type:"path"`
	TOTP bool   `name:"totp" help:"Forget the user's one-time passwords instead, for a lost telephone; the password stays."`
}

func (u *userReset) Run(c *console) error {
	if u.TOTP {
		return u.resetTOTP(c)
	}
	folder, err := openSlips(u.Slip, 1)
	if err != nil {
		return err
	}
	defer folder.close()
	return c.admin(func(ctx context.Context, admin controlv1connect.AdminServiceClient) error {
		r, err := admin.ResetPassword(ctx, &controlv1.ResetPasswordRequest{UserId: u.ID})
		if err != nil {
			return err
		}
		return folder.deliver(c, r, r.GetSlip())
	})
}

func (u *userReset) resetTOTP(c *console) error {
	return c.admin(func(ctx context.Context, admin controlv1connect.AdminServiceClient) error {
		r, err := admin.ResetTOTP(ctx, &controlv1.ResetTOTPRequest{UserId: u.ID})
		if err != nil {
			return err
		}
		return c.out.message(r, func() {})
	})
}

// everyPage calls get with each page of a list in turn.
func everyPage(get func(*controlv1.Page) (next string, err error)) error {
	page := &controlv1.Page{Limit: 500}
	for {
		next, err := get(page)
		if err != nil || next == "" {
			return err
		}
		page.Token = next
	}
}
