package migrate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/retort-web/retort/orm/schema"
)

// fakeInitial makes the first migrations of apps do nothing where what they
// create exists: all their tables, with all columns. Tables without some of the
// columns are of another making, which nobody but the user can judge.
func fakeInitial(ctx context.Context, db Database, all []*work) error {
	live, err := liveColumns(ctx, db, all)
	if err != nil {
		return err
	}
	var problems []string
	for _, w := range all {
		tables := w.creates()
		found := 0
		var lacking []string
		for _, t := range tables {
			columns, exists := live[strings.ToLower(t.Name)]
			if !exists {
				continue
			}
			found++
			for i := range t.Columns {
				if !columns[strings.ToLower(t.Columns[i].Name)] {
					lacking = append(lacking, t.Name+"."+t.Columns[i].Name)
				}
			}
		}
		switch {
		case len(tables) == 0 || found < len(tables):
		case len(lacking) > 0:
			problems = append(problems, fmt.Sprintf("the tables of %s exist, but lack %s", w.step.ID(), strings.Join(lacking, ", ")))
		default:
			w.operations, w.frame, w.bare = nil, schema.Frame{}, false
		}
	}
	if problems != nil {
		return errors.New("migrate: " + strings.Join(problems, "; ") + "; add those columns by hand, or rename or drop the tables, and migrate again")
	}
	return nil
}

// creates returns the tables that a first migration leaves behind, and none for
// another, or if nobody can tell whether it was done.
func (w *work) creates() []*schema.Table {
	n := w.step.node
	if w.step.Backward || len(w.journal) > 0 || slices.ContainsFunc(n.parents, func(p *node) bool { return p.app == n.app }) {
		return nil
	}
	var tables []*schema.Table
	for _, o := range w.operations {
		if o.elsewhere {
			continue
		}
		if model, _ := subject(o.operation); ownerOf(n.app, model) != "" {
			return nil // it adds to a table that is there in any case
		}
		switch operation := o.operation.(type) {
		case CreateModel:
			// As it is at the end: other operations may have added to it.
			if t := w.operations[len(w.operations)-1].to.Table(n.app, operation.Table.Model); t != nil {
				tables = append(tables, t)
			}
		case AddField, AddIndex, AddCheck, AlterComment:
		default:
			return nil
		}
	}
	return tables
}

// liveColumns returns the names of the columns by those of the tables.
func liveColumns(ctx context.Context, db Database, all []*work) (map[string]map[string]bool, error) {
	inspector, ok := db.Dialect().(schema.Inspector)
	if !ok {
		return nil, fmt.Errorf("migrate: the dialect %s cannot read the tables of a database; record migrations with Fake", db.Dialect().Name())
	}
	tables, err := inspector.Inspect(ctx, db.Query)
	if others := otherSchemas(all); err == nil && len(others) > 0 {
		var more []*schema.Live
		more, err = inspector.Inspect(ctx, db.Query, others...)
		tables = append(tables, more...)
	}
	if err != nil {
		return nil, fmt.Errorf("migrate: read the tables: %w", err)
	}
	live := make(map[string]map[string]bool, len(tables))
	for _, t := range tables {
		columns := make(map[string]bool, len(t.Columns))
		for i := range t.Columns {
			columns[strings.ToLower(t.Columns[i].Name)] = true
		}
		live[strings.ToLower(t.Name)] = columns
	}
	return live, nil
}

// otherSchemas asks an inspector for all tables of the schemas in which first migrations
// make some.
func otherSchemas(all []*work) []string {
	var names []string
	for _, w := range all {
		for _, t := range w.creates() {
			if in, _, found := strings.Cut(t.Name, "."); found && !slices.Contains(names, in+".*") {
				names = append(names, in+".*")
			}
		}
	}
	return names
}
