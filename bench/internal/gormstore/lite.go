//go:build sqlite

package gormstore

import (
	"github.com/retort-web/retort/bench/internal/kit"

	"github.com/glebarez/sqlite"
	"gorm.io/gorm"
)

func init() {
	Lite = func() gorm.Dialector {
		return sqlite.Open("file:" + kit.SQLite + "?_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=busy_timeout(5000)")
	}
}
