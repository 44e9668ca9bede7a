package schema

import (
	"context"
	"slices"
	"strings"
)

// Inspector is a [Dialect] that reads the tables of a live database. Not stable,
// as Dialect.
type Inspector interface {
	// Inspect reads the tables and views of these names, or all if there are
	// none, in the order of their names, without those of the database itself.
	// A name with a point is that of a table in another schema than that of the
	// connection, and has the schema before it; "sales.*" are all of the schema.
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

// NamePart is the names of tables of one schema.
type NamePart struct {
	Schema string   // empty for that of the connection
	Names  []string // without the schema; nil for all
}

// Whole is the name of a table with its schema.
func (p NamePart) Whole(table string) string {
	if p.Schema == "" {
		return table
	}
	return p.Schema + "." + table
}

// PartNames parts the names that an [Inspector] is given by their schemas, in the order in
// which these come first.
func PartNames(names []string) []NamePart {
	if len(names) == 0 {
		return []NamePart{{}}
	}
	var parts []NamePart
	for _, name := range names {
		in, table, found := strings.Cut(name, ".")
		if !found {
			in, table = "", name
		}
		i := slices.IndexFunc(parts, func(p NamePart) bool { return p.Schema == in })
		if i < 0 {
			i = len(parts)
			parts = append(parts, NamePart{Schema: in, Names: []string{}})
		}
		switch {
		case table == "*":
			parts[i].Names = nil
		case parts[i].Names != nil:
			parts[i].Names = append(parts[i].Names, table)
		}
	}
	return parts
}
