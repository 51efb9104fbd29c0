//go:build linux

package desktop

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"sync"
	"time"
)

// keyboardSocket is where the X server's inputtest driver listens.
func (d *Desktop) keyboardSocket() string { return filepath.Join(d.dir, "keyboard") }

// A Keyboard is the desk's own, the one on its table: to the X server its keys come from hardware. Its methods may be
// called from several goroutines.
type Keyboard struct {
	mu   sync.Mutex
	conn net.Conn
}

// What the driver and its client say to each other (xf86-input-inputtest-protocol.h, version 1): a length that counts
// itself, a type, and fields of four bytes in the machine's order.
const (
	keyboardVersion  = 0
	keyboardSync     = 1
	keyboardKey      = 5
	keyboardPatience = time.Minute // for an answer of the server
)

// Keyboard connects to the desk's keyboard; one connection at a time works. The desk must be ready.
func (d *Desktop) Keyboard() (*Keyboard, error) {
	conn, err := net.Dial("unix", d.keyboardSocket())
	if err != nil {
		return nil, fmt.Errorf("desktop: keyboard: %w", err)
	}
	k := &Keyboard{conn: conn}
	const major, minor = 1, 0
	if err := k.ask(keyboardVersion, 12, major|minor<<16); err != nil {
		conn.Close()
		return nil, fmt.Errorf("desktop: keyboard: %w", err)
	}
	return k, nil
}

// Key presses or releases a key by its X keycode, and returns when the server has done it.
func (k *Keyboard) Key(keycode uint8, down bool) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	press := uint32(0)
	if down {
		press = 1
	}
	if err := k.send(keyboardKey, uint32(keycode), press); err != nil {
		return fmt.Errorf("desktop: keyboard: %w", err)
	}
	if err := k.ask(keyboardSync, 8); err != nil {
		return fmt.Errorf("desktop: keyboard: %w", err)
	}
	return nil
}

// Tap presses a key and releases it.
func (k *Keyboard) Tap(keycode uint8) error {
	return errors.Join(k.Key(keycode, true), k.Key(keycode, false))
}

// Close unplugs nothing: it ends the connection. Keys that are down stay down.
func (k *Keyboard) Close() error { return k.conn.Close() }

func (k *Keyboard) send(kind uint32, fields ...uint32) error {
	b := binary.NativeEndian.AppendUint32(nil, uint32(8+4*len(fields)))
	for _, v := range append([]uint32{kind}, fields...) {
		b = binary.NativeEndian.AppendUint32(b, v)
	}
	_, err := k.conn.Write(b)
	return err
}

// ask sends and waits for the driver's answer, which has so many bytes.
func (k *Keyboard) ask(kind uint32, answer int, fields ...uint32) error {
	if err := k.send(kind, fields...); err != nil {
		return err
	}
	if err := k.conn.SetReadDeadline(time.Now().Add(keyboardPatience)); err != nil {
		return err
	}
	b := make([]byte, answer)
	if _, err := io.ReadFull(k.conn, b); err != nil {
		return err
	}
	if binary.NativeEndian.Uint32(b) != uint32(answer) {
		return errors.New("the driver answers something else")
	}
	return nil
}
