//go:build linux

package journey

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"

	"golang.org/x/sync/errgroup"

	"jiseki/internal/demo"
	"jiseki/internal/journey/browser"
	"jiseki/internal/shape"
)

// Day is the telework day of three people, in order: a member of staff at home, the head of the section, and the deputy who
// stands in; and the administrator. It needs none of the steps of [Steps], but a town of its own if they were not walked.
func Day() []Step {
	return []Step{
		{"day-enter", "職員は自宅から、所属長と代決者は庁内からサインインする", begins},
		{"day-enrol", "自宅の貸与端末を登録すると、今日のテレワークが表示される", staffComesHome},
		{"day-refused", "承認がないと自宅から接続できず、理由が表示される", withoutApproval},
		{"day-request", "職員が急な事情で今日の分を申請する", staffRequests},
		{"day-deputy", "所属長の不在を登録し、代決者が承認する", deputyApproves},
		{"day-review", "所属長が戻り、後閲する", headReviews},
		{"day-wake", "職員が電源の入っていない自席端末を起動する", staffWakes},
		{"day-start", "始業を報告し、自席端末に接続する", staffStarts},
		{"day-break", "休憩を報告すると接続が終わって自席端末がロックされ、再開を報告すると続けられる", staffRests},
		{"day-policy", "接続中に管理者がテレワークを認めなくすると、理由を表示して接続が終わる", policyChanges},
		{"day-why", "管理者が接続可否の理由を確かめ、条件を元に戻す", administratorAsksWhy},
		{"day-again", "条件が戻ると再び接続できる", staffReturns},
		{"day-hours", "勤務時間が終わると、理由を表示して接続が終わり、自席端末がロックされる", hoursEnd},
		{"day-hours-back", "勤務時間を元に戻すと再び接続できる", hoursReturn},
		{"day-cancel", "所属長が承認を取り消すと、理由を表示して接続が終わる", headCancels},
		{"day-end", "行った業務を書いて終業を報告する", staffFinishes},
		{"day-month", "実績に勤務と接続の時間が並び、所属長が先月の実績を確認してCSVを受け取る", monthIsConfirmed},
		{"day-check", "持ち帰り前の確認のコードで、情報システム担当が同じ結果を見る", selfCheck},
		{"day-town", "所属長が在席状況と予定表を見る", headLooks},
	}
}

// The people of the day.
const (
	dayStaff  = "zeimu02"
	dayHead   = "zeimu01"
	dayDeputy = "zeimu03"
	dayDesk   = "税務課-02"
)

// homeAddress is where home is: every address of 127.0.0.0/8 is this machine, but only 127.0.0.1 is the town hall.
const homeAddress = "127.0.0.2"

// A day is four browsers and a desk.
type day struct {
	staff, head, deputy, admin *Journey

	phone   *browser.Page // of the member of staff
	desk    string        // id
	sleeper *demo.Sleeper // the desk, if it can sleep
	off     func() error  // switches the desk off
	stop    func() error  // the line from home
}

func (d *day) people() []*Journey {
	var all []*Journey
	for _, j := range []*Journey{d.staff, d.head, d.deputy, d.admin} {
		if j != nil {
			all = append(all, j)
		}
	}
	return all
}

func (d *day) close() error {
	var errs []error
	for _, j := range d.people() {
		errs = append(errs, j.browser.Close())
	}
	for _, end := range []func() error{d.off, d.stop} {
		if end != nil {
			errs = append(errs, end())
		}
	}
	return errors.Join(errs...)
}

// pages are all that are open.
func (j *Journey) pages() []*browser.Page {
	pages := []*browser.Page{j.page}
	if j.day == nil {
		return pages
	}
	for _, p := range j.day.people() {
		pages = append(pages, p.page)
	}
	if j.day.phone != nil {
		pages = append(pages, j.day.phone)
	}
	return pages
}

// begins brings everybody to their browser.
func begins(ctx context.Context, j *Journey) error {
	d := &day{}
	j.day = d
	lasting := context.WithoutCancel(ctx) // longer than the step
	// An earlier journey may have gone home: this machine is the town hall again.
	if _, err := j.town.Gateway(ctx, "settings", "set", `office_networks=["127.0.0.1/32", "::1/128"]`); err != nil {
		return err
	}
	if err := d.runDesk(ctx, j.town); err != nil {
		return err
	}
	if _, err := j.town.Gateway(ctx, "desk", "assign", j.town.Accounts.Desk, staffID); err != nil {
		return err
	}
	home, err := j.homeLine(lasting, d)
	if err != nil {
		return err
	}
	for _, p := range []struct {
		who  **Journey
		id   string
		line *shape.Proxy
	}{{&d.staff, dayStaff, home}, {&d.head, dayHead, j.line}, {&d.deputy, dayDeputy, j.line}, {&d.admin, j.admin.ID, j.line}} {
		if *p.who, err = j.guest(lasting, p.id, p.line); err != nil {
			return err
		}
	}
	for _, g := range []*Journey{d.head, d.deputy} {
		if err := all(ctx, g.enters, g.goTo("/"), g.heading("自席端末"), j.picture(g, g.staff.ID)); err != nil {
			return err
		}
	}
	if j.adminKnown {
		return d.admin.signIn(j.admin, j.adminWord)(ctx)
	}
	d.admin.staffWord = j.adminWord
	j.adminKnown = true
	return d.admin.enters(ctx)
}

// runDesk starts the desk, in a network of its own where that can be made.
func (d *day) runDesk(ctx context.Context, town *demo.Town) (err error) {
	if !demo.CanSleep() {
		d.desk, d.off, err = town.RunDesk(ctx, dayDesk, "internet", dayStaff)
		return err
	}
	if d.sleeper, err = town.RunSleeper(ctx, dayDesk, dayStaff); err != nil {
		return err
	}
	d.desk, d.off = d.sleeper.Desk, d.sleeper.Close
	return nil
}

// homeLine is the line from home: the gateway sees another address than the town hall's.
func (j *Journey) homeLine(ctx context.Context, d *day) (*shape.Proxy, error) {
	address, err := url.Parse(j.town.Address())
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it is there at once
	if err != nil {
		return nil, fmt.Errorf("line from home: %w", err)
	}
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(homeAddress)}}
	line := shape.New(shape.Config{Listener: listener, Dial: func(ctx context.Context) (net.Conn, error) {
		return dialer.DialContext(ctx, "tcp", "127.0.0.1:"+address.Port())
	}})
	running, cancel := context.WithCancel(ctx)
	group, running := errgroup.WithContext(running)
	group.Go(func() error { return line.Run(running) })
	d.stop = func() error { cancel(); return group.Wait() }
	return line, nil
}

// guest is somebody else of the town at a browser of their own.
func (j *Journey) guest(ctx context.Context, id string, line *shape.Proxy) (*Journey, error) {
	g := &Journey{cfg: j.cfg, town: j.town, line: line, x: j.x, step: j.step, staffWord: "Sekisho-no-Mon.61"}
	for _, p := range j.town.Accounts.People {
		if p.ID == id {
			g.staff = p
		}
	}
	var err error
	if g.browser, err = g.newBrowser(ctx, "browser-"+id); err != nil {
		return nil, err
	}
	g.page, err = openPage(g.browser)
	return g, err
}

// enters signs a guest in for the first time.
func (j *Journey) enters(ctx context.Context) error {
	return all(ctx,
		j.signIn(j.staff, j.staff.Password), j.changeWord(j.staff.Password, j.staffWord),
		j.click("パスワードを変更"), j.text("パスワードを変更しました。"),
	)
}

// as takes a step as somebody; its pictures are the journey's.
func (j *Journey) as(g *Journey, detail string, things ...func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		err := all(ctx, things...)
		if detail != "" || err != nil {
			err = errors.Join(err, j.shows(context.WithoutCancel(ctx), g, detail))
		}
		return err
	}
}

// shows keeps a picture of what a guest sees.
func (j *Journey) shows(ctx context.Context, g *Journey, detail string) error {
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	if detail == "" {
		detail = "failed-" + g.staff.ID
	}
	if g.page.Size() == laptop || g.page.Size() == phone {
		if err := g.settle(ctx); err != nil {
			return err
		}
	}
	return j.shootPage(ctx, g.page, detail)
}

// A person of the town by id, for the words on the pages.
func (j *Journey) named(id string) demo.Person {
	for _, p := range j.town.Accounts.People {
		if p.ID == id {
			return p
		}
	}
	return demo.Person{}
}
