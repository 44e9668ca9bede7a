// Package entstore is the data layer of the ent contender.
package entstore

import (
	"github.com/retort-web/retort/bench/internal/kit"

	"github.com/retort-web/retort/bench/internal/entstore/ent"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

func Open() *ent.Client {
	c, err := pgx.ParseConfig(kit.DSN)
	kit.Must(err)
	db := stdlib.OpenDB(*c)
	db.SetMaxOpenConns(kit.Pool)
	db.SetMaxIdleConns(kit.Pool)
	return ent.NewClient(ent.Driver(entsql.OpenDB(dialect.Postgres, db)))
}
