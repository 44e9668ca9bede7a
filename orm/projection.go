package orm

import (
	"context"
	"fmt"
	"iter"
	"time"
	"unsafe"
)

// Column is a column of a [Select]; see [As].
type Column struct {
	name string
	of   operand
}

// As computes a value, a field's or an [Expr]'s, into the field of that name of the
// row that [Select] fills. The prototype itself stands for the whole row of the model,
// which a field that is embedded gets without being named:
//
//	type row struct {
//		Author
//		Posts int
//	}
//	rows, err := orm.Select[row](Authors, orm.As("Posts", orm.Count(&a.Posts))).All(ctx)
func As(name string, value any) Column { return Column{name, operandOf(value)} }

// Projection is a query whose rows are not models. It is made by [Select].
type Projection[Row any] struct {
	_ [0]Row
	selected
}

// Select makes a query of chosen or computed columns. Row is a struct, whose fields
// the columns name; a map[string]any; or, for a single column, a type that a field can
// have:
//
//	type row struct {
//		Author string
//		Posts  int
//	}
//	stats, err := orm.Select[row](Posts.GroupBy(&p.Author.To().Username),
//		orm.As("Author", &p.Author.To().Username),
//		orm.As("Posts", orm.Count(&p.ID))).All(ctx)
//
// A row that embeds the model is a row of the model with values beside it, and
// [Query.With] loads its relations.
//
// Beside an aggregate over the rows of the query every column that is none is grouped
// by. A column of a relation to many joins it, and so may repeat rows. The model's own
// order applies only where rows are not grouped.
func Select[Row, T any](q QuerySet[T], columns ...Column) Projection[Row] {
	return Projection[Row]{selected: selected{q: q.use(), columns: columns}}
}

// Aggregate computes aggregates over all rows of a query, which make one row:
//
//	type totals struct { Posts, Views, Comments int64 }
//	t, err := orm.Aggregate[totals](ctx, Posts, orm.As("Posts", orm.Count(&p.ID)),
//		orm.As("Views", orm.Sum(&p.Views)), orm.As("Comments", orm.Count(&p.Comments)))
//
// Limit and Offset of the query count. Without rows a count is 0 and any other
// aggregate NULL, for which a field of Row is a pointer or the column has
// [Expr.Default].
func Aggregate[Row, T any](ctx context.Context, q QuerySet[T], columns ...Column) (Row, error) {
	if use := q.use(); use.limited || use.offset > 0 || use.distinct {
		q = q.Derived()
	}
	whole := q.OrderBy().use().derive()
	whole.own().whole = true
	return Projection[Row]{selected: selected{q: whole, columns: columns}}.Get(ctx)
}

// Pluck returns the values of one field of the rows, in their order:
//
//	titles, err := orm.Pluck(ctx, Posts.Limit(10), &p.Title)
func Pluck[V, T any](ctx context.Context, q QuerySet[T], field *V) ([]V, error) {
	if t, ok := q.use().composite(refTo(field)); ok {
		return pluckKeys[V](ctx, q.use(), refTo(field), t)
	}
	return Projection[V]{selected: selected{q: q.use(), columns: []Column{{of: refTo(field)}}}}.All(ctx)
}

// composite is what a ref names if that has several columns.
func (q *query) composite(of ref) (target, bool) {
	if q.model == nil {
		return target{}, false
	}
	_, t, err := of.resolve(q.model.names.root)
	return t, err == nil && len(t.field.Parts) > 0
}

// pluckKeys is Pluck for a key of several columns.
func pluckKeys[V any](ctx context.Context, q *query, of ref, t target) ([]V, error) {
	var list []V
	err := q.eachKey(ctx, of, t.field, func(key any) error {
		list = append(list, *new(V))
		return t.codec.store(unsafe.Pointer(&list[len(list)-1]), key)
	})
	return list, err
}

// eachKey hands out the keys of several columns that of names, one for each row.
func (q *query) eachKey(ctx context.Context, of operand, f *FieldInfo, yield func(key any) error) error {
	db, err := q.begin(ctx)
	if err != nil {
		return err
	}
	if q.never() {
		return q.check(db, q.orderTerms())
	}
	q = q.zoned(ctx)
	c := newCompiler(db.backend.Dialect(), q.model)
	write := func() { of.write(c) }
	c.selection(q, q.orderTerms(), nil, nil, write, func() []func() { return []func(){write} })
	if c.err != nil {
		return c.err
	}
	rows, err := db.query(ctx, Statement{SQL: string(c.buf), Args: c.args})
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		raw, err := rows.Values()
		if err != nil {
			return err
		}
		var key any
		if raw[0] != nil {
			if key, err = f.plainKey(raw); err != nil {
				return err
			}
		}
		if err := yield(key); err != nil {
			return f.fault(err)
		}
	}
	return closeRows(rows)
}

// Dates returns the beginnings of the years, months or other units that a date or time
// of the rows falls in, each once, upwards: the pages of an archive.
func Dates[T any](ctx context.Context, q QuerySet[T], unit Unit, field any) ([]time.Time, error) {
	period := Trunc(unit, field)
	q = q.Where(F(field).NotNull()).OrderBy(Asc(period)).Distinct()
	return Projection[time.Time]{selected: selected{q: q.use(), columns: []Column{{of: period.e}}}}.All(ctx)
}

// All returns the rows.
func (p Projection[Row]) All(ctx context.Context) ([]Row, error) {
	var row Row
	run, err := p.run(ctx, &row)
	if err != nil {
		return nil, err
	}
	var list []Row
	err = run.each(ctx, func() bool {
		list = append(list, row)
		return true
	})
	if err != nil {
		return nil, err
	}
	return list, run.loadMany(ctx, len(list), pointers(list))
}

// Get returns the only row. Without one the error is ErrNotFound, with more than
// one it is ErrMultiple.
func (p Projection[Row]) Get(ctx context.Context) (Row, error) {
	var zero Row
	rows, err := p.All(ctx)
	switch {
	case err != nil:
		return zero, err
	case len(rows) == 0:
		return zero, p.q.notFound()
	case len(rows) > 1:
		return zero, fmt.Errorf("%w of the Select of %s", ErrMultiple, p.q.model.Label())
	}
	return rows[0], nil
}

// First returns the first row. Without one the error is ErrNotFound.
func (p Projection[Row]) First(ctx context.Context) (Row, error) {
	var zero Row
	if p.set == nil && !p.q.limited || p.set != nil && !p.set.bounds.limited {
		p = p.Limit(1)
	}
	rows, err := p.All(ctx)
	if err != nil {
		return zero, err
	}
	if len(rows) == 0 {
		return zero, p.q.notFound()
	}
	return rows[0], nil
}

// Each returns the rows one by one as they arrive. The loop may end early. Rows of
// relations to many in With are loaded when all rows are there.
func (p Projection[Row]) Each(ctx context.Context) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		var row, none Row
		run, err := p.run(ctx, &row)
		if err == nil && !run.buffered(ctx) {
			err = run.each(ctx, func() bool { return yield(row, nil) })
		} else if err == nil {
			var list []Row
			list, err = p.All(ctx)
			for _, item := range list {
				if err == nil && !yield(item, nil) {
					return
				}
			}
		}
		if err != nil {
			yield(none, err)
		}
	}
}

// SQL returns the statement that All would send to the context's database, and its
// arguments.
func (p Projection[Row]) SQL(ctx context.Context) (string, []any, error) {
	var row Row
	run, err := p.run(ctx, &row)
	if err != nil {
		return "", nil, err
	}
	return run.statement.SQL, run.statement.Args, nil
}
