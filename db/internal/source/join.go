package source

import (
	"slices"
	"strings"

	"github.com/retort-web/retort/internal/naming"
	"github.com/retort-web/retort/orm/schema"
)

// join is what the join table of a many-to-many relation joins.
type join struct {
	owner, target *model
	field         string
}

// findJoins finds the tables that a relation would make by itself, and so need no model.
func (w *writer) findJoins() {
	for _, m := range w.models {
		if len(m.live.Columns) != 2 || len(m.live.Checks) > 0 || len(m.live.Triggers) > 0 || m.live.Comment != "" {
			continue
		}
		owner, _ := w.target(m, &m.live.Columns[0])
		target, _ := w.target(m, &m.live.Columns[1])
		if owner == nil || target == nil || owner == m || target == m {
			continue
		}
		m.join = w.ownJoin(m, owner, target)
	}
}

// ownJoin reports that a table is just what the relation of the owner would make.
func (w *writer) ownJoin(m, owner, target *model) *join {
	rest, ok := strings.CutPrefix(m.live.Name, owner.live.Name+"_")
	name := goName(rest)
	if !ok || rest == "" || naming.Snake(name) != rest {
		return nil
	}
	from, to := naming.Snake(owner.name), naming.Snake(target.name)
	if owner == target {
		from, to = "from_"+from, "to_"+to
	}
	for i, want := range []string{from + "_id", to + "_id"} {
		c := &m.live.Columns[i]
		if c.Name != want || !c.PrimaryKey || c.Unique || c.Default != nil || c.References.OnDelete != schema.Cascade {
			return nil
		}
	}
	index := naming.Object(objectPrefix(m.live.Name), to+"_id", "idx")
	if len(m.live.Indexes) != 1 || !m.hasPlainIndex(index, to+"_id") {
		return nil
	}
	return &join{owner: owner, target: target, field: name}
}

// addManyToMany adds the relations to many that join tables make: those of their own, and
// those whose join table is a model that holds nothing else.
func (w *writer) addManyToMany() {
	for _, m := range w.models {
		if m.join != nil {
			f := &field{name: unique(m.join.owner.names, m.join.field), typ: "orm.ManyToMany[" + m.join.target.name + "]"}
			if f.name != m.join.field {
				m.join = nil // the name is taken, and so the table would have another
				w.makeFields(m)
				continue
			}
			m.join.owner.fields = append(m.join.owner.fields, f)
		}
	}
	for _, m := range w.models {
		if m.join == nil {
			w.addThrough(m)
		}
	}
}

// addThrough adds the relation of which a model is the join table.
func (w *writer) addThrough(m *model) {
	var keys []*schema.Column
	for i := range m.live.Columns {
		switch c := &m.live.Columns[i]; {
		case c.References != nil:
			keys = append(keys, c)
		case !c.PrimaryKey:
			return // it holds more than the relation, and has a meaning of its own
		}
	}
	if len(keys) != 2 || m.live.View || slices.ContainsFunc(m.primary(), func(c schema.Column) bool { return c.References == nil && !c.AutoIncrement }) {
		return
	}
	owner, _ := w.target(m, keys[0])
	target, _ := w.target(m, keys[1])
	if owner == nil || target == nil {
		return
	}
	f := &field{name: unique(owner.names, target.set), typ: "orm.ManyToMany[" + target.name + "]", tag: []string{"through=" + m.name}}
	if owner == target {
		f.tag = append(f.tag, "through_fields="+last(m.paths[keys[0].Name])+"|"+last(m.paths[keys[1].Name]))
	}
	owner.fields = append(owner.fields, f)
}

// last is the field at the end of a path.
func last(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }
