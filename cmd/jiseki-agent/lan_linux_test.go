package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"jiseki/internal/agent"
	"jiseki/internal/gateway"
	"jiseki/internal/gateway/gatewaytest"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/gen/jiseki/control/v1/controlv1connect"
	"jiseki/internal/wake"
)

// The machines of TestLAN are processes of this test binary, each in a network namespace of its own. Their role is in
// the environment; they begin when a line comes on standard input, for by then their adapter is there.
const (
	roleVariable = "JISEKI_TEST_ROLE"
	roleHall     = "hall"    // the test itself, in a namespace with the switches
	roleProgram  = "program" // jiseki-agent with the arguments
	roleDesk     = "desk"    // a desk that is on: the engine without a screen, which waking does not need
	roleSleeper  = "sleeper" // a desk that sleeps: an adapter that looks for its packet, and boots when the next line comes
)

// The switches.
const lanA, lanB = "lan-a", "lan-b"

func TestMain(m *testing.M) {
	lines := bufio.NewReader(os.Stdin)
	switch os.Getenv(roleVariable) {
	case roleProgram:
		_, _ = lines.ReadString('\n') // the end of the input ends the machine too
		os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
	case roleDesk:
		_, _ = lines.ReadString('\n')
		os.Exit(report(serveDesk(os.Args[1])))
	case roleSleeper:
		_, _ = lines.ReadString('\n')
		if err := sleep(lines); err != nil {
			os.Exit(report(err))
		}
		os.Exit(report(serveDesk(os.Args[1])))
	}
	os.Exit(m.Run())
}

func report(err error) int {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// serveDesk runs the engine of a desk without a screen.
func serveDesk(dir string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	home, err := agent.LoadHome(dir)
	if err != nil {
		return err
	}
	machine, err := wake.New(wake.Config{Now: time.Now})
	if err != nil {
		return err
	}
	a, err := agent.New(agent.Config{
		Gateway: home.Gateway, Identity: home.Identity, Self: home.Self, Bundle: home.Bundle, Dir: home.Dir,
		Desk: agent.NoDesk(), Machine: machine, Proxy: "direct", Version: "test", Hostname: "desk", System: "test",
		Log: slog.New(slog.NewTextHandler(os.Stderr, nil)), Now: time.Now,
		SaveBundle: home.SaveBundle, SaveHead: home.SaveHead, SaveCertificate: home.SaveCertificate,
	})
	if err != nil {
		return err
	}
	return a.Run(ctx)
}

// sleep is a sleeping machine's adapter: it has no address and sees every frame of its network. It prints the address
// of each magic packet, and returns when the next line comes.
func sleep(lines *bufio.Reader) error {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, int(networkOrder(unix.ETH_P_ALL)))
	if err != nil {
		return err
	}
	eth, err := net.InterfaceByName("eth0")
	if err != nil {
		return err
	}
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: networkOrder(unix.ETH_P_ALL), Ifindex: eth.Index}); err != nil {
		return err
	}
	go listen(fd)
	fmt.Println("asleep")
	_, err = lines.ReadString('\n')
	return err
}

func networkOrder(n uint16) uint16 {
	return binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, n))
}

// listen prints the magic packets of every frame. Frames that the machine sends itself are among them only after it has
// booted.
func listen(fd int) {
	frame := make([]byte, 2048)
	for {
		n, err := unix.Read(fd, frame)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			fmt.Println("deaf:", err)
			return
		}
		for at := 0; at+wake.PacketSize <= n; at++ {
			if mac, err := wake.Parse(frame[at : at+wake.PacketSize]); err == nil {
				fmt.Println("magic", mac)
				break
			}
		}
	}
}

// TestLAN wakes desks in real broadcast domains: two switches, a gateway beside them, always-on wakers, desks that are
// on and desks that sleep. It makes its networks in a user namespace, so that anybody may run it; where that is
// forbidden, root still may.
func TestLAN(t *testing.T) {
	if os.Getenv(roleVariable) == roleHall {
		testHall(t)
		return
	}
	out, err := inNamespace(t, unix.CLONE_NEWUSER)
	if err != nil && strings.Contains(err.Error(), "fork/exec") && os.Geteuid() == 0 {
		out, err = inNamespace(t, 0)
	}
	if err != nil {
		t.Fatalf("%v\n%s\nThis test makes network namespaces: run it as root, or allow user namespaces (sysctl kernel.unprivileged_userns_clone=1,"+
			" kernel.apparmor_restrict_unprivileged_userns=0), and install iproute2.", err, out)
	}
	if testing.Verbose() {
		t.Logf("%s", out)
	}
}

func inNamespace(t *testing.T, user uintptr) ([]byte, error) {
	t.Helper()
	args := []string{"-test.run=^TestLAN$", "-test.count=1", "-test.v"}
	if end, ok := t.Deadline(); ok {
		args = append(args, fmt.Sprintf("-test.timeout=%s", time.Until(end)))
	}
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", args...)
	cmd.Env = append(os.Environ(), roleVariable+"="+roleHall)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: user | unix.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if user != 0 {
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	return cmd.CombinedOutput()
}

// A hall is the town hall's network with its gateway.
type hall struct {
	t    *testing.T
	town *gatewaytest.Town
	port string
	next int // number of the next adapter
}

// A box is a machine in the hall: its place in a network, its adapter, and its process while it runs.
type box struct {
	hall    *hall
	name    string
	desk    string
	dir     string
	network string // the switch
	address string // with its length
	mac     wake.MAC

	cmd   *exec.Cmd
	stdin io.WriteCloser

	mu    sync.Mutex
	heard []string // what it printed
	log   []string
}

// command runs a program of the system in the hall.
func (h *hall) command(name string, args ...string) {
	h.t.Helper()
	if out, err := exec.CommandContext(h.t.Context(), name, args...).CombinedOutput(); err != nil {
		h.t.Fatalf("%s %s: %v: %s", name, strings.Join(args, " "), err, out)
	}
}

func newHall(t *testing.T) *hall {
	t.Helper()
	h := &hall{t: t}
	h.command("ip", "link", "set", "lo", "up")
	for bridge, address := range map[string]string{lanA: "192.168.10.1/24", lanB: "192.168.20.1/24"} {
		h.command("ip", "link", "add", "name", bridge, "type", "bridge")
		h.command("ip", "addr", "add", address, "brd", "+", "dev", bridge)
		h.command("ip", "link", "set", bridge, "up")
	}
	h.town = gatewaytest.Start(t, gatewaytest.WithConfig(func(c *gateway.Config) {
		c.Public.Address = "0.0.0.0:0"
		c.TLS.Names = append(c.TLS.Names, "192.168.10.1", "192.168.20.1")
	}))
	_, port, err := net.SplitHostPort(h.town.Host)
	if err != nil {
		t.Fatal(err)
	}
	h.port = port
	return h
}

// box enrols a machine with jiseki-agent.
func (h *hall) box(name, network, address string, users ...string) *box {
	h.t.Helper()
	desk, token := h.town.NewDesk(h.t, name, users...)
	h.next++
	b := &box{
		hall: h, name: name, desk: desk, dir: filepath.Join(h.t.TempDir(), "agent"), network: network, address: address,
		mac: wake.MAC{0x02, 0, 0, 0, 0, byte(h.next)},
	}
	file := filepath.Join(h.t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(token), 0o600); err != nil {
		h.t.Fatal(err)
	}
	gateway := "https://" + map[string]string{lanA: "192.168.10.1", lanB: "192.168.20.1"}[network] + ":" + h.port
	var out strings.Builder
	if run([]string{"--dir", b.dir, "--proxy", "direct", "enroll", "--gateway", gateway, "--token-file", file}, &out, &out) != 0 {
		h.t.Fatalf("enrol %s: %s", name, out.String())
	}
	return b
}

// start starts the machine in a role, and plugs its adapter in.
func (b *box) start(role string, withAddress bool, args ...string) {
	t := b.hall.t
	t.Helper()
	b.cmd = exec.CommandContext(t.Context(), "/proc/self/exe", args...)
	b.cmd.Env = append(os.Environ(), roleVariable+"="+role)
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	out, err := b.cmd.StdoutPipe()
	if err == nil {
		b.stdin, err = b.cmd.StdinPipe()
	}
	var errs io.ReadCloser
	if err == nil {
		errs, err = b.cmd.StderrPipe()
	}
	if err == nil {
		err = b.cmd.Start()
	}
	if err != nil {
		t.Fatalf("start %s: %v", b.name, err)
	}
	b.heard = nil
	go b.read(out, &b.heard)
	go b.read(errs, &b.log)
	t.Cleanup(b.stop)
	pid, end := fmt.Sprint(b.cmd.Process.Pid), fmt.Sprintf("port%d", b.cmd.Process.Pid)
	b.hall.command("ip", "link", "add", "name", end, "type", "veth", "peer", "name", "eth0", "address", b.mac.String(), "netns", pid)
	b.hall.command("ip", "link", "set", end, "master", b.network, "up")
	b.inside("link", "set", "lo", "up")
	b.inside("link", "set", "eth0", "up")
	if withAddress {
		b.plug()
	}
	b.line()
}

// inside runs ip in the machine's namespace.
func (b *box) inside(args ...string) {
	b.hall.t.Helper()
	b.hall.command("nsenter", append([]string{"-t", fmt.Sprint(b.cmd.Process.Pid), "-n", "ip"}, args...)...)
}

// plug gives the adapter its address.
func (b *box) plug() {
	b.hall.t.Helper()
	b.inside("addr", "add", b.address, "brd", "+", "dev", "eth0")
	b.inside("route", "add", "default", "via", map[string]string{lanA: "192.168.10.1", lanB: "192.168.20.1"}[b.network])
}

// line tells the machine to go on.
func (b *box) line() {
	b.hall.t.Helper()
	if _, err := io.WriteString(b.stdin, "\n"); err != nil {
		b.hall.t.Fatalf("%s: %v", b.name, err)
	}
}

func (b *box) read(r io.Reader, into *[]string) {
	for s := bufio.NewScanner(r); s.Scan(); {
		b.mu.Lock()
		*into = append(*into, s.Text())
		b.mu.Unlock()
	}
}

// hears says whether the machine has printed a line.
func (b *box) hears(line string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Contains(b.heard, line)
}

// stop pulls the plug.
func (b *box) stop() {
	if b.cmd == nil {
		return
	}
	_ = b.cmd.Process.Kill() // it may have ended
	_ = b.cmd.Wait()
	b.cmd = nil
	if b.hall.t.Failed() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.hall.t.Logf("%s heard %q and said\n%s", b.name, b.heard, strings.Join(b.log, "\n"))
	}
}

// await polls until it is so; what is said when the test's time is over.
func (h *hall) await(what string, so func() bool) {
	h.t.Helper()
	for end := time.Now().Add(2 * time.Minute); !so(); time.Sleep(10 * time.Millisecond) { // between two looks
		if time.Now().After(end) {
			h.t.Fatalf("still not so: %s", what)
		}
	}
}

// state waits until the console shows the machine so.
func (b *box) state(want controlv1.DeskState) {
	b.hall.t.Helper()
	b.hall.await(b.name+" "+want.String(), func() bool {
		r, err := b.hall.town.Admin.ListAllDesks(b.hall.t.Context(), &controlv1.ListAllDesksRequest{Query: b.desk})
		return err == nil && len(r.GetDesks()) == 1 && r.GetDesks()[0].GetState() == want
	})
}

// on starts a desk that stays on.
func (b *box) on() {
	b.hall.t.Helper()
	b.start(roleDesk, true, b.dir)
	b.state(controlv1.DeskState_DESK_STATE_ON)
}

// off pulls the plug and waits until the gateway knows.
func (b *box) off() {
	b.hall.t.Helper()
	b.stop()
	b.state(controlv1.DeskState_DESK_STATE_OFF)
}

// asleep starts a desk that sleeps.
func (b *box) asleep() {
	b.hall.t.Helper()
	b.start(roleSleeper, false, b.dir)
	b.hall.await(b.name+" sleeps", func() bool { return b.hears("asleep") })
}

// wakes presses the button for a desk, boots it when its packet comes, and returns the finished wake.
func (b *box) wakes(portal controlv1connect.TeleworkServiceClient) *controlv1.Wake {
	t := b.hall.t
	t.Helper()
	asked, err := portal.WakeDesk(t.Context(), &controlv1.WakeDeskRequest{DeskId: b.desk})
	if err != nil || asked.GetWake() == nil {
		t.Fatalf("wake %s: %v, %v", b.name, err, asked.GetRefusal())
	}
	b.hall.await("the packet for "+b.name, func() bool { return b.hears("magic " + b.mac.String()) })
	b.plug()
	b.line() // it boots
	var wake *controlv1.Wake
	b.hall.await(b.name+" has woken", func() bool {
		r, err := portal.GetWake(t.Context(), &controlv1.GetWakeRequest{WakeId: asked.GetWake().GetWakeId()})
		wake = r.GetWake()
		// The desk boots faster than its waker answers, so the waker's name may come later.
		return err == nil && wake.GetState() == controlv1.WakeState_WAKE_STATE_ON && wake.GetWakerName() != ""
	})
	return wake
}

func testHall(t *testing.T) {
	h := newHall(t)
	staff := h.town.Staff(t, "tanaka", "田中 花子")
	portal := controlv1connect.NewTeleworkServiceClient(staff.Client, "https://"+h.town.Host+"/api")
	waker := h.box("waker", lanA, "192.168.10.2/24")
	neighbour := h.box("neighbour", lanA, "192.168.10.11/24")
	desk := h.box("desk", lanA, "192.168.10.21/24", "tanaka")
	elsewhere := h.box("elsewhere", lanB, "192.168.20.21/24", "tanaka")
	distant := h.box("distant", lanB, "192.168.20.11/24")

	for _, b := range []*box{desk, elsewhere} { // the gateway learns their adapters
		b.on()
		b.off()
		b.asleep()
	}
	neighbour.on()
	waker.start(roleProgram, true, "--dir", waker.dir, "--proxy", "direct", "waker")
	waker.state(controlv1.DeskState_DESK_STATE_ON)

	t.Run("an always-on waker wakes first", func(t *testing.T) {
		if by := desk.wakes(portal).GetWakerName(); by != "waker" {
			t.Errorf("woken by %q", by)
		}
	})
	desk.off()
	desk.asleep()
	waker.off()
	t.Run("without it a desk that is on does", func(t *testing.T) {
		if by := desk.wakes(portal).GetWakerName(); by != "neighbour" {
			t.Errorf("woken by %q", by)
		}
	})
	desk.off()
	desk.asleep()
	neighbour.off()
	t.Run("nobody awake is said at once", func(t *testing.T) {
		r, err := portal.WakeDesk(t.Context(), &controlv1.WakeDeskRequest{DeskId: desk.desk})
		if err != nil || len(r.GetRefusal().GetReasons()) != 1 || r.GetRefusal().GetReasons()[0].GetCode() != "wake_no_waker" {
			t.Errorf("got %v, %v", r, err)
		}
	})
	t.Run("packets stay in their network", func(t *testing.T) {
		if elsewhere.hears("magic " + desk.mac.String()) {
			t.Error("a packet for one network was heard in the other")
		}
		distant.on()
		if by := elsewhere.wakes(portal).GetWakerName(); by != "distant" {
			t.Errorf("woken by %q", by)
		}
		if desk.hears("magic " + elsewhere.mac.String()) {
			t.Error("a packet for one network was heard in the other")
		}
	})
	t.Run("a waker that reaches further wakes through the router", func(t *testing.T) {
		// The hall's router lets directed broadcasts pass (bc_forwarding, Linux 4.19).
		for _, name := range []string{"ip_forward", "conf/all/bc_forwarding", "conf/" + lanB + "/bc_forwarding"} {
			if err := os.WriteFile("/proc/sys/net/ipv4/"+name, []byte("1"), 0); err != nil {
				t.Fatal(err)
			}
		}
		far := h.box("far", lanB, "192.168.20.3/24")
		far.start(roleProgram, true, "--dir", far.dir, "--proxy", "direct", "waker", "--reach", "192.168.8.0/22")
		far.state(controlv1.DeskState_DESK_STATE_ON)
		if by := desk.wakes(portal).GetWakerName(); by != "far" {
			t.Errorf("woken by %q", by)
		}
	})
}
