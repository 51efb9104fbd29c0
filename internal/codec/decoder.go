package codec

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"

	"jiseki/internal/screen"
)

// A Decoder rebuilds the picture of one session from its updates. It must not be used by two goroutines at once.
type Decoder struct {
	picture *screen.Picture
	stream  *zstd.Decoder
	source  source
	begun   bool
	raw     []byte
	tokens  untokenizer
	photo   photoModel
	bits    bitReader
	rows    [2][]uint32
	moves   []move
	store   store
	tiles   *tileMap
	scratch []byte
	damage  []screen.Rect
	err     error
}

// source feeds the zstd stream with the blocks of one update.
type source struct{ b []byte }

func (s *source) Read(p []byte) (int, error) {
	if len(s.b) == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n := copy(p, s.b)
	s.b = s.b[n:]
	return n, nil
}

// NewDecoder returns a decoder for the updates of an encoder that was made with the same Config.
func NewDecoder(c Config) (*Decoder, error) {
	picture, err := c.mirror()
	if err != nil {
		return nil, err
	}
	d := &Decoder{picture: picture, tiles: newTileMap(c.Size)}
	for i := range d.rows {
		d.rows[i] = make([]uint32, c.Size.X+2)
	}
	d.stream, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(windowSize), zstd.WithDecoderMaxMemory(1<<62))
	if err != nil {
		return nil, fmt.Errorf("codec: %w", err)
	}
	return d, nil
}

// Picture is the picture after the updates so far. It shares memory with the decoder.
func (d *Decoder) Picture() *screen.Picture { return d.picture }

// Close releases what the decoder holds besides memory.
func (d *Decoder) Close() { d.stream.Close() }

// Decode applies the next update and returns the rectangles that it wrote; they are valid until the next call. It keeps
// no reference to update. After an error, which wraps ErrMalformed, each further call fails.
func (d *Decoder) Decode(update []byte) (damage []screen.Rect, err error) {
	if d.err == nil {
		d.err = d.decode(update)
	}
	if d.err != nil {
		return nil, d.err
	}
	return d.damage, nil
}

func (d *Decoder) decode(update []byte) error {
	if len(update) > MaxUpdate {
		return fmt.Errorf("%w: %d bytes", errRange, len(update))
	}
	size, update, err := uvarint(update, maxRaw)
	if err != nil {
		return err
	}
	packed, update, err := uvarint(update, MaxUpdate)
	if err != nil {
		return err
	}
	if packed > len(update) {
		return errShort
	}
	if size == 0 {
		return fmt.Errorf("%w: no commands", errRange)
	}
	if err := d.unpack(update[:packed], size); err != nil {
		return err
	}
	return d.obey(d.raw, update[packed:])
}

// obey does what the commands of an update say; photos are the codes of its photo regions.
func (d *Decoder) obey(commands, photos []byte) (err error) {
	d.bits = bitReader{in: photos}
	d.damage = d.damage[:0]
	rest := commands
	for _, section := range [...]func([]byte) ([]byte, error){d.save, d.move, d.load} {
		if rest, err = section(rest); err != nil {
			return err
		}
	}
	left := d.picture.Size.X * d.picture.Size.Y
	for len(rest) > 0 {
		mode := rest[0]
		var r screen.Rect
		if r, rest, err = d.rect(rest[1:]); err != nil {
			return err
		}
		if left -= r.Dx() * r.Dy(); left < 0 {
			return fmt.Errorf("%w: more pixels than the picture has", errRange)
		}
		if rest, err = d.region(mode, r, rest); err != nil {
			return err
		}
		d.damage = append(d.damage, r)
	}
	if d.bits.pos != len(d.bits.in) {
		return errTrailer
	}
	return nil
}

// unpack decompresses the commands into d.raw.
func (d *Decoder) unpack(blocks []byte, size int) error {
	header := 0
	if !d.begun {
		if len(blocks) < len(frameHeader) || [6]byte(blocks) != frameHeader {
			return fmt.Errorf("%w: header", errStream)
		}
		header = len(frameHeader)
	}
	if err := checkBlocks(blocks[header:]); err != nil {
		return err
	}
	if cap(d.raw) < size {
		d.raw = make([]byte, size)
	}
	d.raw = d.raw[:size]
	d.source.b = blocks
	if !d.begun {
		d.begun = true
		if err := d.stream.Reset(&d.source); err != nil {
			return fmt.Errorf("%w: %w", errStream, err)
		}
	} else if n, err := d.stream.Read(d.raw[:1]); err != nil || len(d.source.b) == len(blocks) {
		return fmt.Errorf("%w: more commands than announced: %w", errStream, err)
	} else {
		size -= n
	}
	if _, err := io.ReadFull(d.stream, d.raw[len(d.raw)-size:]); err != nil {
		return fmt.Errorf("%w: %w", errStream, err)
	}
	if len(d.source.b) > 0 {
		return fmt.Errorf("%w: more commands than announced", errStream)
	}
	return nil
}

// checkBlocks walks the headers of zstd blocks: whole blocks, none the last of the stream.
func checkBlocks(b []byte) error {
	for len(b) > 0 {
		if len(b) < 3 {
			return fmt.Errorf("%w: header of a block", errStream)
		}
		h := int(b[0]) | int(b[1])<<8 | int(b[2])<<16
		n := h >> 3
		last, kind := h&1 != 0, h>>1&3
		if last || kind == 3 || n > 128<<10 {
			return fmt.Errorf("%w: header of a block", errStream)
		}
		if kind == 1 {
			n = 1
		}
		if b = b[3:]; n > len(b) {
			return fmt.Errorf("%w: a block ends early", errStream)
		}
		b = b[n:]
	}
	return nil
}

// move reads and makes the moves.
func (d *Decoder) move(in []byte) ([]byte, error) {
	d.moves = d.moves[:0]
	left := d.picture.Size.X * d.picture.Size.Y
	for {
		n, rest, err := uvarint(in, maxMoves-len(d.moves))
		if err != nil || n == 0 {
			d.scratch = applyMoves(d.picture, d.moves, d.scratch)
			return rest, err
		}
		dx, rest, err := varint(rest)
		if err != nil {
			return nil, err
		}
		dy, rest, err := varint(rest)
		if err != nil {
			return nil, err
		}
		from := screen.Point{X: dx, Y: dy}
		for range n {
			var r screen.Rect
			if r, rest, err = d.rect(rest); err != nil {
				return nil, err
			}
			if left -= r.Dx() * r.Dy(); left < 0 || !r.Add(from).In(d.picture.Bounds()) {
				return nil, fmt.Errorf("%w: move to %v from %v", errRange, r, from)
			}
			d.moves = append(d.moves, move{to: r, from: from})
			d.damage = append(d.damage, r)
		}
		in = rest
	}
}

// rect reads a rectangle inside the picture.
func (d *Decoder) rect(in []byte) (screen.Rect, []byte, error) {
	var v [4]int
	var err error
	for i := range v {
		if v[i], in, err = uvarint(in, screen.MaxSide); err != nil {
			return screen.Rect{}, nil, err
		}
	}
	r := screen.Rect{Min: screen.Point{X: v[0], Y: v[1]}, Max: screen.Point{X: v[0] + v[2], Y: v[1] + v[3]}}
	if r.Empty() || !r.In(d.picture.Bounds()) {
		return r, nil, fmt.Errorf("%w: rectangle %v", errRange, r)
	}
	return r, in, nil
}

// region decodes the pixels of a rectangle and returns the rest of the commands.
func (d *Decoder) region(mode byte, r screen.Rect, in []byte) ([]byte, error) {
	switch mode {
	case modeTokens:
		d.tokens.run = 0
	case modePhoto:
		d.photo.reset()
	case modeRaw:
		return d.plain(r, in)
	default:
		return nil, fmt.Errorf("%w: mode %d", errRange, mode)
	}
	var err error
	for y := r.Min.Y; y < r.Max.Y; y++ {
		up := load(d.rows[0], d.picture, y-1, r.Min.X-1, r.Max.X+1)
		cur := load(d.rows[1], d.picture, y, r.Min.X-1, r.Max.X)
		left := cur[0]
		cur = cur[1:]
		if mode == modePhoto {
			d.photo.unrow(&d.bits, cur, up, left)
		} else if in, err = d.tokens.row(in, cur, up[1:], left); err != nil {
			return nil, err
		}
		row := d.picture.Row(y, r.Min.X, r.Max.X)
		for i, c := range cur {
			binary.LittleEndian.PutUint32(row[4*i:], c)
		}
	}
	if mode == modePhoto {
		return in, d.bits.end()
	}
	if d.tokens.run > 0 {
		return nil, fmt.Errorf("%w: a run is longer than its rectangle", errRange)
	}
	return in, nil
}

// plain reads a rectangle of B G R bytes.
func (d *Decoder) plain(r screen.Rect, in []byte) ([]byte, error) {
	if len(in) < 3*r.Dx()*r.Dy() {
		return nil, errShort
	}
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := d.picture.Row(y, r.Min.X, r.Max.X)
		for i := 0; i < len(row); i += 4 {
			row[i], row[i+1], row[i+2], row[i+3] = in[0], in[1], in[2], 0
			in = in[3:]
		}
	}
	return in, nil
}

// uvarint reads an unsigned number of at most five bytes, written as short as can be.
func uvarint(b []byte, limit int) (int, []byte, error) {
	v, n := binary.Uvarint(b)
	if n == 0 && len(b) < maxNumber {
		return 0, nil, errShort
	}
	if n <= 0 || n > maxNumber || n > 1 && b[n-1] == 0 || v > uint64(limit) {
		return 0, nil, fmt.Errorf("%w: number", errRange)
	}
	return int(v), b[n:], nil
}

const maxNumber = 5

// varint reads a signed number.
func varint(b []byte) (int, []byte, error) {
	u, b, err := uvarint(b, 2*screen.MaxSide)
	return u>>1 ^ -(u & 1), b, err
}
