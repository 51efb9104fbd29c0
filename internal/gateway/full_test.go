//go:build linux

package gateway_test

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"jiseki/internal/cert"
	"jiseki/internal/gateway"
	"jiseki/internal/gateway/gatewaytest"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
)

// smallDisk is a file system of 64 MiB that ends with the test.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("jiseki-test", dir, "tmpfs", 0, "size=64m"); errors.Is(err, syscall.EPERM) {
		t.Skip("only root may make a small disk")
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fillDisk leaves no room on the disk of a file.
func fillDisk(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size > 0; {
		if _, err := f.Write(make([]byte, size)); errors.Is(err, syscall.ENOSPC) {
			size /= 2
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// exhaust has the gateway write until it cannot: a database goes on for a while in the room that it has taken before.
func exhaust(t *testing.T, write func() error) {
	t.Helper()
	for range 20_000 {
		if err := write(); err != nil {
			if got := codeOf(t, err); got != "disk_full" && got != "unwritten" {
				t.Fatalf("a full disk is said as %s", got)
			}
			return
		}
	}
	t.Fatal("the database never became full")
}

func health(t *testing.T, town *gatewaytest.Town) int {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: town.TLS()}}
	defer client.CloseIdleConnections()
	r, err := client.Get("https://" + town.Host + "/healthz") //nolint:noctx // of this machine
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	_, _ = io.Copy(io.Discard, r.Body)
	return r.StatusCode
}

// eventually waits until something holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(90 * time.Second); !holds(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

// TestFullDiskStopsPeopleAllTheSame: with a full disk nothing begins, and who must be stopped is stopped: first out of
// the reserve, then even when nothing can be written, which is made up for when there is room again.
func TestFullDiskStopsPeopleAllTheSame(t *testing.T) {
	disk := smallDisk(t)
	town := gatewaytest.Start(t, gatewaytest.WithConfig(func(c *gateway.Config) { c.DataDir = filepath.Join(disk, "data") }))
	reserve, filler := filepath.Join(town.Config.DataDir, "reserve"), filepath.Join(disk, "filler")
	open := func(user, name string, noise byte) (agent *gatewaytest.Agent, session []byte) {
		staff := town.Staff(t, user, name)
		agent = town.NewAgent(t, "総務課 "+user, user)
		_, g := staff.Connect(t, agent.Desk, cert.NoiseKey{noise})
		agent.Report(t, g.Session[:], controlv1.SessionEventKind_SESSION_EVENT_KIND_OPENED, 0)
		return agent, g.Session[:]
	}
	tanakas, _ := open("tanaka", "田中 太郎", 1)
	suzukis, second := open("suzuki", "鈴木 花子", 2)
	if status := health(t, town); status != http.StatusOK {
		t.Fatalf("health of a sound gateway: %d", status)
	}

	section := func() error {
		name := strings.Repeat("課", 60)
		_, err := town.Admin.PutSection(t.Context(), &controlv1.PutSectionRequest{Section: &controlv1.Section{Name: name}})
		return err
	}
	fillDisk(t, filler)
	exhaust(t, section)
	if _, err := town.Admin.SetUserDisabled(t.Context(), &controlv1.SetUserDisabledRequest{UserId: "tanaka", Disabled: true}); err != nil {
		t.Fatalf("nobody can be stopped: %v", err)
	}
	awaitEndOrder(t, tanakas)
	if _, err := os.Stat(reserve); err == nil {
		t.Error("there was room without the reserve: the disk was not full")
	}
	eventually(t, "health says that the disk is full", func() bool { return health(t, town) == http.StatusServiceUnavailable })

	if err := section(); err == nil {
		t.Error("the reserve serves whoever comes")
	}
	fillDisk(t, filler)
	exhaust(t, func() error {
		_, err := town.Admin.SetUserDisabled(t.Context(), &controlv1.SetUserDisabledRequest{UserId: "tanaka", Disabled: true})
		return err
	})
	_, err := town.Admin.EndAnySession(t.Context(), &controlv1.EndAnySessionRequest{SessionId: second, Reason: "試験"})
	if got := codeOf(t, err); got != "unwritten" {
		t.Errorf("an end that cannot be written is answered with %s", got)
	}
	awaitEndOrder(t, suzukis)

	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the end is written down", func() bool {
		r, err := town.Admin.ListSessions(t.Context(), &controlv1.ListSessionsRequest{UserId: "suzuki", RunningOnly: true})
		return err == nil && len(r.GetSessions()) == 0
	})
	eventually(t, "the reserve is there again", func() bool { return health(t, town) == http.StatusOK })
	if r, err := town.Admin.VerifyEvents(t.Context(), &controlv1.VerifyEventsRequest{}); err != nil || !r.GetIntact() {
		t.Errorf("audit log after a full disk: %v, %v", r, err)
	}
}

// TestFullDiskOwesNoReportOfARevokedDevice: what takes nothing away is refused while there is no room, and takes no place among what is
// made up for.
func TestFullDiskOwesNoReportOfARevokedDevice(t *testing.T) {
	disk := smallDisk(t)
	town := gatewaytest.Start(t, gatewaytest.WithConfig(func(c *gateway.Config) { c.DataDir = filepath.Join(disk, "data") }))
	chief, worker, _ := section(t, town)
	report := func() error {
		_, err := chief.ReportLost(t.Context(), &controlv1.ReportLostRequest{DeviceId: worker.Device})
		return err
	}
	if _, err := town.Admin.RevokeDevice(t.Context(), &controlv1.RevokeDeviceRequest{DeviceId: worker.Device}); err != nil {
		t.Fatal(err)
	}
	filler := filepath.Join(disk, "filler")
	fillDisk(t, filler)
	exhaust(t, func() error {
		name := strings.Repeat("課", 60)
		_, err := town.Admin.PutSection(t.Context(), &controlv1.PutSectionRequest{Section: &controlv1.Section{Name: name}})
		return err
	})
	if got := codeOf(t, report()); got != "disk_full" {
		t.Errorf("a report of a device that is revoked is answered with %s", got)
	}
	if err := os.Remove(filler); err != nil { // the gateway stops in good order
		t.Fatal(err)
	}
}

// TestFullDiskLocksDesks: an order to lock a desk that stands open is sent, with the reserve and without.
func TestFullDiskLocksDesks(t *testing.T) {
	disk := smallDisk(t)
	town := gatewaytest.Start(t, gatewaytest.WithConfig(func(c *gateway.Config) { c.DataDir = filepath.Join(disk, "data") }))
	agent := town.NewAgent(t, "総務課 1")
	lock := func() {
		t.Helper()
		answered := make(chan struct{})
		go func() {
			defer close(answered)
			_, _ = town.Admin.LockDesk(t.Context(), &controlv1.LockDeskRequest{DeskId: agent.Desk})
		}()
		awaitOrder(t, agent, "lock", func(o *controlv1.Order) bool { return o.GetLock() != nil })
		<-answered
	}
	filler := filepath.Join(disk, "filler")
	for range 2 {
		fillDisk(t, filler)
		exhaust(t, func() error {
			name := strings.Repeat("課", 60)
			_, err := town.Admin.PutSection(t.Context(), &controlv1.PutSectionRequest{Section: &controlv1.Section{Name: name}})
			return err
		})
		lock()
	}
	if err := os.Remove(filler); err != nil { // the gateway stops in good order
		t.Fatal(err)
	}
}

// TestShortDiskStarts: a gateway starts where there is no room for its reserve, so that people can be stopped.
func TestShortDiskStarts(t *testing.T) {
	disk := smallDisk(t)
	town := gatewaytest.Start(t, gatewaytest.WithConfig(func(c *gateway.Config) { c.DataDir = filepath.Join(disk, "data") }))
	staff := town.Staff(t, "tanaka", "田中 太郎")
	town.Stop(t)
	reserve, filler := filepath.Join(disk, "data", "reserve"), filepath.Join(disk, "filler")
	size, err := os.Stat(reserve)
	if err != nil {
		t.Fatal(err)
	}
	fillDisk(t, filler)
	if err := os.Remove(reserve); err != nil { // as a disk that was short left it
		t.Fatal(err)
	}
	room := filepath.Join(disk, "more")
	if err := os.WriteFile(room, make([]byte, size.Size()/4), 0o600); err != nil { // less is left than the reserve takes
		t.Fatal(err)
	}
	town.Run(t)
	if got := health(t, town); got == http.StatusOK {
		t.Errorf("health says %d", got)
	}
	if _, err := town.Admin.SetUserDisabled(t.Context(), &controlv1.SetUserDisabledRequest{UserId: "tanaka", Disabled: true}); err != nil {
		t.Errorf("nobody can be disabled: %v", err)
	}
	if r, err := staff.Auth.GetMe(t.Context(), &controlv1.GetMeRequest{}); err == nil && r.GetMe() != nil {
		t.Error("a user who was disabled is signed in")
	}
}

func awaitEndOrder(t *testing.T, agent *gatewaytest.Agent) {
	t.Helper()
	awaitOrder(t, agent, "end the session", func(o *controlv1.Order) bool { return o.GetEndSession() != nil })
}

func awaitOrder(t *testing.T, agent *gatewaytest.Agent, what string, is func(*controlv1.Order) bool) {
	t.Helper()
	for late := time.After(90 * time.Second); ; {
		select {
		case o := <-agent.Orders():
			if is(o) {
				return
			}
		case <-late:
			t.Fatalf("the desk was not told to %s", what)
		}
	}
}
