package schema

import "context"

// Inspector is a [Dialect] that reads the tables of a live database. Not stable,
// as Dialect.
type Inspector interface {
	// Inspect reads the tables and views of these names, or all if there are
	// none, in the order of their names, without those of the database itself.
	// A type of the database that no logical type stands for is in
	// Column.Native, beside the type that comes nearest. Models and fields are
	// not named, and the conditions of checks and indexes are in the words of
	// the database.
	Inspect(ctx context.Context, query Query, names ...string) ([]*Live, error)
}

// Query runs a statement and returns its rows as plain values, as the method
// Values of orm.DB does.
type Query func(ctx context.Context, sql string, args ...any) ([][]any, error)

// Live is a table, or view, as a database has it.
type Live struct {
	Table
	// View tells that it is a view.
	View bool
	// Triggers are the names of its triggers, in order.
	Triggers []string
}
