// Package codec turns the changes of a desk's screen into bytes and back, without loss.
//
// An Encoder belongs to one session and keeps the mirror: the picture that the viewer has after all updates so far.
// Each call of Encode yields one update that brings the mirror closer to the newest picture; each update is decoded by
// the session's Decoder in the same order. The format is specified in docs/protocol/codec.md.
package codec

import (
	"errors"
	"fmt"
	"time"

	"jiseki/internal/screen"
)

// A Coder names a format of updates. Viewer and agent negotiate it in the handshake.
type Coder uint8

// CoderQ2Z is tokens like those of QOI with runs from above, in one zstd stream as long as the session, and a Golomb
// coder for photos. Its name is "q2z".
const CoderQ2Z Coder = 1

// ParseCoder returns the coder of a name.
func ParseCoder(name string) (Coder, error) {
	if name == "q2z" {
		return CoderQ2Z, nil
	}
	return 0, fmt.Errorf("codec: no coder is called %q", name)
}

// String is the coder's name.
func (c Coder) String() string {
	if c == CoderQ2Z {
		return "q2z"
	}
	return fmt.Sprintf("coder(%d)", uint8(c))
}

// MaxUpdate is the greatest size of an update in bytes. Encode never exceeds it, Decode refuses more.
const MaxUpdate = 1 << 20

// ErrMalformed is what every error of Decode wraps. After it the decoder is unusable.
var ErrMalformed = errors.New("codec: malformed update")

// The classes of malformed updates, as in vectors/README.md.
var (
	errShort   = fmt.Errorf("%w: ends early", ErrMalformed)
	errTrailer = fmt.Errorf("%w: bytes left over", ErrMalformed)
	errRange   = fmt.Errorf("%w: value not allowed", ErrMalformed)
	errStream  = fmt.Errorf("%w: zstd stream", ErrMalformed)
)

// A Config is what an Encoder or a Decoder starts from; both ends of a session start from the same.
type Config struct {
	Coder Coder
	Size  screen.Point // of every picture, in pixels; another size needs a new Encoder and Decoder
	// Mirror is what the viewer shows already; nil means black. It is copied.
	Mirror *screen.Picture
	// Overwriting is called by the encoder before it changes a part of its mirror, which still holds what was there. Nil:
	// nobody wants to know.
	Overwriting func(mirror *screen.Picture, part screen.Rect)
	// Now is the encoder's clock; nil means the system's. It decides only what is worth keeping in the store.
	Now func() time.Time
}

// mirror validates c and returns a copy of the mirror.
func (c Config) mirror() (*screen.Picture, error) {
	if c.Coder != CoderQ2Z {
		return nil, fmt.Errorf("codec: %v is unknown", c.Coder)
	}
	if !screen.Valid(c.Size) {
		return nil, fmt.Errorf("codec: size %v is out of range", c.Size)
	}
	m := screen.NewPicture(c.Size)
	if c.Mirror == nil {
		return m, nil
	}
	if c.Mirror.Size != c.Size || len(c.Mirror.Pix) != len(m.Pix) {
		return nil, fmt.Errorf("codec: mirror of %v pixels for pictures of %v", c.Mirror.Size, c.Size)
	}
	copy(m.Pix, c.Mirror.Pix)
	return m, nil
}

// Limits and constants of the q2z format.
const (
	windowSize = 32 << 20 // of the zstd stream
	maxRaw     = 1 << 20  // bytes of commands in an update, uncompressed
	maxMoves   = 2048     // rectangles moved in an update

	modeTokens = 0
	modePhoto  = 1
	modeRaw    = 2

	tileSide = 64
)

// frameHeader begins the zstd stream: magic, no checksum, no dictionary, no size, window of 2^25 bytes.
var frameHeader = [6]byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x78}
