package api

import (
	"context"
	"errors"

	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/store"
)

func (s *authService) BeginTOTP(ctx context.Context, r *controlv1.BeginTOTPRequest) (*controlv1.BeginTOTPResponse, error) {
	if len(r.GetPassword()) > maxTyped {
		return nil, invalid(errors.New("a field is too long"))
	}
	setup, err := s.cfg.Auth.BeginTOTP(ctx, callerOf(ctx).identity, r.GetPassword())
	if refusal, ok := expectedNo(err); ok {
		return &controlv1.BeginTOTPResponse{Outcome: &controlv1.BeginTOTPResponse_Refusal{Refusal: refusal}}, nil
	}
	if err != nil {
		return nil, err
	}
	return &controlv1.BeginTOTPResponse{Outcome: &controlv1.BeginTOTPResponse_Setup{
		Setup: &controlv1.TOTPSetup{Secret: setup.Secret, Url: setup.URL, Sealed: setup.Sealed},
	}}, nil
}

func (s *authService) ConfirmTOTP(ctx context.Context, r *controlv1.ConfirmTOTPRequest) (*controlv1.ConfirmTOTPResponse, error) {
	if len(r.GetTotp()) > maxTyped || len(r.GetSealed()) > maxTyped {
		return nil, invalid(errors.New("a field is too long"))
	}
	recovery, err := s.cfg.Auth.EnableTOTP(ctx, callerOf(ctx).identity, r.GetSealed(), r.GetTotp())
	if refusal, ok := expectedNo(err); ok {
		return &controlv1.ConfirmTOTPResponse{Outcome: &controlv1.ConfirmTOTPResponse_Refusal{Refusal: refusal}}, nil
	}
	if err != nil {
		return nil, err
	}
	return &controlv1.ConfirmTOTPResponse{Outcome: &controlv1.ConfirmTOTPResponse_Enabled{
		Enabled: &controlv1.TOTPEnabled{RecoveryCodes: recovery},
	}}, nil
}

func (s *authService) DisableTOTP(ctx context.Context, r *controlv1.DisableTOTPRequest) (*controlv1.DisableTOTPResponse, error) {
	if len(r.GetPassword()) > maxTyped {
		return nil, invalid(errors.New("a field is too long"))
	}
	err := s.cfg.Auth.DisableTOTP(ctx, callerOf(ctx).identity, r.GetPassword())
	if refusal, ok := expectedNo(err); ok {
		return &controlv1.DisableTOTPResponse{Refusal: refusal}, nil
	}
	return &controlv1.DisableTOTPResponse{}, err
}

// ResetTOTP forgets a user's one-time passwords, for a lost telephone.
func (s *adminService) ResetTOTP(ctx context.Context, r *controlv1.ResetTOTPRequest) (*controlv1.ResetTOTPResponse, error) {
	return &controlv1.ResetTOTPResponse{}, s.cfg.Store.SetTOTP(ctx, callerOf(ctx).by, r.GetUserId(), store.TOTP{})
}
