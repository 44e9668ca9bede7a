package orm

import (
	"context"
	"fmt"
	"iter"
	"unsafe"
)

// QuerySet is a query of the rows of a model. It is an immutable value: each
// step returns a new one and leaves the old as it was, so that queries can be
// kept, shared between goroutines and refined. It does nothing until a method
// that takes a context runs it. The order in which steps are taken does not
// matter, except that each Where looks at relations to many on its own.
//
// [Register] returns the QuerySet of all rows.
type QuerySet[T any] struct{ q *query }

// Fields returns the model's prototype, whose fields' addresses are their
// names. It is the same at each call, is shared by the whole program, and must
// not be written to.
func (s QuerySet[T]) Fields() *T { return (*T)(s.q.model.names.root.base) }

// Info returns what is known of the model.
func (s QuerySet[T]) Info() *ModelInfo { return s.q.model }

// New returns a new row with the defaults of its fields applied. It is not
// inserted.
func (s QuerySet[T]) New() *T { return (*T)(s.q.model.newRow()) }

// Where keeps the rows that meet all the conditions. Conditions on a relation to
// many hold for a row if one related row meets those of this call together;
// those of another Where may be met by another related row. No row is repeated
// because several related rows meet them.
func (s QuerySet[T]) Where(conds ...Cond) QuerySet[T] {
	if len(conds) == 0 {
		return s
	}
	q := s.use().derive()
	e := conds[0].orInvalid()
	if len(conds) > 1 {
		e = &logic{false, exprs(conds)}
	}
	q.where = add(q.where, e)
	return QuerySet[T]{q}
}

// Exclude leaves out the rows that meet all the conditions: Where(Not(And(…))).
func (s QuerySet[T]) Exclude(conds ...Cond) QuerySet[T] {
	if len(conds) == 0 {
		return s
	}
	return s.Where(Not(And(conds...)))
}

// OrderBy sets the order, in place of an earlier one and of the model's own.
// Without terms there is none.
func (s QuerySet[T]) OrderBy(terms ...Order) QuerySet[T] {
	q := s.use().derive()
	q.order, q.ordered = add[Order](nil, terms...), true
	return QuerySet[T]{q}
}

// Limit returns at most n rows.
func (s QuerySet[T]) Limit(n int) QuerySet[T] {
	q := s.use().derive()
	q.limit, q.limited = n, true
	if n < 0 {
		q.err = fmt.Errorf("orm: Limit(%d) is negative", n)
	}
	return QuerySet[T]{q}
}

// Offset leaves out the first n rows.
func (s QuerySet[T]) Offset(n int) QuerySet[T] {
	q := s.use().derive()
	q.offset = n
	if n < 0 {
		q.err = fmt.Errorf("orm: Offset(%d) is negative", n)
	}
	return QuerySet[T]{q}
}

// Distinct returns rows that are the same in all columns once. Conditions never
// repeat rows, so it is of use for [Select].
func (s QuerySet[T]) Distinct() QuerySet[T] {
	q := s.use().derive()
	q.distinct = true
	return QuerySet[T]{q}
}

// With loads relations together with the rows: &p.Author by a JOIN, &p.Tags by
// one more query for all rows, &p.Author.To().Country through one another. [Only] loads
// some of the rows of a relation to many.
func (s QuerySet[T]) With(relations ...any) QuerySet[T] {
	q := s.use().derive()
	for _, relation := range relations {
		w, err := withOf(relation)
		if err != nil && q.err == nil {
			q.err = err
		}
		q.with = add(q.with, w)
	}
	return QuerySet[T]{q}
}

// GroupBy groups the rows of a [Select] by fields or expressions.
func (s QuerySet[T]) GroupBy(fields ...any) QuerySet[T] {
	q := s.use().derive()
	for _, field := range fields {
		q.group = add(q.group, operandOf(field))
	}
	return QuerySet[T]{q}
}

// Having keeps the groups of a [Select] that meet the conditions, made of
// aggregates: orm.Count(&p.ID).Gt(3).
func (s QuerySet[T]) Having(conds ...Cond) QuerySet[T] {
	q := s.use().derive()
	q.having = add(q.having, exprs(conds)...)
	return QuerySet[T]{q}
}

// None returns a query that has no rows and is never sent.
func (s QuerySet[T]) None() QuerySet[T] {
	q := s.use().derive()
	q.where = add[expr](q.where, &logic{or: true})
	return QuerySet[T]{q}
}

// All returns the rows.
func (s QuerySet[T]) All(ctx context.Context) ([]*T, error) {
	rows, err := s.use().all(ctx, s.use().orderTerms())
	return rowsOf[T](rows), err
}

// rowsOf reads a list of addresses as one of rows: the memory is the same.
func rowsOf[T any](rows []unsafe.Pointer) []*T {
	return *(*[]*T)(unsafe.Pointer(&rows))
}

// Each returns the rows one by one as they arrive from the database, for
// results too large to hold. The loop may end early. Rows of relations to many
// in With are loaded for some hundred rows at a time.
//
//	for post, err := range Posts.Each(ctx) {
func (s QuerySet[T]) Each(ctx context.Context) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		err := s.use().stream(ctx, func(row unsafe.Pointer) bool { return yield((*T)(row), nil) })
		if err != nil {
			yield(nil, err)
		}
	}
}

// First returns the first row: by the query's order, or by primary key if it
// has none. Without a row the error is ErrNotFound.
func (s QuerySet[T]) First(ctx context.Context) (*T, error) {
	q := s.use().derive()
	if !q.limited || q.limit > 1 {
		q.limit, q.limited = 1, true
	}
	rows, err := q.all(ctx, q.keyOrder())
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, q.notFound()
	}
	return (*T)(rows[0]), nil
}

// Get returns the only row. Without one the error is ErrNotFound, with more
// than one it is ErrMultiple.
func (s QuerySet[T]) Get(ctx context.Context) (*T, error) {
	q := s.use().derive()
	if !q.limited || q.limit > 2 {
		q.limit, q.limited = 2, true
	}
	rows, err := q.all(ctx, nil)
	switch {
	case err != nil:
		return nil, err
	case len(rows) == 0:
		return nil, q.notFound()
	case len(rows) > 1:
		return nil, fmt.Errorf("%w of %s meets the conditions of Get", ErrMultiple, q.model.Label())
	}
	return (*T)(rows[0]), nil
}

func (q *query) notFound() error {
	return fmt.Errorf("%w: no %s", ErrNotFound, q.model.Label())
}

// Count returns how many rows there are, with Limit and Offset taken into account.
func (s QuerySet[T]) Count(ctx context.Context) (int64, error) { return s.use().count(ctx) }

// Exists reports whether there is a row.
func (s QuerySet[T]) Exists(ctx context.Context) (bool, error) { return s.use().exists(ctx) }

// Page returns the rows of one page of that size. A number below 1 is the first
// page, one past the end the last, as numbers come from URLs. Rows are ordered by
// primary key after the query's own order, so that no row is on two pages.
func (s QuerySet[T]) Page(ctx context.Context, number, size int) (Page[T], error) {
	if size < 1 {
		return Page[T]{}, fmt.Errorf("orm: a page of %d rows", size)
	}
	total, err := s.use().count(ctx)
	if err != nil {
		return Page[T]{}, err
	}
	p := Page[T]{PageInfo: newPage(number, size, total)}
	q := s.use().derive()
	before := (p.Number - 1) * size
	if q.limited {
		size = min(size, q.limit-before)
	}
	q.offset, q.limit, q.limited = q.offset+before, max(size, 0), true
	rows, err := q.all(ctx, add(q.orderTerms(), Order{of: q.model.keyRef()}))
	p.Items = rowsOf[T](rows)
	return p, err
}
