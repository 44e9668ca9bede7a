package migrate

import (
	"slices"

	"github.com/retort-web/retort/orm/schema"
)

// alter emits what turns a table into its declared form.
func (d *detector) alter(old, t *schema.Table) error {
	key := d.alterKey(old, t)
	old = key.applied(old)
	for i := range old.Columns {
		if c := &old.Columns[i]; t.Column(c.Name) == nil {
			removed := d.emit(removing, t, RemoveField{Model: t.Model, Column: c.Name})
			removed.drops = referenceList(c)
			key.before(removed, c.Name)
		}
	}
	for i := range t.Columns {
		c := &t.Columns[i]
		var err error
		if before := old.Column(c.Name); before == nil {
			err = d.addField(t, c, key)
		} else if !sameColumn(before, c) {
			err = d.alterField(t, before, c, key)
		}
		if err != nil {
			return err
		}
	}
	d.removeForeignKeys(old, t)
	d.alterIndexes(old, t)
	d.addForeignKeys(old, t)
	d.alterChecks(old, t)
	if old.Comment != t.Comment {
		d.emit(altering, t, AlterComment{Model: t.Model, Comment: t.Comment})
	}
	return nil
}

func (d *detector) addField(t *schema.Table, c *schema.Column, key *keyChange) error {
	backfill, err := d.backfill(t, c, true)
	if err != nil {
		return err
	}
	column := c.Clone()
	column.PrimaryKey = c.PrimaryKey && !key.takes(c.Name)
	added := d.emit(adding, t, AddField{Model: t.Model, Column: column, Backfill: backfill})
	added.refers = referenceList(c)
	if key.takes(c.Name) {
		key.change.before = append(key.change.before, added)
	} else {
		key.before(added, c.Name)
	}
	return nil
}

func (d *detector) alterField(t *schema.Table, before, c *schema.Column, key *keyChange) error {
	var backfill *string
	if before.Null && !c.Null {
		var err error
		if backfill, err = d.backfill(t, c, false); err != nil {
			return err
		}
	}
	altered := d.emit(altering, t, AlterField{Model: t.Model, Column: c.Clone(), Backfill: backfill})
	altered.refers, altered.drops = referenceList(c), referenceList(before)
	key.before(altered, c.Name)
	return nil
}

// keyChange is the change of a primary key to other columns. It is one step,
// because a part of a key is mostly not unique. Nil is no change.
type keyChange struct {
	change   *change
	old, new []string
	// drops says that the key is only taken away, because the new one is a
	// column that is yet to be added and counts up by itself.
	drops bool
}

func (d *detector) alterKey(old, t *schema.Table) *keyChange {
	k := &keyChange{old: columnsOf(old.PrimaryKey()), new: columnsOf(t.PrimaryKey())}
	if slices.Equal(slices.Sorted(slices.Values(k.old)), slices.Sorted(slices.Values(k.new))) {
		return nil
	}
	k.drops = len(k.new) == 1 && old.Column(k.new[0]) == nil && t.Column(k.new[0]).AutoIncrement
	if k.drops {
		k.change = d.emit(unconstraining, t, AlterPrimaryKey{Model: t.Model})
	} else {
		k.change = d.emit(adding, t, AlterPrimaryKey{Model: t.Model, Columns: k.new})
	}
	return k
}

// applied returns the table with as much of the new key as it has columns for.
func (k *keyChange) applied(t *schema.Table) *schema.Table {
	if k == nil {
		return t
	}
	var existing []string
	for _, name := range k.new {
		if t.Column(name) != nil {
			existing = append(existing, name)
		}
	}
	return withKey(t, existing)
}

// takes reports whether the change makes a column part of the key, so that the
// column must be there before it.
func (k *keyChange) takes(column string) bool {
	return k != nil && !k.drops && slices.Contains(k.new, column)
}

// before puts the change of the key before another change of a column that is
// in one of the two keys.
func (k *keyChange) before(c *change, column string) {
	if k != nil && (slices.Contains(k.old, column) || slices.Contains(k.new, column)) {
		c.before = append(c.before, k.change)
	}
}

func columnsOf(columns []schema.Column) []string {
	names := make([]string, len(columns))
	for i := range columns {
		names[i] = columns[i].Name
	}
	return names
}

func referenceList(c *schema.Column) []*schema.Reference {
	if c.References == nil {
		return nil
	}
	return []*schema.Reference{c.References}
}

// backfill asks for the value of existing rows where one is needed.
func (d *detector) backfill(t *schema.Table, c *schema.Column, added bool) (*string, error) {
	if c.Null || c.Default != nil || c.DefaultNow || c.Generated != "" || c.AutoIncrement {
		return nil, nil
	}
	value, err := d.asker.Backfill(t, c, added)
	if err != nil || value == nil {
		return nil, err
	}
	literal, err := Literal(c, *value)
	if err != nil {
		return nil, err
	}
	return &literal, nil
}

func (d *detector) alterIndexes(old, t *schema.Table) {
	renamed := d.renameIndexes(old, t)
	for i := range old.Indexes {
		index := &old.Indexes[i]
		if renamed[index.Name] {
			continue
		}
		if now := t.Index(index.Name); now == nil || !sameIndex(index, now) {
			d.emit(unconstraining, t, RemoveIndex{Model: t.Model, Name: index.Name})
		}
	}
	for i := range t.Indexes {
		index := &t.Indexes[i]
		if renamed[index.Name] {
			continue
		}
		if before := old.Index(index.Name); before == nil || !sameIndex(before, index) {
			d.emit(constraining, t, AddIndex{Model: t.Model, Index: index.Clone()})
		}
	}
}

// renameIndexes emits the renames of indexes that are the same but for their
// names, as after the rename of a model, and returns both their names.
func (d *detector) renameIndexes(old, t *schema.Table) map[string]bool {
	renamed := map[string]bool{}
	for i := range old.Indexes {
		gone := &old.Indexes[i]
		if t.Index(gone.Name) != nil {
			continue
		}
		for n := range t.Indexes {
			added := &t.Indexes[n]
			if old.Index(added.Name) == nil && !renamed[added.Name] && sameIndex(gone, added) {
				renamed[gone.Name], renamed[added.Name] = true, true
				d.emit(constraining, t, RenameIndex{Model: t.Model, From: gone.Name, To: added.Name})
				break
			}
		}
	}
	return renamed
}

func (d *detector) alterChecks(old, t *schema.Table) {
	for _, check := range old.Checks {
		if now := t.Check(check.Name); now == nil || now.SQL != check.SQL {
			d.emit(unconstraining, t, RemoveCheck{Model: t.Model, Name: check.Name})
		}
	}
	for _, check := range t.Checks {
		if before := old.Check(check.Name); before == nil || before.SQL != check.SQL {
			d.emit(constraining, t, AddCheck{Model: t.Model, Check: check})
		}
	}
}
