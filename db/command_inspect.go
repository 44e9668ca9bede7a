package db

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"go/token"
	"slices"
	"strings"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/db/internal/source"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/orm/schema"
)

func (e *Extension) inspectCommand() retort.Command {
	var options source.Options
	var database string
	var inSchema string
	var views bool
	return retort.Command{
		Name: "inspectdb", Args: "[TABLE …]", Group: group, WithoutApp: true,
		Short: "Write models of the tables that a database has",
		Long: "Prints a Go file with a model for each table of the database, or for those named.\n" +
			"What a model cannot say of its table is said in a comment. Read the file before you use it, give\n" +
			"types and fields the names you like, and record the first migration with migrate --fake.",
		Examples: "app inspectdb > shop/models.go --package shop\napp inspectdb product order_line --package shop\napp inspectdb --views --database reports\napp inspectdb --schema sales",
		Flags: func(fs *flag.FlagSet) {
			options = source.Options{}
			fs.StringVar(&options.Package, "package", "models", "`name` of the Go package; without it tables such as shop_product lose no prefix")
			fs.StringVar(&database, "database", orm.DefaultDatabase, "`name` of the database, of those in db.Options.Databases")
			fs.StringVar(&inSchema, "schema", "", "`name` of the schema, or on MySQL the database, that has the tables; that of the connection without it")
			fs.BoolVar(&views, "views", false, "views as well, as models that migrations leave alone")
		},
		Run: func(ctx context.Context, in *retort.Invocation) error {
			if !token.IsIdentifier(options.Package) {
				return retort.UsageError("--package %s: not the name of a Go package", options.Package)
			}
			if database != orm.DefaultDatabase {
				ctx = orm.Using(ctx, database)
			}
			conn, err := orm.DBFrom(ctx)
			if err != nil {
				return err
			}
			tables, err := inspect(ctx, conn, inSchema, in.Args, views)
			if err != nil {
				return err
			}
			if len(tables) == 0 {
				return errors.New("db: the database has no tables but those of migrations")
			}
			options.Dialect = conn.Dialect()
			code, err := source.Write(tables, options)
			if err != nil {
				return err
			}
			_, err = in.Out.Write(code)
			return err
		},
	}
}

// inspect reads the tables of these names in a schema, or all but those that belong to
// migrations.
func inspect(ctx context.Context, conn *orm.DB, inSchema string, names []string, views bool) ([]*schema.Live, error) {
	inspector, ok := conn.Schema().(schema.Inspector)
	if !ok {
		return nil, fmt.Errorf("db: the tables of a %s database cannot be read", conn.Dialect())
	}
	var all []string
	if inSchema != "" {
		all = []string{inSchema + ".*"}
		for i, name := range names {
			names[i] = inSchema + "." + name
		}
	}
	found, err := inspector.Inspect(ctx, conn.Values, all...)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if !slices.ContainsFunc(found, func(l *schema.Live) bool { return l.Name == name }) {
			return nil, retort.UsageError("there is no table %q; there are: %s", name, tableNames(found))
		}
	}
	return slices.DeleteFunc(found, func(l *schema.Live) bool {
		if len(names) > 0 {
			return !slices.Contains(names, l.Name)
		}
		return l.View && !views || strings.HasPrefix(l.Name, migrationTables)
	}), nil
}

// migrationTables is how the names of the tables begin in which migrations keep their
// history.
const migrationTables = "retort_migration"

func tableNames(tables []*schema.Live) string {
	names := make([]string, len(tables))
	for i, l := range tables {
		names[i] = l.Name
	}
	return strings.Join(names, ", ")
}
