package orm

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unsafe"

	"github.com/retort-web/retort/orm/schema"
)

// collector finds what a delete concerns and then deletes it.
type collector struct {
	ctx  context.Context
	db   *DB
	hard bool // rows of soft-deleted models too
	// preview asks what a delete would do, also of the database alone.
	preview bool
	now     time.Time

	waves   []wave
	taken   map[*ModelInfo]map[any]bool
	unloads []unload
	guards  []guard
}

// wave is rows of one model found in one step.
type wave struct {
	model *ModelInfo
	keys  []any
	rows  []unsafe.Pointer // nil if nobody needs to see them
}

// unload is rows that are changed or deleted without being read: those whose foreign key
// is one of the keys.
type unload struct {
	field *FieldInfo
	keys  []any
}

// guard is rows that refer by a foreign key to rows that are to be deleted.
type guard struct {
	field *FieldInfo
	rows  []unsafe.Pointer
}

// collectBatch is how many keys one statement of a delete names.
const collectBatch = 500

func newCollector(ctx context.Context, db *DB, hard bool) *collector {
	return &collector{ctx: ctx, db: db, hard: hard, now: time.Now().UTC().Truncate(time.Microsecond), taken: map[*ModelInfo]map[any]bool{}}
}

// soft reports that rows of the model are marked and not deleted.
func (c *collector) soft(m *ModelInfo) bool { return m.softDelete != nil && !c.hard }

// find reads the rows of a query, or only their keys if that is enough.
func (c *collector) find(q *query) (keys []any, rows []unsafe.Pointer, err error) {
	if !q.model.hears(BeforeDelete, AfterDelete) {
		keys, err = q.existingKeys(c.ctx, c.db)
		return keys, nil, err
	}
	d := q.derive()
	d.with = nil
	rows, err = d.all(c.ctx, d.orderTerms())
	return q.model.keysOf(rows), rows, err
}

// run deletes rows and what goes with them.
func (c *collector) run(m *ModelInfo, keys []any, rows []unsafe.Pointer) error {
	if err := c.collect(m, keys, rows); err != nil {
		return err
	}
	if protected := c.inTheWay(); protected != nil {
		return protected
	}
	if err := c.fire(BeforeDelete); err != nil {
		return err
	}
	for _, u := range c.unloads {
		if _, err := c.unload(u); err != nil {
			return err
		}
	}
	for _, w := range c.sorted() {
		if err := c.deleteWave(w); err != nil {
			return err
		}
	}
	return c.fire(AfterDelete)
}

func (c *collector) fire(kind EventKind) error {
	for _, w := range c.waves {
		if err := w.model.fireAll(c.ctx, w.rows, Event{Kind: kind, Soft: c.soft(w.model)}); err != nil {
			return err
		}
	}
	return nil
}

// collect notes rows and finds what refers to them.
func (c *collector) collect(m *ModelInfo, keys []any, rows []unsafe.Pointer) error {
	keys, rows = c.fresh(m, keys, rows)
	if len(keys) == 0 {
		return nil
	}
	c.waves = append(c.waves, wave{m, keys, rows})
	for _, f := range m.references().fields {
		for batch := range slices.Chunk(keys, collectBatch) {
			values, err := c.referred(f, m, batch)
			if err != nil {
				return err
			}
			if err := c.follow(f, m, values); err != nil {
				return err
			}
		}
	}
	return c.collectGeneric(m, keys)
}

// leftToDatabase reports a foreign key to m whose rows are none of the collector's concern. A
// row that is only marked as deleted means nothing to the database.
func (c *collector) leftToDatabase(f *FieldInfo, m *ModelInfo) bool {
	return f.Relation.InDatabase && (!c.preview || c.soft(m))
}

// referred are the values by which the foreign key f leads to rows of m: their keys, or
// what another field of them holds.
func (c *collector) referred(f *FieldInfo, m *ModelInfo, keys []any) ([]any, error) {
	if f.Relation.spec.to == "" || c.leftToDatabase(f, m) {
		return keys, nil
	}
	q := &query{model: m, withDeleted: true, where: []expr{m.keyIn(keys)}}
	return q.columnValues(c.ctx, c.db, m.keyNamed(f.Relation.spec.to))
}

// fresh leaves out the rows that are noted already.
func (c *collector) fresh(m *ModelInfo, keys []any, rows []unsafe.Pointer) ([]any, []unsafe.Pointer) {
	taken := c.taken[m]
	if taken == nil {
		taken = make(map[any]bool, len(keys))
		c.taken[m] = taken
	}
	var newKeys []any
	var newRows []unsafe.Pointer
	for i, key := range keys {
		if taken[mapKey(key)] {
			continue
		}
		taken[mapKey(key)] = true
		newKeys = append(newKeys, key)
		if rows != nil {
			newRows = append(newRows, rows[i])
		}
	}
	return newKeys, newRows
}

// follow deals with the rows whose foreign key f leads to rows of m that are to go.
func (c *collector) follow(f *FieldInfo, m *ModelInfo, keys []any) error {
	if c.leftToDatabase(f, m) {
		return nil
	}
	referring := &query{model: f.model, where: []expr{&inList{of: f.model.ref(f), values: variables(keys)}}}
	referring.withDeleted = !c.soft(m)
	switch f.Relation.OnDelete {
	case schema.Cascade:
		if c.soft(m) && f.model.softDelete == nil {
			return nil
		}
		if len(f.model.references().fields) == 0 && len(f.model.genericCascades()) == 0 && !f.model.hears(BeforeDelete, AfterDelete) && !c.soft(f.model) && len(f.model.references().joins) == 0 {
			c.unloads = append(c.unloads, unload{f, keys})
			return nil
		}
		found, rows, err := c.find(referring)
		if err != nil {
			return err
		}
		return c.collect(f.model, found, rows)
	case schema.SetNull, schema.SetDefault:
		if !c.soft(m) {
			c.unloads = append(c.unloads, unload{f, keys})
		}
	case schema.Restrict:
		rows, err := referring.all(c.ctx, referring.keyOrder())
		if err != nil {
			return err
		}
		if len(rows) > 0 {
			c.guards = append(c.guards, guard{f, rows})
		}
	}
	return nil
}

// inTheWay lists the rows that forbid the delete: those that are protected, and those
// that are restricted and do not go themselves.
func (c *collector) inTheWay() *ProtectedError {
	var e ProtectedError
	for _, g := range c.guards {
		m := g.field.model
		var rows []any
		for _, row := range g.rows {
			if g.field.Relation.Protect || !c.taken[m][mapKey(m.mustKey(row))] {
				rows = append(rows, m.rowOf(row))
			}
		}
		if len(rows) > 0 {
			e.By = append(e.By, ProtectedBy{g.field, rows})
		}
	}
	if len(e.By) == 0 {
		return nil
	}
	e.Model = c.waves[0].model
	f := e.By[0].Field
	e.Err = &ConstraintError{Kind: ForeignKeyConstraint, Schema: f.model.meta.Schema, Table: f.model.alias, Columns: f.columnNames()}
	return &e
}

// unload changes or deletes rows that nobody needs to see, and returns how many.
func (c *collector) unload(u unload) (int64, error) {
	q := &query{model: u.field.model, withDeleted: true, where: []expr{&inList{of: u.field.model.ref(u.field), values: variables(u.keys)}}}
	switch u.field.Relation.OnDelete {
	case schema.SetNull:
		return q.update(c.ctx, []Assignment{{field: u.field.model.ref(u.field)}})
	case schema.SetDefault:
		// The database knows the default and sets it when the row goes.
		return 0, nil
	}
	return q.change(c.ctx, func(w *compiler) {
		w.text("DELETE FROM ")
		w.quote(q.model.Table)
	})
}

// sorted puts the waves in an order in which nothing is deleted that something else still
// refers to: models before those they refer to, and within a model the rows found last
// first. Models that refer to each other in a circle stay as they were found; there the
// database's own on_delete helps.
func (c *collector) sorted() []wave {
	waves := slices.Clone(c.waves)
	slices.Reverse(waves)
	var models []*ModelInfo
	for _, w := range waves {
		if !slices.Contains(models, w.model) {
			models = append(models, w.model)
		}
	}
	rank := map[*ModelInfo]int{}
	visiting := map[*ModelInfo]bool{}
	var visit func(m *ModelInfo)
	visit = func(m *ModelInfo) {
		if _, done := rank[m]; done || visiting[m] {
			return
		}
		visiting[m] = true
		for _, f := range m.references().fields {
			if slices.Contains(models, f.model) {
				visit(f.model)
			}
		}
		rank[m] = len(rank)
	}
	for _, m := range models {
		visit(m)
	}
	slices.SortStableFunc(waves, func(a, b wave) int { return rank[a.model] - rank[b.model] })
	return waves
}

func (c *collector) deleteWave(w wave) error {
	for keys := range slices.Chunk(w.keys, collectBatch) {
		q := &query{model: w.model, withDeleted: true, where: []expr{w.model.keyIn(keys)}}
		if c.soft(w.model) {
			if _, err := q.update(c.ctx, []Assignment{{w.model.ref(w.model.softDelete), c.now}}); err != nil {
				return err
			}
			continue
		}
		if _, err := q.change(c.ctx, func(w *compiler) {
			w.text("DELETE FROM ")
			w.quote(q.model.Table)
		}); err != nil {
			return err
		}
	}
	if c.soft(w.model) {
		for _, row := range w.rows {
			_ = w.model.softDelete.codec.store(unsafe.Add(row, w.model.softDelete.offset), c.now)
		}
	}
	return nil
}

// Deletion is what a delete would do; see [Query.Deletion].
type Deletion struct {
	// Models are the models of which rows would be deleted, or marked as deleted, that of
	// the query first.
	Models []DeletedRows
	// Changed are rows whose foreign key would be set to NULL or its default.
	Changed []DeletedRows
	// Protected says which rows stand in the way, nil if none do.
	Protected *ProtectedError
}

// DeletedRows is rows of one model that a delete concerns.
type DeletedRows struct {
	Model *ModelInfo
	// Field is the foreign key through which they are concerned; nil for rows of which
	// several are, and those of the query itself.
	Field *FieldInfo
	// Join is the relation to many whose join table they are in; Model is then the one
	// that declares it.
	Join *FieldInfo
	Rows int64
	// Keys are the primary keys, if they had to be read.
	Keys []any
	// Soft tells that the rows would be marked and not deleted.
	Soft bool
}

// Total is how many rows would be deleted or marked in all.
func (d *Deletion) Total() int64 {
	var n int64
	for _, rows := range d.Models {
		n += rows.Rows
	}
	return n
}

// Deletion returns what Delete would do to which rows, per model, without doing it: for a
// page that asks whether that is meant.
func (s *Query[P]) Deletion(ctx context.Context) (*Deletion, error) {
	return s.use().deletion(ctx)
}

// Deletion is [Query.Deletion].
func (s AnySet) Deletion(ctx context.Context) (*Deletion, error) { return s.q.deletion(ctx) }

func (q *query) deletion(ctx context.Context) (*Deletion, error) {
	if err := q.ready(); err != nil {
		return nil, err
	}
	db, err := q.model.database(ctx, Write)
	if err != nil {
		return nil, err
	}
	c := newCollector(ctx, db, false)
	c.preview = true
	keys, err := q.existingKeys(ctx, db)
	if err != nil {
		return nil, err
	}
	if err := c.collect(q.model, keys, nil); err != nil {
		return nil, err
	}
	return c.deletion()
}

func (c *collector) deletion() (*Deletion, error) {
	d := &Deletion{Protected: c.inTheWay()}
	byModel := map[*ModelInfo]int{}
	for _, w := range c.waves {
		i, ok := byModel[w.model]
		if !ok {
			i = len(d.Models)
			byModel[w.model] = i
			d.Models = append(d.Models, DeletedRows{Model: w.model, Soft: c.soft(w.model)})
		}
		d.Models[i].Rows += int64(len(w.keys))
		d.Models[i].Keys = append(d.Models[i].Keys, w.keys...)
	}
	byField := map[*FieldInfo]int64{}
	var fields []*FieldInfo
	for _, u := range c.unloads {
		q := &query{model: u.field.model, withDeleted: true, where: []expr{&inList{of: u.field.model.ref(u.field), values: variables(u.keys)}}}
		n, err := q.count(c.ctx)
		if err != nil {
			return nil, err
		}
		if _, ok := byField[u.field]; !ok && n > 0 {
			fields = append(fields, u.field)
		}
		byField[u.field] += n
	}
	for _, f := range fields {
		rows := DeletedRows{Model: f.model, Field: f, Rows: byField[f]}
		if f.Relation.OnDelete == schema.Cascade {
			d.Models = append(d.Models, rows)
		} else {
			d.Changed = append(d.Changed, rows)
		}
	}
	return d, c.countJoins(d)
}

// countJoins adds the rows of join tables, which the database deletes on its own.
func (c *collector) countJoins(d *Deletion) error {
	for _, w := range c.waves {
		if c.soft(w.model) {
			continue
		}
		for _, f := range w.model.references().joins {
			if err := f.model.resolve(); err != nil {
				return err
			}
			n, err := c.countJoin(f, w)
			if err != nil {
				return err
			}
			if n > 0 {
				d.Models = append(d.Models, DeletedRows{Model: f.model, Join: f, Rows: n})
			}
		}
	}
	return nil
}

func (c *collector) countJoin(f *FieldInfo, w wave) (int64, error) {
	j := f.Relation.join
	columns := [][]string{j.owner}
	if f.model != w.model {
		columns[0] = j.target
	} else if f.Relation.Target() == w.model {
		columns = append(columns, j.target)
	}
	var total int64
	for keys := range slices.Chunk(w.keys, collectBatch) {
		s := newCompiler(c.db.backend.Dialect(), f.model)
		s.text("SELECT COUNT(*) FROM ")
		s.table(j.table, throughAlias)
		for i, column := range columns {
			s.text([]string{" WHERE ", " OR "}[i])
			(&inList{of: columnList{throughAlias, column}, values: variables(keys)}).write(s)
		}
		if s.err != nil {
			return 0, s.err
		}
		n, err := c.db.keys(c.ctx, Statement{SQL: string(s.buf), Args: s.args})
		if err != nil {
			return 0, err
		}
		total += n[0]
	}
	return total, nil
}

// ProtectedError is a delete that was refused because other rows refer to the rows.
type ProtectedError struct {
	Model *ModelInfo // of the rows that were to be deleted
	By    []ProtectedBy
	Err   error // a *ConstraintError
}

// ProtectedBy is rows that stand in the way of a delete.
type ProtectedBy struct {
	Field *FieldInfo // the foreign key by which they refer
	Rows  []any      // pointers to the struct of the field's model
}

// Error names the rows in the way, a few of each kind.
func (e *ProtectedError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "orm: the %s cannot be deleted", e.Model.VerboseName)
	for i, by := range e.By {
		b.WriteString([]string{": it is referred to by ", "; by "}[min(i, 1)])
		fmt.Fprintf(&b, "%s.%s of ", by.Field.model.Name, by.Field.Name)
		const some = 3
		for n, row := range by.Rows[:min(some, len(by.Rows))] {
			if n > 0 {
				b.WriteString(", ")
			}
			fmt.Fprintf(&b, "%q", by.Field.model.RowString(row))
		}
		if more := len(by.Rows) - some; more > 0 {
			fmt.Fprintf(&b, " and %d more", more)
		}
	}
	return b.String()
}

// Unwrap returns the foreign key that was in the way, a *ConstraintError.
func (e *ProtectedError) Unwrap() error { return e.Err }
