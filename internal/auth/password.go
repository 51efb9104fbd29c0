package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

// Cost is what one password hash costs.
type Cost struct {
	MemoryKB uint32
	Passes   uint32
	Threads  uint8
}

// DefaultCost is the second recommendation of RFC 9106 section 4, on one thread: 64 MB, three passes.
func DefaultCost() Cost { return Cost{MemoryKB: 64 << 10, Passes: 3, Threads: 1} }

// Limits of hashes that are read back: a database somebody else wrote must not take all memory or time.
const (
	maxMemoryKB = 1 << 20
	maxPasses   = 20
	maxThreads  = 8
	saltLen     = 16
	keyLen      = 32
)

// ErrBusy means that too many passwords are being checked; come back in a few seconds.
var ErrBusy = errors.New("auth: too many sign-ins at once")

// ErrHash means that the stored text is no hash of ours.
var ErrHash = errors.New("auth: malformed password hash")

// Hasher makes and checks password hashes with argon2id. At most two run at the same time and a bounded number waits,
// so that guessing can exhaust neither memory nor processors: 128 MB with the default cost. See Turn for who comes
// first.
type Hasher struct {
	cost  Cost
	turns *turns
	dummy string
}

// NewHasher makes a hasher. Its first act is one hash, against which unknown users are checked.
func NewHasher(cost Cost) (*Hasher, error) {
	h := &Hasher{cost: cost, turns: newTurns()}
	var err error
	h.dummy, err = h.Hash(context.Background(), Turn{Reserved: true}, rand.Text())
	return h, err
}

// Enter waits for the turn to verify a password; leave ends it. ErrBusy says that too many wait.
func (h *Hasher) Enter(ctx context.Context, turn Turn) (leave func(), err error) {
	if err := h.turns.enter(ctx, turn); err != nil {
		return nil, err
	}
	return func() { h.turns.leave(turn) }, nil
}

// Hash waits for its turn and makes a hash in PHC form, `$argon2id$v=19$m=..,t=..,p=..$salt$hash`.
func (h *Hasher) Hash(ctx context.Context, turn Turn, password string) (string, error) {
	if err := h.turns.enter(ctx, turn); err != nil {
		return "", err
	}
	defer h.turns.leave(turn)
	salt := make([]byte, saltLen)
	rand.Read(salt) // never fails
	key := argon2.IDKey([]byte(plain(password)), salt, h.cost.Passes, h.cost.MemoryKB, h.cost.Threads, keyLen)
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.cost.MemoryKB, h.cost.Passes, h.cost.Threads,
		b64.EncodeToString(salt), b64.EncodeToString(key)), nil
}

// Verify says whether the password belongs to the hash, to a caller whose turn it is: see Enter. An empty hash stands
// for a user who does not exist: it takes as long and is never right.
func (h *Hasher) Verify(hash, password string) (bool, error) {
	known := hash != ""
	if !known {
		hash = h.dummy
	}
	cost, salt, want, err := parseHash(hash)
	if err != nil {
		return false, err
	}
	got := argon2.IDKey([]byte(plain(password)), salt, cost.Passes, cost.MemoryKB, cost.Threads, keyLen)
	return subtle.ConstantTimeCompare(got, want) == 1 && known, nil
}

func parseHash(s string) (c Cost, salt, key []byte, err error) {
	f := strings.Split(s, "$")
	if len(f) != 6 || f[0] != "" || f[1] != "argon2id" || f[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return c, nil, nil, ErrHash
	}
	if _, err := fmt.Sscanf(f[3], "m=%d,t=%d,p=%d", &c.MemoryKB, &c.Passes, &c.Threads); err != nil {
		return c, nil, nil, ErrHash
	}
	if f[3] != fmt.Sprintf("m=%d,t=%d,p=%d", c.MemoryKB, c.Passes, c.Threads) ||
		c.MemoryKB < 8 || c.MemoryKB > maxMemoryKB || c.Passes < 1 || c.Passes > maxPasses || c.Threads < 1 || c.Threads > maxThreads {
		return c, nil, nil, ErrHash
	}
	salt, err1 := base64.RawStdEncoding.Strict().DecodeString(f[4])
	key, err2 := base64.RawStdEncoding.Strict().DecodeString(f[5])
	if err1 != nil || err2 != nil || len(salt) != saltLen || len(key) != keyLen {
		return c, nil, nil, ErrHash
	}
	return c, salt, key, nil
}

// plain brings typed text to one form: an input method may leave full-width letters and digits.
func plain(s string) string { return norm.NFKC.String(s) }

// readable has no characters that look alike on paper: no 0 o 1 l i, no u v, no vowels beside a and e.
const readable = "abcdefghjkmnpqrstwxyz23456789"

// NewInitialPassword draws a password for the slip: four groups of four, about 77 bits, easy to type.
func NewInitialPassword() string {
	var b strings.Builder
	for i := range 16 {
		if i > 0 && i%4 == 0 {
			b.WriteByte('-')
		}
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(readable))))
		if err != nil {
			panic("auth: the random source never fails: " + err.Error())
		}
		b.WriteByte(readable[n.Int64()])
	}
	return b.String()
}
