package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"jiseki-gateway": main})
}

// served waits until a gateway that was started in the background answers: before, a command would work on the data by
// itself, and keep the gateway from them.
func served(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: served")
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		conn, err := (&net.Dialer{}).DialContext(context.Background(), "unix", ts.MkAbs("data/admin.sock"))
		if err == nil {
			ts.Check(conn.Close())
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("the gateway does not answer: %v", err)
		}
	}
}

// TestScripts runs the program as an administrator does: testdata/*.txt.
func TestScripts(t *testing.T) {
	sheets, err := filepath.Abs("../../internal/sheet/testdata")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:  "testdata",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"served": served},
		Setup: func(e *testscript.Env) error {
			e.Setenv("LANG", "C.UTF-8")
			e.Setenv("SHEETS", sheets)
			e.Setenv("JISEKI_GATEWAY_CONFIG", e.WorkDir+"/gateway.toml")
			return os.WriteFile(e.WorkDir+"/gateway.toml", []byte(
				"data_dir = '"+e.WorkDir+"/data'\n[public]\naddress = '127.0.0.1:0'\n[tls]\nnames = ['localhost']\n"), 0o600)
		},
	})
}

func TestUsage(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--help"}, exitDone, "jiseki-gateway"},
		{[]string{"user", "add", "x"}, exitUsage, "--name"},
		{[]string{"nonsense"}, exitUsage, "nonsense"},
		{[]string{"version"}, exitDone, "jiseki-gateway "},
		{[]string{"session", "end", "zz", "--reason", "x"}, exitFailed, "32 hexadecimal"},
	} {
		var out strings.Builder
		if code := run(context.Background(), c.args, &out, &out); code != c.code || !strings.Contains(out.String(), c.want) {
			t.Errorf("%v: exit %d, %q; want %d with %q", c.args, code, out.String(), c.code, c.want)
		}
	}
}

func TestColumnsOfJapanese(t *testing.T) {
	for s, want := range map[string]int{"abc": 3, "自席": 4, "ｶﾅ": 2, "か\u3099": 2, "": 0} {
		if got := columns(s); got != want {
			t.Errorf("columns(%q) is %d, want %d", s, got, want)
		}
	}
}

// TestReadUsers: up to 1,000 at once; the limit is said.
func TestReadUsers(t *testing.T) {
	list := func(n int) []byte {
		var b strings.Builder
		b.WriteString("user_id,name,section_id,roles,desk_ids\n")
		for i := range n {
			fmt.Fprintf(&b, "u%d,森田 %d,s1,approver,d1　D2\n", i, i)
		}
		return []byte(b.String())
	}
	h := hall{sections: map[string]bool{"s1": true}, desks: map[string]bool{"d1": true, "d2": true}}
	users, problems := readUsers(list(1000), h)
	if len(users) != 1000 || problems != nil || len(users[999].GetRoles()) != 2 || len(users[0].GetDeskIds()) != 2 {
		t.Errorf("%d users, %v", len(users), problems)
	}
	users, problems = readUsers(list(1001), h)
	if users != nil || len(problems) != 1 || !strings.Contains(problems[0].JA, "1000行まで") || problems[0].Line != 1002 {
		t.Errorf("%d users, %v", len(users), problems)
	}
	if _, problems = readUsers([]byte("user_id,name\n"+strings.Repeat("?,x\n", 1000)), h); len(problems) != 20 {
		t.Errorf("%d problems", len(problems))
	}
}
