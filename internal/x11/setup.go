//go:build linux

package x11

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
)

// A Setup is what the server says of itself at the start. Only the first screen is used.
type Setup struct {
	Root                         Window
	RootVisual                   uint32
	RootDepth                    uint8
	White, Black                 uint32
	MinKeycode, MaxKeycode       uint8
	LittleEndian                 bool  // byte order of pictures
	BitsPerPixel                 uint8 // of pictures of RootDepth
	RedMask, GreenMask, BlueMask uint32
	idBase, idMask               uint32
}

// BGRX says whether pictures of the root window are 4 bytes a pixel: blue, green, red, unused.
func (s *Setup) BGRX() bool {
	return s.LittleEndian && s.BitsPerPixel == 32 &&
		s.RedMask == 0xff0000 && s.GreenMask == 0xff00 && s.BlueMask == 0xff
}

const cookieName = "MIT-MAGIC-COOKIE-1"

func (c *Conn) handshake(in *bufio.Reader, cookie []byte) error {
	name := cookieName
	if cookie == nil {
		name = ""
	}
	w := writer{b: []byte{'l', 0}}
	w.u16(11, 0, uint16(len(name)), uint16(len(cookie)), 0).bytes([]byte(name)).bytes(cookie)
	if _, err := c.nc.Write(w.b); err != nil {
		return err
	}
	head := make([]byte, 8)
	if _, err := io.ReadFull(in, head); err != nil {
		return fmt.Errorf("the X server does not answer: %w", err)
	}
	body := make([]byte, int(le.Uint16(head[6:]))*4)
	if _, err := io.ReadFull(in, body); err != nil {
		return fmt.Errorf("the X server does not answer: %w", err)
	}
	if head[0] != 1 {
		reason := body[:min(len(body), int(head[1]))]
		return fmt.Errorf("the X server refuses: %s", bytes.TrimRight(reason, "\n\x00"))
	}
	return c.Setup.parse(body)
}

var errSetup = errors.New("unreadable greeting of the X server")

// parse reads the server's greeting (X protocol, section 8) without its first 8 bytes.
func (s *Setup) parse(b []byte) error {
	if len(b) < 32 {
		return errSetup
	}
	s.idBase, s.idMask = le.Uint32(b[4:]), le.Uint32(b[8:])
	vendor, formats := pad4(int(le.Uint16(b[16:]))), int(b[21])
	s.LittleEndian = b[22] == 0
	s.MinKeycode, s.MaxKeycode = b[26], b[27]
	if b[20] < 1 || len(b) < 32+vendor+8*formats+40 {
		return errSetup
	}
	f, scr := b[32+vendor:32+vendor+8*formats], b[32+vendor+8*formats:]
	s.Root = Window(le.Uint32(scr))
	s.White, s.Black = le.Uint32(scr[8:]), le.Uint32(scr[12:])
	s.RootVisual, s.RootDepth = le.Uint32(scr[32:]), scr[38]
	for ; len(f) > 0; f = f[8:] {
		if f[0] == s.RootDepth {
			s.BitsPerPixel = f[1]
		}
	}
	return s.parseVisuals(scr[40:], int(scr[39]))
}

func (s *Setup) parseVisuals(b []byte, depths int) error {
	for range depths {
		if len(b) < 8 {
			return errSetup
		}
		n := int(le.Uint16(b[2:]))
		if b = b[8:]; len(b) < 24*n {
			return errSetup
		}
		for ; n > 0; n, b = n-1, b[24:] {
			if le.Uint32(b) == s.RootVisual {
				s.RedMask, s.GreenMask, s.BlueMask = le.Uint32(b[8:]), le.Uint32(b[12:]), le.Uint32(b[16:])
			}
		}
	}
	return nil
}

func pad4(n int) int { return (n + 3) &^ 3 }

// cookieFor finds the cookie of a local display in an Xauthority file (format: libXau, AuRead.c). It returns nil when
// there is none.
func cookieFor(path string, display int) []byte {
	if path == "" {
		path = os.Getenv("XAUTHORITY")
	}
	if path == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return nil
		}
		path = filepath.Join(home, ".Xauthority")
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	return findCookie(b, strconv.Itoa(display))
}

func findCookie(b []byte, display string) []byte {
	field := func() (f []byte, ok bool) {
		if len(b) < 2 || len(b) < 2+(int(b[0])<<8|int(b[1])) {
			return nil, false
		}
		n := int(b[0])<<8 | int(b[1])
		f, b = b[2:2+n], b[2+n:]
		return f, true
	}
	const familyLocal, familyWild = 256, 65535
	for len(b) > 2 {
		family := int(b[0])<<8 | int(b[1])
		b = b[2:]
		_, ok1 := field() // address: a local entry of another host name is still this machine after a rename
		number, ok2 := field()
		name, ok3 := field()
		data, ok4 := field()
		if !ok1 || !ok2 || !ok3 || !ok4 {
			return nil
		}
		local := family == familyLocal || family == familyWild
		if local && string(name) == cookieName && (len(number) == 0 || string(number) == display) {
			return data
		}
	}
	return nil
}

// AppendAuthority appends an Xauthority entry for a local display, or with -1 for any display, to b: what the server's
// -auth file and the clients' Authority file hold.
func AppendAuthority(b []byte, display int, cookie []byte) []byte {
	field := func(f string) { b = append(append(b, byte(len(f)>>8), byte(len(f))), f...) }
	b = append(b, 0xff, 0xff) // any address
	field("")
	number := ""
	if display >= 0 {
		number = strconv.Itoa(display)
	}
	field(number)
	field(cookieName)
	field(string(cookie))
	return b
}
