package demo

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/calendar"
	"jiseki/internal/gateway"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/gen/jiseki/control/v1/controlv1connect"
)

// pastDays is how long ago the town was founded.
const pastDays = 35

// holidays are the national ones of the fiscal years 2026 and 2027, as the Cabinet Office writes them.
//
//go:embed holidays.csv
var holidays []byte

// A townClock stands where the founding has come to.
type townClock struct{ now time.Time }

// Now is the clock's time.
func (c *townClock) Now() time.Time { return c.now }

// A founding makes a town with a past: everything is done through the gateway's own services and store, on a clock that begins
// five weeks ago.
type founding struct {
	town     *Town
	cfg      gateway.Config
	clock    *townClock
	accounts *Accounts
	sections map[string]string // ids by name
	desks    map[string]string // ids by name

	admin  controlv1connect.AdminServiceClient
	policy controlv1connect.PolicyServiceClient
}

// found creates organisation, sections, staff and desks, lets a month go by until it began, and gives out fresh device codes.
func (t *Town) found(ctx context.Context, began time.Time) (*Accounts, error) {
	// A founding that was broken off left half a town.
	if err := os.RemoveAll(t.path("gateway")); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(t.path("gateway"), 0o700); err != nil {
		return nil, err
	}
	cfg, err := gateway.LoadConfig(t.path("gateway.toml"))
	if err != nil {
		return nil, err
	}
	f := &founding{
		town: t, cfg: cfg, clock: &townClock{calendar.DateOf(began).Add(-pastDays).Monday().At(8 * 60)},
		accounts: &Accounts{Address: t.Address()}, sections: map[string]string{}, desks: map[string]string{},
	}
	slip, err := gateway.Init(ctx, cfg, gateway.Environment{Now: f.clock.Now}, gateway.Founding{
		Organisation: organisation, Address: t.Address(), AdminID: adminID, AdminName: adminName, Settings: settings, Furnish: f.furnish,
	})
	if err != nil {
		return nil, err
	}
	f.accounts.People = append([]Person{{ID: adminID, Name: adminName, Role: "管理者", Password: slip.GetInitialPassword()}}, f.accounts.People...)
	f.accounts.Desk = f.desks[deskName]
	t.cfg.Say("先月からのテレワークを再現しています… (letting a month of telework go by)")
	if err := f.letPass(ctx, began); err != nil {
		return nil, fmt.Errorf("the past month: %w", err)
	}
	if err := f.giveCodes(ctx); err != nil {
		return nil, err
	}
	return f.accounts, t.keep(f.accounts)
}

// settings are the organisation's. Whoever tries the demo may do so in the evening or on a Sunday: so night and days off stay open, and
// nothing happens at the end of hours, unless a rule says otherwise.
func settings(s *access.Settings) {
	s.OfficeNetworks = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("::1/128")}
	s.Policy.Rules = []access.PolicyRule{{
		AtEnd: access.EndNothing, Night: access.AllowYes, DaysOff: access.AllowYes, OnBreak: access.BreakLock, Registration: access.AllowYes,
		DaysPerWeek: 3, ApplySet: true, ApplyDaysBefore: 1, ApplyMinute: 17 * 60, AfterFact: access.AllowYes,
	}}
}

// furnish does what the administrator did first.
func (f *founding) furnish(ctx context.Context, admin controlv1connect.AdminServiceClient, policy controlv1connect.PolicyServiceClient) error {
	f.admin, f.policy = admin, policy
	for _, do := range []func(context.Context) error{f.open, f.hire, f.lead, f.rule, f.register} {
		f.clock.now = f.clock.now.Add(3 * time.Minute)
		if err := do(ctx); err != nil {
			return err
		}
	}
	return nil
}

// open makes the sections, and the calendar of the town hall.
func (f *founding) open(ctx context.Context) error {
	for i, o := range offices {
		r, err := f.admin.PutSection(ctx, &controlv1.PutSectionRequest{Section: &controlv1.Section{
			Name: o.name, ParentId: f.sections[o.above], Position: int32(i), //nolint:gosec // a few
		}})
		if err != nil {
			return fmt.Errorf("section %s: %w", o.name, err)
		}
		f.sections[o.name] = r.GetSection().GetSectionId()
	}
	r, err := f.policy.ImportHolidays(ctx, &controlv1.ImportHolidaysRequest{Csv: holidays})
	if err == nil && r.GetRefusal() != nil {
		err = fmt.Errorf("%v", r.GetRefusal().GetErrors())
	}
	if err != nil {
		return fmt.Errorf("holidays: %w", err)
	}
	return nil
}

// hire makes users and their desks.
func (f *founding) hire(ctx context.Context) error {
	users := map[string][]string{}
	var all []*controlv1.NewUser
	for _, r := range cast {
		users[r.desk] = append(users[r.desk], r.id)
		roles := []controlv1.Role{controlv1.Role_ROLE_STAFF}
		if r.post == head || r.post == deputy {
			roles = append(roles, controlv1.Role_ROLE_APPROVER)
		}
		all = append(all, &controlv1.NewUser{
			UserId: r.id, Name: r.name, Kana: r.kana, MainSectionId: f.sections[r.section], Roles: roles,
			DeviceKind: controlv1.DeviceKind_DEVICE_KIND_LENT, InventoryNumber: inventoryOf(r.id),
		})
	}
	hired, err := f.admin.CreateUsers(ctx, &controlv1.CreateUsersRequest{Users: all})
	if err != nil {
		return fmt.Errorf("users: %w", err)
	}
	for i, slip := range hired.GetSlips() {
		f.accounts.People = append(f.accounts.People, Person{ID: cast[i].id, Name: cast[i].name, Role: cast[i].title, Password: slip.GetInitialPassword()})
	}
	for _, r := range cast {
		if f.desks[r.desk] != "" {
			continue
		}
		zone := controlv1.Zone_ZONE_LGWAN
		if r.desk == deskName {
			zone = controlv1.Zone_ZONE_INTERNET // so that the clipboard can be tried
		}
		put, err := f.admin.PutDesk(ctx, &controlv1.PutDeskRequest{
			Name: r.desk, Zone: zone, SectionId: f.sections[r.section], UserIds: users[r.desk],
		})
		if err != nil {
			return fmt.Errorf("desk %s: %w", r.desk, err)
		}
		f.desks[r.desk] = put.GetDesk().GetDeskId()
	}
	return nil
}

// lead names heads and deputies.
func (f *founding) lead(ctx context.Context) error {
	for i, o := range offices {
		section := &controlv1.Section{
			SectionId: f.sections[o.name], Name: o.name, ParentId: f.sections[o.above], Position: int32(i), //nolint:gosec // a few
			HeadUserId: boss(o.name),
		}
		if d := second(o.name); d != "" {
			section.DeputyUserIds = []string{d}
		}
		if _, err := f.admin.PutSection(ctx, &controlv1.PutSectionRequest{Section: section}); err != nil {
			return fmt.Errorf("head of %s: %w", o.name, err)
		}
	}
	return nil
}

// rule adds what differs between the sections.
func (f *founding) rule(ctx context.Context) error {
	now, err := f.policy.GetPolicy(ctx, &controlv1.GetPolicyRequest{})
	if err != nil {
		return fmt.Errorf("policy: %w", err)
	}
	policy := now.GetPolicy()
	policy.Rules = append(policy.Rules,
		&controlv1.PolicyRule{SectionId: f.sections["総務課"], Approval: controlv1.ApprovalNeed_APPROVAL_NEED_NEVER},
		&controlv1.PolicyRule{SectionId: f.sections["税務課"], Approval: controlv1.ApprovalNeed_APPROVAL_NEED_ALWAYS},
		&controlv1.PolicyRule{
			SectionId: f.sections["福祉課"], Approval: controlv1.ApprovalNeed_APPROVAL_NEED_ALWAYS, AtEnd: controlv1.AtEnd_AT_END_WARN,
			PersonalData: controlv1.Allow_ALLOW_NO,
		},
		&controlv1.PolicyRule{Employment: "fiscal-year", DaysPerWeek: 1, AtEnd: controlv1.AtEnd_AT_END_END},
	)
	_, err = f.policy.UpdatePolicy(ctx, &controlv1.UpdatePolicyRequest{Policy: policy, Revision: now.GetRevision()})
	if err != nil {
		return fmt.Errorf("policy: %w", err)
	}
	return nil
}

// register enters what policy looks at of each user, and registers all for the year.
func (f *founding) register(ctx context.Context) error {
	today := calendar.DateOf(f.clock.now)
	for _, r := range cast {
		m := &controlv1.StaffMember{
			UserId: r.id, Employment: r.employment, Mail: r.id + "@town.yamato.example.jp", Clerk: r.post == clerk,
			RegisteredUntil: today.Add(pastDays).FiscalYearEnd().String(),
		}
		switch r.id {
		case shortUser:
			m.Hours = own(today, shortHours, "育児短時間勤務")
		case earlyUser:
			m.Hours = own(today, earlyHours, "早出")
		}
		if _, err := f.policy.UpdateStaff(ctx, &controlv1.UpdateStaffRequest{Member: m}); err != nil {
			return fmt.Errorf("staff member %s: %w", r.id, err)
		}
	}
	return nil
}

// own are hours of somebody's own, Monday to Friday.
func own(from calendar.Date, h calendar.Hours, note string) []*controlv1.DatedHours {
	return []*controlv1.DatedHours{{From: from.String(), Weekdays: 0b11111, Note: note, Hours: &controlv1.WorkingHours{
		StartMinute: int32(h.Start), EndMinute: int32(h.End), BreakStartMinute: int32(h.BreakStart), BreakEndMinute: int32(h.BreakEnd), //nolint:gosec // minutes of a day
	}}}
}

// giveCodes gives out device codes that count from now, for those of the founding have expired.
func (f *founding) giveCodes(ctx context.Context) (err error) {
	admin, done, err := gateway.OpenAdmin(ctx, f.cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	for i := range f.accounts.People {
		p := &f.accounts.People[i]
		r, err := admin.CreateDeviceCode(ctx, &controlv1.CreateDeviceCodeRequest{UserId: p.ID, DeviceKind: controlv1.DeviceKind_DEVICE_KIND_LENT, InventoryNumber: inventoryOf(p.ID)})
		if err != nil {
			return fmt.Errorf("device code of %s: %w", p.ID, err)
		}
		p.Code = r.GetSlip().GetDeviceCode()
	}
	return nil
}

// keys is the folder of the gateway's keys.
func (f *founding) keys() string { return filepath.Join(f.cfg.DataDir, "keys") }
