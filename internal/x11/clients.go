//go:build linux

package x11

import (
	"errors"
	"slices"
)

// A Client names a connection to the server: every resource that it makes carries this number in its upper bits.
type Client uint32

// Client is who made a window.
func (c *Conn) Client(win Window) Client { return Client(uint32(win) &^ c.Setup.idMask) }

// Processes returns the processes behind the clients of this machine (X-Resource 1.2). Clients of which the server does
// not know it are left out.
func (c *Conn) Processes() (map[Client]int, error) {
	e, err := c.Extension("X-Resource")
	if err != nil {
		return nil, err
	}
	r, err := c.request(e.Opcode, 0).u8(1, 2).u16(0).call(nil)
	if err != nil {
		return nil, err
	}
	if major, minor := r.u16(8), r.u16(10); major < 1 || major == 1 && minor < 2 {
		return nil, &MissingExtensionError{"X-Resource 1.2"}
	}
	const allClients, localPID = 0, 2
	if r, err = c.request(e.Opcode, 4).u32(1, allClients, localPID).call(nil); err != nil { // QueryClientIds
		return nil, err
	}
	out := map[Client]int{}
	o := 32
	for range r.u32(8) {
		if !r.has(o + 12) {
			return nil, errShort
		}
		client, mask, n := r.u32(o), r.u32(o+4), int(r.u32(o+8))
		if o += 12; !r.has(o+n) || n < 0 {
			return nil, errShort
		}
		if mask == localPID && n >= 4 {
			out[Client(client&^c.Setup.idMask)] = int(int32(r.u32(o)))
		}
		o += pad4(n)
	}
	return out, nil
}

// The record of what the server delivers.
const (
	recordCreate, recordEnable, recordDisable, recordFree = 1, 5, 6, 7
	recordAll                                             = 3 // clients
	recordStart, recordEnd, recordFromServer              = 4, 5, 0
)

// KeyReceivers presses and releases a key by XTEST and returns the clients to which the server delivered the press as
// an event of the core or of XInput 2, each once. While a client holds the keyboard, that is this client alone. It uses
// RECORD on a second connection and waits for nothing but the server.
func (c *Conn) KeyReceivers(keycode uint8) ([]Client, error) {
	test, err := c.Test()
	if err != nil {
		return nil, err
	}
	rec, err := c.Extension("RECORD")
	if err != nil {
		return nil, err
	}
	data, err := Dial(c.options)
	if err != nil {
		return nil, err
	}
	defer data.Close()
	id := c.NewID()
	if err := c.createRecord(rec.Opcode, id); err != nil {
		return nil, err
	}
	var clients []Client
	started := make(chan struct{})
	heard, err := data.enableRecord(rec.Opcode, id, func(part reply) (more bool) {
		switch part.u8(1) {
		case recordStart:
			close(started)
		case recordFromServer:
			if who := Client(part.u32(12) &^ c.Setup.idMask); keyPresses(part[32:]) && !slices.Contains(clients, who) {
				clients = append(clients, who)
			}
		}
		return part.u8(1) != recordEnd
	})
	if err == nil {
		err = c.tap(test, keycode, rec.Opcode, id, started, heard)
	}
	return clients, errors.Join(err, c.request(rec.Opcode, recordFree).u32(id).check())
}

func (c *Conn) createRecord(opcode uint8, id uint32) error {
	w := c.request(opcode, recordCreate).u32(id).u8(0, 0, 0, 0).u32(1, 2, recordAll)
	for _, event := range []uint8{KeyPress, genericEvent} { // ranges: delivered events of one type each
		w.u8(make([]byte, 16)...).u8(event, event).u8(make([]byte, 6)...)
	}
	return w.check()
}

// tap presses and releases a key while a record runs, and returns when the record has ended with what that has caused.
func (c *Conn) tap(test *Test, keycode, opcode uint8, id uint32, started <-chan struct{}, heard <-chan error) error {
	select {
	case <-started:
	case err := <-heard:
		return errors.Join(errors.New("x11: the record has ended"), err)
	}
	err := errors.Join(test.Key(keycode, true), test.Key(keycode, false), c.request(opcode, recordDisable).u32(id).check())
	if err != nil {
		return err
	}
	return <-heard
}

// keyPresses says whether there is a press of a key among recorded events.
func keyPresses(events []byte) bool {
	for ; len(events) >= 32; events = events[32:] {
		kind := Event(events).Type()
		if kind == KeyPress || kind == genericEvent && le.Uint16(events[8:]) == KeyPress {
			return true
		}
	}
	return false
}

// enableRecord asks for what a record holds: each part goes to take, on the connection's reading goroutine, until take
// says that no more come. heard tells once how it ended.
func (c *Conn) enableRecord(opcode uint8, id uint32, take func(reply) (more bool)) (heard <-chan error, err error) {
	k := c.newCall(nil)
	k.take = take
	w := c.request(opcode, recordEnable).u32(id)
	err = c.write(k, w.b, -1)
	c.writing.Unlock()
	if err != nil {
		return nil, err
	}
	end := make(chan error, 1)
	go func() {
		<-k.ready
		end <- k.err
	}()
	return end, nil
}
