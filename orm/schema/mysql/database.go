package mysql

import (
	"strings"

	"github.com/retort-web/retort/orm/schema"
)

// A table can be in another database than that of the connection; its name then begins with
// that of its database and a point.

// databaseOf is the database that the name of a table says, or nothing.
func databaseOf(table string) string {
	database, _, found := strings.Cut(table, ".")
	if !found {
		return ""
	}
	return database
}

// createSchema returns the statement that makes the database of a table.
func createSchema(t *schema.Table) []string {
	if database := databaseOf(t.Name); database != "" {
		return []string{"CREATE DATABASE IF NOT EXISTS " + quoteName(database)}
	}
	return nil
}

// objectPrefix begins the names of the constraints of a table, which are in no other
// database than the table is.
func objectPrefix(t *schema.Table) string { return strings.ReplaceAll(t.Name, ".", "_") }

// connected stands in a statement for the quoted name of the database of the connection.
const connected = "\x00"

// referenced is the table that a foreign key of t leads to. Without the name of a database
// the server would look for it beside t.
func referenced(t *schema.Table, table string) string {
	if databaseOf(t.Name) != "" && databaseOf(table) == "" {
		return connected + "." + quoteName(table)
	}
	return quoteName(table)
}

// atHome lets the server put the name of the connection's database into a statement, which
// MariaDB alone can do in a single one.
func atHome(sql string) string {
	parts := strings.Split(sql, connected)
	if len(parts) == 1 {
		return sql
	}
	for i := range parts {
		parts[i] = quoteText(parts[i])
	}
	return "EXECUTE IMMEDIATE CONCAT(" + strings.Join(parts, ", CONCAT('`', REPLACE(DATABASE(), '`', '``'), '`'), ") + ")"
}
