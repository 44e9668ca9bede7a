package migrate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/retort-web/retort/orm/schema"
)

// Hazard is what an operation may do to a site that is in use: lock a big table for
// long, or take away what old code still needs while new code is being deployed.
type Hazard struct {
	App, Migration string
	// Operation is the place of the operation in its migration, counted from 1,
	// and Describe what it says of itself.
	Operation int
	Describe  string
	// Rule is the name of the hazard, by which it can be ignored.
	Rule string
	// Problem says what happens, and Advice what to do instead.
	Problem, Advice string
	// Ignored is the reason for which the migration ignores it; empty if it does
	// not.
	Ignored string
}

// Ignore accepts a [Hazard] of a migration.
type Ignore struct {
	// Rule is the name of the hazard: "drop-field".
	Rule string
	// Operation is what the operation says of itself: "Remove field title from
	// Post". Default: all operations of the migration.
	Operation string
	// Reason says why it is right here: "no code has read it since May". It must
	// not be empty.
	Reason string
}

// The databases that [Graph.Lint] knows.
const (
	kindPostgres = "postgres"
	kindMySQL    = "mysql"
	kindMariaDB  = "mariadb"
	kindSQLite   = "sqlite"
)

// Linter is an operation of a user's own that tells of its hazards. database is
// "postgres", "mysql", "mariadb" or "sqlite". Of each hazard it says the rule, the
// problem and the advice.
type Linter interface {
	Operation
	Hazards(c Change, database string) []Hazard
}

// Lint looks for hazards in the migrations for which keep holds; nil is all. The
// database is "postgres", "mysql", "mariadb" or "sqlite". What happens to a table in the
// migration that creates it is no hazard, since it is empty.
func (g *Graph) Lint(database string, keep func(app, name string) bool) ([]Hazard, error) {
	switch database {
	case kindPostgres, kindMySQL, kindMariaDB, kindSQLite:
	default:
		return nil, fmt.Errorf("migrate: no database %q to look for hazards of; there are postgres, mysql, mariadb and sqlite", database)
	}
	state := NewState()
	all := []Hazard{}
	for _, n := range g.order {
		if keep != nil && !keep(n.app, n.Name) {
			if err := n.changeState(state); err != nil {
				return nil, err
			}
			continue
		}
		found, err := lint(n.app, &n.Migration, database, state, map[string]bool{})
		if err != nil {
			return nil, fmt.Errorf("migrate: %s: %w", n.id, err)
		}
		all = append(all, found...)
	}
	return all, nil
}

// Names returns the names of an app's migrations: the one of this name, or that alone begins
// so; all if the name is empty.
func (g *Graph) Names(app, name string) (map[string]bool, error) {
	names := map[string]bool{}
	if name == "" && g.sets[app] != nil {
		for _, each := range g.names(app) {
			names[each] = true
		}
		return names, nil
	}
	n, err := g.find(app, name)
	if err != nil {
		return nil, err
	}
	names[n.Name] = true
	return names, nil
}

// lint looks at one migration. It changes the state and notes new tables in fresh.
func lint(app string, m *Migration, database string, state *State, fresh map[string]bool) ([]Hazard, error) {
	l := &linter{app: app, migration: m, database: database, fresh: fresh, atomic: !m.NonAtomic}
	for _, ignore := range m.Ignore {
		if strings.TrimSpace(ignore.Reason) == "" || !slices.Contains(rules, ignore.Rule) {
			l.add("bad-ignore", fmt.Sprintf("Ignore{Rule: %q, Reason: %q} needs the name of a rule and a reason", ignore.Rule, ignore.Reason),
				"the rules are "+strings.Join(rules, ", "))
		}
	}
	for i, operation := range m.Operations {
		next := state.clone()
		if err := operation.ChangeState(app, next); err != nil {
			return nil, fmt.Errorf("operation %d (%s): %w", i+1, operation.Describe(), err)
		}
		l.place, l.operation = i+1, operation
		l.change = Change{App: app, From: state.clone(), To: next}
		l.look(operation)
		*state = *next
	}
	return l.found, nil
}

// lintFiles adds hazards to the warnings of files that are about to be written.
func (g *Graph) lintFiles(drafts []*draft, files []File, options MakeOptions) error {
	state, err := g.State()
	if err != nil {
		return err
	}
	fresh := map[string]bool{}
	for i, m := range g.number(drafts, options.Name) {
		found, err := lint(drafts[i].app, &m, options.Lint, state, fresh)
		if err != nil {
			return fmt.Errorf("migrate: %s.%s: %w", drafts[i].app, m.Name, err)
		}
		for n := range files {
			if files[n].App != drafts[i].app || files[n].Name != m.Name {
				continue
			}
			for _, h := range found {
				files[n].Warnings = append(files[n].Warnings, h.String())
			}
		}
	}
	return nil
}

// String says all of a hazard in one line.
func (h Hazard) String() string {
	return fmt.Sprintf("%s: %s (%s); %s", h.Describe, h.Problem, h.Rule, h.Advice)
}

// rules are the names of all hazards, apart from those of a user's own operations.
var rules = []string{
	"add-required-field", "alter-primary-key", "alter-type", "check-scan", "drop-field", "drop-model", "fill-at-once",
	"foreign-key-scan", "generated-stored", "index-blocks", "index-drop-waits", "raw-sql", "rename-field", "rename-model",
	"rewrite-default", "rows-with-schema", "set-not-null", "unique-blocks", "validate-in-transaction",
}

// linter looks at one migration.
type linter struct {
	app       string
	migration *Migration
	database  string
	atomic    bool
	fresh     map[string]bool // keys of tables that are empty

	place     int
	operation Operation
	change    Change
	// locked is the first operation that changed a table with rows.
	locked string
	found  []Hazard
}

func (l *linter) on(databases ...string) bool { return slices.Contains(databases, l.database) }

// add notes a hazard of the operation at hand.
func (l *linter) add(rule, problem, advice string) {
	h := Hazard{App: l.app, Migration: l.migration.Name, Operation: l.place, Rule: rule, Problem: problem, Advice: advice}
	if l.operation != nil {
		h.Describe = l.operation.Describe()
	}
	for _, ignore := range l.migration.Ignore {
		if ignore.Rule == rule && (ignore.Operation == "" || ignore.Operation == h.Describe) {
			h.Ignored = ignore.Reason
		}
	}
	l.found = append(l.found, h)
}

// table returns a model's table before the operation, or nil if it is empty.
func (l *linter) table(model string) *schema.Table {
	t := l.change.From.Table(l.app, model)
	if t == nil || l.fresh[t.Key()] {
		return nil
	}
	return t
}

// look finds the hazards of an operation.
func (l *linter) look(operation Operation) {
	switch o := operation.(type) {
	case CreateModel:
		l.fresh[l.app+"."+o.Table.Model] = true
	case RenameModel:
		l.renameModel(l.app+"."+o.From, o.To, o.Table)
	case MoveModel:
		l.renameModel(o.From, o.to(), o.Table)
	case RunSQL:
		l.sql(o.SQL)
	case RunCode:
		l.rows()
	case FillField:
		if l.table(o.Model) != nil {
			l.rows()
		}
	case SeparateStateAndDatabase:
		l.separate(o)
	case Linter:
		for _, h := range o.Hazards(l.change, l.database) {
			l.add(h.Rule, h.Problem, h.Advice)
		}
	default:
		if t := l.table(modelOf(operation)); t != nil {
			l.changes(operation, t)
			if l.locked == "" {
				l.locked = operation.Describe()
			}
		}
	}
}

// separate looks at what is done to the database, in its own states.
func (l *linter) separate(o SeparateStateAndDatabase) {
	outer := l.change
	state := outer.From.clone()
	for _, operation := range o.Database {
		next := state.clone()
		if err := operation.ChangeState(l.app, next); err != nil {
			continue // it is told when it is run
		}
		l.change = Change{App: l.app, From: state, To: next}
		l.look(operation)
		state = next
	}
	l.change = outer
}

// rows looks at a change of rows, in the company of changes of tables.
func (l *linter) rows() {
	if l.on(kindPostgres) && l.atomic && l.locked != "" {
		l.add("rows-with-schema", fmt.Sprintf("the lock that %q takes is held until all rows are changed", l.locked),
			"put changes of rows into a migration of their own")
	}
}

// modelOf returns the model that an operation is about.
func modelOf(operation Operation) string {
	switch o := operation.(type) {
	case DeleteModel:
		return o.Model
	case RenameField:
		return o.Model
	case AddIndex:
		return o.Model
	case RemoveIndex:
		return o.Model
	case tableChange:
		model, _, _ := o.touches()
		return model
	case ValidateCheck:
		return o.Model
	case ValidateForeignKey:
		return o.Model
	}
	return ""
}
