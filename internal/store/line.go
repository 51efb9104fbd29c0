package store

import (
	"database/sql"
	"errors"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// lineTime is how long a line to PostgreSQL may be without a word from the other end before the kernel gives it up: one that is at
// rest, and one on which something was sent. A line that a firewall has forgotten, or whose server has lost its power, says nothing.
const lineTime = 15 * time.Second

// serverSettings are those of the server for the gateway's lines. How long it waits for a gateway that is silent, in milliseconds
// and seconds: a line that is cut in the middle of an act holds the head of the chain, for which all gateways wait, until the
// server ends it. And that what it says is written is on the disk, whatever it was set to.
var serverSettings = map[string]string{
	"idle_in_transaction_session_timeout": "5000", "tcp_user_timeout": "15000",
	"tcp_keepalives_idle": "15", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "3",
	"synchronous_commit": "on",
}

// openPostgres: acts wait for each other at the head of the chain; those that wait must not hold the connections that others read by.
func openPostgres(cfg Config) (*Store, error) {
	line, err := pgx.ParseConfig(cfg.DSN)
	if err != nil {
		return nil, errors.New("store: the database URL cannot be read") // the cause would quote the password
	}
	if !isProtected(line) {
		return nil, errors.New("store: the line to the database could be read and changed on its way: end the URL in " +
			"?sslmode=verify-full&sslrootcert=FILE")
	}
	for name, value := range serverSettings {
		line.RuntimeParams[name] = value
	}
	line.DialFunc = dialer(line.ConnectTimeout).DialContext
	return &Store{
		write: pool(line, 4, 4), read: reads{all: pool(line, readers, readers), pages: pool(line, pageReaders, pageReaders)},
		own: cfg.Now, gateway: cfg.Gateway, moved: cfg.Moved, room: cfg.MakeRoom, short: cfg.Short,
	}, nil
}

// isProtected says whether lines to the database stay on this machine, or prove by whom they are answered and go on only in TLS.
// pgx's own default is TLS that any certificate will do for, and none where the server says so: whoever stands between
// could refuse it, read everything, and give orders as the gateway.
func isProtected(line *pgx.ConnConfig) bool {
	ways := append([]*pgconn.FallbackConfig{{Host: line.Host, TLSConfig: line.TLSConfig}}, line.Fallbacks...)
	for _, way := range ways {
		address, err := netip.ParseAddr(way.Host)
		stays := strings.HasPrefix(way.Host, "/") || err == nil && address.IsLoopback()
		if !stays && (way.TLSConfig == nil || way.TLSConfig.InsecureSkipVerify) {
			return false
		}
	}
	return true
}

func pool(line *pgx.ConnConfig, most, idle int) *sql.DB {
	db := stdlib.OpenDB(*line)
	db.SetMaxOpenConns(most)
	db.SetMaxIdleConns(idle)
	return db
}

// dialer makes lines that end when the other end is silent: at rest after lineTime and three probes.
func dialer(timeout time.Duration) *net.Dialer {
	return &net.Dialer{
		Timeout:         timeout,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: lineTime, Interval: lineTime / 3, Count: 3},
		Control:         boundLine,
	}
}
