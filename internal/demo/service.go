package demo

import (
	"context"
	"errors"
	"sync"
)

// A service is a program that runs as long as the town does, but can be broken off and started again.
type service struct {
	program

	mu   sync.Mutex
	stop context.CancelCauseFunc // of the present process
}

// errBreak ends a process that is to be started again.
var errBreak = errors.New("started again")

// run runs the program, again after each restart, until ctx ends or it ends by itself, which is an error.
func (s *service) run(ctx context.Context) error {
	for {
		one, stop := context.WithCancelCause(ctx)
		s.mu.Lock()
		s.stop = stop
		s.mu.Unlock()
		err := s.program.run(one)
		broken := errors.Is(context.Cause(one), errBreak)
		stop(nil)
		if ctx.Err() != nil || !broken {
			return err
		}
	}
}

// restart kills the process, as a power cut would, and starts another.
func (s *service) restart() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stop != nil {
		s.stop(errBreak)
	}
}

// BreakGateway kills the gateway without a warning; it starts again at once.
func (t *Town) BreakGateway() { t.serving.restart() }

// BreakAgent kills the desk's agent without a warning; it starts again at once.
func (t *Town) BreakAgent() { t.agent.restart() }
