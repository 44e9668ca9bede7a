// Package migrate changes the tables of a database in named steps, and writes
// those steps by comparing the models with the steps that exist.
//
// # Migrations
//
// Each app has a package migrations with one Go file per [Migration], added to
// the app's [Set] when the program starts:
//
//	package migrations // migrations.go
//
//	var All = migrate.Register("blog")
//
//	package migrations // 0001_initial.go
//
//	var _ = All.Add(migrate.Migration{
//		Name: "0001_initial",
//		Operations: []migrate.Operation{
//			migrate.CreateModel{Table: schema.Table{Model: "Post", Name: "blog_post", Columns: …}},
//		},
//	})
//
// A program imports those packages, mostly for their effect alone.
//
// # Graph
//
// [Load] puts the migrations of all apps in order, by their dependencies. The
// [Graph] then plans and applies them ([Graph.Plan], [Graph.Apply]), shows what
// was applied ([Graph.Status], [Graph.Pending]) and prints the SQL ([Graph.SQL]).
//
// # State
//
// What the tables look like is never read from a database. It is replayed from
// the operations of the migrations, as a [State]. [Graph.Make] compares that
// with the tables the models declare and writes the difference as new files;
// [Graph.Check] only reports it. What the comparison cannot know (was this
// column renamed, what do existing rows get) it asks an [Asker].
//
// # Safety
//
// A migration and its record in the table retort_migrations are one
// transaction where the database allows it, so that a killed process leaves
// all or nothing. MySQL commits at each change of a table: there, and in
// migrations that are NonAtomic, each statement is written down in the table
// retort_migration_steps, so that a migration that was killed, or failed, in
// its middle goes on where it was. Changes of rows are one transaction with
// their mark, so that they never happen twice. Of two processes that migrate
// at once one works; the other waits and finds everything done.
package migrate

import (
	"fmt"
	"path/filepath"
	"runtime"
	"sort"
	"strings"
	"sync"
)

// Migration is one step in the history of an app's tables.
type Migration struct {
	// Name is unique in its app and sorts by age: "0002_post_subtitle".
	Name string
	// Dependencies are the migrations that must be applied first, each as
	// "app.name": the one before it in the same app, and those of other apps
	// that create what it refers to.
	Dependencies []string
	// Operations are done in order, and undone in reverse order.
	Operations []Operation
	// Replaces names the migrations of the same app that this one stands for,
	// see [Graph.Squash]. A database that has applied none of them gets this
	// one, one that has applied some gets the rest, and one that has applied
	// all has applied this one. The replaced ones can be deleted when no
	// database is in between any more.
	Replaces []string
	// NonAtomic runs the operations outside a transaction, for statements that
	// the database refuses inside one. If it breaks off, what was done stays
	// done, and the next run goes on with the statement or Go code at which it
	// ended: Go code must be able to run again after it did a part of its work.
	NonAtomic bool
	// Ignore accepts hazards that [Graph.Lint] finds in the migration.
	Ignore []Ignore
}

// Set is the migrations of one app.
type Set struct {
	app        string
	directory  string
	place      string
	migrations map[string]*registered
}

// registered is a migration and the place it was added at.
type registered struct {
	Migration
	place string
}

var registry struct {
	sync.Mutex
	sets []*Set
}

// Register makes the set of migrations of an app known to the program. It is
// called once for each app, from the package that holds its migrations: the
// folder of the calling file is where new migrations are written.
//
// It panics if the app has a set already, naming both places.
func Register(app string) *Set {
	directory, place := caller()
	registry.Lock()
	defer registry.Unlock()
	for _, s := range registry.sets {
		if s.app == app {
			panic(fmt.Sprintf("migrate: migrations of app %q are registered twice: at %s and at %s", app, s.place, place))
		}
	}
	s := newSet(app, directory, place)
	registry.sets = append(registry.sets, s)
	return s
}

// Sets returns the registered sets in the order of their apps' names.
func Sets() []*Set {
	registry.Lock()
	defer registry.Unlock()
	sets := append([]*Set(nil), registry.sets...)
	sort.Slice(sets, func(i, j int) bool { return sets[i].app < sets[j].app })
	return sets
}

// NewSet returns a set that is not registered with the program, for tests and
// tools. directory is where new migrations are written; it may be empty.
//
// It panics if app is not a valid name.
func NewSet(app, directory string) *Set {
	_, place := caller()
	return newSet(app, directory, place)
}

func newSet(app, directory, place string) *Set {
	if app == "" || strings.ContainsAny(app, ". \t\n") {
		panic(fmt.Sprintf("migrate: app name %q at %s: want a word without dots and spaces", app, place))
	}
	return &Set{app: app, directory: directory, place: place, migrations: map[string]*registered{}}
}

// Add adds a migration to the set and returns it.
//
// It panics if the name is taken, naming both places, or not usable.
func (s *Set) Add(m Migration) *Migration {
	_, place := caller()
	switch {
	case m.Name == "" || m.Name == Zero || strings.ContainsAny(m.Name, ". \t\n"):
		panic(fmt.Sprintf("migrate: migration name %q at %s: want a word without dots and spaces, and not %q", m.Name, place, Zero))
	case s.migrations[m.Name] != nil:
		panic(fmt.Sprintf("migrate: migration %s.%s is added twice: at %s and at %s", s.app, m.Name, s.migrations[m.Name].place, place))
	}
	r := &registered{Migration: m, place: place}
	s.migrations[m.Name] = r
	return &r.Migration
}

// App returns the label of the app.
func (s *Set) App() string { return s.app }

// Directory returns the folder where the app's migrations are written.
func (s *Set) Directory() string { return s.directory }

// caller returns the folder, and the file and line, of the code that called
// the exported function it is used in.
func caller() (directory, place string) {
	_, file, line, ok := runtime.Caller(2)
	if !ok {
		return "", "an unknown place"
	}
	return filepath.Dir(file), fmt.Sprintf("%s:%d", file, line)
}
