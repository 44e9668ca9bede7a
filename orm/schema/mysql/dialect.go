// Package mysql writes the DDL of MySQL, 8.0.19 and later, and of MariaDB, 10.6 and
// later, for package migrate. Its statements are for sessions with ANSI_QUOTES, which
// package orm/mysql opens: the conditions of checks have names in double quotes.
//
// # Types
//
// Booleans are TINYINT(1), durations BIGINT, floats DOUBLE, instants DATETIME(6) in UTC,
// text LONGTEXT, bytes LONGBLOB, UUIDs CHAR(36), arrays JSON. Text without a size that is
// a key, unique, or refers to a key is VARCHAR(255), since MySQL takes no key over all of
// a LONGTEXT; an index that is not unique covers its first 255 characters. A decimal
// without a size is DECIMAL(65,30).
//
// # Changes
//
// MySQL commits before and after each statement that changes a table: a migration that
// fails in the middle leaves behind what came before. Columns are changed by MODIFY
// COLUMN with all they are, foreign keys and unique keys apart.
//
// Neither has partial indexes. A unique index with a condition is made over a generated,
// invisible column that is NULL where the condition does not hold, which comes to the
// same; the condition of another index, which is only about speed, is left out. So are
// expressions on MariaDB, which has no indexes over them, unless the index is unique.
//
// InnoDB has no ON DELETE SET DEFAULT; the reference then keeps its row from being
// deleted.
package mysql

import (
	"fmt"
	"hash/crc32"
	"slices"
	"strconv"
	"strings"

	"github.com/retort-web/retort/orm/schema"
)

// Dialect is the DDL dialect of MySQL, or of MariaDB.
type Dialect struct {
	MariaDB bool
}

var _ schema.Dialect = Dialect{}

// Name returns "mysql".
func (Dialect) Name() string { return "mysql" }

// TransactionalDDL returns false.
func (Dialect) TransactionalDDL() bool { return false }

// Placeholder returns "?".
func (Dialect) Placeholder(int) string { return "?" }

// TableNames returns a query for the names of the tables of the database.
func (Dialect) TableNames() string {
	return "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' ORDER BY table_name"
}

// Attached returns nothing: no table is built anew.
func (Dialect) Attached(string) string { return "" }

// Busy reports a lock that was waited for in vain, or a deadlock.
func (Dialect) Busy(err error) bool {
	if err == nil {
		return false
	}
	text := err.Error()
	return strings.Contains(text, "Error 1205") || strings.Contains(text, "Error 1213")
}

// sqlMode is what a script needs of its session.
const sqlMode = "SET SESSION sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES'"

// Frame returns what a script needs around its statements.
func (Dialect) Frame([]string) schema.Frame {
	return schema.Frame{Before: []string{sqlMode}}
}

// CreateTable returns the statement that creates a table with its keys, and those for
// indexes that need columns of their own.
func (d Dialect) CreateTable(t *schema.Table) []string {
	var parts, keys []string
	for i := range t.Columns {
		c := &t.Columns[i]
		parts = append(parts, d.columnDefinition(t, c))
		if c.Unique {
			keys = append(keys, "UNIQUE KEY "+quoteName(c.Name)+" ("+quoteName(c.Name)+")")
		}
		if d.needsIndex(t, c) {
			keys = append(keys, referenceIndex(t, c))
		}
		if c.References != nil {
			keys = append(keys, foreignKey(t, c))
		}
	}
	if key := t.PrimaryKey(); len(key) > 0 {
		parts = append(parts, primaryKey(key))
	}
	var later []string
	for i := range t.Indexes {
		if d.emulated(&t.Indexes[i]) {
			later = append(later, alter(t, d.addIndex(t, &t.Indexes[i])...))
		} else if columns := d.indexColumns(t, &t.Indexes[i]); columns != "" {
			parts = append(parts, indexKind(&t.Indexes[i])+"KEY "+quoteName(t.Indexes[i].Name)+" "+columns)
		}
	}
	parts = append(parts, keys...)
	for i := range t.ForeignKeys {
		if k := &t.ForeignKeys[i]; d.needsKeyIndex(t, k) {
			parts = append(parts, keyIndex(t, k))
		}
		parts = append(parts, references(t, &t.ForeignKeys[i]))
	}
	for i := range t.Checks {
		parts = append(parts, checkDefinition(&t.Checks[i]))
	}
	sql := atHome("CREATE TABLE " + quoteName(t.Name) + " (\n\t" + strings.Join(parts, ",\n\t") + "\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=" + d.collation() + tableComment(t))
	return append(append(createSchema(t), sql), later...)
}

func tableComment(t *schema.Table) string {
	if t.Comment == "" {
		return ""
	}
	return " COMMENT=" + quoteText(t.Comment)
}

// collation compares text by code point and does not ignore spaces at the end, as other
// databases do.
func (d Dialect) collation() string {
	if d.MariaDB {
		return "utf8mb4_nopad_bin"
	}
	return "utf8mb4_0900_bin"
}

func primaryKey(key []schema.Column) string {
	names := make([]string, len(key))
	for i := range key {
		names[i] = quoteName(key[i].Name)
	}
	return "PRIMARY KEY (" + strings.Join(names, ", ") + ")"
}

func foreignKey(t *schema.Table, c *schema.Column) string {
	r := c.References
	return references(t, &schema.ForeignKey{Columns: []string{c.Name}, Table: r.Table, References: []string{r.Column}, OnDelete: r.OnDelete})
}

func references(t *schema.Table, k *schema.ForeignKey) string {
	sql := fmt.Sprintf("CONSTRAINT %s FOREIGN KEY (%s) REFERENCES %s (%s)", quoteName(referencesName(t, k)), quoteNames(k.Columns), referenced(t, k.Table), quoteNames(k.References))
	switch k.OnDelete {
	case "", schema.NoAction, schema.SetDefault:
		return sql
	}
	return sql + " ON DELETE " + string(k.OnDelete)
}

func quoteNames(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = quoteName(name)
	}
	return strings.Join(quoted, ", ")
}

// foreignKeyName is unique in the database, as MySQL demands, and made of names that a
// migration knows.
func foreignKeyName(t *schema.Table, c *schema.Column) string {
	return shorten(objectPrefix(t) + "_" + c.Name + "_fk")
}

func referencesName(t *schema.Table, k *schema.ForeignKey) string {
	return shorten(objectPrefix(t) + "_" + strings.Join(k.Columns, "_") + "_fk")
}

// shorten cuts a name to the 64 characters that MySQL takes, with a hash in place of the
// lost end.
func shorten(name string) string {
	const limit = 64
	if len(name) <= limit {
		return name
	}
	sum := strconv.FormatUint(uint64(crc32.ChecksumIEEE([]byte(name))), 36)
	return name[:limit-len(sum)-1] + "_" + sum
}

func checkDefinition(c *schema.Check) string {
	return "CONSTRAINT " + quoteName(c.Name) + " CHECK (" + c.SQL + ")"
}

// columnDefinition writes all of a column but its keys and its reference.
func (d Dialect) columnDefinition(t *schema.Table, c *schema.Column) string {
	var b strings.Builder
	b.WriteString(quoteName(c.Name) + " " + columnType(t, c))
	if c.Collation != "" {
		b.WriteString(" COLLATE " + quoteName(c.Collation))
	}
	switch {
	case c.Generated != "" && c.Stored:
		b.WriteString(" GENERATED ALWAYS AS (" + c.Generated + ") STORED")
	case c.Generated != "":
		b.WriteString(" GENERATED ALWAYS AS (" + c.Generated + ") VIRTUAL")
	case !c.Null || c.PrimaryKey:
		b.WriteString(" NOT NULL")
	default:
		b.WriteString(" NULL")
	}
	switch {
	case c.DefaultNow:
		b.WriteString(" DEFAULT (" + now(c.Type) + ")")
	case c.Default != nil:
		b.WriteString(" DEFAULT " + defaultValue(t, c, *c.Default))
	}
	if c.AutoIncrement {
		b.WriteString(" AUTO_INCREMENT")
	}
	if c.Comment != "" {
		b.WriteString(" COMMENT " + quoteText(c.Comment))
	}
	return b.String()
}

func now(t schema.Type) string {
	switch t {
	case schema.Date:
		return "UTC_DATE()"
	case schema.Time:
		return "UTC_TIME(6)"
	}
	return "UTC_TIMESTAMP(6)"
}

// defaultValue puts parentheses around a default of the types that only take an
// expression.
func defaultValue(t *schema.Table, c *schema.Column, sql string) string {
	if strings.EqualFold(sql, "NULL") {
		return sql
	}
	switch typ := columnType(t, c); {
	case strings.HasPrefix(typ, "LONG"), typ == "JSON", !isLiteral(sql):
		return "(" + sql + ")"
	}
	return sql
}

// isLiteral reports whether sql is one number, text or keyword value.
func isLiteral(sql string) bool {
	switch strings.ToUpper(sql) {
	case "TRUE", "FALSE":
		return true
	case "":
		return false
	}
	if len(sql) >= 2 && sql[0] == '\'' && sql[len(sql)-1] == '\'' {
		return !strings.Contains(strings.ReplaceAll(sql[1:len(sql)-1], "''", ""), "'")
	}
	return strings.Trim(sql, "+-.0123456789") == ""
}

// keyedSize is the size of text without one that is a key: three such columns fit into
// the 3072 bytes of an InnoDB key.
const keyedSize = 255

// longestVarchar is how many characters of four bytes fit into a row.
const longestVarchar = 16383

func columnType(t *schema.Table, c *schema.Column) string {
	if native := c.Native["mysql"]; native != "" {
		return native
	}
	switch c.Type {
	case schema.Bool:
		return "TINYINT(1)"
	case schema.Int16:
		return "SMALLINT"
	case schema.Int32:
		return "INT"
	case schema.Int64, schema.Duration:
		return "BIGINT"
	case schema.Float64:
		return "DOUBLE"
	case schema.Decimal:
		if c.Size > 0 {
			return fmt.Sprintf("DECIMAL(%d,%d)", c.Size, c.Scale)
		}
		return "DECIMAL(65,30)"
	case schema.Bytes:
		if isKeyed(t, c) {
			return "VARBINARY(" + strconv.Itoa(keyedSize) + ")"
		}
		return "LONGBLOB"
	case schema.Date:
		return "DATE"
	case schema.Time:
		return "TIME(6)"
	case schema.DateTime:
		return "DATETIME(6)"
	case schema.UUID:
		return "CHAR(36)"
	case schema.JSON, schema.Array:
		return "JSON"
	case schema.String:
		if c.Size > 0 && c.Size <= longestVarchar {
			return fmt.Sprintf("VARCHAR(%d)", c.Size)
		}
	}
	if isKeyed(t, c) {
		return fmt.Sprintf("VARCHAR(%d)", keyedSize)
	}
	return "LONGTEXT"
}

// isKeyed reports a column that a key must hold as a whole.
func isKeyed(t *schema.Table, c *schema.Column) bool {
	if c.PrimaryKey || c.Unique || c.References != nil {
		return true
	}
	for _, k := range t.ForeignKeys {
		if slices.Contains(k.Columns, c.Name) {
			return true
		}
	}
	for _, i := range t.Indexes {
		if !i.Unique {
			continue
		}
		for _, column := range i.Columns {
			if column.Name == c.Name {
				return true
			}
		}
	}
	return false
}

// quoteName quotes a name. That of a table may have its database before it.
func quoteName(name string) string {
	quoted := strings.ReplaceAll(name, "`", "``")
	return "`" + strings.ReplaceAll(quoted, ".", "`.`") + "`"
}

func quoteText(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
