package orm

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unsafe"
)

// relationChange is a write of a many-to-many relation of one row.
type relationChange struct {
	field *FieldInfo
	owner any
	keys  []any
	// What happens to the keys: all others are removed too, or they themselves are.
	exactly bool
	remove  bool
}

// run makes the change. Where nobody needs to know what is new, it is one statement that
// leaves alone what is as it should be; otherwise the keys related now are read first.
func (r *relationChange) run(ctx context.Context) error {
	db, err := r.field.model.database(ctx, Write)
	if err != nil {
		return err
	}
	f := r.field
	heard := f.model.hears(BeforeRelate, AfterRelate)
	if !heard && f.Relation.join.through == nil {
		return r.alone(ctx, db)
	}
	return db.Atomic(ctx, TxOptions{}, func(ctx context.Context) error {
		now, err := relatedKeys(ctx, db, f, r.owner)
		if err != nil {
			return err
		}
		e := Event{Kind: BeforeRelate, Relation: f, Key: r.owner}
		e.Added, e.Removed = r.difference(now)
		if len(e.Added) == 0 && len(e.Removed) == 0 {
			return nil
		}
		if err := f.model.fire(ctx, nil, e); err != nil {
			return err
		}
		if err := deletePairs(ctx, db, f, r.owner, e.Removed); err != nil {
			return err
		}
		if err := insertPairs(ctx, db, f, r.owner, e.Added); err != nil {
			return err
		}
		e.Kind = AfterRelate
		return f.model.fire(ctx, nil, e)
	})
}

// difference finds what is to be added to, and removed from, the keys related now.
func (r *relationChange) difference(now []any) (added, removed []any) {
	have, want := keySet(now), keySet(r.keys)
	seen := map[any]bool{}
	for _, key := range r.keys {
		if seen[mapKey(key)] {
			continue
		}
		seen[mapKey(key)] = true
		switch related := have[mapKey(key)]; {
		case r.remove && related:
			removed = append(removed, key)
		case !r.remove && !related:
			added = append(added, key)
		}
	}
	if r.exactly {
		for _, key := range now {
			if !want[mapKey(key)] {
				removed = append(removed, key)
			}
		}
	}
	return added, removed
}

// alone makes the change without looking.
func (r *relationChange) alone(ctx context.Context, db *DB) error {
	switch {
	case r.remove:
		return deletePairs(ctx, db, r.field, r.owner, r.keys)
	case !r.exactly && !r.field.Relation.Symmetrical && len(r.keys) <= insertBatch:
		return insertPairs(ctx, db, r.field, r.owner, r.keys)
	}
	return db.Atomic(ctx, TxOptions{}, func(ctx context.Context) error {
		if r.exactly {
			if err := keepPairs(ctx, db, r.field, r.owner, r.keys); err != nil {
				return err
			}
		}
		return insertPairs(ctx, db, r.field, r.owner, r.keys)
	})
}

// relatedKeys are the keys of the rows related to an owner now.
func relatedKeys(ctx context.Context, db *DB, f *FieldInfo, owner any) ([]any, error) {
	j := f.Relation.join
	c := newCompiler(db.backend.Dialect(), f.model)
	c.text("SELECT ")
	c.columnNamesOf("", j.target)
	c.text(" FROM ")
	c.quote(j.table)
	c.text(" WHERE ")
	c.equalKey("", j.owner, owner)
	rows, err := db.query(ctx, Statement{SQL: string(c.buf), Args: c.args})
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var keys []any
	for rows.Next() {
		values, err := rows.Values()
		if err != nil {
			return nil, err
		}
		key, err := f.Relation.Target().PrimaryKey.plainKey(values)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, closeRows(rows)
}

// insertPairs relates an owner to keys. Pairs that exist stay as they are.
func insertPairs(ctx context.Context, db *DB, f *FieldInfo, owner any, keys []any) error {
	j := f.Relation.join
	if j.through != nil {
		return insertThrough(ctx, j, owner, keys)
	}
	for batch := range slices.Chunk(keys, insertBatch) {
		c := newCompiler(db.backend.Dialect(), f.model)
		c.text("INSERT INTO ")
		c.quote(j.table)
		c.text(" (")
		c.columnNamesOf("", j.owner)
		c.text(", ")
		c.columnNamesOf("", j.target)
		c.text(") VALUES ")
		for i, key := range batch {
			c.pair(i, owner, key)
			if f.Relation.Symmetrical && mapKey(key) != mapKey(owner) {
				c.pair(1, key, owner)
			}
		}
		c.buf = c.dialect.OnConflict(c.buf, ConflictClause{Key: j.owner[0]})
		if _, err := db.exec(ctx, Statement{SQL: string(c.buf), Args: c.args, Write: true, Once: len(batch) > 8}); err != nil {
			return err
		}
	}
	return nil
}

func (c *compiler) pair(i int, owner, target any) {
	if i > 0 {
		c.text(", ")
	}
	c.text("(")
	c.argList(owner)
	c.text(", ")
	c.argList(target)
	c.text(")")
}

// insertThrough inserts rows of the model that is the join table.
func insertThrough(ctx context.Context, j *joinTable, owner any, keys []any) error {
	rows := make([]unsafe.Pointer, len(keys))
	for i, key := range keys {
		rows[i] = j.through.newRow()
		for f, value := range map[*FieldInfo]any{j.ownerField: owner, j.targetField: key} {
			if err := f.codec.store(unsafe.Add(rows[i], f.offset), value); err != nil {
				return f.fault(err)
			}
		}
	}
	return (&query{model: j.through}).insert(ctx, rows)
}

// deletePairs ends the relation of an owner to keys.
func deletePairs(ctx context.Context, db *DB, f *FieldInfo, owner any, keys []any) error {
	if len(keys) == 0 {
		return nil
	}
	j := f.Relation.join
	if j.through != nil {
		_, err := (&query{model: j.through, where: []expr{
			&compare{"=", j.through.ref(j.ownerField), &variable{owner}},
			&inList{of: j.through.ref(j.targetField), values: variables(keys)},
		}}).delete(ctx, false)
		return err
	}
	if err := deleteJoins(ctx, db, f, j.owner, owner, j.target, keys, false); err != nil || !f.Relation.Symmetrical {
		return err
	}
	return deleteJoins(ctx, db, f, j.target, owner, j.owner, keys, false)
}

// keepPairs ends the relation of an owner to all but keys.
func keepPairs(ctx context.Context, db *DB, f *FieldInfo, owner any, keys []any) error {
	j := f.Relation.join
	if err := deleteJoins(ctx, db, f, j.owner, owner, j.target, keys, true); err != nil || !f.Relation.Symmetrical {
		return err
	}
	return deleteJoins(ctx, db, f, j.target, owner, j.owner, keys, true)
}

func deleteJoins(ctx context.Context, db *DB, f *FieldInfo, ownerColumns []string, owner any, keyColumns []string, keys []any, not bool) error {
	c := newCompiler(db.backend.Dialect(), f.model)
	c.text("DELETE FROM ")
	c.quote(f.Relation.join.table)
	c.text(" WHERE ")
	c.equalKey("", ownerColumns, owner)
	if len(keys) > 0 || !not {
		c.text(" AND ")
		(&inList{of: columnList{names: keyColumns}, not: not, values: variables(keys)}).write(c)
	}
	if c.err != nil {
		return c.err
	}
	_, err := db.exec(ctx, Statement{SQL: string(c.buf), Args: c.args, Write: true, Once: len(keys) > 8})
	return err
}

// throughJoin finds the join table that the tag "through" names: the table of a model with
// foreign keys to both sides.
func (f *FieldInfo) throughJoin(other *ModelInfo) (*joinTable, error) {
	through := f.throughModel()
	if through == nil {
		return nil, fmt.Errorf("through=%s: there is no registered model of that name in %s; write the label of another app's as app.Model", f.Relation.Through, f.model.App)
	}
	owner, target, _ := strings.Cut(f.Relation.ThroughFields, "|")
	ownerField, err := through.keyTo(f.model, owner, nil)
	if err != nil {
		return nil, err
	}
	targetField, err := through.keyTo(other, target, ownerField)
	if err != nil {
		return nil, err
	}
	return &joinTable{
		table: through.Table, owner: ownerField.columnNames(), target: targetField.columnNames(),
		through: through, ownerField: ownerField, targetField: targetField,
	}, nil
}

func (f *FieldInfo) throughModel() *ModelInfo {
	for _, m := range Models() {
		if m.Label() == f.Relation.Through || m.Package == f.model.Package && m.Name == f.Relation.Through {
			return m
		}
	}
	return nil
}

// keyTo finds the foreign key to a model: the one named, or the only one that is not taken.
func (m *ModelInfo) keyTo(to *ModelInfo, name string, taken *FieldInfo) (*FieldInfo, error) {
	var found []*FieldInfo
	for _, f := range m.attach {
		if f.Relation.Kind == ToOne && f.Relation.leadsTo(to) && f != taken && (name == "" || f.Name == name) {
			found = append(found, f)
		}
	}
	switch {
	case len(found) == 1 && found[0].Relation.spec.to != "":
		return nil, fmt.Errorf("through=%s: its foreign key %s leads to another field than the primary key, which a join table cannot", m.Name, found[0].Name)
	case len(found) == 1:
		return found[0], nil
	case len(found) == 0 && name != "":
		return nil, fmt.Errorf("through_fields: %s has no foreign key %s to %s", m.Name, name, to.Name)
	case len(found) == 0:
		return nil, fmt.Errorf("through=%s: it has no foreign key to %s", m.Name, to.Name)
	}
	return nil, fmt.Errorf("through=%s: it has several foreign keys to %s; say which with orm:\"through_fields=%s|%s\", that to this model first", m.Name, to.Name, found[0].Name, found[1].Name)
}
