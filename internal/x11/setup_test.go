//go:build linux

package x11

import (
	"bytes"
	"testing"
)

func TestCookie(t *testing.T) {
	one, two := bytes.Repeat([]byte{1}, 16), bytes.Repeat([]byte{2}, 16)
	file := AppendAuthority(AppendAuthority(nil, 3, one), -1, two)
	if got := findCookie(file, "3"); !bytes.Equal(got, one) {
		t.Errorf("display 3: %v", got)
	}
	if got := findCookie(file, "4"); !bytes.Equal(got, two) {
		t.Errorf("any display: %v", got)
	}
	if got := findCookie(file[:len(file)-1], "4"); got != nil {
		t.Errorf("cut short: %v", got)
	}
}

func FuzzFindCookie(f *testing.F) {
	f.Add(AppendAuthority(nil, 3, bytes.Repeat([]byte{1}, 16)))
	f.Fuzz(func(_ *testing.T, b []byte) { findCookie(b, "3") })
}

// greeting is the greeting of a server with one screen of depth 24, without its first 8 bytes.
func greeting() []byte {
	w := writer{}
	w.u32(0, 0x200000, 0x1fffff, 256).u16(4, 0xffff).u8(1, 1, 0, 0, 32, 32, 8, 255).u32(0)
	w.bytes([]byte("test")).u8(24, 32, 32, 0).u32(0)
	w.u32(7, 8, 0xffffff, 0, 0).u16(640, 480, 1, 1, 1, 1).u32(9).u8(0, 0, 24, 1)
	w.u8(24, 0).u16(1).u32(0)
	w.u32(9).u8(4, 8).u16(256).u32(0xff0000, 0xff00, 0xff, 0)
	return w.b
}

func TestGreeting(t *testing.T) {
	var s Setup
	if err := s.parse(greeting()); err != nil {
		t.Fatal(err)
	}
	if !s.BGRX() || s.Root != 7 || s.RootDepth != 24 || s.MinKeycode != 8 || s.MaxKeycode != 255 {
		t.Errorf("%+v", s)
	}
	for i := range greeting() {
		if err := new(Setup).parse(greeting()[:i]); err == nil {
			t.Errorf("%d bytes are enough", i)
		}
	}
}

func FuzzGreeting(f *testing.F) {
	f.Add(greeting())
	f.Fuzz(func(_ *testing.T, b []byte) { new(Setup).parse(b) })
}
