package browser

import (
	"context"
	"fmt"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// maxFingers is how many a telephone's screen tells apart.
const maxFingers = 5

// touchable gives the window a screen for fingers, or takes it away.
func (p *Page) touchable(yes bool) error {
	_, err := chromedp.Call(p.ctx, emulation.SetTouchEmulationEnabled, emulation.SetTouchEmulationEnabledParams{
		Enabled: yes, MaxTouchPoints: maxFingers,
	})
	return err
}

// Fingers says where fingers are on the screen now, in CSS pixels: more than before have gone down, as many have moved,
// none at all are lifted. Their order tells which is which.
func (p *Page) Fingers(ctx context.Context, places ...[2]float64) error {
	e := input.DispatchTouchEventParams{Type: input.DispatchTouchEventTypeTouchMove}
	e.TouchPoints = make([]*input.TouchPoint, len(places))
	switch {
	case len(places) == 0:
		e.Type = input.DispatchTouchEventTypeTouchEnd
	case len(places) > p.fingers:
		e.Type = input.DispatchTouchEventTypeTouchStart
	}
	for i, at := range places {
		id := float64(i)
		e.TouchPoints[i] = &input.TouchPoint{X: at[0], Y: at[1], ID: &id}
	}
	p.fingers = len(places)
	err := p.call(ctx, func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, input.DispatchTouchEvent, e)
		return err
	})
	if err != nil {
		return fmt.Errorf("fingers: %w", err)
	}
	return nil
}

// TapOn puts a finger on the element that a script finds and lifts it, once the element is there and can be pressed.
func (p *Page) TapOn(ctx context.Context, what, element string) error {
	at, err := p.free(ctx, what, element)
	if err != nil {
		return err
	}
	if err := p.Fingers(ctx, at); err != nil {
		return err
	}
	return p.Fingers(ctx)
}

// TapIn taps the link or button of a name within the first element that a selector finds.
func (p *Page) TapIn(ctx context.Context, within, name string) error {
	return p.TapOn(ctx, "the button "+name, find+`("button", `+quote(name)+`, `+quote(within)+`)`)
}

// Write writes a text as a keyboard on the screen does: character by character into the field that has the focus,
// without keys.
func (p *Page) Write(ctx context.Context, text string) error {
	for _, r := range text {
		if err := p.insert(ctx, string(r)); err != nil {
			return fmt.Errorf("write: %w", err)
		}
	}
	return nil
}

// PressNamed presses a key as a keyboard on the screen does: it has a name and no code. Enter and Backspace are such
// keys.
func (p *Page) PressNamed(ctx context.Context, name string) error {
	key, ok := named[name]
	if !ok {
		return fmt.Errorf("no key is named %s", name)
	}
	e := input.DispatchKeyEventParams{Key: key.key, WindowsVirtualKeyCode: key.code}
	for _, e.Type = range []input.DispatchKeyEventType{input.DispatchKeyEventTypeRawKeyDown, input.DispatchKeyEventTypeKeyUp} {
		err := p.call(ctx, func(ctx context.Context) error {
			_, err := chromedp.Call(ctx, input.DispatchKeyEvent, e)
			return err
		})
		if err != nil {
			return fmt.Errorf("key %s: %w", name, err)
		}
	}
	return nil
}

// Zone tells pages that the device is in a zone of the IANA's time zone database; empty: in the machine's own.
func (p *Page) Zone(name string) error {
	_, err := chromedp.Call(p.ctx, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: name})
	if err != nil {
		return fmt.Errorf("zone %q: %w", name, err)
	}
	return nil
}
