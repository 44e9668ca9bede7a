package mysql

import (
	"context"

	"github.com/retort-web/retort/orm"
)

// OpenAsMySQL opens a database, of MariaDB perhaps, without RETURNING, as MySQL is.
func OpenAsMySQL(ctx context.Context, url string) (*orm.DB, error) {
	b, err := opener{}.Open(ctx, url)
	if err != nil {
		return nil, err
	}
	b.(*database).dialect.mariaDB = false
	return orm.NewDB(b), nil
}

var (
	ParseURL = parseURL
	KindOf   = kindOf
	Classify = classify
)
