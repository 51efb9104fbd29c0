//go:build linux

package journey

import (
	"context"
	"fmt"

	"jiseki/internal/journey/browser"
	"jiseki/internal/keys"
)

// staffFillsScreen goes to full screen from the toolbar, works there with keys that are the browser's elsewhere, and
// comes back.
func staffFillsScreen(ctx context.Context, j *Journey) error {
	path, err := j.document(ctx, "全画面.txt", "")
	if err != nil {
		return err
	}
	err = all(ctx,
		j.focusOnDesk,
		func(ctx context.Context) error { return j.tool(ctx, "全画面") },
		func(ctx context.Context) error {
			return j.page.Wait(ctx, "full screen", `document.fullscreenElement === document.getElementById("viewer")`)
		},
		j.keyboardLocked, j.focusOnDesk,
		// The picture fills the screen, one pixel of the desk to one of the device.
		func(ctx context.Context) error {
			return j.sharp(ctx, browser.Size{Width: 1920, Height: 1080, Ratio: 1})
		},
		func(ctx context.Context) error { return j.shoot(ctx, "") },
		j.reaches("MetaLeft"), j.reaches("Escape"),
		func(ctx context.Context) error { return j.page.Type(ctx, "full screen") },
		j.press("ControlLeft", "KeyS"),
		func(ctx context.Context) error { return fileHolds(ctx, path, "full screen") },
		func(ctx context.Context) error {
			return j.page.Wait(ctx, "full screen to last", `document.fullscreenElement !== null`)
		},
		func(ctx context.Context) error { return j.tool(ctx, "全画面を終了") },
		func(ctx context.Context) error {
			return j.page.Wait(ctx, "the window", `document.fullscreenElement === null && journeySeen.unlocked > 0`)
		},
		j.focusOnDesk,
		func(ctx context.Context) error { return j.page.Type(ctx, " and back") },
		j.press("ControlLeft", "KeyS"),
		func(ctx context.Context) error { return fileHolds(ctx, path, "full screen and back") },
		j.same,
	)
	if err == nil {
		j.note("全画面で等倍表示、Windows キーと Esc も自席に届く。戻った後も入力できる")
	}
	return err
}

// keyboardLocked waits until the browser has granted all keys to the page.
func (j *Journey) keyboardLocked(ctx context.Context) error {
	if err := j.page.Wait(ctx, "the keyboard's lock", `journeySeen.locks.length > 0 && journeySeen.locks.every((l) => l.state !== "asked")`); err != nil {
		return err
	}
	type lock struct{ Keys, State string }
	got, err := browser.Get[[]lock](ctx, j.page, "journeySeen.locks")
	if err != nil {
		return err
	}
	if want := (lock{"all", "locked"}); len(got) != 1 || got[0] != want {
		return fmt.Errorf("the page asked for the keyboard's lock: %v, want once %v", got, want)
	}
	j.note("Keyboard Lock: すべてのキー、許可された")
	return nil
}

// reaches presses a key and waits until it is down on the desk's X server, and up again.
func (j *Journey) reaches(code string) func(context.Context) error {
	return func(ctx context.Context) error {
		key, err := x11Key(code)
		if err != nil {
			return err
		}
		return all(ctx,
			func(ctx context.Context) error { return j.page.KeyDown(ctx, code) }, j.keyIs(key, true),
			func(ctx context.Context) error { return j.page.KeyUp(ctx, code) }, j.keyIs(key, false),
		)
	}
}

// x11Key is the key code of the X server: that of the kernel and 8.
func x11Key(code string) (uint8, error) {
	evdev, ok := keys.FromName(code).Evdev()
	if !ok || evdev > 247 {
		return 0, fmt.Errorf("the X server has no key %s", code)
	}
	return uint8(evdev + 8), nil
}

func (j *Journey) keyIs(key uint8, down bool) func(context.Context) error {
	return func(ctx context.Context) error {
		return until(ctx, fmt.Sprintf("key %d on the desk is to be down: %v", key, down), func() (bool, error) {
			all, err := j.x.KeysDown()
			return all[key/8]>>(key%8)&1 == 1 == down, err
		})
	}
}
