package session

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"jiseki/internal/access"
)

// agentCodes is what becomes of each code with which an agent declines an offer. Those that begin with grant_ and
// device_ end with a code of the packages cert and grant.
var agentCodes = map[string]access.Code{
	"in_use":             access.DeskInUse,
	"cannot_lock":        access.DeskCannotLock,
	"device_unannounced": access.DeskRegister,
	"user_unannounced":   access.DeskRegister,
	"register_damaged":   access.DeskRegister,
	"device_owner":       access.DeviceNotYours,
	"device_revoked":     access.DeviceRevoked,
	"busy":               access.AgentNoAnswer,
	"stopping":           access.AgentNoAnswer,

	// The gateway made what is wrong, or the desk has other keys than it: nobody but its administrator can do anything.
	"grant_form": access.AgentRefused, "device_form": access.AgentRefused, "device_other": access.AgentRefused,
	"ticket_form": access.AgentRefused, "no_rights": access.AgentRefused, "no_desk": access.AgentRefused,
}

// certCodes are the ends of those codes.
var certCodes = map[string]access.Code{
	"clock_skew": access.ClockSkew, "expired": access.ClockSkew, "refused": access.AgentRefused,
	"short": access.AgentRefused, "trailer": access.AgentRefused, "magic": access.AgentRefused, "version": access.AgentRefused,
	"range": access.AgentRefused, "kind": access.AgentRefused, "issuer": access.AgentRefused, "signature": access.AgentRefused,
	"desk": access.AgentRefused, "viewer": access.AgentRefused, "spent": access.AgentRefused, "full": access.AgentRefused,
}

// TestAgentCodesHaveReasons: each code in the agent's source has a row here, and its reason.
func TestAgentCodesHaveReasons(t *testing.T) {
	for code, want := range certCodes {
		agentCodes["grant_"+code], agentCodes["device_"+code] = want, want
	}
	for code, want := range agentCodes {
		if got := agentReason(code); got != want {
			t.Errorf("%s becomes %s, want %s", code, got, want)
		}
	}
	returned := regexp.MustCompile(`return (?:\w+(?:\.\w+)?, )?"([a-z_]+)"`)
	declared := regexp.MustCompile(`(?m)^\s*Code\w+\s+(?:cert\.)?Code\s+= "([a-z_]+)"`)
	found := 0
	for path, form := range map[string]*regexp.Regexp{
		"../agent/accept.go": returned, "../agent/announced.go": returned, "../cert/error.go": declared, "../grant/grant.go": declared,
	} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		rows := agentCodes
		if form == declared {
			rows = certCodes
		}
		source := string(text)
		if path == "../agent/announced.go" { // what comes before answers orders
			source = source[strings.Index(source, ") check("):]
		}
		for _, m := range form.FindAllStringSubmatch(source, -1) {
			// grant_ and device_ end with a code of the other files, or with "refused".
			if found++; rows[m[1]] == "" && certCodes[m[1]] == "" && !strings.HasSuffix(m[1], "_") {
				t.Errorf("%s: %s has no row", path, m[1])
			}
		}
	}
	if found < 25 {
		t.Fatalf("only %d codes found: the test sees nothing", found)
	}
}
