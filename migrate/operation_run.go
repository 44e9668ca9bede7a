package migrate

import (
	"context"
	"fmt"
	"strings"

	"github.com/retort-web/retort/orm/schema"
)

// Noop as either text of [RunSQL] says that there is nothing to do in this
// direction, and that this is right.
const Noop = "-- nothing to do"

// NoCode as the ReverseCode of [RunCode] says that there is nothing to undo.
func NoCode(context.Context, Database) error { return nil }

// RunSQL runs SQL that is written for the database in use, one statement or
// several with semicolons between them. A statement that creates a function,
// procedure, trigger or event with a body of its own comes last, or in an
// operation of its own. It does not change the state: put it into [SeparateStateAndDatabase] if it changes the tables
// of models.
type RunSQL struct {
	SQL string
	// ReverseSQL undoes it; [Noop] if there is nothing to undo.
	// Default: it cannot be undone.
	ReverseSQL string
	// Args are the values of parameters (? or, on PostgreSQL, $1) in SQL, which
	// then is one statement.
	Args []any
	// ReverseArgs are those of ReverseSQL.
	ReverseArgs []any
	// Models are those that it is about, as "Post": where several databases
	// have the models of the app, it runs in theirs. Default: in all of these.
	Models []string
	// Elidable says that it only mattered to rows that were there at the time,
	// so that [Graph.Squash] leaves it out.
	Elidable bool
}

// Describe implements [Operation].
func (o RunSQL) Describe() string {
	line, _, more := strings.Cut(strings.TrimSpace(o.SQL), "\n")
	if more {
		line += " …"
	}
	return "Run SQL: " + line
}

// ChangeState implements [Operation].
func (o RunSQL) ChangeState(string, *State) error { return nil }

// Forward implements [Operation].
func (o RunSQL) Forward(c Change) ([]Action, error) { return sqlText(c.Dialect, o.SQL, o.Args), nil }

// Reverse implements [Operation].
func (o RunSQL) Reverse(c Change) ([]Action, error) {
	if o.ReverseSQL == "" {
		return nil, ErrIrreversible
	}
	return sqlText(c.Dialect, o.ReverseSQL, o.ReverseArgs), nil
}

func sqlText(dialect schema.Dialect, sql string, args []any) []Action {
	if sql == Noop || strings.TrimSpace(sql) == "" {
		return nil
	}
	if len(args) > 0 {
		return []Action{{SQL: sql, Args: args}}
	}
	if dialect.Name() == "sqlite" {
		return []Action{{SQL: sql}} // its driver takes several, and knows where a trigger ends
	}
	return statements(splitSQL(sql, dialect.Name() == "mysql"))
}

// RunCode runs Go code, mostly to change data. The context carries the
// migration's transaction. The code must speak SQL to the database it is
// given and not use the models, which will have moved on when it runs on a
// new database: [Rows] are those of the models as they are at this point.
//
// Put it into a migration of its own: on SQLite, foreign keys are off while a
// migration that builds a table anew runs, so that ON DELETE does nothing in
// its code. (References left dangling make such a migration fail.)
type RunCode struct {
	// Name says what the code does, for people: "fill the slugs".
	Name string
	Code func(ctx context.Context, db Database) error
	// Models are the rows that the code uses, made by [RowsOf], so that their
	// structs are compared with the columns before anything runs.
	Models []Historical
	// ReverseCode undoes it; [NoCode] if there is nothing to undo.
	// Default: it cannot be undone.
	ReverseCode func(ctx context.Context, db Database) error
	// Elidable says that it only mattered to rows that were there at the time,
	// so that [Graph.Squash] leaves it out.
	Elidable bool
}

// Describe implements [Operation].
func (o RunCode) Describe() string {
	if o.Name == "" {
		return "Run Go code"
	}
	return "Run Go code: " + o.Name
}

// ChangeState implements [Operation]. It changes nothing.
func (o RunCode) ChangeState(app string, s *State) error {
	if o.Code == nil {
		return fmt.Errorf("RunCode %q has no Code", o.Name)
	}
	for _, m := range o.Models {
		if err := m.check(app, s); err != nil {
			return err
		}
	}
	return nil
}

// Forward implements [Operation].
func (o RunCode) Forward(c Change) ([]Action, error) { return codeAt(c, o.Code), nil }

// Reverse implements [Operation].
func (o RunCode) Reverse(c Change) ([]Action, error) {
	if o.ReverseCode == nil {
		return nil, ErrIrreversible
	}
	return codeAt(c, o.ReverseCode), nil
}

// codeAt lets code know the tables as they are when it runs.
func codeAt(c Change, code func(ctx context.Context, db Database) error) []Action {
	at := point{app: c.App, state: c.From}
	return []Action{{Code: func(ctx context.Context, db Database) error {
		return code(context.WithValue(ctx, pointKey{}, at), db)
	}}}
}

// SeparateStateAndDatabase changes the state by some operations and the
// database by others, for changes that no operation can make, or that were
// made by hand.
type SeparateStateAndDatabase struct {
	State    []Operation
	Database []Operation
}

// Describe implements [Operation].
func (o SeparateStateAndDatabase) Describe() string {
	var parts []string
	for _, operation := range o.State {
		parts = append(parts, "state: "+operation.Describe())
	}
	for _, operation := range o.Database {
		parts = append(parts, "database: "+operation.Describe())
	}
	return "Separately " + strings.Join(parts, "; ")
}

// ChangeState implements [Operation].
func (o SeparateStateAndDatabase) ChangeState(app string, s *State) error {
	for _, operation := range o.State {
		if err := operation.ChangeState(app, s); err != nil {
			return err
		}
	}
	return nil
}

// Forward implements [Operation].
func (o SeparateStateAndDatabase) Forward(c Change) ([]Action, error) {
	steps, err := operationSteps(o.Database, c.App, c.Dialect, c.From, false)
	return joinActions(steps), err
}

// Reverse implements [Operation].
func (o SeparateStateAndDatabase) Reverse(c Change) ([]Action, error) {
	steps, err := operationSteps(o.Database, c.App, c.Dialect, c.To, true)
	return joinActions(steps), err
}

func joinActions(steps []operationStep) []Action {
	var actions []Action
	for _, s := range steps {
		actions = append(actions, s.actions...)
	}
	return actions
}

// elidable reports that an operation only mattered to rows of its time.
func (o RunSQL) elidable() bool { return o.Elidable }

func (o RunCode) elidable() bool { return o.Elidable }
