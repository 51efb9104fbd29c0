package browser

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// A Page is a tab of a browser. Its methods are for one goroutine.
type Page struct {
	ctx   context.Context //nolint:containedctx // chromedp keeps the tab in a context
	close context.CancelFunc
	watch watcher
	size  Size
	keys  modifiers

	fingers int // on the screen
}

// A Size is a window's, in CSS pixels, with the device pixels of each.
type Size struct {
	Width, Height int
	Ratio         float64 // 0 means 1
	Touch         bool    // of a telephone or tablet: fingers, no pointer
}

func (s Size) String() string {
	if s.Ratio == 0 || s.Ratio == 1 {
		return fmt.Sprintf("%dx%d", s.Width, s.Height)
	}
	return fmt.Sprintf("%dx%d@%g", s.Width, s.Height, s.Ratio)
}

// Open opens a tab, which comes to the front. The first one is the tab that the browser started with.
func (b *Browser) Open(size Size) (*Page, error) {
	ctx, cancel := b.ctx, context.CancelFunc(func() {})
	if b.used {
		ctx, cancel = chromedp.NewContext(b.ctx, chromedp.WithNewWindow(false))
	}
	b.used = true
	p := &Page{ctx: ctx, close: cancel}
	err := chromedp.Listen(ctx, p.watch.see)
	if err == nil {
		err = p.answerDialogs()
	}
	if err == nil {
		err = p.watch.enable(ctx)
	}
	if err == nil {
		err = p.Resize(size)
	}
	if err != nil {
		cancel()
		return nil, fmt.Errorf("browser: open a tab: %w", err)
	}
	return p, nil
}

// Close closes the tab; the first one stays until the browser ends.
func (p *Page) Close() { p.close() }

// answerDialogs lets a page go that asks before it is left, as a person does who means it.
func (p *Page) answerDialogs() error {
	asked := make(chan struct{}, 1)
	go func() {
		for {
			select {
			case <-asked:
				p.call(p.ctx, func(ctx context.Context) error { //nolint:errcheck // what waits for the page tells
					_, err := chromedp.Call(ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: true})
					return err
				})
			case <-p.ctx.Done():
				return
			}
		}
	}()
	return chromedp.Listen(p.ctx, func(e any) {
		if _, is := e.(*page.EventJavascriptDialogOpening); is {
			select {
			case asked <- struct{}{}:
			default:
			}
		}
	})
}

// call runs something on the tab that ends when ctx does.
func (p *Page) call(ctx context.Context, f func(ctx context.Context) error) error {
	inner, cancel := context.WithCancelCause(p.ctx)
	defer cancel(nil)
	stop := context.AfterFunc(ctx, func() { cancel(context.Cause(ctx)) })
	defer stop()
	if err := f(inner); err != nil {
		return errors.Join(err, context.Cause(inner))
	}
	return nil
}

// Resize changes the size of the window and the ratio of its pixels.
func (p *Page) Resize(size Size) error {
	if size.Ratio == 0 {
		size.Ratio = 1
	}
	p.size = size
	_, err := chromedp.Call(p.ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: int64(size.Width), Height: int64(size.Height), DeviceScaleFactor: size.Ratio,
		ScreenWidth: int64(size.Width), ScreenHeight: int64(size.Height), Mobile: size.Touch,
	})
	return errors.Join(err, p.touchable(size.Touch))
}

// Size is the window's.
func (p *Page) Size() Size { return p.size }

// Go opens an address. It returns when the page has been loaded.
func (p *Page) Go(ctx context.Context, address string) error {
	return p.call(ctx, func(ctx context.Context) error {
		if err := chromedp.Do(ctx, chromedp.Navigate(address)); err != nil {
			return fmt.Errorf("open %s: %w", address, err)
		}
		return nil
	})
}

// Prepare makes JavaScript run in every page that the tab opens from now on, before the page's own.
func (p *Page) Prepare(ctx context.Context, script string) error {
	return p.call(ctx, func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
		return err
	})
}

// Front brings the tab to the front; the one before becomes hidden.
func (p *Page) Front(ctx context.Context) error {
	return p.call(ctx, func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, page.BringToFront, cdp.Empty{})
		return err
	})
}

// Get evaluates JavaScript and decodes what it returns; a promise is awaited.
func Get[T any](ctx context.Context, p *Page, script string) (T, error) {
	var got T
	err := p.call(ctx, func(ctx context.Context) error {
		var err error
		got, err = chromedp.Run(ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
		return err
	})
	return got, err
}

// look is how often a condition is looked at that no event tells of.
const look = 40 * time.Millisecond

// Wait waits until JavaScript says true. What is what is waited for, for the error.
func (p *Page) Wait(ctx context.Context, what, script string) error {
	var last error
	for {
		yes, err := Get[bool](ctx, p, "Boolean("+script+")")
		if yes {
			return nil
		}
		if err != nil && ctx.Err() == nil {
			last = err // the page may just be changing; if the script is wrong, the error tells at the end
		}
		if err := p.ctx.Err(); err != nil {
			return fmt.Errorf("the page was closed while waiting for %s: %w", what, err)
		}
		select {
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("waited in vain for %s: %w: %s", what, ctx.Err(), p.describe()), last)
		case <-time.After(look):
		}
	}
}

// describe says what the page shows, for an error.
func (p *Page) describe() string {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	got, err := Get[string](ctx, p, `location.pathname + " shows: " + (document.body?.innerText ?? "").replace(/\s+/g, " ").slice(0, 400) +
  (window.jisekiTest ? " " + JSON.stringify(jisekiTest.failure()) : "")`)
	if err != nil {
		return "the page does not answer: " + err.Error()
	}
	return got
}

// Text waits until a text stands on the page, visibly.
func (p *Page) Text(ctx context.Context, text string) error {
	return p.Wait(ctx, "the text "+text, "document.body && document.body.innerText.includes("+quote(text)+")")
}

// find is a function of the page that finds what can be pressed by its name, or a field by its label.
const find = `((kind, name, within) => {
  const root = within ? document.querySelector(within) : document;
  if (root === null) return null;
  const seen = (e) => e.checkVisibility({ checkVisibilityCSS: true }) && !e.closest("[inert]");
  const plain = (s) => (s ?? "").replace(/\s+/g, " ").trim();
  const nameOf = (e) => plain(e.getAttribute("aria-label") ?? e.textContent);
  if (kind === "field") {
    const labels = [...root.querySelectorAll("label")].filter((l) => plain(l.textContent).replace(/※?必須$/, "").trim() === name);
    const labelled = labels.map((l) => l.control).find((e) => e && seen(e));
    if (labelled) return labelled;
    const named = [...root.querySelectorAll("input, select, textarea")].filter((e) => seen(e) && e.ariaLabel);
    return named.find((e) => e.ariaLabel === name) ?? named.find((e) => e.ariaLabel.endsWith(" " + name)) ?? null;
  }
  const all = [...root.querySelectorAll("a, button, summary, [role=menuitem], [role=menuitemradio], [role=tab]")].filter(seen);
  return all.find((e) => nameOf(e) === name) ?? all.find((e) => plain(e.textContent) === name) ?? null;
})`

func quote(s string) string {
	raw, err := json.Marshal(s)
	if err != nil {
		return `""` // never happens for a string
	}
	return string(raw)
}

// Click presses the link or button of a name with the pointer, once it is there and can be pressed.
func (p *Page) Click(ctx context.Context, name string) error {
	return p.ClickIn(ctx, "", name)
}

// ClickIn is Click within the first element that a selector finds.
func (p *Page) ClickIn(ctx context.Context, within, name string) error {
	e := find + `("button", ` + quote(name) + `, ` + quote(within) + `)`
	return p.clickOn(ctx, "the button "+name, e)
}

// Fill writes into the field with a label, as if pasted; what it held before is replaced.
func (p *Page) Fill(ctx context.Context, label, text string) error {
	e := find + `("field", ` + quote(label) + `)`
	if err := p.clickOn(ctx, "the field "+label, e); err != nil {
		return err
	}
	if _, err := Get[bool](ctx, p, `(() => { const e = `+e+`; e.focus(); e.select(); return document.activeElement === e; })()`); err != nil {
		return fmt.Errorf("choose the field %s: %w", label, err)
	}
	if err := p.insert(ctx, text); err != nil {
		return fmt.Errorf("fill the field %s: %w", label, err)
	}
	return p.Wait(ctx, "the text in the field "+label, e+".value === "+quote(text))
}

// Choose chooses the option of a text, or the first that ends with it, in the list with a label.
func (p *Page) Choose(ctx context.Context, label, option string) error {
	script := `(() => {
  const e = ` + find + `("field", ` + quote(label) + `);
  if (!(e instanceof HTMLSelectElement) || e.disabled) return false;
  const o = [...e.options].find((o) => o.text.trim() === ` + quote(option) + `) ?? [...e.options].find((o) => o.text.trim().endsWith(` + quote(option) + `));
  if (!o) return false;
  Object.getOwnPropertyDescriptor(HTMLSelectElement.prototype, "value").set.call(e, o.value);
  e.dispatchEvent(new Event("change", { bubbles: true }));
  return true;
})()`
	return p.Wait(ctx, "the choice "+option+" in the list "+label, script)
}

// Tick presses the check box with a label and waits until it is ticked.
func (p *Page) Tick(ctx context.Context, label string) error {
	e := find + `("field", ` + quote(label) + `)`
	if err := p.clickOn(ctx, "the check box "+label, e); err != nil {
		return err
	}
	return p.Wait(ctx, "the tick of "+label, e+".checked")
}

// ClickOn presses the element that a script finds, once it is there and can be pressed.
func (p *Page) ClickOn(ctx context.Context, what, element string) error {
	return p.clickOn(ctx, what, element)
}

// clickOn clicks into the middle of an element.
func (p *Page) clickOn(ctx context.Context, what, element string) error {
	at, err := p.free(ctx, what, element)
	if err != nil {
		return err
	}
	return p.ClickAt(ctx, at[0], at[1])
}

// free is the middle of an element. It waits until the element stands still in the window and nothing covers it.
func (p *Page) free(ctx context.Context, what, element string) (middle [2]float64, err error) {
	free := `(() => {
  const e = ` + element + `;
  if (!e || e.disabled || e.getAttribute("aria-disabled") === "true" || e.dataset.loading === "true") return null;
  e.scrollIntoView({ block: "nearest" });
  const b = e.getBoundingClientRect();
  const x = b.x + b.width / 2, y = b.y + b.height / 2;
  const top = document.elementFromPoint(x, y);
  return top && (e.contains(top) || top.contains(e) || e.labels?.length && [...e.labels].some((l) => l.contains(top))) ? [x, y] : null;
})()`
	var at, before []float64
	for {
		var err error
		at, err = Get[[]float64](ctx, p, free)
		if err == nil && len(at) == 2 && len(before) == 2 && at[0] == before[0] && at[1] == before[1] {
			break
		}
		before = at
		select {
		case <-ctx.Done():
			return middle, errors.Join(fmt.Errorf("waited in vain for %s: %w", what, ctx.Err()), err)
		case <-time.After(look):
		}
	}
	return [2]float64{at[0], at[1]}, nil
}

// Screenshot takes a picture of the window.
func (p *Page) Screenshot(ctx context.Context) ([]byte, error) {
	var raw []byte
	err := p.call(ctx, func(ctx context.Context) error {
		got, err := chromedp.Call(ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{})
		raw = got.Data
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("screenshot: %w", err)
	}
	return raw, nil
}

// Picture is Screenshot, decoded. It has device pixels.
func (p *Page) Picture(ctx context.Context) (image.Image, error) {
	raw, err := p.Screenshot(ctx)
	if err != nil {
		return nil, err
	}
	return png.Decode(bytes.NewReader(raw))
}
