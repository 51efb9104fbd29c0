package wire

import "time"

// Welcome is always the agent's first message.
//
//	run 16 B · resumed u8 · lockable u8 · rights u32 · session_until time · idle u32 · desk str8
type Welcome struct {
	Run          [16]byte      // random, of this start of the agent
	Resumed      bool          // the picture that Start.Resume names is what the first update builds on
	Lockable     bool          // the agent can lock the desk and read the lock back
	Rights       uint32        // as in the grant: bit 0 view, bit 1 input, bit 2 clipboard
	SessionUntil time.Time     // to the millisecond
	Idle         time.Duration // whole seconds without input until the session ends; 0 = no limit
	Desk         string        // id of the desk
}

// Type is TypeWelcome.
func (m *Welcome) Type() Type { return TypeWelcome }

// Append appends the message to b.
func (m *Welcome) Append(b []byte) []byte {
	b = append(append(b, byte(TypeWelcome)), m.Run[:]...)
	b = appendFlag(b, m.Resumed)
	b = appendFlag(b, m.Lockable)
	b = be.AppendUint32(b, m.Rights)
	b = be.AppendUint64(b, uint64(m.SessionUntil.UnixMilli()))
	b = be.AppendUint32(b, uint32(m.Idle/time.Second))
	return appendStr8(b, m.Desk)
}

func (m *Welcome) parse(r *reader) {
	copy(m.Run[:], r.take(len(m.Run)))
	m.Resumed = r.flag("resumed")
	m.Lockable = r.flag("lockable")
	m.Rights = r.u32()
	until := r.u64()
	r.check(until <= maxTime, "session_until")
	m.SessionUntil = time.UnixMilli(int64(until)).UTC()
	m.Idle = time.Duration(r.u32()) * time.Second
	m.Desk = r.str8("desk")
}
