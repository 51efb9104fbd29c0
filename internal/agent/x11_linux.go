package agent

import (
	"errors"
	"fmt"
	"io"
	"log/slog"

	"jiseki/internal/capture"
	"jiseki/internal/input"
	"jiseki/internal/lock"
	"jiseki/internal/notice"
	"jiseki/internal/x11"
)

// X11Config names the X server of a desk.
type X11Config struct {
	Display   string   // such as ":0"
	Authority string   // path of the Xauthority file; empty means as other programs of the user
	Locker    []string // command that locks the screen, see lock.X11Config
	Log       *slog.Logger
}

// OpenX11 opens a desk whose screen is an X server. close frees it; it unlocks nothing. A server that cannot be shown,
// or lacks what working on it takes, is a desk too: it says so by its faults.
func OpenX11(cfg X11Config) (desk Desk, closeDesk func() error, err error) {
	watch, err := capture.WatchX11(capture.X11Config{Display: cfg.Display, Authority: cfg.Authority, Log: cfg.Log})
	if err != nil {
		return Desk{}, nil, fmt.Errorf("look at the desk's screen: %w", err)
	}
	injector, faults, gone, err := openInput(cfg, watch.Faults())
	if err != nil {
		watch.Close()
		return Desk{}, nil, fmt.Errorf("open the desk's input: %w", err)
	}
	locker, err := lock.OpenX11(lock.X11Config{
		Display: cfg.Display, Authority: cfg.Authority, Command: cfg.Locker, Log: cfg.Log,
	})
	if err != nil {
		injector.Close()
		watch.Close()
		return Desk{}, nil, fmt.Errorf("open the desk's lock: %w", err)
	}
	for _, end := range append(gone, watch.Done()) {
		go func() {
			<-end
			locker.Close() // its end tells the agent that the desk is lost
		}()
	}
	desk = Desk{
		Input: injector, Lock: locker, Faults: faults,
		Screen: func() (capture.Source, error) {
			return capture.OpenX11(capture.X11Config{Display: cfg.Display, Authority: cfg.Authority, Log: cfg.Log})
		},
		Notice: func(name string, end func()) (io.Closer, error) {
			return cfg.show(notice.X11Config{Name: name, OnEnd: end})
		},
		Say: func(text, button string, pressed func()) (io.Closer, error) {
			return cfg.show(notice.X11Config{Text: text, Button: button, OnEnd: pressed})
		},
		Recall: func(text, button string, pressed func()) (io.Closer, error) {
			return cfg.show(notice.X11Config{Text: text, Button: button, OnEnd: pressed, Row: 1})
		},
	}
	return desk, func() error { return errors.Join(injector.Close(), locker.Close(), watch.Close()) }, nil
}

// show shows a notice on the desk. One that fails is nil, and no Closer that holds nil.
func (cfg X11Config) show(what notice.X11Config) (io.Closer, error) {
	what.Display, what.Authority, what.Log = cfg.Display, cfg.Authority, cfg.Log
	n, err := notice.ShowX11(what)
	if err != nil {
		return nil, err
	}
	return n, nil
}

// openInput opens the desk's input; gone are closed when it is lost. Of a server that has no way for it, the fault is
// that instead of those of the screen.
func openInput(cfg X11Config, faults <-chan capture.Fault) (
	inj input.Injector, fault <-chan capture.Fault, gone []<-chan struct{}, err error,
) {
	injector, err := input.OpenX11(input.X11Config{Display: cfg.Display, Authority: cfg.Authority, Log: cfg.Log})
	var missing *x11.MissingExtensionError
	if errors.As(err, &missing) {
		cfg.Log.Error("nobody can work on this desk", "fault", capture.FaultSystem, "reason", err)
		fixed := make(chan capture.Fault, 1)
		fixed <- capture.FaultSystem
		return inputNowhere{}, fixed, nil, nil
	}
	if err != nil {
		return nil, nil, nil, err
	}
	return injector, faults, injector.Done(), nil
}
