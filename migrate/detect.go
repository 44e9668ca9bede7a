package migrate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/retort-web/retort/orm/schema"
)

// detector compares the state of the migrations with the declared tables.
//
// It first settles what was renamed, and applies that to its copy of the
// state; after that, tables are the same when their keys are, and columns when
// their database names are. The Go names of fields only serve to recognise
// renames: to change one without the column changes nothing in the database
// and makes no migration.
type detector struct {
	state    *State                   // with the renames found so far
	declared []*schema.Table          // in the order given
	target   *State                   // the declared tables by key
	byName   map[string]*schema.Table // the declared tables by name in lower case
	asker    Asker
	renamed  map[string]string // old key to new key of the models renamed in this run
	changes  []*change
}

// change is an operation of an app and what must come before it.
type change struct {
	app       string
	operation Operation
	phase     phase
	sequence  int
	table     string              // key of the table it is about
	refers    []*schema.Reference // references that it makes
	drops     []*schema.Reference // references that it takes away
	before    []*change           // changes that must come first
	uses      []string            // apps whose newest migration must come first
	// settles is the app whose table loses its name, so that whatever other
	// apps did with it before must come first.
	settles string
	rollout rollout // when it is done, if there is to be no downtime
}

// use adds an app whose newest migration must come first.
func (c *change) use(app string) {
	if app != c.app && !slices.Contains(c.uses, app) {
		c.uses = append(c.uses, app)
	}
}

// phase is the order in which changes come if nothing else decides.
type phase int

const (
	renaming phase = iota
	unconstraining
	creating
	adding
	removing // after adding, since a table must not be without columns
	altering
	deleting
	constraining
)

// detect returns the changes that turn the state into the declared tables, in
// an order in which they can be done.
func detect(state *State, declared []*schema.Table, asker Asker) ([]*change, error) {
	d := &detector{state: state.clone(), declared: declared, target: NewState(), byName: make(map[string]*schema.Table, len(declared)), asker: asker, renamed: map[string]string{}}
	if err := d.validate(); err != nil {
		return nil, err
	}
	if err := d.renames(); err != nil {
		return nil, err
	}
	if err := d.allGivenUsed(); err != nil {
		return nil, err
	}
	var gone, added []*schema.Table
	for _, t := range d.state.Tables() {
		if d.target.Table(t.App, t.Model) == nil {
			gone = append(gone, t)
		}
	}
	for _, t := range declared {
		if old := d.state.Table(t.App, t.Model); old == nil {
			added = append(added, t)
		} else if err := d.alterParts(old, t); err != nil {
			return nil, err
		}
	}
	if err := d.createParts(added); err != nil {
		return nil, err
	}
	d.delete(gone)
	d.link()
	return arrange(d.changes)
}

// validate fills the target and reports what no migration could make.
func (d *detector) validate() error {
	for _, t := range d.declared {
		if d.target.Table(t.App, t.Model) != nil {
			return fmt.Errorf("migrate: model %s is declared twice", t.Key())
		}
		if other := d.named(t.Name); other != nil {
			return fmt.Errorf("migrate: models %s and %s both have the table %q", other.Key(), t.Key(), t.Name)
		}
		d.target.Set(t)
		d.byName[strings.ToLower(t.Name)] = t
	}
	for _, t := range d.declared {
		for i := range t.Columns {
			c := &t.Columns[i]
			if err := checkColumn(c); err != nil {
				return fmt.Errorf("migrate: %s: %w", t.Key(), err)
			}
			if c.References != nil {
				if err := d.checkReference(t, c.Name, c.References); err != nil {
					return err
				}
			}
		}
		for _, k := range t.ForeignKeys {
			for i, r := range pairs(&k) {
				if err := d.checkReference(t, k.Columns[i], r); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// named returns the declared table of a database name, or nil.
func (d *detector) named(name string) *schema.Table { return d.byName[strings.ToLower(name)] }

// emit adds a change to a table.
func (d *detector) emit(p phase, t *schema.Table, operation Operation) *change {
	c := &change{app: t.App, operation: operation, phase: p, sequence: len(d.changes), table: t.Key()}
	if base, _, extends := strings.Cut(t.Model, "."); extends {
		c.use(base)
	}
	d.changes = append(d.changes, c)
	return c
}

// create emits the models to create, each after those it references. A circle
// of references is cut: one table comes first without the reference, which is
// added when the other is there.
func (d *detector) create(added []*schema.Table) {
	waiting := slices.Clone(added)
	for len(waiting) > 0 {
		next := fewest(waiting, func(t *schema.Table) int {
			return len(references(t, waiting)) + len(foreignKeysTo(t, waiting))
		})
		t := waiting[next]
		table := t.Clone()
		table.App = "" // it is that of the migration
		late := references(t, waiting)
		for _, i := range late {
			table.Columns[i].References = nil
		}
		lateKeys := foreignKeysTo(t, waiting)
		table.ForeignKeys = without(table.ForeignKeys, lateKeys)
		d.emit(creating, t, CreateModel{Table: *table}).refers = referencesOf(table)
		for _, i := range late {
			column := t.Columns[i].Clone()
			d.emit(altering, t, AlterField{Model: t.Model, Column: column}).refers = []*schema.Reference{column.References}
		}
		for i := range lateKeys {
			d.addForeignKey(t, &lateKeys[i])
		}
		waiting = slices.Delete(waiting, next, next+1)
	}
}

// delete emits the models to delete, each before those it references. A circle
// of references is cut by taking one away first.
func (d *detector) delete(gone []*schema.Table) {
	waiting := slices.Clone(gone)
	for i := range waiting {
		waiting[i] = waiting[i].Clone() // references that are cut go out of the copy
	}
	for len(waiting) > 0 {
		next := fewest(waiting, func(t *schema.Table) int {
			n := 0
			for _, other := range waiting {
				if other != t {
					n += len(references(other, []*schema.Table{t})) + len(foreignKeysTo(other, []*schema.Table{t}))
				}
			}
			return n
		})
		t := waiting[next]
		for _, other := range waiting {
			if other == t {
				continue
			}
			for _, i := range references(other, []*schema.Table{t}) {
				c := &other.Columns[i]
				cut := c.References
				c.References = nil
				d.emit(unconstraining, other, AlterField{Model: other.Model, Column: c.Clone()}).drops = []*schema.Reference{cut}
			}
			cut := foreignKeysTo(other, []*schema.Table{t})
			for i := range cut {
				d.removeForeignKey(other, &cut[i])
			}
			other.ForeignKeys = without(other.ForeignKeys, cut)
		}
		c := d.emit(deleting, t, DeleteModel{Model: t.Model})
		c.drops, c.settles = referencesOf(t), t.App
		waiting = slices.Delete(waiting, next, next+1)
	}
}

// fewest returns the index of the first table for which count is the least.
func fewest(tables []*schema.Table, count func(*schema.Table) int) int {
	best, least := 0, -1
	for i, t := range tables {
		n := count(t)
		if n == 0 {
			return i
		}
		if least < 0 || n < least {
			best, least = i, n
		}
	}
	return best
}

// references returns the columns of t that reference one of the tables, other
// than itself.
func references(t *schema.Table, tables []*schema.Table) []int {
	var columns []int
	for i := range t.Columns {
		r := t.Columns[i].References
		if r == nil || strings.EqualFold(r.Table, t.Name) {
			continue
		}
		if slices.ContainsFunc(tables, func(other *schema.Table) bool { return strings.EqualFold(other.Name, r.Table) }) {
			columns = append(columns, i)
		}
	}
	return columns
}

func referencesOf(t *schema.Table) []*schema.Reference {
	var all []*schema.Reference
	for i := range t.Columns {
		if r := t.Columns[i].References; r != nil && !strings.EqualFold(r.Table, t.Name) {
			all = append(all, r)
		}
	}
	for i := range t.ForeignKeys {
		if k := &t.ForeignKeys[i]; !strings.EqualFold(k.Table, t.Name) {
			all = append(all, pairs(k)...)
		}
	}
	return all
}
