package orm

import "context"

// Lock waits for the advisory lock of a name, which only one holder in all the programs
// that use the database has at a time, until it calls unlock or its connection ends. It
// does nothing on SQLite, where a transaction that writes is such a lock.
func (db *DB) Lock(ctx context.Context, name string) (unlock func(), err error) {
	l, ok := db.backend.(interface {
		Lock(ctx context.Context, name string) (unlock func(), err error)
	})
	if !ok {
		return func() {}, nil
	}
	unlock, err = l.Lock(ctx, name)
	return unlock, db.failure(ctx, nil, err)
}
