package store

import (
	"fmt"
	"os"
	"testing"

	"jiseki/internal/store/pgtest"
)

// cluster is the PostgreSQL of this test binary.
var cluster *pgtest.Cluster

func TestMain(m *testing.M) {
	if os.Getenv(writerEnv) != "" {
		writer()
		return
	}
	var err error
	if cluster, err = pgtest.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if err := cluster.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// Cluster is for the tests in package store_test.
func Cluster() *pgtest.Cluster { return cluster }
