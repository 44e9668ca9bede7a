package migrate

import (
	"context"

	"github.com/retort-web/retort/orm/schema"
)

// Database is what migrations need of a connection to a database.
type Database interface {
	// Dialect writes the DDL of this database.
	Dialect() schema.Dialect
	// Exec runs one statement, and Query one that returns rows. With the
	// context of a transaction they run in it.
	Exec(ctx context.Context, sql string, args ...any) error
	Query(ctx context.Context, sql string, args ...any) ([][]any, error)
	// Transaction runs fn in a transaction that may write from its first
	// statement on (BEGIN IMMEDIATE on SQLite): what fn reads stays true until
	// the commit. It commits when fn returns nil, and rolls back on an error
	// or a panic.
	Transaction(ctx context.Context, options TransactionOptions, fn func(ctx context.Context) error) error
	// Lock waits for the advisory lock of this name, which keeps a second
	// process out until unlock is called. SQLite has no such locks and needs
	// none: there it does nothing, since its write transaction is the lock.
	Lock(ctx context.Context, name string) (unlock func(), err error)
}

// TransactionOptions are the options of [Database].Transaction.
type TransactionOptions struct {
	// WithoutForeignKeys does not enforce foreign keys during the
	// transaction. SQLite can only do that before a transaction begins, on the
	// connection that it will use (PRAGMA foreign_keys), and must turn them on
	// again after it. Databases that change tables in place ignore it.
	WithoutForeignKeys bool
}
