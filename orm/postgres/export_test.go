package postgres

import (
	"context"

	"github.com/retort-web/retort/orm"
)

// Queue tells how many statements wait for a connection, and how many connections are
// held between the statements of a request.
type Queue struct{ Waiting, Held func() int }

// OpenQueue opens a database whose queue can be watched.
func OpenQueue(ctx context.Context, url string) (*orm.DB, Queue, error) {
	b, err := opener{}.Open(ctx, url)
	if err != nil {
		return nil, Queue{}, err
	}
	d := b.(*database)
	return orm.NewDB(d), Queue{
		Waiting: func() int { return int(d.waiting.Load()) },
		Held:    func() int { return int(d.held.count.Load()) },
	}, nil
}
