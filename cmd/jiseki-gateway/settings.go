package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"

	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/gen/jiseki/control/v1/controlv1connect"
)

type settingCommands struct {
	Show settingsShow `cmd:"" default:"1" help:"Print the settings."`
	Set  settingsSet  `cmd:"" help:"Change settings."`
}

type settingsShow struct{}

func (*settingsShow) Run(c *console) error {
	return c.admin(func(ctx context.Context, admin controlv1connect.AdminServiceClient) error {
		r, err := admin.GetSettings(ctx, &controlv1.GetSettingsRequest{})
		if err != nil {
			return err
		}
		return c.out.message(r, func() { printSettings(c.out, r.GetSettings()) })
	})
}

func printSettings(o *output, s *controlv1.Settings) {
	fields, err := settingFields(s)
	if err != nil {
		o.line("%v", err)
		return
	}
	names := make([]string, 0, len(fields))
	for name := range fields {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		o.line("%s = %s", name, fields[name])
	}
}

// settingFields are the settings by name, each as JSON.
func settingFields(s *controlv1.Settings) (map[string]json.RawMessage, error) {
	b, err := protojson.MarshalOptions{UseProtoNames: true, EmitUnpopulated: true}.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	fields := make(map[string]json.RawMessage)
	return fields, json.Unmarshal(b, &fields)
}

type settingsSet struct {
	Changes []string `arg:"" help:"NAME=VALUE; lists as JSON, such as office_networks='[\"10.0.0.0/8\"]'."`
	Yes     bool     `help:"Change also what locks people out, after reading what follows."`
}

// errNotChanged ends a command that would lock people out and has not been told to.
var errNotChanged = errors.New("nothing was changed: repeat the command with --yes if that is meant")

func (s *settingsSet) Run(c *console) error {
	return c.admin(func(ctx context.Context, admin controlv1connect.AdminServiceClient) error {
		now, err := admin.GetSettings(ctx, &controlv1.GetSettingsRequest{})
		if err != nil {
			return err
		}
		changed, err := changeSettings(now.GetSettings(), s.Changes)
		if err != nil {
			return err
		}
		if err := s.warn(ctx, c, admin, now.GetSettings(), changed); err != nil {
			return err
		}
		r, err := admin.UpdateSettings(ctx, &controlv1.UpdateSettingsRequest{Settings: changed, Revision: now.GetRevision()})
		if err != nil {
			return err
		}
		return c.out.message(r, func() {})
	})
}

// warn says who is locked out by a change, before it is made.
func (s *settingsSet) warn(ctx context.Context, c *console, admin controlv1connect.AdminServiceClient, before, after *controlv1.Settings) error {
	var follows []string
	if after.GetTotpRequiredOutside() && !before.GetTotpRequiredOutside() {
		without, all, err := withoutTOTP(ctx, admin)
		if err != nil {
			return err
		}
		follows = append(follows, fmt.Sprintf(c.out.say(
			"庁外では、ワンタイムパスワードを設定していない利用者（%d人中%d人）は、設定を終えるまでポータルと自席端末を使えません。設定は、庁内で、または登録済みの接続元端末で、各自が行います。",
			"Outside, users who have not set up one-time passwords (of %d users %d) cannot use the portal and desks until they have. Each sets them up in the office or on an enrolled device."), all, without))
	}
	if asksApproval(after) && !asksApproval(before) {
		follows = append(follows, c.out.say(
			"庁外からは、承認された申請または命令がある時間のほか、自席端末に接続できなくなります（非常時を宣言している間を除く）。"+
				"それがない接続は、いま続いているものも終了します。先に、各所属に所属長と代決者を登録してください。",
			"From outside desks open only in the time of an approved request or an order, except while an emergency is declared. "+
				"Sessions without one end, those that run now too. Give each section a head and deputies first."))
	}
	for _, line := range follows {
		fmt.Fprintln(c.errs, line)
	}
	if len(follows) > 0 && !s.Yes {
		return errNotChanged
	}
	return nil
}

// asksApproval says whether settings let nobody in without an approved request.
func asksApproval(s *controlv1.Settings) bool { return s.GetApprovalRequired() && !s.GetEmergency() }

// withoutTOTP counts the users who are not disabled, and those of them who have no one-time passwords.
func withoutTOTP(ctx context.Context, admin controlv1connect.AdminServiceClient) (without, all int, err error) {
	err = everyPage(func(page *controlv1.Page) (string, error) {
		r, err := admin.ListUsers(ctx, &controlv1.ListUsersRequest{Page: page})
		if err != nil {
			return "", err
		}
		for _, u := range r.GetUsers() {
			if u.GetDisabled() {
				continue
			}
			all++
			if !u.GetHasTotp() {
				without++
			}
		}
		return r.GetNextToken(), nil
	})
	return without, all, err
}

// changeSettings applies NAME=VALUE to a copy. A name that is none is an error,
// for a misspelt rule must not be silently missing.
func changeSettings(now *controlv1.Settings, changes []string) (*controlv1.Settings, error) {
	fields, err := settingFields(now)
	if err != nil {
		return nil, err
	}
	for _, change := range changes {
		name, value, ok := strings.Cut(change, "=")
		before, known := fields[name]
		if !ok || !known {
			return nil, fmt.Errorf("%q is not NAME=VALUE with the name of a setting", change)
		}
		fields[name] = settingValue(value, before)
	}
	b, err := json.Marshal(fields)
	if err != nil {
		return nil, fmt.Errorf("write settings: %w", err)
	}
	changed := &controlv1.Settings{}
	if err := protojson.Unmarshal(b, changed); err != nil {
		return nil, fmt.Errorf("a value does not fit: %w", err)
	}
	return changed, nil
}

// settingValue lets texts be typed without quotes.
func settingValue(typed string, before json.RawMessage) json.RawMessage {
	if len(before) > 0 && before[0] == '"' && !strings.HasPrefix(typed, `"`) {
		quoted, _ := json.Marshal(typed) // a string can always be written
		return quoted
	}
	return json.RawMessage(typed)
}
