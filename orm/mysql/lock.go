package mysql

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"

	"github.com/retort-web/retort/orm"
)

// Lock is the lock of orm.DB.Lock, by GET_LOCK, which is the server's and so is asked for under
// a name that has the database in it. It holds a connection.
func (d *database) Lock(ctx context.Context, name string) (unlock func(), err error) {
	c, err := d.pool.Take(ctx)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(d.server.config.DBName + "\x00" + name))
	lock := "retort " + hex.EncodeToString(sum[:16])
	got, err := c.number(ctx, "SELECT GET_LOCK("+quoteText(lock)+", 31536000)")
	if err == nil && got != 1 {
		err = errors.New("mysql: the server did not give the lock")
	}
	if err != nil {
		d.pool.Give(c)
		return nil, err
	}
	return func() {
		if _, err := c.number(context.WithoutCancel(ctx), "SELECT RELEASE_LOCK("+quoteText(lock)+")"); err != nil {
			c.broken.Store(true)
		}
		d.pool.Give(c)
	}, nil
}

// number runs a query for a single number.
func (c *conn) number(ctx context.Context, sql string) (int64, error) {
	rows, err := c.query(ctx, orm.Statement{SQL: sql}, func() {})
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	if !rows.Next() {
		return 0, rows.Err()
	}
	values, err := rows.Values()
	if err != nil {
		return 0, err
	}
	n, _ := values[0].(int64)
	return n, nil
}
