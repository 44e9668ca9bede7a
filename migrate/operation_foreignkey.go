package migrate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/retort-web/retort/orm/schema"
)

// AddForeignKey makes several columns of a model's table refer to as many of another. A
// row that refers to none makes the migration fail.
type AddForeignKey struct {
	Model      string
	ForeignKey schema.ForeignKey
	// NotValid lets PostgreSQL hold only new rows to the reference, which needs
	// no look at the tables; [ValidateForeignKey] does the rest in a later
	// migration. Other databases check all rows at once.
	NotValid bool
}

// Describe implements [Operation].
func (o AddForeignKey) Describe() string {
	return fmt.Sprintf("Add foreign key %s of %s to %s", strings.Join(o.ForeignKey.Columns, ", "), o.Model, o.ForeignKey.Table)
}

// ChangeState implements [Operation].
func (o AddForeignKey) ChangeState(app string, s *State) error {
	t, err := s.lookup(app, o.Model)
	if err != nil {
		return err
	}
	k := &o.ForeignKey
	switch {
	case len(k.Columns) == 0 || len(k.Columns) != len(k.References):
		return fmt.Errorf("a foreign key of %s has %d columns and refers to %d", t.Key(), len(k.Columns), len(k.References))
	case t.ForeignKey(k.Columns...) != nil:
		return fmt.Errorf("%s has a foreign key from %s already", t.Key(), strings.Join(k.Columns, ", "))
	}
	for _, name := range k.Columns {
		if t.Column(name) == nil {
			return fmt.Errorf("a foreign key is from column %q, which %s does not have; it has %s", name, t.Key(), columnNames(t))
		}
	}
	changed := t.Clone()
	key := k.Clone()
	key.Owner = ownerOf(app, o.Model)
	changed.ForeignKeys = append(changed.ForeignKeys, key)
	s.Set(changed)
	return nil
}

// Forward implements [Operation].
func (o AddForeignKey) Forward(c Change) ([]Action, error) {
	before, after := c.From.Table(c.App, o.Model), c.To.Table(c.App, o.Model)
	k := after.ForeignKey(o.ForeignKey.Columns...)
	if d := online(c.Dialect); d != nil && o.NotValid {
		return statements(d.AddForeignKeyNotValid(after, k)), nil
	}
	return statements(c.Dialect.AddForeignKey(before, after, k)), nil
}

// Reverse implements [Operation].
func (o AddForeignKey) Reverse(c Change) ([]Action, error) {
	before, after := c.From.Table(c.App, o.Model), c.To.Table(c.App, o.Model)
	return statements(c.Dialect.DropForeignKey(before, after, before.ForeignKey(o.ForeignKey.Columns...))), nil
}

// RemoveForeignKey removes the reference of several columns of a model's table. The
// columns stay.
type RemoveForeignKey struct {
	Model   string
	Columns []string // names in the database
}

// Describe implements [Operation].
func (o RemoveForeignKey) Describe() string {
	return fmt.Sprintf("Remove foreign key %s of %s", strings.Join(o.Columns, ", "), o.Model)
}

// ChangeState implements [Operation].
func (o RemoveForeignKey) ChangeState(app string, s *State) error {
	t, err := s.lookup(app, o.Model)
	if err != nil {
		return err
	}
	if t.ForeignKey(o.Columns...) == nil {
		return fmt.Errorf("%s has no foreign key from %s at this point", t.Key(), strings.Join(o.Columns, ", "))
	}
	changed := t.Clone()
	changed.ForeignKeys = slices.DeleteFunc(changed.ForeignKeys, func(k schema.ForeignKey) bool { return slices.Equal(k.Columns, o.Columns) })
	s.Set(changed)
	return nil
}

// Forward implements [Operation].
func (o RemoveForeignKey) Forward(c Change) ([]Action, error) {
	before, after := c.From.Table(c.App, o.Model), c.To.Table(c.App, o.Model)
	return statements(c.Dialect.DropForeignKey(before, after, before.ForeignKey(o.Columns...))), nil
}

// Reverse implements [Operation].
func (o RemoveForeignKey) Reverse(c Change) ([]Action, error) {
	before, after := c.From.Table(c.App, o.Model), c.To.Table(c.App, o.Model)
	return statements(c.Dialect.AddForeignKey(before, after, after.ForeignKey(o.Columns...))), nil
}
