package orm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"
	"unsafe"
)

// Insert inserts rows and sets the primary keys that the database gives them. What
// a row holds is what is written, zero values too, but for these:
//
//   - a primary key that is zero is made by the database, or for a UUID made here;
//   - auto_now and auto_now_add set their times;
//   - a default applies to an empty text, time, UUID or pointer. Numbers and
//     bools, whose zero is a value like others, get theirs from New.
//
// Many rows go in few statements, in one transaction: all are inserted or none.
func (s QuerySet[T]) Insert(ctx context.Context, rows ...*T) error {
	list := make([]unsafe.Pointer, len(rows))
	for i, row := range rows {
		list[i] = unsafe.Pointer(row)
	}
	return s.use().insert(ctx, list)
}

// insertBatch is how many rows one statement inserts at most; larger ones gain
// nothing.
const insertBatch = 100

func (q *query) insert(ctx context.Context, rows []unsafe.Pointer) error {
	db, err := q.writer(ctx)
	if err != nil || len(rows) == 0 {
		return err
	}
	m := q.model
	var keyed, unkeyed []unsafe.Pointer
	for i, row := range rows {
		if row == nil {
			return fmt.Errorf("orm: Insert of %s: row %d is nil", m.Name, i)
		}
		if err := m.prepare(row); err != nil {
			return err
		}
		if m.keyIsMissing(row) {
			unkeyed = append(unkeyed, row)
		} else {
			keyed = append(keyed, row)
		}
	}
	if len(rows) == 1 {
		return m.insertBatch(ctx, db, rows, len(unkeyed) == 1)
	}
	return db.Atomic(ctx, TxOptions{}, func(ctx context.Context) error {
		for batch := range slices.Chunk(keyed, m.batchSize(db)) {
			if err := m.insertBatch(ctx, db, batch, false); err != nil {
				return err
			}
		}
		for batch := range slices.Chunk(unkeyed, m.batchSize(db)) {
			if err := m.insertBatch(ctx, db, batch, true); err != nil {
				return err
			}
		}
		return nil
	})
}

func (m *ModelInfo) batchSize(db *DB) int {
	return min(insertBatch, max(1, db.backend.Dialect().MaxParameters()/len(m.columns)))
}

// writer checks that the model can be written and finds the database.
func (q *query) writer(ctx context.Context) (*DB, error) {
	if err := q.ready(); err != nil {
		return nil, err
	}
	return DBFrom(ctx)
}

// prepare brings a row into the state in which it is inserted.
func (m *ModelInfo) prepare(row unsafe.Pointer) error {
	now := time.Now().UTC().Truncate(time.Microsecond)
	for _, f := range m.columns {
		p := unsafe.Add(row, f.offset)
		switch {
		case f.AutoNow || f.AutoAdd:
			if err := f.codec.store(p, now); err != nil {
				return f.fault(err)
			}
		case f.defaultGo != nil && !f.defaultNew && reflect.NewAt(f.Type, p).Elem().IsZero():
			if err := f.defaultGo(p); err != nil {
				return f.fault(err)
			}
		case f.Relation != nil:
			if err := f.takeKey(p); err != nil {
				return f.fault(err)
			}
		}
	}
	return nil
}

// takeKey lets a foreign key that was set to an unsaved row take its key now.
func (f *FieldInfo) takeKey(p unsafe.Pointer) error {
	if *(*unsafe.Pointer)(unsafe.Add(p, f.Relation.spec.rowOffset)) == nil {
		return nil
	}
	return reflect.NewAt(f.Type, p).Interface().(keyTaker).takeKey()
}

func (f *FieldInfo) fault(err error) error {
	return fmt.Errorf("orm: %s.%s: %w", f.model.Name, f.Name, err)
}

func (m *ModelInfo) keyIsMissing(row unsafe.Pointer) bool {
	pk := m.PrimaryKey
	return pk.AutoIncrement && *(*int64)(unsafe.Add(row, pk.offset)) == 0
}

// value loads a field of a row for writing.
func (f *FieldInfo) value(row unsafe.Pointer) (any, error) {
	v, err := f.codec.load(unsafe.Add(row, f.offset))
	if err != nil {
		return nil, f.fault(err)
	}
	if v == nil && !f.Null {
		if f.Relation != nil {
			return nil, f.fault(errors.New("is not set; a foreign key that may be empty is tagged null"))
		}
		return nil, f.fault(errors.New("is null, which the column forbids"))
	}
	return v, nil
}

// insertInto writes INSERT INTO … VALUES of rows.
func (c *compiler) insertInto(columns []*FieldInfo, rows []unsafe.Pointer) {
	m := c.root.model
	c.text("INSERT INTO ")
	c.quote(m.Table)
	c.text(" (")
	for i, f := range columns {
		if i > 0 {
			c.text(", ")
		}
		c.quote(f.Column)
	}
	c.text(") VALUES ")
	c.args = make([]any, 0, len(columns)*len(rows))
	for i, row := range rows {
		if i > 0 {
			c.text(", ")
		}
		for j, f := range columns {
			if j == 0 {
				c.text("(")
			} else {
				c.text(", ")
			}
			v, err := f.value(row)
			if err != nil {
				c.fail(err)
				return
			}
			c.arg(v)
		}
		c.text(")")
	}
	if len(columns) == 0 {
		c.fail(fmt.Errorf("orm: %s has nothing but its key; give it the key, or a field", m.Name))
	}
}

func (m *ModelInfo) insertBatch(ctx context.Context, db *DB, rows []unsafe.Pointer, giveKeys bool) error {
	columns := m.columns
	if giveKeys {
		columns = m.withoutKey()
	}
	c := newCompiler(db.backend.Dialect(), m)
	c.insertInto(columns, rows)
	once := len(rows) > 1 && len(rows) != insertBatch
	if err := m.sendInsert(ctx, db, c, rows, giveKeys, once); err != nil {
		return err
	}
	for _, row := range rows {
		m.attachRow(row)
	}
	return nil
}

func (m *ModelInfo) withoutKey() []*FieldInfo {
	columns := make([]*FieldInfo, 0, len(m.columns))
	for _, f := range m.columns {
		if f != m.PrimaryKey {
			columns = append(columns, f)
		}
	}
	return columns
}

// sendInsert runs an INSERT and, if asked, stores the keys the database gave.
func (m *ModelInfo) sendInsert(ctx context.Context, db *DB, c *compiler, rows []unsafe.Pointer, giveKeys, once bool) error {
	if giveKeys && len(rows) > 1 {
		if !db.backend.Dialect().Returning() {
			return m.insertSingly(ctx, db, rows)
		}
		c.returningKey()
	}
	if c.err != nil {
		return c.err
	}
	s := Statement{SQL: string(c.buf), Args: c.args, Write: true, Once: once}
	if !giveKeys || len(rows) == 1 {
		result, err := db.exec(ctx, s)
		if err == nil && giveKeys {
			m.setKey(rows[0], result.LastID)
		}
		return err
	}
	keys, err := db.keys(ctx, s)
	if err != nil {
		return err
	}
	if len(keys) != len(rows) {
		return fmt.Errorf("orm: the database returned %d keys for %d rows of %s", len(keys), len(rows), m.Name)
	}
	// Keys are given upwards in the order of the rows, but RETURNING promises
	// no order of its own.
	slices.SortFunc(keys, cmp.Compare[int64])
	for i, row := range rows {
		m.setKey(row, keys[i])
	}
	return nil
}

func (m *ModelInfo) insertSingly(ctx context.Context, db *DB, rows []unsafe.Pointer) error {
	for _, row := range rows {
		if err := m.insertBatch(ctx, db, []unsafe.Pointer{row}, true); err != nil {
			return err
		}
	}
	return nil
}

func (c *compiler) returningKey() {
	c.text(" RETURNING ")
	c.quote(c.root.model.PrimaryKey.Column)
}

func (m *ModelInfo) setKey(row unsafe.Pointer, key int64) {
	*(*int64)(unsafe.Add(row, m.PrimaryKey.offset)) = key
}

// keys runs a statement that returns integer keys.
func (db *DB) keys(ctx context.Context, s Statement) ([]int64, error) {
	rows, err := db.query(ctx, s)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var keys []int64
	for rows.Next() {
		values, err := rows.Values()
		if err != nil {
			return nil, err
		}
		key, err := integer(values[0])
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, closeRows(rows)
}

// Conflict says what [QuerySet.Upsert] does with a row that exists.
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
func (s QuerySet[T]) Upsert(ctx context.Context, row *T, conflict Conflict) error {
	db, err := s.use().writer(ctx)
	if err != nil {
		return err
	}
	if row == nil {
		return fmt.Errorf("orm: Upsert of %s: the row is nil", s.use().model.Name)
	}
	m, p := s.use().model, unsafe.Pointer(row)
	if err := m.prepare(p); err != nil {
		return err
	}
	same, err := m.own(conflict.Fields)
	if err != nil {
		return err
	}
	if len(same) == 0 {
		same = []*FieldInfo{m.PrimaryKey}
	}
	update, err := m.own(conflict.Update)
	if err != nil {
		return err
	}
	for _, f := range m.columns {
		skip := f == m.PrimaryKey || slices.Contains(same, f) || slices.Contains(update, f)
		if !skip && (f.AutoNow || len(conflict.Update) == 0 && !f.AutoAdd) {
			update = append(update, f)
		}
	}
	columns, giveKey := m.columns, m.keyIsMissing(p)
	if giveKey {
		columns = m.withoutKey()
	}
	c := newCompiler(db.backend.Dialect(), m)
	c.insertInto(columns, []unsafe.Pointer{p})
	c.onConflict(same, update, conflict.Nothing)
	if c.err != nil {
		return c.err
	}
	rows, err := db.query(ctx, Statement{SQL: string(c.buf), Args: c.args, Write: true})
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		values, err := rows.Values()
		if err != nil {
			return err
		}
		if err := m.PrimaryKey.codec.store(unsafe.Add(p, m.PrimaryKey.offset), values[0]); err != nil {
			return m.PrimaryKey.fault(err)
		}
		m.attachRow(p)
	}
	return closeRows(rows)
}

func (c *compiler) onConflict(same, update []*FieldInfo, nothing bool) {
	c.text(" ON CONFLICT (")
	for i, f := range same {
		if i > 0 {
			c.text(", ")
		}
		c.quote(f.Column)
	}
	c.text(") DO ")
	if nothing {
		c.text("NOTHING")
		c.returningKey()
		return
	}
	c.text("UPDATE SET ")
	if len(update) == 0 {
		// Something must be set for the key to be returned.
		update = same[:1]
	}
	for i, f := range update {
		if i > 0 {
			c.text(", ")
		}
		c.quote(f.Column)
		c.text(" = excluded.")
		c.quote(f.Column)
	}
	c.returningKey()
}

// own finds the fields, with a column of this table, that pointers name.
func (m *ModelInfo) own(pointers []any) ([]*FieldInfo, error) {
	fields := make([]*FieldInfo, 0, len(pointers))
	for _, ptr := range pointers {
		f, err := m.Field(ptr)
		if err != nil {
			return nil, err
		}
		if f.Column == "" {
			return nil, fmt.Errorf("orm: %s.%s is a relation to many and has no column to write", m.Name, f.Name)
		}
		fields = append(fields, f)
	}
	return fields, nil
}

// UpdateRow writes the fields named of a row that is saved, and the times tagged
// auto_now. Other fields of the row are not written, whatever they hold. If the
// row is gone the error is ErrNotFound.
func (s QuerySet[T]) UpdateRow(ctx context.Context, row *T, fields ...any) error {
	db, err := s.use().writer(ctx)
	if err != nil {
		return err
	}
	m := s.use().model
	if row == nil || len(fields) == 0 {
		return fmt.Errorf("orm: UpdateRow of %s needs a row and the fields to write, such as &p.%s", m.Name, m.columns[len(m.columns)-1].Name)
	}
	list, err := m.own(fields)
	if err != nil {
		return err
	}
	for _, f := range m.columns {
		if f.AutoNow && !slices.Contains(list, f) {
			list = append(list, f)
		}
	}
	p := unsafe.Pointer(row)
	c := newCompiler(db.backend.Dialect(), m)
	c.updateRow(p, list)
	if c.err != nil {
		return c.err
	}
	result, err := db.exec(ctx, Statement{SQL: string(c.buf), Args: c.args, Write: true})
	if err == nil && result.Affected == 0 {
		err = s.use().notFound()
	}
	return err
}

func (c *compiler) updateRow(row unsafe.Pointer, fields []*FieldInfo) {
	m := c.root.model
	c.text("UPDATE ")
	c.quote(m.Table)
	for i, f := range fields {
		p := unsafe.Add(row, f.offset)
		var err error
		switch {
		case f.PrimaryKey:
			err = f.fault(errors.New("is the primary key and cannot be updated"))
		case f.AutoNow:
			err = f.codec.store(p, time.Now().UTC().Truncate(time.Microsecond))
		case f.Relation != nil:
			if err = f.takeKey(p); err != nil {
				err = f.fault(err)
			}
		}
		if i == 0 {
			c.text(" SET ")
		} else {
			c.text(", ")
		}
		c.quote(f.Column)
		c.text(" = ")
		v, valueErr := f.value(row)
		if err = cmp.Or(err, valueErr); err != nil {
			c.fail(err)
			return
		}
		c.arg(v)
	}
	c.text(" WHERE ")
	c.quote(m.PrimaryKey.Column)
	c.text(" = ")
	key, err := m.savedKey(row)
	if err != nil {
		c.fail(err)
	}
	c.arg(key)
}

// savedKey is a row's primary key, which must not be zero.
func (m *ModelInfo) savedKey(row unsafe.Pointer) (any, error) {
	p := unsafe.Add(row, m.PrimaryKey.offset)
	if reflect.NewAt(m.PrimaryKey.Type, p).Elem().IsZero() {
		return nil, fmt.Errorf("orm: the %s is not saved: its %s is zero", m.Name, m.PrimaryKey.Name)
	}
	return m.PrimaryKey.value(row)
}

// DeleteRow deletes rows. If one is gone already the error is ErrNotFound, and the
// others are deleted.
func (s QuerySet[T]) DeleteRow(ctx context.Context, rows ...*T) error {
	if len(rows) == 0 {
		return nil
	}
	if err := s.use().ready(); err != nil {
		return err
	}
	m := s.use().model
	keys := make([]expr, len(rows))
	for i, row := range rows {
		if row == nil {
			return fmt.Errorf("orm: DeleteRow of %s: row %d is nil", m.Name, i)
		}
		key, err := m.savedKey(unsafe.Pointer(row))
		if err != nil {
			return err
		}
		keys[i] = &variable{key}
	}
	q := &query{model: m, where: []expr{&inList{of: m.keyRef(), values: keys}}}
	n, err := q.delete(ctx)
	if err == nil && n < int64(len(rows)) {
		err = s.use().notFound()
	}
	return err
}
