package orm

import (
	"errors"
	"fmt"
	"reflect"
	"unsafe"
)

// genericField is a generic foreign key of a model.
type genericField struct {
	name    string
	offset  uintptr
	columns [2]*FieldInfo // of the model and the key
	noIndex bool
}

var genericType = reflect.TypeFor[GenericForeignKey]()

// addGeneric adds the columns of a generic foreign key, each as a field of its own.
func (m *ModelInfo) addGeneric(sf reflect.StructField, offset uintptr, raw string) error {
	if sf.Anonymous {
		return errors.New("a generic foreign key is not embedded, for the model would have its methods; give the field a name")
	}
	words, err := parseTag(raw)
	if err != nil {
		return err
	}
	if err := words.onlyFor("a generic foreign key", "null", "no_index", "label", "help"); err != nil {
		return err
	}
	g := &genericField{name: sf.Name, offset: offset, noIndex: words.has("no_index")}
	sizes := [...]string{"100", "255"}
	for i, name := range [...]string{"Model", "Key"} {
		column, _ := genericType.FieldByName(name)
		own := tag{"size": sizes[i], "editable": "false"}
		if label := words["label"]; label != "" {
			own["label"] = label + " " + snake(name)
		}
		if help := words["help"]; help != "" {
			own["help"] = help
		}
		f, err := m.newField(reflect.StructField{Name: sf.Name + name, Type: column.Type, Tag: sf.Tag}, offset+column.Offset, own)
		if err != nil {
			return err
		}
		f.makeGeneric(words.has("null"))
		g.columns[i] = f
		if err := m.keepField(f); err != nil {
			return err
		}
		// A value that it is compared with is not one that is stored.
		m.byAddress[address{f.offset, f.Type}] = target{f, f.lone()}
	}
	m.generics = append(m.generics, g)
	return nil
}

// makeGeneric lets a column hold NULL for the empty text, or refuse it.
func (f *FieldInfo) makeGeneric(null bool) {
	plain := f.codec
	c := *plain
	c.put, c.direct = nil, reflect.Invalid
	c.load = func(p unsafe.Pointer) (any, error) {
		switch {
		case *(*string)(p) != "":
			return plain.load(p)
		case null:
			return nil, nil
		}
		return nil, errors.New("refers to no row; call Set with one, or tag the generic foreign key null")
	}
	c.store = func(p unsafe.Pointer, v any) error {
		if v == nil && null {
			*(*string)(p) = ""
			return nil
		}
		return plain.store(p, v)
	}
	c.null = null
	f.codec, f.single = &c, plain
	f.Null, f.Blank = null, null
}

// genericIndexes are the indexes of the generic foreign keys at places that are of
// interest.
func (m *ModelInfo) genericIndexes(of func(at unsafe.Pointer) bool) []IndexDef {
	var defs []IndexDef
	for _, g := range m.generics {
		if !g.noIndex && of(unsafe.Add(m.names.root.base, g.offset)) {
			defs = append(defs, Index(m.Pointer(g.columns[0]), m.Pointer(g.columns[1])))
		}
	}
	return defs
}

// genericAt finds the generic foreign key of the model that a pointer into its prototype
// names.
func (m *ModelInfo) genericAt(field *GenericForeignKey) (*genericField, error) {
	if field != nil && m.names.root.holds(unsafe.Pointer(field)) {
		offset := uintptr(unsafe.Pointer(field)) - uintptr(m.names.root.base)
		for _, g := range m.generics {
			if g.offset == offset {
				return g, nil
			}
		}
	}
	return nil, unknownAddress(ref{unsafe.Pointer(field), genericType}, m)
}

// of is the generic foreign key in a row.
func (g *genericField) of(row unsafe.Pointer) *GenericForeignKey {
	return (*GenericForeignKey)(unsafe.Add(row, g.offset))
}

// named is the generic foreign key in the model's prototype.
func (g *genericField) named(m *ModelInfo) *GenericForeignKey { return g.of(m.names.root.base) }

// genericOwner is the registered model whose prototype has the generic foreign key.
func genericOwner(field *GenericForeignKey) (*ModelInfo, *genericField, error) {
	for _, m := range Models() {
		if field == nil || !m.names.root.holds(unsafe.Pointer(field)) {
			continue
		}
		g, err := m.genericAt(field)
		return m, g, err
	}
	return nil, nil, fmt.Errorf("orm: a generic foreign key is named by its address in Fields() of a registered model, such as &c.On")
}
