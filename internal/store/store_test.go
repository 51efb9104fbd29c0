package store_test

import (
	"testing"

	"jiseki/internal/store"
	"jiseki/internal/store/storetest"
)

func TestSQLite(t *testing.T) { storetest.Run(t, storetest.SQLite) }

func TestPostgreSQL(t *testing.T) {
	storetest.Run(t, func(t testing.TB) string { return store.Cluster().NewDSN(t) })
}
