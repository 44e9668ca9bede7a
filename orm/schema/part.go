package schema

import (
	"slices"
	"strings"
)

// KeyOf names a table in a set of tables, "blog.Post", as an app knows it: its own by the
// model, and those of other apps, which it extends, by their key.
func KeyOf(app, model string) string {
	if strings.Contains(model, ".") {
		return model
	}
	return app + "." + model
}

// OwnedBy returns a copy of which everything belongs to an app that extends the table.
func (t *Table) OwnedBy(app string) *Table {
	n := t.Clone()
	for i := range n.Columns {
		n.Columns[i].Owner = app
	}
	for i := range n.Indexes {
		n.Indexes[i].Owner = app
	}
	for i := range n.ForeignKeys {
		n.ForeignKeys[i].Owner = app
	}
	for i := range n.Checks {
		n.Checks[i].Owner = app
	}
	return n
}

// Owners returns the apps that extend the table, in the order of its parts.
func (t *Table) Owners() []string {
	var owners []string
	add := func(owner string) {
		if owner != "" && !slices.Contains(owners, owner) {
			owners = append(owners, owner)
		}
	}
	for i := range t.Columns {
		add(t.Columns[i].Owner)
	}
	for i := range t.Indexes {
		add(t.Indexes[i].Owner)
	}
	for i := range t.ForeignKeys {
		add(t.ForeignKeys[i].Owner)
	}
	for i := range t.Checks {
		add(t.Checks[i].Owner)
	}
	return owners
}

// Part returns a copy with what belongs to an app that extends the table, and of which the
// table is then known as that app's migrations know it: by its key. For "" it is what the
// table's own app has made.
func (t *Table) Part(owner string) *Table {
	n := t.Clone()
	if owner != "" {
		n.App, n.Model, n.Comment = owner, t.Key(), ""
	}
	n.Columns = slices.DeleteFunc(n.Columns, func(c Column) bool { return c.Owner != owner })
	n.Indexes = slices.DeleteFunc(n.Indexes, func(i Index) bool { return i.Owner != owner })
	n.ForeignKeys = slices.DeleteFunc(n.ForeignKeys, func(k ForeignKey) bool { return k.Owner != owner })
	n.Checks = slices.DeleteFunc(n.Checks, func(c Check) bool { return c.Owner != owner })
	return n
}
