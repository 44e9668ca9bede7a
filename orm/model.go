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
//
// What a struct that is embedded in the model says in a Meta method of its own, over its
// own type, is added: lists are joined, and OrderBy and LatestBy taken from it if the
// model has none.
type Meta struct {
	// Table is the table's name. Default: app label and model name in snake
	// case ("blog_post"); in package main without the label ("post").
	Table string
	// Schema is the schema of PostgreSQL, or the database of MySQL and MariaDB, that has the
	// table; migrations make it if it is not there. SQLite, which has none, keeps it as a
	// part of the table's name, with a point between. Default: that of the connection.
	Schema string
	// OrderBy is the order of queries that ask for none.
	OrderBy []Order
	// LatestBy are the fields that Latest and Earliest go by, as orm.Fields(&p.Created).
	LatestBy []any
	// Indexes are indexes over several columns; a single one is simpler
	// written as the tag "index".
	Indexes []IndexDef
	// Unique are sets of columns whose combination must be unique.
	Unique []UniqueDef
	// Exclusions are constraints between rows that only PostgreSQL has: see [Exclude].
	Exclusions []ExclusionDef
	// Checks are conditions that the database holds for each row.
	Checks []CheckDef
	// Computed are columns that the database computes from others.
	Computed []ComputedDef
	// DBDefaults are expressions by which the database fills in what an insert leaves out.
	DBDefaults []DefaultDef
	// ValidateOnSave makes every write of a row validate it first, inside its
	// transaction and after BeforeSave: see [Query.Validate].
	ValidateOnSave bool
	// Comment is kept with the table, where the database keeps comments.
	Comment string
	// Unmanaged leaves the table to others: migrations neither make nor change it.
	Unmanaged bool
	// VerboseName is the name for people. Default: the type's name in words
	// ("blog post").
	VerboseName string
	// VerboseNamePlural is the plural. Default: VerboseName with an s.
	VerboseNamePlural string
}

// IndexDef declares an index; see [Index].
type IndexDef struct {
	name    string
	fields  []any
	where   *Cond
	include []any
	method  string
}

// Index declares an index over fields, each a pointer to a field, an expression such as
// Lower(&p.Email), a [Desc] of one, or an [OpClass]. Its name is made of the table and the
// columns.
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

// Include keeps other fields in the index too, so that a query of these need not look at the
// table, on databases that can.
func (i IndexDef) Include(fields ...any) IndexDef {
	i.include = fields
	return i
}

// Using makes an index of a kind of its own, such as "gin" or "brin" on PostgreSQL. Other
// databases make their usual one.
func (i IndexDef) Using(method string) IndexDef {
	i.method = method
	return i
}

// OpClassed is a member of an index with an operator class; see [OpClass].
type OpClassed struct {
	field any
	class string
}

// OpClass gives a field of an index an operator class of PostgreSQL, such as
// "gin_trgm_ops". Other databases ignore it.
func OpClass(field any, class string) OpClassed { return OpClassed{field, class} }

// Indexes lists the indexes of a [Meta].
func Indexes(defs ...IndexDef) []IndexDef { return defs }

// UniqueDef declares a set of columns unique together; see [UniqueTogether].
type UniqueDef struct {
	name             string
	fields           []any
	where            *Cond
	include          []any
	nullsNotDistinct bool
	delayed          bool
	message          string
}

// UniqueTogether declares that no two rows have the same values in all the fields, each a
// pointer to a field, or an expression such as Lower(&p.Email).
func UniqueTogether(fields ...any) UniqueDef { return UniqueDef{fields: fields} }

// Named gives the constraint a name of its own.
func (u UniqueDef) Named(name string) UniqueDef {
	u.name = name
	return u
}

// Where holds only the rows that meet the condition to it. MySQL, which has no partial
// indexes, leaves the constraint out of the table; Validate looks for other rows all the same.
func (u UniqueDef) Where(cond Cond) UniqueDef {
	u.where = &cond
	return u
}

// Include keeps other fields in the constraint's index, on databases that can.
func (u UniqueDef) Include(fields ...any) UniqueDef {
	u.include = fields
	return u
}

// NullsNotDistinct takes two NULLs for the same: PostgreSQL 15 and later hold rows to that,
// elsewhere only Validate does.
func (u UniqueDef) NullsNotDistinct() UniqueDef {
	u.nullsNotDistinct = true
	return u
}

// Deferred makes PostgreSQL look at the end of the transaction, and not before, so that
// two rows can exchange values. Other databases look at once. Such a constraint is over
// fields, and has no condition.
func (u UniqueDef) Deferred() UniqueDef {
	u.delayed = true
	return u
}

// Message is what Validate says of a row with values that another has.
func (u UniqueDef) Message(text string) UniqueDef {
	u.message = text
	return u
}

// Uniques lists the constraints of [Meta.Unique].
func Uniques(defs ...UniqueDef) []UniqueDef { return defs }

// CheckDef declares a check constraint; see [Check].
type CheckDef struct {
	name    string
	cond    Cond
	message string
}

// Check declares a condition over a row's own columns that the database
// enforces. The name, unique in the table, is found again in
// [ConstraintError.Constraint].
func Check(name string, cond Cond) CheckDef { return CheckDef{name: name, cond: cond} }

// Message is what Validate says of a row that does not meet the condition.
func (c CheckDef) Message(text string) CheckDef {
	c.message = text
	return c
}

// Checks lists the checks of a [Meta].
func Checks(defs ...CheckDef) []CheckDef { return defs }

// metaer is a model with a Meta method.
type metaer[P any] interface{ Meta(p P) Meta }

// Choice is one allowed value of a field and its label for people.
type Choice struct {
	Value any
	Label string
}

// Chooser is implemented by a field's type that allows only certain values,
// such as a Status over string.
type Chooser interface{ Choices() []Choice }
