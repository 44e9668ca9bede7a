package orm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Assignment is a new value for a field in [QuerySet.Update].
type Assignment struct {
	field ref
	value any
}

// Set assigns a value to a field: one of the field's type, or of a type that
// converts to it without loss; nil for NULL; a row for a foreign key; or an
// [Expr] that the database computes from the old row:
//
//	orm.Set(&p.Status, Live)
//	orm.Set(&p.Views, orm.Add(&p.Views, 1))
//
// A value that does not fit is an error of the Update, before anything is sent.
func Set[V any](field *V, value any) Assignment { return Assignment{refTo(field), value} }

// Update changes the rows that the query's conditions select and returns how many
// they are. Nothing but the fields named changes; automatic times neither. A query
// without a condition is refused with ErrNoCondition.
func (s QuerySet[T]) Update(ctx context.Context, set ...Assignment) (int64, error) {
	if q := s.use(); q.model != nil && len(q.where) == 0 {
		return 0, fmt.Errorf("%w: Update of %s would change every row; use UpdateAll for that", ErrNoCondition, q.model.Name)
	}
	return s.use().update(ctx, set)
}

// UpdateAll is Update that needs no condition.
func (s QuerySet[T]) UpdateAll(ctx context.Context, set ...Assignment) (int64, error) {
	return s.use().update(ctx, set)
}

// Delete deletes the rows that the query's conditions select and returns how many
// they were. Rows that refer to them are dealt with by the database, as their
// on_delete says; they are not counted. A query without a condition is refused
// with ErrNoCondition.
func (s QuerySet[T]) Delete(ctx context.Context) (int64, error) {
	if q := s.use(); q.model != nil && len(q.where) == 0 {
		return 0, fmt.Errorf("%w: Delete of %s would delete every row; use DeleteAll for that", ErrNoCondition, q.model.Name)
	}
	return s.use().delete(ctx)
}

// DeleteAll is Delete that needs no condition.
func (s QuerySet[T]) DeleteAll(ctx context.Context) (int64, error) { return s.use().delete(ctx) }

func (q *query) update(ctx context.Context, set []Assignment) (int64, error) {
	if len(set) == 0 {
		return 0, fmt.Errorf("orm: Update of %s with nothing to set", q.model.Name)
	}
	return q.change(ctx, func(c *compiler) {
		c.text("UPDATE ")
		c.quote(q.model.Table)
		c.text(" SET ")
		for i, a := range set {
			if i > 0 {
				c.text(", ")
			}
			c.assign(a)
		}
		if len(c.base.joins) > 0 {
			c.failf("Update of %s computes a value from another table, which it cannot", q.model.Name)
		}
	})
}

func (q *query) delete(ctx context.Context) (int64, error) {
	return q.change(ctx, func(c *compiler) {
		c.text("DELETE FROM ")
		c.quote(q.model.Table)
	})
}

// change runs an UPDATE or DELETE whose beginning write writes.
func (q *query) change(ctx context.Context, write func(c *compiler)) (int64, error) {
	if err := q.ready(); err != nil {
		return 0, err
	}
	if len(q.group) > 0 || q.distinct {
		return 0, errors.New("orm: a query with GroupBy or Distinct has no rows to change")
	}
	db, err := DBFrom(ctx)
	if err != nil {
		return 0, err
	}
	c := newCompiler(db.backend.Dialect(), q.model)
	write(c)
	c.chosen(q)
	if c.err != nil {
		return 0, c.err
	}
	if slices.ContainsFunc(q.where, never) {
		return 0, nil
	}
	result, err := db.exec(ctx, Statement{SQL: string(c.buf), Args: c.args, Write: true})
	return result.Affected, err
}

// chosen writes the WHERE of an UPDATE or DELETE. Where it needs other tables, or
// rows are counted off, the rows are chosen by a subquery.
func (c *compiler) chosen(q *query) {
	if !q.limited && q.offset == 0 {
		kept := len(c.args)
		where := c.sub(func() { c.where(q.where) })
		if len(c.base.joins) == 0 {
			c.text(where)
			return
		}
		c.args = c.args[:kept]
		c.base.joins = nil
	}
	c.text(" WHERE ")
	c.quote(q.model.PrimaryKey.Column)
	c.text(" IN (")
	inner := newCompiler(c.dialect, q.model)
	inner.aliases = map[string]bool{strings.ToLower(q.model.Table): true}
	inner.alias = inner.newAlias("chosen")
	inner.args = c.args
	inner.selectColumn(q, q.model.keyRef())
	if inner.err != nil {
		c.fail(inner.err)
	}
	c.args = inner.args
	c.buf = append(c.buf, inner.buf...)
	c.text(")")
}

func (c *compiler) assign(a Assignment) {
	n, t := c.resolve(a.field)
	if n == nil {
		return
	}
	f := t.field
	switch {
	case n.parent != nil:
		c.failf("Update of %s sets %s.%s, which is of another table", c.root.model.Name, f.model.Name, f.Name)
		return
	case f.Column == "":
		c.failf("%s is a relation to many; write it with the relation's own methods", t.name())
		return
	}
	c.quote(f.Column)
	c.text(" = ")
	if e, ok := a.value.(Expr); ok {
		if e.e == nil {
			c.failf("an empty Expr")
			return
		}
		e.e.write(c)
		return
	}
	v, err := f.convert(a.value, false)
	if err == nil && v == nil && !f.Null {
		err = errors.New("the field cannot be null")
	}
	if err == nil {
		err = f.checkSize(v)
	}
	if err != nil {
		c.fail(f.fault(err))
		return
	}
	c.arg(v)
}
