package orm

import (
	"context"
	"slices"
)

// joined is the condition that a row is related to a key through a join table.
type joined struct {
	join *joinTable
	pk   *FieldInfo // of the rows asked for
	key  any
}

func (e *joined) write(c *compiler) {
	c.qualified(c.alias, e.pk.Column)
	c.text(" IN (SELECT ")
	c.quote(e.join.target)
	c.text(" FROM ")
	c.quote(e.join.table)
	c.text(" WHERE ")
	c.quote(e.join.owner)
	c.text(" = ")
	c.arg(e.key)
	c.text(")")
}

func (*joined) visit(*compiler, func(*node)) {}

func (*joined) mayBeNull(*compiler) bool { return false }

// insertJoins relates an owner to keys. Pairs that exist stay as they are.
func insertJoins(ctx context.Context, f *FieldInfo, owner any, keys []any) error {
	db, err := DBFrom(ctx)
	if err != nil {
		return err
	}
	insert := func(ctx context.Context) error {
		for batch := range slices.Chunk(keys, insertBatch) {
			j := f.Relation.join
			c := newCompiler(db.backend.Dialect(), f.model)
			c.text("INSERT INTO ")
			c.quote(j.table)
			c.text(" (")
			c.quote(j.owner)
			c.text(", ")
			c.quote(j.target)
			c.text(") VALUES ")
			for i, key := range batch {
				if i > 0 {
					c.text(", ")
				}
				c.text("(")
				c.arg(owner)
				c.text(", ")
				c.arg(key)
				c.text(")")
			}
			c.text(" ON CONFLICT DO NOTHING")
			if _, err := db.exec(ctx, Statement{SQL: string(c.buf), Args: c.args, Write: true, Once: len(batch) > 8}); err != nil {
				return err
			}
		}
		return nil
	}
	if len(keys) <= insertBatch {
		return insert(ctx)
	}
	return db.Atomic(ctx, TxOptions{}, insert)
}

// deleteJoins ends the relation of an owner to keys.
func deleteJoins(ctx context.Context, f *FieldInfo, owner any, keys []any) error {
	return changeJoins(ctx, f, owner, keys, false)
}

// keepJoins ends the relation of an owner to all but keys.
func keepJoins(ctx context.Context, f *FieldInfo, owner any, keys []any) error {
	return changeJoins(ctx, f, owner, keys, true)
}

func changeJoins(ctx context.Context, f *FieldInfo, owner any, keys []any, not bool) error {
	db, err := DBFrom(ctx)
	if err != nil {
		return err
	}
	j := f.Relation.join
	c := newCompiler(db.backend.Dialect(), f.model)
	c.text("DELETE FROM ")
	c.quote(j.table)
	c.text(" WHERE ")
	c.quote(j.owner)
	c.text(" = ")
	c.arg(owner)
	if len(keys) > 0 || !not {
		values := make([]expr, len(keys))
		for i, key := range keys {
			values[i] = &variable{key}
		}
		c.text(" AND ")
		(&inList{of: plainColumn{j.target}, not: not, values: values}).write(c)
	}
	if c.err != nil {
		return c.err
	}
	_, err = db.exec(ctx, Statement{SQL: string(c.buf), Args: c.args, Write: true, Once: len(keys) > 8})
	return err
}

// plainColumn is a column of a statement over one table.
type plainColumn struct{ name string }

func (e plainColumn) write(c *compiler) { c.quote(e.name) }

func (plainColumn) visit(*compiler, func(*node)) {}

func (plainColumn) mayBeNull(*compiler) bool { return false }

func (plainColumn) target(*compiler) target { return target{} }
