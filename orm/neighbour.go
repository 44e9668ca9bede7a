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
func (s QuerySet[T]) Next(ctx context.Context, row *T, field any) (*T, error) {
	return s.neighbour(ctx, "Next", row, field, ">")
}

// Previous returns the row that comes before a row: see [QuerySet.Next].
func (s QuerySet[T]) Previous(ctx context.Context, row *T, field any) (*T, error) {
	return s.neighbour(ctx, "Previous", row, field, "<")
}

func (s QuerySet[T]) neighbour(ctx context.Context, verb string, row *T, field any, op string) (*T, error) {
	if err := s.use().ready(); err != nil {
		return nil, err
	}
	q := s.q.derive()
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
	key, err := m.savedKey(unsafe.Pointer(row))
	if err != nil {
		return nil, err
	}
	value, err := f.value(unsafe.Pointer(row))
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
	return QuerySet[T]{q}.First(ctx)
}
