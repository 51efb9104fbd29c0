package store_test

import (
	"testing"

	"jiseki/internal/store"
	"jiseki/internal/store/storetest"
)

func TestSQLite(t *testing.T) { storetest.Run(t, storetest.SQLite, storetest.CopySQLite) }

func TestPostgreSQL(t *testing.T) {
	storetest.Run(t, store.Cluster().NewDSN, store.Cluster().CopyDSN)
}
