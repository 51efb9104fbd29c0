// Package bustest starts a NATS cluster inside a test: real servers on loopback ports, with TLS for the gateways.
package bustest

import (
	"encoding/pem"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"jiseki/internal/link/linktest"
)

// A Cluster is a running NATS cluster.
type Cluster struct {
	URLs   []string // tls://host:port of each server
	CAFile string   // the CA that signed their certificates

	servers []*server.Server
}

// patience bounds every wait. It only ends tests that have failed.
const patience = 90 * time.Second

// Start starts a cluster of so many servers that ends with the test. When it returns, each server knows all others.
func Start(t testing.TB, servers int) *Cluster {
	t.Helper()
	tls, _, err := linktest.TLS()
	if err != nil {
		t.Fatal(err)
	}
	c := &Cluster{CAFile: filepath.Join(t.TempDir(), "nats-ca.pem")}
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: tls.Certificates[0].Certificate[0]})
	if err := os.WriteFile(c.CAFile, ca, 0o600); err != nil {
		t.Fatal(err)
	}
	var routes []*url.URL
	for range servers {
		s, err := server.NewServer(&server.Options{
			Host: "127.0.0.1", Port: server.RANDOM_PORT, TLS: true, TLSConfig: tls.Clone(), NoLog: true, NoSigs: true,
			Cluster: server.ClusterOpts{Name: "town", Host: "127.0.0.1", Port: server.RANDOM_PORT}, Routes: routes,
		})
		if err != nil {
			t.Fatal(err)
		}
		s.Start()
		t.Cleanup(func() {
			s.Shutdown()
			s.WaitForShutdown()
		})
		if !s.ReadyForConnections(patience) {
			t.Fatal("a NATS server does not start")
		}
		routes = append(routes, &url.URL{Scheme: "nats", Host: s.ClusterAddr().String()})
		c.URLs = append(c.URLs, "tls://"+s.Addr().String())
		c.servers = append(c.servers, s)
	}
	c.join(t)
	return c
}

// join waits until each server has a route to all others.
func (c *Cluster) join(t testing.TB) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		joined := 0
		for _, s := range c.servers {
			if s.NumRemotes() == len(c.servers)-1 {
				joined++
			}
		}
		if joined == len(c.servers) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the NATS servers do not find each other")
		}
		time.Sleep(5 * time.Millisecond) // between two looks, not for synchronisation
	}
}

// Stop ends one server, as its machine's failure would.
func (c *Cluster) Stop(i int) {
	c.servers[i].Shutdown()
	c.servers[i].WaitForShutdown()
}
