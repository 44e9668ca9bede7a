package migrate

import (
	"fmt"
	"strings"

	"github.com/retort-web/retort/orm/schema"
)

// CreateModel creates the table of a model, or the join table of a relation.
// The app of the table is that of the migration.
type CreateModel struct {
	Table schema.Table
}

// Describe implements [Operation].
func (o CreateModel) Describe() string { return "Create model " + o.Table.Model }

// ChangeState implements [Operation].
func (o CreateModel) ChangeState(app string, s *State) error {
	t := o.Table.Clone()
	t.App = app
	if t.Model == "" || t.Name == "" {
		return fmt.Errorf("CreateModel needs both Table.Model and Table.Name, has %q and %q", t.Model, t.Name)
	}
	if s.Table(app, t.Model) != nil {
		return fmt.Errorf("model %s exists already", t.Key())
	}
	if other := s.named(t.Name); other != nil {
		return fmt.Errorf("table %q of %s is the table of %s already", t.Name, t.Key(), other.Key())
	}
	if len(t.Columns) == 0 {
		return fmt.Errorf("model %s has no columns", t.Key())
	}
	for i := range t.Columns {
		if err := checkColumn(&t.Columns[i]); err != nil {
			return err
		}
	}
	s.Set(t)
	return nil
}

// Forward implements [Operation].
func (o CreateModel) Forward(c Change) ([]Action, error) {
	for i := range o.Table.Indexes {
		if err := possible(c.Dialect, &o.Table.Indexes[i]); err != nil {
			return nil, err
		}
	}
	return statements(c.Dialect.CreateTable(c.To.Table(c.App, o.Table.Model))), nil
}

// Reverse implements [Operation].
func (o CreateModel) Reverse(c Change) ([]Action, error) {
	return statements(c.Dialect.DropTable(c.From.Table(c.App, o.Table.Model))), nil
}

// DeleteModel drops the table of a model, with all its rows. Its reverse
// creates the table, empty.
type DeleteModel struct {
	Model string
}

// Describe implements [Operation].
func (o DeleteModel) Describe() string { return "Delete model " + o.Model }

// ChangeState implements [Operation].
func (o DeleteModel) ChangeState(app string, s *State) error {
	t, err := s.lookup(app, o.Model)
	if err != nil {
		return err
	}
	if users := s.referrers(t, ""); len(users) > 0 {
		return fmt.Errorf("model %s is still referenced by %s; remove those first", t.Key(), strings.Join(users, ", "))
	}
	s.Delete(app, o.Model)
	return nil
}

// Forward implements [Operation].
func (o DeleteModel) Forward(c Change) ([]Action, error) {
	return statements(c.Dialect.DropTable(c.From.Table(c.App, o.Model))), nil
}

// Reverse implements [Operation].
func (o DeleteModel) Reverse(c Change) ([]Action, error) {
	return statements(c.Dialect.CreateTable(c.To.Table(c.App, o.Model))), nil
}

// RenameModel gives a model and its table new names. References to the table
// follow.
type RenameModel struct {
	From string // the model's name before: "Post"
	To   string // and after: "Article"; the same to rename the table alone
	// Table is the table's name after: "blog_article".
	// Default: it keeps its name.
	Table string
}

// Describe implements [Operation].
func (o RenameModel) Describe() string {
	if o.From == o.To {
		return fmt.Sprintf("Rename table of %s to %s", o.From, o.Table)
	}
	return fmt.Sprintf("Rename model %s to %s", o.From, o.To)
}

// ChangeState implements [Operation].
func (o RenameModel) ChangeState(app string, s *State) error {
	t, err := s.lookup(app, o.From)
	if err != nil {
		return err
	}
	if o.To == "" {
		return fmt.Errorf("model %s cannot be renamed to nothing", t.Key())
	}
	if o.From != o.To && s.Table(app, o.To) != nil {
		return fmt.Errorf("model %s cannot become %s.%s, which exists already", t.Key(), app, o.To)
	}
	renamed := t.Clone()
	renamed.Model = o.To
	if o.Table != "" {
		if other := s.named(o.Table); other != nil && other.Key() != t.Key() {
			return fmt.Errorf("table %q of %s is the table of %s already", o.Table, t.Key(), other.Key())
		}
		renamed.Name = o.Table
	}
	s.Delete(app, o.From)
	s.Set(renamed)
	s.redirect(
		func(r *schema.Reference) bool { return strings.EqualFold(r.Table, t.Name) },
		func(r *schema.Reference) { r.Table, r.Model = renamed.Name, renamed.Key() })
	return nil
}

// Forward implements [Operation].
func (o RenameModel) Forward(c Change) ([]Action, error) {
	return statements(c.Dialect.RenameTable(c.From.Table(c.App, o.From), c.To.Table(c.App, o.To))), nil
}

// Reverse implements [Operation].
func (o RenameModel) Reverse(c Change) ([]Action, error) {
	return statements(c.Dialect.RenameTable(c.From.Table(c.App, o.To), c.To.Table(c.App, o.From))), nil
}

// AlterComment sets the comment of a model's table.
type AlterComment struct {
	Model   string
	Comment string
}

// Describe implements [Operation].
func (o AlterComment) Describe() string { return "Alter comment of " + o.Model }

// ChangeState implements [Operation].
func (o AlterComment) ChangeState(app string, s *State) error {
	t, err := s.lookup(app, o.Model)
	if err != nil {
		return err
	}
	changed := t.Clone()
	changed.Comment = o.Comment
	s.Set(changed)
	return nil
}

// Forward implements [Operation].
func (o AlterComment) Forward(c Change) ([]Action, error) {
	return statements(c.Dialect.CommentTable(c.To.Table(c.App, o.Model))), nil
}

// Reverse implements [Operation].
func (o AlterComment) Reverse(c Change) ([]Action, error) { return o.Forward(c) }
