// Package sqlite writes the DDL of SQLite, version 3.37 and later, for package
// migrate.
//
// # Types
//
// Whole numbers, booleans (0 and 1) and durations (nanoseconds) are INTEGER,
// floats REAL, bytes BLOB. A string of a given size is varchar(n): SQLite keeps
// the number but does not enforce it, as in Django. Dates, times and instants
// are TEXT and not DATETIME, because drivers parse values by the declared type
// and do not agree how; UUID and JSON are TEXT, JSON with a check that it is
// valid. A decimal of up to 15 digits is decimal(p,s), which SQLite compares
// and sums as a number; a longer one is TEXT, because SQLite would round it.
//
// Tables are not STRICT, which would refuse varchar and decimal. Foreign keys
// are immediate, so that the statement that breaks one fails, and not the
// commit long after it.
//
// # Changes
//
// ALTER TABLE can rename a table or a column, and add or drop a plain one. For
// all else the table is built anew by the procedure of
// https://sqlite.org/lang_altertable.html#otheralter. It must run with foreign
// keys off, which only takes effect before the transaction begins: see
// [Dialect.Frame].
package sqlite

import (
	"fmt"
	"strings"

	"github.com/retort-web/retort/orm/schema"
)

// Dialect is the DDL dialect of SQLite. Its zero value is ready to use.
type Dialect struct{}

var _ schema.Dialect = Dialect{}

// Name returns "sqlite".
func (Dialect) Name() string { return "sqlite" }

// TransactionalDDL returns true.
func (Dialect) TransactionalDDL() bool { return true }

// Placeholder returns "?".
func (Dialect) Placeholder(int) string { return "?" }

// TableNames returns a query for the names of the tables, without SQLite's own.
func (Dialect) TableNames() string {
	return `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY name`
}

// Attached returns a query for the indexes and triggers of a table: dropping
// the old table takes them away, also those that no migration knows.
func (Dialect) Attached(table string) string {
	return "SELECT name, sql FROM sqlite_schema WHERE type IN ('index', 'trigger') AND sql IS NOT NULL AND tbl_name = " +
		quoteText(table) + " COLLATE NOCASE ORDER BY name"
}

// Busy reports that another connection holds the write lock.
func (Dialect) Busy(err error) bool {
	if err == nil {
		return false
	}
	text := err.Error()
	return strings.Contains(text, "SQLITE_BUSY") || strings.Contains(text, "database is locked")
}

// CreateTable returns the statements that create a table and its indexes.
func (d Dialect) CreateTable(t *schema.Table) []string {
	statements := []string{createTable(t, t.Name)}
	for i := range t.Indexes {
		statements = append(statements, d.CreateIndex(t, &t.Indexes[i])...)
	}
	return statements
}

// DropTable returns the statement that drops a table. Run it only inside the
// transaction that [Dialect.Frame] describes: with foreign keys on, SQLite
// deletes the rows first, and what cascades from them.
func (Dialect) DropTable(t *schema.Table) []string {
	return []string{"DROP TABLE " + quoteName(t.Name)}
}

// CommentTable returns nothing: SQLite keeps no comments.
func (Dialect) CommentTable(*schema.Table) []string { return nil }

// CreateIndex returns the statement that creates an index.
func (Dialect) CreateIndex(t *schema.Table, i *schema.Index) []string {
	if i.Excludes() {
		return nil
	}
	var b strings.Builder
	b.WriteString("CREATE ")
	if i.Unique {
		b.WriteString("UNIQUE ")
	}
	fmt.Fprintf(&b, "INDEX %s ON %s (", quoteName(i.Name), quoteName(t.Name))
	for n, column := range i.Columns {
		if n > 0 {
			b.WriteString(", ")
		}
		if column.Expr != "" {
			b.WriteString("(" + column.Expr + ")")
		} else {
			b.WriteString(quoteName(column.Name))
		}
		if column.Desc {
			b.WriteString(" DESC")
		}
	}
	b.WriteByte(')')
	if i.Where != "" {
		b.WriteString(" WHERE " + i.Where)
	}
	return []string{b.String()}
}

// DropIndex returns the statement that drops an index.
func (Dialect) DropIndex(_ *schema.Table, i *schema.Index) []string {
	if i.Excludes() {
		return nil
	}
	return []string{"DROP INDEX " + quoteName(i.Name)}
}

// createTable writes the table under another name than its own when it is
// being built anew. References to itself keep the real name, which the new
// table will take.
func createTable(t *schema.Table, name string) string {
	var parts []string
	key := t.PrimaryKey()
	for i := range t.Columns {
		parts = append(parts, columnDefinition(&t.Columns[i], len(key) == 1))
	}
	if len(key) > 1 {
		names := make([]string, len(key))
		for i := range key {
			names[i] = quoteName(key[i].Name)
		}
		parts = append(parts, "PRIMARY KEY ("+strings.Join(names, ", ")+")")
	}
	for i := range t.ForeignKeys {
		parts = append(parts, foreignKey(&t.ForeignKeys[i]))
	}
	for i := range t.Checks {
		parts = append(parts, "CONSTRAINT "+quoteName(t.Checks[i].Name)+" CHECK ("+t.Checks[i].SQL+")")
	}
	return "CREATE TABLE " + quoteName(name) + " (\n\t" + strings.Join(parts, ",\n\t") + "\n)"
}

func foreignKey(k *schema.ForeignKey) string {
	sql := "FOREIGN KEY (" + quoteNames(k.Columns) + ") REFERENCES " + quoteName(k.Table) + " (" + quoteNames(k.References) + ")"
	if k.OnDelete != "" && k.OnDelete != schema.NoAction {
		sql += " ON DELETE " + string(k.OnDelete)
	}
	return sql
}

func quoteNames(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = quoteName(name)
	}
	return strings.Join(quoted, ", ")
}

// columnDefinition writes one column; inlineKey says that it may carry the
// primary key itself.
func columnDefinition(c *schema.Column, inlineKey bool) string {
	var b strings.Builder
	b.WriteString(quoteName(c.Name) + " " + columnType(c))
	if c.Collation != "" {
		b.WriteString(" COLLATE " + quoteName(c.Collation))
	}
	if !c.Null || c.PrimaryKey {
		b.WriteString(" NOT NULL")
	}
	if c.PrimaryKey && inlineKey {
		b.WriteString(" PRIMARY KEY")
		if c.AutoIncrement {
			b.WriteString(" AUTOINCREMENT")
		}
	} else if c.Unique {
		b.WriteString(" UNIQUE")
	}
	switch {
	case c.Default != nil:
		b.WriteString(" DEFAULT " + defaultValue(*c.Default))
	case c.DefaultNow:
		b.WriteString(" DEFAULT " + now(c.Type))
	case c.Generated != "":
		b.WriteString(" GENERATED ALWAYS AS (" + c.Generated + ")")
		if c.Stored {
			b.WriteString(" STORED")
		} else {
			b.WriteString(" VIRTUAL")
		}
	}
	if c.Type == schema.JSON || c.Type == schema.Array {
		b.WriteString(" CHECK (json_valid(" + quoteName(c.Name) + "))")
	}
	if r := c.References; r != nil {
		fmt.Fprintf(&b, " REFERENCES %s (%s)", quoteName(r.Table), quoteName(r.Column))
		if r.OnDelete != "" && r.OnDelete != schema.NoAction {
			b.WriteString(" ON DELETE " + string(r.OnDelete))
		}
	}
	return b.String()
}

// exactDigits is how many decimal digits survive SQLite's conversion to a
// 64-bit float: https://sqlite.org/datatype3.html#type_affinity.
const exactDigits = 15

// now is the moment in the fixed width in which package orm stores it.
func now(t schema.Type) string {
	switch t {
	case schema.Date:
		return "(date('now'))"
	case schema.Time:
		return "(strftime('%H:%M:%f000', 'now'))"
	}
	return "(strftime('%Y-%m-%d %H:%M:%f000', 'now'))"
}

func columnType(c *schema.Column) string {
	if native := c.Native["sqlite"]; native != "" {
		return native
	}
	switch c.Type {
	case schema.Bool, schema.Int16, schema.Int32, schema.Int64, schema.Duration:
		return "INTEGER"
	case schema.Float64:
		return "REAL"
	case schema.Bytes:
		return "BLOB"
	case schema.Decimal:
		if c.Size > 0 && c.Size <= exactDigits {
			return fmt.Sprintf("decimal(%d,%d)", c.Size, c.Scale)
		}
	case schema.String:
		if c.Size > 0 {
			return fmt.Sprintf("varchar(%d)", c.Size)
		}
	}
	return "TEXT"
}

func quoteName(name string) string {
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

func quoteText(text string) string {
	return "'" + strings.ReplaceAll(text, "'", "''") + "'"
}

// defaultValue puts parentheses around what is not a plain literal, as SQLite
// demands of an expression.
func defaultValue(sql string) string {
	if isLiteral(sql) {
		return sql
	}
	return "(" + sql + ")"
}

// isLiteral reports whether sql is one number, string, blob or keyword value.
func isLiteral(sql string) bool {
	switch strings.ToUpper(sql) {
	case "NULL", "TRUE", "FALSE":
		return true
	case "":
		return false
	}
	text := strings.TrimPrefix(strings.TrimPrefix(sql, "x"), "X")
	if len(text) >= 2 && text[0] == '\'' && text[len(text)-1] == '\'' {
		inside := strings.ReplaceAll(text[1:len(text)-1], "''", "")
		return !strings.ContainsAny(inside, "'\x00")
	}
	number := strings.TrimLeft(sql, "+-")
	digits := false
	for _, r := range number {
		switch {
		case r >= '0' && r <= '9':
			digits = true
		case r == '.':
		default:
			return false
		}
	}
	return digits && len(sql)-len(number) <= 1 && strings.Count(number, ".") <= 1
}
