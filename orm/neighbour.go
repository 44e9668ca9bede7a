package orm

import (
	"context"
	"fmt"
	"unsafe"
)

// Next returns the row that comes after a row when the query's rows are ordered by the
// field, and by primary key where its values are equal: the next post of a blog. The row
// itself need not be among those of the query, nor be stored as it is. The query's own
// order does not matter. After the last row the error is ErrNotFound.
//
//	next, err := Posts.Where(orm.Eq(&p.Status, Live)).Next(ctx, post, &p.Published)
func (s *Query[P]) Next(ctx context.Context, row P, field any) (P, error) {
	next, err := s.use().neighbour(ctx, "Next", base(row), field, ">")
	return rowOf[P](next), err
}

// Previous returns the row that comes before a row: see [Query.Next].
func (s *Query[P]) Previous(ctx context.Context, row P, field any) (P, error) {
	previous, err := s.use().neighbour(ctx, "Previous", base(row), field, "<")
	return rowOf[P](previous), err
}

func (q *query) neighbour(ctx context.Context, verb string, row unsafe.Pointer, field any, op string) (unsafe.Pointer, error) {
	if err := q.ready(); err != nil {
		return nil, err
	}
	q = q.derive()
	m := q.model
	f, err := m.indexed(field)
	if err != nil {
		return nil, err
	}
	if row == nil {
		return nil, fmt.Errorf("orm: %s of %s: the row is nil", verb, m.Name)
	}
	if q.limited || q.offset > 0 {
		return nil, fmt.Errorf("orm: %s of a query with Limit or Offset, whose rows depend on another order", verb)
	}
	key, err := m.savedKey(row)
	if err != nil {
		return nil, err
	}
	value, err := f.value(row)
	switch {
	case err != nil:
		return nil, err
	case value == nil:
		return nil, fmt.Errorf("orm: %s of a %s by %s, which is NULL in it", verb, m.Name, f.Name)
	}
	beyondKey := &compare{op, m.keyRef(), &variable{key}}
	if f == m.PrimaryKey {
		q.where = add[expr](q.where, beyondKey)
	} else {
		equal := &logic{kids: []expr{&compare{"=", m.ref(f), &variable{value}}, beyondKey}}
		q.where = add[expr](q.where, &logic{or: true, kids: []expr{&compare{op, m.ref(f), &variable{value}}, equal}})
	}
	back := op == "<"
	q.order, q.ordered = []Order{{of: m.ref(f), desc: back}, {of: m.keyRef(), desc: back}}, true
	return q.first(ctx)
}
