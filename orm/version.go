package orm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"unsafe"
)

// unchanged is the condition that rows are stored with the versions that they were read
// with; without a field for the version it asks for their keys only.
func (m *ModelInfo) unchanged(rows []unsafe.Pointer) (expr, error) {
	keys := make([]any, len(rows))
	for i, row := range rows {
		var err error
		if keys[i], err = m.savedKey(row); err != nil {
			return nil, err
		}
	}
	if m.version == nil {
		return m.keyIn(keys), nil
	}
	byVersion := map[any][]any{}
	var versions []any // in a fixed order, so that the text of a statement repeats
	for i, row := range rows {
		version, err := m.version.value(row)
		if err != nil {
			return nil, err
		}
		if byVersion[version] == nil {
			versions = append(versions, version)
		}
		byVersion[version] = append(byVersion[version], keys[i])
	}
	where := &logic{or: true}
	for _, version := range versions {
		where.kids = append(where.kids, &logic{kids: []expr{
			&compare{"=", m.ref(m.version), &variable{version}}, m.keyIn(byVersion[version]),
		}})
	}
	return where, nil
}

// missing says why some of the rows, of which a statement found so many, were not
// there: they are gone, or have another version than they were read with. With marked,
// rows that are marked as deleted are not gone.
func (q *query) missing(ctx context.Context, rows []unsafe.Pointer, found int64, marked bool) error {
	if q.model.version == nil {
		return q.notFound()
	}
	keys := q.model.keysOf(rows)
	there, err := (&query{model: q.model, withDeleted: marked, where: []expr{q.model.keyIn(keys)}}).count(ctx)
	switch {
	case err != nil:
		return err
	case there <= found && there < int64(len(keySet(keys))):
		return q.notFound()
	case len(keys) == 1:
		return fmt.Errorf("%w: %s %v", ErrStale, q.model.Label(), keys[0])
	}
	return fmt.Errorf("%w: %d of %d rows of %s", ErrStale, int64(len(keys))-found, len(keys), q.model.Label())
}

// countVersion notes in a row that it was updated.
func (m *ModelInfo) countVersion(row unsafe.Pointer) error {
	if m.version == nil {
		return nil
	}
	p := unsafe.Add(row, m.version.offset)
	v, err := m.version.codec.load(p)
	if err == nil {
		err = m.version.codec.store(p, v.(int64)+1)
	}
	return err
}

func (m *ModelInfo) countVersions(rows []unsafe.Pointer) error {
	for _, row := range rows {
		if err := m.countVersion(row); err != nil {
			return err
		}
	}
	return nil
}

// setVersion counts the version up in an UPDATE that sets something before it.
func (c *compiler) setVersion() {
	version := c.root.model.version
	if version == nil {
		return
	}
	c.text(", ")
	c.quote(version.Column)
	c.text(" = ")
	c.quote(version.Column)
	c.text(" + 1")
}

// deleteVersions deletes the chosen rows, which are those that have not changed since they
// were read. If another one is still there, none is deleted.
func (q *query) deleteVersions(ctx context.Context, db *DB, rows []unsafe.Pointer, chosen *query) error {
	var gone error
	err := db.Atomic(ctx, TxOptions{}, func(ctx context.Context) error {
		alone := q.model.deletesAlone()
		choose := chosen.claim
		if alone {
			choose = func(ctx context.Context) (int64, error) { return chosen.deleteAlone(ctx, db) }
		}
		n, err := choose(ctx)
		if err != nil {
			return err
		}
		if n < int64(len(rows)) {
			if alone {
				n = 0 // those that were chosen are not there any more
			}
			if err := q.missing(ctx, rows, n, false); !errors.Is(err, ErrNotFound) {
				return err
			}
			gone = q.notFound()
		}
		if alone {
			return nil
		}
		_, err = q.collectRows(ctx, db, rows)
		return err
	})
	return cmp.Or(err, gone)
}

// claim counts up the version of rows that are about to be deleted. That locks them, so
// that they stay as they were read while it is found what goes with them.
func (q *query) claim(ctx context.Context) (int64, error) {
	return q.change(ctx, func(c *compiler) {
		version := q.model.version.Column
		c.text("UPDATE ")
		c.quote(q.model.Table)
		c.text(" SET ")
		c.quote(version)
		c.text(" = ")
		c.quote(version)
		c.text(" + 1")
	})
}
