package wire

// Ping asks the agent for a Pong with the same ID: the round trip through both seals.
//
//	id u32
type Ping struct {
	ID uint32
}

// Type is TypePing.
func (m *Ping) Type() Type { return TypePing }

// Append appends the message to b.
func (m *Ping) Append(b []byte) []byte { return be.AppendUint32(append(b, byte(TypePing)), m.ID) }

func (m *Ping) parse(r *reader) { m.ID = r.u32() }

// Pong answers a Ping.
//
//	id u32
type Pong struct {
	ID uint32
}

// Type is TypePong.
func (m *Pong) Type() Type { return TypePong }

// Append appends the message to b.
func (m *Pong) Append(b []byte) []byte { return be.AppendUint32(append(b, byte(TypePong)), m.ID) }

func (m *Pong) parse(r *reader) { m.ID = r.u32() }
