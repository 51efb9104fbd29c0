package hub_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"jiseki/internal/cert"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/link"
)

// TestMain lets the test binary be a crowd of agents, so that their memory is
// not counted as the gateway's.
func TestMain(m *testing.M) {
	if os.Getenv("HUB_TEST_CROWD") == "" {
		os.Exit(m.Run())
	}
	if err := manyAgents(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// manyAgents connects agents and keeps them until its input ends. Input: the CA
// certificate of TLS, the key of the desk CA.
func manyAgents() error {
	count, err := strconv.Atoi(os.Getenv("HUB_TEST_CROWD"))
	if err != nil {
		return err
	}
	ca, err := cert.LoadKey(os.Getenv("HUB_TEST_KEY"))
	if err != nil {
		return err
	}
	b, err := os.ReadFile(os.Getenv("HUB_TEST_TLS"))
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(b)
	for i := range count {
		if err := one(i, ca, roots); err != nil {
			return fmt.Errorf("agent %d: %w", i, err)
		}
	}
	fmt.Println("ready")
	_, _ = io.Copy(io.Discard, os.Stdin)
	return nil
}

func one(i int, ca *cert.SignerKey, roots *x509.CertPool) error {
	ctx := context.Background()
	conn, err := link.DialSocket(ctx, link.DialConfig{URL: os.Getenv("HUB_TEST_URL"), TLS: &tls.Config{RootCAs: roots}, Proxy: link.Direct})
	if err != nil {
		return err
	}
	first, err := conn.Receive(ctx)
	if err != nil {
		return err
	}
	challenge := &controlv1.GatewayMessage{}
	if err := proto.Unmarshal(first, challenge); err != nil {
		return err
	}
	hello, err := helloOf(fmt.Sprintf("desk-%04d", i), ca, cert.Nonce(challenge.GetChallenge().GetNonce()))
	if err != nil {
		return err
	}
	state := &controlv1.AgentMessage{Message: &controlv1.AgentMessage_State{State: &controlv1.State{LoggedIn: true, Width: 1920, Height: 1080}}}
	for _, m := range []proto.Message{hello, state} {
		b, err := proto.Marshal(m)
		if err != nil {
			return err
		}
		if err := conn.Send(ctx, b); err != nil {
			return err
		}
	}
	if _, err := conn.Receive(ctx); err != nil { // the welcome
		return err
	}
	go func() {
		for {
			if _, err := conn.Receive(ctx); err != nil {
				return
			}
		}
	}()
	return nil
}

func helloOf(desk string, ca *cert.SignerKey, nonce cert.Nonce) (*controlv1.AgentMessage, error) {
	k, err := cert.GenerateKey()
	if err != nil {
		return nil, err
	}
	now := time.Now()
	c := &cert.Certificate{
		Kind: cert.KindDesk, Serial: cert.NewSerial(), Subject: desk, Owner: cert.ZoneInternet, Grade: cert.GradeFile,
		Key: k.Public(), NotBefore: now, NotAfter: now.Add(time.Hour),
	}
	if err := c.Sign(ca); err != nil {
		return nil, err
	}
	s := &cert.DeskStatement{NoiseKey: cert.NoiseKey{9}, NotAfter: now.Add(time.Hour)}
	if err := s.Sign(k); err != nil {
		return nil, err
	}
	signature, err := cert.AgentHello{Nonce: nonce, Desk: desk, Statement: s.Hash()}.Sign(k)
	if err != nil {
		return nil, err
	}
	return &controlv1.AgentMessage{Message: &controlv1.AgentMessage_Hello{Hello: &controlv1.Hello{
		Certificate: c.Append(nil), Statement: s.Append(nil), Signature: signature[:], Nonce: make([]byte, 32),
		Run: make([]byte, 16), TimeMs: now.UnixMilli(), BundleVersion: 3,
	}}}, nil
}

// TestMemoryOfIdleAgents holds agents of another process and prints what each
// costs this one: heap and stacks that are in use after a collection.
func TestMemoryOfIdleAgents(t *testing.T) {
	const limit = 40 << 10
	count := 500
	if raceDetector { // which costs more than the agents: only races are looked for
		count = 50
	}
	w := start(t)
	before := inUse()
	beginCrowd(t, w, count)
	for range count { // each has said what state it is in
		<-w.desks.states
	}
	if n := w.hub.Connected(); n != count {
		t.Fatalf("%d of %d agents are connected", n, count)
	}
	each := (inUse() - before) / uint64(count)
	t.Logf("an idle agent costs the gateway %.1f KB", float64(each)/1024)
	if each > limit && !raceDetector {
		t.Errorf("an idle agent costs %d bytes, more than %d", each, limit)
	}
}

// inUse is the memory of heap and stacks that is in use. Two collections empty
// the pools.
func inUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

func beginCrowd(t *testing.T, w *world, count int) {
	t.Helper()
	dir := t.TempDir()
	if err := cert.SaveKey(dir+"/key", w.deskCA); err != nil {
		t.Fatal(err)
	}
	roots := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.server.Certificate().Raw})
	if err := os.WriteFile(dir+"/tls", roots, 0o600); err != nil {
		t.Fatal(err)
	}
	agents := exec.CommandContext(t.Context(), os.Args[0])
	agents.Env = append(os.Environ(), "HUB_TEST_CROWD="+strconv.Itoa(count), "HUB_TEST_KEY="+dir+"/key",
		"HUB_TEST_TLS="+dir+"/tls", "HUB_TEST_URL=wss"+w.server.URL[len("https"):]+"/agent")
	agents.Stderr = os.Stderr
	in, err := agents.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := agents.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := agents.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); _ = agents.Wait() })
	go func() {
		if line, _ := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
			t.Errorf("the agents said %q", line)
		}
	}()
}
