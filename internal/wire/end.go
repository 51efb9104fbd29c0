package wire

import "strconv"

// A Code says why a session ends or what a notice is about. A reader takes codes that it does not know and shows their
// number: a later release may have more.
type Code uint16

// Codes.
const (
	EndedByUser     Code = 1
	TakenOver       Code = 2
	EndedAtDesk     Code = 3
	Revoked         Code = 4
	Expired         Code = 5
	Idle            Code = 6
	Policy          Code = 7
	AgentStopping   Code = 8
	ProtocolError   Code = 9
	CannotLock      Code = 10
	LeaseLost       Code = 11
	CaptureFailed   Code = 12
	DeskLocked      Code = 13
	DeskUnlocked    Code = 14
	InputDenied     Code = 15
	ClipboardDenied Code = 16
	EndsSoon        Code = 17
	Replaced        Code = 18 // the same device opened the desk again
	HoursEnd        Code = 19 // working hours end soon, the session goes on
	TextDenied      Code = 20 // the desk's layout has no keys for a text, and pasting is not allowed, or the desk is locked
)

var codeNames = [...]string{
	EndedByUser: "ended_by_user", TakenOver: "taken_over", EndedAtDesk: "ended_at_desk", Revoked: "revoked",
	Expired: "expired", Idle: "idle", Policy: "policy", AgentStopping: "agent_stopping", ProtocolError: "protocol_error",
	CannotLock: "cannot_lock", LeaseLost: "lease_lost", CaptureFailed: "capture_failed", DeskLocked: "desk_locked",
	DeskUnlocked: "desk_unlocked", InputDenied: "input_denied", ClipboardDenied: "clipboard_denied",
	EndsSoon: "ends_soon", Replaced: "replaced", HoursEnd: "hours_end",
	TextDenied: "text_denied",
}

// String is the name in docs/PROTOCOL.md, or "code_" and the number.
func (c Code) String() string {
	if c != 0 && int(c) < len(codeNames) {
		return codeNames[c]
	}
	return "code_" + strconv.Itoa(int(c))
}

// reason reads a Code.
func (r *reader) reason() Code {
	v := Code(r.u16())
	r.check(v != 0, "code")
	return v
}

// ViewerEnd is the viewer's last message: it ends the session.
//
//	code u16
type ViewerEnd struct {
	Code Code
}

// Type is TypeViewerEnd.
func (m *ViewerEnd) Type() Type { return TypeViewerEnd }

// Append appends the message to b.
func (m *ViewerEnd) Append(b []byte) []byte {
	return be.AppendUint16(append(b, byte(TypeViewerEnd)), uint16(m.Code))
}

func (m *ViewerEnd) parse(r *reader) { m.Code = r.reason() }

// AgentEnd is the agent's last message: it ends the session.
//
//	code u16
type AgentEnd struct {
	Code Code
}

// Type is TypeAgentEnd.
func (m *AgentEnd) Type() Type { return TypeAgentEnd }

// Append appends the message to b.
func (m *AgentEnd) Append(b []byte) []byte {
	return be.AppendUint16(append(b, byte(TypeAgentEnd)), uint16(m.Code))
}

func (m *AgentEnd) parse(r *reader) { m.Code = r.reason() }

// Notice tells the viewer something that does not end the session.
//
//	code u16 · seconds u32
type Notice struct {
	Code    Code
	Seconds uint32 // EndsSoon, HoursEnd: until the end; else 0
}

// Type is TypeNotice.
func (m *Notice) Type() Type { return TypeNotice }

// Append appends the message to b.
func (m *Notice) Append(b []byte) []byte {
	b = be.AppendUint16(append(b, byte(TypeNotice)), uint16(m.Code))
	return be.AppendUint32(b, m.Seconds)
}

func (m *Notice) parse(r *reader) {
	m.Code = r.reason()
	m.Seconds = r.u32()
}
