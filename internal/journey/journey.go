//go:build linux

// Package journey walks through the whole of Jiseki as its people do: an administrator and a member of staff, in a real
// browser, on a running town with a real desk. Each step checks what it did by other means than the one it used: the
// picture in the browser against the X server's, typed text in the file that the editor wrote, the lock on the screen.
//
// The demo's check and the browser tests walk the same steps.
package journey

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"jiseki/internal/demo"
	"jiseki/internal/journey/browser"
	"jiseki/internal/screen"
	"jiseki/internal/shape"
	"jiseki/internal/x11"
)

// Patience bounds a step. Nothing waits for so long that works, also on a loaded machine.
const Patience = 2 * time.Minute

// Window sizes that the portal is looked at in: an office PC's, a large one's, a telephone's.
var (
	laptop = browser.Size{Width: 1366, Height: 768}
	large  = browser.Size{Width: 1920, Height: 1080}
	phone  = browser.Size{Width: 390, Height: 844}
)

// A Step is a part of the journey that can fail by itself. Later steps need the earlier ones.
type Step struct {
	ID   string // in English, fit for file names
	Name string // in Japanese
	walk func(context.Context, *Journey) error
}

// Steps are the whole journey, in order.
func Steps() []Step {
	return []Step{
		{"admin-sign-in", "管理者がサインインし、初期パスワードを変更する", adminSignsIn},
		{"admin-console", "管理者が利用者、自席端末、監査記録の画面を見る", adminLooksAround},
		{"staff-password", "職員が初期パスワードでサインインし、弱いパスワードは理由とともに断られ、よいパスワードに変更する", staffSignsIn},
		{"staff-enrol", "職員がこのブラウザーを端末登録コードで登録する", staffEnrols},
		{"staff-desks", "自席端末の一覧に、電源オンの自席端末が表示される", staffSeesDesk},
		{"browser-rules", "Cookie、CSP、no-store が守られている", browserRules},
		{"connect", "［接続］を押すと自席の画面が開く", staffConnects},
		{"picture", "ブラウザーの画面が自席の画面と1画素も違わない", samePicture},
		{"type", "自席の日本語入力で文を入力し、保存したファイルにその文がある", staffTypes},
		{"locks", "自席の CapsLock と NumLock の状態を表示する", lamps},
		{"toolbar", "ツールバーをキーボードで操作し、その間のキーは自席に届かない", staffUsesToolbar},
		{"scroll", "ホイールで文書をスクロールする", staffScrolls},
		{"drag", "ウィンドウを移動する", staffDrags},
		{"switch", "ウィンドウを切り替える", staffSwitches},
		{"paste", "許可がある接続だけで端末から自席へテキストを貼り付け、逆には渡らない", staffPastes},
		{"mode", "接続したまま自席の解像度が変わる", deskChangesMode},
		{"monitors", "2台目のモニターを加え、表示する画面を選ぶ", deskHasTwoMonitors},
		{"ratios", "画面の拡大率が 125% と 200% でも1画素ずつ表示する", sharpRatios},
		{"full-screen", "全画面では等倍で表示し、すべてのキーが自席に届く", staffFillsScreen},
		{"hidden", "隠れたタブには画面を送らず、戻ると最新の画面になる", hiddenTab},
		{"line-breaks", "回線が切れると画面に表示し、戻ると自動で続く", lineBreaks},
		{"gateway-dies", "ゲートウェイが異常終了しても自動で続く", gatewayDies},
		{"agent-dies", "エージェントが異常終了しても自動で続く", agentDies},
		{"take-over", "同じ職員が別の端末から接続すると切り替わり、前の画面に表示する", staffTakesOver},
		{"end", "接続を終了すると自席端末がロックされ、次の接続で解除できる", staffEnds},
		{"touch", "携帯電話の大きさの画面で、指と画面上のキーボードで自席を使う", staffTouches},
		{"paste-lgwan", "LGWAN接続系の自席端末には貼り付けられない", lgwanRefusesPaste},
		{"totp", "職員がワンタイムパスワードを設定し、それを使ってサインインする", staffSetsUpTOTP},
		{"audit", "監査記録にすべて残り、改ざんがない", auditTells},
		{"nothing-stays", "ブラウザーの保存領域に自席の画面も入力も残っていない", nothingStays},
	}
}

// Config says what to walk through.
type Config struct {
	Town *demo.Town
	// Shots takes the screenshots, Homes the browsers' home folders; both must exist.
	Shots, Homes string
}

// A Journey is a walk through a town. It is for one goroutine.
type Journey struct {
	cfg     Config
	town    *demo.Town
	browser *browser.Browser
	page    *browser.Page
	line    *shape.Proxy // between browser and gateway
	x       *x11.Conn    // of a client that has nothing to do with the agent
	stop    func() error

	day *day // of the three people, once it has begun

	admin, staff demo.Person
	adminKnown   bool   // the administrator has chosen a password
	adminWord    string // passwords that they chose
	staffWord    string

	seen  *screen.Frame // the desk's picture before it was locked
	step  string        // that is being walked
	shots []string
	notes []string
}

// New prepares a journey: a browser that has never been used, behind a line that can be broken.
func New(ctx context.Context, cfg Config) (*Journey, error) {
	j := &Journey{cfg: cfg, town: cfg.Town, adminWord: "Kawa-to-Hashi.47", staffWord: "Mizuumi-no-Kaede.82"}
	j.admin = cfg.Town.Accounts.People[0]
	for _, p := range cfg.Town.Accounts.People {
		if p.ID == staffID {
			j.staff = p
		}
	}
	if err := j.open(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("journey: %w", err), j.Close())
	}
	return j, nil
}

// staffID is the member of staff who walks.
const staffID = "soumu02"

func (j *Journey) open(ctx context.Context) error {
	address, err := url.Parse(j.town.Address())
	if err != nil {
		return err
	}
	if j.line, err = shape.TCP("127.0.0.1:"+address.Port(), shape.Line{}, shape.Line{}); err != nil {
		return err
	}
	running, cancel := context.WithCancel(ctx)
	group, running := errgroup.WithContext(running)
	group.Go(func() error { return j.line.Run(running) })
	j.stop = func() error { cancel(); return group.Wait() }
	if j.x, err = x11.Dial(x11.Options{Display: j.town.Desktop.Display(), Authority: j.town.Desktop.Authority()}); err != nil {
		return err
	}
	if j.browser, err = j.newBrowser(running, "browser"); err != nil {
		return err
	}
	j.page, err = openPage(j.browser)
	return err
}

// openPage opens a tab. That somebody is not signed in yet is no error, although the console calls it one.
func openPage(b *browser.Browser) (*browser.Page, error) {
	p, err := b.Open(laptop)
	if err != nil {
		return nil, err
	}
	p.Tolerate(`status of 401 .*AuthService/GetMe$`)
	return p, p.Prepare(context.Background(), spy)
}

// newBrowser starts a browser that reaches the town by its address, through the line.
func (j *Journey) newBrowser(ctx context.Context, name string) (*browser.Browser, error) {
	address, err := url.Parse(j.town.Address())
	if err != nil {
		return nil, err
	}
	return browser.Start(ctx, browser.Config{
		Dir: filepath.Join(j.cfg.Homes, name), CA: j.town.CA(),
		Resolver: fmt.Sprintf("MAP %s %s", address.Host, j.line.Addr()),
	})
}

// Close ends what New started.
func (j *Journey) Close() error {
	var errs []error
	if j.day != nil {
		errs = append(errs, j.day.close())
	}
	if j.browser != nil {
		errs = append(errs, j.browser.Close())
	}
	if j.x != nil {
		errs = append(errs, j.x.Close())
	}
	if j.stop != nil {
		errs = append(errs, j.stop())
	}
	return errors.Join(errs...)
}

// A Result is how a step went.
type Result struct {
	Step  Step
	Err   error
	Took  time.Duration
	Shots []string // paths of screenshots
	Notes []string // what was measured or compared, in Japanese
}

// lastShot is the screenshot of the end of the step.
func (r Result) lastShot() string {
	if len(r.Shots) == 0 {
		return "none"
	}
	return r.Shots[len(r.Shots)-1]
}

// Walk walks one step. Errors on the page fail it too. It takes a screenshot of the end, whatever it is.
func (j *Journey) Walk(ctx context.Context, s Step) Result {
	began := time.Now()
	j.step, j.shots, j.notes = s.ID, nil, nil
	soon, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	err := s.walk(soon, j)
	for _, p := range j.pages() {
		if complaint := p.Check(); complaint != nil {
			err = errors.Join(err, complaint)
		}
	}
	if err != nil || len(j.shots) == 0 {
		last, cancel := context.WithTimeout(ctx, Patience)
		defer cancel()
		err = errors.Join(err, j.shoot(last, ""))
	}
	return Result{Step: s, Err: err, Took: time.Since(began), Shots: j.shots, Notes: j.notes}
}

// note adds a line to the report of the step.
func (j *Journey) note(format string, args ...any) {
	j.notes = append(j.notes, fmt.Sprintf(format, args...))
}

// shoot takes a screenshot of the page as it is.
func (j *Journey) shoot(ctx context.Context, detail string) error {
	return j.shootPage(ctx, j.page, detail)
}

func (j *Journey) shootPage(ctx context.Context, p *browser.Page, detail string) error {
	raw, err := p.Screenshot(ctx)
	if err != nil {
		return err
	}
	name := j.step
	if detail != "" {
		name += "-" + detail
	}
	path := filepath.Join(j.cfg.Shots, name+".png")
	if err := os.WriteFile(path, raw, 0o644); err != nil { //nolint:gosec // a report is to be read
		return fmt.Errorf("screenshot: %w", err)
	}
	j.shots = append(j.shots, path)
	return nil
}

// shootSizes takes screenshots in all window sizes.
func (j *Journey) shootSizes(ctx context.Context, detail string) error {
	defer func() { j.page.Resize(laptop) }() //nolint:errcheck // what follows tells
	for _, size := range []browser.Size{laptop, large, phone} {
		if err := j.page.Resize(size); err != nil {
			return err
		}
		if err := j.page.Wait(ctx, "the window of "+size.String(), fmt.Sprintf("innerWidth === %d", size.Width)); err != nil {
			return err
		}
		if err := j.settle(ctx); err != nil {
			return err
		}
		name := size.String()
		if detail != "" {
			name = detail + "-" + name
		}
		if err := j.shoot(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// settle waits until the page has drawn what it has, its motions included. On a page that fits the window, nothing stands
// beyond its right edge.
func (j *Journey) settle(ctx context.Context) error {
	const still = `new Promise((done) => {
  const end = () => document.getAnimations().every((a) => a.playState !== "running" || a.effect?.getTiming().iterations === Infinity);
  const look = () => requestAnimationFrame(() => requestAnimationFrame(() => (end() ? done(document.documentElement.scrollWidth) : look())));
  look();
})`
	width, err := browser.Get[float64](ctx, j.page, still)
	if err != nil {
		return fmt.Errorf("the page does not come to rest: %w", err)
	}
	if width > float64(j.page.Size().Width) {
		return fmt.Errorf("the page is %g pixels wide in a window of %v", width, j.page.Size())
	}
	return nil
}

// all does one thing after the other until one fails.
func all(ctx context.Context, things ...func(context.Context) error) error {
	for _, do := range things {
		if err := do(ctx); err != nil {
			return err
		}
	}
	return nil
}
