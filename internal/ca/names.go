package ca

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"jiseki/internal/cert"
	"jiseki/internal/durable"
)

// noName stands for "no host name at all" where a CA is for addresses only (RFC 6761 reserves it).
const noName = "invalid"

// constrain lets a CA sign these host names, what is below them, and these addresses, and nothing else. Devices trust
// the CA, so whoever had its key could stand for any site before them. Without names nothing is constrained.
func constrain(c *x509.Certificate, names []string) {
	if len(names) == 0 {
		return
	}
	c.PermittedDNSDomainsCritical = true
	for _, n := range names {
		ip := net.ParseIP(n)
		switch {
		case ip == nil:
			c.PermittedDNSDomains = append(c.PermittedDNSDomains, strings.ToLower(n))
		case ip.To4() != nil:
			c.PermittedIPRanges = append(c.PermittedIPRanges, &net.IPNet{IP: ip.To4(), Mask: net.CIDRMask(32, 32)})
		default:
			c.PermittedIPRanges = append(c.PermittedIPRanges, &net.IPNet{IP: ip, Mask: net.CIDRMask(128, 128)})
		}
	}
	if len(c.PermittedDNSDomains) == 0 { // a kind that is not named would be free
		c.PermittedDNSDomains = []string{noName}
	}
	if len(c.PermittedIPRanges) == 0 {
		c.ExcludedIPRanges = []*net.IPNet{
			{IP: net.IPv4zero.To4(), Mask: net.CIDRMask(0, 32)}, {IP: net.IPv6zero, Mask: net.CIDRMask(0, 128)},
		}
	}
}

// Constrained says whether the TLS CA may sign some names only. One of an older release may sign any.
func (a *Authority) Constrained() bool { return a.tls.root.PermittedDNSDomainsCritical }

// Signs parts names into those that the TLS CA may sign and those that it may not.
func (a *Authority) Signs(names []string) (may, mayNot []string) {
	for _, n := range names {
		if permits(a.tls.root, n) {
			may = append(may, n)
		} else {
			mayNot = append(mayNot, n)
		}
	}
	return may, mayNot
}

func permits(root *x509.Certificate, name string) bool {
	if !root.PermittedDNSDomainsCritical {
		return true
	}
	if ip := net.ParseIP(name); ip != nil {
		return slices.ContainsFunc(root.PermittedIPRanges, func(n *net.IPNet) bool { return n.Contains(ip) })
	}
	name = strings.ToLower(name)
	return slices.ContainsFunc(root.PermittedDNSDomains, func(d string) bool { return name == d || strings.HasSuffix(name, "."+d) })
}

// RenewTLS makes the certificate of the TLS CA anew for names, with its key: devices and desks that trust the former
// one go on trusting the gateway. Who trusts the new one in place of it trusts these names only. No Authority may be
// open meanwhile. It may be repeated.
func RenewTLS(dir, organisation string, names []string, now time.Time) (*cert.Bundle, error) {
	if err := checkFolder(dir); err != nil {
		return nil, err
	}
	key, err := cert.LoadKey(filepath.Join(dir, tlsKeyFile))
	if err != nil {
		return nil, fmt.Errorf("ca: %w", err)
	}
	root, err := newRoot(key, organisation, now, names)
	if err != nil {
		return nil, fmt.Errorf("ca: %w", err)
	}
	bundle, err := readBundle(dir)
	if err != nil {
		return nil, err
	}
	if len(bundle.TLS) > 0 {
		bundle.TLS[0] = root
		bundle.Version = nextVersion(bundle.Version, now)
	}
	if err := bundle.Check(); err != nil {
		return nil, fmt.Errorf("ca: %w", err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: pemCertificate, Bytes: root})
	if err := durable.Replace(filepath.Join(dir, tlsCertFile), text, public); err != nil {
		return nil, fmt.Errorf("ca: %w", err)
	}
	if err := durable.Replace(filepath.Join(dir, bundleFile), bundle.Append(nil), public); err != nil {
		return nil, fmt.Errorf("ca: %w", err)
	}
	return bundle, nil
}
