package schema

import "strings"

// CreateTables returns the statements that create tables from nothing, in an order
// in which what is referenced exists. References that lead in a circle are added
// at the end. SQLite, which looks at references only when rows are written, gets
// the tables as they come.
func CreateTables(d Dialect, tables []*Table) []string {
	c := creation{dialect: d, state: make(map[string]progress, len(tables)), named: make(map[string]*Table, len(tables))}
	for _, t := range tables {
		c.named[strings.ToLower(t.Name)] = t
	}
	for _, t := range tables {
		c.create(t)
	}
	return append(c.statements, c.late...)
}

type progress int

const (
	untouched progress = iota
	begun
	created
)

// creation is a walk along the references, depth first.
type creation struct {
	dialect    Dialect
	named      map[string]*Table
	state      map[string]progress
	statements []string
	late       []string
}

func (c *creation) create(t *Table) {
	if c.state[t.Name] != untouched {
		return
	}
	c.state[t.Name] = begun
	var missing []int // columns that reference a table which waits for this one
	for i, column := range t.Columns {
		if column.References != nil && !c.ready(t, column.References.Table) {
			missing = append(missing, i)
		}
	}
	first := t.Clone()
	first.ForeignKeys = nil
	var lateKeys []ForeignKey
	for _, k := range t.ForeignKeys {
		if c.ready(t, k.Table) {
			first.ForeignKeys = append(first.ForeignKeys, k)
		} else {
			lateKeys = append(lateKeys, k)
		}
	}
	for _, i := range missing {
		first.Columns[i].References = nil
	}
	c.statements = append(c.statements, c.dialect.CreateTable(first)...)
	for _, i := range missing {
		after := first.Clone()
		after.Columns[i] = t.Columns[i].Clone()
		c.late = append(c.late, c.dialect.AlterColumn(first, after, &first.Columns[i], &after.Columns[i], nil)...)
		first = after
	}
	for i := range lateKeys {
		after := first.Clone()
		after.ForeignKeys = append(after.ForeignKeys, lateKeys[i])
		c.late = append(c.late, c.dialect.AddForeignKey(first, after, &lateKeys[i])...)
		first = after
	}
	c.state[t.Name] = created
}

// ready creates a table that t references, and reports whether it is there.
func (c *creation) ready(t *Table, name string) bool {
	to := c.named[strings.ToLower(name)]
	if c.dialect.Name() == "sqlite" || to == nil || to == t {
		return true
	}
	c.create(to)
	return c.state[to.Name] == created
}
