package migrate

import (
	"fmt"
	"maps"
	"sort"
	"strings"

	"github.com/retort-web/retort/orm/schema"
)

// State is the tables as a number of migrations leave them. It is replayed
// from operations and never read from a database.
//
// The tables in it are shared between states and must not be changed; an
// operation puts a changed copy in their place with [State.Set].
type State struct {
	tables map[string]*schema.Table // by Table.Key
}

// NewState returns a state of the given tables.
func NewState(tables ...*schema.Table) *State {
	s := &State{tables: make(map[string]*schema.Table, len(tables))}
	for _, t := range tables {
		s.tables[t.Key()] = t
	}
	return s
}

// Table returns a table by app and model, or nil. A model of another app is named with
// it: "auth.User".
func (s *State) Table(app, model string) *schema.Table {
	return s.tables[schema.KeyOf(app, model)]
}

// ownerOf is who owns what an app's operation adds to a model's table: nobody but the
// table itself, unless the model is named with its app because another extends it.
func ownerOf(app, model string) string {
	if strings.Contains(model, ".") {
		return app
	}
	return ""
}

// Tables returns all tables in the order of their keys.
func (s *State) Tables() []*schema.Table {
	tables := make([]*schema.Table, 0, len(s.tables))
	for _, t := range s.tables {
		tables = append(tables, t)
	}
	sort.Slice(tables, func(i, j int) bool { return tables[i].Key() < tables[j].Key() })
	return tables
}

// Set adds a table or replaces the one of the same app and model.
func (s *State) Set(t *schema.Table) { s.tables[t.Key()] = t }

// Delete removes a table.
func (s *State) Delete(app, model string) { delete(s.tables, schema.KeyOf(app, model)) }

// clone returns a state that can change without changing s.
func (s *State) clone() *State { return &State{tables: maps.Clone(s.tables)} }

// lookup returns a table or an error for a migration that names a wrong one.
func (s *State) lookup(app, model string) (*schema.Table, error) {
	if t := s.Table(app, model); t != nil {
		return t, nil
	}
	return nil, fmt.Errorf("no model %s exists at this point; an earlier migration must create it", schema.KeyOf(app, model))
}

// column returns a table and one of its columns, or an error.
func (s *State) column(app, model, column string) (*schema.Table, *schema.Column, error) {
	t, err := s.lookup(app, model)
	if err != nil {
		return nil, nil, err
	}
	if c := t.Column(column); c != nil {
		return t, c, nil
	}
	return nil, nil, fmt.Errorf("%s has no column %q at this point; it has %s", t.Key(), column, columnNames(t))
}

// named returns the table of a database name, or nil.
func (s *State) named(name string) *schema.Table {
	for _, t := range s.tables {
		if strings.EqualFold(t.Name, name) {
			return t
		}
	}
	return nil
}

// redirect changes all references for which match holds.
func (s *State) redirect(match func(*schema.Reference) bool, change func(*schema.Reference)) {
	for key, t := range s.tables {
		var copied *schema.Table
		for i := range t.Columns {
			if r := t.Columns[i].References; r == nil || !match(r) {
				continue
			}
			if copied == nil {
				copied = t.Clone()
			}
			change(copied.Columns[i].References)
		}
		for i := range t.ForeignKeys {
			for n, r := range pairs(&t.ForeignKeys[i]) {
				if !match(r) {
					continue
				}
				if copied == nil {
					copied = t.Clone()
				}
				change(r)
				k := &copied.ForeignKeys[i]
				k.Table, k.Model, k.References[n] = r.Table, r.Model, r.Column
			}
		}
		if copied != nil {
			s.tables[key] = copied
		}
	}
}

// referrers returns the columns of other tables that reference a table, or one
// column of it, as "app.Model.column".
func (s *State) referrers(t *schema.Table, column string) []string {
	var names []string
	for _, other := range s.Tables() {
		if other.Key() == t.Key() {
			continue
		}
		for i := range other.Columns {
			r := other.Columns[i].References
			if r != nil && strings.EqualFold(r.Table, t.Name) && (column == "" || strings.EqualFold(r.Column, column)) {
				names = append(names, other.Key()+"."+other.Columns[i].Name)
			}
		}
		for _, k := range other.ForeignKeys {
			for i, r := range k.References {
				if strings.EqualFold(k.Table, t.Name) && (column == "" || strings.EqualFold(r, column)) {
					names = append(names, other.Key()+"."+k.Columns[i])
				}
			}
		}
	}
	return names
}

func columnNames(t *schema.Table) string {
	names := make([]string, len(t.Columns))
	for i := range t.Columns {
		names[i] = t.Columns[i].Name
	}
	return strings.Join(names, ", ")
}

// checkColumn reports a column that no dialect could create.
func checkColumn(c *schema.Column) error {
	switch {
	case c.Name == "":
		return fmt.Errorf("a column has no name (field %q)", c.Field)
	case !c.Type.Known():
		return fmt.Errorf("column %q has the unknown type %q", c.Name, c.Type)
	case c.AutoIncrement && !c.PrimaryKey:
		return fmt.Errorf("column %q counts up but is not the primary key", c.Name)
	}
	return nil
}
