//go:build linux

package journey

import (
	"context"
	"errors"
	"fmt"
	"image"
	"strings"

	"jiseki/internal/journey/browser"
	"jiseki/internal/x11"
)

// spy makes every page of the tab keep what it asks of the browser: the device's clipboard and the keyboard's lock. The
// functions themselves work as before; what the journey itself does goes past them.
const spy = `(() => {
  const seen = (window.journeySeen = { written: [], locks: [], unlocked: 0, write: undefined });
  const around = (owner, name, note) => {
    const plain = owner?.prototype[name];
    if (plain === undefined) return;
    owner.prototype[name] = function (...args) {
      const result = plain.apply(this, args);
      note(args, result);
      return result;
    };
  };
  const clipboard = navigator.clipboard;
  seen.write = clipboard?.writeText.bind(clipboard);
  for (const name of ["write", "writeText"]) around(window.Clipboard, name, () => seen.written.push(name));
  around(Document, "execCommand", ([command]) => { if (/copy|cut/i.test(command)) seen.written.push(command); });
  for (const type of ["copy", "cut"]) addEventListener(type, () => seen.written.push(type + " event"), true);
  around(window.Keyboard, "lock", (args, lock) => {
    const one = { keys: args.length === 0 ? "all" : JSON.stringify(args), state: "asked" };
    seen.locks.push(one);
    lock.then(() => { one.state = "locked"; }, (e) => { one.state = String(e); });
  });
  around(window.Keyboard, "unlock", () => { seen.unlocked++; });
})()`

// What goes from the device to the desk, by the dialog and by the browser's leave, and what never comes back.
const (
	pastedText = "窓口の受付時間を変更します。"
	directText = "会議は13時からです。"
	copiedText = "この写しは自席の外に出ない"
)

// staffPastes pastes text of the device on the desk: first where the settings do not allow it, then where they do. What is
// copied on the desk stays there.
func staffPastes(ctx context.Context, j *Journey) error {
	return all(ctx, j.pasteRefused, j.allowPaste, j.pasteByDialog, j.pasteAtOnce, j.nothingComesBack)
}

// pressPaste presses the button that nobody sees, and waits until the page says that the desk refused. Other sentences may
// take the place of that one at once.
const pressPaste = `new Promise((done) => {
  const toast = document.querySelector(".toast");
  const look = () => toast.textContent.includes("この接続では、テキストの貼り付けは許可されていません。") && done(true);
  new MutationObserver(look).observe(toast, { childList: true, characterData: true, subtree: true });
  document.getElementById("paste").click();
})`

// pasteRefused: the button is not there. A program that presses it all the same gets nowhere, for the agent refuses.
func (j *Journey) pasteRefused(ctx context.Context) error {
	before, err := j.deskClipboardOwner()
	if err != nil {
		return err
	}
	err = all(ctx,
		func(ctx context.Context) error {
			return j.page.Wait(ctx, "no button to paste", `document.getElementById("paste").hidden`)
		},
		j.deviceCopies(pastedText), j.mayRead(true),
		func(ctx context.Context) error {
			_, err := browser.Get[bool](ctx, j.page, pressPaste)
			return err
		},
		func(ctx context.Context) error { return j.shoot(ctx, "refused") },
	)
	if err != nil {
		return err
	}
	after, err := j.deskClipboardOwner()
	if err == nil && after != before {
		err = errors.New("the desk's clipboard has changed although the grant does not allow it")
	}
	if err == nil {
		j.note("許可のない接続では［貼り付け］を表示せず、送っても自席端末が断る")
	}
	return err
}

// allowPaste changes the settings and opens the desk again: rights come with the grant.
func (j *Journey) allowPaste(ctx context.Context) error {
	if _, err := j.town.Gateway(ctx, "settings", "set", "clipboard_internet=true"); err != nil {
		return err
	}
	return all(ctx, j.goTo(j.viewerPath()), j.live, j.same)
}

// pasteByDialog is what somebody does whose browser does not hand out the clipboard.
func (j *Journey) pasteByDialog(ctx context.Context) error {
	path, err := j.document(ctx, "貼り付け.txt", "")
	if err != nil {
		return err
	}
	const field = `document.querySelector("dialog[open] textarea")`
	err = all(ctx,
		j.deviceCopies(pastedText), j.mayRead(false),
		func(ctx context.Context) error { return j.tool(ctx, "貼り付け") },
		func(ctx context.Context) error {
			return j.page.Wait(ctx, "the field to paste into", `document.activeElement === `+field+` && document.activeElement !== null`)
		},
		j.press("ControlLeft", "KeyV"),
		func(ctx context.Context) error {
			return j.page.Wait(ctx, "the text in the field", fmt.Sprintf("%s.value === %q", field, pastedText))
		},
		func(ctx context.Context) error { return j.shoot(ctx, "dialog") },
		func(ctx context.Context) error { return j.page.ClickIn(ctx, "dialog[open]", "送る") },
		j.text("テキストを自席端末に送りました。"), j.focusOnDesk,
		j.press("ControlLeft", "KeyV"),
		// The editor fetches the text when it finds the time; before that there is nothing to save.
		func(ctx context.Context) error { return j.town.Desktop.WaitWindow(ctx, "*~/文書/貼り付け.txt") },
		j.press("ControlLeft", "KeyS"),
		func(ctx context.Context) error { return fileHolds(ctx, path, pastedText) },
		j.same,
	)
	if err == nil {
		j.note("貼り付け欄から送り、Ctrl+V、Ctrl+S。自席で保存したファイルの内容は「%s」", pastedText)
	}
	return err
}

// pasteAtOnce is what somebody does whose browser hands out the clipboard.
func (j *Journey) pasteAtOnce(ctx context.Context) error {
	return all(ctx,
		j.deviceCopies(directText), j.mayRead(true),
		func(ctx context.Context) error { return j.tool(ctx, "貼り付け") },
		j.deskHolds(directText), j.focusOnDesk,
	)
}

// nothingComesBack copies on the desk. The device's clipboard stays what it was, and the page has never written to it.
func (j *Journey) nothingComesBack(ctx context.Context) error {
	if _, err := j.document(ctx, "写し.txt", copiedText); err != nil {
		return err
	}
	err := all(ctx,
		j.focusOnDesk,
		j.press("ControlLeft", "KeyA"), j.press("ControlLeft", "KeyC"), j.deskHolds(copiedText),
		j.deskAnswers, j.same,
	)
	if err != nil {
		return err
	}
	has, err := browser.Get[string](ctx, j.page, "navigator.clipboard.readText()")
	if err != nil {
		return fmt.Errorf("read the device's clipboard: %w", err)
	}
	if has != directText {
		return fmt.Errorf("the device's clipboard holds %q after copying on the desk", has)
	}
	written, err := browser.Get[[]string](ctx, j.page, "journeySeen.written")
	if err != nil || len(written) > 0 {
		return errors.Join(fmt.Errorf("the page wrote to the device's clipboard: %s", strings.Join(written, ", ")), err)
	}
	j.note("自席でコピーしても、端末のクリップボードは「%s」のまま", has)
	return nil
}

// lgwanRefusesPaste opens a desk of the zone lgwan, where there is no clipboard whatever the settings say.
func lgwanRefusesPaste(ctx context.Context, j *Journey) (err error) {
	desk, end, err := j.town.RunDesk(ctx, "住民課-01", "lgwan", staffID)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	return all(ctx, j.goTo("/viewer?test&desk="+desk), j.live, j.same, j.pasteRefused, j.endSession, j.deskLocked(true))
}

// press returns a thing to do: press keys together.
func (j *Journey) press(codes ...string) func(context.Context) error {
	return func(ctx context.Context) error { return j.page.Press(ctx, codes...) }
}

// deviceCopies puts text into the device's clipboard, as if it had been copied in another program. Pages may read it then.
func (j *Journey) deviceCopies(text string) func(context.Context) error {
	return func(ctx context.Context) error {
		if err := j.browser.AllowClipboard(true); err != nil { // who may not read may not write without a gesture either
			return err
		}
		_, err := browser.Get[bool](ctx, j.page, fmt.Sprintf("journeySeen.write(%q).then(() => true)", text))
		if err != nil {
			return fmt.Errorf("copy on the device: %w", err)
		}
		return nil
	}
}

// mayRead answers the browser's question whether the page may read the device's clipboard.
func (j *Journey) mayRead(allowed bool) func(context.Context) error {
	return func(context.Context) error { return j.browser.AllowClipboard(allowed) }
}

func (j *Journey) deskClipboardOwner() (x11.Window, error) {
	clipboard, err := j.x.Atom("CLIPBOARD")
	if err != nil {
		return 0, err
	}
	return j.x.SelectionOwner(clipboard)
}

// deskHolds waits until the desk's clipboard has a text: it asks its owner as a program does that pastes.
func (j *Journey) deskHolds(text string) func(context.Context) error {
	return func(ctx context.Context) error {
		var atoms [3]x11.Atom
		for i, name := range []string{"CLIPBOARD", "UTF8_STRING", "JISEKI_JOURNEY"} {
			var err error
			if atoms[i], err = j.x.Atom(name); err != nil {
				return err
			}
		}
		win, err := j.x.CreateWindow(image.Rect(0, 0, 1, 1), x11.Attributes{})
		if err != nil {
			return err
		}
		defer j.x.DestroyWindow(win) //nolint:errcheck // it goes with the connection
		return until(ctx, "the desk's clipboard is to hold "+text, func() (bool, error) {
			if err := j.x.ConvertSelection(win, atoms[0], atoms[1], atoms[2], 0); err != nil {
				return false, err
			}
			_, got, err := j.x.Property(win, atoms[2])
			if err == nil && string(got) != text {
				err = fmt.Errorf("it holds %q", got)
			}
			return string(got) == text, err
		})
	}
}
