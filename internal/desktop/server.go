//go:build linux

package desktop

import (
	"bufio"
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"jiseki/internal/x11"
)

// serverConfig makes an X server without hardware: the dummy driver has 16 outputs and any mode, the inputtest driver a
// keyboard. The keyboard has its layout from the configuration, as Debian does it, so that XTEST's own keyboard starts
// with another.
const serverConfig = `Section "ServerFlags"
  Option "AutoAddDevices" "false"
  Option "AutoAddGPU" "false"
EndSection
Section "InputDevice"
  Identifier "keyboard"
  Driver "inputtest"
  Option "CoreKeyboard"
  Option "DeviceType" "Keyboard"
  Option "SocketPath" "%s"
  Option "XkbRules" "evdev"
  Option "XkbModel" "pc105"
  Option "XkbLayout" "jp"
EndSection
Section "Device"
  Identifier "desk"
  Driver "dummy"
  VideoRam 256000
EndSection
Section "Monitor"
  Identifier "desk"
  HorizSync 5.0-1000.0
  VertRefresh 5.0-200.0
  Modeline "1920x1080" 148.50 1920 2008 2052 2200 1080 1084 1089 1125 +hsync +vsync
EndSection
Section "Screen"
  Identifier "desk"
  Device "desk"
  Monitor "desk"
  DefaultDepth 24
  SubSection "Display"
    Depth 24
    Modes "%dx%d" "1920x1080" "1280x1024" "1024x768"
    Virtual %d %d
  EndSubSection
EndSection
`

// startServer starts the X server and waits until it answers.
func (d *Desktop) startServer(ctx, soon context.Context, tasks *errgroup.Group) error {
	config := fmt.Sprintf(serverConfig, d.keyboardSocket(), d.cfg.Size.X, d.cfg.Size.Y, d.cfg.Virtual.X, d.cfg.Virtual.Y)
	if err := d.home.write(".jiseki/xorg.conf", []byte(config), 0o600); err != nil {
		return err
	}
	cookie := make([]byte, 16)
	rand.Read(cookie)
	if err := d.writeCookie(-1, cookie); err != nil {
		return err
	}
	if err := socketFolder(); err != nil {
		return err
	}
	number, err := d.launchServer(ctx, soon, tasks)
	if err != nil {
		return err
	}
	if err := d.writeCookie(number, cookie); err != nil {
		return err
	}
	d.mu.Lock()
	d.display = ":" + strconv.Itoa(number)
	d.mu.Unlock()
	return nil
}

func (d *Desktop) writeCookie(display int, cookie []byte) error {
	return d.home.write(".jiseki/Xauthority", x11.AppendAuthority(nil, display, cookie), 0o600)
}

// socketFolder makes the folder of the X servers' sockets as systems do at boot; a server that is not root cannot give
// it the right owner.
func socketFolder() error {
	const path = "/tmp/.X11-unix"
	if err := os.Mkdir(path, 0o777); err != nil {
		return nil //nolint:nilerr // it is there already, or the server will say why not
	}
	return os.Chmod(path, 0o777|os.ModeSticky)
}

// launchServer starts the X server. It chooses a free display by itself and tells its number when it is ready.
func (d *Desktop) launchServer(ctx, soon context.Context, tasks *errgroup.Group) (int, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	defer r.Close()
	p := process{name: "xorg", files: []*os.File{w}, args: []string{
		serverPath, "-displayfd", "3", "-config", filepath.Join(d.dir, "xorg.conf"),
		"-logfile", filepath.Join(d.dir, "xorg-server.log"), "-auth", d.Authority(),
		"-noreset", "-novtswitch", "-sharevts", "-nolisten", "tcp", "-s", "0", "-dpms",
	}}
	p.args = append(p.args, d.cfg.ServerArgs...)
	started := make(chan error, 1)
	tasks.Go(func() error { return d.group.run(ctx, p, started) })
	err = <-started
	w.Close()
	if err != nil {
		return 0, err
	}
	stop := context.AfterFunc(soon, func() { r.Close() })
	defer stop()
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		return 0, fmt.Errorf("it did not start (see %s)", filepath.Join(d.dir, "xorg-server.log"))
	}
	return strconv.Atoi(strings.TrimSpace(line))
}
