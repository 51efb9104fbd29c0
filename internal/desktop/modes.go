//go:build linux

package desktop

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"

	"jiseki/internal/screen"
)

// PrimaryOutput is the output that a desk has from the start; the others are DUMMY1 to DUMMY15.
const PrimaryOutput = "DUMMY0"

// SetMode changes the mode of an output that is on.
func (d *Desktop) SetMode(ctx context.Context, output string, size screen.Point) error {
	mode, err := d.mode(ctx, output, size)
	if err != nil {
		return err
	}
	return d.xrandr(ctx, "--output", output, "--mode", mode)
}

// AddMonitor turns an output on, with its top left corner at a place of the layout.
func (d *Desktop) AddMonitor(ctx context.Context, output string, size, at screen.Point) error {
	mode, err := d.mode(ctx, output, size)
	if err != nil {
		return err
	}
	return d.xrandr(ctx, "--output", output, "--mode", mode, "--pos", fmt.Sprintf("%dx%d", at.X, at.Y))
}

// MoveMonitor places an output that is on.
func (d *Desktop) MoveMonitor(ctx context.Context, output string, at screen.Point) error {
	return d.xrandr(ctx, "--output", output, "--pos", fmt.Sprintf("%dx%d", at.X, at.Y))
}

// RemoveMonitor turns an output off.
func (d *Desktop) RemoveMonitor(ctx context.Context, output string) error {
	return d.xrandr(ctx, "--output", output, "--off")
}

// SetScreen changes the size of the screen that the monitors lie in, within [Config.Virtual]; they stay as they are.
func (d *Desktop) SetScreen(ctx context.Context, size screen.Point) error {
	return d.xrandr(ctx, "--fb", fmt.Sprintf("%dx%d", size.X, size.Y))
}

// mode makes a mode of a size known to the server and offered by an output. The timing means nothing to the dummy
// driver as long as it is within its limits.
func (d *Desktop) mode(ctx context.Context, output string, size screen.Point) (string, error) {
	name := fmt.Sprintf("jiseki-%dx%d", size.X, size.Y)
	known, err := d.command(ctx, "xrandr").Output()
	if err != nil {
		return "", fmt.Errorf("desktop: xrandr: %w", err)
	}
	if !strings.Contains(string(known), name+" ") {
		w, h := size.X, size.Y
		line := []string{"--newmode", name, strconv.FormatFloat(float64((w+200)*(h+60)*60)/1e6, 'f', 2, 64)}
		for _, n := range []int{w, w + 40, w + 80, w + 200, h, h + 3, h + 8, h + 60} {
			line = append(line, strconv.Itoa(n))
		}
		if err := d.xrandr(ctx, line...); err != nil {
			return "", err
		}
	}
	return name, d.xrandr(ctx, "--addmode", output, name)
}

func (d *Desktop) xrandr(ctx context.Context, args ...string) error {
	out, err := d.command(ctx, "xrandr", args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("desktop: xrandr %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return nil
}

// command is a short-lived program that talks to the desk, run by the invoking user.
func (d *Desktop) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(cmd.Environ(), "DISPLAY="+d.Display(), "XAUTHORITY="+d.Authority())
	return cmd
}
