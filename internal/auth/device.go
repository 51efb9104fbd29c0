package auth

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"

	"jiseki/internal/access"
	"jiseki/internal/cert"
	"jiseki/internal/store"
)

// Enrolment is a device that asks to be enrolled.
type Enrolment struct {
	Code       string // as typed from the slip
	Nonce      cert.Nonce
	Key        cert.PublicKey
	Signature  cert.Signature
	Label      string
	Grade      cert.Grade
	Persistent bool
}

// EnrolDevice binds a new identity key to the user who is signed in, by the one-time code, and makes this sign-in one
// with the device. Without attestation a claim of hardware counts as the operating system's word at best. Wrong codes
// are counted in this sign-in: somebody else who has the password cannot use up the user's code.
func (s *Service) EnrolDevice(ctx context.Context, id *Identity, e Enrolment) (*cert.Certificate, error) {
	hash, err := ParseDeviceCode(e.Code)
	if err != nil {
		return nil, err
	}
	if err := s.Spend(ctx, ForDevice, e.Nonce); err != nil {
		return nil, err
	}
	if (cert.Enrol{Nonce: e.Nonce, Key: e.Key}).Verify(e.Signature) != nil {
		return nil, refuse(access.SignatureWrong)
	}
	keys := signInThrottles("code", id.SignIn.Hash)
	wait, err := s.Store.BeginAttempt(ctx, keys...)
	if err != nil {
		return nil, err
	}
	if wait > 0 {
		return nil, slowDown(wait)
	}
	c, err := s.enrol(ctx, id, &e, hash)
	switch r := new(Refusal); {
	case err == nil:
		return c, s.Store.EndAttempt(ctx, keys...)
	case errors.As(err, &r) && r.Reasons[0].Code == access.CodeWrong:
		return nil, err
	}
	return nil, errors.Join(err, s.Store.UndoAttempt(ctx, keys...))
}

func (s *Service) enrol(ctx context.Context, id *Identity, e *Enrolment, hash [32]byte) (*cert.Certificate, error) {
	device, owner := NewID(), "user:"+id.User.ID
	c, err := s.Issuer.IssueDevice(device, owner, max(e.Grade, cert.GradeSystem), e.Key)
	if err != nil {
		return nil, err
	}
	err = s.Store.EnrolDevice(ctx, id.By(), id.User.ID, hash, id.SignIn.Hash, store.Device{
		ID: device, Owner: owner, Label: e.Label, Grade: c.Grade, Key: e.Key, Certificate: c.Append(nil), UntilMS: c.NotAfter.UnixMilli(),
		Persistent: e.Persistent,
	})
	switch {
	case errors.Is(err, store.ErrWrongCode):
		return nil, refuse(access.CodeWrong)
	case errors.Is(err, store.ErrSpent):
		return nil, refuse(access.CodeSpent)
	case errors.Is(err, store.ErrExpired):
		return nil, refuse(access.CodeExpired)
	case errors.Is(err, store.ErrExists):
		return nil, refuse(access.Exists)
	case errors.Is(err, store.ErrInvalid):
		return nil, refuse(access.Invalid)
	case errors.Is(err, store.ErrStale):
		return nil, refuse(access.NotSignedIn)
	case err != nil:
		return nil, err
	}
	return c, nil
}

// RenewDevice certifies the key of the user's device again, also after its certificate has expired, unless it is
// revoked. While it is not time the answer is the present certificate, and nothing is written.
func (s *Service) RenewDevice(ctx context.Context, id *Identity, p DeviceProof) (*cert.Certificate, error) {
	d, err := s.checkDevice(ctx, &id.User, &p)
	if err != nil {
		return nil, err
	}
	if c := s.Issuer.Present(cert.KindDevice, d.Certificate); c != nil {
		return c, nil
	}
	if err := s.Spend(ctx, ForDevice, p.Nonce); err != nil {
		return nil, err
	}
	c, err := s.Issuer.IssueDevice(d.ID, d.Owner, d.Grade, d.Key)
	if err != nil {
		return nil, err
	}
	err = s.Store.RenewDevice(ctx, id.By(), d.ID, c.Append(nil), c.NotAfter.UnixMilli())
	if errors.Is(err, store.ErrNotFound) { // revoked meanwhile
		return nil, refuse(access.DeviceRevoked)
	}
	return c, err
}

// NewID draws an id for a device, desk or section: 64 random bits in hexadecimal.
func NewID() string {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// IsID says whether NewID could have drawn an id.
func IsID(id string) bool {
	b, err := hex.DecodeString(id)
	return err == nil && len(b) == 8
}
