package wire

// LockBits are the states of the lock keys.
type LockBits uint8

// Lock keys.
const (
	CapsLock   LockBits = 1 << 0
	NumLock    LockBits = 1 << 1
	ScrollLock LockBits = 1 << 2

	allLocks = CapsLock | NumLock | ScrollLock
)

func (r *reader) locks() LockBits {
	v := LockBits(r.u8())
	r.check(v&^allLocks == 0, "locks")
	return v
}

// Locks tells the lock states of the device, when the viewer gets the focus; the desk takes them over.
//
//	locks u8
type Locks struct {
	Locks LockBits
}

// Type is TypeLocks.
func (m *Locks) Type() Type { return TypeLocks }

// Append appends the message to b.
func (m *Locks) Append(b []byte) []byte { return append(b, byte(TypeLocks), byte(m.Locks)) }

func (m *Locks) parse(r *reader) { m.Locks = r.locks() }

// LockState tells the lock states of the desk, so that the viewer can show them.
//
//	locks u8
type LockState struct {
	Locks LockBits
}

// Type is TypeLockState.
func (m *LockState) Type() Type { return TypeLockState }

// Append appends the message to b.
func (m *LockState) Append(b []byte) []byte { return append(b, byte(TypeLockState), byte(m.Locks)) }

func (m *LockState) parse(r *reader) { m.Locks = r.locks() }
