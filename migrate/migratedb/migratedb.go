// Package migratedb lets package migrate work on a database of package orm.
//
//	graph, err := migrate.Load(migrate.Sets()...)
//	…
//	steps, err := graph.Apply(ctx, migratedb.Connection{DB: conn}, migrate.Target{}, migrate.Options{})
package migratedb

import (
	"context"

	"github.com/retort-web/retort/migrate"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/orm/schema"
)

// Connection is a database as package migrate sees it.
type Connection struct{ *orm.DB }

var _ migrate.Database = Connection{}

// Dialect implements [migrate.Database].
func (c Connection) Dialect() schema.Dialect { return c.Schema() }

// Exec implements [migrate.Database].
func (c Connection) Exec(ctx context.Context, sql string, args ...any) error {
	_, err := c.DB.Exec(ctx, sql, args...)
	return err
}

// Query implements [migrate.Database].
func (c Connection) Query(ctx context.Context, sql string, args ...any) ([][]any, error) {
	return c.Values(ctx, sql, args...)
}

// Transaction implements [migrate.Database].
func (c Connection) Transaction(ctx context.Context, options migrate.TransactionOptions, fn func(ctx context.Context) error) error {
	return c.Atomic(ctx, orm.TxOptions{WithoutForeignKeys: options.WithoutForeignKeys}, fn)
}

// Lock implements [migrate.Database].
func (c Connection) Lock(ctx context.Context, name string) (unlock func(), err error) {
	return c.DB.Lock(ctx, name)
}
