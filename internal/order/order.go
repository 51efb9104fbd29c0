// Package order signs and reads orders: what only the gateway's grant key may
// say to an agent on its control channel (docs/PROTOCOL.md section 6, messages
// in proto/jiseki/control/v1/channel.proto).
//
// An order names the desk, the epoch of the connection, a number that grows by
// itself and the time, so that it can be neither replayed, nor kept back for
// later, nor sent to another desk by whoever carries it.
package order

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"jiseki/internal/cert"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
)

// Context separates signatures over orders from all others of the grant key.
const Context cert.Context = "jiseki-order-1"

const (
	// maxAge is how long an order may have been on its way.
	maxAge = 60 * time.Second
	// maxBody bounds what is parsed: a trust bundle is the longest order.
	maxBody = 64 << 10
)

// Why an order was refused.
var (
	ErrDesk    = errors.New("order is for another desk")
	ErrEpoch   = errors.New("order is of another connection")
	ErrNumber  = errors.New("order came twice or out of turn")
	ErrAge     = errors.New("order is too old, or a clock is wrong")
	ErrWelcome = errors.New("order does not answer this hello")
	ErrForm    = errors.New("order is malformed")
)

// Sign signs an order with the grant key.
func Sign(key cert.PrivateKey, order *controlv1.Order) (*controlv1.Signed, error) {
	body, err := proto.Marshal(order)
	if err != nil {
		return nil, fmt.Errorf("write order: %w", err)
	}
	signature, err := key.Sign(Context, body)
	if err != nil {
		return nil, fmt.Errorf("sign order: %w", err)
	}
	issuer := key.Public().ID()
	return &controlv1.Signed{Body: body, Signature: signature[:], Issuer: issuer[:]}, nil
}

// A Reader reads the orders of one connection. It is not safe for use by
// several goroutines.
type Reader struct {
	desk  string
	nonce []byte
	// epoch is 0 until the welcome was read.
	epoch, number uint64
}

// NewReader reads the orders for desk on a connection whose hello carried
// nonce.
func NewReader(desk string, nonce []byte) *Reader {
	return &Reader{desk: desk, nonce: bytes.Clone(nonce)}
}

// Read returns the order in signed if one of the grant keys signed it and it is
// for this desk, of this connection, later than the one before, and not older
// than 60 s give or take [cert.Skew]. The first must be the welcome that answers
// the hello, and there is no other welcome. After an error the connection is of
// no more use.
func (r *Reader) Read(signed *controlv1.Signed, keys []cert.PublicKey, now time.Time) (*controlv1.Order, error) {
	order, err := open(signed, keys)
	if err != nil {
		return nil, err
	}
	age := now.Sub(time.UnixMilli(order.GetTimeMs()))
	welcome := order.GetWelcome()
	switch {
	case order.GetDeskId() != r.desk:
		return nil, ErrDesk
	case age > maxAge+cert.Skew || age < -cert.Skew:
		return nil, ErrAge
	case order.GetOrder() == nil || order.GetEpoch() == 0:
		return nil, ErrForm
	case r.epoch == 0 && (welcome == nil || !bytes.Equal(welcome.GetNonce(), r.nonce)):
		return nil, ErrWelcome
	case r.epoch != 0 && welcome != nil:
		return nil, ErrWelcome
	case r.epoch != 0 && order.GetEpoch() != r.epoch:
		return nil, ErrEpoch
	case order.GetNumber() <= r.number:
		return nil, ErrNumber
	}
	r.epoch, r.number = order.GetEpoch(), order.GetNumber()
	return order, nil
}

// Epoch is the epoch of the connection, 0 before the welcome.
func (r *Reader) Epoch() uint64 { return r.epoch }

func open(signed *controlv1.Signed, keys []cert.PublicKey) (*controlv1.Order, error) {
	if len(signed.GetSignature()) != len(cert.Signature{}) || len(signed.GetIssuer()) != len(cert.KeyID{}) || len(signed.GetBody()) > maxBody {
		return nil, ErrForm
	}
	err := cert.VerifyIssued("order", Context, keys,
		cert.KeyID(signed.GetIssuer()), signed.GetBody(), cert.Signature(signed.GetSignature()))
	if err != nil {
		return nil, err
	}
	order := &controlv1.Order{}
	if err := proto.Unmarshal(signed.GetBody(), order); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrForm, err)
	}
	return order, nil
}
