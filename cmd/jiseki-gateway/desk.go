package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"connectrpc.com/connect"

	"jiseki/internal/access"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/gen/jiseki/control/v1/controlv1connect"
)

type deskCommands struct {
	List   deskList   `cmd:"" help:"List desks."`
	Add    deskAdd    `cmd:"" help:"Create a desk."`
	Assign deskAssign `cmd:"" help:"Say which users may use a desk; replaces those before."`
	Token  deskToken  `cmd:"" help:"Print a token with which an agent enrols."`
	Lock   deskLock   `cmd:"" help:"Lock a desk now."`
	Delete deskDelete `cmd:"" help:"Take a desk out of service; ends its sessions."`
}

type deskList struct {
	Query string `help:"Part of id, name or hostname."`
}

func (d *deskList) Run(c *console) error {
	return c.admin(func(ctx context.Context, admin controlv1connect.AdminServiceClient) error {
		all, err := allDesks(ctx, admin, d.Query)
		if err != nil {
			return err
		}
		return c.out.message(all, func() { printDesks(c.out, all.GetDesks()) })
	})
}

func allDesks(ctx context.Context, admin controlv1connect.AdminServiceClient, query string) (*controlv1.ListAllDesksResponse, error) {
	all := &controlv1.ListAllDesksResponse{}
	return all, everyPage(func(page *controlv1.Page) (string, error) {
		r, err := admin.ListAllDesks(ctx, &controlv1.ListAllDesksRequest{Page: page, Query: query})
		if err != nil {
			return "", err
		}
		all.Desks = append(all.Desks, r.GetDesks()...)
		return r.GetNextToken(), nil
	})
}

func printDesks(o *output, desks []*controlv1.Desk) {
	rows := make([][]string, 0, len(desks))
	for _, d := range desks {
		rows = append(rows, []string{
			d.GetDeskId(), d.GetName(), enum(d.GetZone().String(), "ZONE_"), enum(d.GetState().String(), "DESK_STATE_"),
			orDash(strings.Join(d.GetUserIds(), ",")), orDash(d.GetAgentVersion()), when(d.GetLastSeenMs()),
		})
	}
	o.table([]string{
		o.say("自席端末ID", "DESK"), o.say("名称", "NAME"), o.say("区分", "ZONE"), o.say("状態", "STATE"),
		o.say("利用者", "USERS"), o.say("版", "AGENT"), o.say("最終確認", "LAST SEEN"),
	}, rows)
}

// enum makes a name of the API readable.
func enum(name, prefix string) string { return strings.ToLower(strings.TrimPrefix(name, prefix)) }

type deskAdd struct {
	Name    string   `arg:"" help:"Name of the desk, as staff know it."`
	Zone    string   `default:"internet" enum:"lgwan,internet,mynumber" help:"Network of the desk: lgwan, internet or mynumber."`
	Section string   `help:"Id of the section."`
	User    []string `help:"Ids of the users who may use it."`
}

func (d *deskAdd) Run(c *console) error {
	return c.admin(func(ctx context.Context, admin controlv1connect.AdminServiceClient) error {
		r, err := admin.PutDesk(ctx, &controlv1.PutDeskRequest{
			Name: d.Name, Zone: parseZone(d.Zone), SectionId: d.Section, UserIds: d.User,
		})
		if err != nil {
			return err
		}
		return c.out.message(r, func() { c.out.line("%s", r.GetDesk().GetDeskId()) })
	})
}

func parseZone(name string) controlv1.Zone {
	return controlv1.Zone(controlv1.Zone_value["ZONE_"+strings.ToUpper(name)])
}

type deskAssign struct {
	Desk string   `arg:"" help:"Desk id."`
	User []string `arg:"" optional:"" help:"Ids of the users; none takes the desk away from all."`
}

func (d *deskAssign) Run(c *console) error {
	return c.admin(func(ctx context.Context, admin controlv1connect.AdminServiceClient) error {
		desk, err := findDesk(ctx, admin, d.Desk)
		if err != nil {
			return err
		}
		r, err := admin.PutDesk(ctx, &controlv1.PutDeskRequest{
			DeskId: desk.GetDeskId(), Name: desk.GetName(), Zone: desk.GetZone(), SectionId: desk.GetSectionId(), UserIds: d.User,
		})
		if err != nil {
			return err
		}
		return c.out.message(r, func() {})
	})
}

func findDesk(ctx context.Context, admin controlv1connect.AdminServiceClient, id string) (*controlv1.Desk, error) {
	all, err := allDesks(ctx, admin, id)
	if err != nil {
		return nil, err
	}
	for _, desk := range all.GetDesks() {
		if desk.GetDeskId() == id {
			return desk, nil
		}
	}
	return nil, fmt.Errorf("there is no desk %q", id)
}

type deskToken struct {
	Desk    string `help:"Desk id; without it the token is for a batch of new desks."`
	Count   int32  `default:"1" help:"How many desks of a batch."`
	Zone    string `default:"internet" enum:"lgwan,internet,mynumber" help:"Network of a batch."`
	Section string `help:"Section of a batch."`
}

func (d *deskToken) Run(c *console) error {
	return c.admin(func(ctx context.Context, admin controlv1connect.AdminServiceClient) error {
		request := &controlv1.CreateDeskTokenRequest{DeskId: d.Desk}
		if d.Desk == "" {
			request.Count, request.Zone, request.SectionId = d.Count, parseZone(d.Zone), d.Section
		}
		r, err := admin.CreateDeskToken(ctx, request)
		if err != nil {
			return err
		}
		show := func(o *output) {
			o.line("%s", r.GetCommand())
			o.line("%s", o.say("トークン（コマンドが尋ねます）: ", "token, which the command asks for: ")+r.GetToken())
			o.line("%s", o.say(when(r.GetUntilMs())+" まで有効", "valid until "+when(r.GetUntilMs())))
		}
		return c.printed(c.out.message(r, func() { show(c.out) }), show, "jiseki-gateway desk token")
	})
}

type deskLock struct {
	Desk string `arg:"" help:"Desk id."`
}

func (d *deskLock) Run(c *console) error {
	return c.admin(func(ctx context.Context, admin controlv1connect.AdminServiceClient) error {
		r, err := admin.LockDesk(ctx, &controlv1.LockDeskRequest{DeskId: d.Desk})
		if err != nil {
			return lockError(err)
		}
		return c.out.message(r, func() {
			c.out.line("%s", c.out.say("ロックされていることを確認しました。", "The desk is locked, and was seen to be."))
		})
	})
}

// lockError tells a desk that was seen not to lock, and one that was never asked, from one of which nobody knows.
func lockError(err error) error {
	for _, r := range reasonsOf(err) {
		switch access.Code(r.GetCode()) {
		case access.DeskOff, access.DeskUnknown, access.AgentNoAnswer:
			return errors.Join(errUnknown, err)
		}
	}
	switch connect.CodeOf(err) {
	case connect.CodeUnavailable, connect.CodeDeadlineExceeded, connect.CodeCanceled, connect.CodeInternal, connect.CodeUnknown:
		return errors.Join(errUnknown, err)
	}
	return err
}

type deskDelete struct {
	Desk string `arg:"" help:"Desk id."`
}

func (d *deskDelete) Run(c *console) error {
	return c.admin(func(ctx context.Context, admin controlv1connect.AdminServiceClient) error {
		r, err := admin.DeleteDesk(ctx, &controlv1.DeleteDeskRequest{DeskId: d.Desk})
		if err != nil {
			return err
		}
		return c.out.message(r, func() {})
	})
}

type sectionCommands struct {
	List sectionList `cmd:"" help:"List sections."`
	Add  sectionAdd  `cmd:"" help:"Create a section."`
	Set  sectionSet  `cmd:"" help:"Set the head of a section and the deputies."`
}

type sectionList struct{}

func (*sectionList) Run(c *console) error {
	return c.admin(func(ctx context.Context, admin controlv1connect.AdminServiceClient) error {
		r, err := admin.ListSections(ctx, &controlv1.ListSectionsRequest{})
		if err != nil {
			return err
		}
		return c.out.message(r, func() {
			rows := make([][]string, 0, len(r.GetSections()))
			for _, s := range r.GetSections() {
				rows = append(rows, []string{s.GetSectionId(), s.GetName(), orDash(s.GetParentId()), orDash(s.GetHeadUserId())})
			}
			c.out.table([]string{
				c.out.say("所属ID", "SECTION"), c.out.say("名称", "NAME"), c.out.say("上位", "PARENT"), c.out.say("所属長", "HEAD"),
			}, rows)
		})
	})
}

type sectionAdd struct {
	Name   string `arg:"" help:"Name of the section."`
	Parent string `help:"Id of the section above."`
	Head   string `help:"User id of its head."`
}

func (s *sectionAdd) Run(c *console) error {
	return c.admin(func(ctx context.Context, admin controlv1connect.AdminServiceClient) error {
		r, err := admin.PutSection(ctx, &controlv1.PutSectionRequest{
			Section: &controlv1.Section{Name: s.Name, ParentId: s.Parent, HeadUserId: s.Head},
		})
		if err != nil {
			return err
		}
		return c.out.message(r, func() { c.out.line("%s", r.GetSection().GetSectionId()) })
	})
}

type sectionSet struct {
	ID     string   `arg:"" help:"Id of the section."`
	Head   string   `required:"" help:"User id of its head."`
	Deputy []string `help:"User ids of the deputies, in the order in which they stand in."`
}

func (s *sectionSet) Run(c *console) error {
	return c.admin(func(ctx context.Context, admin controlv1connect.AdminServiceClient) error {
		all, err := admin.ListSections(ctx, &controlv1.ListSectionsRequest{})
		if err != nil {
			return err
		}
		for _, section := range all.GetSections() {
			if section.GetSectionId() != s.ID {
				continue
			}
			section.HeadUserId, section.DeputyUserIds = s.Head, s.Deputy
			r, err := admin.PutSection(ctx, &controlv1.PutSectionRequest{Section: section})
			if err != nil {
				return err
			}
			return c.out.message(r, func() { c.out.line("%s", r.GetSection().GetSectionId()) })
		}
		return fmt.Errorf("%s: %s", c.out.say("この所属はありません", "there is no such section"), s.ID)
	})
}
