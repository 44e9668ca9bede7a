package orm

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"unsafe"
)

// The steps of a query, which a QuerySet and an AnySet share. Each returns a changed copy.

func (q *query) filter(conds []Cond) *query {
	if len(conds) == 0 {
		return q
	}
	d := q.derive()
	e := conds[0].orInvalid()
	if len(conds) > 1 {
		e = &logic{false, exprs(conds)}
	}
	d.restrict(e)
	return d
}

func (q *query) exclude(conds []Cond) *query {
	if len(conds) == 0 {
		return q
	}
	return q.filter([]Cond{Not(And(conds...))})
}

func (q *query) orderBy(terms []Order) *query {
	d := q.derive()
	d.order, d.ordered = add[Order](nil, terms...), true
	return d
}

func (q *query) limitTo(n int) *query {
	d := q.derive()
	d.limit, d.limited = n, true
	if n < 0 {
		d.own().err = fmt.Errorf("orm: Limit(%d) is negative", n)
	}
	return d
}

func (q *query) skip(n int) *query {
	d := q.derive()
	d.offset = n
	if n < 0 {
		d.own().err = fmt.Errorf("orm: Offset(%d) is negative", n)
	}
	return d
}

func (q *query) onlyDistinct() *query {
	d := q.derive()
	d.distinct = true
	return d
}

func (q *query) loading(relations []any) *query {
	d := q.derive()
	for _, relation := range relations {
		w, err := withOf(relation)
		if err != nil && d.rare().err == nil {
			d.own().err = err
		}
		d.with = add(d.with, w)
	}
	return d
}

func (q *query) groupBy(fields []any) *query {
	d := q.derive()
	for _, field := range fields {
		d.own().group = add(d.rare().group, operandOf(field))
	}
	return d
}

func (q *query) filterGroups(conds []Cond) *query {
	d := q.derive()
	d.own().having = add(d.rare().having, exprs(conds)...)
	return d
}

func (q *query) none() *query {
	d := q.derive()
	d.where = add[expr](d.where, &logic{or: true})
	return d
}

// firsts are queries of First and Get, which nobody keeps.
var firsts = sync.Pool{New: func() any { return new(query) }}

// upTo returns the first rows, at most so many.
func (q *query) upTo(ctx context.Context, most int, order []Order) ([]unsafe.Pointer, error) {
	d := firsts.Get().(*query)
	*d = *q
	if !d.limited || d.limit > most {
		d.limit, d.limited = most, true
	}
	rows, err := d.all(ctx, order)
	*d = query{}
	firsts.Put(d)
	return rows, err
}

// first returns the first row.
func (q *query) first(ctx context.Context) (unsafe.Pointer, error) {
	rows, err := q.upTo(ctx, 1, q.keyOrder())
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, q.notFound()
	}
	return rows[0], nil
}

// get returns the only row.
func (q *query) get(ctx context.Context) (unsafe.Pointer, error) {
	most := 2
	if q.keyGiven() {
		most = 1
	}
	rows, err := q.upTo(ctx, most, nil)
	switch {
	case err != nil:
		return nil, err
	case len(rows) == 0:
		return nil, q.notFound()
	case len(rows) > 1:
		return nil, fmt.Errorf("%w of %s meets the conditions of Get", ErrMultiple, q.model.Label())
	}
	return rows[0], nil
}

// keyGiven reports that the conditions name the value of the primary key, so that no two
// rows meet them.
func (q *query) keyGiven() bool {
	if q.rare().source != nil || q.model == nil || len(q.model.PrimaryKey.Parts) > 0 {
		return false
	}
	return slices.ContainsFunc(q.where, func(e expr) bool {
		c, ok := e.(*compare)
		if !ok || c.op != "=" {
			return false
		}
		_, given := c.right.(*literal)
		left, ok := asRef(c.left)
		return ok && given && left == q.model.keyRef()
	})
}

func (q *query) notFound() error {
	return fmt.Errorf("%w: no %s", ErrNotFound, q.model.Label())
}

// page returns the rows of one page.
func (q *query) page(ctx context.Context, number, size int) (PageInfo, []unsafe.Pointer, error) {
	if size < 1 {
		return PageInfo{}, nil, fmt.Errorf("orm: a page of %d rows", size)
	}
	total, err := q.count(ctx)
	if err != nil {
		return PageInfo{}, nil, err
	}
	p := newPage(number, size, total)
	d := q.derive()
	before := (p.Number - 1) * size
	if d.limited {
		size = min(size, d.limit-before)
	}
	d.offset, d.limit, d.limited = d.offset+before, max(size, 0), true
	rows, err := d.all(ctx, add(d.orderTerms(), Order{of: d.model.keyRef()}))
	return p, rows, err
}
