package gatewaytest

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"jiseki/internal/cert"
	"jiseki/internal/enrol"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/gen/jiseki/control/v1/controlv1connect"
	"jiseki/internal/grant"
	"jiseki/internal/link"
	"jiseki/internal/order"
)

// NewDesk creates a desk for users and returns its id and an enrolment token.
func (town *Town) NewDesk(t testing.TB, name string, users ...string) (id, token string) {
	t.Helper()
	r, err := town.Admin.PutDesk(context.Background(), &controlv1.PutDeskRequest{
		Name: name, Zone: controlv1.Zone_ZONE_INTERNET, UserIds: users,
	})
	if err != nil {
		t.Fatalf("create desk: %v", err)
	}
	k, err := town.Admin.CreateDeskToken(context.Background(), &controlv1.CreateDeskTokenRequest{DeskId: r.GetDesk().GetDeskId()})
	if err != nil {
		t.Fatalf("create token: %v", err)
	}
	return r.GetDesk().GetDeskId(), k.GetToken()
}

// An Agent is a desk as far as its gateway can tell: it holds the control
// channel, obeys orders and answers offers, but has no screen and no seal. Tests
// of whole sessions use package agent instead.
type Agent struct {
	Desk        string
	Key         *cert.SignerKey
	Certificate []byte
	Bundle      *cert.Bundle
	Noise       cert.NoiseKey
	Run         []byte

	// Adapters and Waker are what the hello says of the machine.
	Adapters []*controlv1.Adapter
	Waker    bool
	// Accept decides about offers; nil accepts.
	Accept func(*controlv1.Offer) (code string)

	town   *Town
	conn   *link.Conn
	orders *order.Reader
	ended  chan error
	served chan struct{} // closed when nothing serves the channel any more

	mu    sync.Mutex
	seq   uint64
	heard chan *controlv1.Order
	offer chan *controlv1.Offer
	acks  chan uint64
}

// EnrolAgent enrols a desk with its token, without connecting.
func (town *Town) EnrolAgent(t testing.TB, token string) *Agent {
	t.Helper()
	a, no := town.TryEnrolAgent(t, token)
	if a == nil {
		t.Fatalf("enrol desk: %v", no)
	}
	return a
}

// TryEnrolAgent is EnrolAgent for a gateway that may say no.
func (town *Town) TryEnrolAgent(t testing.TB, token string) (*Agent, *controlv1.Refusal) {
	t.Helper()
	parsed, err := enrol.Parse(token)
	if err != nil {
		t.Fatal(err)
	}
	key, err := cert.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	trust := parsed.TLS("localhost")
	trust.Time = town.now
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: trust}}
	defer client.CloseIdleConnections()
	service := controlv1connect.NewAgentServiceClient(client, "https://"+town.Host)
	challenge, err := service.GetAgentChallenge(context.Background(), &controlv1.GetAgentChallengeRequest{})
	if err != nil {
		t.Fatalf("challenge of an agent: %v", err)
	}
	public := key.Public()
	signature, err := cert.Enrol{Nonce: cert.Nonce(challenge.GetNonce()), Key: public}.Sign(key)
	if err != nil {
		t.Fatal(err)
	}
	r, err := service.EnrolDesk(context.Background(), &controlv1.EnrolDeskRequest{
		Secret: parsed.Secret[:], Nonce: challenge.GetNonce(), PublicKey: public[:], Signature: signature[:],
		Grade: controlv1.KeyGrade_KEY_GRADE_FILE, Hostname: "pc-1", AgentVersion: "test", System: "linux",
	})
	if err != nil {
		t.Fatalf("enrol desk: %v", err)
	}
	if r.GetEnrolled() == nil {
		return nil, r.GetRefusal()
	}
	bundle, err := cert.ParseBundle(r.GetEnrolled().GetTrustBundle())
	if err != nil {
		t.Fatal(err)
	}
	return &Agent{
		Desk: r.GetEnrolled().GetDeskId(), Key: key, Certificate: r.GetEnrolled().GetCertificate(), Bundle: bundle,
		Noise: cert.NoiseKey{7, 7}, Run: []byte("run of the agent"), town: town,
	}, nil
}

// NewAgent creates a desk for users and connects an agent that can lock it.
func (town *Town) NewAgent(t testing.TB, name string, users ...string) *Agent {
	t.Helper()
	_, token := town.NewDesk(t, name, users...)
	a := town.EnrolAgent(t, token)
	a.Connect(t)
	return a
}

// Connect opens the control channel, says that the desk is on and can be locked,
// and returns when the gateway shows it so.
func (a *Agent) Connect(t testing.TB) {
	t.Helper()
	if err := a.TryConnect(t); err != nil {
		t.Fatalf("connect agent: %v", err)
	}
	a.Say(t, &controlv1.State{LoggedIn: true, Lockable: true, Width: 1920, Height: 1080, Monitors: 1})
	a.await(t, func(d *controlv1.Desk) bool {
		return d.GetState() == controlv1.DeskState_DESK_STATE_ON && d.GetLockable()
	})
}

// At is the same desk as an agent that connects to another gateway, or once more to the same.
func (a *Agent) At(town *Town) *Agent {
	return &Agent{
		Desk: a.Desk, Key: a.Key, Certificate: a.Certificate, Bundle: a.Bundle, Noise: a.Noise, Run: a.Run, Accept: a.Accept, town: town,
	}
}

// await polls the console until it shows the desk so.
func (a *Agent) await(t testing.TB, so func(*controlv1.Desk) bool) {
	t.Helper()
	for {
		r, err := a.town.Admin.ListAllDesks(t.Context(), &controlv1.ListAllDesksRequest{Query: a.Desk})
		if err != nil {
			t.Fatalf("waiting for a state of the desk: %v", err)
		}
		if len(r.GetDesks()) == 1 && so(r.GetDesks()[0]) {
			return
		}
		time.Sleep(5 * time.Millisecond) // between two looks, not for synchronisation
	}
}

// AwaitState waits until the console shows the desk in a state.
func (a *Agent) AwaitState(t testing.TB, state controlv1.DeskState) {
	t.Helper()
	a.await(t, func(d *controlv1.Desk) bool { return d.GetState() == state })
}

// TryConnect opens the control channel and serves it until the test ends. A channel from before must have ended, or be
// about to.
func (a *Agent) TryConnect(t testing.TB) error {
	t.Helper()
	if a.served != nil {
		<-a.served
	}
	conn, err := link.DialSocket(t.Context(), link.DialConfig{URL: "wss://" + a.town.Host + "/agent", TLS: a.town.TLS(), Proxy: link.Direct})
	if err != nil {
		return err
	}
	a.conn, a.ended = conn, make(chan error, 1)
	a.heard, a.offer, a.acks = make(chan *controlv1.Order, 64), make(chan *controlv1.Offer, 8), make(chan uint64, 64)
	if err := a.hello(t); err != nil {
		conn.Close(link.GoingAway, "")
		return err
	}
	a.served = make(chan struct{})
	go func() {
		defer close(a.served)
		a.ended <- a.serve()
	}()
	t.Cleanup(func() { a.Disconnect() })
	return nil
}

// Disconnect closes the control channel.
func (a *Agent) Disconnect() { a.conn.Close(link.GoingAway, "") }

// Ended gives the error that ended the channel.
func (a *Agent) Ended() <-chan error { return a.ended }

// Orders gives the orders that came, the welcome aside.
func (a *Agent) Orders() <-chan *controlv1.Order { return a.heard }

// Offers gives the offers that were accepted.
func (a *Agent) Offers() <-chan *controlv1.Offer { return a.offer }

func (a *Agent) hello(t testing.TB) error {
	t.Helper()
	first, err := a.receive()
	if err != nil {
		return err
	}
	statement := &cert.DeskStatement{NoiseKey: a.Noise, NotAfter: a.town.now().Add(24 * time.Hour)}
	if err := statement.Sign(a.Key); err != nil {
		return err
	}
	proof := cert.AgentHello{Nonce: cert.Nonce(first.GetChallenge().GetNonce()), Desk: a.Desk, Statement: statement.Hash()}
	signature, err := proof.Sign(a.Key)
	if err != nil {
		return err
	}
	mine := cert.NewSerial()
	nonce := append(mine[:], mine[:]...)
	a.send(&controlv1.AgentMessage{Message: &controlv1.AgentMessage_Hello{Hello: &controlv1.Hello{
		Certificate: a.Certificate, Statement: statement.Append(nil), Signature: signature[:], Nonce: nonce, Run: a.Run,
		TimeMs: a.town.now().UnixMilli(), AgentVersion: "test", Hostname: "pc-1", System: "linux", WireMin: 1, WireMax: 1,
		BundleVersion: a.Bundle.Version, Adapters: a.Adapters, Waker: a.Waker,
	}}})
	next, err := a.receive()
	if err != nil {
		return err
	}
	if next.GetRefused() != nil {
		return errors.New(next.GetRefused().GetCode())
	}
	a.orders = order.NewReader(a.Desk, nonce)
	_, err = a.orders.Read(next.GetSigned(), a.Bundle.Grants, a.town.now())
	return err
}

func (a *Agent) serve() error {
	for {
		m, err := a.receive()
		if err != nil {
			return err
		}
		switch {
		case m.GetSigned() != nil:
			o, err := a.orders.Read(m.GetSigned(), a.Bundle.Grants, a.town.now())
			if err != nil {
				return err
			}
			a.obey(o)
		case m.GetOffer() != nil:
			a.consider(m.GetOffer())
		case m.GetSessionEventAck() != nil:
			a.acks <- m.GetSessionEventAck().GetSeq()
		}
	}
}

func (a *Agent) obey(o *controlv1.Order) {
	if o.GetLock() != nil || o.GetWake() != nil {
		a.send(&controlv1.AgentMessage{Message: &controlv1.AgentMessage_OrderAnswer{
			OrderAnswer: &controlv1.OrderAnswer{Number: o.GetNumber(), Done: true},
		}})
	}
	select {
	case a.heard <- o:
	default: // a test that does not look
	}
}

func (a *Agent) consider(o *controlv1.Offer) {
	g, err := grant.Parse(o.GetGrant())
	code := ""
	if err != nil {
		code = "malformed"
	} else if a.Accept != nil {
		code = a.Accept(o)
	}
	if code == "" {
		select {
		case a.offer <- o:
		default: // a test that does not look
		}
	}
	a.send(&controlv1.AgentMessage{Message: &controlv1.AgentMessage_OfferAnswer{
		OfferAnswer: &controlv1.OfferAnswer{SessionId: g.Session[:], Accepted: code == "", Code: code},
	}})
}

// Say reports the state of the desk.
func (a *Agent) Say(t testing.TB, s *controlv1.State) {
	t.Helper()
	s.TimeMs = a.town.now().UnixMilli()
	a.send(&controlv1.AgentMessage{Message: &controlv1.AgentMessage_State{State: s}})
}

// Report reports what happened to a session and waits until the gateway has
// written it.
func (a *Agent) Report(t testing.TB, session []byte, kind controlv1.SessionEventKind, code uint32) {
	t.Helper()
	a.mu.Lock()
	a.seq++
	seq := a.seq
	a.mu.Unlock()
	a.send(&controlv1.AgentMessage{Message: &controlv1.AgentMessage_SessionEvent{SessionEvent: &controlv1.SessionEvent{
		Seq: seq, Kind: kind, SessionId: session, Code: code, TimeMs: a.town.now().UnixMilli(), Run: a.Run,
	}}})
	for {
		select {
		case got := <-a.acks:
			if got == seq {
				return
			}
		case <-t.Context().Done():
			t.Fatal("a session event was not acknowledged")
		}
	}
}

func (a *Agent) receive() (*controlv1.GatewayMessage, error) {
	b, err := a.conn.Receive(context.Background())
	if err != nil {
		return nil, err
	}
	m := &controlv1.GatewayMessage{}
	return m, proto.Unmarshal(b, m)
}

// send writes a message; a channel that has ended shows in Ended.
func (a *Agent) send(m *controlv1.AgentMessage) {
	b, err := proto.Marshal(m)
	if err != nil {
		panic(err) // a message of ours can be written
	}
	_ = a.conn.Send(context.Background(), b)
}
