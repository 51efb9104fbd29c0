package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/gen/jiseki/control/v1/controlv1connect"
)

type auditCommands struct {
	List   auditList   `cmd:"" help:"List events, newest first."`
	Verify auditVerify `cmd:"" help:"Check the chain of events, against the heads file and a head that was printed."`
	Head   auditHead   `cmd:"" help:"Print the signed head of the chain as one line, to keep elsewhere."`
}

type auditList struct {
	Kind    string `help:"Kind of event, such as sign_in."`
	Actor   string `help:"Who acted, such as user:tanaka."`
	Subject string `help:"What was acted on, such as desk:d1."`
	Limit   int32  `default:"50" help:"At most so many, 1 to 500."`
}

func (a *auditList) Run(c *console) error {
	return c.admin(func(ctx context.Context, admin controlv1connect.AdminServiceClient) error {
		r, err := admin.ListEvents(ctx, &controlv1.ListEventsRequest{
			Page: &controlv1.Page{Limit: a.Limit}, Kind: a.Kind, Actor: a.Actor, Subject: a.Subject,
		})
		if err != nil {
			return err
		}
		return c.out.message(r, func() { printEvents(c.out, r.GetEvents()) })
	})
}

func printEvents(o *output, events []*controlv1.Event) {
	rows := make([][]string, 0, len(events))
	for _, e := range events {
		session := "-"
		if len(e.GetSessionId()) > 0 {
			session = hex.EncodeToString(e.GetSessionId()[:4])
		}
		rows = append(rows, []string{
			fmt.Sprint(e.GetNumber()), when(e.GetTimeMs()), o.say(e.GetKindJa(), e.GetKindEn()), e.GetActor(), orDash(e.GetSubject()),
			session, e.GetOutcome(), orDash(e.GetCode()),
		})
	}
	o.table([]string{
		o.say("番号", "NUMBER"), o.say("日時", "TIME"), o.say("種類", "KIND"), o.say("行為者", "ACTOR"), o.say("対象", "SUBJECT"),
		o.say("接続", "SESSION"), o.say("結果", "OUTCOME"), o.say("コード", "CODE"),
	}, rows)
}

type auditVerify struct {
	Head string `help:"A line that 'audit head' printed."`
}

// errBroken makes verify's exit code tell.
var errBroken = errors.New("the audit log is not intact")

func (a *auditVerify) Run(c *console) error {
	return c.admin(func(ctx context.Context, admin controlv1connect.AdminServiceClient) error {
		r, err := admin.VerifyEvents(ctx, &controlv1.VerifyEventsRequest{Head: a.Head})
		if err != nil {
			return err
		}
		err = c.out.message(r, func() {
			if r.GetIntact() {
				c.out.line(c.out.say("監査ログは完全です（%d 件。署名付きの控え %d 件と照合）。", "The audit log is intact (%d events, held against %d signed heads)."),
					r.GetChecked(), r.GetKeptHeads())
				c.out.line("%s", r.GetHead())
				return
			}
			c.out.line(c.out.say("監査ログに異常があります（%d 番）: %s", "The audit log is not intact (at number %d): %s"), r.GetAt(), r.GetProblem())
		})
		if err == nil && !r.GetIntact() {
			err = errBroken
		}
		return err
	})
}

type auditHead struct{}

func (*auditHead) Run(c *console) error {
	return c.admin(func(ctx context.Context, admin controlv1connect.AdminServiceClient) error {
		r, err := admin.ListEvents(ctx, &controlv1.ListEventsRequest{Page: &controlv1.Page{Limit: 1}})
		if err != nil {
			return err
		}
		return c.out.message(&controlv1.ListEventsResponse{Head: r.GetHead()}, func() { c.out.line("%s", r.GetHead()) })
	})
}
