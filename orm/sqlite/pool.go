package sqlite

import (
	"context"
	"errors"

	"github.com/retort-web/retort/orm/internal/pool"
)

var (
	errClosed = errors.New("sqlite: the database is closed")
	errQueue  = errors.New("sqlite: no connection became free; inside orm.Atomic, use the context that it gives to its function, and close rows that are no longer read")
)

// newPool makes the pool of the connections that write, or of those that read. When another
// file is in the place of the database, those to the one before are closed.
func (d *database) newPool(size int, writes bool) *pool.Pool[*conn] {
	return pool.New(pool.Options[*conn]{
		Size: size, Wait: d.options.QueueTimeout, ErrQueue: errQueue, ErrClosed: errClosed,
		Look: func() (int, error) { return d.place.look(writes) },
		Open: func(ctx context.Context, file int) (*conn, error) {
			c, err := d.connect(ctx, writes && !d.options.ReadOnly)
			if err == nil {
				c.file = file
			}
			return c, err
		},
		Fits:   func(_ context.Context, c *conn, file int) bool { return c.file == file },
		Broken: func(c *conn) bool { return c.broken.Load() },
		Close:  (*conn).close,
	})
}
