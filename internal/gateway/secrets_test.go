package gateway_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"jiseki/internal/cert"
	"jiseki/internal/enrol"
	"jiseki/internal/gateway/gatewaytest"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
)

// A notebook keeps what is logged.
type notebook struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (n *notebook) Write(p []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.b.Write(p)
}

func (n *notebook) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.b.String()
}

// TestSecretsStayOutOfLogsAndDatabase lives through everything that has a secret, with the log at its most talkative,
// and looks for the secrets in the log and in the files of the database, in every form that they may take.
func TestSecretsStayOutOfLogsAndDatabase(t *testing.T) {
	var log notebook
	town := gatewaytest.Start(t, gatewaytest.WithWholeLog(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))))
	secrets := map[string]string{}
	slip := town.NewUser(t, "tanaka", "田中 太郎")
	secrets["initial password"], secrets["device code"] = slip.GetInitialPassword(), slip.GetDeviceCode()
	b := town.NewBrowser(t)
	if _, err := b.TrySignIn(t, "tanaka", "a-wrong-password-of-mine"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.TrySignIn(t, "typed-in-the-wrong-field", "x"); err != nil {
		t.Fatal(err)
	}
	secrets["wrong password"], secrets["password as user id"] = "a-wrong-password-of-mine", "typed-in-the-wrong-field"
	b.SignIn(t, "tanaka", slip.GetInitialPassword())
	b.ChangePassword(t, slip.GetInitialPassword(), gatewaytest.Password)
	secrets["password"] = gatewaytest.Password
	b.Enrol(t, slip.GetDeviceCode())
	u, err := url.Parse("https://" + town.Host)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range b.Client.Jar.Cookies(u) {
		secrets["cookie"] = c.Value
	}
	totp, recovery := setUpTOTP(t, b, time.Now())
	secrets["key of one-time passwords"], secrets["recovery code"] = totp, recovery[0]
	desk, text := town.NewDesk(t, "総務課 1", "tanaka")
	token, err := enrol.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	secrets["desk token"], secrets["secret of the desk token"] = text, string(token.Secret[:])
	agent := town.EnrolAgent(t, text)
	agent.Connect(t)
	opened, _ := b.Connect(t, desk, cert.NoiseKey{1})
	offer := <-agent.Offers()
	secrets["viewer's ticket"], secrets["agent's ticket"] = string(opened.GetTicket()), string(offer.GetTicket())
	agent.Report(t, opened.GetGrant()[3:19], controlv1.SessionEventKind_SESSION_EVENT_KIND_OPENED, 0)
	town.Stop(t)

	places := map[string]string{"log": log.String()}
	files, err := filepath.Glob(filepath.Join(town.Config.DataDir, "jiseki.db*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no database: %v", err)
	}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		places[filepath.Base(f)] = string(raw)
	}
	for name, secret := range secrets {
		if len(secret) < 8 {
			t.Fatalf("%s: %q is no secret", name, secret)
		}
		for _, form := range []string{
			secret, hex.EncodeToString([]byte(secret)), base64.StdEncoding.EncodeToString([]byte(secret)),
			base64.RawURLEncoding.EncodeToString([]byte(secret)), fmt.Sprintf("%d", []byte(secret)), fmt.Sprintf("%q", secret),
			strings.ReplaceAll(secret, "-", ""),
		} {
			for where, content := range places {
				if strings.Contains(content, form) {
					t.Errorf("the %s is in the %s", name, where)
				}
			}
		}
	}
	if !strings.Contains(places["log"], "agent came") {
		t.Error("nothing was logged")
	}
}
