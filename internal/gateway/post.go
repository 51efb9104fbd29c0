package gateway

import (
	"context"
	"crypto/x509"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"jiseki/internal/mail"
)

// MailConfig is what of mail is not in the settings: secrets and files. Server, sender and digest are settings of the
// policy.
type MailConfig struct {
	// PasswordFile holds the password for the mail server, alone. Empty: mail_password in DataDir. Read for each
	// connection.
	PasswordFile string `toml:"password_file"`
	// CAFile has the certificates, in PEM, that verify the mail server instead of the system's.
	CAFile string `toml:"ca_file"`
}

// remindEvery is how often it is looked for what users have to be reminded of.
const remindEvery = 10 * time.Minute

// mailPasswordFile is where the mail server's password is.
func (c *Config) mailPasswordFile() string {
	if c.Mail.PasswordFile != "" {
		return c.Mail.PasswordFile
	}
	return filepath.Join(c.DataDir, "mail_password")
}

func (c *Config) validateMail() error {
	for name, path := range map[string]string{"mail.password_file": c.Mail.PasswordFile, "mail.ca_file": c.Mail.CAFile} {
		if path != "" && !filepath.IsAbs(path) {
			return fmt.Errorf("%s %q is not an absolute path", name, path)
		}
	}
	return nil
}

// openPost makes what sends mails.
func (c *core) openPost(context.Context) error {
	roots, err := readRoots(c.cfg.Mail.CAFile)
	if err != nil {
		return err
	}
	c.post = mail.New(mail.Config{
		Log: c.env.Log, Now: c.env.Now, Outbox: c.store, Settings: c.mailSettings, Password: c.mailPassword, Roots: roots, Jitter: rand.Float64,
	})
	return nil
}

func readRoots(path string) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil //nolint:nilnil // the system's
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read mail.ca_file: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(b) {
		return nil, fmt.Errorf("mail.ca_file %s holds no certificate in PEM", path)
	}
	return roots, nil
}

func (c *core) mailSettings(ctx context.Context) (mail.Settings, error) {
	o, err := c.store.Organisation(ctx)
	m := o.Settings.Policy.Mail
	return mail.Settings{
		Server: m.Server, TLS: m.TLS, User: m.User, From: m.From, Digest: time.Duration(m.DigestMinutes) * time.Minute,
		Portal: o.Settings.Address, Organisation: o.Name,
	}, err
}

// mailPassword reads the password. A file that others may read is refused.
func (c *core) mailPassword() (string, error) {
	return readSecret("mail.password_file", c.cfg.mailPasswordFile())
}

// mailPasswordSet says whether there is a password, and nothing about it.
func (c *core) mailPasswordSet() bool {
	password, err := c.mailPassword()
	return err == nil && password != ""
}

// remind tells users and superiors what they should not forget.
func (c *core) remind(ctx context.Context) error {
	return every(ctx, remindEvery, func() {
		if err := c.store.Remind(ctx); err != nil && ctx.Err() == nil {
			c.env.Log.Error("reminders were not given", "err", err)
		}
	})
}
