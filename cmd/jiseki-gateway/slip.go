package main

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"os"
	"path/filepath"
	"strings"
	"time"

	qrcode "github.com/skip2/go-qrcode"
	"google.golang.org/protobuf/proto"

	"jiseki/internal/durable"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
)

//go:embed slip.html
var slipText string

// checkSlipDir refuses a folder that is not there, before secrets are made that
// could not be kept.
func checkSlipDir(dir string) error {
	if dir == "" {
		return nil
	}
	st, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("folder for slips: %w", err)
	}
	if !st.IsDir() {
		return fmt.Errorf("folder for slips: %s is no folder", dir)
	}
	return nil
}

// deliver writes the slips as pages into dir, or prints them when there is none.
// Once they were written, the secrets are not printed, not even as JSON.
func deliver(o *output, dir string, answer proto.Message, slips ...*controlv1.Slip) error {
	if dir == "" {
		return o.message(answer, func() {
			for _, s := range slips {
				printSlip(o, s)
			}
		})
	}
	var paths []string
	for _, s := range slips {
		path, err := writeSlip(dir, s)
		if err != nil {
			return err
		}
		paths = append(paths, path)
	}
	if o.json {
		return o.value(paths)
	}
	for _, path := range paths {
		o.line("%s", path)
	}
	return nil
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
