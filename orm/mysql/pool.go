package mysql

import (
	"context"
	"errors"
	"time"

	"github.com/retort-web/retort/orm/internal/pool"
)

var (
	errClosed = errors.New("mysql: the database is closed")
	errQueue  = errors.New("mysql: no connection became free; inside orm.Atomic, use the context that it gives to its function, and close rows that are no longer read")
)

// connections is the pool of those to a server.
type connections struct{ *pool.Pool[*conn] }

func newPool(options Options, open func(ctx context.Context) (*conn, error)) connections {
	return connections{pool.New(pool.Options[*conn]{
		Size: options.MaxConns, Wait: options.QueueTimeout, IdleTime: options.MaxIdleTime, ErrQueue: errQueue, ErrClosed: errClosed,
		Open: func(ctx context.Context, _ int) (*conn, error) { return open(ctx) },
		Fits: func(ctx context.Context, c *conn, _ int) bool {
			return time.Since(c.born) < options.MaxLifetime && c.healthy(ctx)
		},
		Broken: func(c *conn) bool { return c.broken.Load() },
		Close:  (*conn).close,
	})}
}

// Give notes that the connection has been in use before.
func (p connections) Give(c *conn) {
	if !c.broken.Load() {
		c.usedBefore = true
	}
	p.Pool.Give(c)
}
