package migrate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/retort-web/retort/orm/schema"
)

// The operations of this file, and the options Concurrently and NotValid of
// others, change big tables while a site goes on reading and writing them. They
// belong into migrations that are NonAtomic: in one transaction the first lock
// would be held until the last statement has ended. Databases that have no such
// way do the same plainly.

// besides is an operation for a migration that is not one transaction.
type besides interface {
	// besides reports that the database refuses it inside a transaction, or
	// that it would be pointless there.
	besides(d schema.Dialect) bool
}

// online returns the dialect's statements for changes beside others, or nil.
func online(d schema.Dialect) schema.Online {
	o, _ := d.(schema.Online)
	return o
}

// SetNotNull forbids NULL in a column. On PostgreSQL it first keeps new rows from
// holding NULL, then fills those that do in batches, checks all of them while
// others write, and only then makes the column NOT NULL, which needs no look at
// the table any more.
type SetNotNull struct {
	Model  string
	Column string // the column's name in the database
	// Value is the SQL literal that rows with NULL get. Default: the column's
	// own default; without one, a row with NULL makes the migration fail.
	Value *string
	// BatchSize is how many rows are filled at once. Default: 1000.
	BatchSize int
}

// Describe implements [Operation].
func (o SetNotNull) Describe() string {
	return fmt.Sprintf("Forbid NULL in %s of %s", o.Column, o.Model)
}

// ChangeState implements [Operation].
func (o SetNotNull) ChangeState(app string, s *State) error {
	t, c, err := s.column(app, o.Model, o.Column)
	switch {
	case err != nil:
		return err
	case !c.Null:
		return fmt.Errorf("column %q of %s forbids NULL already", o.Column, t.Key())
	}
	changed := t.Clone()
	changed.Column(o.Column).Null = false
	s.Set(changed)
	return nil
}

// Forward implements [Operation].
func (o SetNotNull) Forward(c Change) ([]Action, error) {
	column := c.To.Table(c.App, o.Model).Column(o.Column)
	plain := AlterField{Model: o.Model, Column: *column, Backfill: o.Value}
	if _, rebuilds := c.Dialect.(schema.Rebuilder); rebuilds {
		return plain.Forward(c) // which fills as it copies
	}
	before, after := c.From.Table(c.App, o.Model), c.To.Table(c.App, o.Model)
	var fill []Action
	if value := c.Dialect.Filler(column, o.Value); value != "" {
		fill = []Action{filling{table: before, column: o.Column, value: value, size: o.BatchSize}.action(c.Dialect)}
	}
	if d := online(c.Dialect); d != nil {
		first, last := d.ForbidNull(after, column)
		return slices.Concat(statements(first), fill, statements(last)), nil
	}
	alter, err := plain.Forward(c)
	return append(fill, alter...), err
}

// Reverse implements [Operation].
func (o SetNotNull) Reverse(c Change) ([]Action, error) {
	return AlterField{Model: o.Model, Column: *c.To.Table(c.App, o.Model).Column(o.Column)}.Reverse(c)
}

func (o SetNotNull) besides(d schema.Dialect) bool { return online(d) != nil }

func (o SetNotNull) touches() (model, column string, backfill *string) {
	return o.Model, o.Column, o.Value
}

// AddUnique makes a column unique. On PostgreSQL the index that does it is built
// while others write.
type AddUnique struct {
	Model  string
	Column string // the column's name in the database
}

// Describe implements [Operation].
func (o AddUnique) Describe() string { return fmt.Sprintf("Make %s of %s unique", o.Column, o.Model) }

// ChangeState implements [Operation].
func (o AddUnique) ChangeState(app string, s *State) error {
	t, c, err := s.column(app, o.Model, o.Column)
	switch {
	case err != nil:
		return err
	case c.Unique:
		return fmt.Errorf("column %q of %s is unique already", o.Column, t.Key())
	}
	changed := t.Clone()
	changed.Column(o.Column).Unique = true
	s.Set(changed)
	return nil
}

// Forward implements [Operation].
func (o AddUnique) Forward(c Change) ([]Action, error) {
	after := c.To.Table(c.App, o.Model)
	if d := online(c.Dialect); d != nil {
		return statements(d.AddUnique(after, after.Column(o.Column))), nil
	}
	return AlterField{Model: o.Model, Column: *after.Column(o.Column)}.Forward(c)
}

// Reverse implements [Operation].
func (o AddUnique) Reverse(c Change) ([]Action, error) {
	return AlterField{Model: o.Model, Column: *c.To.Table(c.App, o.Model).Column(o.Column)}.Reverse(c)
}

func (o AddUnique) besides(d schema.Dialect) bool { return online(d) != nil }

func (o AddUnique) touches() (model, column string, backfill *string) {
	return o.Model, o.Column, nil
}

// ValidateCheck holds the rows that were there before an [AddCheck] that is NotValid
// to its condition. A row that does not meet it makes the migration fail.
type ValidateCheck struct {
	Model string
	Name  string
}

// Describe implements [Operation].
func (o ValidateCheck) Describe() string {
	return fmt.Sprintf("Hold all rows of %s to check %s", o.Model, o.Name)
}

// ChangeState implements [Operation].
func (o ValidateCheck) ChangeState(app string, s *State) error {
	t, err := s.lookup(app, o.Model)
	if err == nil && t.Check(o.Name) == nil {
		err = fmt.Errorf("%s has no check %s at this point", t.Key(), o.Name)
	}
	return err
}

// Forward implements [Operation].
func (o ValidateCheck) Forward(c Change) ([]Action, error) {
	if d := online(c.Dialect); d != nil {
		return statements(d.ValidateCheck(c.To.Table(c.App, o.Model), o.Name)), nil
	}
	return nil, nil
}

// Reverse implements [Operation].
func (o ValidateCheck) Reverse(Change) ([]Action, error) { return nil, nil }

func (o ValidateCheck) besides(d schema.Dialect) bool { return false }

// ValidateForeignKey holds the rows that were there before an [AddForeignKey], or an
// [AlterField] with a reference, that is NotValid to it. A row that refers to nothing makes
// the migration fail.
type ValidateForeignKey struct {
	Model   string
	Columns []string // names in the database
}

// Describe implements [Operation].
func (o ValidateForeignKey) Describe() string {
	return fmt.Sprintf("Hold all rows of %s to the foreign key of %s", o.Model, strings.Join(o.Columns, ", "))
}

// ChangeState implements [Operation].
func (o ValidateForeignKey) ChangeState(app string, s *State) error {
	t, err := s.lookup(app, o.Model)
	if err != nil || t.ForeignKey(o.Columns...) != nil {
		return err
	}
	if len(o.Columns) == 1 {
		if c := t.Column(o.Columns[0]); c != nil && c.References != nil {
			return nil
		}
	}
	return fmt.Errorf("%s has no foreign key from %s at this point", t.Key(), strings.Join(o.Columns, ", "))
}

// Forward implements [Operation].
func (o ValidateForeignKey) Forward(c Change) ([]Action, error) {
	if d := online(c.Dialect); d != nil {
		return statements(d.ValidateForeignKey(c.To.Table(c.App, o.Model), o.Columns)), nil
	}
	return nil, nil
}

// Reverse implements [Operation].
func (o ValidateForeignKey) Reverse(Change) ([]Action, error) { return nil, nil }

func (o ValidateForeignKey) besides(d schema.Dialect) bool { return false }

func (o AddIndex) besides(d schema.Dialect) bool    { return o.Concurrently && online(d) != nil }
func (o RemoveIndex) besides(d schema.Dialect) bool { return o.Concurrently && online(d) != nil }

// runsBare reports whether a migration runs outside a transaction on a database. One that
// is so only for the sake of operations that this database does plainly is not.
func runsBare(m *Migration, d schema.Dialect) bool {
	if !d.TransactionalDDL() || !m.NonAtomic || online(d) != nil {
		return !d.TransactionalDDL() || m.NonAtomic
	}
	gentle := false
	for _, operation := range m.Operations {
		switch operation.(type) {
		case besides:
			gentle = true
		case CreateModel, DeleteModel, MoveModel, RenameModel, RenameIndex, AlterComment, AddField, RemoveField, AlterField, RenameField,
			AlterPrimaryKey, AddForeignKey, RemoveForeignKey, AddCheck, RemoveCheck:
		default:
			return true
		}
	}
	return !gentle
}

// checkBesides refuses an operation inside a transaction that the database would refuse
// there, in words that do not say what to do.
func checkBesides(m *Migration, d schema.Dialect) error {
	if runsBare(m, d) {
		return nil
	}
	for _, operation := range m.Operations {
		if o, ok := operation.(besides); ok && o.besides(d) {
			return fmt.Errorf("%s cannot be part of a transaction; write NonAtomic: true in the migration, and put what must be one transaction into another", operation.Describe())
		}
	}
	return nil
}
