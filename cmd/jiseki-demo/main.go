// Jiseki-demo runs a town hall on one machine: gateway, virtual desk, agent and staff. make demo builds and starts it.
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"jiseki/internal/demo"
	"jiseki/internal/journey"
)

type commands struct {
	Dir   string `help:"Folder of the town's state." default:"demo-data" type:"path"`
	Port  int    `help:"Port of the gateway." default:"8443"`
	Check bool   `help:"Walk the whole journey in a headless browser in a town of its own, write a report, and exit."`
	Debug bool   `help:"Show what the parts log."`
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, out, errs io.Writer) int {
	var c commands
	parser, err := kong.New(&c, kong.Name("jiseki-demo"), kong.Description("Jiseki (自席): a town hall on one machine."), kong.Writers(out, errs))
	if err != nil {
		fmt.Fprintln(errs, err)
		return 2
	}
	_, err = parser.Parse(args)
	parser.FatalIfErrorf(err)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := c.serve(ctx, out, errs); err != nil {
		fmt.Fprintf(errs, "demo: %v\n", err)
		return 1
	}
	return 0
}

func (c *commands) serve(ctx context.Context, out, errs io.Writer) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	level := slog.LevelError
	if c.Debug {
		level = slog.LevelDebug
	}
	began := time.Now()
	cfg := demo.Config{
		Dir: c.Dir, Bin: filepath.Dir(program), Port: c.Port, Log: slog.New(slog.NewTextHandler(errs, &slog.HandlerOptions{Level: level})),
		Say: func(format string, args ...any) {
			fmt.Fprintf(out, "[%3.0f s] %s\n", time.Since(began).Seconds(), fmt.Sprintf(format, args...))
		},
	}
	if c.Check {
		return c.check(ctx, cfg, out)
	}
	return demo.Run(ctx, cfg, func(_ context.Context, t *demo.Town) error {
		printWelcome(out, t)
		return nil
	})
}

// check walks the whole journey in a town of its own below the folder of the state.
func (c *commands) check(ctx context.Context, cfg demo.Config, out io.Writer) error {
	report := filepath.Join(c.Dir, "check")
	cfg.Dir = filepath.Join(c.Dir, "check-town")
	err := journey.Check(ctx, journey.CheckConfig{Town: cfg, Report: report, Say: cfg.Say})
	fmt.Fprintf(out, "\n報告書 (report)  %s\n", filepath.Join(report, "index.html"))
	if err != nil {
		return fmt.Errorf("check failed: %w", err)
	}
	fmt.Fprintln(out, "demo check passed")
	return nil
}

// printWelcome says where to go, as whom, and what to click.
func printWelcome(out io.Writer, t *demo.Town) {
	fmt.Fprintf(out, "\n自席（Jiseki）デモ：%s\n\n  アドレス (address)  %s\n\n", "やまと町役場", t.Address())
	fmt.Fprintf(out, "  %-10s %-14s %-18s %s\n", "利用者ID", "初期パスワード", "端末登録コード", "氏名（役割）")
	for _, p := range t.Accounts.People {
		fmt.Fprintf(out, "  %-12s %-20s %-24s %s（%s）\n", p.ID, p.Password, p.Code, p.Name, p.Role)
	}
	fmt.Fprintf(out, `
  1. ブラウザーで上のアドレスを開きます。認証局の証明書は次のファイルです（信頼すると警告が出ません）。
     %s
  2. 職員（例：soumu02）でサインインし、パスワードを変更し、端末登録コードでこのブラウザーを登録します。
  3. 「自席端末」の［接続］を押すと、自席の画面が開きます。
  4. 職員（例：zeimu02）で申請し、所属長（zeimu01）で承認します。先月からの申請、実績、在席状況、月次の確認も見られます。
  5. 管理者（kanri01）でサインインすると、管理画面を使えます。
`, t.CA())
	fmt.Fprintf(out, "  6. 接続を終了すると自席端末は画面ロックされます。解除のパスワード：%s\n", t.LockPassword)
	fmt.Fprint(out, "\n  (Open the address, sign in with a user id and its initial password, change the password, enrol this browser with\n  the one-time code, and press 接続 to work on the desk. Request telework as zeimu02 and approve it as zeimu01; five weeks of\n  requests and workdays are there. Ctrl-C stops everything; state is kept in the folder.)\n")
}
