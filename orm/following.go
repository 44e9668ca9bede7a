package orm

import (
	"context"
	"math"
	"slices"
	"unsafe"
)

// keyFollower is a [Dialect] whose database may make the keys of the rows of one INSERT so
// that they follow one another, the last of which is Result.LastID. To know that is quicker
// than RETURNING.
type keyFollower interface {
	// KeysFollow is a query, to be run in a transaction after an INSERT of several rows,
	// whether the keys of those of further INSERTs will follow one another. If so it returns
	// the greatest key there is, and otherwise no row.
	KeysFollow(table, column string) (sql string, args []any)
}

// followRows inserts rows of a group, the first of those left in done by RETURNING and further
// full batches without, if there are enough rows and their keys are sure to follow one another.
// It returns how many rows there are now.
func (m *ModelInfo) followRows(ctx context.Context, db *DB, g *insertGroup, done int) (int, error) {
	d, ok := db.backend.Dialect().(keyFollower)
	size := m.batchSize(db)
	if !ok || !g.giveKeys || !m.PrimaryKey.AutoIncrement || size == 1 || len(g.rows)-done < 2*size {
		return done, nil
	}
	part := *g
	part.rows = g.rows[done : done+size]
	if err := m.insertBatch(ctx, db, &part); err != nil {
		return done, err
	}
	done += size
	last, err := m.PrimaryKey.codec.load(unsafe.Add(part.rows[size-1], m.PrimaryKey.offset))
	if err != nil {
		return done, m.PrimaryKey.fault(err)
	}
	sql, args := d.KeysFollow(m.Table, m.PrimaryKey.Column)
	found, err := db.keys(ctx, Statement{SQL: sql, Args: args})
	// At the greatest key of all databases begin to look for free ones.
	if err != nil || len(found) != 1 || any(found[0]) != last || found[0] > math.MaxInt64-int64(len(g.rows)) {
		return done, err
	}
	for part.rows = range slices.Chunk(g.rows[done:len(g.rows)-(len(g.rows)-done)%size], size) {
		if err := m.insertFollowing(ctx, db, &part); err != nil {
			return done, err
		}
		done += size
	}
	return done, nil
}

// insertFollowing inserts a batch of rows whose keys follow one another.
func (m *ModelInfo) insertFollowing(ctx context.Context, db *DB, g *insertGroup) error {
	s, err := m.insertStatement(db, g, false)
	if err != nil {
		return err
	}
	result, err := db.exec(ctx, s)
	switch {
	case err != nil:
		return err
	case result.Affected != int64(len(g.rows)):
		return m.keysMissing(int(result.Affected), len(g.rows))
	}
	if err := m.countKeys(g.rows, result.LastID-int64(len(g.rows)-1), 1); err != nil {
		return err
	}
	return m.inserted(ctx, db, g)
}
