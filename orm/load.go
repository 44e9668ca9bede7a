package orm

import (
	"context"
	"fmt"
	"reflect"
	"unsafe"
)

// Load loads relations of rows that are there already, as [Query.With] would have done:
// one query for each relation, however many rows there are.
//
//	err := orm.Load(ctx, posts, &p.Author, &p.Tags, orm.Only(&p.Comments, latest))
//
// A relation to one that is loaded stays as it is; one to many is loaded again.
func Load[T any](ctx context.Context, rows []*T, relations ...any) error {
	m, err := registeredInfo(reflect.TypeFor[T]())
	if err != nil {
		return err
	}
	list := make([]unsafe.Pointer, len(rows))
	for i, row := range rows {
		if row == nil {
			return fmt.Errorf("orm: Load of %s: row %d is nil", m.Name, i)
		}
		list[i] = unsafe.Pointer(row)
	}
	q := (&query{model: m}).loading(relations)
	if q.rare().err != nil {
		return q.rare().err
	}
	plan, err := q.loadPlan()
	if err != nil {
		return err
	}
	db, err := q.database(ctx)
	if err != nil || len(rows) == 0 {
		return err
	}
	return loadOnto(ctx, db, m, list, plan)
}

// loadOnto loads relations of rows of a model.
func loadOnto(ctx context.Context, db *DB, m *ModelInfo, rows []unsafe.Pointer, plan []*loadNode) error {
	for _, node := range plan {
		var err error
		if node.field.Relation.spec.many {
			err = node.load(ctx, db, rows)
		} else {
			err = node.loadOne(ctx, db, rows)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// loadOne loads a relation to one of rows, those that lack it, and what is behind it.
func (node *loadNode) loadOne(ctx context.Context, db *DB, rows []unsafe.Pointer) error {
	f := node.field
	target, of := f.Relation.Target(), f.Relation.Key()
	waiting := map[any][]unsafe.Pointer{}
	var keys []expr
	var loaded []unsafe.Pointer
	for _, row := range rows {
		p := unsafe.Add(row, f.offset)
		key, err := f.codec.load(p)
		if err != nil {
			return f.fault(err)
		}
		if key == nil {
			continue
		}
		if have := f.row(p); have != nil && mapKey(of.rowKey(have).value()) == mapKey(key) {
			loaded = append(loaded, have)
			continue
		}
		if waiting[mapKey(key)] == nil {
			keys = append(keys, &variable{key})
		}
		waiting[mapKey(key)] = append(waiting[mapKey(key)], p)
	}
	if len(loaded) > 0 {
		if err := loadOnto(ctx, db, target, loaded, node.kids); err != nil {
			return err
		}
	}
	if len(keys) == 0 {
		return nil
	}
	q := &query{model: target, withDeleted: true, where: []expr{&inList{of: target.ref(of), values: keys}}}
	r := newReader(target, node.kids)
	found, err := q.open(ctx, db, nil, r)
	if err != nil {
		return err
	}
	defer found.Close()
	for found.Next() {
		row, err := r.row(found)
		if err != nil {
			return err
		}
		for _, p := range waiting[mapKey(of.rowKey(row).value())] {
			f.setRow(p, row)
		}
	}
	if err := closeRows(found); err != nil {
		return err
	}
	return r.root.loadMany(ctx, db)
}

// row is the row that a foreign key has loaded, or nil.
func (f *FieldInfo) row(field unsafe.Pointer) unsafe.Pointer {
	return *(*unsafe.Pointer)(unsafe.Add(field, f.Relation.spec.rowOffset))
}
