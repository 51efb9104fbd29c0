package link

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the vectors anew")

const vectorFolder = "../../vectors/link"

// classes are the failures that vectors name.
var classes = map[string]error{
	"ok": nil, "short": ErrShort, "trailer": ErrTrailer, "range": ErrRange, "version": ErrVersion, "magic": ErrMagic,
}

type vector struct {
	name, comment, message, expect string
	value                          string
	bytes                          []byte
}

type claimValue struct {
	Channel Channel `json:"channel"`
	Side    Side    `json:"side"`
	Ticket  string  `json:"ticket"`
}

func vectors() []vector {
	ticket := Ticket{}
	for i := range ticket {
		ticket[i] = byte(0xa0 + 3*i)
	}
	claim := func(side Side, channel Channel) []byte { return Claim{side, channel, ticket}.Append(nil) }
	change := func(b []byte, at int, to byte) []byte { b[at] = to; return b }
	value := func(side Side, channel Channel) string {
		j, _ := json.Marshal(claimValue{channel, side, hex.EncodeToString(ticket[:])})
		return string(j)
	}
	return []vector{
		{"claim_viewer_display", "the viewer claims the display", "claim", "ok", value(Viewer, Display), claim(Viewer, Display)},
		{"claim_agent_control", "the agent claims control", "claim", "ok", value(Agent, Control), claim(Agent, Control)},
		{"claim_short", "the last byte of the ticket is missing", "claim", "short", "", claim(Viewer, Display)[:ClaimSize-1]},
		{"claim_trailer", "a byte follows", "claim", "trailer", "", append(claim(Viewer, Display), 0)},
		{"claim_magic", "LJ, not JL", "claim", "magic", "", change(change(claim(Viewer, Display), 0, 'L'), 1, 'J')},
		{"claim_version", "version 2", "claim", "version", "", change(claim(Viewer, Display), 2, 2)},
		{"claim_side_0", "side 0", "claim", "range", "", change(claim(Viewer, Display), 3, 0)},
		{"claim_side_3", "side 3", "claim", "range", "", change(claim(Viewer, Display), 3, 3)},
		{"claim_channel_2", "channel 2", "claim", "range", "", change(claim(Viewer, Display), 4, 2)},
		{"paired_ok", "both sides have claimed", "paired", "ok", "{}", AppendPaired(nil)},
		{"paired_short", "three bytes", "paired", "short", "", AppendPaired(nil)[:3]},
		{"paired_trailer", "five bytes", "paired", "trailer", "", append(AppendPaired(nil), 0)},
		{"paired_range", "not 0", "paired", "range", "", change(AppendPaired(nil), 3, 1)},
	}
}

func (v vector) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "comment: %s\nmessage: %s\nexpect: %s\n", v.comment, v.message, v.expect)
	if v.value != "" {
		fmt.Fprintf(&b, "value: %s\n", v.value)
	}
	fmt.Fprintf(&b, "\n%s\n", hex.EncodeToString(v.bytes))
	return b.String()
}

func TestVectors(t *testing.T) {
	for _, v := range vectors() {
		path := filepath.Join(vectorFolder, v.name+".vec")
		if *update {
			if err := os.WriteFile(path, []byte(v.text()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		stored, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if string(stored) != v.text() {
			t.Errorf("%s differs from the table: run with -update if the protocol changed", v.name)
		}
		if err := parse(v.message, v.bytes); !errors.Is(err, classes[v.expect]) || (err == nil) != (v.expect == "ok") {
			t.Errorf("%s: %v, want %s", v.name, err, v.expect)
		}
		if v.expect == "ok" {
			checkPrefixes(t, v)
		}
	}
	files, err := filepath.Glob(filepath.Join(vectorFolder, "*.vec"))
	if err != nil || len(files) != len(vectors()) {
		t.Errorf("%d vector files for %d vectors (%v)", len(files), len(vectors()), err)
	}
}

func parse(message string, b []byte) error {
	if message == "paired" {
		return ParsePaired(b)
	}
	c, err := ParseClaim(b)
	if err == nil && !bytes.Equal(c.Append(nil), b) {
		return errors.New("does not come back as it was")
	}
	return err
}

func checkPrefixes(t *testing.T, v vector) {
	t.Helper()
	for n := range v.bytes {
		if err := parse(v.message, v.bytes[:n]); !errors.Is(err, ErrShort) {
			t.Errorf("%s: the first %d bytes: %v, want too short", v.name, n, err)
		}
	}
}

func FuzzClaim(f *testing.F) {
	for _, v := range vectors() {
		f.Add(v.bytes)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := ParseClaim(b)
		if err == nil && !bytes.Equal(c.Append(nil), b) {
			t.Errorf("%x comes back as %x", b, c.Append(nil))
		}
		if ParsePaired(b) == nil && !bytes.Equal(b, AppendPaired(nil)) {
			t.Errorf("%x is taken for paired", b)
		}
	})
}

func TestTicketIsNotPrinted(t *testing.T) {
	c := Claim{Viewer, Display, Ticket{0xde, 0xad}}
	said := map[string]string{}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d", "%q"} {
		said[format] = fmt.Sprintf(format, c) + fmt.Sprintf(format, c.Ticket)
	}
	var text, object bytes.Buffer
	slog.New(slog.NewTextHandler(&text, nil)).Info("x", "ticket", c.Ticket, "claim", c, "pointer", &c)
	slog.New(slog.NewJSONHandler(&object, nil)).Info("x", "ticket", c.Ticket, "claim", c, "pointer", &c)
	said["text"], said["JSON"] = text.String(), object.String()
	for how, s := range said {
		for _, secret := range []string{"dead", "222", "0xde", `\xde`, "3q0"} {
			if strings.Contains(strings.ToLower(s), secret) {
				t.Errorf("%s shows the ticket: %s", how, s)
			}
		}
	}
}
