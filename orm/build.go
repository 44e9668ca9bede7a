package orm

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"
	"unsafe"

	"github.com/retort-web/retort/internal/naming"
	"github.com/retort-web/retort/orm/schema"
)

// buildInfo reads a model's struct. An error is kept and reported by Register,
// or at the first use of a model that was never registered.
func buildInfo(t reflect.Type) *ModelInfo {
	m := &ModelInfo{
		App: appLabel(t.PkgPath()), Name: t.Name(), Package: t.PkgPath(), Type: t,
		VerboseName: words(t.Name()),
		byColumn:    map[string]*FieldInfo{},
		bySnake:     map[string]*FieldInfo{},
		byName:      map[string]*FieldInfo{},
		byAddress:   map[address]target{},
		alloc:       allocator(t),
		allocMany:   manyAllocator(t),
	}
	m.VerboseNamePlural = m.VerboseName + "s"
	m.Table = snake(m.Name)
	if m.App != "main" {
		m.Table = m.App + "_" + m.Table
	}
	m.alias = m.Table
	if t.Kind() != reflect.Struct {
		m.buildErr = fmt.Errorf("%s is not a struct", t)
	} else if mistakes := m.addFields(t, 0); len(mistakes) > 0 {
		m.buildErr = &modelMistakes{m.Name, mistakes}
	} else if m.PrimaryKey == nil {
		m.buildErr = fmt.Errorf("%s has no primary key; embed orm.Model, or tag a field orm:\"pk\"", m.Name)
	} else if hook := misspeltHooks(t); hook != "" {
		m.buildErr = fmt.Errorf("%s.%s is not called; write it as %s(ctx context.Context, e orm.Event) error", m.Name, hook, hook)
	}
	m.hooks = hooksOf(t)
	m.names = newTree(m)
	return m
}

// addFields adds the fields of a struct that lies at an offset in the model, and returns
// what is wrong with them.
func (m *ModelInfo) addFields(t reflect.Type, offset uintptr) (mistakes []*fieldMistake) {
	for sf := range t.Fields() {
		raw, tagged := sf.Tag.Lookup("orm")
		if raw == "-" || !sf.IsExported() && !sf.Anonymous {
			if tagged && raw != "-" {
				mistakes = append(mistakes, &fieldMistake{owner: t, field: sf.Name, err: errors.New("has an orm tag but is not exported")})
			}
			continue
		}
		at := offset + sf.Offset
		if isAbstract(sf) {
			mistakes = append(mistakes, m.addFields(sf.Type, at)...)
			continue
		}
		if !sf.IsExported() || sf.Type.Size() == 0 {
			continue
		}
		if sf.Type == genericType {
			if err := m.addGeneric(sf, at, raw); err != nil {
				mistakes = append(mistakes, &fieldMistake{owner: t, field: sf.Name, err: err})
			}
			continue
		}
		if err := m.addField(sf, at, raw); err != nil {
			mistakes = append(mistakes, &fieldMistake{owner: t, field: sf.Name, err: err})
		}
	}
	return mistakes
}

// isAbstract reports that a field is a struct whose fields are those of the model.
func isAbstract(sf reflect.StructField) bool {
	_, tagged := sf.Tag.Lookup("orm")
	if !sf.Anonymous || tagged || sf.Type.Kind() != reflect.Struct {
		return false
	}
	p := reflect.PointerTo(sf.Type)
	return !p.Implements(reflect.TypeFor[relation]()) && !p.Implements(scannerType) && sf.Type != genericType
}

func (m *ModelInfo) addField(sf reflect.StructField, offset uintptr, raw string) error {
	words, err := parseTag(raw)
	if err != nil {
		return err
	}
	f, err := m.newField(sf, offset, words)
	if err != nil {
		return err
	}
	return m.keepField(f)
}

func (m *ModelInfo) newField(sf reflect.StructField, offset uintptr, words tag) (*FieldInfo, error) {
	f := &FieldInfo{
		Name: sf.Name, Snake: snake(sf.Name), Type: sf.Type, model: m, offset: offset,
		Editable: true, Label: words["label"], Help: words["help"],
		Null: words.has("null"), Blank: words.has("blank"), Unique: words.has("unique"),
		Index: words.has("index"), PrimaryKey: words.has("pk"), Comment: words["comment"],
		Collation: words["collation"], Choices: words.choices(), tag: sf.Tag,
	}
	if f.Label == "" {
		f.Label = capital(strings.ReplaceAll(f.Snake, "_", " "))
	}
	if err := f.make(words); err != nil {
		return nil, err
	}
	if f.Column != "" {
		if name := words["column"]; name != "" {
			f.Column = name
		}
		if !naming.IsIdentifier(f.Column) {
			return nil, fmt.Errorf("%q cannot be a column name: no quotes, points, backslashes, control characters or spaces at the ends, at most 63 bytes", f.Column)
		}
	}
	return f, nil
}

// make settles what the field is.
func (f *FieldInfo) make(words tag) error {
	if r, ok := reflect.New(f.Type).Interface().(relation); ok {
		return f.makeRelation(r.spec(), words)
	}
	if f.PrimaryKey && isKeyStruct(f.Type) {
		return f.makeKey(words)
	}
	return f.makeColumn(words)
}

// keepField files the field under its names and addresses.
func (m *ModelInfo) keepField(f *FieldInfo) error {
	if m.byName[f.Name] != nil || m.bySnake[f.Snake] != nil {
		return fmt.Errorf("another field has this name")
	}
	if strings.Contains(f.Snake, "__") {
		return fmt.Errorf("the name has two underscores in a row, which lookups need for themselves")
	}
	m.Fields = append(m.Fields, f)
	m.byName[f.Name], m.bySnake[f.Snake] = f, f
	m.byAddress[address{f.offset, f.Type}] = target{f, f.codec}
	if f.Relation != nil {
		m.attach = append(m.attach, f)
		f.link = &link{field: f}
	}
	if f.PrimaryKey {
		if m.PrimaryKey != nil {
			return fmt.Errorf("%s is the primary key already; a key of several columns is a field whose type is a struct of them", m.PrimaryKey.Name)
		}
		m.PrimaryKey = f
	}
	switch {
	case f.keyFields != nil:
		return m.keepKey(f)
	case f.Parts != nil:
		return m.keepParts(f)
	case f.Column == "":
		return nil
	}
	if other := m.byColumn[f.Column]; other != nil {
		return fmt.Errorf("its column %s is also that of %s; set orm:\"column=…\"", f.Column, other.Name)
	}
	m.byColumn[f.Column] = f
	if f.Version {
		m.version = f
	}
	if f.SoftDelete {
		m.softDelete = f
	}
	if f.DBDefault {
		m.filled = append(m.filled, f)
	}
	m.columns = append(m.columns, f)
	return nil
}

func (f *FieldInfo) makeRelation(spec relationSpec, words tag) error {
	r := &RelationInfo{Kind: spec.kind, spec: spec, Related: words["related"], Reverse: words["reverse"]}
	f.Relation = r
	if spec.many {
		r.OneToOne = spec.one
		f.Null, f.Blank = false, true
		f.Editable = spec.kind == ManyMany && !words.has("through")
		r.Through, r.ThroughFields, r.Symmetrical = words["through"], words["through_fields"], words.has("symmetrical")
		if spec.kind == ManyMany {
			return words.onlyFor("a many-to-many relation", "reverse", "related", "label", "help", "blank", "editable", "through", "through_fields", "symmetrical")
		}
		return words.onlyFor("a relation to many", "reverse", "related", "label", "help", "blank", "editable")
	}
	spec.to = words["to"]
	r.spec, r.ToField = spec, spec.to
	if r.Related != "" && !validName(r.Related) {
		return fmt.Errorf("related=%s in the orm tag is not a field's name", r.Related)
	}
	var err error
	if r.OnDelete, err = words.onDelete(); err != nil {
		return err
	}
	r.Protect, r.InDatabase = words["on_delete"] == "protect", strings.HasPrefix(words["on_delete"], "db_")
	r.NoConstraint = words.has("no_constraint")
	if r.NoConstraint && (r.InDatabase || r.OnDelete == schema.SetDefault) {
		return fmt.Errorf("on_delete=%s is done by the database, which does not know of a foreign key with no_constraint", words["on_delete"])
	}
	if r.OnDelete == schema.SetNull && !f.Null {
		return fmt.Errorf("on_delete=set_null needs null as well")
	}
	f.Unique = f.Unique || spec.one
	r.OneToOne = f.Unique
	f.Blank = f.Blank || f.Null
	f.noIndex = words.has("no_index")
	if f.noIndex && f.Index {
		return fmt.Errorf("index and no_index in the orm tag contradict each other")
	}
	f.keyMemory = spec.key
	if err := words.onlyFor("a foreign key", "null", "blank", "unique", "index", "no_constraint", "no_index", "column", "columns", "on_delete", "to", "related", "label", "help", "editable", "comment", "pk"); err != nil {
		return err
	}
	if isKeyStruct(spec.key) {
		if spec.to != "" {
			return fmt.Errorf("to=%s in the orm tag: a key of several columns leads to the primary key; use orm.ForeignKey[%s, …] with the type of %s", spec.to, spec.target.Name(), spec.to)
		}
		return f.makeReference(spec, words)
	}
	if words.has("columns") {
		return fmt.Errorf("columns in the orm tag is for a foreign key to a key of several columns; use column")
	}
	f.Column = f.Snake + "_id"
	key, err := codecOf(spec.key, false)
	if err != nil {
		return err
	}
	f.Kind = key.typ
	f.codec = foreignKeyCodec(f.Type, key, spec)
	// The key is the first thing in the field: &p.Author.ID names it too.
	f.model.byAddress[address{f.offset, spec.key}] = target{f, key}
	if spec.one {
		// So is the foreign key that a OneToOne is made of: orm.Is(&p.User.ForeignKey, user).
		f.model.byAddress[address{f.offset, f.Type.Field(0).Type}] = target{f, f.codec}
	}
	return nil
}

// onlyFor refuses words that make no sense for a kind of field.
func (t tag) onlyFor(kind string, allowed ...string) error {
	for word := range t {
		ok := false
		for _, a := range allowed {
			ok = ok || a == word
		}
		if !ok {
			return fmt.Errorf("%q in the orm tag makes no sense for %s", word, kind)
		}
	}
	return nil
}

// foreignKeyCodec stores the key and nothing else; the zero key is NULL.
func foreignKeyCodec(t reflect.Type, key *codec, spec relationSpec) *codec {
	keyType := key.goType
	put := func(w *columnWriter, p unsafe.Pointer) error {
		if key.put == nil || isZeroMemory(p, keyType) {
			return errUsual
		}
		return key.put(w, p)
	}
	return &codec{
		goType: t, typ: key.typ, null: true, direct: key.direct, put: put,
		load: func(p unsafe.Pointer) (any, error) {
			switch {
			case !isZeroMemory(p, keyType):
				return key.load(p)
			case *(*unsafe.Pointer)(unsafe.Add(p, spec.rowOffset)) == nil:
				return nil, nil
			}
			// A row was set before it was inserted. The field itself may be shared.
			return spec.queryArg(reflect.NewAt(t, p).Elem())
		},
		store: func(p unsafe.Pointer, v any) error {
			if v == nil {
				reflect.NewAt(keyType, p).Elem().SetZero()
				return nil
			}
			return key.store(p, v)
		},
	}
}

// isZeroMemory reports whether p points to the zero value of t.
func isZeroMemory(p unsafe.Pointer, t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Int64:
		return *(*int64)(p) == 0
	case reflect.Int32:
		return *(*int32)(p) == 0
	case reflect.String:
		return *(*string)(p) == ""
	}
	return reflect.NewAt(t, p).Elem().IsZero()
}

func (f *FieldInfo) makeColumn(words tag) error {
	for _, word := range []string{"no_constraint", "no_index", "on_delete", "related", "reverse", "symmetrical", "through", "through_fields", "to"} {
		if words.has(word) {
			return fmt.Errorf("%q in the orm tag is for relations", word)
		}
	}
	c, err := f.chooseCodec(words)
	if err != nil {
		return err
	}
	f.Column, f.codec, f.Kind, f.Native = f.Snake, c, c.typ, c.native
	if err := f.makeNull(words); err != nil {
		return err
	}
	if err := f.makeType(words); err != nil {
		return err
	}
	f.AutoNow, f.AutoAdd = words.has("auto_now"), words.has("auto_now_add")
	if (f.AutoNow || f.AutoAdd) && !isMoment(f.Kind) {
		return fmt.Errorf("auto_now and auto_now_add are for times")
	}
	f.Version, f.SoftDelete = words.has("version"), words.has("soft_delete")
	if f.Version && (f.Kind != schema.Int64 && f.Kind != schema.Int32 || f.Null) {
		return fmt.Errorf("version is for an int or int64, which it counts up")
	}
	if f.SoftDelete && f.Type != reflect.TypeFor[*time.Time]() {
		return fmt.Errorf("soft_delete is for a *time.Time; embed orm.SoftDelete")
	}
	f.Editable = !f.PrimaryKey && !f.AutoNow && !f.AutoAdd && !f.Version
	if s, ok := words["editable"]; ok {
		f.Editable = s == "true"
		if s != "true" && s != "false" {
			return fmt.Errorf("editable=%s in the orm tag: allowed are true and false", s)
		}
	}
	if chooser, ok := reflect.Zero(f.Type).Interface().(Chooser); ok && f.Type.Kind() != reflect.Pointer {
		f.Choices = chooser.Choices()
	}
	if f.PrimaryKey {
		f.AutoIncrement = (f.Kind == schema.Int64 || f.Kind == schema.Int32) && basicCodecs[f.Type.Kind()].load != nil
		if f.Null {
			return fmt.Errorf("a primary key cannot be null")
		}
	}
	if err := f.makeDefault(words); err != nil {
		return err
	}
	f.makeUniqueFor(words)
	return f.makeRules(words)
}

func (f *FieldInfo) chooseCodec(words tag) (*codec, error) {
	if words.has("array") {
		c, elem, err := arrayCodec(f.Type)
		f.Elem = elem
		return c, err
	}
	return codecOf(f.Type, words.has("json"))
}

// isMoment reports whether the present moment is a value of columns of the type.
func isMoment(t schema.Type) bool {
	return t == schema.DateTime || t == schema.Date || t == schema.Time
}

// makeNull settles whether the column may be NULL: for a pointer always, for a
// type that can hold NULL if it is tagged so.
func (f *FieldInfo) makeNull(words tag) error {
	switch {
	case f.Type.Kind() == reflect.Pointer && !words.has("json"):
		f.Null = true
	case words.has("json"):
		if f.Null {
			load := f.codec.load
			f.codec.null, f.codec.put = true, nil
			f.codec.load = func(p unsafe.Pointer) (any, error) {
				v, err := load(p)
				if v == "null" {
					return nil, err
				}
				return v, err
			}
		}
	case f.codec.zeroNull:
	case f.codec.null && f.Type.Kind() != reflect.Array:
		f.Null = true
	case f.Null && f.Kind == schema.Bytes:
		load := f.codec.load
		f.codec.null, f.codec.put = true, nil
		f.codec.load = func(p unsafe.Pointer) (any, error) {
			if *(*[]byte)(p) == nil {
				return nil, nil
			}
			return load(p)
		}
	case f.Null:
		return fmt.Errorf("a %s cannot hold NULL; make it a *%s", f.Type, f.Type)
	}
	f.Blank = f.Blank || f.Null || f.Kind == schema.Bool
	return nil
}

// makeType settles the column's type and size.
func (f *FieldInfo) makeType(words tag) error {
	var err error
	if f.Size, err = words.number("size"); err != nil {
		return err
	}
	if f.Scale, err = words.number("scale"); err != nil {
		return err
	}
	if !words.has("size") {
		f.Size, f.Scale = f.codec.size, cmp.Or(f.Scale, f.codec.scale)
	}
	for word, size := range textSizes {
		if words.has(word) && f.Size == 0 && f.Kind == schema.Text && !words.has("text") {
			f.Size = size
		}
	}
	if name, ok := words["type"]; ok {
		if f.Kind, ok = tagTypes[name]; !ok {
			return fmt.Errorf("type=%s in the orm tag: allowed are %s", name, strings.Join(sortedKeys(tagTypes), ", "))
		}
	}
	if f.Kind == schema.Date && f.codec.typ != schema.Date {
		f.codec.put = nil
		switch f.Type {
		case timeType:
			f.codec.load = loadDate
		case reflect.PointerTo(timeType):
			f.codec.load = func(p unsafe.Pointer) (any, error) {
				if p = *(*unsafe.Pointer)(p); p == nil {
					return nil, nil
				}
				return loadDate(p)
			}
		default:
			return fmt.Errorf("type=date is for time.Time and *time.Time")
		}
	}
	switch {
	case f.Kind == schema.Text && f.Size > 0:
		f.Kind = schema.String
	case f.Kind == schema.Text && !words.has("text") && f.codec.goType.Kind() == reflect.String && (f.Unique || f.Index || f.PrimaryKey):
		// MySQL cannot index unbounded text.
		f.Kind, f.Size = schema.String, 255
	case f.Kind == schema.Array:
	case f.Size > 0 && f.Kind != schema.Decimal && f.Kind != schema.String:
		return fmt.Errorf("size in the orm tag is for text and decimals")
	case words.has("text") && f.Kind != schema.Text:
		return fmt.Errorf("text in the orm tag is for text without size")
	}
	if f.Kind == schema.Decimal && f.Size == 0 {
		return fmt.Errorf("type=decimal needs size, the digits in all, and scale, those after the point")
	}
	if f.Kind == schema.Decimal && f.codec.typ != schema.Float64 {
		f.codec.store, f.codec.direct, f.codec.elem = fixDecimal(f.codec.store, f.Scale), reflect.Invalid, nil
	}
	return nil
}

// makeDefault checks a default, and makes the functions and the SQL for it.
func (f *FieldInfo) makeDefault(words tag) error {
	f.Default, f.HasDefault = words["default"], words.has("default")
	if words.has("db_default") {
		return f.makeDBDefault(words)
	}
	switch {
	case !f.HasDefault:
		if f.PrimaryKey && f.Kind == schema.UUID {
			f.defaultGo = f.fillUUID
		}
		return nil
	case f.Kind == schema.UUID && f.Default == "uuid":
		f.defaultGo = f.fillUUID
		return nil
	case isMoment(f.Kind) && f.Default == "now":
		f.defaultGo = func(p unsafe.Pointer) error { return f.codec.store(p, time.Now().UTC().Truncate(time.Microsecond)) }
		return nil
	}
	v, err := f.parse(f.Default)
	if err == nil {
		err = f.codec.store(reflect.New(f.Type).UnsafePointer(), v)
	}
	if err != nil {
		return fmt.Errorf("default: %w", err)
	}
	f.defaultGo = func(p unsafe.Pointer) error { return f.codec.store(p, v) }
	switch v := v.(type) {
	case bool, int64, float64:
		// Zero is a value of its own: only New applies the default.
		f.defaultNew = !f.Null
		f.defaultSQL = sqlLiteral(v)
	case string:
		f.defaultSQL = sqlLiteral(v)
	}
	return nil
}

// makeDBDefault leaves a value to the database: "now", or a literal.
func (f *FieldInfo) makeDBDefault(words tag) error {
	if f.HasDefault || f.AutoNow || f.AutoAdd || f.PrimaryKey {
		return fmt.Errorf("db_default in the orm tag stands beside another word that fills the field, or on a primary key")
	}
	f.Default, f.DBDefault = words["db_default"], true
	if isMoment(f.Kind) && f.Default == "now" {
		f.defaultNow = true
		return nil
	}
	v, err := f.parse(f.Default)
	if err == nil {
		err = f.codec.store(reflect.New(f.Type).UnsafePointer(), v)
	}
	if err != nil {
		return fmt.Errorf("db_default: %w", err)
	}
	switch v := v.(type) {
	case bool, int64, float64, string:
		f.defaultSQL = sqlLiteral(v)
	case time.Time:
		f.defaultSQL = sqlLiteral(v.Format(TimeLayout))
	default:
		return fmt.Errorf("db_default in the orm tag is for numbers, texts and times")
	}
	return nil
}

func sqlLiteral(v any) *string {
	var s string
	switch v := v.(type) {
	case bool:
		s = "FALSE"
		if v {
			s = "TRUE"
		}
	case string:
		s = "'" + strings.ReplaceAll(v, "'", "''") + "'"
	default:
		s = fmt.Sprint(v)
	}
	return &s
}

// fillUUID makes a version 7 UUID (RFC 9562, section 5.7): its order is the
// order of making, which keeps the index of a primary key compact.
func (f *FieldInfo) fillUUID(p unsafe.Pointer) error {
	var u [16]byte
	rand.Read(u[6:])
	ms := time.Now().UnixMilli()
	for i := range 6 {
		u[i] = byte(ms >> (40 - 8*i))
	}
	u[6] = u[6]&0x0f | 0x70
	u[8] = u[8]&0x3f | 0x80
	return f.codec.store(p, formatUUID(u))
}
