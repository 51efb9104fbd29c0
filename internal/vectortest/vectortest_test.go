package vectortest

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRoundTrip(t *testing.T) {
	want := &Vector{
		Name:    "x",
		Header:  []Field{{"comment", "long: with a colon"}, {"expect", "ok"}},
		Payload: bytes.Repeat([]byte{1, 2, 0xfe}, 50),
	}
	got, err := Parse("x", want.Format())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, data := range []string{
		"",
		"comment: a\nexpect: ok\n",
		"comment: a\n\n00\n",
		"expect: ok\n\n00\n",
		"comment: a\nexpect: ok\nexpect: ok\n\n00\n",
		"comment: a\nexpect: \n\n00\n",
		"comment: a\nexpect: ok\n\n0\n",
		"comment: a\nexpect: ok\n\nzz\n",
	} {
		if _, err := Parse("x", []byte(data)); err == nil {
			t.Errorf("%q was taken", data)
		}
	}
}
