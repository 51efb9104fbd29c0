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
