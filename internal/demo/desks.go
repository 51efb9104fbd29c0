package demo

import (
	"context"
	"errors"
	"path/filepath"
)

// RunDesk makes another desk, in a zone and for some users, and runs an agent of its own on the town's screen until end is
// called; end returns the error if the agent ended before. RunDesk returns when the desk is on.
func (t *Town) RunDesk(ctx context.Context, name, zone string, users ...string) (desk string, end func() error, err error) {
	desk, agent, err := t.newDesk(ctx, name, zone, users...)
	if err != nil {
		return "", nil, err
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- agent.run(running) }()
	end = func() error {
		stop()
		return <-ended
	}
	if err := t.awaitOn(ctx, desk); err != nil {
		return "", nil, errors.Join(err, end())
	}
	return desk, end, nil
}

// newDesk makes a desk and enrols its agent, which is ready to run.
func (t *Town) newDesk(ctx context.Context, name, zone string, users ...string) (desk string, agent program, err error) {
	args := []string{"desk", "add", name, "--zone", zone}
	for _, u := range users {
		args = append(args, "--user", u)
	}
	var added struct {
		Desk struct {
			DeskID string `json:"desk_id"`
		} `json:"desk"`
	}
	if err := t.gateway.callJSON(ctx, &added, args...); err != nil {
		return "", agent, err
	}
	desk = added.Desk.DeskID
	agent = t.agent.program // as the town's own, with another folder: its arguments are --dir, the folder, run and so on
	agent.args, agent.log = []string{"--dir", filepath.Join(t.deskHome, "agent-"+desk)}, t.path("logs", "agent-"+desk+".log")
	if err := t.enrolAs(ctx, agent, desk); err != nil {
		return "", agent, err
	}
	agent.args = append(agent.args, t.agent.args[2:]...)
	return desk, agent, nil
}
