package browser

import (
	"context"
	"fmt"
	"strings"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// modifiers are those that are down, as DevTools counts them: 1 Alt, 2 Control, 4 Meta, 8 Shift.
type modifiers int64

var modifierOf = map[string]modifiers{
	"AltLeft": 1, "AltRight": 1, "ControlLeft": 2, "ControlRight": 2, "MetaLeft": 4, "MetaRight": 4, "ShiftLeft": 8, "ShiftRight": 8,
}

// named are keys that write nothing: what `key` and the virtual key code of their events are.
var named = map[string]struct {
	key  string
	code int64
}{
	"Enter": {"Enter", 13}, "Tab": {"Tab", 9}, "Escape": {"Escape", 27}, "Backspace": {"Backspace", 8}, "Delete": {"Delete", 46},
	"ArrowLeft": {"ArrowLeft", 37}, "ArrowUp": {"ArrowUp", 38}, "ArrowRight": {"ArrowRight", 39}, "ArrowDown": {"ArrowDown", 40},
	"Home": {"Home", 36}, "End": {"End", 35}, "PageUp": {"PageUp", 33}, "PageDown": {"PageDown", 34},
	"Backquote":   {"Zenkaku", 243}, // 半角/全角 of a Japanese keyboard
	"ControlLeft": {"Control", 17}, "AltLeft": {"Alt", 18}, "ShiftLeft": {"Shift", 16}, "MetaLeft": {"Meta", 91},
	"F4": {"F4", 115}, "F11": {"F11", 122}, "CapsLock": {"CapsLock", 20}, "NumLock": {"NumLock", 144},
}

// signs are keys that write, besides letters and digits.
var signs = map[string]struct {
	plain, shifted string
	code           int64
}{
	"Space": {" ", " ", 32}, "Minus": {"-", "=", 189}, "Slash": {"/", "?", 191}, "Period": {".", ">", 190}, "Comma": {",", "<", 188},
	"Semicolon": {";", "+", 187}, "Quote": {":", "*", 186},
}

// describe is what a key's event tells besides its code.
func describe(code string, held modifiers) (key, text string, virtual int64) {
	shifted := held&modifierOf["ShiftLeft"] != 0
	if n, ok := named[code]; ok {
		if code == "Enter" {
			text = "\r"
		}
		return n.key, text, n.code
	}
	if s, ok := signs[code]; ok {
		if shifted {
			return s.shifted, s.shifted, s.code
		}
		return s.plain, s.plain, s.code
	}
	if letter, ok := strings.CutPrefix(code, "Key"); ok {
		key = strings.ToLower(letter)
		if shifted {
			key = letter
		}
		return key, key, int64(letter[0])
	}
	digit := strings.TrimPrefix(code, "Digit")
	return digit, digit, int64(digit[0])
}

// KeyDown presses the key with a W3C code, on a Japanese keyboard.
func (p *Page) KeyDown(ctx context.Context, code string) error { return p.key(ctx, code, true) }

// KeyUp lets it go.
func (p *Page) KeyUp(ctx context.Context, code string) error { return p.key(ctx, code, false) }

func (p *Page) key(ctx context.Context, code string, down bool) error {
	kind := input.DispatchKeyEventTypeKeyUp
	if down {
		kind = input.DispatchKeyEventTypeRawKeyDown
		p.keys |= modifierOf[code]
	} else {
		p.keys &^= modifierOf[code]
	}
	key, text, virtual := describe(code, p.keys)
	e := input.DispatchKeyEventParams{
		Type: kind, Code: code, Key: key, WindowsVirtualKeyCode: virtual, NativeVirtualKeyCode: virtual, Modifiers: int64(p.keys),
	}
	if writes := p.keys&^modifierOf["ShiftLeft"] == 0; down && writes && text != "" {
		e.Type, e.Text, e.UnmodifiedText = input.DispatchKeyEventTypeKeyDown, text, text
	}
	err := p.call(ctx, func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, input.DispatchKeyEvent, e)
		return err
	})
	if err != nil {
		return fmt.Errorf("key %s: %w", code, err)
	}
	return nil
}

// Press presses keys together and lets them go in reverse order, such as "ControlLeft", "KeyS".
func (p *Page) Press(ctx context.Context, codes ...string) error {
	for _, c := range codes {
		if err := p.KeyDown(ctx, c); err != nil {
			return err
		}
	}
	for i := range codes {
		if err := p.KeyUp(ctx, codes[len(codes)-1-i]); err != nil {
			return err
		}
	}
	return nil
}

// Type presses the keys that write a text of ASCII letters, digits and spaces.
func (p *Page) Type(ctx context.Context, text string) error {
	for _, r := range text {
		codes, err := keysOf(r)
		if err != nil {
			return err
		}
		if err := p.Press(ctx, codes...); err != nil {
			return err
		}
	}
	return nil
}

func keysOf(r rune) ([]string, error) {
	switch {
	case r >= 'a' && r <= 'z':
		return []string{"Key" + strings.ToUpper(string(r))}, nil
	case r >= 'A' && r <= 'Z':
		return []string{"ShiftLeft", "Key" + string(r)}, nil
	case r >= '0' && r <= '9':
		return []string{"Digit" + string(r)}, nil
	case r == ' ':
		return []string{"Space"}, nil
	}
	return nil, fmt.Errorf("no key is known that writes %q", r)
}

// insert puts a text where the cursor is, as pasting does.
func (p *Page) insert(ctx context.Context, text string) error {
	return p.call(ctx, func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, input.InsertText, input.InsertTextParams{Text: text})
		return err
	})
}

// ClickAt clicks with the left button at a place of the window, in CSS pixels.
func (p *Page) ClickAt(ctx context.Context, x, y float64) error {
	return p.Drag(ctx, [2]float64{x, y})
}

// Drag presses the left button at the first place, moves through the others, and lets it go at the last.
func (p *Page) Drag(ctx context.Context, places ...[2]float64) error {
	if len(places) == 0 {
		return nil
	}
	first, last := places[0], places[len(places)-1]
	if err := p.Move(ctx, first[0], first[1]); err != nil {
		return err
	}
	if err := p.mouse(ctx, input.DispatchMouseEventParams{Type: input.DispatchMouseEventTypeMousePressed, X: first[0], Y: first[1], Button: input.MouseButtonLeft, Buttons: 1, ClickCount: 1}); err != nil {
		return err
	}
	for _, at := range places[1:] {
		if err := p.mouse(ctx, input.DispatchMouseEventParams{Type: input.DispatchMouseEventTypeMouseMoved, X: at[0], Y: at[1], Button: input.MouseButtonLeft, Buttons: 1}); err != nil {
			return err
		}
	}
	return p.mouse(ctx, input.DispatchMouseEventParams{Type: input.DispatchMouseEventTypeMouseReleased, X: last[0], Y: last[1], Button: input.MouseButtonLeft, ClickCount: 1})
}

// Move moves the pointer without a button.
func (p *Page) Move(ctx context.Context, x, y float64) error {
	return p.mouse(ctx, input.DispatchMouseEventParams{Type: input.DispatchMouseEventTypeMouseMoved, X: x, Y: y})
}

// Wheel turns the wheel at a place by so many CSS pixels, down positive.
func (p *Page) Wheel(ctx context.Context, x, y, down float64) error {
	turn := cdp.Command[wheel, cdp.Empty]{Method: input.CommandDispatchMouseEvent}
	return p.call(ctx, func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, turn, wheel{Type: "mouseWheel", X: x, Y: y, DeltaY: down, Modifiers: int64(p.keys)})
		return err
	})
}

// A wheel has both distances, also when they are 0, which input.DispatchMouseEventParams leaves out.
type wheel struct {
	Type      string  `json:"type"`
	X         float64 `json:"x"`
	Y         float64 `json:"y"`
	DeltaX    float64 `json:"deltaX"`
	DeltaY    float64 `json:"deltaY"`
	Modifiers int64   `json:"modifiers"`
}

func (p *Page) mouse(ctx context.Context, e input.DispatchMouseEventParams) error {
	e.Modifiers = int64(p.keys)
	err := p.call(ctx, func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, input.DispatchMouseEvent, e)
		return err
	})
	if err != nil {
		return fmt.Errorf("pointer: %w", err)
	}
	return nil
}
