package gateway_test

import (
	"net/http"
	"net/netip"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/cert"
	"jiseki/internal/enrol"
	"jiseki/internal/gateway"
	"jiseki/internal/gateway/gatewaytest"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/gen/jiseki/control/v1/controlv1connect"
	"jiseki/internal/grant"
	"jiseki/internal/store"
)

// TestMyNumberExample: the configuration in docs/OPERATIONS.md is one of a gateway for zone mynumber alone.
func TestMyNumberExample(t *testing.T) {
	page, err := os.ReadFile("../../docs/OPERATIONS.md")
	if err != nil {
		t.Fatal(err)
	}
	example := regexp.MustCompile("(?s)## A gateway for zone mynumber.*?```toml\n(.*?)```").FindSubmatch(page)
	if example == nil {
		t.Fatal("no example")
	}
	cfg, err := load(t, string(example[1]))
	if err != nil || !cfg.MyNumber() || cfg.Office.Shared || cfg.Public.Address == "" {
		t.Errorf("%+v, %v", cfg, err)
	}
}

// TestMyNumberInEveryMode: a gateway of its own serves such desks to satellite networks and to nobody else, in an
// emergency and with every rule open too.
func TestMyNumberInEveryMode(t *testing.T) {
	for name, c := range map[string]struct {
		settings func(*access.Settings)
		why      string
	}{
		"satellite": {func(s *access.Settings) { s.SatelliteNetworks = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} }, ""},
		"home":      {func(*access.Settings) {}, "mynumber_place"},
		"office":    {func(s *access.Settings) { s.OfficeNetworks = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} }, "mynumber_place"},
		"home, emergency, everything open": {func(s *access.Settings) {
			s.Emergency, s.ClipboardInternet = true, true
			s.Policy.Rules = []access.PolicyRule{{
				Telework: access.AllowYes, Approval: access.ApprovalNever, AtEnd: access.EndNothing, Night: access.AllowYes,
				DaysOff: access.AllowYes, Office: access.AllowYes, SecondFactor: access.SecondNever,
			}}
		}, "mynumber_place"},
	} {
		t.Run(name, func(t *testing.T) {
			town := gatewaytest.Start(t, gatewaytest.WithSettings(c.settings),
				gatewaytest.WithConfig(func(cfg *gateway.Config) { cfg.Zones = []string{cert.ZoneMyNumber} }))
			tanaka := town.Staff(t, "tanaka", "田中 太郎")
			desk, err := town.Admin.PutDesk(t.Context(), &controlv1.PutDeskRequest{
				Name: "住民 1", Zone: controlv1.Zone_ZONE_MYNUMBER, UserIds: []string{"tanaka"},
			})
			if err != nil {
				t.Fatal(err)
			}
			token, err := town.Admin.CreateDeskToken(t.Context(), &controlv1.CreateDeskTokenRequest{DeskId: desk.GetDesk().GetDeskId()})
			if err != nil {
				t.Fatal(err)
			}
			agent := town.EnrolAgent(t, token.GetToken())
			agent.Connect(t)
			if got := codes(tanaka.Prepare(t, agent.Desk).GetRefusal()); got != c.why {
				t.Fatalf("%q, want %q", got, c.why)
			}
			if c.why != "" {
				return
			}
			if _, g := tanaka.Connect(t, agent.Desk, cert.NoiseKey{1}); g.Rights != grant.RightView|grant.RightInput || g.Zone != grant.ZoneMyNumber {
				t.Errorf("rights %v in zone %v", g.Rights, g.Zone)
			}
		})
	}
}

// TestMixedGatewayRefusesMyNumber: even when somebody puts such a desk and a token for it into the database, a gateway
// with other listeners neither hands out tokens, nor enrols it, nor opens it, in an emergency and from a satellite
// office either.
func TestMixedGatewayRefusesMyNumber(t *testing.T) {
	town := gatewaytest.Start(t, gatewaytest.WithSettings(func(s *access.Settings) {
		s.Emergency, s.SatelliteNetworks = true, []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	}))
	tanaka := town.Staff(t, "tanaka", "田中 太郎")
	_, token := town.NewDesk(t, "総務課 1", "tanaka")
	parsed, err := enrol.Parse(token)
	if err != nil {
		t.Fatal(err)
	}
	town.Stop(t)
	smuggled := enrol.New(parsed.Fingerprint)
	smuggle(t, town, smuggled.Hash())
	town.Run(t)

	if got := tryEnrol(t, town, smuggled); got != "zone_gateway" {
		t.Errorf("enrolling it: %q", got)
	}
	if got := codes(tanaka.Prepare(t, "smuggled").GetRefusal()); !strings.HasPrefix(got, "zone_gateway") {
		t.Errorf("opening it: %q", got)
	}
	_, err = town.Admin.CreateDeskToken(t.Context(), &controlv1.CreateDeskTokenRequest{Zone: controlv1.Zone_ZONE_MYNUMBER, Count: 1})
	if got := codeOf(t, err); got != "zone_gateway" {
		t.Errorf("a token for the zone: %q", got)
	}
	town.EnrolAgent(t, token).Connect(t) // desks of other zones are served as before
}

// smuggle puts a desk of zone mynumber and a token for it into the database, behind the gateway's back.
func smuggle(t *testing.T, town *gatewaytest.Town, token [32]byte) {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{DSN: "sqlite:" + town.Config.DataDir + "/jiseki.db", Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	by := store.By{Actor: "cli:test"}
	if err := s.AddDesk(t.Context(), by, store.Desk{ID: "smuggled", Name: "住民 1", Zone: grant.ZoneMyNumber, Users: []string{"tanaka"}}); err != nil {
		t.Fatal(err)
	}
	err = s.AddDeskToken(t.Context(), by, store.DeskToken{
		Hash: token, Desk: "smuggled", Zone: grant.ZoneMyNumber, Uses: 1, UntilMS: time.Now().Add(time.Hour).UnixMilli(),
	})
	if err != nil {
		t.Fatal(err)
	}
}

// tryEnrol enrols a desk with a new key and returns the refusal.
func tryEnrol(t *testing.T, town *gatewaytest.Town, token enrol.Token) string {
	t.Helper()
	key, err := cert.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: token.TLS("localhost")}}
	defer client.CloseIdleConnections()
	service := controlv1connect.NewAgentServiceClient(client, "https://"+town.Host)
	challenge, err := service.GetAgentChallenge(t.Context(), &controlv1.GetAgentChallengeRequest{})
	if err != nil {
		t.Fatal(err)
	}
	public := key.Public()
	signature, err := cert.Enrol{Nonce: cert.Nonce(challenge.GetNonce()), Key: public}.Sign(key)
	if err != nil {
		t.Fatal(err)
	}
	r, err := service.EnrolDesk(t.Context(), &controlv1.EnrolDeskRequest{
		Secret: token.Secret[:], Nonce: challenge.GetNonce(), PublicKey: public[:], Signature: signature[:],
		Grade: controlv1.KeyGrade_KEY_GRADE_FILE, Hostname: "pc-9", AgentVersion: "test", System: "linux",
	})
	if err != nil {
		t.Fatal(err)
	}
	return codes(r.GetRefusal())
}
