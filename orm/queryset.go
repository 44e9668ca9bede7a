package orm

import (
	"context"
	"iter"
	"unsafe"
)

// QuerySet is a query of the rows of a model. It is an immutable value: each
// step returns a new one and leaves the old as it was, so that queries can be
// kept, shared between goroutines and refined. It does nothing until a method
// that takes a context runs it. The order in which steps are taken does not
// matter, except that each Where looks at relations to many on its own.
//
// [Register] returns the QuerySet of all rows. Its methods are those of [Query].
type QuerySet[T any] = *Query[*T]

// Query is what a [QuerySet] points to: that of a model Post is a *Query[*Post], and no
// other P is of use. Because all pointers are alike to the compiler, the methods below
// are compiled once, and not for each model.
//
// They have no code of their own to speak of: what they do is done by the query, which
// knows its model without its type, and which an [AnySet] has too.
type Query[P any] struct {
	_ [0]P
	q query
}

// typed is the query as one of rows of a type, in the same memory.
func typed[P any](q *query) *Query[P] { return (*Query[P])(unsafe.Pointer(q)) }

// use returns the query; that of a zero QuerySet, which ready refuses, is empty.
func (s *Query[P]) use() *query {
	if s == nil {
		return &query{}
	}
	return &s.q
}

// rowOf reads an address as the row there.
func rowOf[P any](row unsafe.Pointer) P { return *(*P)(unsafe.Pointer(&row)) }

// rowsOf reads a list of addresses as one of rows: the memory is the same.
func rowsOf[P any](rows []unsafe.Pointer) []P { return *(*[]P)(unsafe.Pointer(&rows)) }

// base is the address of a row.
func base[P any](row P) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&row)) }

// bases reads a list of rows as one of their addresses.
func bases[P any](rows []P) []unsafe.Pointer { return *(*[]unsafe.Pointer)(unsafe.Pointer(&rows)) }

// Fields returns the model's prototype, whose fields' addresses are their
// names. It is the same at each call, is shared by the whole program, and must
// not be written to.
func (s *Query[P]) Fields() P { return rowOf[P](s.q.model.names.root.base) }

// Info returns what is known of the model.
func (s *Query[P]) Info() *ModelInfo { return s.q.model }

// New returns a new row with the defaults of its fields applied. It is not
// inserted.
func (s *Query[P]) New() P { return rowOf[P](s.q.model.newRow()) }

// Where keeps the rows that meet all the conditions. Conditions on a relation to
// many hold for a row if one related row meets those of this call together;
// those of another Where may be met by another related row. No row is repeated
// because several related rows meet them.
func (s *Query[P]) Where(conds ...Cond) *Query[P] { return typed[P](s.use().filter(conds)) }

// Exclude leaves out the rows that meet all the conditions: Where(Not(And(…))).
func (s *Query[P]) Exclude(conds ...Cond) *Query[P] { return typed[P](s.use().exclude(conds)) }

// OrderBy sets the order, in place of an earlier one and of the model's own.
// Without terms there is none.
func (s *Query[P]) OrderBy(terms ...Order) *Query[P] { return typed[P](s.use().orderBy(terms)) }

// Limit returns at most n rows.
func (s *Query[P]) Limit(n int) *Query[P] { return typed[P](s.use().limitTo(n)) }

// Offset leaves out the first n rows.
func (s *Query[P]) Offset(n int) *Query[P] { return typed[P](s.use().skip(n)) }

// Distinct returns rows that are the same in all columns once. Conditions never
// repeat rows, so it is of use for [Select].
func (s *Query[P]) Distinct() *Query[P] { return typed[P](s.use().onlyDistinct()) }

// With loads relations together with the rows: &p.Author by a JOIN, &p.Tags by
// one more query for all rows, &p.Author.To().Country through one another. [Only] loads
// some of the rows of a relation to many.
func (s *Query[P]) With(relations ...any) *Query[P] { return typed[P](s.use().loading(relations)) }

// GroupBy groups the rows of a [Select] by fields or expressions.
func (s *Query[P]) GroupBy(fields ...any) *Query[P] { return typed[P](s.use().groupBy(fields)) }

// Having keeps the groups of a [Select] that meet the conditions, made of
// aggregates: orm.Count(&p.ID).Gt(3).
func (s *Query[P]) Having(conds ...Cond) *Query[P] { return typed[P](s.use().filterGroups(conds)) }

// None returns a query that has no rows and is never sent.
func (s *Query[P]) None() *Query[P] { return typed[P](s.use().none()) }

// All returns the rows. They are made together, up to 32 in one piece of memory: who keeps
// one of them for long keeps the others of its piece, unless it is copied.
func (s *Query[P]) All(ctx context.Context) ([]P, error) {
	rows, err := s.use().all(ctx, s.use().orderTerms())
	return rowsOf[P](rows), err
}

// Each returns the rows one by one as they arrive from the database, for
// results too large to hold. The loop may end early. Rows of relations to many
// in With are loaded for some hundred rows at a time.
//
//	for post, err := range Posts.Each(ctx) {
//
// Inside of a transaction, where the loop may run other statements, PostgreSQL hands out the
// rows of a cursor in parts; the other databases have them all read before the first.
func (s *Query[P]) Each(ctx context.Context) iter.Seq2[P, error] {
	return func(yield func(P, error) bool) {
		err := s.use().stream(ctx, func(row unsafe.Pointer) bool { return yield(rowOf[P](row), nil) })
		if err != nil {
			yield(rowOf[P](nil), err)
		}
	}
}

// First returns the first row: by the query's order, or by primary key if it
// has none. Without a row the error is ErrNotFound.
func (s *Query[P]) First(ctx context.Context) (P, error) {
	row, err := s.use().first(ctx)
	return rowOf[P](row), err
}

// Get returns the only row. Without one the error is ErrNotFound, with more
// than one it is ErrMultiple.
func (s *Query[P]) Get(ctx context.Context) (P, error) {
	row, err := s.use().get(ctx)
	return rowOf[P](row), err
}

// Count returns how many rows there are, with Limit and Offset taken into account.
func (s *Query[P]) Count(ctx context.Context) (int64, error) { return s.use().count(ctx) }

// Exists reports whether there is a row.
func (s *Query[P]) Exists(ctx context.Context) (bool, error) { return s.use().exists(ctx) }

// Page returns the rows of one page of that size. A number below 1 is the first
// page, one past the end the last, as numbers come from URLs. Rows are ordered by
// primary key after the query's own order, so that no row is on two pages.
func (s *Query[P]) Page(ctx context.Context, number, size int) (PageOf[P], error) {
	info, rows, err := s.use().page(ctx, number, size)
	return PageOf[P]{info, rowsOf[P](rows)}, err
}
