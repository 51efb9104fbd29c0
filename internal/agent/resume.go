package agent

import (
	"crypto/sha256"
	"sync"
	"time"

	"jiseki/internal/screen"
	"jiseki/internal/wire"
)

// A resume is what may be left of the picture of a viewer whose link was lost. If the viewer comes back with the
// picture of any update that the journal reaches, only the differences are sent: it does not matter what was on its
// way.
type resume struct {
	mu         sync.Mutex
	device     string
	generation uint32
	mirror     *screen.Picture // after the last update that was sent; nil: nothing to resume
	journal    *journal
	expires    *time.Timer // drops it; nil: nothing was kept yet
}

// keepResume remembers the picture of a viewer whose link was lost, for the grace period. Whether the desk is locked
// meanwhile is of no account: the viewer has the picture, and who comes back gets nothing but what differs on the screen.
func (a *Agent) keepResume(s *session, p *pictures) {
	a.resume.mu.Lock()
	defer a.resume.mu.Unlock()
	a.resume.device, a.resume.generation = s.grant.Device, p.layout.Generation
	a.resume.mirror, a.resume.journal = p.encoder.Mirror(), p.journal
	p.journal.begin(p.seq) // not an update that came to nothing
	if a.resume.expires != nil {
		a.resume.expires.Stop()
	}
	a.resume.expires = time.AfterFunc(a.grace(s), a.dropResume)
}

func (a *Agent) dropResume() {
	a.resume.mu.Lock()
	defer a.resume.mu.Unlock()
	a.resume.mirror, a.resume.journal = nil, nil
}

// takeResume returns the picture that the viewer shows, if it is one that was sent to this device in its last session;
// else nil.
func (a *Agent) takeResume(s *session, layout screen.Layout, start *wire.Start) *screen.Picture {
	a.resume.mu.Lock()
	defer a.resume.mu.Unlock()
	mirror, journal := a.resume.mirror, a.resume.journal
	a.resume.mirror, a.resume.journal = nil, nil
	switch {
	case start.Resume == nil || mirror == nil || a.resume.device != s.grant.Device:
		return nil
	case start.Resume.Run != a.run, start.Resume.Generation != layout.Generation,
		a.resume.generation != layout.Generation:
		return nil
	}
	// A viewer that got nothing in its last session still shows the picture with which that one began, and may name it by
	// its number in the session before.
	sent := journal.last
	for _, seq := range [...]uint32{start.Resume.Seq, 0} {
		if journal.back(mirror, seq) && sha256.Sum256(mirror.Pix) == start.Resume.Hash {
			s.log.Info("the viewer's picture still counts", "update", seq, "lost", sent-seq)
			return mirror
		}
	}
	return nil
}
