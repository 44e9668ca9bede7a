package orm

import (
	"context"
	"fmt"
	"reflect"
	"runtime"
	"unsafe"

	"github.com/retort-web/retort/orm/schema"
)

// Extend makes T a model of the rows of another model with more columns, and returns the
// query of all of them. T embeds the struct of the other:
//
//	type Member struct {
//		auth.User
//		Phone string `orm:"size=40,default="`
//	}
//
//	var Members = orm.Extend[Member](auth.Users)
//
// Both models are one table. The queries of the other go on as before, and so do foreign
// keys to it; T has their fields and its own: &m.Email, &m.Phone. The columns, indexes and
// constraints that T adds are made by the migrations of T's own app, so that neither app
// undoes what the other has done.
//
// What the database gets from an insert that does not know of T are the defaults of its
// columns: let those be NULL, or have a db_default, that the rows of such code must not do
// without. The hooks and listeners of the other model run for rows of T too, with the
// embedded struct as their row and before those of T; those of T run when a row is
// written as one of T.
//
// A model can be extended once. That T does not embed it, or that somebody else has
// extended it, is a mistake as in [Register].
func Extend[T, B any](base QuerySet[B]) QuerySet[T] {
	_, file, line, _ := runtime.Caller(1)
	var zero T
	m, err := extendAs[*T](zero, base.use().model, file, line)
	if err != nil {
		noteMistake(err)
	}
	return typed[*T](&query{model: m})
}

// extendAs is Extend by the pointer to a row, so that it is compiled once.
func extendAs[P any](zero any, base *ModelInfo, file string, line int) (*ModelInfo, error) {
	m := typeInfo(targetOf[P]())
	if m.buildErr == nil {
		m.buildErr = m.extend(base)
	}
	var meta Meta
	if described, ok := zero.(metaer[P]); ok && m.buildErr == nil {
		meta = described.Meta(rowOf[P](m.names.root.base))
	}
	return m, m.enter(meta, file, line)
}

// Extends is the model whose rows these are with more columns, or nil; see [Extend].
func (m *ModelInfo) Extends() *ModelInfo { return m.extends }

// Inherits is the field of the extended model that this one is, or nil for a field of the
// model's own.
func (f *FieldInfo) Inherits() *FieldInfo { return f.inherits }

// Extension is the model that [Extend] has made of this one, or nil.
func (m *ModelInfo) Extension() *ModelInfo { return m.extension.Load() }

// Part returns the row of the model that m extends which a row of m holds: a pointer to
// the embedded struct. It shares its memory with the row.
func (m *ModelInfo) Part(row any) (any, error) {
	if m.extends == nil {
		return nil, fmt.Errorf("orm: %s extends no other model", m.Name)
	}
	base, err := m.rowBase(row)
	if err != nil {
		return nil, err
	}
	return m.extends.rowOf(m.part(base)), nil
}

func (m *ModelInfo) part(row unsafe.Pointer) unsafe.Pointer { return unsafe.Add(row, m.partOffset) }

// extend makes the rows of m those of another model.
func (m *ModelInfo) extend(base *ModelInfo) error {
	switch {
	case base == nil || !base.registered:
		return fmt.Errorf("%s is to extend a model that is not registered", m.Name)
	case base.extends != nil:
		return fmt.Errorf("%s is to extend %s, which extends %s itself; extend that, and embed what both need", m.Name, base.Label(), base.extends.Label())
	}
	offset, found := uintptr(0), 0
	root := m.names.root.base
	walkAbstract(m.Type, root, func(t reflect.Type, at unsafe.Pointer) {
		if t == base.Type {
			offset, found = uintptr(at)-uintptr(root), found+1
		}
	})
	if found != 1 {
		return fmt.Errorf("%s is to extend %s and does not embed it; write %s into the struct, without a name and a tag", m.Name, base.Label(), base.Type)
	}
	if other := base.extension.Load(); other != nil {
		return fmt.Errorf("%s is to extend %s, which %s does already (at %s:%d); put the fields of both into one", m.Name, base.Label(), other.Label(), other.File, other.Line)
	}
	for _, f := range m.Fields {
		if f.offset < offset || f.offset >= offset+base.Type.Size() {
			continue
		}
		for _, g := range base.Fields {
			if g.offset == f.offset-offset && g.Type == f.Type {
				f.inherits = g
			}
		}
	}
	m.extends, m.partOffset, m.Table = base, offset, base.Table
	for kind, method := range hookMethods {
		m.hooks[kind] = m.hooks[kind] && declaresMethod(m.Type, method)
	}
	return nil
}

// hookMethods find the methods that are hooks. Their names are written where they are
// looked up, as the linker keeps every method of every type for a name that it does not know.
var hookMethods = map[EventKind]func(reflect.Type) (reflect.Method, bool){
	BeforeSave:   func(t reflect.Type) (reflect.Method, bool) { return t.MethodByName("BeforeSave") },
	AfterSave:    func(t reflect.Type) (reflect.Method, bool) { return t.MethodByName("AfterSave") },
	BeforeDelete: func(t reflect.Type) (reflect.Method, bool) { return t.MethodByName("BeforeDelete") },
	AfterDelete:  func(t reflect.Type) (reflect.Method, bool) { return t.MethodByName("AfterDelete") },
}

// declaresMethod reports whether a type, or the pointer to it, has a method of its own and not
// only that of a struct embedded in it, for which the compiler makes one up.
func declaresMethod(t reflect.Type, find func(reflect.Type) (reflect.Method, bool)) bool {
	for _, receiver := range []reflect.Type{t, reflect.PointerTo(t)} {
		method, ok := find(receiver)
		if !ok {
			continue
		}
		if fn := runtime.FuncForPC(method.Func.Pointer()); fn != nil {
			if file, _ := fn.FileLine(fn.Entry()); file != "<autogenerated>" {
				return true
			}
		}
	}
	return false
}

// family are the models whose rows are those of m: itself, what it extends and what
// extends it.
func (m *ModelInfo) family() []*ModelInfo {
	return []*ModelInfo{m, m.extends, m.extension.Load()}
}

// leadsTo reports whether a relation leads to rows of m.
func (r *RelationInfo) leadsTo(m *ModelInfo) bool {
	for _, one := range m.family() {
		if one != nil && r.spec.target == one.Type {
			return true
		}
	}
	return false
}

// tableLabel names the table's model, as migrations know it.
func (m *ModelInfo) tableLabel() string {
	if m.extends != nil {
		return m.extends.Label()
	}
	return m.Label()
}

// fireBase tells the hook and the listeners of the extended model.
func (m *ModelInfo) fireBase(ctx context.Context, row unsafe.Pointer, e Event) error {
	e.Model, e.Row = m.extends, nil
	if row != nil {
		e.Row = m.extends.rowOf(m.part(row))
	}
	var fields []*FieldInfo
	for _, f := range e.Fields {
		if f.inherits != nil {
			fields = append(fields, f.inherits)
		}
	}
	if e.Fields != nil && fields == nil {
		fields = []*FieldInfo{}
	}
	e.Fields = fields
	if e.Relation != nil {
		if e.Relation.inherits == nil {
			return nil
		}
		e.Relation = e.Relation.inherits
	}
	if m.extends.hooks[e.Kind] {
		if err := m.extends.callHook(ctx, e); err != nil {
			return err
		}
	}
	for _, l := range m.extends.listeners.of(e.Kind) {
		if err := l.fn(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// addExtension adds to a table what the model that extends m adds to it, as the affair of
// that model's app.
func (m *ModelInfo) addExtension(t *schema.Table) error {
	x := m.extension.Load()
	if x == nil {
		return nil
	}
	if err := x.resolve(); err != nil {
		return err
	}
	own := &schema.Table{App: x.App, Model: x.Name, Name: m.Table}
	if err := x.describe(own); err != nil {
		return err
	}
	own = own.OwnedBy(x.App)
	t.Columns = append(t.Columns, own.Columns...)
	t.Indexes = append(t.Indexes, own.Indexes...)
	t.ForeignKeys = append(t.ForeignKeys, own.ForeignKeys...)
	t.Checks = append(t.Checks, own.Checks...)
	return nil
}

// extensionMeta is what a model that extends another says itself: without what it has
// from the other, which the other's app answers for.
func (m *ModelInfo) extensionMeta(own Meta) (Meta, error) {
	base := m.extends
	switch {
	case own.Table != "" && own.Table != base.Table:
		return own, fmt.Errorf("%s extends %s, whose table %s it has; take Table out of its Meta", m.Label(), base.Label(), base.Table)
	case own.Schema != "" && own.Schema != base.meta.Schema:
		return own, fmt.Errorf("%s extends %s, whose schema it has; take Schema out of its Meta", m.Label(), base.Label())
	case own.Unmanaged:
		return own, fmt.Errorf("%s extends %s and cannot be Unmanaged: its columns are in that table", m.Label(), base.Label())
	case own.Comment != "":
		return own, fmt.Errorf("%s extends %s, to which the table's Comment belongs; take it out of the Meta", m.Label(), base.Label())
	}
	start := uintptr(m.names.root.base) + m.partOffset
	return m.inherited(own, func(at unsafe.Pointer) bool {
		return uintptr(at) < start || uintptr(at) >= start+base.Type.Size()
	}), nil
}
