package migrate

import (
	"context"
	"errors"

	"github.com/retort-web/retort/orm/schema"
)

// ErrIrreversible is the error of an operation that has no reverse.
var ErrIrreversible = errors.New("migrate: cannot be undone")

// Operation is one change that a migration makes.
type Operation interface {
	// Describe says what it does, for people: "Create model Post".
	Describe() string
	// ChangeState does it to a state of the tables, on behalf of an app. The
	// error says what about the state makes it impossible.
	ChangeState(app string, s *State) error
	// Forward returns what does it to the database, and Reverse what undoes it.
	// Neither runs anything. An operation without a reverse returns
	// [ErrIrreversible].
	Forward(c Change) ([]Action, error)
	Reverse(c Change) ([]Action, error)
}

// Change is the situation in which an operation is done or undone: From is the
// state that the database is in, To the one it is to reach. When an operation
// is undone, From is therefore the state with its effect.
type Change struct {
	App      string
	Dialect  schema.Dialect
	From, To *State
}

// Action is one thing to run: a statement or Go code, and not both.
type Action struct {
	SQL string
	// Args are the values of the statement's parameters.
	Args []any
	Code func(ctx context.Context, db Database) error
	// Shown is what a script for people says in place of Code: the statement to
	// which it comes. Default: that it is Go code.
	Shown string
}

// statements makes an action of each statement.
func statements(sql []string) []Action {
	actions := make([]Action, len(sql))
	for i := range sql {
		actions[i].SQL = sql[i]
	}
	return actions
}
