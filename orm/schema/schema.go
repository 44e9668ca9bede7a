// Package schema describes database tables as plain data: what a model
// declares, what a migration has reached, and what a dialect turns into DDL.
//
// The three meet here so that none needs to know the others: package orm makes
// a [Table] from each registered model, package migrate compares two sets of
// tables, and a dialect (orm/sqlite, …) writes the SQL that creates or changes
// one.
package schema

import (
	"maps"
	"slices"
)

// Type is a column's logical type. A dialect maps it to its own.
type Type string

// The logical types. Text without a Size is unbounded; String has a Size.
const (
	Bool     Type = "bool"
	Int16    Type = "int16"
	Int32    Type = "int32"
	Int64    Type = "int64"
	Float64  Type = "float64"
	Decimal  Type = "decimal" // Size digits in all, Scale after the point
	String   Type = "string"  // at most Size characters
	Text     Type = "text"
	Bytes    Type = "bytes"
	Date     Type = "date"
	Time     Type = "time"
	DateTime Type = "datetime" // an instant; stored in UTC
	Duration Type = "duration" // nanoseconds
	UUID     Type = "uuid"
	JSON     Type = "json"
	// Array holds values of the type Elem; a database without arrays keeps
	// them as a JSON array.
	Array Type = "array"
)

// Known reports whether t is one of the logical types.
func (t Type) Known() bool {
	switch t {
	case Bool, Int16, Int32, Int64, Float64, Decimal, String, Text, Bytes,
		Date, Time, DateTime, Duration, UUID, JSON, Array:
		return true
	}
	return false
}

// Table is one table: a model's own, or the join table of a many-to-many
// relation.
type Table struct {
	App     string // label of the app that owns it: "blog"
	Model   string // the model's type name: "Post"; of a join table "Post_tags"
	Name    string // in the database: "blog_post"
	Columns []Column
	Indexes []Index
	Checks  []Check
	// ForeignKeys are the references of several columns together; those of one are with
	// the column.
	ForeignKeys []ForeignKey
	Comment     string
}

// Column is one column of a table.
type Column struct {
	Name          string // in the database: "author_id"
	Field         string // the model's field: "Author"
	Type          Type
	Size          int // characters of a String, digits of a Decimal
	Scale         int
	Null          bool
	PrimaryKey    bool
	AutoIncrement bool
	Unique        bool
	// Default is the SQL literal the database fills in, nil for none. A
	// default that only Go code applies is not part of the schema.
	Default *string
	// DefaultNow makes the database fill in the moment of the insertion, in
	// UTC, in the form in which it stores values of the type: a DateTime, Date
	// or Time. Default is then nil.
	DefaultNow bool
	// Generated is the expression, in portable SQL made by the query compiler,
	// from which the database computes the column; empty for a column that is
	// written. Its columns are in double quotes, as in Check.SQL.
	Generated string
	// Stored tells that a generated column is computed when its row is written
	// and kept; otherwise it is computed when it is read, where the database
	// can do that.
	Stored bool
	// Elem is the type of the values of an Array, Size applies to them.
	Elem Type
	// Native are types of single databases, by the dialect's name, that take
	// the place of Type there: {"postgres": "citext"}.
	Native     map[string]string
	References *Reference
	Collation  string
	Comment    string
	// Owner is the app whose model extends the table by the column, and whose
	// migrations make it; empty for the table's own columns.
	Owner string
}

// OnDelete is what happens to a row when the row it references is deleted.
type OnDelete string

// The actions of a foreign key, as in SQL.
const (
	NoAction   OnDelete = "NO ACTION"
	Cascade    OnDelete = "CASCADE"
	Restrict   OnDelete = "RESTRICT"
	SetNull    OnDelete = "SET NULL"
	SetDefault OnDelete = "SET DEFAULT"
)

// Reference is a foreign key from one column.
type Reference struct {
	Table    string // name in the database
	Column   string
	OnDelete OnDelete
	// Model is "app.Model" of the target, so that a migration knows which
	// app's migrations must come first.
	Model string
}

// ForeignKey is a reference from several columns to as many of another table. A row
// in which one of them is NULL refers to nothing.
type ForeignKey struct {
	Columns    []string
	Table      string   // name in the database
	References []string // the columns there, in the same order
	OnDelete   OnDelete
	// Model is "app.Model" of the target, as in [Reference].
	Model string
	Owner string // as in [Column]
}

// Index is an index over one or more columns. A dialect quotes the names.
type Index struct {
	Name    string
	Columns []IndexColumn
	Unique  bool
	// Where makes a partial index; it is a condition in portable SQL made by
	// the query compiler, never text from a user.
	Where string
	// Include are columns kept in the index so that queries need not look at
	// the table. A dialect that cannot do this leaves them out.
	Include []string
	// Method is the kind of index, such as "gin" on PostgreSQL. A dialect that
	// has no such kinds makes its usual one.
	Method string
	// NullsNotDistinct makes a unique index take two NULLs for the same. A
	// dialect that cannot do this takes them for different, as SQL does.
	NullsNotDistinct bool
	// Deferred makes PostgreSQL hold rows to a unique index, or an exclusion constraint,
	// at the end of the transaction. It is then a constraint, over columns only.
	Deferred bool
	Owner    string // as in [Column]
}

// Excludes reports that the index is an exclusion constraint, which only PostgreSQL has.
// Other dialects leave it out; what runs their statements refuses it.
func (i *Index) Excludes() bool { return len(i.Columns) > 0 && i.Columns[0].Exclude != "" }

// IndexColumn is a column of an index, or an expression, and its direction.
type IndexColumn struct {
	Name string
	Desc bool
	// Expr is an expression in portable SQL, in place of Name. Its columns are
	// in double quotes, as in Check.SQL.
	Expr string
	// OpClass is an operator class of PostgreSQL, such as "gin_trgm_ops".
	OpClass string
	// Exclude is the operator by which an exclusion constraint compares the column; all
	// columns of an index have one, or none.
	Exclude string
}

// Check is a named condition that each row must meet.
type Check struct {
	Name string
	// SQL is the condition, in portable SQL made by the query compiler. Its
	// columns are bare or in double quotes and never carry the table's name,
	// so that the condition survives a rename of the table.
	SQL   string
	Owner string // as in [Column]
}

// Key names a table in a set of tables: "blog.Post".
func (t *Table) Key() string { return KeyOf(t.App, t.Model) }

// Column returns the column of that database name, or nil.
func (t *Table) Column(name string) *Column {
	for i := range t.Columns {
		if t.Columns[i].Name == name {
			return &t.Columns[i]
		}
	}
	return nil
}

// Index returns the index of that name, or nil.
func (t *Table) Index(name string) *Index {
	for i := range t.Indexes {
		if t.Indexes[i].Name == name {
			return &t.Indexes[i]
		}
	}
	return nil
}

// Check returns the check of that name, or nil.
func (t *Table) Check(name string) *Check {
	for i := range t.Checks {
		if t.Checks[i].Name == name {
			return &t.Checks[i]
		}
	}
	return nil
}

// ForeignKey returns the reference from exactly these columns, or nil.
func (t *Table) ForeignKey(columns ...string) *ForeignKey {
	for i := range t.ForeignKeys {
		if slices.Equal(t.ForeignKeys[i].Columns, columns) {
			return &t.ForeignKeys[i]
		}
	}
	return nil
}

// PrimaryKey returns the primary key columns, in order.
func (t *Table) PrimaryKey() []Column {
	var pk []Column
	for _, c := range t.Columns {
		if c.PrimaryKey {
			pk = append(pk, c)
		}
	}
	return pk
}

// Clone returns a copy that shares nothing with t.
func (t *Table) Clone() *Table {
	n := *t
	n.Columns = make([]Column, len(t.Columns))
	for i := range t.Columns {
		n.Columns[i] = t.Columns[i].Clone()
	}
	n.Indexes = make([]Index, len(t.Indexes))
	for i := range t.Indexes {
		n.Indexes[i] = t.Indexes[i].Clone()
	}
	n.Checks = append([]Check(nil), t.Checks...)
	n.ForeignKeys = nil
	for i := range t.ForeignKeys {
		n.ForeignKeys = append(n.ForeignKeys, t.ForeignKeys[i].Clone())
	}
	return &n
}

// Clone returns a copy that shares nothing with k.
func (k *ForeignKey) Clone() ForeignKey {
	n := *k
	n.Columns, n.References = slices.Clone(k.Columns), slices.Clone(k.References)
	return n
}

// Clone returns a copy that shares nothing with c.
func (c *Column) Clone() Column {
	n := *c
	if c.Default != nil {
		n.Default = new(*c.Default)
	}
	if c.References != nil {
		n.References = new(*c.References)
	}
	n.Native = maps.Clone(c.Native)
	return n
}

// Clone returns a copy that shares nothing with i.
func (i *Index) Clone() Index {
	n := *i
	n.Columns = append([]IndexColumn(nil), i.Columns...)
	n.Include = append([]string(nil), i.Include...)
	return n
}
