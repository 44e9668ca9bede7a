package orm

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"unsafe"
)

// many is a relation to many in memory, whatever the type of its rows: that of all of
// [HasManyOf], [ManyToManyOf] and [HasOneOf].
type many struct {
	rows   []unsafe.Pointer
	loaded bool
	key    rowKey
	link   *link
}

// spec is what the type of a relation to many says.
func (*many) spec(kind RelationKind, target reflect.Type) relationSpec {
	var m many
	return relationSpec{
		kind: kind, many: true, target: target,
		rowOffset: unsafe.Offsetof(m.rows), loadedOffset: unsafe.Offsetof(m.loaded),
		keyOffset: unsafe.Offsetof(m.key), linkOffset: unsafe.Offsetof(m.link),
	}
}

// to returns the prototype behind the relation.
func (m *many) to(target reflect.Type) unsafe.Pointer {
	if m.link == nil || m.link.node == nil {
		panic(fmt.Sprintf("orm: To of a relation to many of %s names fields and is for Fields(); read rows with Get or All", target.Name()))
	}
	return m.link.node.child(m.link.field).base
}

func (m *many) get(target reflect.Type) ([]unsafe.Pointer, error) {
	if !m.loaded {
		return nil, notLoaded(m.link, target)
	}
	return m.rows, nil
}

// one returns the only row, or nil.
func (m *many) one(target reflect.Type) (unsafe.Pointer, error) {
	rows, err := m.get(target)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return rows[0], nil
}

func (m *many) all(ctx context.Context, target reflect.Type) ([]unsafe.Pointer, error) {
	if m.loaded {
		return m.rows, nil
	}
	q := m.query(target)
	rows, err := q.all(ctx, q.orderTerms())
	if err == nil {
		m.rows, m.loaded = rows, true
	}
	return rows, err
}

// query is the query of the related rows of one row.
func (m *many) query(target reflect.Type) *query {
	info := typeInfo(target)
	q := &query{model: info}
	if m.link == nil || m.key.value() == nil {
		q.own().err = fmt.Errorf("orm: a relation to %s is used on a row that was neither read nor inserted", info.Name)
		return q
	}
	f := m.link.field
	if q.own().err = f.model.resolve(); q.rare().err != nil {
		return q
	}
	q.own().relation = f
	if f.Relation.Kind == ManyMany {
		q.where = []expr{&joined{f.Relation.join, f.Relation.Target().PrimaryKey, m.key.value()}}
		return q
	}
	via := f.Relation.via
	q.where = []expr{&compare{"=", ref{unsafe.Add(info.names.root.base, via.offset), via.Type}, &variable{m.key.value()}}}
	return q
}

func (m *many) String() string {
	if !m.loaded {
		return "(not loaded)"
	}
	return fmt.Sprintf("(%d rows)", len(m.rows))
}

// add relates rows by a join table.
func (m *many) add(ctx context.Context, target reflect.Type, rows []unsafe.Pointer) error {
	keys, err := m.keysOf(target, rows)
	if err != nil || len(keys) == 0 {
		return err
	}
	if err := (&relationChange{field: m.link.field, owner: m.key.value(), keys: keys}).run(ctx); err != nil {
		return err
	}
	if m.loaded {
		have := keySet(rowKeys(target, m.rows))
		m.rows = slices.Clone(m.rows)
		for i, row := range rows {
			if !have[mapKey(keys[i])] {
				m.rows = append(m.rows, row)
			}
		}
	}
	return nil
}

// remove ends the relation to rows.
func (m *many) remove(ctx context.Context, target reflect.Type, rows []unsafe.Pointer) error {
	keys, err := m.keysOf(target, rows)
	if err != nil || len(keys) == 0 {
		return err
	}
	if err := (&relationChange{field: m.link.field, owner: m.key.value(), keys: keys, remove: true}).run(ctx); err != nil {
		return err
	}
	if m.loaded {
		gone, info := keySet(keys), typeInfo(target)
		m.rows = slices.DeleteFunc(slices.Clone(m.rows), func(row unsafe.Pointer) bool {
			return gone[mapKey(info.keyOf(row).value())]
		})
	}
	return nil
}

// set relates exactly the rows given.
func (m *many) set(ctx context.Context, target reflect.Type, rows []unsafe.Pointer) error {
	keys, err := m.keysOf(target, rows)
	if err != nil {
		return err
	}
	err = (&relationChange{field: m.link.field, owner: m.key.value(), keys: keys, exactly: true}).run(ctx)
	if err == nil {
		m.rows, m.loaded = slices.Clone(rows), true
	}
	return err
}

// keysOf checks that the relation can be written and returns the rows' keys.
func (m *many) keysOf(target reflect.Type, rows []unsafe.Pointer) ([]any, error) {
	if m.link == nil || m.link.node != nil || m.key.value() == nil {
		return nil, fmt.Errorf("orm: a relation to %s is written on a row that was neither read nor inserted", target.Name())
	}
	f := m.link.field
	if err := f.model.resolve(); err != nil {
		return nil, err
	}
	if i := slices.Index(rows, nil); i >= 0 {
		return nil, fmt.Errorf("orm: a nil row is given to %s.%s", f.model.Name, f.Name)
	}
	keys := rowKeys(target, rows)
	if slices.Contains(keys, nil) {
		return nil, fmt.Errorf("orm: %s.%s is given a %s that is not saved; insert it first", f.model.Name, f.Name, target.Name())
	}
	return keys, nil
}

// rowKeys are the primary keys of rows, nil for one that has none.
func rowKeys(target reflect.Type, rows []unsafe.Pointer) []any {
	info := typeInfo(target)
	keys := make([]any, len(rows))
	for i, row := range rows {
		keys[i] = info.keyOf(row).value()
	}
	return keys
}
