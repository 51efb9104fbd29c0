package main

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"jiseki-gateway": main})
}

// TestScripts runs the program as an administrator does: testdata/*.txt.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			e.Setenv("LANG", "C.UTF-8")
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

func TestReadUsers(t *testing.T) {
	head := strings.Join(userColumns, ",") + "\n"
	users, err := readUsers(strings.NewReader("\ufeff" + head + "tanaka,田中 太郎,たなか,s1,approver,d1 d2,lent\n"))
	if err != nil || len(users) != 1 || len(users[0].GetRoles()) != 2 || len(users[0].GetDeskIds()) != 2 {
		t.Errorf("got %v, %v", users, err)
	}
	for name, text := range map[string]string{
		"empty": "", "other columns": "id,name\n", "role": head + "a,b,c,,king,,\n", "device": head + "a,b,c,,,,phone\n", "short": head + "a,b\n",
	} {
		if _, err := readUsers(strings.NewReader(text)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
