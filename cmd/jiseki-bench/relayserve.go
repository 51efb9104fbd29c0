package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"jiseki/internal/link"
	"jiseki/internal/link/linktest"
	"jiseki/internal/relay"
)

// What is between viewers and agents.
const (
	modeRelay  = "relay"
	modeCopy   = "tls-copy"
	modeDirect = "direct" // nothing: the agents' connections are the viewers' own
)

// relayServe is the other process. It speaks JSON lines: offers in, its address out, then usage for each empty line.
type relayServe struct {
	Mode string `arg:"" enum:"relay,tls-copy"`
}

type hello struct {
	Address     string
	Certificate []byte // DER
}

type usage struct {
	RSS float64 // bytes
	CPU float64 // seconds
}

// Run serves until its input ends.
func (c *relayServe) Run(out io.Writer) error {
	in, enc := json.NewDecoder(os.Stdin), json.NewEncoder(out)
	var offers []relay.Offer
	if err := in.Decode(&offers); err != nil {
		return fmt.Errorf("offers: %w", err)
	}
	config, _, err := linktest.TLS()
	if err != nil {
		return err
	}
	quiet := slog.New(slog.DiscardHandler)
	l, err := link.Listen(context.Background(), "127.0.0.1:0", quiet)
	if err != nil {
		return err
	}
	secure := tls.NewListener(l, config)
	if c.Mode == modeRelay {
		err = serveRelay(secure, offers, quiet)
	} else {
		go serveCopies(secure)
	}
	if err != nil {
		return err
	}
	if err := enc.Encode(hello{l.Addr().String(), config.Certificates[0].Certificate[0]}); err != nil {
		return err
	}
	for {
		var ask struct{}
		if err := in.Decode(&ask); err != nil {
			return nil // the parent has gone
		}
		u, err := ownUsage()
		if err != nil {
			return err
		}
		if err := enc.Encode(u); err != nil {
			return err
		}
	}
}

func serveRelay(l net.Listener, offers []relay.Offer, log *slog.Logger) error {
	r := relay.New(relay.Config{Log: log, Now: time.Now, Limits: relay.Limits{
		Unclaimed: 4 * len(offers), UnclaimedPerAddress: 4 * len(offers), Sessions: len(offers),
	}})
	for _, o := range offers {
		if err := r.Offer(o); err != nil {
			return err
		}
	}
	go func() { _ = (&http.Server{Handler: r, ReadHeaderTimeout: 10 * time.Second}).Serve(l) }()
	return nil
}

// serveCopies is the bare loop: connections with the same first four bytes are copied into each other.
func serveCopies(l net.Listener) {
	var mu sync.Mutex
	waiting := make(map[[4]byte]net.Conn)
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			var id [4]byte
			if _, err := io.ReadFull(c, id[:]); err != nil {
				return
			}
			mu.Lock()
			peer := waiting[id]
			waiting[id] = c
			mu.Unlock()
			if peer != nil {
				go copyAll(peer, c)
				copyAll(c, peer)
			}
		}()
	}
}

func copyAll(to, from net.Conn) {
	_, _ = io.CopyBuffer(struct{ io.Writer }{to}, struct{ io.Reader }{from}, make([]byte, 32<<10))
	_ = to.Close()
}

// ownUsage reads what this process uses.
func ownUsage() (usage, error) {
	var ru unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &ru); err != nil {
		return usage{}, err
	}
	stat, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return usage{}, err
	}
	fields := strings.Fields(string(stat))
	if len(fields) < 2 {
		return usage{}, errors.New("statm: unknown form")
	}
	pages, err := strconv.Atoi(fields[1])
	if err != nil {
		return usage{}, err
	}
	cpu := time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
	return usage{RSS: float64(pages * os.Getpagesize()), CPU: cpu.Seconds()}, nil
}

// A server is the other process as this one sees it; in modeDirect there is none.
type server struct {
	mode    string
	tickets [][2]link.Ticket // by pair: viewer, agent
	address string
	tls     *tls.Config

	cmd *exec.Cmd
	in  io.WriteCloser
	out *json.Decoder
	enc *json.Encoder
}

func startServer(ctx context.Context, mode string, pairs int) (*server, error) {
	s := &server{mode: mode, tickets: make([][2]link.Ticket, pairs)}
	if mode == modeDirect {
		return s, nil
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s.cmd = exec.CommandContext(ctx, self, "relay-serve", mode)
	s.cmd.Stderr = os.Stderr
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	s.out, s.enc = json.NewDecoder(bufio.NewReader(out)), json.NewEncoder(s.in)
	if err := s.greet(); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

// greet makes the offers and learns the address.
func (s *server) greet() error {
	if err := s.enc.Encode(s.offers()); err != nil {
		return err
	}
	var h hello
	if err := s.out.Decode(&h); err != nil {
		return fmt.Errorf("the server did not start: %w", err)
	}
	cert, err := x509.ParseCertificate(h.Certificate)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AddCert(cert)
	s.address, s.tls = h.Address, &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: roots, ServerName: "localhost"}
	return nil
}

// offers numbers the tickets: this relay is reached by nobody else.
func (s *server) offers() []relay.Offer {
	offers := make([]relay.Offer, len(s.tickets))
	for i := range offers {
		id := []byte(strconv.Itoa(i + 1))
		copy(offers[i].Session[:], id)
		for side := range s.tickets[i] {
			copy(s.tickets[i][side][:], id)
			s.tickets[i][side][31] = byte(side + 1)
		}
		offers[i].ViewerTicketHash = s.tickets[i][0].Hash()
		offers[i].AgentTicketHash = s.tickets[i][1].Hash()
		offers[i].Expires = time.Now().Add(time.Hour)
	}
	return offers
}

// usage returns memory in bytes and CPU time in seconds.
func (s *server) usage() (rss, cpu float64, err error) {
	if s.mode == modeDirect {
		return 0, 0, nil
	}
	if err := s.enc.Encode(struct{}{}); err != nil {
		return 0, 0, err
	}
	var u usage
	if err := s.out.Decode(&u); err != nil {
		return 0, 0, fmt.Errorf("the server has gone: %w", err)
	}
	return u.RSS, u.CPU, nil
}

func (s *server) stop() {
	if s.cmd == nil {
		return
	}
	_ = s.in.Close() // it ends with its input
	_ = s.cmd.Wait() // its figures are here already
}
