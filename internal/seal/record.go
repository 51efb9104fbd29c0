package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"
)

const (
	headerSize   = 3       // flags u8, length u16
	tagSize      = 16      // of AES-GCM
	maxPlaintext = 61_440  // bytes of a record
	flagLast     = 1       // last record of its message
	keyRecords   = 1 << 16 // records under one key
	keyBytes     = 1 << 30 // plaintext bytes under one key
)

// A shape is the table of plaintext sizes of one direction of a channel.
type shape struct {
	channel   channel
	direction direction
}

// largest is the greatest plaintext.
func (s shape) largest() int {
	switch {
	case s.direction == fromAgent:
		return maxPlaintext
	case s.channel == control:
		return 256
	default:
		return 64
	}
}

// step is the unit in which plaintexts near this size grow.
func (s shape) step(size int) int {
	switch {
	case s.direction == fromViewer:
		return s.largest()
	case s.channel == control:
		return 256
	case size <= 1024:
		return 64
	case size <= 8192:
		return 256
	default:
		return 1024
	}
}

// round is the smallest size in the table that holds size bytes. size is at most largest.
func (s shape) round(size int) int {
	step := s.step(size)
	return (size + step - 1) / step * step
}

// has says whether size is in the table.
func (s shape) has(size int) bool {
	return size > 0 && size <= s.largest() && size%s.step(size) == 0
}

// A ratchet holds the traffic key of one direction of a channel. The same steps run on both sides: which key a record has
// follows from the sizes of the records before it.
type ratchet struct {
	secret  secret
	aead    cipher.AEAD
	counter uint64 // of the next record under this key
	bytes   uint64 // of plaintext so far under this key
	nonce   [12]byte
}

func newRatchet(s secret) *ratchet {
	r := &ratchet{}
	r.use(s)
	return r
}

func (r *ratchet) use(s secret) {
	key := s.key()
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // 32 bytes are a key
	}
	if r.aead, err = cipher.NewGCM(block); err != nil {
		panic(err) // AES has the block size of GCM
	}
	r.secret, r.counter, r.bytes = s, 0, 0
}

// advance makes the key and r.nonce those of the next record, which has size bytes of plaintext.
func (r *ratchet) advance(size int) {
	if r.counter == keyRecords || r.bytes+uint64(size) > keyBytes {
		r.use(r.secret.next())
	}
	binary.BigEndian.PutUint64(r.nonce[4:], r.counter)
	r.counter++
	r.bytes += uint64(size)
}

// seal replaces the plaintext in b by the record. b has room for the tag.
func (r *ratchet) seal(b []byte) []byte {
	r.advance(len(b))
	return r.aead.Seal(b[:0], r.nonce[:], b, nil)
}

// open replaces the record by its plaintext.
func (r *ratchet) open(record []byte) ([]byte, error) {
	r.advance(len(record) - tagSize)
	b, err := r.aead.Open(record[:0], r.nonce[:], record, nil)
	if err != nil {
		return nil, ErrOpen // the cause says nothing more, on purpose
	}
	return b, nil
}

// frame writes the plaintext of a record into b, which has its size: header, payload, zeros.
func frame(b, payload []byte, last bool) {
	b[0] = 0
	if last {
		b[0] = flagLast
	}
	binary.BigEndian.PutUint16(b[1:], uint16(len(payload)))
	n := copy(b[headerSize:], payload)
	clear(b[headerSize+n:])
}

// unframe reads the plaintext of a record, which has a size of the table. The payload shares memory with b. Only the last
// record of a message may have padding, so that every record brings a message forward.
func unframe(b []byte) (payload []byte, last bool, err error) {
	n := int(binary.BigEndian.Uint16(b[1:]))
	last = b[0] == flagLast
	padding := len(b) - headerSize - n
	if b[0]&^flagLast != 0 || padding < 0 || (!last && padding > 0) {
		return nil, false, fmt.Errorf("%w: header", ErrRecord)
	}
	var bits byte
	for _, x := range b[headerSize+n:] {
		bits |= x
	}
	if bits != 0 {
		return nil, false, fmt.Errorf("%w: padding", ErrRecord)
	}
	return b[headerSize : headerSize+n], last, nil
}
