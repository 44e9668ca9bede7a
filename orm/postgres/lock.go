package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// Lock waits for an advisory lock of the server. It is held by a connection beside the
// pool, of which a pool of one has none to spare. The name counts within the schema that
// the session works in.
func (d *database) Lock(ctx context.Context, name string) (unlock func(), err error) {
	c, err := pgx.ConnectConfig(ctx, d.pool.Config().ConnConfig)
	if err != nil {
		return nil, err
	}
	end := func() {
		ctx, stop := context.WithTimeout(context.Background(), endPatience)
		defer stop()
		_ = c.Close(ctx) // which gives the lock back
	}
	// A server that is asked often enough notices that its client is gone.
	for {
		var got bool
		err := c.QueryRow(ctx, "SELECT pg_try_advisory_lock(hashtextextended(coalesce(current_schema(), '') || ' ' || $1, 0))", name).Scan(&got)
		if err != nil {
			end()
			return nil, err
		}
		if got {
			return end, nil
		}
		select {
		case <-ctx.Done():
			end()
			return nil, ctx.Err()
		case <-time.After(lockPause):
		}
	}
}

// lockPause is how long a lock that somebody holds is left alone.
const lockPause = 20 * time.Millisecond
