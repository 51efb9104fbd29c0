package gateway_test

import (
	"fmt"
	"testing"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/cert"
	"jiseki/internal/gateway/gatewaytest"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/grant"
	"jiseki/internal/store"
)

// BenchmarkListDesks is what every open portal asks for every few seconds, while 199 other sessions run: sign-in,
// policy, circumstances and decision of one desk.
func BenchmarkListDesks(b *testing.B) {
	town := gatewaytest.Start(b)
	tanaka := town.Staff(b, "tanaka", "田中 太郎")
	suzuki := town.Staff(b, "suzuki", "鈴木 一郎")
	town.NewAgent(b, "総務課 1", "tanaka")
	town.Stop(b)
	crowdSessions(b, town, suzuki, 199)
	town.Run(b)
	b.ResetTimer()
	for b.Loop() {
		if _, err := tanaka.Desks.ListDesks(b.Context(), &controlv1.ListDesksRequest{}); err != nil {
			b.Fatal(err)
		}
	}
}

// crowdSessions has so many desks of suzuki in session.
func crowdSessions(b *testing.B, town *gatewaytest.Town, who *gatewaytest.Browser, n int) {
	b.Helper()
	s, err := store.Open(b.Context(), store.Config{DSN: "sqlite:" + town.Config.DataDir + "/jiseki.db", Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	by := store.By{Actor: "cli:test"}
	for i := range n {
		id := fmt.Sprintf("desk-%d", i)
		if err := s.AddDesk(b.Context(), by, store.Desk{ID: id, Name: id, Zone: grant.ZoneInternet, Users: []string{"suzuki"}}); err != nil {
			b.Fatal(err)
		}
		x := store.Session{
			ID: cert.SessionID{byte(i), byte(i >> 8), 1}, User: "suzuki", Device: who.Device, Desk: id, Place: access.Home, Viewer: grant.ViewerBrowser,
			Rights: grant.RightView | grant.RightInput, Gateway: "another", UntilMS: time.Now().Add(time.Hour).UnixMilli(),
		}
		if err := s.PrepareSession(b.Context(), x); err != nil {
			b.Fatal(err)
		}
		if _, err := s.GrantSession(b.Context(), store.By{Actor: "user:suzuki"}, [32]byte{}, x); err != nil {
			b.Fatal(err)
		}
	}
}
