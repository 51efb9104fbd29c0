package wire

// Parse reads one message of a route. The message is fresh; byte fields (Update.Coder, Cursor.Pix, Clipboard.Text) are
// views into b, which the caller must leave alone as long as it uses them. The error is an *Error; its class Skip means
// that the message is to be passed over.
func Parse(route Route, b []byte) (Message, error) {
	if len(b) == 0 {
		return nil, &Error{Class: Short}
	}
	m := newMessage(route, Type(b[0]))
	if m == nil {
		return nil, refuse(Type(b[0]))
	}
	if err := parseBody(new(reader), m, b[1:]); err != nil {
		return nil, err
	}
	return m, nil
}

func newMessage(route Route, t Type) Message {
	switch route {
	case ControlToAgent:
		return newToAgent(t)
	case ControlToViewer:
		return newToViewer(t)
	case DisplayToViewer:
		if t == TypeUpdate {
			return new(Update)
		}
	case DisplayToAgent:
		if t == TypeAck {
			return new(Ack)
		}
	}
	return nil
}

func newToAgent(t Type) Message {
	switch t {
	case TypeStart:
		return new(Start)
	case TypeView:
		return new(View)
	case TypeKey:
		return new(Key)
	case TypeKeyTap:
		return new(KeyTap)
	case TypeHeld:
		return new(Held)
	case TypeLocks:
		return new(Locks)
	case TypePointer:
		return new(Pointer)
	case TypeWheel:
		return new(Wheel)
	case TypeClipboard:
		return new(Clipboard)
	case TypeReleaseAll:
		return new(ReleaseAll)
	case TypePing:
		return new(Ping)
	case TypeViewerEnd:
		return new(ViewerEnd)
	case TypeText:
		return new(Text)
	case TypeMarked:
		return new(Marked)
	}
	return nil
}

func newToViewer(t Type) Message {
	switch t {
	case TypeWelcome:
		return new(Welcome)
	case TypeLayout:
		return new(Layout)
	case TypeCursor:
		return new(Cursor)
	case TypeCursorUse:
		return new(CursorUse)
	case TypeLockState:
		return new(LockState)
	case TypeNotice:
		return new(Notice)
	case TypePong:
		return new(Pong)
	case TypeAgentEnd:
		return new(AgentEnd)
	case TypeMark:
		return new(Mark)
	}
	return nil
}

// refuse is the error for a type that a route does not know.
func refuse(t Type) error {
	if t&skippable != 0 {
		return &Error{Class: Skip, Type: t}
	}
	return &Error{Class: Unknown, Type: t}
}

// parseBody parses the bytes after the type byte into m, with the caller's reader.
func parseBody(r *reader, m Message, body []byte) error {
	*r = reader{b: body}
	m.parse(r)
	if len(r.b) > 0 {
		r.fail(Trailer, "")
	}
	class, field := r.class, r.field
	*r = reader{} // keep no view of the caller's bytes
	if class != "" {
		return &Error{Class: class, Type: m.Type(), Field: field}
	}
	return nil
}

// A Parser parses the messages of one route without allocating for the frequent ones (Key, KeyTap, Held, Pointer,
// Wheel, Ping; Cursor, CursorUse, Pong; Update, Ack): it owns and reuses their structs. The zero value with Route set
// is ready. Not for concurrent use.
type Parser struct {
	Route Route

	r         reader
	codes     [MaxHeld]uint16
	key       Key
	keyTap    KeyTap
	held      Held
	pointer   Pointer
	wheel     Wheel
	ping      Ping
	cursor    Cursor
	cursorUse CursorUse
	pong      Pong
	update    Update
	ack       Ack
}

// Parse is like the function [Parse], but the message belongs to the Parser and is valid until its next call.
func (p *Parser) Parse(b []byte) (Message, error) {
	if len(b) == 0 {
		return nil, &Error{Class: Short}
	}
	m := p.reused(Type(b[0]))
	if m == nil {
		return Parse(p.Route, b)
	}
	if err := parseBody(&p.r, m, b[1:]); err != nil {
		return nil, err
	}
	return m, nil
}

// reused returns the Parser's own struct for a frequent message, or nil.
func (p *Parser) reused(t Type) Message {
	switch p.Route {
	case ControlToAgent:
		return p.reusedToAgent(t)
	case ControlToViewer:
		switch t {
		case TypeCursor:
			return &p.cursor
		case TypeCursorUse:
			return &p.cursorUse
		case TypePong:
			return &p.pong
		}
	case DisplayToViewer:
		if t == TypeUpdate {
			return &p.update
		}
	case DisplayToAgent:
		if t == TypeAck {
			return &p.ack
		}
	}
	return nil
}

func (p *Parser) reusedToAgent(t Type) Message {
	switch t {
	case TypeKey:
		return &p.key
	case TypeKeyTap:
		return &p.keyTap
	case TypeHeld:
		p.held.Codes = p.codes[:0]
		return &p.held
	case TypePointer:
		return &p.pointer
	case TypeWheel:
		return &p.wheel
	case TypePing:
		return &p.ping
	}
	return nil
}
