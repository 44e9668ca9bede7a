package db

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/migrate"
	"github.com/retort-web/retort/migrate/migratedb"
	"github.com/retort-web/retort/orm"
)

// Migrate applies all migrations that the program holds to the context's
// database. Several processes may do so at once: one applies a migration, the
// others wait and find it done. A program that looks after its own tables calls
// it at start:
//
//	app.OnStartup(db.Migrate)
func Migrate(ctx context.Context) error {
	conn, err := orm.DBFrom(ctx)
	if err != nil {
		return err
	}
	graph, err := migrate.Load(migrate.Sets()...)
	if err != nil {
		return err
	}
	_, err = graph.Apply(ctx, connection{DB: conn}, migrate.Target{}, migrate.Options{Allows: allowed(ctx, "")})
	return err
}

// using returns the context with the database of a name, or as it is for none.
func using(ctx context.Context, name string) context.Context {
	if name == "" {
		return ctx
	}
	return orm.Using(ctx, name)
}

// allowed tells which tables belong into the database of a name, by the routers
// of the context; nil if there are none.
func allowed(ctx context.Context, name string) func(app, model string) bool {
	if name == "" {
		name = orm.DefaultDatabase
	}
	return func(app, model string) bool {
		homes := orm.Homes(ctx, app, model)
		return homes == nil || slices.Contains(homes, name)
	}
}

// connection is a database as package migrate sees it.
type connection = migratedb.Connection

// load returns the graph of the program's migrations and the context's database.
func load(ctx context.Context) (*migrate.Graph, connection, error) {
	graph, err := migrate.Load(migrate.Sets()...)
	if err != nil {
		return nil, connection{}, err
	}
	conn, err := orm.DBFrom(ctx)
	return graph, connection{DB: conn}, err
}

// changes returns the migrations that the models lack.
func changes() ([]migrate.Step, error) {
	graph, err := migrate.Load(migrate.Sets()...)
	if err != nil {
		return nil, err
	}
	tables, err := orm.Tables()
	if err != nil {
		return nil, err
	}
	return graph.Check(tables)
}

// check is part of the command `check`. It looks at the database only when asked
// about production: the rest is true of the program alone.
func (e *Extension) check(ctx context.Context, _ *retort.App, deploy bool) (found []retort.Finding) {
	missing, err := changes()
	if err != nil {
		return []retort.Finding{{ID: "db.migrations", Level: retort.LevelError, Message: err.Error()}}
	}
	if len(missing) > 0 {
		found = append(found, retort.Finding{
			ID: "db.models_changed", Level: retort.LevelWarning,
			Message: "the models have changes that no migration makes: " + summary(missing), Hint: "run makemigrations",
		})
	}
	if !deploy {
		return found
	}
	graph, conn, err := load(ctx)
	if err != nil {
		return append(found, retort.Finding{ID: "db.connection", Level: retort.LevelError, Message: err.Error(), Hint: "look at DATABASE_URL"})
	}
	pending, err := graph.Pending(ctx, conn)
	switch {
	case err != nil:
		found = append(found, retort.Finding{ID: "db.history", Level: retort.LevelError, Message: err.Error()})
	case len(pending) > 0:
		found = append(found, retort.Finding{
			ID: "db.pending", Level: retort.LevelWarning,
			Message: "migrations that are not applied: " + ids(pending), Hint: "run migrate",
		})
	}
	return found
}

// warnPending tells, when the app begins to serve, why queries may fail. A database that is
// away is none of its business, except in development.
func (e *Extension) warnPending(ctx context.Context) {
	debug := e.app.Config().Debug
	for _, f := range e.check(ctx, e.app, true) {
		if debug || f.ID == "db.pending" {
			e.app.Logger().Warn(f.Message, "hint", f.Hint)
		}
	}
}

// summary lists what steps do, in few words.
func summary(steps []migrate.Step) string {
	const most = 3
	var parts []string
	for _, s := range steps {
		for _, o := range s.Operations {
			parts = append(parts, s.App+": "+o)
		}
	}
	if len(parts) > most {
		parts = append(parts[:most], fmt.Sprintf("and %d more", len(parts)-most))
	}
	return strings.Join(parts, ", ")
}

func ids(steps []migrate.Step) string {
	list := make([]string, len(steps))
	for i, s := range steps {
		list[i] = s.ID()
	}
	return strings.Join(list, ", ")
}
