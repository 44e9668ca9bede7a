// Package schema describes database tables as plain data: what a model
// declares, what a migration has reached, and what a dialect turns into DDL.
//
// The three meet here so that none needs to know the others: package orm makes
// a [Table] from each registered model, package migrate compares two sets of
// tables, and a dialect (orm/sqlite, …) writes the SQL that creates or changes
// one.
package schema

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
)

// Known reports whether t is one of the logical types.
func (t Type) Known() bool {
	switch t {
	case Bool, Int16, Int32, Int64, Float64, Decimal, String, Text, Bytes,
		Date, Time, DateTime, Duration, UUID, JSON:
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
	Comment string
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
	Default    *string
	References *Reference
	Collation  string
	Comment    string
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

// Index is an index over one or more columns. A dialect quotes the names.
type Index struct {
	Name    string
	Columns []IndexColumn
	Unique  bool
	// Where makes a partial index; it is a condition in portable SQL made by
	// the query compiler, never text from a user.
	Where string
}

// IndexColumn is a column of an index and its direction.
type IndexColumn struct {
	Name string
	Desc bool
}

// Check is a named condition that each row must meet.
type Check struct {
	Name string
	// SQL is the condition, in portable SQL made by the query compiler. Its
	// columns are bare or in double quotes and never carry the table's name,
	// so that the condition survives a rename of the table.
	SQL string
}

// Key names a table in a set of tables: "blog.Post".
func (t *Table) Key() string { return t.App + "." + t.Model }

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
	return &n
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
	return n
}

// Clone returns a copy that shares nothing with i.
func (i *Index) Clone() Index {
	n := *i
	n.Columns = append([]IndexColumn(nil), i.Columns...)
	return n
}
