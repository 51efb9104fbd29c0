package browser

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// A Response is what a page got from a server.
type Response struct {
	URL    string
	Status int
	Header http.Header
}

// A watcher keeps what a page complains about and what it was answered.
type watcher struct {
	mu        sync.Mutex
	errors    []string
	tolerated []*regexp.Regexp
	responses []Response
}

// enable asks the browser to tell.
func (w *watcher) enable(ctx context.Context) error {
	_, err1 := chromedp.Call(ctx, log.Enable, cdp.Empty{})
	_, err2 := chromedp.Call(ctx, network.Enable, network.EnableParams{})
	_, err3 := chromedp.Call(ctx, runtime.Enable, cdp.Empty{})
	return errors.Join(err1, err2, err3)
}

func (w *watcher) see(e any) {
	switch e := e.(type) {
	case *runtime.EventExceptionThrown:
		w.complain("uncaught: " + exception(e.ExceptionDetails))
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError {
			w.complain("console: " + words(e.Args))
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError {
			w.complain("log: " + e.Entry.Text + " " + e.Entry.URL)
		}
	case *network.EventResponseReceived:
		w.answered(e.Response)
	}
}

func exception(d *runtime.ExceptionDetails) string {
	if d.Exception != nil && d.Exception.Description != "" {
		return d.Exception.Description
	}
	return d.Text
}

func words(args []*runtime.RemoteObject) string {
	var all []string
	for _, a := range args {
		if a.Description != "" {
			all = append(all, a.Description)
		} else {
			all = append(all, string(a.Value))
		}
	}
	return strings.Join(all, " ")
}

func (w *watcher) complain(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, t := range w.tolerated {
		if t.MatchString(what) {
			return
		}
	}
	w.errors = append(w.errors, what)
}

func (w *watcher) answered(r *network.Response) {
	h := http.Header{}
	for name, value := range r.Headers {
		h.Set(name, fmt.Sprint(value))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.responses = append(w.responses, Response{URL: r.URL, Status: int(r.Status), Header: h})
}

// Tolerate lets errors pass that match a pattern, until the returned function is called: those that a step provokes.
func (p *Page) Tolerate(pattern string) (stop func()) {
	t := regexp.MustCompile(pattern)
	w := &p.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tolerated = append(w.tolerated, t)
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		for i, other := range w.tolerated {
			if other == t {
				w.tolerated = append(w.tolerated[:i:i], w.tolerated[i+1:]...)
				return
			}
		}
	}
}

// Check returns what the page complained about since the last Check.
func (p *Page) Check() error {
	w := &p.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	all := w.errors
	w.errors = nil
	if len(all) == 0 {
		return nil
	}
	return fmt.Errorf("the page has errors: %s", strings.Join(all, "; "))
}

// Responses are all that the page got so far, in order.
func (p *Page) Responses() []Response {
	p.watch.mu.Lock()
	defer p.watch.mu.Unlock()
	return append([]Response(nil), p.watch.responses...)
}
