package migrate

import (
	"fmt"

	"github.com/retort-web/retort/orm/schema"
)

// RenameIndex gives an index of a model's table another name. A database that
// cannot do that builds it anew.
type RenameIndex struct {
	Model    string
	From, To string
}

// Describe implements [Operation].
func (o RenameIndex) Describe() string {
	return fmt.Sprintf("Rename index %s on %s to %s", o.From, o.Model, o.To)
}

// ChangeState implements [Operation].
func (o RenameIndex) ChangeState(app string, s *State) error {
	t, err := s.lookup(app, o.Model)
	if err != nil {
		return err
	}
	switch {
	case t.Index(o.From) == nil:
		return fmt.Errorf("%s has no index %s at this point", t.Key(), o.From)
	case o.To == "":
		return fmt.Errorf("index %s of %s cannot be renamed to nothing", o.From, t.Key())
	case t.Index(o.To) != nil:
		return fmt.Errorf("%s has an index %s already", t.Key(), o.To)
	}
	changed := t.Clone()
	changed.Index(o.From).Name = o.To
	s.Set(changed)
	return nil
}

// Forward implements [Operation].
func (o RenameIndex) Forward(c Change) ([]Action, error) { return o.rename(c, o.From, o.To), nil }

// Reverse implements [Operation].
func (o RenameIndex) Reverse(c Change) ([]Action, error) { return o.rename(c, o.To, o.From), nil }

func (o RenameIndex) rename(c Change, from, to string) []Action {
	before, after := c.From.Table(c.App, o.Model), c.To.Table(c.App, o.Model)
	old, now := before.Index(from), after.Index(to)
	if r, ok := c.Dialect.(schema.IndexRenamer); ok {
		return statements(r.RenameIndex(before, old, now))
	}
	return statements(append(c.Dialect.DropIndex(before, old), c.Dialect.CreateIndex(after, now)...))
}
