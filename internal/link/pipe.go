package link

// A Pipe is a [Conn] as package seal wants it, which knows no link codes: its Close takes the bare number.
type Pipe struct{ *Conn }

// Close is [Conn.Close].
func (p Pipe) Close(code int, reason string) error { return p.Conn.Close(Code(code), reason) }
