package agent

import (
	"fmt"
	"sync"
	"time"

	"jiseki/internal/cert"
	"jiseki/internal/seal"
)

const (
	noiseLife    = 24 * time.Hour // after which a new X25519 key is drawn
	noiseOverlap = 2 * time.Hour  // for which the key before it still opens sessions
)

// noise holds the desk's rotating X25519 keys. They live in memory only, so that nothing recorded can be opened later.
type noise struct {
	identity cert.PrivateKey
	now      func() time.Time

	mu      sync.Mutex
	current *seal.StaticKey
	signed  *cert.DeskStatement
	drawn   time.Time
	before  *seal.StaticKey
}

// statement returns the statement of the newest key, drawing a new one when it is time.
func (n *noise) statement() (*cert.DeskStatement, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := n.wall()
	if age := now.Sub(n.drawn); n.signed != nil && age > -cert.Skew && age < noiseLife {
		return n.signed, nil
	}
	key, err := seal.NewStaticKey()
	if err != nil {
		return nil, fmt.Errorf("draw a key: %w", err)
	}
	statement := &cert.DeskStatement{NoiseKey: key.Public(), NotAfter: now.Add(noiseLife + noiseOverlap)}
	if err := statement.Sign(n.identity); err != nil {
		return nil, fmt.Errorf("sign the desk statement: %w", err)
	}
	n.before, n.current, n.signed, n.drawn = n.current, key, statement, now
	return statement, nil
}

// wall is what the clock shows, without the monotonic one, which knows nothing of sleep nor of a clock that was put
// right: a statement counts by what clocks show.
func (n *noise) wall() time.Time { return n.now().Round(0) }

// rotates is when the newest statement has to be replaced.
func (n *noise) rotates() time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.drawn.Add(noiseLife)
}

// keys are those that open sessions now, the newest first.
func (n *noise) keys() []*seal.StaticKey {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.before != nil && n.wall().Sub(n.drawn) < noiseOverlap {
		return []*seal.StaticKey{n.current, n.before}
	}
	return []*seal.StaticKey{n.current}
}
