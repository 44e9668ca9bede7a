package orm

import (
	"context"
	"encoding/binary"
	"math"
	"slices"
	"unsafe"
)

// load fetches the rows behind a relation to many for all its owners at once.
func (node *loadNode) load(ctx context.Context, db *DB, owners []unsafe.Pointer) error {
	f := node.field
	ownerKey := f.ownerKey()
	g := &gathering{keys: newKeyNumbers(len(owners))}
	numbers := make([]int32, len(owners))
	for i, row := range owners {
		key, err := ownerKey.codec.load(unsafe.Add(row, ownerKey.offset))
		if err != nil {
			return err
		}
		numbers[i] = g.keys.number(key)
	}
	size := max(g.keys.len(), 1)
	if len(ownerKey.Parts) > 0 {
		size = collectBatch // no array parameter holds them
	}
	for batch := range slices.Chunk(g.keys.values, size) {
		if err := node.fetch(ctx, db, batch, g); err != nil {
			return err
		}
	}
	lists, via := g.deal(), f.Relation.via
	for i, row := range owners {
		rows := lists[numbers[i]]
		f.setRows(unsafe.Add(row, f.offset), rows)
		if via != nil {
			if via.Relation.spec.target != f.model.Type {
				row = f.model.part(row)
			}
			for _, kid := range rows {
				via.setRow(unsafe.Add(kid, via.offset), row)
			}
		}
	}
	return nil
}

// fetch reads the related rows of the keys.
func (node *loadNode) fetch(ctx context.Context, db *DB, keys []any, g *gathering) error {
	s, err := node.compile(ctx, db, keys, g.keys.others == nil)
	if err != nil {
		return err
	}
	defer s.done()
	r, via := s.reader, node.field.Relation.via
	rows, err := db.queryInto(ctx, s.Statement, &r.result)
	if err != nil {
		return err
	}
	defer rows.Close()
	r.root.together(math.MaxInt)
	var shared map[any]unsafe.Pointer
	switch {
	case via != nil:
	case r.root.model.PrimaryKey.isInteger():
		r.root.known = make(map[int64]unsafe.Pointer, len(keys))
	default:
		shared = make(map[any]unsafe.Pointer, len(keys))
	}
	for rows.Next() {
		row, err := r.row(rows)
		if err == nil && via != nil {
			err = g.addOwned(row, via)
		} else if err == nil {
			err = g.addShared(row, r, shared)
		}
		if err != nil {
			return err
		}
	}
	if err := closeRows(rows); err != nil {
		return err
	}
	return r.root.loadMany(ctx, db)
}

// newReader makes the reader of the rows that q, which loads the relation, finds.
func (node *loadNode) newReader(q *query, keys []expr) (*reader, error) {
	r, err := q.newChosenReader(node.field.Relation.Target(), node.kids)
	if err == nil && node.field.Relation.via == nil {
		r.through, r.keys, r.pk = node.field.Relation.join, keys, node.field.model.PrimaryKey
	}
	return r, err
}

// compile makes the SELECT of the related rows of keys. Where it does not depend on what the
// program chose, and the keys are integers, its text is made once.
func (node *loadNode) compile(ctx context.Context, db *DB, keys []any, integers bool) (compiled, error) {
	target := node.field.Relation.Target()
	if node.only != nil || !integers {
		return node.compileAnew(ctx, db, keys)
	}
	o := outlines.Get().(*outline)
	defer o.done()
	q := (&query{model: target}).zoned(ctx)
	o.query = q
	args, ok := o.load(db.backend.Dialect(), node, keys)
	o.trace(forRows, q.keyOrder())
	if !ok || o.unknown {
		return node.compileAnew(ctx, db, keys)
	}
	if known := db.shapes.find(target, o.form); known != nil {
		s := compiled{Statement: Statement{SQL: known.sql, Args: args}, shape: known}
		if s.reader, ok = known.readers.Get().(*reader); ok {
			return s, nil
		}
		var err error
		if s.reader, err = node.newReader(q, nil); err == nil {
			s.reader.makeCells()
		}
		return s, err
	}
	s, err := node.compileAnew(ctx, db, keys)
	if err == nil && sameArgs(args, s.Args) {
		db.shapes.keep(target, o.form, &shape{sql: s.SQL})
	}
	return s, err
}

// load begins the form of a query that loads a relation of owners with these keys, and
// returns its arguments; false if it has no form.
func (o *outline) load(d Dialect, node *loadNode, keys []any) ([]any, bool) {
	o.form = append(o.form, 'M')
	o.plan(node)
	o.number(min(len(keys), inlineValues+1))
	if len(keys) <= inlineValues {
		args := make([]any, len(keys))
		for i, key := range keys {
			args[i] = d.Bind(key)
		}
		return args, true
	}
	form, arg, ok := d.InArray(o.form, "", "", keys)
	o.form = append(form, 0) // which is in no text of SQL
	return []any{arg}, ok
}

// plan writes what is loaded, which a program that asks again says with other nodes of the
// same fields.
func (o *outline) plan(node *loadNode) {
	o.unknown = o.unknown || node.only != nil
	o.form = binary.NativeEndian.AppendUint64(o.form, uint64(uintptr(unsafe.Pointer(node.field))))
	o.number(len(node.kids))
	for _, kid := range node.kids {
		o.plan(kid)
	}
}

// compileAnew compiles the SELECT of the related rows of keys.
func (node *loadNode) compileAnew(ctx context.Context, db *DB, keys []any) (compiled, error) {
	target := node.field.Relation.Target()
	q := &query{model: target}
	if node.only != nil {
		q = node.only.derive()
	}
	r, err := node.newReader(q, variables(keys))
	if err != nil {
		return compiled{}, err
	}
	if via := node.field.Relation.via; via != nil {
		q.where = add[expr](q.where, &inList{of: ref{unsafe.Add(target.names.root.base, via.offset), via.Type}, values: variables(keys)})
	}
	if q.limited || q.offset > 0 {
		q = q.perOwner(node.field)
	}
	q = q.zoned(ctx)
	c := newCompiler(db.backend.Dialect(), target)
	c.selectRows(q, q.keyOrder(), r)
	if c.err != nil {
		return compiled{}, c.err
	}
	r.makeCells()
	return compiled{Statement: Statement{SQL: string(c.buf), Args: c.args}, reader: r}, nil
}

// perOwner makes the limit of a query of related rows count for each owner by itself.
func (q *query) perOwner(f *FieldInfo) *query {
	number := &window{of: newCall("row_number"), order: q.keyOrder()}
	if via := f.Relation.via; via != nil {
		number.partition = []operand{q.model.ref(via)}
	} else {
		number.partition = []operand{columnList{throughAlias, f.Relation.join.owner}}
	}
	d := q.derive()
	d.limited, d.limit, d.offset = false, 0, 0
	d.where = add[expr](d.where, &compare{">", number, &variable{q.offset}})
	if q.limited {
		d.where = add[expr](d.where, &compare{"<=", number, &variable{q.offset + q.limit}})
	}
	return d
}
