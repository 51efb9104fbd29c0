//go:build linux

package journey

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"jiseki/internal/capture"
	"jiseki/internal/journey/browser"
	"jiseki/internal/screen"
)

// shown is what the viewer page says of its canvas (its hook for tests).
type shown struct {
	Width, Height int
	Seq           uint32
	Generation    uint32
	Settled       bool
	SHA256        string `json:"sha256"`
}

// viewerPath is the viewer's address, with the flag that leaves out the watermark.
func (j *Journey) viewerPath() string {
	return "/viewer?desk=" + url.QueryEscape(j.town.Accounts.Desk) + "&test"
}

// live waits until the page shows the desk.
func (j *Journey) live(ctx context.Context) error { return live(ctx, j.page) }

func live(ctx context.Context, p *browser.Page) error {
	return p.Wait(ctx, "the desk's picture", phase+` === "live"`)
}

// phase is where the viewer stands.
const phase = `document.getElementById("viewer")?.dataset.phase`

func staffConnects(ctx context.Context, j *Journey) error {
	return all(ctx,
		func(ctx context.Context) error { return j.page.ClickIn(ctx, ".desks", "総務課-03に接続") },
		j.live, j.sizes("fit"),
		j.goTo(j.viewerPath()), j.live,
	)
}

func samePicture(ctx context.Context, j *Journey) error { return j.same(ctx) }

// same waits until the canvas equals the desk's screen bit by bit.
func (j *Journey) same(ctx context.Context) error { return j.samePart(ctx, j.page, screen.Rect{}) }

// samePart is same for a page that shows a part of the layout; an empty part means all of it.
func (j *Journey) samePart(ctx context.Context, p *browser.Page, part screen.Rect) error {
	for {
		want, size, err := j.deskPicture(ctx, part)
		if err != nil {
			return err
		}
		got, err := browser.Get[*shown](ctx, p, "window.jisekiTest ? jisekiTest.picture() : null")
		if err == nil && got != nil && got.SHA256 == want && (screen.Point{X: got.Width, Y: got.Height}) == size {
			j.note("%d×%d の全画素が一致", size.X, size.Y)
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("the page shows %+v, the desk %v %s", got, size, want), err, ctx.Err())
		case <-time.After(50 * time.Millisecond): // the desk moves on: compare again
		}
	}
}

// deskPicture returns the SHA-256 and the size of a part of the desk's screen, as the X server has it now.
func (j *Journey) deskPicture(ctx context.Context, part screen.Rect) (string, screen.Point, error) {
	frame, err := j.deskFrame(ctx)
	if err != nil {
		return "", screen.Point{}, err
	}
	if part.Empty() {
		part = frame.Bounds()
	}
	if !part.In(frame.Bounds()) {
		return "", part.Size(), nil // the layout is just changing
	}
	h := sha256.New()
	for y := part.Min.Y; y < part.Max.Y; y++ {
		h.Write(frame.Row(y, part.Min.X, part.Max.X))
	}
	return hex.EncodeToString(h.Sum(nil)), part.Size(), nil
}

// deskFrame takes a screenshot of the X display.
func (j *Journey) deskFrame(ctx context.Context) (*screen.Frame, error) {
	desk := j.town.Desktop
	source, err := capture.OpenX11(capture.X11Config{Display: desk.Display(), Authority: desk.Authority(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	defer source.Close()
	frame, err := source.Next(ctx)
	if err != nil {
		return nil, err
	}
	mine := *frame
	mine.Picture = screen.NewPicture(frame.Size)
	copy(mine.Pix, frame.Pix)
	return &mine, nil
}
