package gateway_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"

	"jiseki/internal/gateway/gatewaytest"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
)

// TestHostileBodies sends every method bodies that no client of ours sends: none may make the gateway fail by itself.
func TestHostileBodies(t *testing.T) {
	var log notebook
	town := gatewaytest.Start(t, gatewaytest.WithWholeLog(slog.New(slog.NewTextHandler(&log, nil))))
	b := town.Staff(t, "tanaka", "x")
	unix := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", town.Config.AdminSocket())
	}}}
	bodies := []string{
		`{}`, `[]`, `null`, `{"a":1}`, `{"users":[{}]}`, `{"section":{}}`, `{"settings":{}}`, `{"device":{}}`, `{"sessionId":"AAAA"}`,
		`{"sessionId":"AAAAAAAAAAAAAAAAAAAAAA=="}`, `{"page":{"limit":-5,"token":"x"}}`, `{"page":{"limit":2147483647,"token":"-1.zz"}}`,
		`{"userId":"\u0000","deskId":"\u0000","deviceId":"\u0000","reason":"\u0000","name":"\u0000","zone":1}`, `{"head":"\u0000-"}`,
		`{"deskId":"` + strings.Repeat("a", 100_000) + `"}`, strings.Repeat(`{"page":`, 5000),
	}
	files := []protoreflect.FileDescriptor{
		controlv1.File_jiseki_control_v1_admin_proto, controlv1.File_jiseki_control_v1_auth_proto,
		controlv1.File_jiseki_control_v1_desk_proto, controlv1.File_jiseki_control_v1_agent_proto,
	}
	for _, file := range files {
		for i := range file.Services().Len() {
			service := file.Services().Get(i)
			client, base := b.Client, "https://"+town.Host+"/api/"
			if service.Name() == "AdminService" {
				client, base = unix, "http://gateway/"
			}
			for j := range service.Methods().Len() {
				method := service.Methods().Get(j).Name()
				if method == "SignOut" { // what follows would be refused too soon
					continue
				}
				for _, body := range bodies {
					if status, answer := send(t, client, base+string(service.FullName())+"/"+string(method), body); status >= 500 && status != http.StatusServiceUnavailable {
						t.Errorf("%s %.60s: %d %.300s", method, body, status, answer)
					}
				}
			}
		}
	}
	for line := range strings.Lines(log.String()) {
		if strings.Contains(line, "panic") || strings.Contains(line, "level=ERROR") {
			t.Errorf("%.300s", line)
		}
	}
}

func send(t *testing.T, client *http.Client, address, body string) (status int, answer []byte) {
	t.Helper()
	r, err := client.Post(address, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	answer, err = io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, answer
}
