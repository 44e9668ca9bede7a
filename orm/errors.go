package orm

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Conditions that a program may meet; test for them with errors.Is.
var (
	// ErrNotFound: a query for one row found none, or UpdateRow and
	// DeleteRow found the row gone.
	ErrNotFound = errors.New("orm: not found")
	// ErrStale: the row was changed by somebody else since it was read, as the field
	// tagged "version" tells. Read it again, and decide what to do.
	ErrStale = errors.New("orm: the row was changed meanwhile")
	// ErrMultiple: Get found more than one row.
	ErrMultiple = errors.New("orm: more than one row")
	// ErrNoDatabase: the context carries no database; see [WithDB].
	ErrNoDatabase = errors.New("orm: no database on the context; use orm.WithDB(ctx, db), or install db.Open in the app")
	// ErrNoCondition: Update or Delete was called on a query without a
	// condition. UpdateAll and DeleteAll touch every row on purpose.
	ErrNoCondition = errors.New("orm: no condition")
	// ErrBrokenTransaction: a statement in the transaction failed before;
	// nothing more can be done in it until the Atomic around it returns.
	ErrBrokenTransaction = errors.New("orm: the transaction is broken by an earlier error; return that error from Atomic, or run what may fail in an Atomic of its own")
	// ErrTransactionDone: the context is of an Atomic that has returned.
	ErrTransactionDone = errors.New("orm: the transaction of this context has ended")
	// ErrLocked: the database stayed locked for longer than it may wait.
	ErrLocked = errors.New("orm: database locked")
	// ErrUnavailable: the database cannot be reached, opened or read.
	ErrUnavailable = errors.New("orm: database unavailable")
	// ErrFull: the disk or the database has no room left.
	ErrFull = errors.New("orm: database full")
	// ErrDeadlock: transactions waited for each other, and the database gave up
	// this one. It can be tried again as a whole; see [TxOptions.Retries].
	ErrDeadlock = errors.New("orm: deadlock with another transaction")
	// ErrSerialization: what the transaction read or wrote was changed by another
	// one at the same time, in a way that its isolation level forbids. It can be
	// tried again as a whole; see [TxOptions.Retries].
	ErrSerialization = errors.New("orm: conflict with another transaction")
	// ErrCommitUnknown: the connection was lost while the transaction was being
	// committed; it may be written or not. Only a look at the data tells.
	ErrCommitUnknown = errors.New("orm: the connection was lost during the commit; whether the transaction was written is not known")
	// ErrValue: a value does not fit its column: too long, out of range, or text
	// with characters that cannot be stored. A [ValueError] is such an error too.
	ErrValue = errors.New("orm: a value does not fit its column")
	// ErrReadOnly: something was written where only reading is allowed.
	ErrReadOnly = errors.New("orm: database is read only")
)

// ConstraintKind is the kind of a constraint that refused a row.
type ConstraintKind string

// The kinds of constraints.
const (
	UniqueConstraint     ConstraintKind = "unique"
	ForeignKeyConstraint ConstraintKind = "foreign key"
	CheckConstraint      ConstraintKind = "check"
	NotNullConstraint    ConstraintKind = "not null"
)

// ConstraintError says which constraint of the database refused a row. What
// the database does not tell is empty: SQLite names neither table nor columns
// of a foreign key.
type ConstraintError struct {
	Kind       ConstraintKind
	Schema     string // that has the table, where the database tells
	Table      string
	Columns    []string // names in the database
	Constraint string   // of a check, its name
	Err        error    // the driver's error
}

// Error describes the constraint.
func (e *ConstraintError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "orm: %s constraint", e.Kind)
	if e.Constraint != "" && (len(e.Columns) == 0 || e.Kind == CheckConstraint) {
		fmt.Fprintf(&b, " %s", e.Constraint)
	}
	if len(e.Columns) > 0 {
		fmt.Fprintf(&b, " on %s.%s", e.Table, strings.Join(e.Columns, ", "))
	}
	b.WriteString(" failed")
	return b.String()
}

// Unwrap returns the driver's error.
func (e *ConstraintError) Unwrap() error { return e.Err }

// Fields returns the model fields behind the columns, for a message beside
// the right input; nil if the table belongs to no model.
func (e *ConstraintError) Fields() []*FieldInfo {
	info := infoOfTable(e.Schema, e.Table)
	if info == nil {
		return nil
	}
	if x := info.extension.Load(); x != nil && slices.ContainsFunc(e.Columns, func(c string) bool { return info.byColumn[c] == nil }) {
		info = x
	}
	return e.FieldsOf(info)
}

// FieldsOf is Fields for code that works with a model which another extends, or the
// other way around: the fields are those of m. They are nil if m has another table.
func (e *ConstraintError) FieldsOf(m *ModelInfo) []*FieldInfo {
	if info := infoOfTable(e.Schema, e.Table); info == nil || info.Table != m.Table {
		return nil
	}
	var fields []*FieldInfo
	for _, column := range e.Columns {
		if f := m.byColumn[column]; f != nil {
			fields = append(fields, f)
		}
	}
	return fields
}

// IsUnique reports whether err is a row refused because a value, or a
// combination, exists already.
func IsUnique(err error) bool { return isConstraint(err, UniqueConstraint) }

// IsForeignKey reports whether err is a reference to a row that does not
// exist, or the deletion of a row that is still referenced.
func IsForeignKey(err error) bool { return isConstraint(err, ForeignKeyConstraint) }

// IsCheck reports whether err is a row that failed a check constraint.
func IsCheck(err error) bool { return isConstraint(err, CheckConstraint) }

// IsNotNull reports whether err is a NULL in a column that forbids it.
func IsNotNull(err error) bool { return isConstraint(err, NotNullConstraint) }

func isConstraint(err error, kind ConstraintKind) bool {
	e, ok := errors.AsType[*ConstraintError](err)
	return ok && e.Kind == kind
}

// NotLoadedError is the reading of a relation that the query did not load.
type NotLoadedError struct {
	Model string // "Post"
	Field string // "Author"

	generic bool // the relation is a generic foreign key
}

// Error names the missing With.
func (e *NotLoadedError) Error() string {
	if e.generic {
		return fmt.Sprintf("orm: the row of %q that a generic foreign key refers to was not loaded; call orm.LoadGeneric for the rows that hold it, or Load(ctx) of the key", e.Model)
	}
	if e.Field == "" {
		return fmt.Sprintf("orm: the relation to %s was not loaded; add it to the query's With, or call Load(ctx)", e.Model)
	}
	return fmt.Sprintf("orm: %s.%s was not loaded; add With(&%s.%s) to the query, or call Load(ctx)",
		e.Model, e.Field, strings.ToLower(e.Model[:1]), e.Field)
}

// ValueError is a value that its field cannot take, found before anything is sent
// to the database.
type ValueError struct {
	Field *FieldInfo
	Err   error // what is wrong
}

// Error names the field.
func (e *ValueError) Error() string {
	return fmt.Sprintf("orm: %s.%s: %v", e.Field.model.Name, e.Field.Name, e.Err)
}

// Is makes a ValueError an ErrValue.
func (e *ValueError) Is(target error) bool { return target == ErrValue }

// Unwrap returns what is wrong.
func (e *ValueError) Unwrap() error { return e.Err }

// LookupError is a lookup string, or its value, that does not fit the model.
// As lookups come from outside the program it is a fault of the request.
type LookupError struct {
	Model  string // "Post"
	Path   string // the whole lookup: "author__usernam__icontains"
	Reason string // what is wrong and what is allowed
}

// Error describes the fault.
func (e *LookupError) Error() string {
	return fmt.Sprintf("orm: lookup %q on %s: %s", e.Path, e.Model, e.Reason)
}
