package migrate

import (
	"maps"
	"slices"
	"strings"

	"github.com/retort-web/retort/orm/schema"
)

// A database that changes tables in place lets a column and the key that it
// references only be of types that fit, and that key only be a key. When both
// are to change, one after the other, possibly in migrations of two apps, the
// reference is not there in between. Whether it is follows from the state
// alone, so that it holds in both directions.

// reference is a column that references another.
type reference struct {
	table  *schema.Table
	column *schema.Column
}

// enforced reports whether the database can have the reference of a column.
func (s *State) enforced(t *schema.Table, c *schema.Column) bool {
	if c == nil || c.References == nil {
		return false
	}
	target := s.named(c.References.Table)
	if target == nil {
		return true // not a model's table: the database will tell
	}
	key := target.Column(c.References.Column)
	if key == nil {
		return true
	}
	return fits(c, key) && isKey(target, key)
}

func fits(c, key *schema.Column) bool {
	return family(c.Type) == family(key.Type)
}

func family(t schema.Type) schema.Type {
	if t == schema.String {
		return schema.Text
	}
	return t
}

// isKey reports whether no two rows have the same value in a column.
func isKey(t *schema.Table, c *schema.Column) bool {
	if c.Unique || c.PrimaryKey && len(t.PrimaryKey()) == 1 {
		return true
	}
	return slices.ContainsFunc(t.Indexes, func(i schema.Index) bool {
		return i.Unique && i.Where == "" && len(i.Columns) == 1 && i.Columns[0].Name == c.Name
	})
}

// references returns the columns that reference one of a table.
func (s *State) references(t *schema.Table, column string) []reference {
	var all []reference
	for _, other := range s.Tables() {
		for i := range other.Columns {
			r := other.Columns[i].References
			if r != nil && strings.EqualFold(r.Table, t.Name) && strings.EqualFold(r.Column, column) && s.enforced(other, &other.Columns[i]) {
				all = append(all, reference{other, &other.Columns[i]})
			}
		}
	}
	return all
}

// detached returns a table and its column without the column's reference.
func (r reference) detached() (*schema.Table, *schema.Column) {
	bare := r.table.Clone()
	c := bare.Column(r.column.Name)
	c.References = nil
	return bare, c
}

// aroundReferences returns statements that change columns of a model's table,
// with those that take away the references to them before, and add them again
// after.
func (c Change) aroundReferences(model string, columns []string, statements []string) []string {
	if _, rebuilds := c.Dialect.(schema.Rebuilder); rebuilds {
		return statements
	}
	before, after := c.From.Table(c.App, model), c.To.Table(c.App, model)
	var first, last []string
	for _, name := range columns {
		for _, r := range c.From.references(before, name) {
			bare, column := r.detached()
			first = append(first, c.Dialect.AlterColumn(r.table, bare, r.column, column, nil)...)
		}
		for _, r := range c.To.references(after, name) {
			bare, column := r.detached()
			last = append(last, c.Dialect.AlterColumn(bare, r.table, column, r.column, nil)...)
		}
	}
	return slices.Concat(first, statements, last)
}

// keyChanges reports a change of a column that the references to it must not
// see.
func keyChanges(before, after *schema.Table, from, to *schema.Column) bool {
	return from.Type != to.Type || from.Elem != to.Elem || from.Size != to.Size || from.Scale != to.Scale ||
		from.Collation != to.Collation || isKey(before, from) != isKey(after, to) || from.Unique != to.Unique ||
		from.AutoIncrement != to.AutoIncrement || !maps.Equal(from.Native, to.Native)
}
