// Package postgres writes the DDL of PostgreSQL, version 13 and later, for package
// migrate.
//
// # Types
//
// Integers are smallint, integer and bigint, a key that the database makes is an
// identity column; durations are bigint (nanoseconds), floats double precision,
// decimals numeric, bytes bytea, UUIDs uuid and JSON jsonb. Instants are timestamptz,
// which holds no zone, only an instant. A string of a given size is varchar(n).
// Arrays are arrays.
//
// # Constraints
//
// The server names keys and foreign keys, so that no name is in the way when tables
// are renamed; statements that drop one look its name up. Foreign keys are deferrable
// and immediate: the statement that breaks one fails, but a transaction may ask for
// the check to wait until its end.
//
// NULL is sorted below all values, as on the other databases; indexes over columns
// that may be NULL are made in that order.
package postgres

import (
	"errors"
	"fmt"
	"strings"

	"github.com/retort-web/retort/orm/schema"
)

// Dialect is the DDL dialect of PostgreSQL. Its zero value is ready to use.
type Dialect struct{}

var _ schema.Dialect = Dialect{}

// Name returns "postgres".
func (Dialect) Name() string { return "postgres" }

// TransactionalDDL returns true.
func (Dialect) TransactionalDDL() bool { return true }

// Placeholder returns "$1", "$2" and so on.
func (Dialect) Placeholder(n int) string { return fmt.Sprintf("$%d", n) }

// TableNames returns a query for the names of the tables in the schemas of the search
// path.
func (Dialect) TableNames() string {
	return "SELECT tablename::text FROM pg_tables WHERE schemaname = ANY(current_schemas(false)) ORDER BY tablename"
}

// Attached returns nothing: tables are changed in place.
func (Dialect) Attached(string) string { return "" }

// Frame returns nothing: tables are changed in place.
func (Dialect) Frame([]string) schema.Frame { return schema.Frame{} }

// The SQLSTATEs of a lock that was not given in time, and of two transactions that waited
// for each other.
const (
	lockNotAvailable = "55P03"
	deadlockDetected = "40P01"
)

// stateError is an error of a server that tells its SQLSTATE.
type stateError interface {
	error
	SQLState() string
}

// Busy reports that a lock was not given in time, or a deadlock.
func (Dialect) Busy(err error) bool {
	e, ok := errors.AsType[stateError](err)
	return ok && (e.SQLState() == lockNotAvailable || e.SQLState() == deadlockDetected)
}

// CreateTable returns the statements that create a table, its indexes and comments, and
// the schema that its name begins with, if that is not there.
func (d Dialect) CreateTable(t *schema.Table) []string {
	statements := append(createSchema(t), createTable(t))
	for i := range t.Indexes {
		statements = append(statements, d.CreateIndex(t, &t.Indexes[i])...)
	}
	if t.Comment != "" {
		statements = append(statements, d.CommentTable(t)...)
	}
	for i := range t.Columns {
		if t.Columns[i].Comment != "" {
			statements = append(statements, commentColumn(t, &t.Columns[i]))
		}
	}
	return statements
}

func createTable(t *schema.Table) string {
	var parts []string
	key := t.PrimaryKey()
	for i := range t.Columns {
		parts = append(parts, columnDefinition(&t.Columns[i], len(key) == 1))
	}
	if len(key) > 1 {
		parts = append(parts, "PRIMARY KEY ("+names(key)+")")
	}
	for i := range t.ForeignKeys {
		parts = append(parts, foreignKey(&t.ForeignKeys[i]))
	}
	for i := range t.Checks {
		parts = append(parts, "CONSTRAINT "+quoteName(t.Checks[i].Name)+" CHECK ("+t.Checks[i].SQL+")")
	}
	return "CREATE TABLE " + quoteName(t.Name) + " (\n\t" + strings.Join(parts, ",\n\t") + "\n)"
}

func foreignKey(k *schema.ForeignKey) string {
	sql := "FOREIGN KEY (" + quoteNames(k.Columns) + ") REFERENCES " + quoteName(k.Table) + " (" + quoteNames(k.References) + ")"
	if k.OnDelete != "" && k.OnDelete != schema.NoAction {
		sql += " ON DELETE " + string(k.OnDelete)
	}
	return sql + " DEFERRABLE INITIALLY IMMEDIATE"
}

func quoteNames(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = quoteName(name)
	}
	return strings.Join(quoted, ", ")
}

func names(columns []schema.Column) string {
	list := make([]string, len(columns))
	for i := range columns {
		list[i] = quoteName(columns[i].Name)
	}
	return strings.Join(list, ", ")
}

// DropTable returns the statement that drops a table.
func (Dialect) DropTable(t *schema.Table) []string {
	return []string{"DROP TABLE " + quoteName(t.Name)}
}

// CommentTable returns the statement that sets the comment of a table.
func (Dialect) CommentTable(t *schema.Table) []string {
	return []string{"COMMENT ON TABLE " + quoteName(t.Name) + " IS " + comment(t.Comment)}
}

func commentColumn(t *schema.Table, c *schema.Column) string {
	return "COMMENT ON COLUMN " + quoteName(t.Name) + "." + quoteName(c.Name) + " IS " + comment(c.Comment)
}

func comment(text string) string {
	if text == "" {
		return "NULL"
	}
	return quoteText(text)
}

// CreateIndex returns the statement that creates an index.
func (Dialect) CreateIndex(t *schema.Table, i *schema.Index) []string {
	if isConstraint(i) {
		return []string{addConstraint(t, i)}
	}
	return []string{createIndex(t, i, "")}
}

// createIndex writes CREATE INDEX with an option: "CONCURRENTLY " or nothing.
func createIndex(t *schema.Table, i *schema.Index, option string) string {
	var b strings.Builder
	b.WriteString("CREATE ")
	if i.Unique {
		b.WriteString("UNIQUE ")
	}
	fmt.Fprintf(&b, "INDEX %s%s ON %s ", option, quoteName(i.Name), quoteName(t.Name))
	if i.Method != "" {
		b.WriteString("USING " + quoteName(strings.ToLower(i.Method)) + " ")
	}
	b.WriteByte('(')
	for n := range i.Columns {
		if n > 0 {
			b.WriteString(", ")
		}
		b.WriteString(indexColumn(t, i, &i.Columns[n]))
	}
	b.WriteByte(')')
	if len(i.Include) > 0 {
		quoted := make([]string, len(i.Include))
		for n, name := range i.Include {
			quoted[n] = quoteName(name)
		}
		b.WriteString(" INCLUDE (" + strings.Join(quoted, ", ") + ")")
	}
	if i.NullsNotDistinct {
		b.WriteString(" NULLS NOT DISTINCT")
	}
	if i.Where != "" {
		b.WriteString(" WHERE " + i.Where)
	}
	return b.String()
}

func indexColumn(t *schema.Table, i *schema.Index, column *schema.IndexColumn) string {
	s := "(" + column.Expr + ")"
	nullable := true
	if column.Expr == "" {
		s = quoteName(column.Name)
		c := t.Column(column.Name)
		nullable = c != nil && c.Null && !c.PrimaryKey
	}
	if column.OpClass != "" {
		s += " " + quoteName(column.OpClass)
	}
	ordered := i.Method == "" || strings.EqualFold(i.Method, "btree")
	switch {
	case !ordered:
	case column.Desc && nullable:
		s += " DESC NULLS LAST"
	case column.Desc:
		s += " DESC"
	case nullable && column.Expr == "":
		s += " NULLS FIRST"
	}
	return s
}

// DropIndex returns the statement that drops an index. It is in the schema of its
// table.
func (Dialect) DropIndex(t *schema.Table, i *schema.Index) []string {
	if isConstraint(i) {
		return []string{"ALTER TABLE " + quoteName(t.Name) + " DROP CONSTRAINT " + quoteName(i.Name)}
	}
	return []string{"DROP INDEX " + indexName(t, i)}
}

// indexName is that of an index, with the schema of its table.
func indexName(t *schema.Table, i *schema.Index) string {
	name := quoteName(i.Name)
	if dot := strings.LastIndexByte(t.Name, '.'); dot >= 0 {
		name = quoteName(t.Name[:dot]) + "." + name
	}
	return name
}

// RenameIndex implements schema.IndexRenamer. A constraint that the index
// belongs to is renamed with it.
func (Dialect) RenameIndex(t *schema.Table, from, to *schema.Index) []string {
	name := quoteName(from.Name)
	if dot := strings.LastIndexByte(t.Name, '.'); dot >= 0 {
		name = quoteName(t.Name[:dot]) + "." + name
	}
	return []string{"ALTER INDEX " + name + " RENAME TO " + quoteName(to.Name)}
}

// AddCheck returns the statement that adds a check, which existing rows must meet.
func (Dialect) AddCheck(_, after *schema.Table, c *schema.Check) []string {
	return []string{alter(after, addCheck(c))}
}

func addCheck(c *schema.Check) string {
	return "ADD CONSTRAINT " + quoteName(c.Name) + " CHECK (" + c.SQL + ")"
}

// DropCheck returns the statement that drops a check.
func (Dialect) DropCheck(_, after *schema.Table, c *schema.Check) []string {
	return []string{"ALTER TABLE " + quoteName(after.Name) + " DROP CONSTRAINT " + quoteName(c.Name)}
}

// quoteName quotes a name. That of a table may have its schema before it.
func quoteName(name string) string {
	quoted := strings.ReplaceAll(name, `"`, `""`)
	return `"` + strings.ReplaceAll(quoted, ".", `"."`) + `"`
}

func quoteText(text string) string {
	quoted := "'" + strings.ReplaceAll(text, "'", "''") + "'"
	if strings.Contains(text, `\`) {
		// This form does not depend on standard_conforming_strings.
		return "E" + strings.ReplaceAll(quoted, `\`, `\\`)
	}
	return quoted
}
