package orm

import (
	"context"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"unsafe"
)

// EventKind is a moment in the life of a row at which a program can take part.
type EventKind int

// The moments. An error of what runs before stops the write, one of what runs after
// undoes it: both run inside the transaction of the write. What is to happen only once
// the data is there for all to see uses [OnCommit].
const (
	BeforeSave EventKind = iota
	AfterSave
	BeforeDelete
	AfterDelete
	// BeforeRelate and AfterRelate are changes of many-to-many relations.
	BeforeRelate
	AfterRelate

	eventKinds
)

// Event tells hooks and listeners what is happening.
type Event struct {
	Kind  EventKind
	Model *ModelInfo
	// Row is the row being saved or deleted, a pointer to the model's struct. It is nil
	// for a change of a relation.
	Row any
	// Insert tells a save of a new row from an update. An Upsert counts as an insert.
	Insert bool
	// Fields are the fields that an update writes; nil on insert, which writes all.
	Fields []*FieldInfo
	// Soft tells that a delete only marks the row; see [SoftDelete].
	Soft bool

	// Of a change of a relation: the field through which it was made, the primary key of
	// the row that holds the field, and the keys of the rows that are added or removed.
	Relation *FieldInfo
	Key      any
	Added    []any
	Removed  []any
}

// The hooks of a model are methods on its pointer:
//
//	func (p *Post) BeforeSave(ctx context.Context, e orm.Event) error {
//		p.Slug = slugify(p.Title)
//		return nil
//	}
//
// They run for every row that is written as a row, one or many: by Insert, UpdateRow,
// UpdateRows, Upsert, [EditOf.Save], GetOrInsert, UpdateOrInsert, DeleteRow and Delete, and
// for rows that a delete takes with it. They do not run for Update and UpdateAll, which
// change rows without reading them, nor for what the database does on its own because of
// on_delete=db_cascade.
type (
	// BeforeSaver is a model with a hook before a row is inserted or updated. A field
	// that it changes is written by an insert, and by an update that names it.
	BeforeSaver interface {
		BeforeSave(ctx context.Context, e Event) error
	}
	// AfterSaver is a model with a hook after a row was inserted or updated.
	AfterSaver interface {
		AfterSave(ctx context.Context, e Event) error
	}
	// BeforeDeleter is a model with a hook before a row is deleted.
	BeforeDeleter interface {
		BeforeDelete(ctx context.Context, e Event) error
	}
	// AfterDeleter is a model with a hook after a row was deleted.
	AfterDeleter interface {
		AfterDelete(ctx context.Context, e Event) error
	}
)

// listener is a function that wants to hear of events of one kind.
type listener struct {
	fn func(ctx context.Context, e Event) error
}

// listeners are replaced, never changed, so that firing needs no lock.
type listeners [eventKinds]atomic.Pointer[[]*listener]

var listening sync.Mutex

func (l *listeners) add(kind EventKind, fn func(ctx context.Context, e Event) error) (stop func()) {
	own := &listener{fn}
	l.replace(kind, func(list []*listener) []*listener { return append(list, own) })
	return func() {
		l.replace(kind, func(list []*listener) []*listener {
			return slices.DeleteFunc(list, func(other *listener) bool { return other == own })
		})
	}
}

func (l *listeners) replace(kind EventKind, change func([]*listener) []*listener) {
	listening.Lock()
	defer listening.Unlock()
	list := change(slices.Clone(l.of(kind)))
	l[kind].Store(&list)
}

func (l *listeners) of(kind EventKind) []*listener {
	if list := l[kind].Load(); list != nil {
		return *list
	}
	return nil
}

// everywhere are the listeners of all models.
var everywhere listeners

// Listen calls fn for each event of a kind in rows of the model, after the model's own
// hook and in the order in which listeners came, until stop is called. It is for code
// outside of the model's package: search indexes, caches, audit logs.
//
//	stop := Posts.Listen(orm.AfterSave, func(ctx context.Context, p *Post, e orm.Event) error {
//		orm.OnCommit(ctx, func(ctx context.Context) { search.Index(ctx, p) })
//		return nil
//	})
//
// For a change of a relation the row is nil, and the event has its key.
func (s *Query[P]) Listen(kind EventKind, fn func(ctx context.Context, row P, e Event) error) (stop func()) {
	return s.use().model.listeners.add(kind, func(ctx context.Context, e Event) error {
		row, _ := e.Row.(P)
		return fn(ctx, row, e)
	})
}

// Listen calls fn for each event of a kind in rows of any model, after the listeners of
// the model, until stop is called.
func Listen(kind EventKind, fn func(ctx context.Context, e Event) error) (stop func()) {
	return everywhere.add(kind, fn)
}

// hooksOf tells which hooks the model's type has.
func hooksOf(t reflect.Type) (has [eventKinds]bool) {
	row := reflect.New(t).Interface()
	_, has[BeforeSave] = row.(BeforeSaver)
	_, has[AfterSave] = row.(AfterSaver)
	_, has[BeforeDelete] = row.(BeforeDeleter)
	_, has[AfterDelete] = row.(AfterDeleter)
	return has
}

// hears reports whether anyone wants to know of events of one of the kinds.
func (m *ModelInfo) hears(kinds ...EventKind) bool {
	for _, kind := range kinds {
		if m.hooks[kind] || len(m.listeners.of(kind)) > 0 || len(everywhere.of(kind)) > 0 {
			return true
		}
		if b := m.extends; b != nil && (b.hooks[kind] || len(b.listeners.of(kind)) > 0) {
			return true
		}
	}
	return false
}

// fire tells of an event of a row.
func (m *ModelInfo) fire(ctx context.Context, row unsafe.Pointer, e Event) error {
	if !m.hears(e.Kind) {
		return nil
	}
	e.Model = m
	if row != nil {
		e.Row = reflect.NewAt(m.Type, row).Interface()
	}
	if m.extends != nil {
		if err := m.fireBase(ctx, row, e); err != nil {
			return err
		}
	}
	if m.hooks[e.Kind] {
		if err := m.callHook(ctx, e); err != nil {
			return err
		}
	}
	for _, list := range [][]*listener{m.listeners.of(e.Kind), everywhere.of(e.Kind)} {
		for _, l := range list {
			if err := l.fn(ctx, e); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *ModelInfo) callHook(ctx context.Context, e Event) error {
	switch e.Kind {
	case BeforeSave:
		return e.Row.(BeforeSaver).BeforeSave(ctx, e)
	case AfterSave:
		return e.Row.(AfterSaver).AfterSave(ctx, e)
	case BeforeDelete:
		return e.Row.(BeforeDeleter).BeforeDelete(ctx, e)
	default:
		return e.Row.(AfterDeleter).AfterDelete(ctx, e)
	}
}

// fireAll tells of an event of many rows.
func (m *ModelInfo) fireAll(ctx context.Context, rows []unsafe.Pointer, e Event) error {
	if !m.hears(e.Kind) {
		return nil
	}
	for _, row := range rows {
		if err := m.fire(ctx, row, e); err != nil {
			return err
		}
	}
	return nil
}

// saving runs a write of rows with its events around it, all in one transaction. Without
// anyone to hear of them it is the write alone.
func (m *ModelInfo) saving(ctx context.Context, db *DB, rows []unsafe.Pointer, e Event, write func(ctx context.Context) error) error {
	if !m.hears(BeforeSave, AfterSave) && !m.meta.ValidateOnSave {
		return write(ctx)
	}
	return db.Atomic(ctx, TxOptions{}, func(ctx context.Context) error {
		e.Kind = BeforeSave
		if err := m.fireAll(ctx, rows, e); err != nil {
			return err
		}
		if m.meta.ValidateOnSave {
			for _, row := range rows {
				if err := m.validate(ctx, row, e.Fields); err != nil {
					return err
				}
			}
		}
		if err := write(ctx); err != nil {
			return err
		}
		e.Kind = AfterSave
		return m.fireAll(ctx, rows, e)
	})
}

// misspeltHooks finds methods that look like hooks and never would be called.
func misspeltHooks(t reflect.Type) string {
	row := reflect.New(t).Interface()
	_, beforeSave := row.(interface {
		BeforeSave(ctx context.Context) error
	})
	_, afterSave := row.(interface {
		AfterSave(ctx context.Context) error
	})
	_, beforeDelete := row.(interface {
		BeforeDelete(ctx context.Context) error
	})
	_, afterDelete := row.(interface {
		AfterDelete(ctx context.Context) error
	})
	for name, found := range map[string]bool{"BeforeSave": beforeSave, "AfterSave": afterSave, "BeforeDelete": beforeDelete, "AfterDelete": afterDelete} {
		if found {
			return name
		}
	}
	return ""
}
