package codec

// Nothing appends to dst an update that changes nothing: for a first update whose picture is the mirror already, and to
// tell a viewer that its picture has become equal to the desk's without a change of its own.
func (e *Encoder) Nothing(dst []byte) (out []byte, err error) {
	e.tokens.out = appendSaves(e.tokens.out[:0], nil)
	e.tokens.out = appendMoves(e.tokens.out, nil)
	e.tokens.out = appendLoads(e.tokens.out, nil, e.tiles)
	e.bits.out = e.bits.out[:0]
	return e.seal(dst)
}
