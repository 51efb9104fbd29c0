package agent

import (
	"context"
	"errors"

	"jiseki/internal/grant"
	"jiseki/internal/input"
	"jiseki/internal/keys"
	"jiseki/internal/screen"
	"jiseki/internal/wire"
)

// readControl does what the viewer says while the session works, as far as the grant allows it.
func (s *session) readControl(working, links context.Context) error {
	parser := wire.Parser{Route: wire.ControlToAgent}
	told := map[wire.Code]bool{}
	for {
		raw, err := s.sealed.Control.Receive(links)
		if err != nil {
			return err
		}
		if working.Err() != nil {
			return context.Cause(working)
		}
		message, err := parser.Parse(raw)
		switch {
		case errors.Is(err, &wire.Error{Class: wire.Skip}):
			continue
		case err != nil:
			return s.leave(links, wire.ProtocolError, err)
		}
		denied, err := s.obey(links, message)
		if err != nil {
			return err
		}
		if denied != 0 && !told[denied] { // once is enough: a viewer that lies may try as often as it likes
			told[denied] = denied != wire.TextDenied // each lost text is said
			if err := s.tell(links, &wire.Notice{Code: denied}); err != nil {
				return err
			}
		}
	}
}

// obey does one message. denied is the code of a notice when the grant does not allow it.
func (s *session) obey(ctx context.Context, message wire.Message) (denied wire.Code, err error) {
	switch m := message.(type) {
	case *wire.View:
		s.setWish(wish{visible: m.Visible, monitor: m.Monitor})
		return 0, nil
	case *wire.Marked:
		if s.sealed.Version < wire.MarkVersion {
			return 0, s.leave(ctx, wire.ProtocolError, errLater)
		}
		if err := s.hear(m); err != nil {
			return 0, s.leave(ctx, wire.ProtocolError, err)
		}
		return 0, nil
	case *wire.Ping:
		return 0, s.tell(ctx, &wire.Pong{ID: m.ID})
	case *wire.ViewerEnd:
		return 0, &endError{code: wire.EndedByUser}
	case *wire.Start:
		return 0, s.leave(ctx, wire.ProtocolError, errors.New("a second start"))
	case *wire.Clipboard:
		return s.paste(ctx, m)
	}
	if !s.rights.Has(grant.RightInput) {
		return wire.InputDenied, nil
	}
	if presses(message) {
		defer s.agent.guard.pressed()
	}
	if m, ok := message.(*wire.Text); ok {
		return s.write(ctx, string(m.Text))
	}
	return 0, s.inject(ctx, message)
}

// paste offers the viewer's text to the desk's programs. Nothing goes the other way.
func (s *session) paste(ctx context.Context, m *wire.Clipboard) (denied wire.Code, err error) {
	if !s.rights.Has(grant.RightClipboard) {
		return wire.ClipboardDenied, nil
	}
	s.touched()
	return 0, s.injected(ctx, s.agent.desk.Input.SetClipboard(string(m.Text)))
}

// errLater is a message of a later version than the one that was chosen.
var errLater = errors.New("a message of a later version")

// presses says whether a message could have a locker check a password: motion and releases do not.
func presses(message wire.Message) bool {
	switch m := message.(type) {
	case *wire.Key:
		return m.Down
	case *wire.Pointer:
		return m.Buttons != 0
	case *wire.KeyTap, *wire.Text:
		return true
	}
	return false
}

// write types a text that was written without keys, or pastes it where the layout has no keys for it and the grant
// allows that. On a locked desk nothing is pasted: what is written there is a password, which would stay on the desk's
// clipboard.
func (s *session) write(ctx context.Context, text string) (denied wire.Code, err error) {
	if s.sealed.Version < wire.TextVersion {
		return 0, s.leave(ctx, wire.ProtocolError, errLater)
	}
	s.touched()
	err = s.held.Type(text)
	if !errors.Is(err, input.ErrNoKey) {
		return 0, s.injected(ctx, err)
	}
	if !s.rights.Has(grant.RightClipboard) || s.agent.locked() {
		return wire.TextDenied, nil
	}
	if err = s.held.Paste(text); errors.Is(err, input.ErrNoKey) {
		return wire.TextDenied, nil
	}
	return 0, s.injected(ctx, err)
}

// inject types, points and clicks.
func (s *session) inject(ctx context.Context, message wire.Message) error {
	switch m := message.(type) {
	case *wire.Key:
		s.touched()
		return s.injected(ctx, s.held.Key(keys.Code(m.Code), m.Down))
	case *wire.KeyTap:
		s.touched()
		return s.injected(ctx, s.held.Tap(keys.Code(m.Code)))
	case *wire.Held:
		return s.injected(ctx, s.held.Refresh(codes(m.Codes), input.Buttons(m.Buttons)))
	case *wire.ReleaseAll:
		return s.injected(ctx, s.held.ReleaseAll())
	case *wire.Locks:
		return s.injected(ctx, s.agent.desk.Input.SetLocks(input.Locks(m.Locks)))
	case *wire.Pointer:
		if !s.current(m.Generation) {
			return nil
		}
		s.touched()
		return s.injected(ctx, s.held.Pointer(screen.Point{X: int(m.X), Y: int(m.Y)}, input.Buttons(m.Buttons)))
	case *wire.Wheel:
		if !s.current(m.Generation) {
			return nil
		}
		s.touched()
		return s.injected(ctx, s.held.Wheel(screen.Point{X: int(m.X), Y: int(m.Y)}, int(m.DX), int(m.DY)))
	default:
		return s.leave(ctx, wire.ProtocolError, errors.New("a message that belongs elsewhere"))
	}
}

// injected ends the session when the desk is lost; a key that the desk does not have is no reason.
func (s *session) injected(ctx context.Context, err error) error {
	if err == nil || errors.Is(err, input.ErrNoKey) || errors.Is(err, input.ErrText) {
		return nil
	}
	return s.leave(ctx, wire.CaptureFailed, err)
}

// current says whether a position is meant for the present layout.
func (s *session) current(generation uint32) bool {
	return s.agent.feed.generation.Load() == generation
}

func codes(raw []uint16) []keys.Code {
	out := make([]keys.Code, len(raw))
	for i, c := range raw {
		out[i] = keys.Code(c)
	}
	return out
}
