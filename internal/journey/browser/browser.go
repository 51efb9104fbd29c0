// Package browser drives a headless Chromium as a person would: by what stands on the page, by keys and by the pointer.
//
// Certificates are checked as in any browser: a town's CA is trusted because it lies in the certificate store of the
// browser's own home folder. Whatever a page complains about (uncaught errors, errors in the console) is kept and fails
// the next Check.
package browser

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"
)

// Config says which browser to start.
type Config struct {
	// Dir becomes the browser's home folder, with its profile and certificate store; made if it is not there.
	Dir string
	// CA is the path of the certificate (PEM) that the browser trusts besides the system's.
	CA string
	// Resolver maps names and ports to others, such as "MAP localhost:8443 127.0.0.1:9000"; empty means none. The names in
	// addresses and certificates stay what they are.
	Resolver string
	// Output receives what the browser prints; nil means nobody.
	Output io.Writer
}

// A Browser is a running Chromium.
type Browser struct {
	dir   string
	ctx   context.Context //nolint:containedctx // chromedp keeps the browser in a context
	stop  context.CancelFunc
	used  bool // the tab that it started with
	ended bool
}

// Programs that must be installed.
const (
	chromium = "chromium"
	certutil = "certutil"
)

// Start starts a browser. It runs until Close, or until ctx ends.
func Start(ctx context.Context, cfg Config) (*Browser, error) {
	for name, where := range map[string]string{chromium: chromium, certutil: "libnss3-tools"} {
		if _, err := exec.LookPath(name); err != nil {
			return nil, fmt.Errorf("browser: the program %s is missing (Debian package %s)", name, where)
		}
	}
	b := &Browser{dir: cfg.Dir}
	if err := os.MkdirAll(b.Profile(), 0o700); err != nil {
		return nil, fmt.Errorf("browser: %w", err)
	}
	if err := trust(ctx, cfg.Dir, cfg.CA); err != nil {
		return nil, fmt.Errorf("browser: %w", err)
	}
	allocator, release := chromedp.NewExecAllocator(ctx, options(cfg, b.Profile())...)
	tab, cancel := chromedp.NewContext(allocator)
	b.ctx, b.stop = tab, func() { cancel(); release() }
	if err := chromedp.Do(tab); err != nil {
		b.stop()
		return nil, fmt.Errorf("browser: chromium does not start: %w", err)
	}
	return b, nil
}

// Profile is the folder of the browser's profile: all that it keeps.
func (b *Browser) Profile() string { return filepath.Join(b.dir, "profile") }

// options are the command line. Nothing in it makes the browser less strict, except that root has no sandbox.
func options(cfg Config, profile string) []chromedp.ExecAllocatorOption {
	output := cfg.Output
	if output == nil {
		output = io.Discard
	}
	all := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(chromium), chromedp.UserDataDir(profile), chromedp.CombinedOutput(output),
		chromedp.Env("HOME="+cfg.Dir, "XDG_CONFIG_HOME="+filepath.Join(cfg.Dir, ".config"), "XDG_CACHE_HOME="+filepath.Join(cfg.Dir, ".cache"),
			"LANG=ja_JP.UTF-8", "LANGUAGE=ja", "TZ=Asia/Tokyo", "DISPLAY=", "XAUTHORITY="),
		chromedp.Flag("headless", "new"), chromedp.Flag("enable-automation", true), chromedp.Flag("lang", "ja"),
		chromedp.Flag("no-first-run", true), chromedp.Flag("no-default-browser-check", true), chromedp.Flag("disable-gpu", true),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-breakpad", true),
		chromedp.Flag("password-store", "basic"), chromedp.Flag("hide-scrollbars", false),
		// Screenshots hold the colours of the page, whatever the machine thinks that its screen is.
		chromedp.Flag("force-color-profile", "srgb"), chromedp.Flag("disable-lcd-text", true),
		chromedp.WindowSize(1366, 768),
	}
	if cfg.Resolver != "" {
		all = append(all, chromedp.Flag("host-resolver-rules", cfg.Resolver))
	}
	if os.Getuid() == 0 {
		all = append(all, chromedp.NoSandbox)
	}
	return all
}

// trust makes the certificate store of a home folder and puts a CA into it.
func trust(ctx context.Context, home, ca string) error {
	store := filepath.Join(home, ".pki", "nssdb")
	if err := os.MkdirAll(store, 0o700); err != nil {
		return err
	}
	commands := [][]string{{"-A", "-t", "C,,", "-n", "jiseki", "-i", ca}}
	if _, err := os.Stat(filepath.Join(store, "cert9.db")); errors.Is(err, os.ErrNotExist) {
		commands = append([][]string{{"-N", "--empty-password"}}, commands...)
	}
	for _, args := range commands {
		cmd := exec.CommandContext(ctx, certutil, append([]string{"-d", "sql:" + store}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("certutil %s: %w: %s", args[0], err, strings.TrimSpace(string(out)))
		}
	}
	return nil
}

// closeTime bounds how long a browser may take to write its profile.
const closeTime = 30 * time.Second

// Close ends the browser in good order: its profile is written. Closing again does nothing.
func (b *Browser) Close() error {
	if b.ended {
		return nil
	}
	b.ended = true
	defer b.stop()
	ctx, cancel := context.WithTimeout(b.ctx, closeTime)
	defer cancel()
	if err := chromedp.Cancel(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("browser: close: %w", err)
	}
	return nil
}

// Cookies returns all cookies of the browser.
func (b *Browser) Cookies() ([]*network.Cookie, error) {
	got, err := chromedp.CallBrowser(b.ctx, storage.GetCookies, storage.GetCookiesParams{})
	if err != nil {
		return nil, fmt.Errorf("browser: cookies: %w", err)
	}
	return got.Cookies, nil
}

// AllowClipboard answers for the person when a page asks for the device's clipboard: pages may write to it, and may read it if
// read is true.
func (b *Browser) AllowClipboard(read bool) error {
	answers := map[string]cdpbrowser.PermissionSetting{"clipboard-write": cdpbrowser.PermissionSettingGranted, "clipboard-read": cdpbrowser.PermissionSettingDenied}
	if read {
		answers["clipboard-read"] = cdpbrowser.PermissionSettingGranted
	}
	for name, answer := range answers {
		_, err := chromedp.CallBrowser(b.ctx, cdpbrowser.SetPermission, cdpbrowser.SetPermissionParams{
			Permission: &cdpbrowser.PermissionDescriptor{Name: name}, Setting: answer,
		})
		if err != nil {
			return fmt.Errorf("browser: %s: %w", name, err)
		}
	}
	return nil
}
