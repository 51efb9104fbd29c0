package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

const desk = "../../internal/trace/testdata/desk.pbt"

func TestCodec(t *testing.T) {
	var out, errs bytes.Buffer
	if code := run([]string{"codec", "--json", "--coder", "q2z", desk}, &out, &errs); code != 0 {
		t.Fatalf("exit code %d: %s", code, errs.String())
	}
	var r codecResult
	d := json.NewDecoder(&out)
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		t.Fatal(err)
	}
	if r.Trace != "desk" || r.Coder != "q2z" || !r.BitExact || r.Updates < 60 || r.FirstBytes == 0 || r.RestBytes == 0 || r.Encode.Max == 0 {
		t.Errorf("%+v", r)
	}
}

func TestCodecTable(t *testing.T) {
	var out, errs bytes.Buffer
	if code := run([]string{"codec", desk}, &out, &errs); code != 0 {
		t.Fatalf("exit code %d: %s", code, errs.String())
	}
	if s := out.String(); !strings.Contains(s, "total") || !strings.Contains(s, " cores, go") {
		t.Errorf("table:\n%s", s)
	}
}

// TestCodecFails replays a trace whose final hash is wrong, and asks for what is not there.
func TestCodecFails(t *testing.T) {
	data, err := os.ReadFile(desk)
	if err != nil {
		t.Fatal(err)
	}
	z, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	raw, err := z.DecodeAll(data, nil)
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)-1] ^= 1
	e, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	spoilt := filepath.Join(t.TempDir(), "spoilt.pbt")
	if err := os.WriteFile(spoilt, e.EncodeAll(raw, nil), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"codec", "--json", spoilt}, 1, "spoilt is not bit-exact"},
		{[]string{"codec", "--coder", "zrle", desk}, 1, "zrle"},
		{[]string{"codec", "codec.go"}, 1, "codec.go"},
		{[]string{"codec"}, 2, "trace"},
	} {
		var out, errs bytes.Buffer
		if code := run(c.args, &out, &errs); code != c.code || !strings.Contains(errs.String(), c.says) {
			t.Errorf("%v: exit code %d, want %d: %s", c.args, code, c.code, errs.String())
		}
	}
}
