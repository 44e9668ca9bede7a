package migrate

import (
	"reflect"
	"slices"
	"strings"

	"github.com/retort-web/retort/orm/schema"
)

// optimize returns fewer operations of an app that do the same: each two that
// make one are brought together, past others that have nothing to do with
// them. before is the state in which they begin. What an operation has to do
// with is seen from what it changes in the state, so that those that do more
// than that ([RunSQL], [RunCode], other people's) are never passed.
func optimize(operations []Operation, app string, before *State) ([]Operation, error) {
	o := &optimizer{app: app}
	if err := o.load(slices.Clone(operations), before); err != nil {
		return nil, err
	}
	for i := 0; i < len(o.operations); {
		if !o.reduceAt(i) {
			i++
		} else if i > 0 {
			i-- // what is there now may go together with what comes before it
		}
	}
	return o.operations, nil
}

// optimizer has operations, the states between them (states[i] is the one
// before operations[i]) and what each has to do with.
type optimizer struct {
	app        string
	operations []Operation
	states     []*State
	touched    []*touch
}

func (o *optimizer) load(operations []Operation, before *State) error {
	states, touched, err := o.replay(operations, before)
	if err != nil {
		return err
	}
	o.operations, o.states, o.touched = operations, states, touched
	return nil
}

func (o *optimizer) replay(operations []Operation, before *State) ([]*State, []*touch, error) {
	states, touched := []*State{before}, make([]*touch, len(operations))
	for i, operation := range operations {
		next := before.clone()
		if err := operation.ChangeState(o.app, next); err != nil {
			return nil, nil, err
		}
		touched[i] = touches(operation, o.app, before, next)
		states = append(states, next)
		before = next
	}
	return states, touched, nil
}

// reduceAt makes one of an operation and a later one, if it can.
func (o *optimizer) reduceAt(i int) bool {
	for j := i + 1; j < len(o.operations); j++ {
		result, ok := reduce(o.operations[i], o.operations[j], o.app)
		if !ok {
			if o.touched[i].barrier {
				return false
			}
			continue
		}
		between := o.operations[i+1 : j]
		if o.passes(j, i+1, j) && o.put(i, j, slices.Concat(result, between)) {
			return true
		}
		if o.passes(i, i+1, j) && o.put(i, j, slices.Concat(between, result)) {
			return true
		}
	}
	return false
}

// passes reports whether an operation has nothing to do with those in a range.
func (o *optimizer) passes(n, from, to int) bool {
	return !slices.ContainsFunc(o.touched[from:to], func(other *touch) bool { return o.touched[n].meets(other) })
}

// put replaces operations i to j by others that must lead to the same state.
func (o *optimizer) put(i, j int, replacement []Operation) bool {
	states, touched, err := o.replay(replacement, o.states[i])
	if err != nil || !sameState(states[len(states)-1], o.states[j+1]) {
		return false
	}
	o.operations = slices.Concat(o.operations[:i], replacement, o.operations[j+1:])
	o.touched = slices.Concat(o.touched[:i], touched, o.touched[j+1:])
	// The state after them keeps its identity, on which touches relies.
	states[len(states)-1] = o.states[j+1]
	o.states = slices.Concat(o.states[:i], states, o.states[j+2:])
	return true
}

// sameState reports whether two states have the same tables.
func sameState(a, b *State) bool {
	if len(a.tables) != len(b.tables) {
		return false
	}
	for key, t := range a.tables {
		other := b.tables[key]
		if other == nil || t != other && !sameTable(t, other) {
			return false
		}
	}
	return true
}

func sameTable(a, b *schema.Table) bool { return reflect.DeepEqual(a.Clone(), b.Clone()) }

// touch is what an operation changes and what it relies on, as names of things:
// "blog.Post" (that the model is there, under this name), "blog.Post.title".
type touch struct {
	barrier bool // nobody can tell
	writes  map[string]bool
	reads   map[string]bool
}

// meets reports whether the order of two operations matters.
func (t *touch) meets(other *touch) bool {
	if t.barrier || other.barrier {
		return true
	}
	for name := range t.writes {
		if other.writes[name] || other.reads[name] {
			return true
		}
	}
	for name := range t.reads {
		if other.writes[name] {
			return true
		}
	}
	return false
}

// touches finds what an operation touches from the states around it.
func touches(operation Operation, app string, before, after *State) *touch {
	t := &touch{barrier: opaque(operation), writes: map[string]bool{}, reads: map[string]bool{}}
	if t.barrier {
		return t
	}
	for key, old := range before.tables {
		if now := after.tables[key]; now != old {
			t.difference(key, old, now, before, after)
		}
	}
	for key, now := range after.tables {
		if before.tables[key] == nil {
			t.difference(key, nil, now, before, after)
		}
	}
	t.rows(operation, app, before)
	return t
}

// rows writes what operations on rows are about, which the states do not show.
func (t *touch) rows(operation Operation, app string, s *State) {
	switch o := operation.(type) {
	case FillField:
		key := schema.KeyOf(app, o.Model)
		t.reads[key], t.writes[key+"."+o.Column] = true, true
		t.mentioned(key, s.tables[key], o.Value)
	case ValidateCheck:
		key := schema.KeyOf(app, o.Model)
		t.reads[key], t.writes[key+" check "+o.Name] = true, true
	case ValidateForeignKey:
		key := schema.KeyOf(app, o.Model)
		t.reads[key], t.writes[key+" key "+strings.Join(o.Columns, ",")] = true, true
		for _, name := range o.Columns {
			t.writes[key+"."+name] = true
		}
	}
}

// opaque reports whether an operation may do more than its change of the state
// tells.
func opaque(operation Operation) bool {
	switch operation.(type) {
	case CreateModel, DeleteModel, RenameModel, MoveModel, AlterComment, AddField, RemoveField, AlterField, RenameField,
		AlterPrimaryKey, AddIndex, RemoveIndex, RenameIndex, AddCheck, RemoveCheck, AddForeignKey, RemoveForeignKey,
		FillField, SetNotNull, AddUnique, ValidateCheck, ValidateForeignKey:
		return false
	}
	return true
}

func (t *touch) difference(key string, old, now *schema.Table, before, after *State) {
	t.reads[key] = true
	if old == nil || now == nil || old.Name != now.Name {
		t.writes[key] = true
		for _, table := range []*schema.Table{old, now} {
			if table != nil {
				t.whole(key, table)
			}
		}
	}
	if old == nil {
		t.relies(key, now, after)
		return
	}
	if now == nil {
		t.relies(key, old, before)
		return
	}
	if old.Comment != now.Comment {
		t.writes[key+" comment"] = true
	}
	changed := map[string]bool{}
	columns := func(a, b *schema.Table) {
		for i := range a.Columns {
			name := a.Columns[i].Name
			other := b.Column(name)
			if other == nil {
				t.writes[key+" order"] = true
			}
			if other == nil || !reflect.DeepEqual(a.Columns[i].Clone(), other.Clone()) {
				changed[name] = true
				t.writes[key+"."+name] = true
			}
		}
	}
	columns(old, now)
	columns(now, old)
	t.constraints(key, old, now)
	t.constraints(key, now, old)
	for _, side := range []struct {
		table *schema.Table
		state *State
	}{{old, before}, {now, after}} {
		for name := range changed {
			if c := side.table.Column(name); c != nil {
				t.column(key, side.table, c, side.state)
			}
		}
		for i := range side.table.ForeignKeys {
			other := now
			if side.table == now {
				other = old
			}
			k := &side.table.ForeignKeys[i]
			if same := other.ForeignKey(k.Columns...); same == nil || !reflect.DeepEqual(*same, *k) {
				t.foreignKey(key, k, side.state)
			}
		}
	}
}

// whole writes all of a table, and the names that it has in the database.
func (t *touch) whole(key string, table *schema.Table) {
	t.writes["table "+strings.ToLower(table.Name)] = true
	t.writes[key+" comment"], t.writes[key+" order"] = true, true
	for i := range table.Columns {
		t.writes[key+"."+table.Columns[i].Name] = true
	}
	for i := range table.Indexes {
		t.writes["index "+strings.ToLower(table.Indexes[i].Name)] = true
	}
	for _, c := range table.Checks {
		t.writes[key+" check "+c.Name] = true
	}
}

// relies reads what the references of a table lead to.
func (t *touch) relies(key string, table *schema.Table, s *State) {
	for i := range table.Columns {
		t.column(key, table, &table.Columns[i], s)
	}
	for i := range table.ForeignKeys {
		t.foreignKey(key, &table.ForeignKeys[i], s)
	}
}

// column reads what a column is made from.
func (t *touch) column(key string, table *schema.Table, c *schema.Column, s *State) {
	if r := c.References; r != nil {
		t.reference(r, s)
	}
	if c.Generated != "" {
		t.mentioned(key, table, c.Generated)
	}
}

func (t *touch) foreignKey(key string, k *schema.ForeignKey, s *State) {
	t.writes[key+" key "+strings.Join(k.Columns, ",")] = true
	for i, r := range pairs(k) {
		t.reads[key+"."+k.Columns[i]] = true
		t.reference(r, s)
	}
}

func (t *touch) reference(r *schema.Reference, s *State) {
	if target := s.named(r.Table); target != nil {
		t.reads[target.Key()] = true
		t.reads[target.Key()+"."+r.Column] = true
	}
	t.reads["table "+strings.ToLower(r.Table)] = true
}

// mentioned reads the columns that an SQL expression names.
func (t *touch) mentioned(key string, table *schema.Table, sql string) {
	for i := range table.Columns {
		if mentions(sql, table.Columns[i].Name) {
			t.reads[key+"."+table.Columns[i].Name] = true
		}
	}
}

// constraints writes the indexes and checks that only a has, with the columns
// that they are over.
func (t *touch) constraints(key string, a, b *schema.Table) {
	for i := range a.Indexes {
		index := &a.Indexes[i]
		if same := b.Index(index.Name); same != nil && reflect.DeepEqual(index.Clone(), same.Clone()) {
			continue
		}
		t.writes["index "+strings.ToLower(index.Name)] = true
		for n := range a.Columns {
			if indexMentions(index, a.Columns[n].Name) {
				t.reads[key+"."+a.Columns[n].Name] = true
			}
		}
	}
	for _, c := range a.Checks {
		if same := b.Check(c.Name); same == nil || same.SQL != c.SQL {
			t.writes[key+" check "+c.Name] = true
			t.mentioned(key, a, c.SQL)
		}
	}
}
