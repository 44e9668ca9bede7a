//go:build sqlite

package main

import (
	"github.com/retort-web/retort/bench/internal/litestore"

	_ "github.com/mattn/go-sqlite3"
	_ "modernc.org/sqlite"
)

func init() {
	openLite = func(driver string) store { return litestore.Open(driver) }
}
