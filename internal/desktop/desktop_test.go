//go:build linux

package desktop_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jiseki/internal/desktop"
	"jiseki/internal/desktop/desktoptest"
	"jiseki/internal/input"
	"jiseki/internal/keys"
	"jiseki/internal/screen"
	"jiseki/internal/x11"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestModes changes the mode and the monitors of a desk.
func TestModes(t *testing.T) {
	d := desktoptest.Bare(t, screen.Point{X: 1024, Y: 768})
	conn, err := x11.Dial(x11.Options{Display: d.Display(), Authority: d.Authority()})
	must(t, err)
	defer conn.Close()
	ctx := t.Context()
	must(t, conn.WatchLayout())
	want := func(bounds ...screen.Rect) {
		t.Helper()
		got, err := conn.Monitors()
		must(t, err)
		if len(got) != len(bounds) {
			t.Fatalf("monitors %v, want %v", got, bounds)
		}
		for i := range got {
			if got[i].Bounds != bounds[i] {
				t.Errorf("monitor %d is at %v, want %v", i, got[i].Bounds, bounds[i])
			}
		}
	}
	rect := func(x, y, w, h int) screen.Rect {
		return screen.Rect{Min: screen.Point{X: x, Y: y}, Max: screen.Point{X: x + w, Y: y + h}}
	}
	want(rect(0, 0, 1024, 768))
	must(t, d.SetMode(ctx, desktop.PrimaryOutput, screen.Point{X: 1366, Y: 768}))
	must(t, d.AddMonitor(ctx, "DUMMY1", screen.Point{X: 1280, Y: 1024}, screen.Point{X: 1366}))
	want(rect(0, 0, 1366, 768), rect(1366, 0, 1280, 1024))
	must(t, d.MoveMonitor(ctx, "DUMMY1", screen.Point{Y: 768}))
	want(rect(0, 0, 1366, 768), rect(0, 768, 1280, 1024))
	must(t, d.RemoveMonitor(ctx, "DUMMY1"))
	want(rect(0, 0, 1366, 768))
}

// TestOnlyWithCookie keeps other accounts of the machine off the desk.
func TestOnlyWithCookie(t *testing.T) {
	d := desktoptest.Bare(t, screen.Point{})
	if conn, err := x11.Dial(x11.Options{Display: d.Display(), Authority: "/dev/null"}); err == nil {
		conn.Close()
		t.Error("the display opens without its cookie")
	}
	for _, name := range []string{"Xauthority", "xorg.log"} {
		info, err := os.Stat(filepath.Join(d.Home(), ".jiseki", name))
		must(t, err)
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s can be read by others: %v", name, info.Mode())
		}
	}
}

// TestFullDesk uses one full desk for what needs one; a test of each part would spend its time on starting programs.
func TestFullDesk(t *testing.T) {
	d, stop := desktoptest.FullUntil(t)
	t.Run("types Japanese", func(t *testing.T) { typeJapanese(t, d) })
	t.Run("leaves no process", func(t *testing.T) { leaveNothing(t, d, stop) })
}

// leaveNothing ends the desk and looks for what carries its mark.
func leaveNothing(t *testing.T, d *desktop.Desktop, stop func()) {
	if len(marked(t, d.Home())) < 6 {
		t.Fatalf("a full desk has the processes %v", marked(t, d.Home()))
	}
	stop()
	if left := marked(t, d.Home()); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func marked(t *testing.T, home string) (names []string) {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/environ")
	must(t, err)
	for _, path := range all {
		env, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(env), "JISEKI_DESK_HOME="+home+"\x00") {
			name, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "comm"))
			names = append(names, strings.TrimSpace(string(name)))
		}
	}
	return names
}

// TestOneDeskAHome refuses a second desk in the same home folder.
func TestOneDeskAHome(t *testing.T) {
	d := desktoptest.Bare(t, screen.Point{})
	other, err := desktop.New(desktop.Config{Bare: true, Home: d.Home(), Log: slog.New(slog.DiscardHandler)})
	must(t, err)
	if err := other.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "another desk") {
		t.Errorf("Run = %v, want that another desk uses the folder", err)
	}
}

// typeJapanese types through the input method into a real editor and reads the saved file.
func typeJapanese(t *testing.T, d *desktop.Desktop) {
	x, err := input.OpenX11(input.X11Config{Display: d.Display(), Authority: d.Authority()})
	must(t, err)
	defer x.Close()
	file := filepath.Join(d.Home(), "文書", "入力.txt")
	must(t, os.WriteFile(file, nil, 0o666))
	must(t, os.Chmod(file, 0o666))
	must(t, d.Start("editor", file))
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	must(t, d.WaitWindow(ctx, "入力.txt"))
	must(t, d.WaitInputMethod(ctx, false))
	tap := func(codes ...keys.Code) {
		t.Helper()
		for _, c := range codes {
			must(t, x.Key(c, true))
		}
		for i := range codes {
			must(t, x.Key(codes[len(codes)-1-i], false))
		}
	}
	tap(keys.Backquote) // 半角/全角
	must(t, d.WaitInputMethod(ctx, true))
	for _, c := range "nihongowonyuuryoku" {
		tap(keys.FromName("Key" + strings.ToUpper(string(c))))
	}
	tap(keys.Space)
	tap(keys.Enter)
	tap(keys.ControlLeft, keys.KeyS)
	for ctx.Err() == nil {
		b, err := os.ReadFile(file)
		must(t, err)
		text := strings.TrimSpace(string(b))
		if text == "日本語を入力" {
			for range 2 { // かな and 英数 of Apple's keyboards: on and off, however often
				tap(keys.Lang2)
				must(t, d.WaitInputMethod(ctx, false))
				tap(keys.Lang2)
				tap(keys.Lang1)
				must(t, d.WaitInputMethod(ctx, true))
				tap(keys.Lang1)
			}
			tap(keys.Lang2)
			must(t, d.WaitInputMethod(ctx, false))
			return
		}
		if text != "" {
			t.Fatalf("the file holds %q", text)
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("nothing was saved")
}
