package orm

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"unsafe"

	"github.com/retort-web/retort/orm/schema"
)

// Delete deletes the rows that the query's conditions select and returns how many they
// were. Rows that refer to them are dealt with as their on_delete says; they are not
// counted: see [Query.Deletion]. Rows that stand in the way are a [*ProtectedError].
//
// The database does it alone, in one statement, if no model concerned has a hook or
// listener for deletes and none is soft-deleted. Otherwise the rows are found first and
// deleted in batches, those that refer to others before them, in one transaction.
//
// A query without a condition is refused with ErrNoCondition.
func (s *Query[P]) Delete(ctx context.Context) (int64, error) { return s.use().deleteSome(ctx) }

func (q *query) deleteSome(ctx context.Context) (int64, error) {
	if err := q.needsCondition("Delete", "delete every row; use DeleteAll for that"); err != nil {
		return 0, err
	}
	return q.delete(ctx, false)
}

// DeleteAll is Delete that needs no condition.
func (s *Query[P]) DeleteAll(ctx context.Context) (int64, error) {
	return s.use().delete(ctx, false)
}

// HardDelete is Delete that deletes rows of soft-deleted models in earnest, those already
// marked too if the query says WithDeleted.
func (s *Query[P]) HardDelete(ctx context.Context) (int64, error) { return s.use().hardDelete(ctx) }

func (q *query) hardDelete(ctx context.Context) (int64, error) {
	if err := q.needsCondition("HardDelete", "delete every row; give it a condition that is always true if that is meant"); err != nil {
		return 0, err
	}
	return q.delete(ctx, true)
}

func (q *query) needsCondition(verb, would string) error {
	if q.model != nil && len(q.where) == 0 {
		return fmt.Errorf("%w: %s of %s would %s", ErrNoCondition, verb, q.model.Name, would)
	}
	return nil
}

// WithDeleted includes rows that are marked as deleted; see [SoftDelete].
func (s *Query[P]) WithDeleted() *Query[P] { return typed[P](s.use().includeDeleted()) }

func (q *query) includeDeleted() *query {
	d := q.derive()
	d.withDeleted = true
	return d
}

// OnlyDeleted keeps the rows that are marked as deleted; see [SoftDelete].
func (s *Query[P]) OnlyDeleted() *Query[P] { return typed[P](s.use().onlyDeleted()) }

func (q *query) onlyDeleted() *query {
	d := q.includeDeleted()
	if d.model == nil || d.model.softDelete == nil {
		d.own().err = fmt.Errorf("orm: OnlyDeleted of a model that is not soft-deleted; embed orm.SoftDelete")
		return d
	}
	d.where = add[expr](d.where, &isNull{d.model.ref(d.model.softDelete), true})
	return d
}

// Restore takes away the mark of the rows that the query selects among those marked as
// deleted, and returns how many they were. Rows that were marked with them, because they
// refer to them, are restored with their own query.
func (s *Query[P]) Restore(ctx context.Context) (int64, error) { return s.use().restore(ctx) }

func (q *query) restore(ctx context.Context) (int64, error) {
	only := q.onlyDeleted()
	if only.rare().err != nil {
		return 0, only.rare().err
	}
	mark := only.model.ref(only.model.softDelete)
	return only.update(ctx, []Assignment{{field: mark}})
}

// scope is the condition that a query has without being asked: rows marked as deleted
// are not there.
func (q *query) scope() expr {
	if q.withDeleted || q.model.softDelete == nil {
		return nil
	}
	return &isNull{q.model.ref(q.model.softDelete), false}
}

// conditions are those of the query and its scope.
func (q *query) conditions() []expr {
	if scope := q.scope(); scope != nil {
		return add(q.where, scope)
	}
	return q.where
}

// ref names a field of the model.
func (m *ModelInfo) ref(f *FieldInfo) ref {
	return ref{unsafe.Add(m.names.root.base, f.offset), f.Type}
}

// DeleteRow deletes rows. If one is gone already the error is ErrNotFound, and the
// others are deleted. What refers to them is dealt with as by [Query.Delete].
//
// In a model with a field tagged "version" a row that has another version than it was read
// with is ErrStale, and none is deleted.
func (s *Query[P]) DeleteRow(ctx context.Context, rows ...P) error {
	return s.use().deleteRows(ctx, bases(rows))
}

func (q *query) deleteRows(ctx context.Context, rows []unsafe.Pointer) error {
	if len(rows) == 0 {
		return nil
	}
	if err := q.ready(); err != nil {
		return err
	}
	m := q.model
	for i, row := range rows {
		if row == nil {
			return fmt.Errorf("orm: DeleteRow of %s: row %d is nil", m.Name, i)
		}
	}
	where, err := m.unchanged(rows)
	if err != nil {
		return err
	}
	chosen := &query{model: m, where: []expr{where}}
	db, err := m.database(ctx, Write)
	if err != nil {
		return err
	}
	if m.version != nil {
		return q.deleteVersions(ctx, db, rows, chosen)
	}
	if m.deletesAlone() {
		n, err := chosen.deleteAlone(ctx, db)
		if err == nil && n < int64(len(rows)) {
			err = q.notFound()
		}
		return err
	}
	n := 0
	err = db.Atomic(ctx, TxOptions{}, func(ctx context.Context) error {
		n, err = q.collectRows(ctx, db, rows)
		return err
	})
	if err == nil && n < len(rows) {
		err = q.notFound()
	}
	return err
}

// collectRows deletes those rows that are there with what refers to them, and returns how
// many they were.
func (q *query) collectRows(ctx context.Context, db *DB, rows []unsafe.Pointer) (int, error) {
	m := q.model
	found, err := (&query{model: m, where: []expr{m.keyIn(m.keysOf(rows))}}).existingKeys(ctx, db)
	if err != nil {
		return 0, err
	}
	present := keySet(found)
	there := slices.DeleteFunc(slices.Clone(rows), func(row unsafe.Pointer) bool { return !present[mapKey(m.mustKey(row))] })
	c := newCollector(ctx, db, false)
	if err := c.run(m, m.keysOf(there), there); err != nil || !c.soft(m) {
		return len(found), err
	}
	for _, row := range there {
		if err := m.countVersion(row); err != nil {
			return 0, err
		}
	}
	return len(found), nil
}

// delete deletes the rows of the query.
func (q *query) delete(ctx context.Context, hard bool) (int64, error) {
	if err := q.ready(); err != nil {
		return 0, err
	}
	db, err := q.model.database(ctx, Write)
	if err != nil {
		return 0, err
	}
	m := q.model
	if m.deletesAlone() {
		return q.deleteAlone(ctx, db)
	}
	if q.never() {
		return 0, q.check(db, q.orderTerms())
	}
	var n int64
	err = db.Atomic(ctx, TxOptions{}, func(ctx context.Context) error {
		c := newCollector(ctx, db, hard)
		keys, rows, err := c.find(q)
		if err != nil {
			return err
		}
		n = int64(len(keys))
		return c.run(m, keys, rows)
	})
	return n, err
}

// deleteAlone is a single DELETE, with which the database does what on_delete says.
func (q *query) deleteAlone(ctx context.Context, db *DB) (n int64, err error) {
	statement := func(ctx context.Context) error {
		n, err = q.change(ctx, func(c *compiler) {
			c.text("DELETE FROM ")
			c.quote(q.model.Table)
		})
		return err
	}
	if db.transactionOf(ctx) != nil && q.model.references().guarded {
		// A refusal must not break the transaction: it is yet to be explained.
		err = db.Atomic(ctx, TxOptions{}, statement)
	} else {
		err = statement(ctx)
	}
	if err == nil || !IsForeignKey(err) {
		return n, err
	}
	c := newCollector(ctx, db, true)
	if keys, rows, findErr := c.find(q); findErr == nil && c.collect(q.model, keys, rows) == nil {
		if protected := c.inTheWay(); protected != nil {
			protected.Err = err
			return 0, protected
		}
	}
	return 0, err
}

// existingKeys are the primary keys of the query's rows.
func (q *query) existingKeys(ctx context.Context, db *DB) ([]any, error) {
	return q.columnValues(ctx, db, q.model.PrimaryKey)
}

// columnValues are the values of a column in the query's rows, as the field loads them.
func (q *query) columnValues(ctx context.Context, db *DB, f *FieldInfo) ([]any, error) {
	q = q.zoned(ctx)
	c := newCompiler(db.backend.Dialect(), q.model)
	c.selectColumn(q, q.model.ref(f))
	if c.err != nil {
		return nil, c.err
	}
	rows, err := db.query(ctx, Statement{SQL: string(c.buf), Args: c.args})
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var values []any
	for rows.Next() {
		raw, err := rows.Values()
		if err != nil {
			return nil, err
		}
		v, err := f.plainKey(raw)
		if err != nil {
			return nil, err
		}
		values = append(values, v)
	}
	return values, closeRows(rows)
}

// plain brings a value as a database gives it into the form in which the field's values
// are compared.
func (f *FieldInfo) plain(v any) (any, error) {
	row := f.model.alloc()
	p := unsafe.Add(row, f.offset)
	if err := f.codec.store(p, v); err != nil {
		return nil, f.fault(err)
	}
	return f.codec.load(p)
}

// plainKey is plain for the values of all columns of the field.
func (f *FieldInfo) plainKey(raw []any) (any, error) {
	if len(f.Parts) == 0 {
		return f.plain(raw[0])
	}
	key := make(Tuple, len(f.Parts))
	for i, part := range f.Parts {
		// Alone, a zero in a foreign key would be NULL: the key as a whole is not.
		p := reflect.New(part.Type).UnsafePointer()
		v := raw[i]
		err := part.keyPart().store(p, v)
		if err == nil {
			key[i], err = part.keyPart().load(p)
		}
		if err != nil {
			return nil, part.fault(err)
		}
	}
	return key, nil
}

// keyIn is the condition that a row has one of the keys.
func (m *ModelInfo) keyIn(keys []any) expr {
	return &inList{of: m.keyRef(), values: variables(keys)}
}

func variables(values []any) []expr {
	list := make([]expr, len(values))
	for i, v := range values {
		list[i] = &variable{v}
	}
	return list
}

// keysOf are the keys of rows that are saved.
func (m *ModelInfo) keysOf(rows []unsafe.Pointer) []any {
	keys := make([]any, len(rows))
	for i, row := range rows {
		keys[i] = m.mustKey(row)
	}
	return keys
}

// mustKey is the key of a row whose key was read before.
func (m *ModelInfo) mustKey(row unsafe.Pointer) any {
	key, err := m.PrimaryKey.codec.load(unsafe.Add(row, m.PrimaryKey.offset))
	if err != nil {
		return nil
	}
	return key
}

func keySet(keys []any) map[any]bool {
	set := make(map[any]bool, len(keys))
	for _, key := range keys {
		set[mapKey(key)] = true
	}
	return set
}

// referrers are the foreign keys of other models, or of the same, that lead to a model.
type referrers struct {
	models int // how many were registered
	fields []*FieldInfo
	joins  []*FieldInfo // relations to many whose join table has a column for it
	// reach are the models whose rows a delete may take with it, the model itself first.
	reach []*ModelInfo
	// guarded says that rows may stand in the way of a delete.
	guarded bool
	// unknown says that the database does not know of all foreign keys.
	unknown bool
	// ordered says that the database alone could go wrong: rows that are in the way may
	// be among those that are deleted.
	ordered bool
}

// references finds them, again if models were registered since.
func (m *ModelInfo) references() *referrers {
	models.RLock()
	n := len(models.ordered)
	models.RUnlock()
	if r := m.referrers.Load(); r != nil && r.models == n {
		return r
	}
	all := Models()
	r := &referrers{models: len(all)}
	r.fields, r.joins = referringTo(m, all)
	r.reach = []*ModelInfo{m}
	for i := 0; i < len(r.reach); i++ {
		fields, _ := referringTo(r.reach[i], all)
		for _, f := range fields {
			if f.Relation.OnDelete == schema.Cascade && !slices.Contains(r.reach, f.model) {
				r.reach = append(r.reach, f.model)
			}
		}
	}
	for _, reached := range r.reach {
		fields, _ := referringTo(reached, all)
		for _, f := range fields {
			r.unknown = r.unknown || f.Relation.NoConstraint && f.Relation.OnDelete != schema.NoAction
			if f.Relation.OnDelete == schema.Restrict {
				r.guarded = true
				r.ordered = r.ordered || slices.Contains(r.reach, f.model)
			}
		}
	}
	m.referrers.Store(r)
	return r
}

func referringTo(m *ModelInfo, all []*ModelInfo) (fields, joins []*FieldInfo) {
	for _, other := range all {
		for _, f := range other.attach {
			r := f.Relation
			switch {
			case f.inherits != nil: // it is there once, as the field of the extended model
			case r.Kind == ToOne && r.leadsTo(m):
				fields = append(fields, f)
			case r.Kind == ManyMany && r.Reverse == "" && r.Through == "" && (slices.Contains(m.family(), other) || r.leadsTo(m)):
				joins = append(joins, f)
			}
		}
	}
	return fields, joins
}

// deletesAlone reports that the database can be left to delete rows of the model and
// what refers to them.
func (m *ModelInfo) deletesAlone() bool {
	r := m.references()
	if r.ordered || r.unknown {
		return false
	}
	return !slices.ContainsFunc(r.reach, func(reached *ModelInfo) bool {
		return reached.softDelete != nil || reached.hears(BeforeDelete, AfterDelete) || len(reached.genericCascades()) > 0
	})
}
