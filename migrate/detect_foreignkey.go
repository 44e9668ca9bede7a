package migrate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/retort-web/retort/orm/schema"
)

// removeForeignKeys emits the removal of the foreign keys of several columns that are
// gone, changed, or in the way of a change of their columns.
func (d *detector) removeForeignKeys(old, t *schema.Table) {
	for i := range old.ForeignKeys {
		if k := &old.ForeignKeys[i]; !stays(k, old, t) {
			d.removeForeignKey(t, k)
		}
	}
}

func (d *detector) removeForeignKey(t *schema.Table, k *schema.ForeignKey) {
	d.emit(unconstraining, t, RemoveForeignKey{Model: t.Model, Columns: slices.Clone(k.Columns)}).drops = pairs(k)
}

// addForeignKeys emits the foreign keys of several columns that are new or were removed
// for a while.
func (d *detector) addForeignKeys(old, t *schema.Table) {
	for i := range t.ForeignKeys {
		k := &t.ForeignKeys[i]
		if before := old.ForeignKey(k.Columns...); before == nil || !stays(before, old, t) {
			d.addForeignKey(t, k)
		}
	}
}

func (d *detector) addForeignKey(t *schema.Table, k *schema.ForeignKey) {
	d.emit(constraining, t, AddForeignKey{Model: t.Model, ForeignKey: k.Clone()}).refers = pairs(k)
}

// stays reports whether a foreign key is the same in both tables, and its columns are.
func stays(k *schema.ForeignKey, old, t *schema.Table) bool {
	now := t.ForeignKey(k.Columns...)
	if now == nil || !strings.EqualFold(now.Table, k.Table) || !slices.Equal(now.References, k.References) ||
		action(now.OnDelete) != action(k.OnDelete) {
		return false
	}
	return !slices.ContainsFunc(k.Columns, func(name string) bool {
		before, after := old.Column(name), t.Column(name)
		return before == nil || after == nil || !sameColumn(before, after)
	})
}

// pairs are the references of the columns one by one.
func pairs(k *schema.ForeignKey) []*schema.Reference {
	list := make([]*schema.Reference, len(k.References))
	for i, column := range k.References {
		list[i] = &schema.Reference{Table: k.Table, Column: column, OnDelete: k.OnDelete, Model: k.Model}
	}
	return list
}

// foreignKeysTo returns the foreign keys of several columns of t that refer to one of the
// tables, other than itself.
func foreignKeysTo(t *schema.Table, tables []*schema.Table) []schema.ForeignKey {
	var keys []schema.ForeignKey
	for _, k := range t.ForeignKeys {
		if !strings.EqualFold(k.Table, t.Name) && slices.ContainsFunc(tables, func(other *schema.Table) bool { return strings.EqualFold(other.Name, k.Table) }) {
			keys = append(keys, k)
		}
	}
	return keys
}

// checkReference reports a reference to what is not there.
func (d *detector) checkReference(t *schema.Table, column string, r *schema.Reference) error {
	target := d.named(r.Table)
	if target == nil {
		return fmt.Errorf("migrate: %s.%s references table %q, which belongs to none of the program's models; import the package that registers it", t.Key(), column, r.Table)
	}
	if target.Column(r.Column) == nil {
		return fmt.Errorf("migrate: %s.%s references column %q, which %s does not have; it has %s", t.Key(), column, r.Column, target.Key(), columnNames(target))
	}
	return nil
}

// without returns the keys that are not among others.
func without(keys, others []schema.ForeignKey) []schema.ForeignKey {
	return slices.DeleteFunc(slices.Clone(keys), func(k schema.ForeignKey) bool {
		return slices.ContainsFunc(others, func(other schema.ForeignKey) bool { return slices.Equal(other.Columns, k.Columns) })
	})
}
