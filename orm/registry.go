package orm

import (
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/retort-web/retort/internal/naming"
)

// models is the registry, filled while packages are initialised.
var models = struct {
	sync.RWMutex
	byType  map[reflect.Type]*ModelInfo
	byTable map[string]*ModelInfo
	ordered []*ModelInfo // registered, in that order
}{
	byType:  map[reflect.Type]*ModelInfo{},
	byTable: map[string]*ModelInfo{},
}

// Register makes T a model and returns the query of all its rows. It is called
// once for each model, in a package variable; the models it refers to may be
// registered later.
//
// A T that cannot be a model, is registered already, or has the table of another
// model is a mistake that [Open], and every use of the model, returns: together
// with those of all other models, each with its place in the source. See [CheckModels].
func Register[T any]() QuerySet[T] {
	_, file, line, _ := runtime.Caller(1)
	var zero T
	m, err := registerAs[*T](zero, file, line)
	if err != nil {
		noteMistake(err)
	}
	return typed[*T](&query{model: m})
}

// registerAs is Register by the pointer to a row, so that it is compiled once.
func registerAs[P any](zero any, file string, line int) (*ModelInfo, error) {
	m := typeInfo(targetOf[P]())
	var meta Meta
	if described, ok := zero.(metaer[P]); ok && m.buildErr == nil {
		meta = described.Meta(rowOf[P](m.names.root.base))
	}
	return m, m.enter(meta, file, line)
}

// enter puts the model into the registry.
func (m *ModelInfo) enter(meta Meta, file string, line int) error {
	if m.buildErr == nil && m.extends != nil {
		m.ownMeta, m.buildErr = m.extensionMeta(meta)
	}
	if m.buildErr == nil {
		meta = m.inherited(meta, func(unsafe.Pointer) bool { return true })
	}
	err := register(m, meta, file, line)
	if err == nil {
		return nil
	}
	locate(err, m.Type, file)
	err = fmt.Errorf("%w (registered at %s:%d)", err, file, line)
	if m.mistake == nil && !m.registered {
		m.mistake = err
	}
	return err
}

func register(m *ModelInfo, meta Meta, file string, line int) error {
	if err := m.buildErr; err != nil {
		return err
	}
	models.Lock()
	defer models.Unlock()
	if m.registered {
		return fmt.Errorf("%s is registered twice; the first is at %s:%d", m.Label(), m.File, m.Line)
	}
	m.meta, m.File, m.Line = meta, file, line
	if err := m.nameTable(); err != nil {
		return err
	}
	if other := models.byTable[m.Table]; other != nil && other != m.extends {
		return fmt.Errorf("%s and %s have the same table %s; the other is registered at %s:%d; set Table in the Meta of one",
			m.Label(), other.Label(), m.Table, other.File, other.Line)
	}
	if meta.VerboseName != "" {
		m.VerboseName = meta.VerboseName
		m.VerboseNamePlural = meta.VerboseName + "s"
	}
	if meta.VerboseNamePlural != "" {
		m.VerboseNamePlural = meta.VerboseNamePlural
	}
	if err := m.markComputed(); err != nil {
		return err
	}
	if err := m.markDefaults(); err != nil {
		return err
	}
	if err := m.markUniqueFor(); err != nil {
		return err
	}
	m.registered = true
	if m.extends != nil {
		m.extends.extension.Store(m)
	} else {
		models.byTable[m.Table] = m
	}
	models.ordered = append(models.ordered, m)
	return nil
}

// nameTable settles the name of the table, and of the schema that has it.
func (m *ModelInfo) nameTable() error {
	if m.extends != nil {
		m.Table, m.alias, m.meta.Schema = m.extends.Table, m.extends.alias, m.extends.meta.Schema
		return nil
	}
	if m.meta.Table != "" {
		m.Table = m.meta.Table
	}
	if !naming.IsIdentifier(m.Table) {
		return fmt.Errorf("%s: %q cannot be a table name: no quotes, points, backslashes, control characters or spaces at the ends, at most 63 bytes; the schema that has it is Meta.Schema", m.Label(), m.Table)
	}
	m.alias = m.Table
	if name := m.meta.Schema; name != "" {
		if !naming.IsIdentifier(name) {
			return fmt.Errorf("%s: %q cannot be the name of a schema: no quotes, points, backslashes, control characters or spaces at the ends, at most 63 bytes", m.Label(), name)
		}
		m.Table = name + "." + m.Table
	}
	return nil
}

// Models returns the registered models in the order of their registration.
func Models() []*ModelInfo {
	models.RLock()
	defer models.RUnlock()
	return slices.Clone(models.ordered)
}

// InfoOf returns what is known of a registered model.
func InfoOf[T any]() (*ModelInfo, error) { return registeredInfo(reflect.TypeFor[T]()) }

// InfoNamed returns the registered model of that label ("blog.Post"), or nil.
func InfoNamed(label string) *ModelInfo {
	for _, m := range Models() {
		if m.Label() == label {
			return m
		}
	}
	return nil
}

// infoOfTable finds the model of a table, which is that of another model if it is in a
// schema of its own.
func infoOfTable(inSchema, table string) *ModelInfo {
	models.RLock()
	defer models.RUnlock()
	if m := models.byTable[inSchema+"."+table]; m != nil {
		return m
	}
	return models.byTable[table]
}

func registeredInfo(t reflect.Type) (*ModelInfo, error) {
	m := typeInfo(t)
	models.RLock()
	registered := m.registered
	models.RUnlock()
	if !registered {
		return nil, fmt.Errorf("orm: %s is not a registered model; its package calls orm.Register[%s]() in a variable, and must be imported", t, t.Name())
	}
	return m, m.resolve()
}

// typeInfo returns the info of a type, building it on first use, whether or not
// it is registered: models refer to each other before they are.
func typeInfo(t reflect.Type) *ModelInfo {
	models.RLock()
	m := models.byType[t]
	models.RUnlock()
	if m != nil {
		return m
	}
	built := buildInfo(t)
	models.Lock()
	defer models.Unlock()
	if m = models.byType[t]; m != nil {
		return m
	}
	models.byType[t] = built
	return built
}

// resolution is the second half of a model's making, when the models it
// refers to are known.
type resolution struct {
	done atomic.Bool
	mu   sync.Mutex
}

// resolve ties the model's relations to their other sides. It does so at first
// use, when all packages are initialised, and again if it failed.
func (m *ModelInfo) resolve() error {
	if m.resolution.done.Load() {
		return nil
	}
	m.resolution.mu.Lock()
	defer m.resolution.mu.Unlock()
	if m.resolution.done.Load() {
		return nil
	}
	if m.buildErr != nil {
		return fmt.Errorf("orm: %w", m.buildErr)
	}
	var mistakes []*fieldMistake
	for _, f := range m.attach {
		if err := f.resolveRelation(); err != nil {
			mistakes = append(mistakes, &fieldMistake{owner: m.Type, field: f.Name, err: err})
		}
	}
	if len(mistakes) > 0 {
		err := &modelMistakes{m.Name, mistakes}
		locate(err, m.Type, m.File)
		return fmt.Errorf("orm: %w", err)
	}
	m.resolution.done.Store(true)
	return nil
}

func (f *FieldInfo) resolveRelation() error {
	r := f.Relation
	other := r.Target()
	models.RLock()
	registered := other.registered
	models.RUnlock()
	if !registered {
		return fmt.Errorf("refers to %s, which is not registered; its package calls orm.Register[%s]() in a variable, and must be imported", other.Type, other.Name)
	}
	if other.buildErr != nil {
		return other.buildErr
	}
	switch r.Kind {
	case ToOne:
		if r.spec.to != "" {
			if err := f.checkTo(other); err != nil {
				return err
			}
		} else if pk := other.PrimaryKey; pk.memory() != r.spec.key {
			return fmt.Errorf("its key is a %s, but the primary key of %s is a %s; use orm.ForeignKey[%s, %s]", r.spec.key, other.Name, pk.memory(), other.Name, pk.memory())
		}
		if r.Related != "" {
			if back := other.byName[r.Related]; back != nil && (back.Relation == nil || !back.Relation.leadsTo(f.model)) {
				return fmt.Errorf("related=%s: %s.%s does not lead back to %s", r.Related, other.Name, r.Related, f.model.Name)
			}
		}
	case ToMany:
		via, err := f.findVia(other)
		if err != nil {
			return err
		}
		if r.spec.one && !via.Unique && !via.PrimaryKey {
			return fmt.Errorf("%s.%s is not unique, so there may be many; use orm.HasMany, or make it an orm.OneToOne", other.Name, via.Name)
		}
		r.via = via
	case ManyMany:
		join, err := f.findJoin(other)
		if err != nil {
			return err
		}
		r.join = join
	}
	return nil
}

// checkTo checks the field that the tag "to" names.
func (f *FieldInfo) checkTo(other *ModelInfo) error {
	r := f.Relation
	key := other.byName[r.spec.to]
	switch {
	case key == nil || key.Column == "" || key.Relation != nil || key.whole != nil:
		return fmt.Errorf("to=%s: %s has no field of that name that a foreign key can lead to; it is a field with one column, which is not a relation", r.spec.to, other.Name)
	case !key.Unique && !key.PrimaryKey:
		return fmt.Errorf("to=%s: the field is not unique, and so a value of it can be that of several rows; tag %s.%s unique", r.spec.to, other.Name, r.spec.to)
	case key.Null:
		return fmt.Errorf("to=%s: %s.%s may be NULL, which refers to nothing", r.spec.to, other.Name, r.spec.to)
	case key.Type != r.spec.key:
		return fmt.Errorf("its key is a %s, but %s.%s is a %s; use orm.ForeignKey[%s, %s]", r.spec.key, other.Name, r.spec.to, key.Type, other.Name, key.Type)
	}
	return nil
}

// findVia finds the foreign key that a HasMany is the other side of: the one
// named by "reverse", the one whose "related" names the field, or the only one.
func (f *FieldInfo) findVia(other *ModelInfo) (*FieldInfo, error) {
	var found []*FieldInfo
	for _, g := range other.attach {
		if g.inherits != nil || g.Relation.Kind != ToOne || !g.Relation.leadsTo(f.model) {
			continue
		}
		if g.Name == f.Relation.Reverse || f.Relation.Reverse == "" && g.Relation.Related == f.Name {
			return g, nil
		}
		found = append(found, g)
	}
	switch {
	case f.Relation.Reverse != "":
		return nil, fmt.Errorf("reverse=%s: %s has no foreign key of that name to %s", f.Relation.Reverse, other.Name, f.model.Name)
	case len(found) == 0:
		return nil, fmt.Errorf("%s has no foreign key to %s", other.Name, f.model.Name)
	case len(found) > 1:
		return nil, fmt.Errorf("%s has several foreign keys to %s; say which with orm:\"reverse=%s\"", other.Name, f.model.Name, found[0].Name)
	}
	return found[0], nil
}

// findJoin finds the join table: the field's own, or, with "reverse", that of
// the other side.
func (f *FieldInfo) findJoin(other *ModelInfo) (*joinTable, error) {
	switch {
	case f.inherits != nil:
		return f.inherits.findJoin(other)
	case f.Relation.Through != "" && f.Relation.Reverse != "":
		return nil, fmt.Errorf("through stands beside reverse; the other side has it")
	case f.Relation.Symmetrical && f.model != other:
		return nil, fmt.Errorf("symmetrical is for a relation of a model to itself")
	case f.Relation.Through != "":
		return f.throughJoin(other)
	case f.Relation.Reverse == "":
		return f.ownJoin(other), nil
	}
	g := other.byName[f.Relation.Reverse]
	if g == nil || g.Relation == nil || g.Relation.Kind != ManyMany || !g.Relation.leadsTo(f.model) || g.Relation.Reverse != "" {
		return nil, fmt.Errorf("reverse=%s: %s has no ManyToMany[%s] of that name", f.Relation.Reverse, other.Name, f.model.Name)
	}
	j, err := g.findJoin(f.model)
	if err != nil {
		return nil, err
	}
	return &joinTable{
		table: j.table, owner: j.target, target: j.owner, declared: j.declared,
		through: j.through, ownerField: j.targetField, targetField: j.ownerField,
	}, nil
}

func (f *FieldInfo) ownJoin(other *ModelInfo) *joinTable {
	owner, target := snake(f.model.Name), snake(other.Name)
	if owner == target {
		owner, target = "from_"+owner, "to_"+target
	}
	return &joinTable{
		table: f.model.inSchema(objectName(f.model.alias, f.Snake)), declared: f,
		owner: f.model.joinColumns(owner), target: other.joinColumns(target),
	}
}

// inSchema puts the model's schema before the name of a table.
func (m *ModelInfo) inSchema(table string) string {
	if m.meta.Schema == "" {
		return table
	}
	return m.meta.Schema + "." + table
}

// aliasIn is the name under which a statement without another alias has the model's table.
func (m *ModelInfo) aliasIn(d Dialect) string {
	if len(m.alias) < len(m.Table) && d.Quirks().NoSchemas {
		return m.Table
	}
	return m.alias
}

// joinColumns are the columns of a join table that hold the model's key.
func (m *ModelInfo) joinColumns(prefix string) []string {
	if len(m.PrimaryKey.Parts) == 0 {
		return []string{prefix + "_id"}
	}
	var names []string
	for _, part := range m.PrimaryKey.Parts {
		names = append(names, objectName(prefix, part.Column))
	}
	return names
}

// allocator returns a function that makes a zero row of the type.
func allocator(t reflect.Type) func() unsafe.Pointer {
	return func() unsafe.Pointer { return reflect.New(t).UnsafePointer() }
}

// manyAllocator returns a function that makes so many zero rows of the type, one after the
// other.
func manyAllocator(t reflect.Type) func(n int) unsafe.Pointer {
	slice := sync.OnceValue(func() reflect.Type { return reflect.SliceOf(t) })
	return func(n int) unsafe.Pointer { return reflect.MakeSlice(slice(), n, n).UnsafePointer() }
}
