package orm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Operation is what a query does with the rows of a model.
type Operation string

// The operations that a [Router] is asked about. A query that locks rows writes.
const (
	Read  Operation = "read"
	Write Operation = "write"
)

// Router decides which of several databases a model's queries go to.
type Router interface {
	// Route returns the name of a database, or "" to leave the decision to the next
	// router and, in the end, to the default database. It is called for each
	// query, perhaps from many goroutines at once.
	Route(ctx context.Context, m *ModelInfo, op Operation) string
}

// RouterFunc is a function that is a Router.
type RouterFunc func(ctx context.Context, m *ModelInfo, op Operation) string

// Route calls f.
func (f RouterFunc) Route(ctx context.Context, m *ModelInfo, op Operation) string {
	return f(ctx, m, op)
}

// TableRouter is a [Router] that also knows where the tables are of models that the
// program does not have any more, which old migrations create and delete.
type TableRouter interface {
	Router
	// RouteTable is Route for a table by the names of its app and model.
	RouteTable(app, model string) string
}

// Opener returns an open database. It is called for each query and so may connect at
// the first one; otherwise it should be quick.
type Opener func(ctx context.Context) (*DB, error)

// Opened is the Opener of a database that is open already.
func Opened(db *DB) Opener { return func(context.Context) (*DB, error) { return db, nil } }

// DefaultDatabase is the name of the default database, for [Using] and routers.
const DefaultDatabase = "default"

// Databases are several databases that serve a program together.
type Databases struct {
	// Default is the database of models that no router sends elsewhere, and of
	// statements that belong to no model.
	Default Opener
	// Named are further databases, for routers and [Using].
	Named map[string]Opener
	// Replicas are copies of the default database, which follow it. They get the
	// queries that read models of the default database, in turn, but not in a
	// transaction, and not after something was written with the same context: a
	// request sees what it has written. One that does not answer is left alone
	// for a while, and its queries go to the default database.
	Replicas []Opener
	// Routers are asked in turn, until one has an answer.
	Routers []Router

	turn atomic.Uint32
	mu   sync.Mutex
	away map[int]time.Time // of replicas, by index: until when they are left alone
}

// replicaPause is how long a replica that did not answer is left alone.
const replicaPause = 5 * time.Second

// Context returns a context whose queries go to these databases. What is written with it,
// or with a context made of it, is remembered, so that later reading does not go to a
// replica that may not have it yet: call it once for each request or task.
func (d *Databases) Context(ctx context.Context) context.Context {
	return context.WithValue(ctx, scopeKey{}, &contextScope{open: d.Default, routing: &routing{databases: d}, outer: scopeOf(ctx)})
}

// Check looks for mistakes in the databases: relations between models that the routers
// keep in different ones, and names that they do not know.
func (d *Databases) Check(ctx context.Context) error {
	var errs []error
	for _, m := range Models() {
		if err := m.resolve(); err != nil {
			return err
		}
		home := d.nameFor(ctx, m, Write)
		if home != DefaultDatabase && d.Named[home] == nil {
			errs = append(errs, d.unknown(home, m))
		}
		for _, f := range m.Fields {
			if f.Relation == nil {
				continue
			}
			if err := d.related(ctx, f, home, Write); err != nil {
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}

// related reports a relation that leads into another database.
func (d *Databases) related(ctx context.Context, f *FieldInfo, home string, op Operation) error {
	to := f.Relation.Target()
	if other := d.nameFor(ctx, to, op); other != home {
		return fmt.Errorf("orm: %s.%s leads from database %q to %s in database %q, which no query can follow; keep the key in a plain field and fetch the rows with a query of their own",
			f.model.Name, f.Name, home, to.Name, other)
	}
	return nil
}

func (d *Databases) unknown(name string, m *ModelInfo) error {
	names := []string{DefaultDatabase}
	for known := range d.Named {
		names = append(names, known)
	}
	slices.Sort(names)
	return fmt.Errorf("%w: a router sends %s to %q; known are %s", ErrNoDatabase, m.Label(), name, strings.Join(names, ", "))
}

// nameFor asks the routers.
func (d *Databases) nameFor(ctx context.Context, m *ModelInfo, op Operation) string {
	if m.extends != nil {
		m = m.extends // the table is that model's
	}
	for _, router := range d.Routers {
		if name := router.Route(ctx, m, op); name != "" {
			return name
		}
	}
	return DefaultDatabase
}

// Homes returns the names of the databases that the routers of a context keep a table in:
// mostly one, that of the model, or of the model that a join table ("Post_tags") belongs
// to. For an empty model it is those of all the app's models. No routers, no names: then
// any database may have any table.
func Homes(ctx context.Context, app, model string) []string {
	r := routingOf(ctx)
	if r == nil || len(r.databases.Routers) == 0 {
		return nil
	}
	d := r.databases
	var homes []string
	for _, m := range Models() {
		if m.App != app {
			continue
		}
		home := d.nameFor(ctx, m, Write)
		if m.Name == model || strings.HasPrefix(model, m.Name+"_") {
			return []string{home}
		}
		if !slices.Contains(homes, home) {
			homes = append(homes, home)
		}
	}
	if model != "" {
		for _, router := range d.Routers {
			if t, ok := router.(TableRouter); ok {
				if home := t.RouteTable(app, model); home != "" {
					return []string{home}
				}
			}
		}
	}
	if len(homes) == 1 || model == "" && len(homes) > 0 {
		return homes
	}
	return []string{DefaultDatabase}
}

// routing is the databases of one context, and what it remembers.
type routing struct {
	databases *Databases
	wrote     atomic.Bool
}

// routingOf finds what decides over the context's queries; nil if a database has been
// chosen by [WithDB] or [Using].
func routingOf(ctx context.Context) *routing {
	for s := scopeOf(ctx); s != nil; s = s.outer {
		if s.routing != nil {
			return s.routing
		}
		if !s.through {
			return nil
		}
	}
	return nil
}

// noteWrite remembers that the context has written something.
func noteWrite(ctx context.Context) {
	for s := scopeOf(ctx); s != nil; s = s.outer {
		if s.routing != nil {
			s.routing.wrote.Store(true)
			return
		}
	}
}

// database is the database for a query of the model.
func (m *ModelInfo) database(ctx context.Context, op Operation) (*DB, error) {
	r := routingOf(ctx)
	if r == nil {
		return DBFrom(ctx)
	}
	if m.common != nil {
		m = m.common.body()
	}
	d := r.databases
	if name := d.nameFor(ctx, m, op); name != DefaultDatabase {
		open := d.Named[name]
		if open == nil {
			return nil, d.unknown(name, m)
		}
		return open(ctx)
	}
	if op == Read && len(d.Replicas) > 0 && !r.wrote.Load() {
		primary, err := d.Default(ctx)
		if err == nil && primary.transactionOf(ctx) != nil {
			return primary, nil
		}
		if replica := d.replica(ctx); replica != nil {
			return replica, nil
		}
	}
	return d.Default(ctx)
}

// database is the database for reading rows, with the relations that are loaded with them.
func (q *query) database(ctx context.Context) (*DB, error) {
	if r := routingOf(ctx); r != nil && len(q.with) > 0 && len(r.databases.Routers) > 0 {
		plan, err := q.loadPlan()
		if err != nil {
			return nil, err
		}
		if err := r.databases.reachable(ctx, q.model, plan); err != nil {
			return nil, err
		}
	}
	return q.model.database(ctx, Read)
}

// reachable checks that relations stay in the database of the model.
func (d *Databases) reachable(ctx context.Context, m *ModelInfo, plan []*loadNode) error {
	for _, node := range plan {
		if err := d.related(ctx, node.field, d.nameFor(ctx, m, Read), Read); err != nil {
			return err
		}
		if err := d.reachable(ctx, node.field.Relation.Target(), node.kids); err != nil {
			return err
		}
	}
	return nil
}

// replica picks one that answers; nil if there is none.
func (d *Databases) replica(ctx context.Context) *DB {
	n := len(d.Replicas)
	first := int(d.turn.Add(1))
	for i := range n {
		which := (first + i) % n
		if !d.mayAnswer(which) {
			continue
		}
		db, err := d.Replicas[which](ctx)
		if err != nil {
			d.leave(which)
			continue
		}
		if db.standIn.Load() == nil {
			db.standIn.CompareAndSwap(nil, &standIn{open: d.Default, away: func() { d.leave(which) }})
		}
		return db
	}
	return nil
}

func (d *Databases) mayAnswer(replica int) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	until, found := d.away[replica]
	return !found || time.Now().After(until)
}

func (d *Databases) leave(replica int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.away == nil {
		d.away = map[int]time.Time{}
	}
	d.away[replica] = time.Now().Add(replicaPause)
}

// standIn is what answers in place of a replica.
type standIn struct {
	open Opener
	away func()
}
