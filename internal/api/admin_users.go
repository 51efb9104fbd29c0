package api

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"connectrpc.com/connect"

	"jiseki/internal/access"
	"jiseki/internal/audit"
	"jiseki/internal/auth"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/grant"
	"jiseki/internal/session"
	"jiseki/internal/store"
	"jiseki/internal/typed"
)

// adminService is for administrators.
type adminService struct{ *Server }

func (s *adminService) ListSections(ctx context.Context, _ *controlv1.ListSectionsRequest) (*controlv1.ListSectionsResponse, error) {
	sections, err := s.cfg.Store.Sections(ctx)
	if err != nil {
		return nil, err
	}
	answer := &controlv1.ListSectionsResponse{}
	for i := range sections {
		answer.Sections = append(answer.Sections, sectionMessage(&sections[i]))
	}
	return answer, nil
}

func sectionMessage(s *store.Section) *controlv1.Section {
	return &controlv1.Section{
		SectionId: s.ID, ParentId: s.Parent, Name: s.Name, Position: int32(s.Position), HeadUserId: s.Head, DeputyUserIds: s.Deputies, //nolint:gosec // small
	}
}

func (s *adminService) PutSection(ctx context.Context, r *controlv1.PutSectionRequest) (*controlv1.PutSectionResponse, error) {
	in := r.GetSection()
	section := store.Section{
		ID: in.GetSectionId(), Parent: in.GetParentId(), Name: in.GetName(), Position: int64(in.GetPosition()),
		Head: in.GetHeadUserId(), Deputies: in.GetDeputyUserIds(),
	}
	if section.ID == "" {
		section.ID = auth.NewID()
	}
	if err := s.cfg.Store.PutSection(ctx, callerOf(ctx).by, section); err != nil {
		return nil, err
	}
	return &controlv1.PutSectionResponse{Section: sectionMessage(&section)}, nil
}

func (s *adminService) DeleteSection(ctx context.Context, r *controlv1.DeleteSectionRequest) (*controlv1.DeleteSectionResponse, error) {
	return &controlv1.DeleteSectionResponse{}, s.cfg.Store.DeleteSection(ctx, callerOf(ctx).by, r.GetSectionId())
}

func (s *adminService) ListUsers(ctx context.Context, r *controlv1.ListUsersRequest) (*controlv1.ListUsersResponse, error) {
	filter := store.UserFilter{Query: r.GetQuery(), Section: r.GetSectionId()}
	users, next, err := s.cfg.Store.Users(ctx, filter, pageOf(r.GetPage()))
	if err != nil {
		return nil, err
	}
	answer := &controlv1.ListUsersResponse{NextToken: next}
	for i := range users {
		m, err := s.userMessage(ctx, &users[i])
		if err != nil {
			return nil, err
		}
		answer.Users = append(answer.Users, m)
	}
	return answer, nil
}

func (s *adminService) userMessage(ctx context.Context, u *store.User) (*controlv1.User, error) {
	until, err := s.cfg.Store.ThrottledUntil(ctx, auth.UserThrottles(u.ID)...)
	if err != nil {
		return nil, err
	}
	return &controlv1.User{
		UserId: u.ID, Name: u.Name, Kana: u.Kana, MainSectionId: u.MainSection, OtherSectionIds: u.OtherSections, Roles: roleList(u.Roles),
		Disabled: u.Disabled, MustChangePassword: u.MustChange, HasTotp: u.TOTPSealed != nil, LockedUntilMs: until,
		CreatedMs: u.CreatedMS, LastSignInMs: u.LastSignInMS, DeviceCount: int32(u.Devices), //nolint:gosec // small
	}, nil
}

// What bounds one call, which is one transaction: each user costs a password hash, and an answer through a door must
// come within a minute. Commands have the time.
const (
	maxNewUsers        = 200
	maxNewUsersCommand = 1000
	// newUsersTime is what users may take that come through a door, well before the answer would come too late: who gets
	// no slips has created nobody.
	newUsersTime = 40 * time.Second
)

func (s *adminService) CreateUsers(ctx context.Context, r *controlv1.CreateUsersRequest) (*controlv1.CreateUsersResponse, error) {
	if len(r.GetUsers()) == 0 {
		return nil, invalid(errors.New("no user"))
	}
	most := maxNewUsers
	if requestOf(ctx).door == Socket {
		most = maxNewUsersCommand
	}
	if n := len(r.GetUsers()); n > most {
		return nil, &failure{code: access.TooManyUsers, status: connect.CodeInvalidArgument, cause: fmt.Errorf("%d users", n)}
	}
	if requestOf(ctx).door != Socket {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, newUsersTime)
		defer cancel()
	}
	var users []store.NewUser
	var slips []*controlv1.Slip
	for _, in := range r.GetUsers() {
		user, slip, err := s.newUser(ctx, in)
		if err != nil {
			return nil, err
		}
		users, slips = append(users, user), append(slips, slip)
	}
	if err := s.cfg.Store.CreateUsers(ctx, callerOf(ctx).by, users); err != nil {
		return nil, err
	}
	return &controlv1.CreateUsersResponse{Slips: slips}, nil
}

// newUser draws the secrets of a user. Only their hashes are kept; the slip has
// them this once.
func (s *adminService) newUser(ctx context.Context, in *controlv1.NewUser) (store.NewUser, *controlv1.Slip, error) {
	roles, err := parseRoles(in.GetRoles())
	if err != nil {
		return store.NewUser{}, nil, err
	}
	id := typed.ID(in.GetUserId())
	password := auth.NewInitialPassword()
	hash, err := s.cfg.Hasher.Hash(ctx, auth.Turn{Reserved: true, From: callerOf(ctx).by.Actor}, password)
	if err != nil {
		return store.NewUser{}, nil, err
	}
	text, code, err := s.newDeviceCode(in.GetDeviceKind(), in.GetInventoryNumber())
	if err != nil {
		return store.NewUser{}, nil, err
	}
	slip, err := s.slip(ctx, id, in.GetName(), in.GetMainSectionId())
	if err != nil {
		return store.NewUser{}, nil, err
	}
	slip.InitialPassword = password
	putCode(slip, text, &code)
	for _, id := range in.GetDeskIds() {
		desk, err := s.cfg.Store.Desk(ctx, id)
		if err != nil {
			return store.NewUser{}, nil, err
		}
		slip.DeskNames = append(slip.DeskNames, desk.Name)
	}
	return store.NewUser{
		ID: id, Name: in.GetName(), Kana: in.GetKana(), MainSection: in.GetMainSectionId(),
		OtherSections: in.GetOtherSectionIds(), Roles: roles, PasswordHash: hash, DeviceCode: &code, Desks: in.GetDeskIds(),
	}, slip, nil
}

func parseRoles(list []controlv1.Role) ([]access.Role, error) {
	roles := make([]access.Role, 0, len(list))
	for _, r := range list {
		if r < controlv1.Role_ROLE_STAFF || r > controlv1.Role_ROLE_ADMIN {
			return nil, invalid(errors.New("role"))
		}
		roles = append(roles, access.Role(r)) //nolint:gosec // 1 to 3
	}
	return roles, nil
}

func (s *adminService) newDeviceCode(kind controlv1.DeviceKind, inventory string) (string, store.NewDeviceCode, error) {
	if kind == controlv1.DeviceKind_DEVICE_KIND_UNSPECIFIED {
		kind = controlv1.DeviceKind_DEVICE_KIND_PRIVATE
	}
	if kind < controlv1.DeviceKind_DEVICE_KIND_LENT || kind > controlv1.DeviceKind_DEVICE_KIND_PRIVATE {
		return "", store.NewDeviceCode{}, invalid(errors.New("device kind"))
	}
	text, hash := auth.NewDeviceCode()
	return text, store.NewDeviceCode{
		Hash: hash, Kind: grant.DeviceKind(kind), Inventory: strings.TrimSpace(inventory), //nolint:gosec // 1 or 2
		UntilMS: s.cfg.Now().Add(auth.DeviceCodeDays * 24 * time.Hour).UnixMilli(),
	}, nil
}

// putCode writes a code, and what it is for, onto a slip.
func putCode(slip *controlv1.Slip, text string, code *store.NewDeviceCode) {
	slip.DeviceCode, slip.DeviceCodeUntilMs = text, code.UntilMS
	slip.DeviceKind, slip.InventoryNumber = controlv1.DeviceKind(code.Kind), code.Inventory
}

// slip begins a slip with what is no secret.
func (s *adminService) slip(ctx context.Context, user, name, section string) (*controlv1.Slip, error) {
	organisation, err := s.cfg.Store.Organisation(ctx)
	if err != nil {
		return nil, err
	}
	names, err := s.sectionNames(ctx)
	if err != nil {
		return nil, err
	}
	return &controlv1.Slip{
		UserId: user, Name: name, SectionName: names[section], Address: strings.TrimSuffix(organisation.Settings.Address, "/"),
		OrganisationName: organisation.Name,
	}, nil
}

func (s *adminService) UpdateUser(ctx context.Context, r *controlv1.UpdateUserRequest) (*controlv1.UpdateUserResponse, error) {
	roles, err := parseRoles(r.GetRoles())
	if err != nil {
		return nil, err
	}
	err = s.cfg.Store.UpdateUser(ctx, callerOf(ctx).by, store.User{
		ID: r.GetUserId(), Name: r.GetName(), Kana: r.GetKana(), MainSection: r.GetMainSectionId(),
		OtherSections: r.GetOtherSectionIds(), Roles: roles,
	})
	if err != nil {
		return nil, err
	}
	user, err := s.cfg.Store.User(ctx, r.GetUserId())
	if err != nil {
		return nil, err
	}
	m, err := s.userMessage(ctx, &user)
	if err != nil {
		return nil, err
	}
	return &controlv1.UpdateUserResponse{User: m}, nil
}

func (s *adminService) ResetPassword(ctx context.Context, r *controlv1.ResetPasswordRequest) (*controlv1.ResetPasswordResponse, error) {
	user, err := s.cfg.Store.User(ctx, r.GetUserId())
	if err != nil {
		return nil, err
	}
	password := auth.NewInitialPassword()
	hash, err := s.cfg.Hasher.Hash(ctx, auth.Turn{Reserved: true, From: callerOf(ctx).by.Actor}, password)
	if err != nil {
		return nil, err
	}
	slip, err := s.slip(ctx, user.ID, user.Name, user.MainSection)
	if err != nil {
		return nil, err
	}
	by := callerOf(ctx).by
	running, err := s.cfg.Store.ResetPassword(ctx, by, user.ID, hash)
	if err != nil {
		return nil, err
	}
	if _, err := s.cfg.Sessions.EndAll(ctx, by, running, "password_reset"); err != nil {
		return nil, err
	}
	slip.InitialPassword = password
	return &controlv1.ResetPasswordResponse{Slip: slip}, nil
}

func (s *adminService) SetUserDisabled(ctx context.Context, r *controlv1.SetUserDisabledRequest) (*controlv1.SetUserDisabledResponse, error) {
	if err := checkID(r.GetUserId()); err != nil {
		return nil, err
	}
	by := callerOf(ctx).by
	if !r.GetDisabled() {
		_, err := s.cfg.Store.SetUserDisabled(ctx, by, r.GetUserId(), false)
		return &controlv1.SetUserDisabledResponse{}, err
	}
	running, unwritten := s.cfg.Sessions.TakeAway(ctx, by, session.Taking{
		Kind: audit.UserDisabled, From: store.SessionFilter{User: r.GetUserId()},
		Do: func(ctx context.Context, by store.By) ([]store.Session, error) {
			return s.cfg.Store.SetUserDisabled(ctx, by, r.GetUserId(), true)
		},
	})
	_, err := s.cfg.Sessions.EndAll(ctx, by, running, "user_disabled")
	return &controlv1.SetUserDisabledResponse{}, errors.Join(unwritten, err)
}

func (s *adminService) UnlockUser(ctx context.Context, r *controlv1.UnlockUserRequest) (*controlv1.UnlockUserResponse, error) {
	if _, err := s.cfg.Store.User(ctx, r.GetUserId()); err != nil {
		return nil, err
	}
	err := s.cfg.Store.Unlock(ctx, callerOf(ctx).by, r.GetUserId(), auth.UserThrottles(r.GetUserId())...)
	return &controlv1.UnlockUserResponse{}, err
}

func (s *adminService) CreateDeviceCode(ctx context.Context, r *controlv1.CreateDeviceCodeRequest) (*controlv1.CreateDeviceCodeResponse, error) {
	user, err := s.cfg.Store.User(ctx, r.GetUserId())
	if err != nil {
		return nil, err
	}
	text, code, err := s.newDeviceCode(r.GetDeviceKind(), r.GetInventoryNumber())
	if err != nil {
		return nil, err
	}
	slip, err := s.slip(ctx, user.ID, user.Name, user.MainSection)
	if err != nil {
		return nil, err
	}
	if err := s.cfg.Store.AddDeviceCode(ctx, callerOf(ctx).by, user.ID, code); err != nil {
		return nil, err
	}
	putCode(slip, text, &code)
	return &controlv1.CreateDeviceCodeResponse{Slip: slip}, nil
}
