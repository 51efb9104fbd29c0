package agent

import (
	"crypto/sha256"
	"sync"

	"jiseki/internal/screen"
	"jiseki/internal/wire"
)

// A resume is what a viewer showed when its link was lost. If it still shows exactly that when it comes back, only the
// differences are sent.
type resume struct {
	mu         sync.Mutex
	device     string
	generation uint32
	mirror     *screen.Picture // nil: nothing to resume
}

// keepResume remembers the picture of a viewer whose link was lost.
func (a *Agent) keepResume(s *session, p *pictures) {
	a.resume.mu.Lock()
	defer a.resume.mu.Unlock()
	a.resume.device, a.resume.generation, a.resume.mirror = s.grant.Device, p.layout.Generation, p.encoder.Mirror()
}

func (a *Agent) dropResume() {
	a.resume.mu.Lock()
	defer a.resume.mu.Unlock()
	a.resume.mirror = nil
}

// takeResume returns the picture that the viewer shows, if it is the one that was sent to this device last; else nil.
func (a *Agent) takeResume(s *session, layout screen.Layout, start *wire.Start) *screen.Picture {
	a.resume.mu.Lock()
	defer a.resume.mu.Unlock()
	mirror := a.resume.mirror
	a.resume.mirror = nil
	switch {
	case start.Resume == nil || mirror == nil:
		return nil
	case start.Resume.Run != a.run || start.Resume.Generation != layout.Generation || a.resume.generation != layout.Generation:
		return nil
	case a.resume.device != s.grant.Device || sha256.Sum256(mirror.Pix) != start.Resume.Hash:
		return nil
	}
	return mirror
}
