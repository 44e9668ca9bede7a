package migrate

import (
	"slices"

	"github.com/retort-web/retort/orm/schema"
)

// rewrites tells what a change of a column's type does to a table with rows, or nothing
// if the database sees that all values fit as they are.
func (l *linter) rewrites(before, after *schema.Table, from, to *schema.Column) string {
	switch l.database {
	case kindPostgres:
		if !fitsPostgres(from, to) {
			return "the whole table " + before.Name + " is written anew, and nobody uses it meanwhile"
		}
		indexed := slices.ContainsFunc(after.Indexes, func(i schema.Index) bool { return indexMentions(&i, to.Name) })
		if from.Collation != to.Collation && (indexed || to.Unique) {
			return "the indexes over the column are built anew, and nobody uses " + before.Name + " meanwhile"
		}
	case kindMySQL, kindMariaDB:
		if !l.fitsMySQL(from, to) {
			return "the whole table " + before.Name + " is copied, and nobody writes to it meanwhile"
		}
	}
	return ""
}

func sameType(from, to *schema.Column) bool {
	return from.Type == to.Type && from.Elem == to.Elem && from.Size == to.Size && from.Scale == to.Scale
}

// fitsPostgres reports whether the values stay as they are, and need no check.
func fitsPostgres(from, to *schema.Column) bool {
	if from.Native["postgres"] != to.Native["postgres"] {
		return false
	}
	if to.Native["postgres"] != "" || sameType(from, to) {
		return true
	}
	switch from.Type {
	case schema.Int64, schema.Duration:
		return to.Type == schema.Int64 || to.Type == schema.Duration
	case schema.String, schema.Text:
		unbounded := to.Type == schema.Text || to.Type == schema.String && to.Size == 0
		return unbounded || to.Type == schema.String && from.Type == schema.String && from.Size > 0 && from.Size <= to.Size
	case schema.Decimal:
		return to.Type == schema.Decimal && (to.Size == 0 || from.Size > 0 && from.Size <= to.Size && from.Scale == to.Scale)
	}
	return false
}

// The sizes at which InnoDB stores text otherwise, in bytes. A character of utf8mb4 may
// have four.
const (
	characterBytes = 4
	shortBytes     = 255 // one byte for the length
	freeBytes      = 127 // MariaDB has room for a second one
	longestVarchar = 16383
)

// fitsMySQL reports whether a change needs no copy of the table.
func (l *linter) fitsMySQL(from, to *schema.Column) bool {
	if from.Native["mysql"] != to.Native["mysql"] || from.Collation != to.Collation {
		return false
	}
	if to.Native["mysql"] != "" || sameType(from, to) {
		return true
	}
	varchar := func(c *schema.Column) bool {
		return c.Type == schema.String && c.Size > 0 && c.Size <= longestVarchar
	}
	if varchar(from) && varchar(to) {
		short, long := from.Size*characterBytes, to.Size*characterBytes
		return short <= long && (long <= shortBytes || short > shortBytes || l.on(kindMariaDB) && short <= freeBytes)
	}
	return storedMySQL(from) == storedMySQL(to) && !varchar(from) && !varchar(to) && from.Type != schema.Decimal
}

// storedMySQL names the types that are one to MySQL.
func storedMySQL(c *schema.Column) schema.Type {
	switch c.Type {
	case schema.Duration:
		return schema.Int64
	case schema.Array:
		return schema.JSON
	case schema.String:
		return schema.Text
	}
	return c.Type
}
