package migrate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/retort-web/retort/orm/schema"
)

// AddField adds a column to a model's table.
type AddField struct {
	// Model is the model's name. A table of another app is named with it, "auth.User",
	// by a model that extends it: what is added belongs to this migration's app then.
	Model  string
	Column schema.Column
	// Backfill is the SQL literal that existing rows get, once. It is needed
	// for a column that is NOT NULL and has no default of its own.
	Backfill *string
}

// Describe implements [Operation].
func (o AddField) Describe() string {
	return fmt.Sprintf("Add field %s to %s", fieldName(&o.Column), o.Model)
}

// ChangeState implements [Operation].
func (o AddField) ChangeState(app string, s *State) error {
	t, err := s.lookup(app, o.Model)
	if err != nil {
		return err
	}
	if t.Column(o.Column.Name) != nil {
		return fmt.Errorf("%s has a column %q already", t.Key(), o.Column.Name)
	}
	if err := checkColumn(&o.Column); err != nil {
		return err
	}
	changed := t.Clone()
	column := o.Column.Clone()
	column.Owner = ownerOf(app, o.Model)
	changed.Columns = append(changed.Columns, column)
	s.Set(changed)
	return nil
}

// Forward implements [Operation].
func (o AddField) Forward(c Change) ([]Action, error) {
	return statements(c.Dialect.AddColumn(c.From.Table(c.App, o.Model), &o.Column, o.Backfill)), nil
}

// Reverse implements [Operation].
func (o AddField) Reverse(c Change) ([]Action, error) {
	return statements(c.Dialect.DropColumn(c.From.Table(c.App, o.Model), &o.Column)), nil
}

// RemoveField drops a column of a model's table, with what it holds. Its
// reverse adds the column again, with NULL or its default in every row; that
// of a NOT NULL column without a default works on an empty table only.
type RemoveField struct {
	Model  string
	Column string // the column's name in the database
}

// Describe implements [Operation].
func (o RemoveField) Describe() string {
	return fmt.Sprintf("Remove field %s from %s", o.Column, o.Model)
}

// ChangeState implements [Operation].
func (o RemoveField) ChangeState(app string, s *State) error {
	t, c, err := s.column(app, o.Model, o.Column)
	if err != nil {
		return err
	}
	for i := range t.Indexes {
		if indexMentions(&t.Indexes[i], c.Name) {
			return fmt.Errorf("column %q of %s is used by index %s; remove the index first", c.Name, t.Key(), t.Indexes[i].Name)
		}
	}
	for _, other := range t.Columns {
		if other.Name != c.Name && mentions(other.Generated, c.Name) {
			return fmt.Errorf("column %q of %s is used by generated column %s; remove that first", c.Name, t.Key(), other.Name)
		}
	}
	for _, check := range t.Checks {
		if mentions(check.SQL, c.Name) {
			return fmt.Errorf("column %q of %s is used by check %s; remove the check first", c.Name, t.Key(), check.Name)
		}
	}
	if users := s.referrers(t, c.Name); len(users) > 0 {
		return fmt.Errorf("column %q of %s is still referenced by %s; remove those first", c.Name, t.Key(), strings.Join(users, ", "))
	}
	if len(t.Columns) == 1 {
		return fmt.Errorf("column %q is the last one of %s; delete the model instead", c.Name, t.Key())
	}
	changed := t.Clone()
	changed.Columns = slices.DeleteFunc(changed.Columns, func(other schema.Column) bool { return other.Name == o.Column })
	s.Set(changed)
	return nil
}

// Forward implements [Operation].
func (o RemoveField) Forward(c Change) ([]Action, error) {
	t := c.From.Table(c.App, o.Model)
	return statements(c.Dialect.DropColumn(t, t.Column(o.Column))), nil
}

// Reverse implements [Operation].
func (o RemoveField) Reverse(c Change) ([]Action, error) {
	column := c.To.Table(c.App, o.Model).Column(o.Column)
	return statements(c.Dialect.AddColumn(c.From.Table(c.App, o.Model), column, nil)), nil
}

// AlterField changes everything about a column but its name.
type AlterField struct {
	Model  string
	Column schema.Column // as it is to be
	// Backfill is the SQL literal that rows with NULL get when the column
	// becomes NOT NULL. Default: the column's own default; without one, a row
	// with NULL makes the migration fail.
	Backfill *string
	// NotValid lets PostgreSQL hold only new rows to a reference that the column
	// gets, which needs no look at the tables; [ValidateForeignKey] does the rest
	// in a later migration. Other databases check all rows at once.
	NotValid bool
}

// Describe implements [Operation].
func (o AlterField) Describe() string {
	return fmt.Sprintf("Alter field %s on %s", fieldName(&o.Column), o.Model)
}

// ChangeState implements [Operation].
func (o AlterField) ChangeState(app string, s *State) error {
	t, before, err := s.column(app, o.Model, o.Column.Name)
	if err != nil {
		return err
	}
	if err := checkColumn(&o.Column); err != nil {
		return err
	}
	changed := t.Clone()
	column := o.Column.Clone()
	column.Owner = before.Owner
	*changed.Column(o.Column.Name) = column
	s.Set(changed)
	return nil
}

// Forward implements [Operation].
func (o AlterField) Forward(c Change) ([]Action, error) {
	d := online(c.Dialect)
	to := c.To.Table(c.App, o.Model)
	column := to.Column(o.Column.Name)
	if d == nil || !o.NotValid || column.References == nil || !c.To.enforced(to, column) {
		return o.alter(c, o.Backfill), nil
	}
	bare, _ := reference{to, column}.detached()
	without := c
	without.To = c.To.clone()
	without.To.Set(bare)
	r := column.References
	key := &schema.ForeignKey{Columns: []string{column.Name}, Table: r.Table, References: []string{r.Column}, OnDelete: r.OnDelete}
	return append(o.alter(without, o.Backfill), statements(d.AddForeignKeyNotValid(to, key))...), nil
}

// Reverse implements [Operation].
func (o AlterField) Reverse(c Change) ([]Action, error) {
	return o.alter(c, nil), nil
}

func (o AlterField) alter(c Change, backfill *string) []Action {
	before, after := c.From.Table(c.App, o.Model), c.To.Table(c.App, o.Model)
	from, to := before.Column(o.Column.Name), after.Column(o.Column.Name)
	if _, rebuilds := c.Dialect.(schema.Rebuilder); rebuilds {
		return statements(c.Dialect.AlterColumn(before, after, from, to, backfill))
	}
	// Its own reference is there when the types fit, too.
	old, young := before, after
	if from.References != nil && !c.From.enforced(before, from) {
		old, from = reference{before, from}.detached()
	}
	if to.References != nil && !c.To.enforced(after, to) {
		young, to = reference{after, to}.detached()
	}
	change := c.Dialect.AlterColumn(old, young, from, to, backfill)
	if keyChanges(before, after, from, to) {
		change = c.aroundReferences(o.Model, []string{o.Column.Name}, change)
	}
	return statements(change)
}

// RenameField gives a column another name. Indexes, checks and references
// follow.
type RenameField struct {
	Model string
	From  string // the column's name in the database before
	To    string // and after
	// Field is the name of the model's field after. Default: it keeps its name.
	Field string
}

// Describe implements [Operation].
func (o RenameField) Describe() string {
	return fmt.Sprintf("Rename field %s on %s to %s", o.From, o.Model, o.To)
}

// ChangeState implements [Operation].
func (o RenameField) ChangeState(app string, s *State) error {
	t, _, err := s.column(app, o.Model, o.From)
	if err != nil {
		return err
	}
	if o.To == "" {
		return fmt.Errorf("column %q of %s cannot be renamed to nothing", o.From, t.Key())
	}
	if o.To != o.From && t.Column(o.To) != nil {
		return fmt.Errorf("%s has a column %q already", t.Key(), o.To)
	}
	s.Set(renameColumn(t, o.From, o.To, o.Field))
	s.redirect(
		func(r *schema.Reference) bool {
			return strings.EqualFold(r.Table, t.Name) && strings.EqualFold(r.Column, o.From)
		},
		func(r *schema.Reference) { r.Column = o.To })
	return nil
}

// renameColumn returns a copy of t in which a column and all that names it in
// the same table have changed.
func renameColumn(t *schema.Table, from, to, field string) *schema.Table {
	changed := t.Clone()
	c := changed.Column(from)
	c.Name = to
	if field != "" {
		c.Field = field
	}
	for i := range changed.Indexes {
		index := &changed.Indexes[i]
		for n := range index.Columns {
			if index.Columns[n].Name == from {
				index.Columns[n].Name = to
			}
			index.Columns[n].Expr = renameIdentifier(index.Columns[n].Expr, from, to)
		}
		for n := range index.Include {
			if index.Include[n] == from {
				index.Include[n] = to
			}
		}
		index.Where = renameIdentifier(index.Where, from, to)
	}
	for i := range changed.Columns {
		changed.Columns[i].Generated = renameIdentifier(changed.Columns[i].Generated, from, to)
	}
	for i := range changed.ForeignKeys {
		for n := range changed.ForeignKeys[i].Columns {
			if changed.ForeignKeys[i].Columns[n] == from {
				changed.ForeignKeys[i].Columns[n] = to
			}
		}
	}
	for i := range changed.Checks {
		changed.Checks[i].SQL = renameIdentifier(changed.Checks[i].SQL, from, to)
	}
	return changed
}

// Forward implements [Operation].
func (o RenameField) Forward(c Change) ([]Action, error) {
	return o.rename(c, o.From, o.To), nil
}

// Reverse implements [Operation].
func (o RenameField) Reverse(c Change) ([]Action, error) {
	return o.rename(c, o.To, o.From), nil
}

func (o RenameField) rename(c Change, from, to string) []Action {
	before, after := c.From.Table(c.App, o.Model), c.To.Table(c.App, o.Model)
	return statements(c.Dialect.RenameColumn(before, before.Column(from), after.Column(to)))
}

// fieldName is what people call a column.
func fieldName(c *schema.Column) string {
	if c.Field != "" {
		return c.Field
	}
	return c.Name
}
