package main

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"os"
	"path/filepath"
	"strings"
	"time"

	qrcode "github.com/skip2/go-qrcode"
	"google.golang.org/protobuf/proto"

	"jiseki/internal/durable"
	"jiseki/internal/gateway"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
)

//go:embed slip.html
var slipText string

// roomOfSlip is more than a slip takes on the disk, in bytes.
const roomOfSlip = 64 << 10

// A slipFolder is where the slips of a command go: a folder that has room for them, or none, which prints them.
type slipFolder struct {
	dir  string
	room string // the file that keeps room until they are written
}

// openSlips makes sure, before any secret is made, that a folder takes so many slips, and keeps room for them.
func openSlips(dir string, slips int) (*slipFolder, error) {
	if dir == "" {
		return &slipFolder{}, nil
	}
	f, err := os.CreateTemp(dir, ".room-*")
	if err != nil {
		return nil, errSlipFolder(dir, err)
	}
	room := &slipFolder{dir: dir, room: f.Name()}
	_, err = f.Write(make([]byte, slips*roomOfSlip))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil { // some file systems find out only when they are synced
		room.close()
		return nil, errSlipFolder(dir, err)
	}
	return room, nil
}

func errSlipFolder(dir string, cause error) error {
	return &gateway.Error{
		Code: "slip_folder",
		Ja: fmt.Sprintf("フォルダー「%s」には通知書を保存できません（%v）。何も変更していません。コマンドを実行する利用者が書き込めるフォルダーを指定してください（例：/var/lib/jiseki-gateway/slips）。",
			dir, cause),
		En: fmt.Sprintf("The folder for slips %s takes no file (%v). Nothing was changed. Name a folder that the user who runs this command may write to, such as /var/lib/jiseki-gateway/slips.",
			dir, cause),
		Cause: cause,
	}
}

// close gives back the room that was kept.
func (f *slipFolder) close() {
	if f.room != "" {
		_ = os.Remove(f.room) // else an empty page is left, which somebody may see
		f.room = ""
	}
}

// deliver writes the slips as pages into the folder, or prints them when there is none. Once they were written, the
// secrets are not printed, not even as JSON.
func (f *slipFolder) deliver(c *console, answer proto.Message, slips ...*controlv1.Slip) error {
	if f.dir == "" {
		return c.printed(c.out.message(answer, func() { printSlips(c.out, slips) }), func(o *output) { printSlips(o, slips) }, anew(slips))
	}
	paths, err := f.write(c, slips)
	return errors.Join(err, tellPaths(c.out, paths))
}

// write writes slips into the folder. One that cannot be written keeps none of the others back, and is not lost either.
func (f *slipFolder) write(c *console, slips []*controlv1.Slip) (paths []string, err error) {
	f.close()
	var left []*controlv1.Slip
	for _, s := range slips {
		path, failed := writeSlip(f.dir, s)
		if failed != nil {
			left, err = append(left, s), failed
			continue
		}
		paths = append(paths, path)
	}
	if len(left) == 0 {
		return paths, nil
	}
	return paths, c.rescue(err, func(o *output) { printSlips(o, left) }, anew(left))
}

func tellPaths(o *output, paths []string) error {
	if o.json {
		return o.value(paths)
	}
	for _, path := range paths {
		o.line("%s", path)
	}
	return nil
}

// anew are the commands that make what slips hold anew.
func anew(slips []*controlv1.Slip) string {
	var all []string
	for _, s := range slips {
		var commands []string
		if s.GetInitialPassword() != "" {
			commands = append(commands, "jiseki-gateway user reset "+s.GetUserId())
		}
		if s.GetDeviceCode() != "" {
			commands = append(commands, "jiseki-gateway device code "+s.GetUserId())
		}
		all = append(all, s.GetUserId()+": "+strings.Join(commands, ", "))
	}
	return strings.Join(all, "; ")
}

// printed ends the printing of secrets: when standard output did not take all of it, they are not lost.
func (c *console) printed(err error, show func(*output), anew string) error {
	if err = errors.Join(err, c.written.err); err == nil {
		return nil
	}
	return c.rescue(err, show, anew)
}

// rescue shows secrets that were made and could not be kept, on a terminal and nowhere else. Without one it says how to
// make them anew: they are nobody's, and so harmless.
func (c *console) rescue(why error, show func(*output), anew string) error {
	failed := &gateway.Error{Code: "slip_unwritten", Cause: why}
	if c.terminal == nil {
		failed.Ja = fmt.Sprintf("登録はしましたが、パスワードやコードを保存できませんでした（%v）。原因を除いてから、次のコマンドで作り直してください：%s", why, anew)
		failed.En = fmt.Sprintf("It was done, but the secrets could not be kept (%v). When the cause is gone, make them anew: %s", why, anew)
		return failed
	}
	show(&output{w: c.terminal, japanese: c.out.japanese})
	failed.Ja = fmt.Sprintf("登録はしましたが、保存できませんでした（%v）。代わりに、この画面に表示しています。書き写してください。作り直すとき：%s", why, anew)
	failed.En = fmt.Sprintf("It was done, but the secrets could not be kept (%v). They are shown on this terminal instead: copy them. To make them anew: %s", why, anew)
	return failed
}

func printSlips(o *output, slips []*controlv1.Slip) {
	for _, s := range slips {
		printSlip(o, s)
	}
}

func printSlip(o *output, s *controlv1.Slip) {
	o.line("%s  %s", o.say("利用者ID", "user id         "), s.GetUserId())
	if s.GetInitialPassword() != "" {
		o.line("%s  %s", o.say("初期パスワード", "initial password"), s.GetInitialPassword())
	}
	if s.GetDeviceCode() != "" {
		o.line("%s  %s  (%s)", o.say("端末登録コード", "device code     "), s.GetDeviceCode(), when(s.GetDeviceCodeUntilMs()))
	}
	if number := s.GetInventoryNumber(); number != "" {
		o.line("%s  %s", o.say("管理番号", "inventory number"), number)
	}
	o.line("%s  %s", o.say("アドレス", "address         "), s.GetAddress())
}

// writeSlip writes one slip to a file that only its owner can read, in the place of an earlier slip of the same user.
func writeSlip(dir string, s *controlv1.Slip) (string, error) {
	page, err := slipPage(s)
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "slip-"+fileName(s.GetUserId())+".html")
	if err := durable.Replace(path, page, 0o600); err != nil {
		return "", fmt.Errorf("write slip: %w", err)
	}
	return path, nil
}

// slipPage is 利用者登録通知書: one page of A4 with everything in it.
func slipPage(s *controlv1.Slip) ([]byte, error) {
	page, err := template.New("slip").Parse(slipText)
	if err != nil {
		return nil, fmt.Errorf("read the form of the slip: %w", err)
	}
	code, err := qrcode.Encode(s.GetAddress(), qrcode.Medium, 240)
	if err != nil {
		return nil, fmt.Errorf("make the QR code: %w", err)
	}
	until := time.UnixMilli(s.GetDeviceCodeUntilMs()).Local()
	var b bytes.Buffer
	err = page.Execute(&b, map[string]any{
		"Slip":  s,
		"QR":    template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(code)), //nolint:gosec // made here
		"Until": fmt.Sprintf("%d年%d月%d日 %02d:%02d", until.Year(), until.Month(), until.Day(), until.Hour(), until.Minute()),
		"Desks": strings.Join(s.GetDeskNames(), "、"),
	})
	if err != nil {
		return nil, fmt.Errorf("write slip: %w", err)
	}
	return b.Bytes(), nil
}

// fileName keeps an id from leaving the folder, and two ids apart.
func fileName(id string) string {
	return strings.Map(func(r rune) rune {
		if r == '/' || r == '\\' || r < 0x20 {
			return '_'
		}
		return r
	}, id)
}
