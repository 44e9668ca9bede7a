package orm

import (
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"time"
	"unsafe"

	"github.com/retort-web/retort/internal/naming"
	"github.com/retort-web/retort/orm/schema"
)

// Tuple is the value of a composite key where keys are handled as any: the values of its
// columns, in their order.
type Tuple []any

// String writes the values as a tuple of SQL.
func (t Tuple) String() string {
	parts := make([]string, len(t))
	for i, v := range t {
		parts[i] = fmt.Sprint(v)
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

// tupleKey is a tuple as a key of a map; the lengths keep its values apart.
type tupleKey string

func (t Tuple) mapKey() tupleKey {
	var b strings.Builder
	for _, v := range t {
		text := fmt.Sprintf("%T %v", v, mapKey(v))
		fmt.Fprintf(&b, "%d %s", len(text), text)
	}
	return tupleKey(b.String())
}

// columns are the fields that have the columns: the parts of a composite one, or itself.
func (f *FieldInfo) columns() []*FieldInfo {
	switch {
	case len(f.Parts) > 0:
		return f.Parts
	case f.Column != "":
		return []*FieldInfo{f}
	}
	return nil
}

// columnNames are the names of the field's columns.
func (f *FieldInfo) columnNames() []string {
	if f.Column != "" {
		return []string{f.Column}
	}
	return columnNames(f.Parts)
}

// keyPart moves the column of a part by itself.
func (f *FieldInfo) keyPart() *codec {
	if f.single != nil {
		return f.single
	}
	return f.codec
}

// lone moves a value of the field that stands by itself, as one that is compared with it
// does: there are no other parts of a key beside it to look at.
func (f *FieldInfo) lone() *codec {
	if f.single == nil {
		return f.codec
	}
	c := *f.codec
	c.load, c.put = f.single.load, f.single.put
	return &c
}

// withColumns are the fields that have columns, those of a composite key among them.
func (m *ModelInfo) withColumns() []*FieldInfo {
	var list []*FieldInfo
	for _, f := range m.Fields {
		list = append(list, f.keyFields...)
		if len(f.columns()) > 0 && f.keyFields == nil {
			list = append(list, f)
		}
	}
	return list
}

// toMany reports a relation to many, which has no column.
func (f *FieldInfo) toMany() bool { return f.Relation != nil && f.Relation.spec.many }

// isZero reports whether the field at p has no value. Of a foreign key the key counts.
func (f *FieldInfo) isZero(p unsafe.Pointer) bool {
	if len(f.Parts) == 0 {
		return isZeroMemory(p, f.memory())
	}
	for _, part := range f.Parts {
		if !part.isZero(unsafe.Add(p, part.offset-f.offset)) {
			return false
		}
	}
	return true
}

// memory is the type of the value in the field: of a foreign key, that of the key.
func (f *FieldInfo) memory() reflect.Type {
	if f.keyMemory != nil {
		return f.keyMemory
	}
	return f.Type
}

// isKeyStruct reports whether a type can only be a key of several columns.
func isKeyStruct(t reflect.Type) bool {
	if t.Kind() != reflect.Struct {
		return false
	}
	_, err := codecOf(t, false)
	return err != nil
}

// makeKey makes the field a primary key whose columns are the fields of its struct.
func (f *FieldInfo) makeKey(words tag) error {
	if err := words.onlyFor("a key of several columns", "pk", "label", "help"); err != nil {
		return err
	}
	if !f.Type.Comparable() {
		return fmt.Errorf("a %s cannot be compared by ==, which a key must", f.Type)
	}
	var mistakes []error
	f.Parts, f.keyFields, mistakes = f.model.keyFields(f.Type, f.offset)
	if len(mistakes) > 0 {
		return errors.Join(mistakes...)
	}
	if len(f.Parts) < 2 {
		return fmt.Errorf("a key of several columns needs a struct of at least two exported fields; for a single column give the field its type")
	}
	for _, part := range f.keyFields {
		part.Name, part.Snake = f.Name+"."+part.Name, f.Snake+"_"+part.Snake
	}
	for _, part := range f.Parts {
		part.whole = f
	}
	f.Editable = false
	f.codec = tupleCodec(f.Type, f.Parts, f.offset)
	return nil
}

// keyFields reads the fields of a key's struct, and the columns they have.
func (m *ModelInfo) keyFields(t reflect.Type, offset uintptr) (parts, fields []*FieldInfo, mistakes []error) {
	for sf := range t.Fields() {
		raw := sf.Tag.Get("orm")
		if raw == "-" || !sf.IsExported() || sf.Type.Size() == 0 {
			continue
		}
		f, err := m.keyField(sf, offset+sf.Offset, raw)
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("%s: %w", sf.Name, err))
			continue
		}
		fields = append(fields, f)
		parts = append(parts, f.columns()...)
	}
	return parts, fields, mistakes
}

func (m *ModelInfo) keyField(sf reflect.StructField, offset uintptr, raw string) (*FieldInfo, error) {
	words, err := parseTag(raw)
	if err != nil {
		return nil, err
	}
	for _, word := range []string{"pk", "null", "auto_now", "auto_now_add", "db_default", "version", "json", "array"} {
		if words.has(word) {
			return nil, fmt.Errorf("%q in the orm tag makes no sense for a part of a key", word)
		}
	}
	words["pk"] = ""
	f, err := m.newField(sf, offset, words)
	if err != nil {
		return nil, err
	}
	if f.toMany() {
		return nil, fmt.Errorf("a relation to many cannot be part of a key")
	}
	f.AutoIncrement = false
	return f, nil
}

// keepKey files the fields of a composite key under their addresses.
func (m *ModelInfo) keepKey(f *FieldInfo) error {
	for _, field := range f.keyFields {
		m.byAddress[address{field.offset, field.Type}] = target{field, field.codec}
		m.byName[field.Name] = field
		if m.bySnake[field.Snake] != nil {
			return fmt.Errorf("the name %s of its part is that of another field", field.Snake)
		}
		m.bySnake[field.Snake] = field
		if field.Relation != nil {
			m.attach = append(m.attach, field)
			field.link = &link{field: field}
		}
	}
	return m.keepParts(f)
}

// keepParts files the columns of a composite field.
func (m *ModelInfo) keepParts(f *FieldInfo) error {
	for _, part := range f.Parts {
		part.model = m
		if _, taken := m.byAddress[address{part.offset, part.Type}]; !taken {
			m.byAddress[address{part.offset, part.Type}] = target{part, part.lone()}
		}
		if part.keyMemory != nil {
			if _, taken := m.byAddress[address{part.offset, part.keyMemory}]; !taken {
				m.byAddress[address{part.offset, part.keyMemory}] = target{part, part.lone()}
			}
		}
		if !naming.IsIdentifier(part.Column) {
			return fmt.Errorf("%q cannot be a column name: no quotes, points, backslashes, control characters or spaces at the ends, at most 63 bytes", part.Column)
		}
		if other := m.byColumn[part.Column]; other != nil {
			return fmt.Errorf("its column %s is also that of %s; set orm:\"column=…\" in the key's struct, or orm:\"columns=…\" on the foreign key", part.Column, other.Name)
		}
		m.byColumn[part.Column] = part
		m.columns = append(m.columns, part)
	}
	return nil
}

// makeReference makes the columns of a foreign key to a composite key, one for each of
// the key's. What they are is read from the key's struct: the model it leads to may not
// be known yet.
func (f *FieldInfo) makeReference(spec relationSpec, words tag) error {
	scratch := &ModelInfo{Name: spec.key.Name(), byAddress: map[address]target{}}
	keys, _, mistakes := scratch.keyFields(spec.key, 0)
	if len(mistakes) > 0 {
		return fmt.Errorf("its key %s: %w", spec.key, errors.Join(mistakes...))
	}
	if len(keys) < 2 {
		return fmt.Errorf("its key is a %s, which cannot be a key", spec.key)
	}
	var names []string
	if words.has("columns") {
		if names = strings.Split(words["columns"], "|"); len(names) != len(keys) {
			return fmt.Errorf("columns=%s in the orm tag names %d columns, but the key %s has %d", words["columns"], len(names), spec.key, len(keys))
		}
	}
	prefix := f.Snake
	if name := words["column"]; name != "" {
		prefix = name
	}
	for i, key := range keys {
		part := &FieldInfo{
			Name: f.Name + "." + key.Name, Snake: f.Snake + "_" + key.Snake, Column: prefix + "_" + key.Column, Label: key.Label,
			Type: key.Type, keyMemory: key.keyMemory, Kind: key.Kind, Size: key.Size, Scale: key.Scale, Native: key.Native, Collation: key.Collation,
			Null: f.Null, Editable: f.Editable, PrimaryKey: f.PrimaryKey, model: f.model, offset: f.offset + key.offset, whole: f,
		}
		if names != nil {
			part.Column = names[i]
		}
		part.single = key.keyPart()
		part.codec = f.partCodec(key.codec, key.offset, part.memory())
		f.Parts = append(f.Parts, part)
	}
	own := tupleCodec(spec.key, keys, 0)
	f.codec = f.referenceCodec(own, spec)
	f.Kind = ""
	f.model.byAddress[address{f.offset, spec.key}] = target{f, own}
	if spec.one {
		f.model.byAddress[address{f.offset, f.Type.Field(0).Type}] = target{f, f.codec}
	}
	f.keyCodec = own
	return nil
}

// partCodec moves one column of a foreign key: all are NULL if the key is zero.
func (f *FieldInfo) partCodec(key *codec, offset uintptr, memory reflect.Type) *codec {
	c := *key
	c.null, c.put = true, nil
	c.load = func(p unsafe.Pointer) (any, error) {
		if f.isZero(unsafe.Add(p, -int(offset))) {
			return nil, nil
		}
		return key.load(p)
	}
	c.store = func(p unsafe.Pointer, v any) error {
		if v == nil {
			reflect.NewAt(memory, p).Elem().SetZero()
			return nil
		}
		return key.store(p, v)
	}
	return &c
}

// referenceCodec moves the key of a foreign key as a whole.
func (f *FieldInfo) referenceCodec(key *codec, spec relationSpec) *codec {
	return &codec{
		goType: f.Type, null: true,
		load: func(p unsafe.Pointer) (any, error) {
			switch {
			case !f.isZero(p):
				return key.load(p)
			case *(*unsafe.Pointer)(unsafe.Add(p, spec.rowOffset)) == nil:
				return nil, nil
			}
			return spec.queryArg(reflect.NewAt(f.Type, p).Elem())
		},
		store: key.store,
	}
}

// tupleCodec moves the columns of a key's struct together. The parts' offsets count from
// base.
func tupleCodec(t reflect.Type, parts []*FieldInfo, base uintptr) *codec {
	return &codec{
		goType: t,
		load: func(p unsafe.Pointer) (any, error) {
			values := make(Tuple, len(parts))
			for i, part := range parts {
				v, err := part.codec.load(unsafe.Add(p, part.offset-base))
				if err != nil {
					return nil, err
				}
				values[i] = v
			}
			return values, nil
		},
		store: func(p unsafe.Pointer, v any) error {
			if v == nil {
				reflect.NewAt(t, p).Elem().SetZero()
				return nil
			}
			values, ok := v.(Tuple)
			if !ok || len(values) != len(parts) {
				return fmt.Errorf("a key of %d columns is given a %T", len(parts), v)
			}
			for i, part := range parts {
				if err := part.codec.store(unsafe.Add(p, part.offset-base), values[i]); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// takeOwnKey lets the foreign key that the column is, or is a part of, take the key of a
// row that was set before it was inserted.
func (f *FieldInfo) takeOwnKey(row unsafe.Pointer) error {
	of := f
	if f.whole != nil && f.whole.Relation != nil {
		of = f.whole
	}
	if of.Relation == nil {
		return nil
	}
	if err := of.takeKey(unsafe.Add(row, of.offset)); err != nil {
		return of.fault(err)
	}
	return nil
}

// KeyText is a value of the field as text that [FieldInfo.Set] reads: for a key of
// several columns their values, escaped as in a URL, with commas between.
func (f *FieldInfo) KeyText(key any) (string, error) {
	v, err := f.convert(key, true)
	if err != nil {
		return "", f.fault(err)
	}
	values, ok := v.(Tuple)
	if !ok {
		return plainText(v), nil
	}
	parts := make([]string, len(values))
	for i, value := range values {
		parts[i] = url.QueryEscape(plainText(value))
	}
	return strings.Join(parts, ","), nil
}

// plainText is a value in the form that parse reads.
func plainText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case []byte:
		return string(v)
	case time.Time:
		return v.Format(time.RFC3339Nano)
	}
	return fmt.Sprint(v)
}

// parseTuple reads what KeyText wrote.
func (f *FieldInfo) parseTuple(s string) (any, error) {
	texts := strings.Split(s, ",")
	if len(texts) != len(f.Parts) {
		return nil, fmt.Errorf("%q is not a key of %d columns", s, len(f.Parts))
	}
	values := make(Tuple, len(texts))
	for i, text := range texts {
		text, err := url.QueryUnescape(text)
		if err != nil {
			return nil, fmt.Errorf("%q is not a key of %d columns", s, len(f.Parts))
		}
		if values[i], err = f.Parts[i].parse(text); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// foreignKeys are the references of composite foreign keys.
func (m *ModelInfo) foreignKeys() []schema.ForeignKey {
	var keys []schema.ForeignKey
	for _, f := range m.attach {
		if len(f.Parts) > 0 && f.inherits == nil && !f.Relation.NoConstraint {
			to := f.Relation.Target()
			keys = append(keys, schema.ForeignKey{
				Columns: columnNames(f.Parts), Table: to.Table, References: columnNames(to.PrimaryKey.Parts),
				OnDelete: f.Relation.OnDelete, Model: to.tableLabel(),
			})
		}
	}
	return keys
}
