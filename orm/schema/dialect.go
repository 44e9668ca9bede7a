package schema

import "time"

// Dialect writes the DDL of one kind of database. The statements of one call
// are run in order and carry no semicolon at the end. Names are quoted; none
// of them ever comes from a request. Not stable: it will grow with the
// migration operations.
//
// A dialect that cannot change a table in place (SQLite) builds it anew and
// therefore needs the whole table, before and after.
type Dialect interface {
	// Name is "sqlite", "postgres" or "mysql".
	Name() string
	// TransactionalDDL reports whether a failed migration leaves nothing behind.
	TransactionalDDL() bool

	// CreateTable creates a table with its keys, checks and indexes.
	CreateTable(t *Table) []string
	DropTable(t *Table) []string
	// RenameTable gives a table the name of to; references to it follow.
	RenameTable(from, to *Table) []string
	// CommentTable sets the comment of t, where the database keeps one.
	CommentTable(t *Table) []string

	// AddColumn adds c to t, which does not have it yet. Rows that exist get
	// the column's default, or else backfill, an SQL literal; with neither, a
	// column that is NOT NULL can only be added to an empty table.
	AddColumn(t *Table, c *Column, backfill *string) []string
	// DropColumn removes c from t, which still has it.
	DropColumn(t *Table, c *Column) []string
	// RenameColumn changes no more than the name; t still has from.
	RenameColumn(t *Table, from, to *Column) []string
	// AlterColumn turns the column from into to. Rows that hold NULL get
	// backfill, or else the default of to, when NULL is no longer allowed.
	AlterColumn(before, after *Table, from, to *Column, backfill *string) []string

	// AlterPrimaryKey makes other columns the primary key: those marked so in
	// after, which has the same columns.
	AlterPrimaryKey(before, after *Table) []string

	// AddForeignKey adds a reference of several columns, DropForeignKey removes it.
	AddForeignKey(before, after *Table, k *ForeignKey) []string
	DropForeignKey(before, after *Table, k *ForeignKey) []string

	CreateIndex(t *Table, i *Index) []string
	DropIndex(t *Table, i *Index) []string
	AddCheck(before, after *Table, c *Check) []string
	DropCheck(before, after *Table, c *Check) []string

	// Frame says what must surround a transaction that runs these statements.
	Frame(statements []string) Frame
	// Attached is a query for the indexes and triggers of a table, in rows of
	// (name, statement that creates it). It is empty where no statement of the
	// dialect builds a table anew.
	Attached(table string) string
	// TableNames is a query for the names of the tables that exist.
	TableNames() string
	// Placeholder is the n-th parameter of a statement, counted from 1.
	Placeholder(n int) string
	// Busy reports that an error only says that another process holds the
	// database, so that the statement may be tried again.
	Busy(err error) bool
	// Refused reports that an error is an answer of the database to a statement,
	// which then did nothing, unlike that of a connection that broke.
	Refused(err error) bool
	// AlreadyDone reports that an error only says that what a statement makes
	// is there, or that what it drops is not: it had been run before.
	AlreadyDone(err error) bool
	// Leftover is for a statement that leaves something unusable behind when it
	// fails or is interrupted, and then stands in its own way: a query that
	// returns a row if such a thing is there, and the statement that removes it.
	// Both are empty for other statements.
	Leftover(statement string) (query, cleanup string)
	// Filler is the expression that rows get in place of NULL: backfill, an SQL
	// literal, or else the default of c. It is empty if there is neither.
	Filler(c *Column, backfill *string) string
}

// Online is a [Dialect] whose database can change a table while others read and
// write it, if it is asked in the right way, often in several statements that
// must not be one transaction. Each is alike to the method of Dialect that it
// stands in for, and can be run again after it was interrupted. Not stable, as
// Dialect.
type Online interface {
	// CreateIndexConcurrently and DropIndexConcurrently return statements that
	// the database refuses inside a transaction. They return false for an index
	// that is a constraint, for which there is no such way.
	CreateIndexConcurrently(t *Table, i *Index) ([]string, bool)
	DropIndexConcurrently(t *Table, i *Index) ([]string, bool)
	// AddCheckNotValid adds a check that only new rows must meet, and
	// ValidateCheck looks at those that were there before.
	AddCheckNotValid(t *Table, c *Check) []string
	ValidateCheck(t *Table, name string) []string
	// AddForeignKeyNotValid and ValidateForeignKey are the same for references,
	// of one column or several.
	AddForeignKeyNotValid(t *Table, k *ForeignKey) []string
	ValidateForeignKey(t *Table, columns []string) []string
	// ForbidNull returns the statements that keep NULL out of new rows, and those
	// that make the column NOT NULL after the others were filled.
	ForbidNull(t *Table, c *Column) (before, after []string)
	// AddUnique makes a column unique.
	AddUnique(t *Table, c *Column) []string
}

// Rebuilder is a [Dialect] that builds a table anew for some changes, and then
// can make any number of them at the price of one. Not stable, as Dialect.
type Rebuilder interface {
	// Rebuild turns before into after. Columns that changes do not name are
	// the same in both.
	Rebuild(before, after *Table, changes []ColumnChange) []string
}

// LockWaiter is a [Dialect] whose statements wait for the locks that other sessions hold on
// a table. Not stable, as Dialect.
type LockWaiter interface {
	// LockTimeout returns statements that let those after them in the same
	// transaction wait for a lock no longer than d, and those that end this where
	// it does not end with the transaction. [Dialect].Busy tells of the error.
	LockTimeout(d time.Duration) (begin, end []string)
	// Session is a query for the number of the session that it runs in.
	Session() string
	// Blockers is a query, for another session, for those who hold what a session
	// waits for: a row with a description of each.
	Blockers(session string) string
}

// IndexRenamer is a [Dialect] that can give an index another name without
// building it anew. Not stable, as Dialect.
type IndexRenamer interface {
	// RenameIndex changes no more than the name; t has from.
	RenameIndex(t *Table, from, to *Index) []string
}

// Adviser is a [Dialect] that knows what a person can do about errors that no migration
// has caused: no rights, no room, a database that only reads. Not stable, as Dialect.
type Adviser interface {
	// Advice says what to do, or nothing.
	Advice(err error) string
}

// ColumnChange is a column that is added (From is nil), removed (To is nil) or
// altered. Backfill is as in AddColumn and AlterColumn of [Dialect].
type ColumnChange struct {
	From, To *Column
	Backfill *string
}

// Frame is what a migration needs around its statements.
type Frame struct {
	// WithoutForeignKeys asks for a transaction in which foreign keys are not
	// enforced, because a table is dropped that others reference.
	WithoutForeignKeys bool
	// Guard is a query run as the first thing inside such a transaction; a row
	// means that foreign keys are enforced all the same, and that to go on
	// would lose data. Empty for none.
	Guard string
	// Begin is run before the statements, inside the transaction.
	Begin []string
	// Check is a query run after them; each row is (table, row, missing table)
	// of a foreign key that points nowhere, and any row makes the migration
	// fail. Empty for none.
	Check string
	// Rebuilt names the tables that are built anew.
	Rebuilt []string
	// Before and After are for a script, in which nobody else sees to
	// WithoutForeignKeys: statements around its transaction.
	Before, After []string
}
