package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/store"
)

// organisation is the newest copy of the settings that those read who cannot
// wait for the database. Decisions do not use it.
type organisation struct {
	store *store.Store
	now   atomic.Pointer[store.Organisation]
}

func (o *organisation) refresh(ctx context.Context) error {
	now, err := o.store.Organisation(ctx)
	if err != nil {
		return err
	}
	o.now.Store(&now)
	return nil
}

func (o *organisation) name() string    { return o.now.Load().Name }
func (o *organisation) address() string { return o.now.Load().Settings.Address }

// inside says that an address is of the town hall's own networks.
func (o *organisation) inside(a netip.Addr) bool {
	place := o.now.Load().Settings.PlaceOf(a)
	return place == access.Office || place == access.Satellite
}

// serverTLS is the TLS configuration of the listeners: TLS 1.3 with a
// certificate from files or from the gateway's own CA.
func (c *core) serverTLS(context.Context) (*tls.Config, error) {
	if c.cfg.TLS.CertificateFile == "" {
		names := tlsNames(c.org.address(), c.cfg)
		if len(names) == 0 {
			return nil, errors.New("the TLS certificate needs a name: set the portal's address, or tls.names")
		}
		return c.ownTLS(names)
	}
	files := &certificateFiles{certificate: c.cfg.TLS.CertificateFile, key: c.cfg.TLS.KeyFile, log: c.env.Log}
	if err := files.load(); err != nil {
		return nil, err
	}
	return &tls.Config{MinVersion: tls.VersionTLS13, GetCertificate: files.get}, nil
}

// ownTLS is a certificate of the gateway's own CA for those names that the CA may sign. The others are told of: who
// uses them is refused by browsers and agents.
func (c *core) ownTLS(names []string) (*tls.Config, error) {
	if !c.ca.Constrained() {
		c.env.Log.Warn("the TLS CA that devices trust may sign any name; \"jiseki-gateway keys tls\" makes one for this gateway's names only")
	}
	may, mayNot := c.ca.Signs(names)
	if len(may) == 0 {
		return nil, errTLSNames(mayNot)
	}
	if len(mayNot) > 0 {
		c.env.Log.Error("the TLS CA may not sign these names of the gateway: run \"jiseki-gateway keys tls\" and install the CA on devices again", "names", mayNot)
	}
	return c.ca.ServerTLS(may)
}

// certificateFiles serves a certificate from files and follows their renewal.
type certificateFiles struct {
	certificate, key string
	log              *slog.Logger

	mu      sync.Mutex
	checked time.Time
	changed time.Time
	now     *tls.Certificate
}

// checkEvery is how often the files are looked at.
const checkEvery = time.Minute

func (f *certificateFiles) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if time.Since(f.checked) > checkEvery {
		if err := f.loadLocked(); err != nil {
			f.log.Error("the TLS certificate was not read again; the former one stays", "err", err)
		}
	}
	return f.now, nil
}

func (f *certificateFiles) load() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.loadLocked()
}

func (f *certificateFiles) loadLocked() error {
	f.checked = time.Now()
	st, err := os.Stat(f.certificate)
	if err != nil {
		return fmt.Errorf("read the TLS certificate: %w", err)
	}
	if f.now != nil && st.ModTime().Equal(f.changed) {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(f.certificate, f.key)
	if err != nil {
		return fmt.Errorf("read the TLS certificate: %w", err)
	}
	f.now, f.changed = &pair, st.ModTime()
	return nil
}

// exposed says that others than the owner have rights to a file or folder. Windows says
// so by other means.
func exposed(st fs.FileInfo) bool { return modesCount && st.Mode().Perm()&0o077 != 0 }
