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
func (s *Query[P]) Insert(ctx context.Context, rows ...P) error {
	return s.use().insert(ctx, bases(rows))
}

// insertBatch is how many rows one statement inserts at most; larger ones gain
// nothing.
const insertBatch = 100

func (q *query) insert(ctx context.Context, rows []unsafe.Pointer) error {
	db, err := q.writer(ctx)
	if err != nil || len(rows) == 0 {
		return err
	}
	for i, row := range rows {
		if row == nil {
			return fmt.Errorf("orm: Insert of %s: row %d is nil", q.model.Name, i)
		}
		if err := q.model.refusePartial("Insert", row); err != nil {
			return err
		}
	}
	return q.model.saving(ctx, db, rows, Event{Insert: true}, func(ctx context.Context) error {
		return q.model.insertRows(ctx, db, rows)
	})
}

func (m *ModelInfo) insertRows(ctx context.Context, db *DB, rows []unsafe.Pointer) error {
	for _, row := range rows {
		if err := m.prepare(row); err != nil {
			return err
		}
	}
	if len(rows) == 1 {
		g := m.group(rows[0])
		g.rows = rows
		return m.insertBatch(ctx, db, &g)
	}
	groups := m.groups(rows)
	err := db.Atomic(ctx, TxOptions{}, func(ctx context.Context) error {
		for _, g := range groups {
			done, err := m.copyRows(ctx, db, g)
			if err == nil {
				done, err = m.followRows(ctx, db, g, done)
			}
			if err != nil {
				return err
			}
			for batch := range slices.Chunk(g.rows[done:], m.batchSize(db)) {
				part := *g
				part.rows = batch
				if err := m.insertBatch(ctx, db, &part); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err == nil {
		return nil
	}
	for _, g := range groups {
		if g.giveKeys {
			// The keys that some got belong to no row.
			for _, row := range g.rows {
				_ = m.setKey(row, 0)
			}
		}
	}
	return err
}

func (m *ModelInfo) batchSize(db *DB) int {
	return min(insertBatch, max(1, db.backend.Dialect().MaxParameters()/len(m.columns)))
}

// writer checks that the model can be written and finds the database.
func (q *query) writer(ctx context.Context) (*DB, error) {
	if err := q.ready(); err != nil {
		return nil, err
	}
	if q.model.common != nil {
		return nil, fmt.Errorf("orm: the rows of the CTE %s are computed and cannot be written", q.model.common.name)
	}
	return q.model.database(ctx, Write)
}

// prepare brings a row into the state in which it is inserted.
func (m *ModelInfo) prepare(row unsafe.Pointer) error {
	now := time.Now().UTC().Truncate(time.Microsecond)
	for _, f := range m.columns {
		p := unsafe.Add(row, f.offset)
		switch {
		case (f.AutoNow || f.AutoAdd) && f.codec.direct == reflect.Struct:
			*(*time.Time)(p) = now
		case f.AutoNow || f.AutoAdd:
			if err := f.codec.store(p, now); err != nil {
				return f.fault(err)
			}
		case f.defaultGo != nil && !f.defaultNew && isZeroMemory(p, f.Type):
			if err := f.defaultGo(p); err != nil {
				return f.fault(err)
			}
		case f.Relation != nil:
			if err := f.takeKey(p); err != nil {
				return f.fault(err)
			}
		case f.Version && isZeroMemory(p, f.Type):
			if err := f.codec.store(p, int64(1)); err != nil {
				return f.fault(err)
			}
		case f.PrimaryKey && f.whole == nil && !f.AutoIncrement && isZeroMemory(p, f.Type):
			return f.fault(errNoKey)
		}
	}
	for _, f := range m.attach {
		if len(f.Parts) > 0 {
			if err := f.takeKey(unsafe.Add(row, f.offset)); err != nil {
				return f.fault(err)
			}
		}
	}
	if pk := m.PrimaryKey; len(pk.Parts) > 0 && pk.isZero(unsafe.Add(row, pk.offset)) {
		return pk.fault(errNoKey)
	}
	return nil
}

var errNoKey = errors.New("is empty; a primary key that the database does not make must be set")

// takeKey lets a foreign key that was set to an unsaved row take its key now.
func (f *FieldInfo) takeKey(p unsafe.Pointer) error {
	if *(*unsafe.Pointer)(unsafe.Add(p, f.Relation.spec.rowOffset)) == nil {
		return nil
	}
	return f.Relation.spec.reference(p).takeKey()
}

func (f *FieldInfo) fault(err error) error { return &ValueError{f, err} }

func (m *ModelInfo) keyIsMissing(row unsafe.Pointer) bool {
	return m.PrimaryKey.AutoIncrement && isZeroMemory(unsafe.Add(row, m.PrimaryKey.offset), m.PrimaryKey.Type)
}

// value loads a field of a row for writing.
func (f *FieldInfo) value(row unsafe.Pointer) (any, error) {
	v, err := f.codec.load(unsafe.Add(row, f.offset))
	if err != nil {
		return nil, f.fault(err)
	}
	if v == nil && !f.Null {
		if f.Relation != nil || f.whole != nil && f.whole.Relation != nil {
			return nil, f.fault(errNotSet)
		}
		return nil, f.fault(errNull)
	}
	if err := f.check(v); err != nil {
		return nil, f.fault(err)
	}
	return v, nil
}

// insertInto writes INSERT INTO … VALUES of rows.
func (c *compiler) insertInto(columns []*FieldInfo, rows []unsafe.Pointer) {
	c.insertText(columns, len(rows))
	args, err := insertArgs(c.dialect, columns, rows)
	if err != nil {
		c.fail(err)
	}
	c.args = args
}

// insertText writes INSERT INTO … VALUES of so many rows. The text does not depend on
// their values.
func (c *compiler) insertText(columns []*FieldInfo, rows int) {
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
	n := 0
	for i := range rows {
		if i > 0 {
			c.text(", ")
		}
		for j := range columns {
			if j == 0 {
				c.text("(")
			} else {
				c.text(", ")
			}
			n++
			c.buf = c.dialect.Placeholder(c.buf, n)
		}
		c.text(")")
	}
	if len(columns) == 0 {
		c.fail(fmt.Errorf("orm: %s has nothing but its key; give it the key, or a field", m.Name))
	}
}

// insertArgs are the arguments of insertText.
func insertArgs(d Dialect, columns []*FieldInfo, rows []unsafe.Pointer) ([]any, error) {
	args := make([]any, 0, len(columns)*len(rows))
	for _, row := range rows {
		for _, f := range columns {
			v, err := f.value(row)
			if err != nil {
				return nil, err
			}
			args = append(args, d.Bind(v))
		}
	}
	return args, nil
}

// insertStatement is the INSERT of the rows of a group. With returning it returns the keys
// made. The text of one row, and of a full batch, is kept for the next ones.
func (m *ModelInfo) insertStatement(db *DB, g *insertGroup, returning bool) (Statement, error) {
	d := db.backend.Dialect()
	s := Statement{Write: true, Once: len(g.rows) > 1 && len(g.rows) != insertBatch}
	var err error
	if s.Args, err = insertArgs(d, g.columns, g.rows); err != nil {
		return s, err
	}
	var memory [64]byte
	form := append(memory[:0], 'I', byte(min(len(g.rows), 2)), flag(returning))
	form = append(form, g.key...)
	if !s.Once {
		if known := db.shapes.find(m, form); known != nil {
			s.SQL = known.sql
			return s, nil
		}
	}
	c := newCompiler(d, m)
	c.insertText(g.columns, len(g.rows))
	if returning {
		c.returningKey()
	}
	if s.SQL = string(c.buf); c.err == nil && !s.Once {
		db.shapes.keep(m, form, &shape{sql: s.SQL})
	}
	return s, c.err
}

func (m *ModelInfo) insertBatch(ctx context.Context, db *DB, g *insertGroup) error {
	if err := m.sendInsert(ctx, db, g); err != nil {
		return err
	}
	return m.inserted(ctx, db, g)
}

// inserted brings rows that have been inserted into the state of rows that were read.
func (m *ModelInfo) inserted(ctx context.Context, db *DB, g *insertGroup) error {
	if m.PrimaryKey.AutoIncrement && !g.giveKeys {
		if err := m.countOn(ctx, db, g.rows); err != nil {
			return err
		}
	}
	for _, row := range g.rows {
		m.attachRow(row)
	}
	return m.reread(ctx, g.rows, g.left)
}

// keyCounter is a [Dialect] whose database makes keys without a look at those that rows
// were inserted with.
type keyCounter interface {
	// CountOn is a statement that makes the keys of a column go on above its one
	// argument, unless they are beyond it.
	CountOn(table, column string) string
}

// countOn makes the keys that the database makes go on above those of rows.
func (m *ModelInfo) countOn(ctx context.Context, db *DB, rows []unsafe.Pointer) error {
	counter, ok := db.backend.Dialect().(keyCounter)
	if !ok {
		return nil
	}
	most := int64(0)
	for _, row := range rows {
		key, err := m.PrimaryKey.codec.load(unsafe.Add(row, m.PrimaryKey.offset))
		if err != nil {
			return err
		}
		if n, ok := key.(int64); ok {
			most = max(most, n)
		}
	}
	_, err := db.exec(ctx, Statement{SQL: counter.CountOn(m.Table, m.PrimaryKey.Column), Args: []any{most}, Write: true})
	return err
}

func (m *ModelInfo) withoutKey() []*FieldInfo {
	if m.columns[0] == m.PrimaryKey {
		return m.columns[1:]
	}
	columns := make([]*FieldInfo, 0, len(m.columns))
	for _, f := range m.columns {
		if f != m.PrimaryKey {
			columns = append(columns, f)
		}
	}
	return columns
}

// sendInsert runs an INSERT and, if asked, stores the keys the database gave.
func (m *ModelInfo) sendInsert(ctx context.Context, db *DB, g *insertGroup) error {
	rows, giveKeys := g.rows, g.giveKeys
	quirks := db.backend.Dialect().Quirks()
	single := len(rows) == 1 && !quirks.NoLastID
	returning := giveKeys && !single && db.backend.Dialect().Returning()
	if giveKeys && !single && !returning && quirks.KeyStep == 0 {
		return m.insertSingly(ctx, db, g)
	}
	s, err := m.insertStatement(db, g, returning)
	if err != nil {
		return err
	}
	if !returning {
		result, err := db.exec(ctx, s)
		if err != nil || !giveKeys {
			return err
		}
		return m.countKeys(rows, result.LastID, quirks.KeyStep)
	}
	if len(rows) == 1 {
		return m.insertOne(ctx, db, s, rows[0])
	}
	keys, err := db.keys(ctx, s)
	if err != nil {
		return err
	}
	if len(keys) != len(rows) {
		return m.keysMissing(len(keys), len(rows))
	}
	// Keys are given upwards in the order of the rows, but RETURNING promises
	// no order of its own.
	slices.SortFunc(keys, cmp.Compare[int64])
	for i, row := range rows {
		if err := m.setKey(row, keys[i]); err != nil {
			return err
		}
	}
	return nil
}

func (m *ModelInfo) keysMissing(keys, rows int) error {
	return fmt.Errorf("orm: the database returned %d keys for %d rows of %s", keys, rows, m.Name)
}

// insertOne runs an INSERT of one row that returns its key, which goes straight into the
// row.
func (m *ModelInfo) insertOne(ctx context.Context, db *DB, s Statement, row unsafe.Pointer) error {
	var into struct {
		result  watchedRows
		segment segment
		cells   [1]Cell
	}
	result, err := db.queryInto(ctx, s, &into.result)
	if err != nil {
		return err
	}
	defer result.Close()
	into.segment.base = row
	into.cells[0] = Cell{codec: m.PrimaryKey.codec, offset: m.PrimaryKey.offset, segment: &into.segment, field: m.PrimaryKey}
	n := 0
	for ; result.Next(); n++ {
		if err := result.Scan(into.cells[:]); err != nil {
			return err
		}
	}
	if err := closeRows(result); err != nil {
		return err
	}
	if n != 1 {
		return m.keysMissing(n, 1)
	}
	return nil
}

// countKeys gives rows the keys that begin with first and lie step apart.
func (m *ModelInfo) countKeys(rows []unsafe.Pointer, first, step int64) error {
	for i, row := range rows {
		if err := m.setKey(row, first+int64(i)*step); err != nil {
			return err
		}
	}
	return nil
}

func (m *ModelInfo) insertSingly(ctx context.Context, db *DB, g *insertGroup) error {
	for _, row := range g.rows {
		single := *g
		single.rows = []unsafe.Pointer{row}
		if err := m.insertBatch(ctx, db, &single); err != nil {
			return err
		}
	}
	return nil
}

func (c *compiler) returningKey() {
	c.text(" RETURNING ")
	c.columnNamesOf("", c.root.model.PrimaryKey.columnNames())
}

func (m *ModelInfo) setKey(row unsafe.Pointer, key int64) error {
	p := unsafe.Add(row, m.PrimaryKey.offset)
	switch kind := m.PrimaryKey.Type.Kind(); {
	case kind == reflect.Int64:
		*(*int64)(p) = key
		return nil
	case kind == reflect.Int32 && int64(int32(key)) == key:
		*(*int32)(p) = int32(key)
		return nil
	}
	if err := m.PrimaryKey.codec.store(p, key); err != nil {
		return m.PrimaryKey.fault(err)
	}
	return nil
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

// own finds the fields, with a column of this table, that pointers name.
func (m *ModelInfo) own(pointers []any) ([]*FieldInfo, error) {
	fields := make([]*FieldInfo, 0, len(pointers))
	for _, ptr := range pointers {
		f, err := m.Field(ptr)
		if err != nil {
			return nil, err
		}
		columns := f.columns()
		if len(columns) == 0 {
			return nil, fmt.Errorf("orm: %s.%s is a relation to many and has no column to write", m.Name, f.Name)
		}
		fields = append(fields, columns...)
	}
	return fields, nil
}
