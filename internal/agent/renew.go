package agent

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	"jiseki/internal/cert"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
)

// certificate is the desk's own, as it is now.
func (a *Agent) certificate() *cert.Certificate {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.self
}

// renewDue says whether two thirds of a certificate's time have passed, or it has not begun: a clock that was ahead
// made it.
func renewDue(c *cert.Certificate, now time.Time) bool {
	return now.Before(c.NotBefore.Add(-cert.Skew)) || now.After(c.NotBefore.Add(c.NotAfter.Sub(c.NotBefore)*2/3))
}

// renew has the same key certified again when it is time. A gateway that cannot do it now is asked again with the next
// connection; until the certificate ends nothing is lost.
func (a *Agent) renew(ctx context.Context) error {
	self := a.certificate()
	if !renewDue(self, a.now()) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, helloLimit)
	defer cancel()
	client, err := agentService(a.cfg.Gateway, a.cfg.Proxy, func(string) *tls.Config { return a.tlsConfig() })
	if err != nil {
		return err
	}
	challenge, err := client.GetAgentChallenge(ctx, &controlv1.GetAgentChallengeRequest{})
	if err != nil {
		return fmt.Errorf("ask for a new certificate: %w", err)
	}
	if len(challenge.GetNonce()) != len(cert.Nonce{}) {
		return errors.New("the gateway's challenge is malformed")
	}
	statement, err := a.noise.statement()
	if err != nil {
		return err
	}
	proof := cert.AgentHello{Nonce: cert.Nonce(challenge.GetNonce()), Desk: self.Subject, Statement: statement.Hash()}
	signature, err := proof.Sign(a.cfg.Identity)
	if err != nil {
		return fmt.Errorf("sign for a new certificate: %w", err)
	}
	answer, err := client.RenewDeskCertificate(ctx, &controlv1.RenewDeskCertificateRequest{
		DeskId: self.Subject, Nonce: challenge.GetNonce(), Statement: statement.Append(nil), Signature: signature[:],
	})
	if err != nil {
		return fmt.Errorf("ask for a new certificate: %w", err)
	}
	if refusal := answer.GetRefusal(); refusal != nil {
		return &RefusedError{refusal}
	}
	return a.takeCertificate(answer.GetRenewed().GetCertificate())
}

// takeCertificate checks, keeps and uses a new certificate of the same desk and key.
func (a *Agent) takeCertificate(raw []byte) error {
	next, err := cert.ParseCertificate(raw)
	if err != nil {
		return fmt.Errorf("the new certificate: %w", err)
	}
	if err := next.Verify(cert.KindDesk, a.bundle.get().DeskCAs, a.now(), cert.Skew); err != nil {
		return fmt.Errorf("the new certificate: %w", err)
	}
	self := a.certificate()
	if next.Subject != self.Subject || next.Key != self.Key || next.Owner != self.Owner {
		return errors.New("the new certificate is for another desk")
	}
	if err := a.cfg.SaveCertificate(raw); err != nil {
		return fmt.Errorf("keep the new certificate: %w", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.self = next
	return nil
}
