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
	if m.buildErr == nil {
		meta = m.inherited(meta)
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
	if meta.Table != "" {
		m.Table = meta.Table
	}
	if !naming.IsIdentifier(m.Table) {
		return fmt.Errorf("%s: %q cannot be a table name: no quotes, points, backslashes, control characters or spaces at the ends, at most 63 bytes", m.Label(), m.Table)
	}
	if other := models.byTable[m.Table]; other != nil {
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
	models.byTable[m.Table] = m
	models.ordered = append(models.ordered, m)
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

func infoOfTable(table string) *ModelInfo {
	models.RLock()
	defer models.RUnlock()
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
		if pk := other.PrimaryKey; pk.memory() != r.spec.key {
			return fmt.Errorf("its key is a %s, but the primary key of %s is a %s; use orm.ForeignKey[%s, %s]", r.spec.key, other.Name, pk.memory(), other.Name, pk.memory())
		}
		if r.Related != "" {
			if back := other.byName[r.Related]; back != nil && (back.Relation == nil || back.Relation.spec.target != f.model.Type) {
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

// findVia finds the foreign key that a HasMany is the other side of: the one
// named by "reverse", the one whose "related" names the field, or the only one.
func (f *FieldInfo) findVia(other *ModelInfo) (*FieldInfo, error) {
	var found []*FieldInfo
	for _, g := range other.attach {
		if g.Relation.Kind != ToOne || g.Relation.spec.target != f.model.Type {
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
	if g == nil || g.Relation == nil || g.Relation.Kind != ManyMany || g.Relation.spec.target != f.model.Type || g.Relation.Reverse != "" {
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
		table: objectName(f.model.Table, f.Snake), declared: f,
		owner: f.model.joinColumns(owner), target: other.joinColumns(target),
	}
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
