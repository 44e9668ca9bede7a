package orm

// Model is embedded in a model to give it its primary key: a 64-bit integer
// that the database assigns on insert.
type Model struct {
	ID int64 `orm:"pk"`
}

// Meta says what the tags of single fields cannot. A model returns it from a
// method on its value receiver, which gets the prototype for its names:
//
//	func (Post) Meta(p *Post) orm.Meta {
//		return orm.Meta{OrderBy: orm.By(orm.Desc(&p.Created))}
//	}
type Meta struct {
	// Table is the table's name. Default: app label and model name in snake
	// case ("blog_post"); in package main without the label ("post").
	Table string
	// OrderBy is the order of queries that ask for none.
	OrderBy []Order
	// Indexes are indexes over several columns; a single one is simpler
	// written as the tag "index".
	Indexes []IndexDef
	// Unique are sets of columns whose combination must be unique.
	Unique []UniqueDef
	// Checks are conditions that the database holds for each row.
	Checks []CheckDef
	// VerboseName is the name for people. Default: the type's name in words
	// ("blog post").
	VerboseName string
	// VerboseNamePlural is the plural. Default: VerboseName with an s.
	VerboseNamePlural string
}

// IndexDef declares an index; see [Index].
type IndexDef struct {
	name   string
	fields []any
	where  *Cond
}

// Index declares an index over fields, each a pointer to a field or a
// [Desc] of one. Its name is made of the table and the columns.
func Index(fields ...any) IndexDef { return IndexDef{fields: fields} }

// Named gives the index a name of its own.
func (i IndexDef) Named(name string) IndexDef {
	i.name = name
	return i
}

// Where makes the index partial: it holds only rows that meet the condition.
func (i IndexDef) Where(cond Cond) IndexDef {
	i.where = &cond
	return i
}

// Indexes lists the indexes of a [Meta].
func Indexes(defs ...IndexDef) []IndexDef { return defs }

// UniqueDef declares a set of columns unique together; see [UniqueTogether].
type UniqueDef struct {
	name   string
	fields []any
}

// UniqueTogether declares that no two rows have the same values in all the
// fields.
func UniqueTogether(fields ...any) UniqueDef { return UniqueDef{fields: fields} }

// Named gives the constraint a name of its own.
func (u UniqueDef) Named(name string) UniqueDef {
	u.name = name
	return u
}

// Uniques lists the constraints of [Meta.Unique].
func Uniques(defs ...UniqueDef) []UniqueDef { return defs }

// CheckDef declares a check constraint; see [Check].
type CheckDef struct {
	name string
	cond Cond
}

// Check declares a condition over a row's own columns that the database
// enforces. The name, unique in the table, is found again in
// [ConstraintError.Constraint].
func Check(name string, cond Cond) CheckDef { return CheckDef{name: name, cond: cond} }

// Checks lists the checks of a [Meta].
func Checks(defs ...CheckDef) []CheckDef { return defs }

// metaer is a model with a Meta method.
type metaer[T any] interface{ Meta(p *T) Meta }

// Choice is one allowed value of a field and its label for people.
type Choice struct {
	Value any
	Label string
}

// Chooser is implemented by a field's type that allows only certain values,
// such as a Status over string.
type Chooser interface{ Choices() []Choice }
