//go:build sqlite

package bunstore

import (
	"database/sql"

	"github.com/retort-web/retort/bench/internal/kit"
	"github.com/retort-web/retort/bench/internal/litestore"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	_ "modernc.org/sqlite"
)

func init() {
	Lite = func() *bun.DB {
		sq, err := sql.Open("sqlite", litestore.DSN("sqlite"))
		kit.Must(err)
		db := bun.NewDB(sq, sqlitedialect.New())
		db.RegisterModel((*PostTag)(nil))
		return db
	}
}
