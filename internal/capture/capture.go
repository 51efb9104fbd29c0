// Package capture reads a desk's screen: the newest picture whenever something changed, the arrangement of the
// monitors, and the shape of the pointer.
//
// A source never queues pictures. What changes while nobody asks is in the next frame; an idle screen costs nothing.
package capture

import (
	"context"
	"errors"

	"jiseki/internal/screen"
)

// ErrClosed is returned by Next after Close.
var ErrClosed = errors.New("capture: source is closed")

// A Source is the screen of a desk. Next is for one goroutine; Close may be called from any, also during Next.
type Source interface {
	// Next waits until the picture or the layout differs from what Next returned last and returns the newest frame. The
	// first call returns at once. Pixels are compared: a frame without any change is never returned.
	//
	// The frame and what it points to belong to the source and are valid until the next call of Next or Close. Its
	// Damage holds every changed pixel, in few rectangles; it is nil with the first frame and when the layout changed.
	//
	// Next returns ctx.Err() when ctx ends while it waits, ErrClosed after Close, and any other error when the screen
	// is lost for good: the source must then be closed and opened anew.
	Next(ctx context.Context) (*screen.Frame, error)

	// Cursors delivers the shape of the pointer: the present one at once, then each change. It holds one shape, the
	// newest. A shape belongs to the receiver and must not be written to. A hidden pointer has a shape without any
	// visible pixel. The channel is closed when the source has ended.
	Cursors() <-chan *screen.Cursor

	// Close ends the source and frees what it holds. Next returns, and no goroutine of the source is left.
	Close() error
}
