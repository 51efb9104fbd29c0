package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"

	"jiseki/internal/gateway"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/gen/jiseki/control/v1/controlv1connect"
)

type policyCommands struct {
	Export policyExport `cmd:"" help:"Print the policy as JSON, for import."`
	Import policyImport `cmd:"" help:"Replace the policy by a file that export wrote and somebody edited."`
}

type holidayCommands struct {
	Import holidaysImport `cmd:"" help:"Import holidays from the Cabinet Office's CSV (syukujitsu.csv): all lines or none."`
}

// policy calls do with the policy service of the running gateway, or one in this process.
func (c *console) policy(do func(context.Context, controlv1connect.PolicyServiceClient) error) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	client, done, err := gateway.OpenPolicy(c.ctx, cfg)
	if err != nil {
		return err
	}
	return errors.Join(do(c.ctx, client), done())
}

type policyExport struct{}

func (*policyExport) Run(c *console) error {
	return c.policy(func(ctx context.Context, policy controlv1connect.PolicyServiceClient) error {
		r, err := policy.GetPolicy(ctx, &controlv1.GetPolicyRequest{})
		if err != nil {
			return err
		}
		// The revision goes along: a file that is older than the policy is refused.
		b, err := protojson.MarshalOptions{UseProtoNames: true, Multiline: true, Indent: "  "}.Marshal(r)
		if err != nil {
			return fmt.Errorf("write policy: %w", err)
		}
		c.out.line("%s", b)
		return nil
	})
}

type policyImport struct {
	File string `arg:"" type:"existingfile" help:"JSON as export prints it."`
}

func (p *policyImport) Run(c *console) error {
	b, err := os.ReadFile(p.File)
	if err != nil {
		return fmt.Errorf("read policy: %w", err)
	}
	var file controlv1.GetPolicyResponse
	if err := protojson.Unmarshal(b, &file); err != nil {
		return fmt.Errorf("read policy: %w", err)
	}
	return c.policy(func(ctx context.Context, policy controlv1connect.PolicyServiceClient) error {
		r, err := policy.UpdatePolicy(ctx, &controlv1.UpdatePolicyRequest{Policy: file.GetPolicy(), Revision: file.GetRevision()})
		if err != nil {
			return err
		}
		return c.out.message(r, func() { c.out.line("%s", c.out.say("ポリシーを変更しました。", "The policy was changed.")) })
	})
}

type holidaysImport struct {
	File string `arg:"" type:"existingfile" help:"Table in UTF-8, Shift_JIS or UTF-16: a header, then date and name."`
}

func (h *holidaysImport) Run(c *console) error {
	const most = 1<<20 + 1 // the gateway takes 1 MB, and says so
	b, err := readAtMost(h.File, most)
	if err != nil {
		return fmt.Errorf("read holidays: %w", err)
	}
	return c.policy(func(ctx context.Context, policy controlv1connect.PolicyServiceClient) error {
		r, err := policy.ImportHolidays(ctx, &controlv1.ImportHolidaysRequest{Csv: b})
		if err != nil {
			return err
		}
		if no := r.GetRefusal(); no != nil {
			return errors.New(c.out.say("1行も取り込みませんでした。", "nothing was imported.") + "\n" + csvErrors(c.out, no.GetErrors()))
		}
		n := r.GetImported().GetCount()
		return c.out.message(r, func() {
			c.out.line(c.out.say("%d日を取り込みました。", "%d days were imported."), n)
			if all := r.GetImported().GetWarnings(); len(all) > 0 {
				c.out.line("%s", csvErrors(c.out, all))
			}
		})
	})
}

// csvErrors are what the gateway says of a file, one a line.
func csvErrors(o *output, all []*controlv1.CsvError) string {
	lines := make([]string, len(all))
	for i, e := range all {
		lines[i] = o.place(int(e.GetLine()), int(e.GetColumn()), o.say(e.GetColumnJa(), e.GetColumnEn())) + o.say(e.GetJa(), e.GetEn())
	}
	return strings.Join(lines, "\n")
}
