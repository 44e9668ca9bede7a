package migrate

import (
	"slices"

	"github.com/retort-web/retort/orm/schema"
)

// A table may be extended by another app's model, whose part of it is that app's affair:
// each part is compared with what the state has of it, and neither app undoes what the
// other has done. The parts of a table are its own, whose owner is "", and one for each
// app that extends it.

// parts are the owners of the parts of tables.
func parts(tables ...*schema.Table) []string {
	owners := []string{""}
	for _, t := range tables {
		for _, owner := range t.Owners() {
			if !slices.Contains(owners, owner) {
				owners = append(owners, owner)
			}
		}
	}
	return owners
}

// alterParts emits what turns a table into its declared form, each part by its app.
func (d *detector) alterParts(old, t *schema.Table) error {
	for _, owner := range parts(old, t) {
		if err := d.alter(old.Part(owner), t.Part(owner)); err != nil {
			return err
		}
	}
	return nil
}

// createParts emits the models to create, and then what other apps add to them.
func (d *detector) createParts(added []*schema.Table) error {
	own := make([]*schema.Table, len(added))
	for i, t := range added {
		own[i] = t.Part("")
	}
	d.create(own)
	for i, t := range added {
		bare := &schema.Table{App: own[i].App, Model: own[i].Model, Name: own[i].Name}
		for _, owner := range t.Owners() {
			if err := d.alter(bare.Part(owner), t.Part(owner)); err != nil {
				return err
			}
		}
	}
	return nil
}
