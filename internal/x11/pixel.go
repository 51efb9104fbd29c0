//go:build linux

package x11

import "math/bits"

// A channel is where a colour lies in a pixel of the root window.
type channel struct{ shift, width int }

func channelOf(mask uint32) channel {
	return channel{shift: bits.TrailingZeros32(mask), width: bits.OnesCount32(mask)}
}

// eight is the colour's value of a pixel in 8 bits: whole for a full channel, 0 for an empty one.
func (c channel) eight(pixel uint32) uint32 {
	v := pixel >> c.shift & (1<<c.width - 1)
	if c.width >= 8 {
		return v >> (c.width - 8)
	}
	return v * 0xff / (1<<c.width - 1)
}

// place is where a value of 8 bits lies in a pixel.
func (c channel) place(v uint32) uint32 {
	if c.width >= 8 {
		return (v<<(c.width-8) | v>>(16-c.width)) << c.shift
	}
	return v >> (8 - c.width) << c.shift
}

// TrueColour says whether pictures of the root window can be read and drawn: 2 or 4 bytes a pixel, little endian, each
// colour with bits of its own. Depths 15, 16, 24, 30 and 32 are so, 8 is not.
func (s *Setup) TrueColour() bool {
	channels := s.RedMask != 0 && s.GreenMask != 0 && s.BlueMask != 0
	return s.LittleEndian && channels && (s.BitsPerPixel == 16 || s.BitsPerPixel == 32)
}

// RowBytes is the size of a row of a picture of the root window.
func (s *Setup) RowBytes(width int) int { return pad4(width * int(s.BitsPerPixel) / 8) }

// ToBGRX turns rows of width pixels, as the server gives them, into rows of 4 bytes a pixel without gaps: blue, green,
// red, 0. dst is as long as that needs.
func (s *Setup) ToBGRX(dst, src []byte, width int) {
	red, green, blue := channelOf(s.RedMask), channelOf(s.GreenMask), channelOf(s.BlueMask)
	stride, size := s.RowBytes(width), int(s.BitsPerPixel)/8
	for ; len(dst) >= width*4 && width > 0; dst, src = dst[width*4:], src[stride:] {
		for x := range width {
			p := uint32(le.Uint16(src[x*size:]))
			if size == 4 {
				p = le.Uint32(src[x*size:])
			}
			le.PutUint32(dst[x*4:], red.eight(p)<<16|green.eight(p)<<8|blue.eight(p))
		}
	}
}

// fromBGRX is the reverse, for pictures that are drawn.
func (s *Setup) fromBGRX(src []byte, width int) []byte {
	if s.BGRX() {
		return src
	}
	red, green, blue := channelOf(s.RedMask), channelOf(s.GreenMask), channelOf(s.BlueMask)
	stride, size := s.RowBytes(width), int(s.BitsPerPixel)/8
	out := make([]byte, stride*(len(src)/(width*4)))
	for row := out; len(row) > 0; row, src = row[stride:], src[width*4:] {
		for x := range width {
			c := le.Uint32(src[x*4:])
			p := red.place(c>>16&0xff) | green.place(c>>8&0xff) | blue.place(c&0xff)
			if size == 4 {
				le.PutUint32(row[x*4:], p)
			} else {
				le.PutUint16(row[x*2:], uint16(p))
			}
		}
	}
	return out
}
