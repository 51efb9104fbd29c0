package link

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
)

// Opcodes of RFC 6455, section 5.2.
const (
	opContinue = 0x0
	opText     = 0x1
	opBinary   = 0x2
	opClose    = 0x8
	opPing     = 0x9
	opPong     = 0xa
)

// headroom is the longest header that precedes a message of MaxMessage bytes: 2 + 8 + 4.
const headroom = 14

const maxControl = 125 // bytes in a ping, pong or close

var (
	errFrame    = errors.New("link: malformed frame")
	errText     = errors.New("link: text message")
	errTooLarge = errors.New("link: message too large")
)

// A header is the beginning of a WebSocket frame.
type header struct {
	fin    bool
	op     byte
	masked bool
	mask   [4]byte
	size   int // bytes that follow; at most limit or maxControl
}

// readHeader reads and checks the next header. masked says whether frames must be masked (they come from a client);
// limit bounds the size of a data frame. It allocates nothing.
func readHeader(br *bufio.Reader, masked bool, limit int) (header, error) {
	b0, err := br.ReadByte()
	if err != nil {
		return header{}, err
	}
	b1, err := readByte(br)
	if err != nil {
		return header{}, err
	}
	h := header{fin: b0&0x80 != 0, op: b0 & 0x0f, masked: b1&0x80 != 0}
	if b0&0x70 != 0 || h.masked != masked {
		return header{}, errFrame
	}
	size, err := readSize(br, b1&0x7f)
	if err != nil {
		return header{}, err
	}
	if err := h.setSize(size, limit); err != nil {
		return header{}, err
	}
	if !h.masked {
		return h, nil
	}
	for i := range h.mask {
		if h.mask[i], err = readByte(br); err != nil {
			return header{}, err
		}
	}
	return h, nil
}

// setSize checks the size as the unsigned number it is on the line: as an int it could be negative.
func (h *header) setSize(size uint64, limit int) error {
	switch h.op {
	case opContinue, opBinary:
		if size > uint64(limit) {
			return errTooLarge
		}
	case opText:
		return errText
	case opClose, opPing, opPong:
		if size > maxControl || !h.fin {
			return errFrame
		}
	default:
		return errFrame
	}
	h.size = int(size)
	return nil
}

// readSize reads the extended length, if any; only the shortest form is allowed.
func readSize(br *bufio.Reader, short byte) (uint64, error) {
	var extra int
	var least uint64
	switch short {
	case 126:
		extra, least = 2, 126
	case 127:
		extra, least = 8, 1<<16
	default:
		return uint64(short), nil
	}
	var n uint64
	for range extra {
		b, err := readByte(br)
		if err != nil {
			return 0, err
		}
		n = n<<8 | uint64(b)
	}
	if n < least {
		return 0, errFrame
	}
	return n, nil
}

// readByte is ReadByte in the middle of a frame: an end of the stream is unexpected there.
func readByte(br *bufio.Reader) (byte, error) {
	b, err := br.ReadByte()
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return b, err
}

// putHeader writes the header of a final frame of size bytes so that it ends at b[at], and returns where it begins.
// With a mask its four bytes are part of the header. at must be at least headroom.
func putHeader(b []byte, at int, op byte, size int, mask *[4]byte) int {
	var bit byte
	if mask != nil {
		bit = 0x80
		at -= len(mask)
		copy(b[at:], mask[:])
	}
	switch {
	case size < 126:
		at -= 2
		b[at+1] = bit | byte(size)
	case size < 1<<16:
		at -= 4
		b[at+1] = bit | 126
		binary.BigEndian.PutUint16(b[at+2:], uint16(size))
	default:
		at -= 10
		b[at+1] = bit | 127
		binary.BigEndian.PutUint64(b[at+2:], uint64(size))
	}
	b[at] = 0x80 | op
	return at
}

// xorMask applies the mask to b, whose first byte is at offset pos of its frame's payload.
func xorMask(b []byte, mask [4]byte, pos int) {
	var key [8]byte
	for i := range key {
		key[i] = mask[(pos+i)&3]
	}
	k := binary.LittleEndian.Uint64(key[:])
	for len(b) >= 32 {
		p := b[:32:32]
		binary.LittleEndian.PutUint64(p[0:], binary.LittleEndian.Uint64(p[0:])^k)
		binary.LittleEndian.PutUint64(p[8:], binary.LittleEndian.Uint64(p[8:])^k)
		binary.LittleEndian.PutUint64(p[16:], binary.LittleEndian.Uint64(p[16:])^k)
		binary.LittleEndian.PutUint64(p[24:], binary.LittleEndian.Uint64(p[24:])^k)
		b = b[32:]
	}
	for i := range b {
		b[i] ^= key[i&7]
	}
}
