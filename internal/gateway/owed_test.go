//go:build linux

package gateway_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"jiseki/internal/gateway"
	"jiseki/internal/gateway/gatewaytest"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
)

// TestFullDiskOwesOnlyWhatTakesAway: of what could not be written only what takes something away is made up for, and nothing that was
// decided since is undone by it.
func TestFullDiskOwesOnlyWhatTakesAway(t *testing.T) {
	disk := smallDisk(t)
	town := gatewaytest.Start(t, gatewaytest.WithConfig(func(c *gateway.Config) { c.DataDir = filepath.Join(disk, "data") }))
	filler := filepath.Join(disk, "filler")
	for user, name := range map[string]string{"tanaka": "田中 太郎", "suzuki": "鈴木 花子", "nobody": "無名 次郎"} {
		town.Staff(t, user, name)
	}
	renamed, taken := town.NewAgent(t, "総務課 1", "tanaka", "suzuki"), town.NewAgent(t, "総務課 2", "tanaka", "suzuki")
	put := func(desk, name string, users ...string) error {
		_, err := town.Admin.PutDesk(t.Context(), &controlv1.PutDeskRequest{
			DeskId: desk, Name: name, Zone: controlv1.Zone_ZONE_INTERNET, UserIds: users,
		})
		return err
	}
	is := func(desk string) string {
		list, err := town.Admin.ListAllDesks(t.Context(), &controlv1.ListAllDesksRequest{})
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(list.GetDesks(), func(d *controlv1.Desk) bool { return d.GetDeskId() == desk })
		return list.GetDesks()[i].GetName() + ": " + strings.Join(list.GetDesks()[i].GetUserIds(), " ")
	}
	fillDisk(t, filler)
	exhaust(t, func() error {
		_, err := town.Admin.SetUserDisabled(t.Context(), &controlv1.SetUserDisabledRequest{UserId: "nobody", Disabled: true})
		fillDisk(t, filler)
		return err
	})
	if got := codeOf(t, put(renamed.Desk, "窓側", "tanaka", "suzuki", "nobody")); got != "disk_full" {
		t.Errorf("a new name and one user more are answered with %s", got)
	}
	if got := codeOf(t, put(taken.Desk, "窓側", "tanaka", "nobody")); got != "unwritten" {
		t.Errorf("one user less is answered with %s", got)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if err := put(renamed.Desk, "総務課 1", "tanaka"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "what was taken away is written", func() bool { return is(taken.Desk) == "総務課 2: tanaka" })
	if got := is(renamed.Desk); got != "総務課 1: tanaka" {
		t.Errorf("a desk that was decided about since is %q", got)
	}
}

// TestDeskThatGoesInAFullDiskIsOff: a desk that goes while nothing can be recorded is off as soon as there is room.
func TestDeskThatGoesInAFullDiskIsOff(t *testing.T) {
	disk := smallDisk(t)
	var log notebook
	town := gatewaytest.Start(t, gatewaytest.WithLog(slog.New(slog.NewTextHandler(&log, nil))),
		gatewaytest.WithConfig(func(c *gateway.Config) { c.DataDir = filepath.Join(disk, "data") }))
	filler := filepath.Join(disk, "filler")
	town.Staff(t, "tanaka", "田中 太郎")
	agent := town.NewAgent(t, "総務課 1", "tanaka")
	fillDisk(t, filler)
	exhaust(t, func() error {
		name := strings.Repeat("課", 60)
		_, err := town.Admin.PutSection(t.Context(), &controlv1.PutSectionRequest{Section: &controlv1.Section{Name: name}})
		return err
	})
	agent.Disconnect()
	<-agent.Ended()
	eventually(t, "the end of a channel is not recorded", func() bool {
		return strings.Contains(log.String(), "the end of a control channel is not recorded")
	})
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	agent.AwaitState(t, controlv1.DeskState_DESK_STATE_OFF)
}
