//go:build linux

package desktop

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"
)

var sessionPrograms = []string{"dbus-daemon", "openbox", "fcitx5"}

func (d *Desktop) startSession(ctx, soon context.Context, tasks *errgroup.Group) error {
	return errors.New("not yet")
}
