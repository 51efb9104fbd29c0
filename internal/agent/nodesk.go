package agent

import (
	"context"
	"errors"
	"time"

	"jiseki/internal/input"
	"jiseki/internal/lock"
)

// NoDesk is the desk of a machine that has none: nobody is there, nothing can be locked, shown or typed.
func NoDesk() Desk { return Desk{Input: inputNowhere{}, Lock: lockNowhere{}} }

var errNoDesk = errors.New("this machine is no desk")

type inputNowhere struct{ input.Injector }

func (inputNowhere) ReleaseAll() error { return nil }
func (inputNowhere) Close() error      { return nil }

type lockNowhere struct{}

func (lockNowhere) Can() error                            { return errNoDesk }
func (lockNowhere) Lock(context.Context, time.Time) error { return errNoDesk }
func (lockNowhere) Changes() <-chan lock.State            { return nil }
func (lockNowhere) LoggedOn() (bool, error)               { return false, nil }
func (lockNowhere) UsedLocally() time.Time                { return time.Time{} }
