package orm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Assignment is a new value for a field in [Query.Update].
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
func (s *Query[P]) Update(ctx context.Context, set ...Assignment) (int64, error) {
	return s.use().updateSome(ctx, set)
}

// UpdateAll is Update that needs no condition.
func (s *Query[P]) UpdateAll(ctx context.Context, set ...Assignment) (int64, error) {
	return s.use().update(ctx, set)
}

func (q *query) updateSome(ctx context.Context, set []Assignment) (int64, error) {
	if err := q.needsCondition("Update", "change every row; use UpdateAll for that"); err != nil {
		return 0, err
	}
	return q.update(ctx, set)
}

func (q *query) update(ctx context.Context, set []Assignment) (int64, error) {
	if len(set) == 0 {
		return 0, fmt.Errorf("orm: Update of %s with nothing to set", q.model.Name)
	}
	db, err := q.changer(ctx)
	if err != nil {
		return 0, err
	}
	q = q.zoned(ctx)
	if slices.ContainsFunc(q.where, never) {
		return 0, q.updateMistake(db, set)
	}
	s, err := q.updateStatement(db, set)
	if err != nil {
		return 0, err
	}
	result, err := db.exec(ctx, s)
	return result.Affected, err
}

// updateMistake compiles an UPDATE that is not sent, so that a mistake in it shows.
func (q *query) updateMistake(db *DB, set []Assignment) error {
	_, err := q.updateAnew(db, set)
	return err
}

// updateAnew compiles an UPDATE.
func (q *query) updateAnew(db *DB, set []Assignment) (*compiler, error) {
	c := newCompiler(db.backend.Dialect(), q.model)
	c.inZone(q)
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
	c.chosen(q)
	return c, c.err
}

// change runs an UPDATE or DELETE whose beginning write writes.
func (q *query) change(ctx context.Context, write func(c *compiler)) (int64, error) {
	db, err := q.changer(ctx)
	if err != nil {
		return 0, err
	}
	q = q.zoned(ctx)
	c := newCompiler(db.backend.Dialect(), q.model)
	c.inZone(q)
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

// changer checks that the query's rows can be changed and finds the database.
func (q *query) changer(ctx context.Context) (*DB, error) {
	if err := q.ready(); err != nil {
		return nil, err
	}
	if len(q.rare().group) > 0 || q.distinct {
		return nil, errors.New("orm: a query with GroupBy or Distinct has no rows to change")
	}
	return q.model.database(ctx, Write)
}

// chosen writes the WHERE of an UPDATE or DELETE. Where it needs other tables, or
// rows are counted off, the rows are chosen by a subquery.
func (c *compiler) chosen(q *query) {
	c.inZone(q)
	if !q.limited && q.offset == 0 && q.rare().source == nil && q.rare().tables == nil {
		kept := len(c.args)
		c.noWindow, c.withDeleted = errWindow, q.withDeleted
		where := c.sub(func() { c.where(q.conditions()) })
		if c.err == nil && len(c.base.joins) == 0 && !(c.dialect.Quirks().DeriveSubqueries && strings.Contains(where, "(SELECT ")) {
			c.text(where)
			return
		}
		if errors.Is(c.err, errWindow) {
			c.err = nil
		}
		c.args = c.args[:kept]
		c.base.joins = nil
	}
	c.text(" WHERE ")
	c.rowValue("", q.model.PrimaryKey.columnNames())
	c.text(" IN (")
	inner := newCompiler(c.dialect, q.model)
	inner.aliases = map[string]bool{strings.ToLower(q.model.aliasIn(c.dialect)): true}
	inner.alias = inner.newAlias("chosen")
	inner.args = c.args
	inner.derivable(true, func() { inner.selectColumn(q, q.model.keyRef()) })
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
	case f.Computed:
		c.failf("%s is computed by the database and cannot be set", t.name())
		return
	case f.toMany():
		c.failf("%s is a relation to many; write it with the relation's own methods", t.name())
		return
	}
	if len(f.Parts) > 0 {
		c.assignParts(f, a.value)
		return
	}
	c.quote(f.Column)
	c.text(" = ")
	if e, ok := a.value.(Expr); ok {
		if e.e == nil {
			c.failf("an empty Expr")
			return
		}
		c.spelled(Function{Name: "fits", Args: 1, Type: f.Kind}, func(int) { e.e.write(c) })
		return
	}
	v, err := f.assigned(a.value)
	if err != nil {
		c.fail(err)
		return
	}
	c.arg(v)
}

// assigned is the value that a field with one column is set to.
func (f *FieldInfo) assigned(value any) (any, error) {
	v, err := f.convert(value, false)
	if err == nil && v == nil && !f.Null {
		err = errors.New("the field cannot be null")
	}
	if err == nil {
		err = f.check(v)
	}
	if err != nil {
		return nil, f.fault(err)
	}
	return v, nil
}

// assignParts sets all columns of a composite foreign key.
func (c *compiler) assignParts(f *FieldInfo, value any) {
	if _, ok := value.(Expr); ok {
		c.failf("%s.%s has %d columns and cannot be set to an expression; set its columns one by one", f.model.Name, f.Name, len(f.Parts))
		return
	}
	v, err := f.convert(value, false)
	if err == nil && v == nil && !f.Null {
		err = errors.New("the field cannot be null")
	}
	if err != nil {
		c.fail(f.fault(err))
		return
	}
	values, _ := v.(Tuple)
	for i, part := range f.Parts {
		if i > 0 {
			c.text(", ")
		}
		c.quote(part.Column)
		c.text(" = ")
		if values == nil {
			c.text("NULL")
			continue
		}
		if err := part.check(values[i]); err != nil {
			c.fail(part.fault(err))
		}
		c.arg(values[i])
	}
}
