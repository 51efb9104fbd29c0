package main

import (
	"fmt"

	"jiseki/internal/ca"
	"jiseki/internal/gateway"
)

type keyCommands struct {
	Prepare keyPrepare `cmd:"" help:"Make the next key. Then start the gateway and wait until every desk and device has connected once."`
	Use     keyUse     `cmd:"" help:"Use the next key. Who has not connected since 'prepare' is locked out."`
	TLS     keyTLS     `cmd:"" name:"tls" help:"Make the TLS CA's certificate anew, for the gateway's present names only. Its key stays."`
	Retire  keyRetire  `cmd:"" help:"Trust the old key no more: 90 days after 'use', or at once if somebody has stolen it."`
}

type keyRole struct {
	Role string `arg:"" enum:"grant,device,desk" help:"What the key is for: grant (grants and orders), device or desk (their certificates)."`
}

type (
	keyPrepare struct{ keyRole }
	keyUse     struct{ keyRole }
	keyRetire  struct{ keyRole }
)

// Run makes the next key.
func (k *keyPrepare) Run(c *console) error { return k.take(c, gateway.KeyPrepare) }

// Run uses the next key.
func (k *keyUse) Run(c *console) error { return k.take(c, gateway.KeyUse) }

// Run drops the old key.
func (k *keyRetire) Run(c *console) error { return k.take(c, gateway.KeyRetire) }

type keyTLS struct{}

// Run makes the certificate of the TLS CA anew; the gateway must not run.
func (k *keyTLS) Run(c *console) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	names, err := gateway.RenewTLS(c.ctx, cfg, gateway.Environment{Version: version()})
	if err != nil {
		return fmt.Errorf("keys tls: %w", err)
	}
	c.out.line(c.out.say("TLS認証局が署名できる名前：%v。ゲートウェイを起動し、端末の認証局の証明書を新しいtls-ca.crtに入れ替えてください。",
		"The TLS CA may sign: %v. Start the gateway, and put the new tls-ca.crt in the place of the old one on devices."), names)
	return nil
}

// take takes a step; the gateway must not run.
func (k *keyRole) take(c *console, step gateway.KeyStep) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	bundle, err := gateway.ChangeKeys(c.ctx, cfg, gateway.Environment{Version: version()}, step, ca.Role(k.Role))
	if err != nil {
		return fmt.Errorf("keys %s %s: %w", step, k.Role, err)
	}
	c.out.line(c.out.say("信頼情報の版：%d。ゲートウェイを起動してください。", "Trust bundle version %d. Start the gateway now."), bundle.Version)
	return nil
}
