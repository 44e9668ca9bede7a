package migrate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/retort-web/retort/orm/schema"
)

// MoveModel takes a model over from another app, with its table and rows. It
// is in a migration of the app that the model belongs to afterwards, which
// depends on what the other app did with it; references to the table follow.
type MoveModel struct {
	From string // the model before: "blog.Post"
	// To is its name in this app. Default: the same.
	To string
	// Table is the table's name after: "news_post".
	// Default: it keeps its name.
	Table string
}

// from returns the app and the model before.
func (o MoveModel) from() (app, model string) {
	app, model, _ = strings.Cut(o.From, ".")
	return app, model
}

// to returns the name of the model after.
func (o MoveModel) to() string {
	if o.To != "" {
		return o.To
	}
	_, model := o.from()
	return model
}

// Describe implements [Operation].
func (o MoveModel) Describe() string {
	if _, model := o.from(); o.to() != model {
		return fmt.Sprintf("Move model %s here as %s", o.From, o.To)
	}
	return fmt.Sprintf("Move model %s here", o.From)
}

// ChangeState implements [Operation].
func (o MoveModel) ChangeState(app string, s *State) error {
	fromApp, model := o.from()
	if fromApp == "" || model == "" {
		return fmt.Errorf("MoveModel is from %q; want \"app.Model\"", o.From)
	}
	t, err := s.lookup(fromApp, model)
	if err != nil {
		return err
	}
	if other := s.Table(app, o.to()); other != nil {
		return fmt.Errorf("model %s cannot become %s, which exists already", o.From, other.Key())
	}
	moved := t.Clone()
	moved.App, moved.Model = app, o.to()
	if o.Table != "" {
		if other := s.named(o.Table); other != nil && other != t {
			return fmt.Errorf("table %q of %s is the table of %s already", o.Table, moved.Key(), other.Key())
		}
		moved.Name = o.Table
	}
	s.Delete(fromApp, model)
	s.Set(moved)
	s.redirect(
		func(r *schema.Reference) bool { return strings.EqualFold(r.Table, t.Name) },
		func(r *schema.Reference) { r.Table, r.Model = moved.Name, moved.Key() })
	return nil
}

// Forward implements [Operation].
func (o MoveModel) Forward(c Change) ([]Action, error) {
	app, model := o.from()
	return statements(c.Dialect.RenameTable(c.From.Table(app, model), c.To.Table(c.App, o.to()))), nil
}

// Reverse implements [Operation].
func (o MoveModel) Reverse(c Change) ([]Action, error) {
	app, model := o.from()
	return statements(c.Dialect.RenameTable(c.From.Table(c.App, o.to()), c.To.Table(app, model))), nil
}

// moveModel looks for the declared model of another app that a model which is
// gone became. It asks only about models of the same name.
func (d *detector) moveModel(gone *schema.Table, refused map[[2]string]bool) (bool, error) {
	for _, added := range d.declared {
		pair := [2]string{gone.Key(), added.Key()}
		if added.App == gone.App || d.state.Table(added.App, added.Model) != nil || refused[pair] {
			continue
		}
		moved := strings.EqualFold(added.Name, gone.Name) || d.followsModel(gone, added) || d.told(gone.Key(), added.Key())
		if !moved && added.Model == gone.Model && d.alike(gone, added) {
			var err error
			if moved, err = d.asker.MovedModel(gone, added); err != nil {
				return false, err
			}
			refused[pair] = !moved
		}
		if !moved {
			continue
		}
		operation := MoveModel{From: gone.Key()}
		if added.Model != gone.Model {
			operation.To = added.Model
		}
		if added.Name != gone.Name {
			operation.Table = added.Name
		}
		d.renamed[gone.Key()] = added.Key()
		return true, d.applyIn(added.App, gone, operation)
	}
	return false, nil
}

// movedFrom returns the migrations that took a model over from an app and that
// it does not come after yet: what it does next must.
func (g *Graph) movedFrom(app string) []string {
	before := map[*node]bool{}
	for _, n := range closure(g.leaves(app), parentsOf) {
		before[n] = true
	}
	var ids []string
	for _, n := range g.order {
		moves := slices.ContainsFunc(n.Operations, func(operation Operation) bool {
			o, ok := operation.(MoveModel)
			return ok && strings.HasPrefix(o.From, app+".")
		})
		if moves && !before[n] {
			ids = append(ids, n.id)
		}
	}
	return ids
}
