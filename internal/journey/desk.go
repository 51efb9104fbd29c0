//go:build linux

package journey

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"jiseki/internal/desktop"
	"jiseki/internal/journey/browser"
	"jiseki/internal/screen"
	"jiseki/internal/x11"
)

// again is how often something of the desk is looked at that tells nobody when it changes.
const again = 30 * time.Millisecond

// until looks again and again until a condition of the desk holds.
func until(ctx context.Context, what string, holds func() (bool, error)) error {
	for {
		yes, err := holds()
		if yes && err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("waited in vain: %s: %w", what, ctx.Err()), err)
		case <-time.After(again):
		}
	}
}

// document makes a text file on the desk and opens it in the editor.
func (j *Journey) document(ctx context.Context, name, text string) (string, error) {
	path := filepath.Join(j.town.Desktop.Home(), "文書", name)
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil { //nolint:gosec // the desk's user writes to it
		return "", err
	}
	if err := os.Chmod(path, 0o666); err != nil { //nolint:gosec // the same
		return "", err
	}
	if err := j.town.Desktop.Start("editor", "--opening-mode=window", path); err != nil {
		return "", err
	}
	return path, j.town.Desktop.WaitWindow(ctx, name)
}

const (
	typedFile = "入力.txt"
	typedKeys = "nihongowonyuuryoku"
	typedText = "日本語を入力"
)

func staffTypes(ctx context.Context, j *Journey) error {
	desk, p := j.town.Desktop, j.page
	if err := p.Resize(large); err != nil {
		return err
	}
	path, err := j.document(ctx, typedFile, "")
	if err != nil {
		return err
	}
	err = all(ctx,
		func(ctx context.Context) error { return desk.WaitInputMethod(ctx, false) },
		j.focusOnDesk,
		func(ctx context.Context) error { return p.Press(ctx, "Backquote") },
		func(ctx context.Context) error { return desk.WaitInputMethod(ctx, true) },
		func(ctx context.Context) error { return p.Type(ctx, typedKeys) },
		func(ctx context.Context) error { return p.Press(ctx, "Space") },
		func(ctx context.Context) error { return p.Press(ctx, "Enter") },
		func(ctx context.Context) error { return p.Press(ctx, "ControlLeft", "KeyS") },
		func(ctx context.Context) error { return fileHolds(ctx, path, typedText) },
		j.same,
	)
	if err == nil {
		j.note("半角/全角、%s、変換、確定、Ctrl+S。保存したファイルの内容は「%s」", typedKeys, typedText)
	}
	return err
}

func (j *Journey) focusOnDesk(ctx context.Context) error {
	return j.page.Wait(ctx, "the focus on the desk", `document.activeElement?.classList.contains("stage")`)
}

// fileHolds waits until a file holds a text.
func fileHolds(ctx context.Context, path, text string) error {
	var last string
	return until(ctx, filepath.Base(path)+" is to hold "+text, func() (bool, error) {
		raw, err := os.ReadFile(path)
		last = strings.TrimRight(string(raw), "\n")
		if err == nil && last != text {
			err = fmt.Errorf("it holds %q", last)
		}
		return last == text, err
	})
}

// chord moves the focus to the toolbar, as somebody without a pointer does.
func (j *Journey) chord(ctx context.Context) error {
	if err := j.page.Press(ctx, "ControlLeft", "AltLeft", "ShiftLeft"); err != nil {
		return err
	}
	return j.page.Wait(ctx, "the focus on the toolbar", `document.activeElement?.closest("[role=toolbar]")`)
}

// tool goes to a tool of the bar by arrow keys and presses it. Its name or its text holds name.
func (j *Journey) tool(ctx context.Context, name string) error {
	if err := j.chord(ctx); err != nil {
		return err
	}
	return j.arrows(ctx, "ArrowRight", name)
}

// entry chooses an entry of a tool's menu, whose text holds name.
func (j *Journey) entry(ctx context.Context, menu, name string) error {
	if err := j.tool(ctx, menu); err != nil {
		return err
	}
	if err := j.page.Wait(ctx, "the menu "+menu, `document.activeElement?.closest("[role=menu]")`); err != nil {
		return err
	}
	return j.arrows(ctx, "ArrowDown", name)
}

// arrows presses an arrow key until the focus is on what has a name, and then Enter.
func (j *Journey) arrows(ctx context.Context, arrow, name string) error {
	for range 24 {
		at, err := browser.Get[string](ctx, j.page, `(document.activeElement?.getAttribute("aria-label") ?? "") + document.activeElement?.textContent`)
		if err != nil {
			return err
		}
		if strings.Contains(at, name) {
			return j.page.Press(ctx, "Enter")
		}
		if err := j.page.Press(ctx, arrow); err != nil {
			return err
		}
	}
	return fmt.Errorf("the arrow keys do not lead to %s", name)
}

// lamps locks and unlocks Caps Lock and Num Lock on the desk; the page shows what the desk says. On a Japanese keyboard Caps
// Lock needs Shift; alone the key is 英数.
func lamps(ctx context.Context, j *Journey) error {
	shows := func(on string) func(context.Context) error {
		return func(ctx context.Context) error {
			return j.page.Wait(ctx, "the lamps "+on, fmt.Sprintf(`[...document.querySelectorAll(".lock.on")].map((e) => e.textContent).join(" ") === %q`, on))
		}
	}
	return all(ctx, j.focusOnDesk,
		j.press("ShiftLeft", "CapsLock"), shows("Caps"), j.text("自席端末の CapsLock がオンになりました。"),
		j.press("NumLock"), shows("Caps Num"),
		func(ctx context.Context) error { return j.shoot(ctx, "toast") },
		j.press("ShiftLeft", "CapsLock"), shows("Num"), j.text("自席端末の CapsLock がオフになりました。"),
		j.press("NumLock"), shows(""),
	)
}

func staffUsesToolbar(ctx context.Context, j *Journey) error {
	desk, p := j.town.Desktop, j.page
	path := filepath.Join(desk.Home(), "文書", typedFile)
	return all(ctx,
		j.chord, func(ctx context.Context) error { return j.shoot(ctx, "open") },
		// What is typed here is not for the desk, and Escape goes back to it.
		func(ctx context.Context) error { return p.Type(ctx, "xyz") },
		func(ctx context.Context) error { return p.Press(ctx, "Escape") },
		j.focusOnDesk,
		// 半角/全角 from the menu switches the input method off: the next letter is plain.
		func(ctx context.Context) error { return j.entry(ctx, "キー送信", "半角/全角") },
		func(ctx context.Context) error { return desk.WaitInputMethod(ctx, false) },
		j.focusOnDesk,
		func(ctx context.Context) error { return p.Type(ctx, "a") },
		func(ctx context.Context) error { return p.Press(ctx, "ControlLeft", "KeyS") },
		func(ctx context.Context) error { return fileHolds(ctx, path, typedText+"a") },
		func(ctx context.Context) error { return j.tool(ctx, "接続状態") },
		func(ctx context.Context) error {
			return p.Wait(ctx, "the figures of the connection", `document.querySelector("#quality-panel")?.innerText.match(/\d+(\.\d+)? ms/)`)
		},
		func(ctx context.Context) error { return j.shoot(ctx, "quality") },
		func(ctx context.Context) error { return p.Press(ctx, "Escape") },
		j.focusOnDesk, j.same,
	)
}

// window returns where the active window is, with its frame.
func (j *Journey) window() (screen.Rect, error) {
	root := j.x.Setup.Root
	active, err := j.x.WindowProperty(root, "_NET_ACTIVE_WINDOW")
	if err != nil {
		return screen.Rect{}, err
	}
	frames, err := j.x.Children(root)
	if err != nil {
		return screen.Rect{}, err
	}
	for _, frame := range frames {
		if holds, err := j.holds(frame, active); err == nil && holds {
			return j.x.Geometry(frame)
		}
	}
	return screen.Rect{}, errors.New("the active window has no frame")
}

// holds says whether a window is below another.
func (j *Journey) holds(above, win x11.Window) (bool, error) {
	if above == win {
		return true, nil
	}
	children, err := j.x.Children(above)
	for _, c := range children {
		if yes, err := j.holds(c, win); yes || err != nil {
			return yes, err
		}
	}
	return false, err
}

// place turns a place on the desk into one of the page.
func (j *Journey) place(ctx context.Context, p screen.Point) (at [2]float64, err error) {
	bounds, err := j.x.Geometry(j.x.Setup.Root)
	if err != nil {
		return at, err
	}
	got, err := browser.Get[[]float64](ctx, j.page, fmt.Sprintf(
		`(() => { const b = document.querySelector(".stage canvas").getBoundingClientRect(); return [b.x + %d * b.width / %d, b.y + %d * b.height / %d]; })()`,
		p.X, bounds.Dx(), p.Y, bounds.Dy()))
	if err != nil || len(got) != 2 {
		return at, errors.Join(errors.New("the canvas has no place"), err)
	}
	return [2]float64{got[0], got[1]}, nil
}

func staffScrolls(ctx context.Context, j *Journey) error {
	var text strings.Builder
	for i := range 300 {
		fmt.Fprintf(&text, "第%d条　町は、職員が自宅で勤務するときも、自席と同じように仕事ができるようにする。\n", i+1)
	}
	if _, err := j.document(ctx, "規程.txt", text.String()); err != nil {
		return err
	}
	if err := j.same(ctx); err != nil {
		return err
	}
	w, err := j.window()
	if err != nil {
		return err
	}
	middle := w.Min.Add(w.Size().Div(2))
	inside := screen.Rect{Min: middle.Sub(screen.Point{X: 100, Y: 60}), Max: middle.Add(screen.Point{X: 100, Y: 60})}
	before, _, err := j.deskPicture(ctx, inside)
	if err != nil {
		return err
	}
	at, err := j.place(ctx, middle)
	if err != nil {
		return err
	}
	for range 5 {
		if err := j.page.Wheel(ctx, at[0], at[1], 120); err != nil {
			return err
		}
	}
	err = until(ctx, "the document is to scroll", func() (bool, error) {
		now, _, err := j.deskPicture(ctx, inside)
		return now != before, err
	})
	return errors.Join(err, j.same(ctx))
}

func staffDrags(ctx context.Context, j *Journey) error {
	before, err := j.window()
	if err != nil {
		return err
	}
	grip := before.Min.Add(screen.Point{X: before.Dx() / 3, Y: 10}) // in the title bar
	var way [][2]float64
	var by screen.Point
	for i := range 9 {
		by = screen.Point{X: 25 * i, Y: 12 * i}
		at, err := j.place(ctx, grip.Add(by))
		if err != nil {
			return err
		}
		way = append(way, at)
	}
	if err := j.page.Drag(ctx, way...); err != nil {
		return err
	}
	err = until(ctx, "the window is to move", func() (bool, error) {
		now, err := j.window()
		if err == nil && now.Min == before.Min {
			err = fmt.Errorf("it is still at %v", now.Min)
		}
		return err == nil, err
	})
	return errors.Join(err, j.same(ctx))
}

func staffSwitches(ctx context.Context, j *Journey) error {
	desk := j.town.Desktop
	return all(ctx,
		j.altTab,
		func(ctx context.Context) error { return desk.WaitWindow(ctx, typedFile) },
		j.same,
		func(ctx context.Context) error { return j.entry(ctx, "キー送信", "Alt + Tab") },
		func(ctx context.Context) error { return desk.WaitWindow(ctx, "規程.txt") },
		j.focusOnDesk, j.same,
	)
}

// altTab switches windows by keys, and lets them go when the desk shows its list of windows, as a person does.
func (j *Journey) altTab(ctx context.Context) error {
	before, err := j.popups()
	if err != nil {
		return err
	}
	return all(ctx,
		func(ctx context.Context) error { return j.page.KeyDown(ctx, "AltLeft") },
		func(ctx context.Context) error { return j.page.KeyDown(ctx, "Tab") },
		func(ctx context.Context) error {
			return until(ctx, "the desk is to list its windows", func() (bool, error) {
				now, err := j.popups()
				return slices.ContainsFunc(now, func(w x11.Window) bool { return !slices.Contains(before, w) }), err
			})
		},
		func(ctx context.Context) error { return j.page.KeyUp(ctx, "Tab") },
		func(ctx context.Context) error { return j.page.KeyUp(ctx, "AltLeft") },
	)
}

// popups are the windows that can be seen and that the window manager leaves alone, such as its own lists.
func (j *Journey) popups() (shown []x11.Window, err error) {
	windows, err := j.x.Children(j.x.Setup.Root)
	if err != nil {
		return nil, err
	}
	for _, w := range windows {
		if s, err := j.x.State(w); err == nil && s.Viewable && s.Override { // one that has just gone has no state
			shown = append(shown, w)
		}
	}
	return shown, nil
}

func deskChangesMode(ctx context.Context, j *Journey) error {
	return all(ctx,
		func(ctx context.Context) error {
			return j.town.Desktop.SetMode(ctx, desktop.PrimaryOutput, screen.Point{X: 1600, Y: 900})
		},
		j.same, func(ctx context.Context) error { return j.shoot(ctx, "1600x900") },
		func(ctx context.Context) error {
			return j.town.Desktop.SetMode(ctx, desktop.PrimaryOutput, screen.Point{X: 1280, Y: 1024})
		},
		j.same,
	)
}

func deskHasTwoMonitors(ctx context.Context, j *Journey) error {
	desk := j.town.Desktop
	const second = "DUMMY1"
	if err := desk.AddMonitor(ctx, second, screen.Point{X: 1024, Y: 768}, screen.Point{X: 1280, Y: 256}); err != nil {
		return err
	}
	if err := j.same(ctx); err != nil {
		return err
	}
	if err := j.shoot(ctx, "all"); err != nil {
		return err
	}
	for _, one := range []struct {
		entry string
		part  screen.Rect
	}{
		{"1024 × 768", screen.Rect{Min: screen.Point{X: 1280, Y: 256}, Max: screen.Point{X: 2304, Y: 1024}}},
		{"1280 × 1024", screen.Rect{Max: screen.Point{X: 1280, Y: 1024}}},
	} {
		if err := j.entry(ctx, "表示", one.entry); err != nil {
			return err
		}
		if err := j.samePart(ctx, j.page, one.part); err != nil {
			return err
		}
		if err := j.shoot(ctx, strings.ReplaceAll(one.entry, " × ", "x")); err != nil {
			return err
		}
	}
	return all(ctx,
		func(ctx context.Context) error { return j.entry(ctx, "表示", "すべての画面") },
		j.same,
		func(ctx context.Context) error { return desk.RemoveMonitor(ctx, second) },
		func(ctx context.Context) error {
			return desk.SetMode(ctx, desktop.PrimaryOutput, screen.Point{X: 1920, Y: 1080})
		},
		j.same,
	)
}
