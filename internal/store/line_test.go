package store

import (
	"strings"
	"testing"
	"time"
)

// TestLinesToTheDatabaseAreProtected: whoever stands between gateway and database can neither read nor answer.
func TestLinesToTheDatabaseAreProtected(t *testing.T) {
	for url, protected := range map[string]bool{
		"postgres://jiseki@/jiseki?host=/run/postgresql":                          true,
		"postgres://jiseki@127.0.0.1/jiseki":                                      true,
		"postgres://jiseki@[::1]/jiseki?sslmode=disable":                          true,
		"postgres://jiseki@db.example/jiseki?sslmode=verify-full":                 true,
		"postgres://jiseki@192.0.2.1/jiseki?sslmode=verify-full":                  true,
		"postgres://jiseki@db.example/jiseki":                                     false, // prefer: in the clear when the other end says so
		"postgres://jiseki@db.example/jiseki?sslmode=disable":                     false,
		"postgres://jiseki@db.example/jiseki?sslmode=allow":                       false,
		"postgres://jiseki@db.example/jiseki?sslmode=require":                     false, // any certificate
		"postgres://jiseki@db.example/jiseki?sslmode=verify-ca":                   false, // that of any machine of the CA
		"postgres://jiseki@127.0.0.1,db.example/jiseki?sslmode=prefer":            false,
		"postgres://jiseki@localhost.example/jiseki?sslmode=prefer":               false,
		"postgres://jiseki@/jiseki?host=/run/postgresql,db.example&sslmode=allow": false,
	} {
		s, err := openPostgres(Config{DSN: url, Now: time.Now})
		if s != nil {
			s.Close()
		}
		if err == nil != protected || err != nil && !strings.Contains(err.Error(), "sslmode=verify-full") {
			t.Errorf("%s: %v, want protected: %v", url, err, protected)
		}
	}
}
