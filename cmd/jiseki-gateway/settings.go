package main

import (
	"context"
	"encoding/json"
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
}

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
		r, err := admin.UpdateSettings(ctx, &controlv1.UpdateSettingsRequest{Settings: changed, Revision: now.GetRevision()})
		if err != nil {
			return err
		}
		return c.out.message(r, func() {})
	})
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
