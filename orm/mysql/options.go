package mysql

import (
	"crypto/tls"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/retort-web/retort/orm"
)

// Options are the options of a database. The zero value is right for most.
type Options struct {
	// MaxConns is the most connections open at the same time. Default: 4 for each
	// CPU, at least 16. The server has a limit of its own, max_connections, that all
	// programs share.
	MaxConns int
	// MaxIdleTime is how long a connection stays open unused. Default: 5m.
	MaxIdleTime time.Duration
	// MaxLifetime is how long a connection is used at most, so that a server behind a
	// name that moved is found. Default: 1h.
	MaxLifetime time.Duration
	// QueueTimeout is how long a statement waits for a connection when all are in
	// use. Default: 30s.
	QueueTimeout time.Duration
	// ConnectTimeout is how long the making of a connection may take. Default: 10s.
	ConnectTimeout time.Duration
	// LockTimeout is how long a statement waits for rows that others have locked.
	// Default: the server's, innodb_lock_wait_timeout, which is 50s unless changed.
	LockTimeout time.Duration
	// StatementTimeout is how long a statement may run, in milliseconds at the finest,
	// before the server stops it with an error that is [context.DeadlineExceeded]. MySQL
	// stops queries alone by it, MariaDB all statements, those of migrations too.
	// Default: the server's, which is no limit unless changed.
	StatementTimeout time.Duration
	// Statements is how many prepared statements each connection keeps. The server
	// has a limit for all, max_prepared_stmt_count. Default: 200.
	Statements int
	// Isolation is the level of transactions that ask for none.
	// Default: READ COMMITTED, as on PostgreSQL.
	Isolation orm.Isolation
	// Collation is how text is compared and sorted where a column does not say it.
	// Default: by code point, telling case and trailing spaces apart, as other
	// databases do: utf8mb4_0900_bin on MySQL, utf8mb4_nopad_bin on MariaDB.
	Collation string
	// TLS encrypts the connection. Default: none.
	TLS *tls.Config
}

func (o *Options) setDefaults() {
	setDefault(&o.MaxConns, max(16, 4*runtime.GOMAXPROCS(0)))
	setDefault(&o.MaxIdleTime, 5*time.Minute)
	setDefault(&o.MaxLifetime, time.Hour)
	setDefault(&o.QueueTimeout, 30*time.Second)
	setDefault(&o.ConnectTimeout, 10*time.Second)
	setDefault(&o.Statements, 200)
	setDefault(&o.Isolation, orm.ReadCommitted)
}

func setDefault[V comparable](field *V, value V) {
	var zero V
	if *field == zero {
		*field = value
	}
}

func (o *Options) check() error {
	for name, value := range map[string]int64{
		"pool": int64(o.MaxConns), "max_idle_time": int64(o.MaxIdleTime), "max_lifetime": int64(o.MaxLifetime),
		"queue_timeout": int64(o.QueueTimeout), "connect_timeout": int64(o.ConnectTimeout),
		"lock_timeout": int64(o.LockTimeout), "statement_timeout": int64(o.StatementTimeout), "statements": int64(o.Statements),
	} {
		if value < 0 {
			return fmt.Errorf("mysql: %s is negative", name)
		}
	}
	levels := []orm.Isolation{orm.DefaultIsolation, orm.ReadCommitted, orm.RepeatableRead, orm.Serializable}
	if !slices.Contains(levels, o.Isolation) {
		return fmt.Errorf("mysql: isolation %q; known are READ COMMITTED, REPEATABLE READ and SERIALIZABLE", o.Isolation)
	}
	for _, r := range o.Collation {
		if r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') {
			return fmt.Errorf("mysql: collation %q is no name of a collation", o.Collation)
		}
	}
	return nil
}
