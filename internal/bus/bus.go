// Package bus carries short messages between the gateways of one town hall: to
// the gateway that holds an agent's control channel, and to all of them.
//
// It is a courier and nothing else. It is no authority: agents act only on
// signed grants, leases and orders, whoever delivers them. It is no presence:
// that nobody answers for a desk does not say that the desk is off; the state
// of a desk lives in the store. Messages are not kept: who is not there misses
// them, and the sender learns it by [ErrNobody] or by its own deadline.
//
// One gateway alone uses a NATS server inside the process, which listens on
// nothing. Several use a NATS cluster; the code is the same.
package bus

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// ErrNobody says that no gateway holds the desk that was asked for.
var ErrNobody = errors.New("no gateway holds this desk")

// ErrGone says that the cluster cannot be reached now. It is dialled again until it can.
var ErrGone = errors.New("the bus between gateways is gone")

// Config is what a Bus needs. The zero value of URL means in-process.
type Config struct {
	Log *slog.Logger
	// URL of a NATS cluster, for example tls://nats1:4222,tls://nats2:4222.
	// Empty starts a server inside this process.
	URL string
	// CredentialsFile is the NATS credentials file for URL; may be empty.
	CredentialsFile string
	// CAFile holds the CA that signed the cluster's certificates; may be empty.
	CAFile string
}

// A Handler answers one message. It runs on a goroutine of its own, must return
// by the end of ctx, and may keep neither its argument nor its result.
type Handler func(ctx context.Context, message []byte) []byte

// A Bus is one gateway's connection to all gateways, itself included. It is
// safe for use by several goroutines.
type Bus struct {
	log    *slog.Logger
	server *server.Server // nil on a cluster
	conn   *nats.Conn
	desks  chan *nats.Msg // shared by the subscriptions to desks: none has a goroutine of its own
	topics chan *nats.Msg // the same for topics, so that what is told to all waits behind no desk
	stop   context.CancelFunc
	work   sync.WaitGroup

	mu       sync.Mutex
	handlers map[*nats.Subscription]Handler
}

// New starts a Bus and returns when it can carry messages.
func New(cfg Config) (*Bus, error) {
	b := &Bus{
		log:      cfg.Log,
		desks:    make(chan *nats.Msg, inboxLength),
		topics:   make(chan *nats.Msg, inboxLength),
		handlers: make(map[*nats.Subscription]Handler),
	}
	if err := b.connect(cfg); err != nil {
		b.shutdown()
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	b.stop = stop
	b.work.Go(func() { b.serve(ctx, b.desks, maxHandlers) })
	b.work.Go(func() { b.serve(ctx, b.topics, maxListeners) })
	return b, nil
}

// Close ends all subscriptions, waits for the handlers that are running and
// stops the server inside the process. The Bus is of no use afterwards.
func (b *Bus) Close() {
	b.stop()
	b.work.Wait()
	b.shutdown()
}

// ServeDesk answers the messages sent to a desk with handle, until stop is
// called. It returns once the whole process can reach the desk; on a cluster the
// gateways at other servers can a moment later, and for a moment after stop their
// messages may be lost. While the cluster is gone it returns within a second, and the desk is reached
// when the cluster is there again. stop is never nil.
func (b *Bus) ServeDesk(desk string, handle Handler) (stop func(), err error) {
	return b.subscribe(deskSubject(desk), b.desks, handle)
}

// AskDesk sends message to the gateway that holds the desk and returns its
// answer, or [ErrNobody], [ErrGone], or ctx's error.
func (b *Bus) AskDesk(ctx context.Context, desk string, message []byte) ([]byte, error) {
	if len(message) > maxMessage {
		return nil, fmt.Errorf("bus message of %d bytes is too long", len(message))
	}
	reply, err := b.conn.RequestWithContext(ctx, deskSubject(desk), message)
	switch {
	case errors.Is(err, nats.ErrNoResponders):
		return nil, ErrNobody
	case err != nil:
		return nil, fmt.Errorf("ask the gateway of a desk: %w", gone(err))
	case reply.Header.Get(headerGone) != "":
		return nil, ErrNobody
	}
	return reply.Data, nil
}

// Listen calls handle for each message that any gateway, this one included,
// has sent with [Bus.Tell] under the topic, until stop is called. The handler's
// result is ignored.
func (b *Bus) Listen(topic string, handle Handler) (stop func(), err error) {
	return b.subscribe(topicSubject(topic), b.topics, handle)
}

// Tell sends message to all gateways that listen to the topic. It does not say
// whether there are any.
func (b *Bus) Tell(topic string, message []byte) error {
	if len(message) > maxMessage {
		return fmt.Errorf("bus message of %d bytes is too long", len(message))
	}
	if err := b.conn.Publish(topicSubject(topic), message); err != nil {
		return fmt.Errorf("tell all gateways: %w", gone(err))
	}
	return nil
}

// gone says ErrGone for what NATS answers while it is not connected.
func gone(err error) error {
	if errors.Is(err, nats.ErrReconnectBufExceeded) || errors.Is(err, nats.ErrDisconnected) || errors.Is(err, nats.ErrConnectionReconnecting) {
		return fmt.Errorf("%w: %w", ErrGone, err)
	}
	return err
}

func (b *Bus) connect(cfg Config) error {
	options := []nats.Option{
		nats.Name("jiseki-gateway"),
		nats.MaxReconnects(-1),
		// What cannot be sent fails at once: late, it would be of no use. And a silent line is no line.
		nats.ReconnectBufSize(-1), nats.PingInterval(pingEvery), nats.MaxPingsOutstanding(1), nats.FlusherTimeout(pingEvery),
		nats.ErrorHandler(b.failed),
	}
	url := cfg.URL
	if url == "" {
		inside, err := startServer()
		if err != nil {
			return err
		}
		b.server = inside
		options = append(options, nats.InProcessServer(inside))
	} else {
		options = append(options, nats.Secure(), nats.Timeout(connectTimeout))
		if cfg.CredentialsFile != "" {
			options = append(options, nats.UserCredentials(cfg.CredentialsFile))
		}
		if cfg.CAFile != "" {
			options = append(options, nats.RootCAs(cfg.CAFile))
		}
	}
	conn, err := nats.Connect(url, options...)
	if err != nil {
		return fmt.Errorf("connect to NATS: %w", err)
	}
	b.conn = conn
	return nil
}

func startServer() (*server.Server, error) {
	inside, err := server.NewServer(&server.Options{
		ServerName:      "jiseki",
		DontListen:      true,
		NoLog:           true,
		NoSigs:          true,
		NoSystemAccount: true,
		MaxPayload:      maxMessage,
	})
	if err != nil {
		return nil, fmt.Errorf("make the NATS server inside the process: %w", err)
	}
	inside.Start()
	if !inside.ReadyForConnections(connectTimeout) {
		inside.Shutdown()
		return nil, errors.New("the NATS server inside the process does not start")
	}
	return inside, nil
}

func (b *Bus) shutdown() {
	if b.conn != nil {
		b.conn.Close()
	}
	if b.server != nil {
		b.server.Shutdown()
		b.server.WaitForShutdown()
	}
}

// subscribe makes a subscription that lasts as long as the Bus: NATS repeats it whenever it has connected again.
func (b *Bus) subscribe(subject string, inbox chan *nats.Msg, handle Handler) (func(), error) {
	b.mu.Lock()
	sub, err := b.conn.ChanSubscribe(subject, inbox)
	if err == nil {
		b.handlers[sub] = handle
	}
	b.mu.Unlock()
	if err != nil {
		return func() {}, fmt.Errorf("subscribe: %w", err)
	}
	stop := sync.OnceFunc(func() {
		b.mu.Lock()
		delete(b.handlers, sub)
		b.mu.Unlock()
		_ = sub.Unsubscribe() // fails only when the connection is gone, and then it is done
	})
	// The server should know the subscription before anybody relies on it. One that does not answer hears of it later.
	if err := b.conn.FlushTimeout(subscribeTimeout); err != nil {
		b.log.Warn("the bus does not confirm a subscription yet", "subject", subject, "err", err)
	}
	return stop, nil
}

// serve hands messages to their handlers until ctx ends, to so many at once.
func (b *Bus) serve(ctx context.Context, inbox <-chan *nats.Msg, most int) {
	free := make(chan struct{}, most)
	for {
		var message *nats.Msg
		select {
		case <-ctx.Done():
			return
		case message = <-inbox:
		}
		select {
		case <-ctx.Done():
			return
		case free <- struct{}{}:
		}
		b.work.Go(func() {
			defer func() { <-free }()
			b.answer(ctx, message)
		})
	}
}

func (b *Bus) answer(ctx context.Context, message *nats.Msg) {
	b.mu.Lock()
	handle := b.handlers[message.Sub]
	b.mu.Unlock()
	if handle == nil { // the subscription ended while the message was on its way
		b.respond(message, &nats.Msg{Header: nats.Header{headerGone: {"1"}}})
		return
	}
	ctx, cancel := context.WithTimeout(ctx, handleTimeout)
	defer cancel()
	b.respond(message, &nats.Msg{Data: handle(ctx, message.Data)})
}

// respond sends an answer to who waits for one.
func (b *Bus) respond(message, reply *nats.Msg) {
	if message.Reply == "" {
		return
	}
	if err := message.RespondMsg(reply); err != nil {
		b.log.Warn("bus answer was not sent", "subject", message.Subject, "err", err)
	}
}

// failed is called by NATS for what no caller can be told.
func (b *Bus) failed(_ *nats.Conn, sub *nats.Subscription, err error) {
	if errors.Is(err, nats.ErrSlowConsumer) {
		b.log.Warn("bus dropped messages: too many are waiting")
		return
	}
	subject := ""
	if sub != nil {
		subject = sub.Subject
	}
	b.log.Warn("bus failed", "subject", subject, "err", err)
}

// deskSubject names the subject of a desk. Ids are written in hexadecimal,
// because the dots, stars and blanks of a name mean something to NATS.
func deskSubject(desk string) string { return "desk." + hex.EncodeToString([]byte(desk)) }

func topicSubject(topic string) string { return "all." + topic }

// headerGone marks the answer of a gateway that has just ceased to hold the desk, so that who asked need not wait.
const headerGone = "Jiseki-Gone"

// Limits of a Bus.
const (
	// maxMessage bounds a message: an offer carries a grant of about 1 KB, an
	// order some hundred bytes.
	maxMessage = 64 << 10
	// inboxLength messages for desks, and as many for topics, may wait for a worker; what comes on top is dropped
	// and logged, and its sender runs into its own deadline.
	inboxLength = 1024
	// maxHandlers of messages to desks may run at once. Each may wait for an agent whose line is
	// broken, and the hub lets a few wait for the same one, so there must be many more than desks fail at once.
	maxHandlers = 1024
	// maxListeners to topics may run at once. None waits for anybody.
	maxListeners = 64
	// handleTimeout is what one handler may take.
	handleTimeout = 10 * time.Second
	// connectTimeout is what NATS may take to start.
	connectTimeout = 10 * time.Second
	// subscribeTimeout is how long a subscription waits for the server's word.
	subscribeTimeout = time.Second
	// pingEvery is how often NATS is asked whether it is there. One that does not answer by the next time is gone.
	pingEvery = 5 * time.Second
)
