// Package vectortest reads and writes the test vectors in vectors/, which Go and TypeScript share. The format is
// described in vectors/README.md. For tests only.
package vectortest

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A Vector is one scenario.
type Vector struct {
	Name    string // file name without ".vec"
	Header  []Field
	Payload []byte // what is parsed; may be empty
}

// A Field is a header line.
type Field struct{ Name, Value string }

// Get returns the value of a header field, "" if it is not there.
func (v *Vector) Get(name string) string {
	for _, f := range v.Header {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}

// Value decodes the field "value" into p. Unknown keys fail.
func (v *Vector) Value(t testing.TB, p any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(v.Get("value")))
	d.DisallowUnknownFields()
	if err := d.Decode(p); err != nil {
		t.Fatalf("%s: value: %v", v.Name, err)
	}
}

// hexLine is the greatest number of bytes on a line.
const hexLine = 60

// Format returns the file of v.
func (v *Vector) Format() []byte {
	var b bytes.Buffer
	for _, f := range v.Header {
		fmt.Fprintf(&b, "%s: %s\n", f.Name, f.Value)
	}
	b.WriteByte('\n')
	for p := v.Payload; len(p) > 0; {
		n := min(hexLine, len(p))
		b.WriteString(hex.EncodeToString(p[:n]) + "\n")
		p = p[n:]
	}
	return b.Bytes()
}

// Parse reads a file of the format. It is strict: every header line has a name and a value, names are not repeated,
// and "comment" and "expect" are there.
func Parse(name string, data []byte) (*Vector, error) {
	head, body, ok := strings.Cut(string(data), "\n\n")
	if !ok {
		return nil, fmt.Errorf("%s: no blank line after the header", name)
	}
	v := &Vector{Name: name}
	for line := range strings.SplitSeq(head, "\n") {
		field, value, ok := strings.Cut(line, ": ")
		if !ok || field == "" || value == "" || v.Get(field) != "" {
			return nil, fmt.Errorf("%s: bad header line %q", name, line)
		}
		v.Header = append(v.Header, Field{field, value})
	}
	if v.Get("comment") == "" || v.Get("expect") == "" {
		return nil, fmt.Errorf("%s: comment or expect is missing", name)
	}
	var err error
	if v.Payload, err = hex.DecodeString(strings.ReplaceAll(body, "\n", "")); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return v, nil
}

// Dir is the folder of a package's vectors, seen from a package two levels below the root.
func Dir(pkg string) string { return filepath.Join("..", "..", "vectors", pkg) }

// Read returns the vectors of a package, by name. It fails the test if there is none.
func Read(t testing.TB, pkg string) []*Vector {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(Dir(pkg), "*.vec"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no vectors of %s: %v", pkg, err)
	}
	var list []*Vector
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		v, err := Parse(strings.TrimSuffix(filepath.Base(path), ".vec"), data)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, v)
	}
	return list
}

// Write replaces the vectors of a package by list.
func Write(t testing.TB, pkg string, list []*Vector) {
	t.Helper()
	old, err := filepath.Glob(filepath.Join(Dir(pkg), "*.vec"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range old {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	for _, v := range list {
		if err := os.WriteFile(filepath.Join(Dir(pkg), v.Name+".vec"), v.Format(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
