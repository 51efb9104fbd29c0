package api

import (
	"context"
	"errors"

	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/mail"
	"jiseki/internal/store"
)

// maxReadNotices bounds one call.
const maxReadNotices = 500

func (s *teleworkService) ListNotices(ctx context.Context, r *controlv1.ListNoticesRequest) (*controlv1.ListNoticesResponse, error) {
	user := callerOf(ctx).identity.User.ID
	notices, next, err := s.cfg.Store.Notices(ctx, user, pageOf(r.GetPage()))
	if err != nil {
		return nil, err
	}
	unread, err := s.cfg.Store.UnreadNotices(ctx, user)
	if err != nil {
		return nil, err
	}
	answer := &controlv1.ListNoticesResponse{NextToken: next, Unread: int32(unread)} //nolint:gosec // far below 2^31
	for i := range notices {
		answer.Notices = append(answer.Notices, noticeMessage(&notices[i]))
	}
	return answer, nil
}

func noticeMessage(n *store.Notice) *controlv1.Notice {
	ja, en := mail.Words(n.Kind, n.Args)
	return &controlv1.Notice{NoticeId: n.ID, TimeMs: n.TimeMS, Kind: n.Kind, Ja: ja, En: en, Path: n.Path, ReadMs: n.ReadMS}
}

func (s *teleworkService) ReadNotices(ctx context.Context, r *controlv1.ReadNoticesRequest) (*controlv1.ReadNoticesResponse, error) {
	if len(r.GetNoticeIds()) > maxReadNotices {
		return nil, invalid(errors.New("too many notices"))
	}
	return &controlv1.ReadNoticesResponse{}, s.cfg.Store.ReadNotices(ctx, callerOf(ctx).identity.User.ID, r.GetNoticeIds())
}

func (s *policyService) ListMails(ctx context.Context, r *controlv1.ListMailsRequest) (*controlv1.ListMailsResponse, error) {
	mails, next, err := s.cfg.Store.Mails(ctx, pageOf(r.GetPage()))
	if err != nil {
		return nil, err
	}
	waiting, failed, err := s.cfg.Store.MailCounts(ctx)
	if err != nil {
		return nil, err
	}
	answer := &controlv1.ListMailsResponse{NextToken: next, Waiting: int32(waiting), Failed: int32(failed)} //nolint:gosec // far below 2^31
	for i := range mails {
		m := &mails[i]
		answer.Mails = append(answer.Mails, &controlv1.Mail{
			MailId: m.ID, UserName: m.UserName, Address: m.Address, Subject: m.Subject, State: controlv1.MailState(m.State), //nolint:gosec // 1 to 3
			Tries: int32(m.Tries), CreatedMs: m.CreatedMS, NextMs: m.NextMS, SentMs: m.SentMS, LastError: m.LastError, //nolint:gosec // some dozens
		})
	}
	return answer, nil
}

func (s *policyService) RetryMails(ctx context.Context, _ *controlv1.RetryMailsRequest) (*controlv1.RetryMailsResponse, error) {
	n, err := s.cfg.Store.RetryMails(ctx, callerOf(ctx).by)
	return &controlv1.RetryMailsResponse{Retried: int32(n)}, err //nolint:gosec // far below 2^31
}
