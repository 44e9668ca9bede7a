package migrate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/retort-web/retort/orm/schema"
)

// AlterPrimaryKey makes other columns the primary key of a model's table.
type AlterPrimaryKey struct {
	Model   string
	Columns []string // names in the database; none for a table without a key
}

// Describe implements [Operation].
func (o AlterPrimaryKey) Describe() string {
	if len(o.Columns) == 0 {
		return "Remove primary key of " + o.Model
	}
	return fmt.Sprintf("Alter primary key of %s to %s", o.Model, strings.Join(o.Columns, ", "))
}

// ChangeState implements [Operation].
func (o AlterPrimaryKey) ChangeState(app string, s *State) error {
	t, err := s.lookup(app, o.Model)
	if err != nil {
		return err
	}
	for i, name := range o.Columns {
		if slices.Contains(o.Columns[:i], name) {
			return fmt.Errorf("the primary key of %s names column %q twice", t.Key(), name)
		}
		if t.Column(name) == nil {
			return fmt.Errorf("the primary key is over column %q, which %s does not have; it has %s", name, t.Key(), columnNames(t))
		}
	}
	s.Set(withKey(t, o.Columns))
	return nil
}

// withKey returns a copy of t with another primary key. The columns of the key
// change places with each other to stand in its order.
func withKey(t *schema.Table, key []string) *schema.Table {
	changed := t.Clone()
	next := 0
	for i := range changed.Columns {
		c := &changed.Columns[i]
		if !slices.Contains(key, c.Name) {
			c.PrimaryKey, c.AutoIncrement = false, false
			continue
		}
		*c = t.Column(key[next]).Clone()
		c.PrimaryKey = true
		next++
	}
	return changed
}

// Forward implements [Operation].
func (o AlterPrimaryKey) Forward(c Change) ([]Action, error) {
	before, after := c.From.Table(c.App, o.Model), c.To.Table(c.App, o.Model)
	var columns []string
	for i := range before.Columns {
		was, is := &before.Columns[i], after.Column(before.Columns[i].Name)
		if was.PrimaryKey || is != nil && is.PrimaryKey {
			columns = append(columns, was.Name)
		}
	}
	return statements(c.aroundReferences(o.Model, columns, c.Dialect.AlterPrimaryKey(before, after))), nil
}

// Reverse implements [Operation].
func (o AlterPrimaryKey) Reverse(c Change) ([]Action, error) { return o.Forward(c) }

// AddIndex creates an index, unique or not, on a model's table.
type AddIndex struct {
	Model string
	Index schema.Index
	// Concurrently lets others write while PostgreSQL builds the index. The
	// migration must be NonAtomic. Other databases build it as usual.
	Concurrently bool
}

// Describe implements [Operation].
func (o AddIndex) Describe() string {
	return fmt.Sprintf("Create index %s on %s", o.Index.Name, o.Model)
}

// ChangeState implements [Operation].
func (o AddIndex) ChangeState(app string, s *State) error {
	t, err := s.lookup(app, o.Model)
	if err != nil {
		return err
	}
	switch {
	case o.Index.Name == "" || len(o.Index.Columns) == 0:
		return fmt.Errorf("an index of %s needs a name and columns", t.Key())
	case t.Index(o.Index.Name) != nil:
		return fmt.Errorf("%s has an index %s already", t.Key(), o.Index.Name)
	}
	for _, c := range o.Index.Columns {
		if c.Expr == "" && t.Column(c.Name) == nil {
			return fmt.Errorf("index %s is over column %q, which %s does not have; it has %s", o.Index.Name, c.Name, t.Key(), columnNames(t))
		}
	}
	changed := t.Clone()
	index := o.Index.Clone()
	index.Owner = ownerOf(app, o.Model)
	changed.Indexes = append(changed.Indexes, index)
	s.Set(changed)
	return nil
}

// Forward implements [Operation].
func (o AddIndex) Forward(c Change) ([]Action, error) {
	if err := possible(c.Dialect, &o.Index); err != nil {
		return nil, err
	}
	return createIndex(c, o.Model, o.Index.Name, o.Concurrently)
}

// createIndex and dropIndex change the index of a model's table, beside others if they are
// to and the database can.
func createIndex(c Change, model, name string, concurrently bool) ([]Action, error) {
	t := c.To.Table(c.App, model)
	if d := online(c.Dialect); d != nil && concurrently {
		if sql, ok := d.CreateIndexConcurrently(t, t.Index(name)); ok {
			return statements(sql), nil
		}
		return nil, fmt.Errorf("the index %s of %s is a constraint, which cannot be created concurrently", name, t.Key())
	}
	return statements(c.Dialect.CreateIndex(t, t.Index(name))), nil
}

func dropIndex(c Change, model, name string, concurrently bool) ([]Action, error) {
	t := c.From.Table(c.App, model)
	if d := online(c.Dialect); d != nil && concurrently {
		if sql, ok := d.DropIndexConcurrently(t, t.Index(name)); ok {
			return statements(sql), nil
		}
		return nil, fmt.Errorf("the index %s of %s is a constraint, which cannot be dropped concurrently", name, t.Key())
	}
	return statements(c.Dialect.DropIndex(t, t.Index(name))), nil
}

// possible reports what no dialect could write for its database.
func possible(d schema.Dialect, i *schema.Index) error {
	if i.Excludes() && d.Name() != "postgres" {
		return fmt.Errorf("the exclusion constraint %s needs PostgreSQL, and this is %s; take it out of Meta.Exclusions, and check in a transaction instead", i.Name, d.Name())
	}
	return nil
}

// Reverse implements [Operation].
func (o AddIndex) Reverse(c Change) ([]Action, error) {
	return dropIndex(c, o.Model, o.Index.Name, o.Concurrently)
}

// RemoveIndex drops an index of a model's table.
type RemoveIndex struct {
	Model string
	Name  string
	// Concurrently lets nobody wait while PostgreSQL drops the index. The
	// migration must be NonAtomic. Other databases drop it as usual.
	Concurrently bool
}

// Describe implements [Operation].
func (o RemoveIndex) Describe() string {
	return fmt.Sprintf("Remove index %s from %s", o.Name, o.Model)
}

// ChangeState implements [Operation].
func (o RemoveIndex) ChangeState(app string, s *State) error {
	t, err := s.lookup(app, o.Model)
	if err != nil {
		return err
	}
	if t.Index(o.Name) == nil {
		return fmt.Errorf("%s has no index %s at this point", t.Key(), o.Name)
	}
	changed := t.Clone()
	changed.Indexes = slices.DeleteFunc(changed.Indexes, func(i schema.Index) bool { return i.Name == o.Name })
	s.Set(changed)
	return nil
}

// Forward implements [Operation].
func (o RemoveIndex) Forward(c Change) ([]Action, error) {
	return dropIndex(c, o.Model, o.Name, o.Concurrently)
}

// Reverse implements [Operation].
func (o RemoveIndex) Reverse(c Change) ([]Action, error) {
	return createIndex(c, o.Model, o.Name, o.Concurrently)
}

// AddCheck adds a condition that each row of a model's table must meet. A row
// that does not meet it makes the migration fail.
type AddCheck struct {
	Model string
	Check schema.Check
	// NotValid lets PostgreSQL hold only new rows to the check, which needs no
	// look at the table; [ValidateCheck] does the rest in a later migration.
	// Other databases check all rows at once.
	NotValid bool
}

// Describe implements [Operation].
func (o AddCheck) Describe() string {
	return fmt.Sprintf("Create check %s on %s", o.Check.Name, o.Model)
}

// ChangeState implements [Operation].
func (o AddCheck) ChangeState(app string, s *State) error {
	t, err := s.lookup(app, o.Model)
	if err != nil {
		return err
	}
	switch {
	case o.Check.Name == "" || strings.TrimSpace(o.Check.SQL) == "":
		return fmt.Errorf("a check of %s needs a name and a condition", t.Key())
	case t.Check(o.Check.Name) != nil:
		return fmt.Errorf("%s has a check %s already", t.Key(), o.Check.Name)
	}
	changed := t.Clone()
	check := o.Check
	check.Owner = ownerOf(app, o.Model)
	changed.Checks = append(changed.Checks, check)
	s.Set(changed)
	return nil
}

// Forward implements [Operation].
func (o AddCheck) Forward(c Change) ([]Action, error) {
	before, after := c.From.Table(c.App, o.Model), c.To.Table(c.App, o.Model)
	if d := online(c.Dialect); d != nil && o.NotValid {
		return statements(d.AddCheckNotValid(after, after.Check(o.Check.Name))), nil
	}
	return statements(c.Dialect.AddCheck(before, after, after.Check(o.Check.Name))), nil
}

// Reverse implements [Operation].
func (o AddCheck) Reverse(c Change) ([]Action, error) {
	before, after := c.From.Table(c.App, o.Model), c.To.Table(c.App, o.Model)
	return statements(c.Dialect.DropCheck(before, after, before.Check(o.Check.Name))), nil
}

// RemoveCheck removes a condition from a model's table.
type RemoveCheck struct {
	Model string
	Name  string
}

// Describe implements [Operation].
func (o RemoveCheck) Describe() string {
	return fmt.Sprintf("Remove check %s from %s", o.Name, o.Model)
}

// ChangeState implements [Operation].
func (o RemoveCheck) ChangeState(app string, s *State) error {
	t, err := s.lookup(app, o.Model)
	if err != nil {
		return err
	}
	if t.Check(o.Name) == nil {
		return fmt.Errorf("%s has no check %s at this point", t.Key(), o.Name)
	}
	changed := t.Clone()
	changed.Checks = slices.DeleteFunc(changed.Checks, func(c schema.Check) bool { return c.Name == o.Name })
	s.Set(changed)
	return nil
}

// Forward implements [Operation].
func (o RemoveCheck) Forward(c Change) ([]Action, error) {
	before, after := c.From.Table(c.App, o.Model), c.To.Table(c.App, o.Model)
	return statements(c.Dialect.DropCheck(before, after, before.Check(o.Name))), nil
}

// Reverse implements [Operation].
func (o RemoveCheck) Reverse(c Change) ([]Action, error) {
	before, after := c.From.Table(c.App, o.Model), c.To.Table(c.App, o.Model)
	return statements(c.Dialect.AddCheck(before, after, after.Check(o.Name))), nil
}
