package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// A Person is a member of the town's staff, with what is on the slip.
type Person struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Role     string `json:"role"` // in Japanese, for the list that is printed
	Password string `json:"initial_password"`
	Code     string `json:"device_code"`
}

// Accounts are the people of the town and their desk.
type Accounts struct {
	Address string   `json:"address"`
	People  []Person `json:"people"` // the administrator first
	Desk    string   `json:"desk"`   // id
}

// cast is who works in the town: two sections, an administrator, and staff.
var cast = []struct{ id, name, kana, section, role, roles string }{
	{"soumu01", "佐藤 健", "さとう けん", "総務課", "総務課長", "approver"},
	{"soumu02", "鈴木 花子", "すずき はなこ", "総務課", "総務課職員", ""},
	{"zeimu01", "高橋 誠", "たかはし まこと", "税務課", "税務課長", "approver"},
	{"zeimu02", "田中 美咲", "たなか みさき", "税務課", "税務課職員", ""},
}

const (
	organisation = "やまと町"
	adminID      = "kanri01"
	adminName    = "伊藤 直樹"
	deskName     = "総務課-03"
)

// slipAnswer is the part of the gateway's answers that the demo prints.
type slipAnswer struct {
	UserID          string `json:"user_id"`
	InitialPassword string `json:"initial_password"`
	DeviceCode      string `json:"device_code"`
}

type slipsAnswer struct {
	Slips []slipAnswer `json:"slips"`
}

// only is the one slip of an answer.
func (a slipsAnswer) only() (slipAnswer, error) {
	if len(a.Slips) != 1 {
		return slipAnswer{}, errors.New("the gateway did not answer with one slip")
	}
	return a.Slips[0], nil
}

// accountsFile keeps what was handed out when the town was founded.
const accountsFile = "accounts.json"

// loadAccounts reads the accounts of a town that was founded before; fs.ErrNotExist if none was.
func loadAccounts(dir string) (*Accounts, error) {
	raw, err := os.ReadFile(filepath.Join(dir, accountsFile))
	if err != nil {
		return nil, err
	}
	a := &Accounts{}
	if err := json.Unmarshal(raw, a); err != nil {
		return nil, fmt.Errorf("%s is damaged; remove the folder %s to start anew: %w", accountsFile, dir, err)
	}
	return a, nil
}

// found creates organisation, sections, staff and the desk, by the same commands that an administrator uses.
func (t *Town) found(ctx context.Context) (*Accounts, error) {
	if err := os.MkdirAll(t.path("slips"), 0o700); err != nil {
		return nil, err
	}
	a := &Accounts{Address: t.Address()}
	var founded slipsAnswer
	err := t.gateway.callJSON(ctx, &founded, "init", "--organisation", organisation, "--address", a.Address, "--admin", adminID, "--admin-name", adminName,
		"--office", "127.0.0.0/8", "--office", "::1/128")
	if err != nil {
		return nil, err
	}
	admin, err := founded.only()
	if err != nil {
		return nil, err
	}
	a.People = append(a.People, Person{adminID, adminName, "管理者", admin.InitialPassword, admin.DeviceCode})
	sections, err := t.foundSections(ctx)
	if err != nil {
		return nil, err
	}
	var desk struct {
		Desk struct {
			DeskID string `json:"desk_id"`
		} `json:"desk"`
	}
	err = t.gateway.callJSON(ctx, &desk, "desk", "add", deskName, "--section", sections["総務課"])
	if err != nil {
		return nil, err
	}
	a.Desk = desk.Desk.DeskID
	for _, c := range cast {
		person, err := t.hire(ctx, c.id, c.name, c.kana, sections[c.section], c.role, c.roles)
		if err != nil {
			return nil, err
		}
		a.People = append(a.People, person)
	}
	if _, err := t.gateway.call(ctx, "", "desk", "assign", a.Desk, "soumu02", "zeimu02"); err != nil {
		return nil, err
	}
	return a, t.keep(a)
}

func (t *Town) foundSections(ctx context.Context) (map[string]string, error) {
	ids := map[string]string{}
	for _, name := range []string{"総務課", "税務課"} {
		var answer struct {
			Section struct {
				SectionID string `json:"section_id"`
			} `json:"section"`
		}
		if err := t.gateway.callJSON(ctx, &answer, "section", "add", name); err != nil {
			return nil, err
		}
		ids[name] = answer.Section.SectionID
	}
	return ids, nil
}

// hire creates one user.
func (t *Town) hire(ctx context.Context, id, name, kana, section, role, roles string) (Person, error) {
	args := []string{"user", "add", id, "--name", name, "--kana", kana, "--section", section}
	if roles != "" {
		args = append(args, "--role", roles)
	}
	var answer slipsAnswer
	if err := t.gateway.callJSON(ctx, &answer, args...); err != nil {
		return Person{}, err
	}
	slip, err := answer.only()
	if err != nil {
		return Person{}, err
	}
	return Person{id, name, role, slip.InitialPassword, slip.DeviceCode}, nil
}

func (t *Town) keep(a *Accounts) error {
	raw, err := json.MarshalIndent(a, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(t.path(accountsFile), raw, 0o600)
}

// enrol enrols the desk's agent, unless it is.
func (t *Town) enrol(ctx context.Context, agent program) error {
	dir := filepath.Join(t.deskHome, "agent")
	if _, err := os.Stat(filepath.Join(dir, "gateway.json")); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return t.enrolAs(ctx, agent, t.Accounts.Desk)
}

// enrolAs enrols an agent as that of a desk.
func (t *Town) enrolAs(ctx context.Context, agent program, desk string) error {
	var answer struct {
		Token string `json:"token"`
	}
	if err := t.gateway.callJSON(ctx, &answer, "desk", "token", "--desk", desk); err != nil {
		return err
	}
	_, err := agent.call(ctx, answer.Token, "enroll", "--gateway", "https://"+t.deskAddress(), "--token-file", "-")
	return err
}
