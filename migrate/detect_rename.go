package migrate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/retort-web/retort/orm/schema"
)

// renames finds models and columns that live on under another name, emits
// their changes and applies them to the state.
func (d *detector) renames() error {
	refused := map[[2]string]bool{}
	// A rename can make other tables alike, which reference the renamed one.
	for again := true; again; {
		again = false
		for _, t := range d.state.Tables() {
			t = d.state.tables[t.Key()]
			if t == nil || d.target.Table(t.App, t.Model) != nil {
				continue
			}
			renamed, err := d.renameModel(t, refused)
			if err == nil && !renamed {
				renamed, err = d.moveModel(t, refused)
			}
			if err != nil {
				return err
			}
			again = again || renamed
		}
	}
	for _, t := range d.declared {
		old := d.state.Table(t.App, t.Model)
		if old == nil {
			continue
		}
		if old.Name != t.Name {
			if err := d.apply(old, RenameModel{From: t.Model, To: t.Model, Table: t.Name}); err != nil {
				return err
			}
		}
		for _, owner := range parts(t) {
			if err := d.renameFields(t.Part(owner), owner); err != nil {
				return err
			}
		}
	}
	return nil
}

// apply emits a rename and does it to the state.
func (d *detector) apply(t *schema.Table, operation Operation) error {
	return d.applyIn(t.App, t, operation)
}

// applyIn is apply for an operation that may be another app's.
func (d *detector) applyIn(app string, t *schema.Table, operation Operation) error {
	c := d.emit(renaming, t, operation)
	switch o := operation.(type) {
	case RenameModel:
		c.table = t.App + "." + o.To
		c.settles = t.App
	case MoveModel:
		c.app = app
		c.table = app + "." + o.to()
		c.settles = t.App
		c.use(t.App)
		for _, referrer := range d.state.referrers(t, "") {
			c.use(referrer[:strings.Index(referrer, ".")])
		}
	case RenameField:
		for _, referrer := range d.state.referrers(d.state.tables[c.table], o.From) {
			c.use(referrer[:strings.Index(referrer, ".")])
		}
	}
	for _, earlier := range d.changes[:len(d.changes)-1] {
		if earlier.phase == renaming && earlier.app == c.app {
			c.before = append(c.before, earlier)
		}
	}
	return operation.ChangeState(app, d.state)
}

// renameModel looks for the declared model that a model which is gone became.
func (d *detector) renameModel(gone *schema.Table, refused map[[2]string]bool) (bool, error) {
	for _, added := range d.declared {
		pair := [2]string{gone.Key(), added.Key()}
		if added.App != gone.App || d.state.Table(added.App, added.Model) != nil || refused[pair] {
			continue
		}
		renamed := strings.EqualFold(added.Name, gone.Name) || d.followsModel(gone, added) || d.told(gone.Key(), added.Model)
		if !renamed && d.alike(gone, added) {
			var err error
			if renamed, err = d.asker.RenamedModel(gone, added); err != nil {
				return false, err
			}
			refused[pair] = !renamed
		}
		if !renamed {
			continue
		}
		operation := RenameModel{From: gone.Model, To: added.Model}
		if added.Name != gone.Name {
			operation.Table = added.Name
		}
		d.renamed[gone.Key()] = added.Key()
		return true, d.apply(gone, operation)
	}
	return false, nil
}

// told reports whether the rename was given beforehand, so that it holds even
// where the two are not alike.
func (d *detector) told(gone, added string) bool {
	return added != "" && d.given()[gone] == added
}

// given returns the renames that were given beforehand.
func (d *detector) given() map[string]string {
	if asker, ok := d.asker.(interface{ given() Answers }); ok {
		return asker.given().Renames
	}
	return nil
}

// allGivenUsed reports renames that were given but fit nothing: a slip there
// would drop what was to be kept.
func (d *detector) allGivenUsed() error {
	for gone, to := range d.given() {
		used := slices.ContainsFunc(d.changes, func(c *change) bool {
			switch o := c.operation.(type) {
			case RenameModel:
				return gone == c.app+"."+o.From && to == o.To
			case MoveModel:
				return gone == o.From && to == c.app+"."+o.to()
			case RenameField:
				return gone == schema.KeyOf(c.app, o.Model)+"."+o.From && to == o.To
			}
			return false
		})
		if !used {
			return fmt.Errorf("migrate: the rename of %s to %s was given, but there is no such change; write it as app.Model=NewModel, app.Model=other.Model or app.Model.column=new_column", gone, to)
		}
	}
	return nil
}

// followsModel reports whether a join table only has a new name because the
// model it belongs to was renamed: Post_tags follows Post to Article_tags.
func (d *detector) followsModel(gone, added *schema.Table) bool {
	for from, to := range d.renamed {
		field, ok := strings.CutPrefix(gone.Key(), from+"_")
		if ok && added.Key() == to+"_"+field && len(gone.Columns) == len(added.Columns) {
			return true
		}
	}
	return false
}

// alike reports whether a declared table has the columns of one that is gone,
// when references to itself are taken as such.
func (d *detector) alike(gone, added *schema.Table) bool {
	if len(gone.Columns) != len(added.Columns) {
		return false
	}
	for i := range gone.Columns {
		before := gone.Columns[i].Clone()
		now := added.Column(before.Name)
		if now == nil {
			return false
		}
		if r := before.References; r != nil {
			if strings.EqualFold(r.Table, gone.Name) {
				r.Table = added.Name
			}
		}
		if !sameColumn(&before, now) {
			return false
		}
	}
	return true
}

// renameFields looks for columns of a declared table, of the part of one owner, that had
// another name.
func (d *detector) renameFields(t *schema.Table, owner string) error {
	var added []*schema.Column
	old := d.state.Table(t.App, t.Model).Part(owner)
	for i := range t.Columns {
		if old.Column(t.Columns[i].Name) == nil {
			added = append(added, &t.Columns[i])
		}
	}
	for _, certain := range []bool{true, false} {
		for i := range old.Columns {
			gone := &old.Columns[i]
			if t.Column(gone.Name) != nil || d.state.Table(t.App, t.Model).Column(gone.Name) == nil {
				continue
			}
			for n, now := range added {
				renamed, err := d.renamedField(t, gone, now, certain)
				if err != nil {
					return err
				}
				if !renamed {
					continue
				}
				operation := RenameField{Model: t.Model, From: gone.Name, To: now.Name}
				if now.Field != gone.Field {
					operation.Field = now.Field
				}
				if err := d.apply(t, operation); err != nil {
					return err
				}
				added = slices.Delete(added, n, n+1)
				break
			}
		}
	}
	return nil
}

// renamedField decides whether a column is another under a new name. It is
// certain when the field is the same and only its column is called otherwise,
// and when a join table's column follows the model it references.
func (d *detector) renamedField(t *schema.Table, gone, now *schema.Column, certain bool) (bool, error) {
	if certain {
		return gone.Field != "" && gone.Field == now.Field || d.followsReference(t, gone, now), nil
	}
	current := d.state.Table(t.App, t.Model).Column(gone.Name)
	switch {
	case d.told(t.Key()+"."+gone.Name, now.Name):
		return true, nil
	case current.Type != now.Type || !sameTarget(current.References, now.References):
		return false, nil
	}
	return d.asker.RenamedField(t, current, now)
}

// followsReference reports whether a column of a join table has a new name
// because the model it references was renamed.
func (d *detector) followsReference(t *schema.Table, gone, now *schema.Column) bool {
	if !strings.Contains(t.Model, "_") || now.References == nil {
		return false
	}
	current := d.state.Table(t.App, t.Model).Column(gone.Name)
	if current == nil || !sameDefinition(current, now) {
		return false
	}
	target := d.named(now.References.Table)
	for _, to := range d.renamed {
		if target != nil && to == target.Key() {
			return true
		}
	}
	return false
}

// sameTarget reports whether two columns reference the same column, or none.
func sameTarget(a, b *schema.Reference) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Table == b.Table && a.Column == b.Column
}
