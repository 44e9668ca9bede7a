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
	state    *State          // with the renames found so far
	declared []*schema.Table // in the order given
	target   *State          // the declared tables by key
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
	// settles says that whatever other apps did with the table before must
	// come first, since its name will be gone.
	settles bool
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
	removing
	adding
	altering
	deleting
	constraining
)

// detect returns the changes that turn the state into the declared tables, in
// an order in which they can be done.
func detect(state *State, declared []*schema.Table, asker Asker) ([]*change, error) {
	d := &detector{state: state.clone(), declared: declared, target: NewState(), asker: asker, renamed: map[string]string{}}
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
		old := d.state.Table(t.App, t.Model)
		if old == nil {
			added = append(added, t)
		} else if err := d.alter(old, t); err != nil {
			return nil, err
		}
	}
	d.create(added)
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
		if other := d.target.named(t.Name); other != nil {
			return fmt.Errorf("migrate: models %s and %s both have the table %q", other.Key(), t.Key(), t.Name)
		}
		d.target.Set(t)
	}
	for _, t := range d.declared {
		for i := range t.Columns {
			c := &t.Columns[i]
			if err := checkColumn(c); err != nil {
				return fmt.Errorf("migrate: %s: %w", t.Key(), err)
			}
			if c.References == nil {
				continue
			}
			target := d.target.named(c.References.Table)
			if target == nil {
				return fmt.Errorf("migrate: %s.%s references table %q, which belongs to none of the program's models; import the package that registers it", t.Key(), c.Name, c.References.Table)
			}
			if target.Column(c.References.Column) == nil {
				return fmt.Errorf("migrate: %s.%s references column %q, which %s does not have; it has %s", t.Key(), c.Name, c.References.Column, target.Key(), columnNames(target))
			}
		}
	}
	return nil
}

// emit adds a change to a table.
func (d *detector) emit(p phase, t *schema.Table, operation Operation) *change {
	c := &change{app: t.App, operation: operation, phase: p, sequence: len(d.changes), table: t.Key()}
	d.changes = append(d.changes, c)
	return c
}

// create emits the models to create, each after those it references. A circle
// of references is cut: one table comes first without the reference, which is
// added when the other is there.
func (d *detector) create(added []*schema.Table) {
	waiting := slices.Clone(added)
	for len(waiting) > 0 {
		next := fewest(waiting, func(t *schema.Table) int { return len(references(t, waiting)) })
		t := waiting[next]
		table := t.Clone()
		table.App = "" // it is that of the migration
		late := references(t, waiting)
		for _, i := range late {
			table.Columns[i].References = nil
		}
		d.emit(creating, t, CreateModel{Table: *table}).refers = referencesOf(table)
		for _, i := range late {
			column := t.Columns[i].Clone()
			d.emit(altering, t, AlterField{Model: t.Model, Column: column}).refers = []*schema.Reference{column.References}
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
					n += len(references(other, []*schema.Table{t}))
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
		}
		c := d.emit(deleting, t, DeleteModel{Model: t.Model})
		c.drops, c.settles = referencesOf(t), true
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
	return all
}

// alter emits what turns a table into its declared form.
func (d *detector) alter(old, t *schema.Table) error {
	for i := range old.Columns {
		c := &old.Columns[i]
		if t.Column(c.Name) == nil {
			d.emit(removing, t, RemoveField{Model: t.Model, Column: c.Name}).drops = referenceList(c)
		}
	}
	for i := range t.Columns {
		c := &t.Columns[i]
		before := old.Column(c.Name)
		switch {
		case before == nil:
			backfill, err := d.backfill(t, c, true)
			if err != nil {
				return err
			}
			d.emit(adding, t, AddField{Model: t.Model, Column: c.Clone(), Backfill: backfill}).refers = referenceList(c)
		case !sameColumn(before, c):
			var backfill *string
			if before.Null && !c.Null {
				var err error
				if backfill, err = d.backfill(t, c, false); err != nil {
					return err
				}
			}
			changed := d.emit(altering, t, AlterField{Model: t.Model, Column: c.Clone(), Backfill: backfill})
			changed.refers, changed.drops = referenceList(c), referenceList(before)
		}
	}
	d.alterIndexes(old, t)
	d.alterChecks(old, t)
	if old.Comment != t.Comment {
		d.emit(altering, t, AlterComment{Model: t.Model, Comment: t.Comment})
	}
	return nil
}

func referenceList(c *schema.Column) []*schema.Reference {
	if c.References == nil {
		return nil
	}
	return []*schema.Reference{c.References}
}

// backfill asks for the value of existing rows where one is needed.
func (d *detector) backfill(t *schema.Table, c *schema.Column, added bool) (*string, error) {
	if c.Null || c.Default != nil || c.AutoIncrement {
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
	for i := range old.Indexes {
		index := &old.Indexes[i]
		if now := t.Index(index.Name); now == nil || !sameIndex(index, now) {
			d.emit(unconstraining, t, RemoveIndex{Model: t.Model, Name: index.Name})
		}
	}
	for i := range t.Indexes {
		index := &t.Indexes[i]
		if before := old.Index(index.Name); before == nil || !sameIndex(before, index) {
			d.emit(constraining, t, AddIndex{Model: t.Model, Index: index.Clone()})
		}
	}
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

// sameColumn reports whether two columns are the same to a database. The name
// of the Go field is not part of that, nor is the label of a referenced model.
func sameColumn(a, b *schema.Column) bool {
	return a.Name == b.Name && sameDefinition(a, b)
}

// sameDefinition compares two columns apart from their names.
func sameDefinition(a, b *schema.Column) bool {
	x, y := plainColumn(a), plainColumn(b)
	return x == y && sameText(a.Default, b.Default) && sameReference(a.References, b.References)
}

// plainColumn returns the plain part of a column, without what has no meaning
// for its type.
func plainColumn(c *schema.Column) schema.Column {
	n := *c
	n.Name, n.Field, n.Default, n.References = "", "", nil, nil
	switch n.Type {
	case schema.String:
		n.Scale = 0
	case schema.Decimal:
	default:
		n.Size, n.Scale = 0, 0
	}
	if n.PrimaryKey {
		n.Unique, n.Null = false, false
	}
	return n
}

func sameText(a, b *string) bool {
	return (a == nil) == (b == nil) && (a == nil || *a == *b)
}

func sameReference(a, b *schema.Reference) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Table == b.Table && a.Column == b.Column && onDelete(a) == onDelete(b)
}

func onDelete(r *schema.Reference) schema.OnDelete {
	if r.OnDelete == "" {
		return schema.NoAction
	}
	return r.OnDelete
}

func sameIndex(a, b *schema.Index) bool {
	return a.Unique == b.Unique && a.Where == b.Where && slices.Equal(a.Columns, b.Columns)
}
