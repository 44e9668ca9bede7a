package orm

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"unsafe"
)

// Conflict says what [Query.Upsert] does with a row that exists.
type Conflict struct {
	// Fields are the unique fields by which a row is the same. Default: the
	// primary key.
	Fields []any
	// Update are the fields that get their new values. Default: all but the
	// Fields, the primary key and those set on insert only.
	Update []any
	// Nothing leaves the existing row as it is; the row given then keeps a
	// zero primary key.
	Nothing bool
}

// Fields lists fields, for [Conflict].
func Fields(fields ...any) []any { return fields }

// Upsert inserts a row or, if there is one with the same values in the conflict's
// fields, updates that. The row's primary key is set in both cases.
func (s *Query[P]) Upsert(ctx context.Context, row P, conflict Conflict) error {
	return s.use().upsert(ctx, base(row), conflict)
}

func (q *query) upsert(ctx context.Context, row unsafe.Pointer, conflict Conflict) error {
	db, plan, err := q.upsertPlan(ctx, conflict)
	if err != nil {
		return err
	}
	if row == nil {
		return fmt.Errorf("orm: Upsert of %s: the row is nil", q.model.Name)
	}
	if err := q.model.refusePartial("Upsert", row); err != nil {
		return err
	}
	return q.model.saving(ctx, db, []unsafe.Pointer{row}, Event{Insert: true}, func(ctx context.Context) error {
		if err := q.model.prepare(row); err != nil {
			return err
		}
		g := q.model.group(row)
		g.rows = []unsafe.Pointer{row}
		return q.upsertRow(ctx, db, &g, plan)
	})
}

// UpsertRows is [Query.Upsert] of many rows, in few statements and one transaction.
// The keys of all rows are set afterwards, also of those that were there already and are
// left as they are. No two of the rows may be the same in the conflict's fields.
func (s *Query[P]) UpsertRows(ctx context.Context, rows []P, conflict Conflict) error {
	return s.use().upsertList(ctx, bases(rows), conflict)
}

func (q *query) upsertList(ctx context.Context, rows []unsafe.Pointer, conflict Conflict) error {
	db, plan, err := q.upsertPlan(ctx, conflict)
	if err != nil || len(rows) == 0 {
		return err
	}
	for i, row := range rows {
		if row == nil {
			return fmt.Errorf("orm: UpsertRows of %s: row %d is nil", q.model.Name, i)
		}
		if err := q.model.refusePartial("UpsertRows", row); err != nil {
			return err
		}
	}
	return db.Atomic(ctx, TxOptions{}, func(ctx context.Context) error {
		return q.model.saving(ctx, db, rows, Event{Insert: true}, func(ctx context.Context) error {
			return q.upsertRows(ctx, db, rows, plan)
		})
	})
}

// upsertPlan is a Conflict with its fields found.
type upsertPlan struct {
	same    []*FieldInfo
	update  []*FieldInfo
	all     bool // update what the insert writes
	nothing bool
}

func (q *query) upsertPlan(ctx context.Context, conflict Conflict) (*DB, *upsertPlan, error) {
	db, err := q.writer(ctx)
	if err != nil {
		return nil, nil, err
	}
	plan := &upsertPlan{all: len(conflict.Update) == 0, nothing: conflict.Nothing}
	if plan.same, err = q.model.own(conflict.Fields); err != nil {
		return nil, nil, err
	}
	if len(plan.same) == 0 {
		plan.same = q.model.PrimaryKey.columns()
	}
	plan.update, err = q.model.own(conflict.Update)
	return db, plan, err
}

// updates are the fields that a row in the way gets of one that is inserted with columns.
func (p *upsertPlan) updates(m *ModelInfo, columns []*FieldInfo) []*FieldInfo {
	update := slices.Clone(p.update)
	for _, f := range columns {
		skip := f.PrimaryKey || slices.Contains(p.same, f) || slices.Contains(update, f)
		if !skip && (f.AutoNow || p.all && !f.AutoAdd) {
			update = append(update, f)
		}
	}
	return update
}

func (q *query) upsertRow(ctx context.Context, db *DB, g *insertGroup, plan *upsertPlan) error {
	m, row := q.model, g.rows[0]
	c := newCompiler(db.backend.Dialect(), m)
	c.insertInto(g.columns, g.rows)
	c.onConflict(plan.same, plan.updates(m, g.columns), plan.nothing)
	if c.err != nil {
		return c.err
	}
	insert := Statement{SQL: string(c.buf), Args: c.args, Write: true}
	var err error
	if db.backend.Dialect().Quirks().NoUpsertKey {
		err = q.upsertThenFind(ctx, db, insert, row, plan.same, g.giveKeys, plan.nothing)
	} else {
		c.returningKey()
		insert.SQL = string(c.buf)
		_, err = q.takeUpsertKey(ctx, db, insert, row)
	}
	if err != nil || m.PrimaryKey.isZero(unsafe.Add(row, m.PrimaryKey.offset)) {
		return err
	}
	return m.reread(ctx, g.rows, g.left)
}

func (q *query) upsertRows(ctx context.Context, db *DB, rows []unsafe.Pointer, plan *upsertPlan) error {
	m := q.model
	for _, row := range rows {
		if err := m.prepare(row); err != nil {
			return err
		}
	}
	for _, g := range m.groups(rows) {
		for batch := range slices.Chunk(g.rows, m.batchSize(db)) {
			part := *g
			part.rows = batch
			if err := q.upsertBatch(ctx, db, &part, plan); err != nil {
				return err
			}
		}
	}
	return nil
}

func (q *query) upsertBatch(ctx context.Context, db *DB, g *insertGroup, plan *upsertPlan) error {
	m := q.model
	if db.backend.Dialect().Quirks().NoUpsertKey {
		for _, row := range g.rows {
			single := *g
			single.rows = []unsafe.Pointer{row}
			if err := q.upsertRow(ctx, db, &single, plan); err != nil {
				return err
			}
		}
		return q.findKeys(ctx, g, plan)
	}
	c := newCompiler(db.backend.Dialect(), m)
	c.insertInto(g.columns, g.rows)
	c.onConflict(plan.same, plan.updates(m, g.columns), plan.nothing)
	if c.err != nil {
		return c.err
	}
	s := Statement{SQL: string(c.buf), Args: c.args, Write: true, Once: len(g.rows) != insertBatch}
	if _, err := db.exec(ctx, s); err != nil {
		return err
	}
	if err := q.findKeys(ctx, g, plan); err != nil {
		return err
	}
	for _, row := range g.rows {
		m.attachRow(row)
	}
	return m.reread(ctx, g.rows, g.left)
}

// findKeys gives rows the keys of those that are the same in the database.
func (q *query) findKeys(ctx context.Context, g *insertGroup, plan *upsertPlan) error {
	m := q.model
	if !g.giveKeys || slices.Contains(plan.same, m.PrimaryKey) {
		return nil
	}
	byValues := map[string]unsafe.Pointer{}
	any := &logic{or: true}
	for _, row := range g.rows {
		values, key, err := sameKey(row, plan.same)
		if err != nil {
			return err
		}
		byValues[key] = row
		all := &logic{}
		for i, f := range plan.same {
			all.kids = append(all.kids, &compare{"=", m.ref(f), &variable{values[i]}})
		}
		any.kids = append(any.kids, all)
	}
	found, err := (&query{model: m, withDeleted: true, where: []expr{any}}).all(ctx, nil)
	if err != nil {
		return err
	}
	for _, there := range found {
		_, key, err := sameKey(there, plan.same)
		if err != nil {
			return err
		}
		row := byValues[key]
		if row == nil {
			continue
		}
		if err := m.PrimaryKey.codec.store(unsafe.Add(row, m.PrimaryKey.offset), m.mustKey(there)); err != nil {
			return err
		}
		m.attachRow(row)
	}
	return nil
}

// sameKey is the values of a row in some fields, and the same as a key of a map.
func sameKey(row unsafe.Pointer, fields []*FieldInfo) ([]any, string, error) {
	values := make([]any, len(fields))
	keys := make([]any, len(fields))
	for i, f := range fields {
		v, err := f.value(row)
		if err != nil {
			return nil, "", err
		}
		values[i], keys[i] = v, mapKey(v)
	}
	return values, fmt.Sprintf("%q", keys), nil
}

// takeUpsertKey runs a statement that returns the key of one row, or of none, and gives
// the key to row.
func (q *query) takeUpsertKey(ctx context.Context, db *DB, s Statement, row unsafe.Pointer) (found bool, err error) {
	rows, err := db.query(ctx, s)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	key := q.model.PrimaryKey
	for rows.Next() {
		values, err := rows.Values()
		if err != nil {
			return false, err
		}
		for i, part := range key.columns() {
			if err := part.codec.store(unsafe.Add(row, part.offset), values[i]); err != nil {
				return false, part.fault(err)
			}
		}
		q.model.attachRow(row)
		found = true
	}
	return found, closeRows(rows)
}

// upsertThenFind is for databases that do not tell the key of the row in the way, and
// which of the unique columns it was that were the same. They leave a row that is in the
// way by others alone; that it is so shows when the row meant is not there.
func (q *query) upsertThenFind(ctx context.Context, db *DB, insert Statement, row unsafe.Pointer, same []*FieldInfo, giveKey, nothing bool) error {
	m := q.model
	find := &query{model: m}
	for _, f := range same {
		v, err := f.value(row)
		if err != nil {
			return err
		}
		if v == nil || giveKey && f == m.PrimaryKey {
			return q.insert(ctx, []unsafe.Pointer{row}) // is the same as no other
		}
		find.where = add[expr](find.where, &compare{"=", place{m.names.root, target{f, f.codec}}, &variable{v}})
	}
	c := newCompiler(db.backend.Dialect(), m)
	c.selectColumn(find, m.keyRef())
	if c.err != nil {
		return c.err
	}
	result, err := db.exec(ctx, insert)
	if err != nil {
		return err
	}
	into := row
	if nothing {
		if giveKey && result.LastID > 0 {
			m.attachRow(row)
			return m.setKey(row, result.LastID)
		}
		into = m.newRow() // what is found is not this row
	}
	found, err := q.takeUpsertKey(ctx, db, Statement{SQL: string(c.buf), Args: c.args}, into)
	if err != nil || found {
		return err
	}
	return q.insert(ctx, []unsafe.Pointer{row})
}

// onConflict writes what an INSERT does where a row with the same values is in the way.
func (c *compiler) onConflict(same, update []*FieldInfo, nothing bool) {
	k := ConflictClause{Key: c.root.model.PrimaryKey.columnNames()[0], Same: columnNames(same)}
	switch {
	case nothing:
	case len(update) == 0:
		// Something must be set for the key to be returned.
		k.Update = k.Same[:1]
	default:
		k.Update = columnNames(update)
	}
	c.buf = c.dialect.OnConflict(c.buf, k)
}

func columnNames(fields []*FieldInfo) []string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Column
	}
	return names
}

// GetOrInsert looks for the row that has the same values as row in the fields
// given, and inserts row if there is none. Either way row then holds what is stored;
// the result tells whether it was inserted. Two that do this at the same time end up
// with one row, provided that the fields are unique together.
func (s *Query[P]) GetOrInsert(ctx context.Context, row P, fields ...any) (inserted bool, err error) {
	return s.use().getOrInsert(ctx, base(row), fields)
}

func (q *query) getOrInsert(ctx context.Context, row unsafe.Pointer, fields []any) (inserted bool, err error) {
	find, err := q.sameAs("GetOrInsert", row, fields)
	if err != nil {
		return false, err
	}
	found, inserted, err := find.orInsert(ctx, q, row)
	if err == nil && !inserted {
		q.model.copyRow(row, found)
	}
	return inserted, err
}

// copyRow makes one row hold what another does.
func (m *ModelInfo) copyRow(to, from unsafe.Pointer) {
	reflect.NewAt(m.Type, to).Elem().Set(reflect.NewAt(m.Type, from).Elem())
}

// sameAs is the query of the rows that have the same values as row in some fields.
func (q *query) sameAs(verb string, row unsafe.Pointer, fields []any) (*query, error) {
	if err := q.ready(); err != nil {
		return nil, err
	}
	m := q.model
	if row == nil || len(fields) == 0 {
		return nil, fmt.Errorf("orm: %s of %s needs a row and the fields to find it by", verb, m.Name)
	}
	same, err := m.own(fields)
	if err != nil {
		return nil, err
	}
	kids := make([]expr, len(same))
	for i, f := range same {
		if err := f.takeOwnKey(row); err != nil {
			return nil, err
		}
		v, err := f.value(row)
		if err != nil {
			return nil, err
		}
		kids[i] = &compare{"=", place{m.names.root, target{f, f.codec}}, &variable{v}}
	}
	return &query{model: m, where: []expr{&logic{kids: kids}}}, nil
}

// raceRetries is how often what is to end well when several do it at once is tried again
// after a deadlock: MySQL and MariaDB make one of two that insert the same row and of one
// that waits to lock it.
const raceRetries = 10

// orInsert returns the row of the query, or inserts row.
func (q *query) orInsert(ctx context.Context, all *query, row unsafe.Pointer) (found unsafe.Pointer, inserted bool, err error) {
	found, err = q.get(ctx)
	if !errors.Is(err, ErrNotFound) {
		return found, false, err
	}
	err = AtomicWith(ctx, TxOptions{Retries: raceRetries}, func(ctx context.Context) error { return all.insert(ctx, []unsafe.Pointer{row}) })
	if err == nil {
		return row, true, nil
	}
	if IsUnique(err) {
		// Somebody else was faster; or another field is in the way. A transaction may
		// see what others wrote since it began only by locking it.
		if InTransaction(ctx) {
			q = q.forUpdate(nil)
		}
		if again, findErr := q.get(ctx); findErr == nil {
			return again, false, nil
		}
	}
	return nil, false, err
}
