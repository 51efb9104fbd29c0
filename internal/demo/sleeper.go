package demo

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"jiseki/internal/wake"
)

// CanSleep says whether this process may make the network of a desk that sleeps: it takes root and the program ip.
func CanSleep() bool {
	_, err := exec.LookPath("ip")
	return err == nil && os.Getuid() == 0
}

// A Sleeper is a desk on a network adapter of its own that can be put to sleep, and boots when its magic packet comes: a
// network namespace whose adapter is cabled to one of this machine, with an always-on waker at that end.
type Sleeper struct {
	Desk string // id

	town   *Town
	agent  program
	space  *space
	mac    wake.MAC
	waker  func() error
	socket int // sees every frame of the adapter

	mu  sync.Mutex
	off func() error // ends the agent; nil while it sleeps
}

// RunSleeper makes a desk that can sleep, for a user, and the waker of its network. Both are on when it returns.
func (t *Town) RunSleeper(ctx context.Context, name, user string) (s *Sleeper, err error) {
	s = &Sleeper{town: t, socket: -1}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if s.space, err = newSpace(); err != nil {
		return s, err
	}
	network := fmt.Sprintf("10.%d.%d", 200+os.Getpid()%50, os.Getpid()/50%250)
	if err := s.cable(network); err != nil {
		return s, err
	}
	if err := s.space.forward(t.deskAddress()); err != nil {
		return s, err
	}
	if s.waker, err = t.runWaker(ctx); err != nil {
		return s, err
	}
	if s.Desk, s.agent, err = t.newDesk(ctx, name, "internet", user); err != nil {
		return s, err
	}
	s.boot(ctx)
	return s, t.awaitOn(ctx, s.Desk)
}

// cable puts an adapter into the namespace and its other end here.
func (s *Sleeper) cable(network string) error {
	here := "jsk" + strconv.Itoa(os.Getpid())
	s.mac = wake.MAC{0x02, 'j', 's', 'k', byte(os.Getpid() >> 8), byte(os.Getpid())}
	steps := []struct {
		inside bool
		words  []string
	}{
		{false, []string{"link", "add", "name", here, "type", "veth", "peer", "name", "eth0", "address", s.mac.String(), "netns", strconv.Itoa(s.space.thread)}},
		{false, []string{"addr", "add", network + ".1/24", "brd", "+", "dev", here}},
		{false, []string{"link", "set", here, "up"}},
		{true, []string{"link", "set", "lo", "up"}},
		{true, []string{"addr", "add", network + ".2/24", "brd", "+", "dev", "eth0"}},
		{true, []string{"link", "set", "eth0", "up"}},
	}
	for _, step := range steps {
		run := func() error {
			out, err := exec.Command("ip", step.words...).CombinedOutput() //nolint:noctx // at once
			if err != nil {
				return fmt.Errorf("ip %s: %w: %s", strings.Join(step.words, " "), err, out)
			}
			return nil
		}
		if step.inside {
			run = s.space.within(run)
		}
		if err := run(); err != nil {
			return err
		}
	}
	return s.space.within(s.listen)()
}

// listen opens a socket that sees every frame of the adapter, as the adapter of a sleeping machine does.
func (s *Sleeper) listen() (err error) {
	all := binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, unix.ETH_P_ALL)) // in network order
	if s.socket, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, int(all)); err != nil {
		return fmt.Errorf("adapter of the sleeping desk: %w", err)
	}
	eth, err := net.InterfaceByName("eth0")
	if err != nil {
		return err
	}
	// So that hear notices when the adapter is gone.
	if err := unix.SetsockoptTimeval(s.socket, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: 200_000}); err != nil {
		return err
	}
	return unix.Bind(s.socket, &unix.SockaddrLinklayer{Protocol: all, Ifindex: eth.Index})
}

// boot starts the agent.
func (s *Sleeper) boot(ctx context.Context) {
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- s.space.within(func() error { return s.agent.run(running) })() }()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.off = func() error { stop(); return <-ended }
}

// Sleep puts the desk to sleep and waits until the gateway knows. It boots by itself when its magic packet comes.
func (s *Sleeper) Sleep(ctx context.Context) error {
	if err := s.end(); err != nil {
		return err
	}
	if err := s.town.awaitState(ctx, s.Desk, "DESK_STATE_OFF"); err != nil {
		return err
	}
	go func() {
		if s.hear() {
			s.boot(ctx)
		}
	}()
	return nil
}

// hear returns true when the desk's magic packet has come, and false when the adapter is gone.
func (s *Sleeper) hear() bool {
	frame := make([]byte, 2048)
	for {
		n, err := unix.Read(s.socket, frame)
		if errors.Is(err, unix.EINTR) || errors.Is(err, unix.EAGAIN) {
			continue
		}
		if err != nil {
			return false
		}
		for at := 0; at+wake.PacketSize <= n; at++ {
			if mac, err := wake.Parse(frame[at : at+wake.PacketSize]); err == nil && mac == s.mac {
				return true
			}
		}
	}
}

func (s *Sleeper) end() error {
	s.mu.Lock()
	off := s.off
	s.off = nil
	s.mu.Unlock()
	if off == nil {
		return nil
	}
	return off()
}

// Close switches desk and waker off and takes the network away.
func (s *Sleeper) Close() error {
	err := s.end()
	if s.waker != nil {
		err = errors.Join(err, s.waker())
	}
	if s.socket >= 0 {
		err = errors.Join(err, unix.Close(s.socket))
	}
	if s.space != nil {
		s.space.close() // the cable goes with it
	}
	return err
}

// A space is a network namespace.
type space struct {
	file   *os.File
	thread int // a thread that stays in it
	done   chan struct{}
	doors  []net.Listener
}

func newSpace() (*space, error) {
	s := &space{done: make(chan struct{})}
	made := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		err := unix.Unshare(unix.CLONE_NEWNET)
		if err == nil {
			s.thread = unix.Gettid()
			s.file, err = os.Open("/proc/thread-self/ns/net")
		}
		made <- err
		<-s.done
	}()
	if err := <-made; err != nil {
		close(s.done)
		return nil, fmt.Errorf("network of a desk: %w", err)
	}
	return s, nil
}

// within returns a thing to do in the namespace, together with the processes that it starts.
func (s *space) within(do func() error) func() error {
	return func() error {
		ended := make(chan error)
		go func() {
			runtime.LockOSThread()
			if err := unix.Setns(int(s.file.Fd()), unix.CLONE_NEWNET); err != nil { //nolint:gosec // a file descriptor
				ended <- fmt.Errorf("network of a desk: %w", err)
				return
			}
			ended <- do()
		}()
		return <-ended
	}
}

// forward lets an address of the namespace lead to the same address outside, as a router would.
func (s *space) forward(address string) error {
	return s.within(func() error {
		door, err := net.Listen("tcp", address) //nolint:noctx // it is there at once
		if err != nil {
			return err
		}
		s.doors = append(s.doors, door)
		go serveDoor(door, address)
		return nil
	})()
}

func serveDoor(door net.Listener, address string) {
	for {
		inner, err := door.Accept()
		if err != nil {
			return // closed
		}
		go func() {
			defer inner.Close()
			outer, err := net.Dial("tcp", address) //nolint:noctx // it ends with the connection
			if err != nil {
				return
			}
			defer outer.Close()
			go func() {
				defer outer.Close()
				defer inner.Close()
				_, _ = io.Copy(outer, inner)
			}()
			_, _ = io.Copy(inner, outer)
		}()
	}
}

func (s *space) close() {
	for _, d := range s.doors {
		d.Close()
	}
	s.file.Close()
	close(s.done)
}

// runWaker enrols an always-on waker and runs it until end is called.
func (t *Town) runWaker(ctx context.Context) (end func() error, err error) {
	desk, waker, err := t.newDesk(ctx, "起動用-01", "internet")
	if err != nil {
		return nil, err
	}
	waker.args = append(waker.args[:2:2], "waker")
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- waker.run(running) }()
	end = func() error { stop(); return <-ended }
	if err := t.awaitOn(ctx, desk); err != nil {
		return nil, errors.Join(err, end())
	}
	return end, nil
}
