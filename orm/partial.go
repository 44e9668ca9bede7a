package orm

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"unsafe"
	"weak"
)

// LoadOnly reads only these fields of the rows, beside their keys, foreign keys, version and
// mark of deletion, which are always there. Fields of a relation to one that With loads may be
// named too: they restrict what is read of it. Other fields hold their zero value; nothing
// fetches them behind the program's back.
//
//	Posts.LoadOnly(&p.Title, &p.Author.To().Username).With(&p.Author)
//
// A row knows what was read of it, see [Query.Loaded]: [Query.Edit] writes a field that was
// not read only if it was given a value, [Query.Validate] leaves it alone, and [Query.Insert]
// and [Query.Upsert] refuse the row, whose other fields they would write as zero. [Query.Reload]
// fetches the rest. A copy of the row does not know it.
func (s *Query[P]) LoadOnly(fields ...any) *Query[P] { return typed[P](s.use().choose(fields, false)) }

// Omit reads all fields of the rows but these; see [Query.LoadOnly].
//
//	Posts.Omit(&p.Body)
func (s *Query[P]) Omit(fields ...any) *Query[P] { return typed[P](s.use().choose(fields, true)) }

// LoadOnly is [Query.LoadOnly].
func (s AnySet) LoadOnly(fields ...any) AnySet { return AnySet{s.use().choose(fields, false)} }

// Omit is [Query.Omit].
func (s AnySet) Omit(fields ...any) AnySet { return AnySet{s.use().choose(fields, true)} }

// Loaded reports whether a field of a row was read with it, or named in a Reload since. It
// was, unless LoadOnly or Omit left it out.
func (s *Query[P]) Loaded(row P, field any) (bool, error) {
	f, err := s.use().model.Field(field)
	return err == nil && f.readIn(base(row)), err
}

// choice is a field named by LoadOnly or Omit.
type choice struct {
	of   ref
	omit bool
}

func (q *query) choose(fields []any, omit bool) *query {
	d := q.derive()
	for _, field := range fields {
		r, err := refOf(field)
		if err != nil && d.rare().err == nil {
			d.own().err = err
		}
		d.own().choices = add(d.rare().choices, choice{r, omit})
	}
	if len(fields) == 0 && !omit && d.model != nil {
		d.own().choices = add(d.rare().choices, choice{of: d.model.keyRef()})
	}
	return d
}

// newChosenReader is a reader of the fields that the query asks for.
func (q *query) newChosenReader(m *ModelInfo, plan []*loadNode) (*reader, error) {
	r := newReader(m, plan)
	for _, c := range q.rare().choices {
		n, t, err := c.of.resolve(m.names.root)
		if err != nil {
			return nil, err
		}
		s := r.root.along(n.fields())
		switch {
		case s == nil:
			return nil, fmt.Errorf("orm: LoadOnly and Omit name %s__%s, which is not loaded by a JOIN; add the relation to With, or give the query of orm.Only a LoadOnly of its own", n.path, t.field.Snake)
		case t.field.toMany():
			return nil, fmt.Errorf("orm: LoadOnly and Omit name %s.%s, a relation to many, which only With loads", m.Name, t.field.Name)
		case c.omit && s.model.alwaysRead(t.field):
			return nil, fmt.Errorf("orm: Omit names %s.%s; keys, foreign keys, versions and marks of deletion are always read", m.Name, t.field.Name)
		}
		s.choose(t.field, c.omit)
	}
	return r, nil
}

// along is the segment at the end of a path of relations to one; nil if it is not loaded.
func (s *loadSegment) along(path []*FieldInfo) *loadSegment {
	for _, f := range path {
		i := slices.IndexFunc(s.kids, func(kid *loadSegment) bool { return kid.via == f })
		if i < 0 {
			return nil
		}
		s = s.kids[i]
	}
	return s
}

func (s *loadSegment) choose(f *FieldInfo, omit bool) {
	if s.fields == nil {
		for _, column := range s.model.reading() {
			if omit || s.model.alwaysRead(column) {
				s.fields = append(s.fields, column)
			}
		}
	}
	for _, column := range f.columns() {
		switch i := slices.Index(s.fields, column); {
		case omit && i >= 0:
			s.fields = slices.Delete(s.fields, i, i+1)
		case !omit && i < 0:
			s.fields = append(s.fields, column)
		}
	}
}

// alwaysRead reports a field that a row cannot do without: with a key that is not there
// it would refer to nothing, and without its version it could not be saved.
func (m *ModelInfo) alwaysRead(f *FieldInfo) bool {
	return f.PrimaryKey || f.Relation != nil || f.whole != nil || f == m.version || f == m.softDelete || f.Unique && m.isReferredBy(f)
}

// isReferredBy reports whether foreign keys lead to the field in place of the primary key.
func (m *ModelInfo) isReferredBy(f *FieldInfo) bool {
	return slices.ContainsFunc(m.references().fields, func(g *FieldInfo) bool { return g.Relation.spec.to != "" && m.keyNamed(g.Relation.spec.to) == f })
}

// partialRows are the rows of which only some columns were read. They are kept by weak
// pointers, and so no longer than the rows.
var partialRows struct {
	any  atomic.Bool // most programs have none
	rows sync.Map    // weak.Pointer[byte] to []*FieldInfo
}

// notePartial remembers what was read of a row.
func notePartial(row unsafe.Pointer, fields []*FieldInfo) {
	partialRows.any.Store(true)
	key := weak.Make((*byte)(row))
	if _, known := partialRows.rows.Swap(key, fields); !known {
		runtime.AddCleanup((*byte)(row), func(key weak.Pointer[byte]) { partialRows.rows.Delete(key) }, key)
	}
}

// readOf returns the columns that were read of a row; nil for all.
func readOf(row unsafe.Pointer) []*FieldInfo {
	if row == nil || !partialRows.any.Load() {
		return nil
	}
	fields, _ := partialRows.rows.Load(weak.Make((*byte)(row)))
	list, _ := fields.([]*FieldInfo)
	return list
}

// noteReload remembers that fields of a row were read again, all if none are named.
func noteReload(row unsafe.Pointer, fields []*FieldInfo) {
	known := readOf(row)
	if known == nil {
		return
	}
	if len(fields) == 0 {
		partialRows.rows.Store(weak.Make((*byte)(row)), []*FieldInfo(nil))
		return
	}
	for _, f := range fields {
		known = add(known, f.columns()...)
	}
	partialRows.rows.Store(weak.Make((*byte)(row)), known)
}

// readIn reports whether the field was read with the row.
func (f *FieldInfo) readIn(row unsafe.Pointer) bool {
	known := readOf(row)
	return known == nil || !slices.ContainsFunc(f.columns(), func(column *FieldInfo) bool { return !slices.Contains(known, column) })
}

// refusePartial is the error of writing all of a row of which only a part was read.
func (m *ModelInfo) refusePartial(verb string, row unsafe.Pointer) error {
	if readOf(row) == nil {
		return nil
	}
	for _, f := range m.columns {
		if !f.readIn(row) {
			return fmt.Errorf("orm: %s of a %s that was read without %s, which would be written as its zero value; Reload it first, or read it without LoadOnly and Omit", verb, m.Name, f.Name)
		}
	}
	return nil
}
