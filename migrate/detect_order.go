package migrate

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/retort-web/retort/orm/schema"
)

// link finds what must come before what.
func (d *detector) link() {
	for _, c := range d.changes {
		for _, other := range d.changes {
			if other != c && (d.provides(other, c) || d.releases(other, c) || sameTableFirst(other, c)) {
				c.before = append(c.before, other)
			}
		}
		for _, r := range c.refers {
			if target := d.named(r.Table); target != nil {
				c.use(target.App)
			}
		}
	}
}

// provides reports whether first makes a table or column that c references.
func (d *detector) provides(first, c *change) bool {
	for _, r := range c.refers {
		target := d.named(r.Table)
		if target == nil || target.Key() != first.table {
			continue
		}
		switch o := first.operation.(type) {
		case CreateModel, RenameModel, MoveModel:
			return true
		case RenameField:
			if o.To == r.Column {
				return true
			}
		case AddField:
			if o.Column.Name == r.Column {
				return true
			}
		case AlterPrimaryKey:
			if slices.Contains(o.Columns, r.Column) {
				return true
			}
		case AlterField:
			// It may only now become unique, as a referenced column must be.
			if o.Column.Name == r.Column {
				return true
			}
		}
	}
	return false
}

// releases reports whether first takes away what stands in the way of c: a
// reference to what c drops, or a name that c needs.
func (d *detector) releases(first, c *change) bool {
	switch o := c.operation.(type) {
	case DeleteModel:
		t := d.state.tables[c.table]
		return slices.ContainsFunc(first.drops, func(r *schema.Reference) bool { return strings.EqualFold(r.Table, t.Name) })
	case RemoveField:
		t := d.state.tables[c.table]
		return slices.ContainsFunc(first.drops, func(r *schema.Reference) bool {
			return strings.EqualFold(r.Table, t.Name) && r.Column == o.Column
		})
	case AlterPrimaryKey:
		// What referenced the old key must be gone, unless it is to reference
		// the new one.
		t := d.state.tables[c.table]
		points := func(r *schema.Reference) bool { return strings.EqualFold(r.Table, t.Name) }
		return slices.ContainsFunc(first.drops, points) && !slices.ContainsFunc(first.refers, points)
	case CreateModel:
		return d.frees(first, o.Table.Name, o.Table.Indexes)
	case AddIndex:
		return d.frees(first, "", []schema.Index{o.Index})
	case RenameIndex:
		return d.frees(first, "", []schema.Index{{Name: o.To}})
	}
	return false
}

// frees reports whether a change gives up the name of the table or of one of
// the indexes.
func (d *detector) frees(first *change, table string, indexes []schema.Index) bool {
	var free []schema.Index
	switch o := first.operation.(type) {
	case DeleteModel:
		t := d.state.tables[first.table]
		if strings.EqualFold(t.Name, table) {
			return true
		}
		free = t.Indexes
	case RemoveIndex:
		free = []schema.Index{{Name: o.Name}}
	case RenameIndex:
		free = []schema.Index{{Name: o.From}}
	}
	return slices.ContainsFunc(indexes, func(i schema.Index) bool {
		return slices.ContainsFunc(free, func(f schema.Index) bool { return strings.EqualFold(f.Name, i.Name) })
	})
}

// sameTableFirst keeps the changes of one table in the order of their phases:
// constraints go before the columns they are over, and come after them.
func sameTableFirst(first, c *change) bool {
	if first.table != c.table || first.phase >= c.phase {
		return false
	}
	return first.phase == renaming || first.phase == unconstraining || first.phase == creating || c.phase == constraining
}

// arrange sorts the changes so that each comes after those it needs, and
// otherwise by phase and in the order in which they were found. Changes of
// columns stay together by table, which on some databases must be built anew.
func arrange(changes []*change) ([]*change, error) {
	place := map[string]int{}
	for i, c := range changes {
		if _, known := place[c.table]; !known {
			place[c.table] = i
		}
	}
	order := func(c *change) [4]int {
		switch c.phase {
		case adding, removing, altering:
			return [4]int{int(adding), place[c.table], int(c.phase), c.sequence}
		}
		return [4]int{int(c.phase), c.sequence}
	}
	open := slices.Clone(changes)
	slices.SortFunc(open, func(a, b *change) int {
		x, y := order(a), order(b)
		return slices.Compare(x[:], y[:])
	})
	done := map[*change]bool{}
	var ordered []*change
	for len(open) > 0 {
		next := slices.IndexFunc(open, func(c *change) bool {
			return !slices.ContainsFunc(c.before, func(b *change) bool { return !done[b] })
		})
		if next < 0 {
			names := make([]string, len(open))
			for i, c := range open {
				names[i] = c.app + ": " + c.operation.Describe()
			}
			return nil, fmt.Errorf("migrate: these changes need each other to come first; make them in two migrations: %s", strings.Join(names, "; "))
		}
		done[open[next]] = true
		ordered = append(ordered, open[next])
		open = slices.Delete(open, next, next+1)
	}
	return ordered, nil
}

// draft is a migration that is about to be written.
type draft struct {
	app     string
	changes []*change
	after   []*draft // drafts of other apps that must be applied first
	uses    []string // apps whose newest migration must be applied first
	settles []string // also those of all apps that refer to these
	merge   bool     // it has no changes and joins all last migrations
	// nonAtomic says that its changes must not be one transaction.
	nonAtomic bool
}

// split deals the ordered changes out into migrations of their apps. Apps that
// need each other's changes get several, in turns.
func split(ordered []*change) []*draft {
	queues := map[string][]*change{}
	var apps []string
	for _, c := range ordered {
		if queues[c.app] == nil {
			apps = append(apps, c.app)
		}
		queues[c.app] = append(queues[c.app], c)
	}
	sort.Strings(apps)
	position := map[*change]int{}
	for i, c := range ordered {
		position[c] = i
	}
	in := map[*change]*draft{}
	var drafts []*draft
	take := func(app string, n int) {
		m := &draft{app: app, changes: queues[app][:n]}
		for _, c := range m.changes {
			for _, b := range c.before {
				if other := in[b]; other != nil && other.app != app && !slices.Contains(m.after, other) {
					m.after = append(m.after, other)
				}
			}
			if c.settles != "" && !slices.Contains(m.settles, c.settles) {
				m.settles = append(m.settles, c.settles)
			}
			for _, use := range c.uses {
				if !slices.Contains(m.uses, use) {
					m.uses = append(m.uses, use)
				}
			}
		}
		for _, c := range m.changes {
			in[c] = m
		}
		queues[app] = queues[app][n:]
		drafts = append(drafts, m)
	}
	// ready counts the changes at the head of the queue that can be done now.
	ready := func(app string) int {
		return len(queues[app]) - len(dropWhile(queues[app], func(c *change) bool {
			return !slices.ContainsFunc(c.before, func(b *change) bool { return b.app != app && in[b] == nil })
		}))
	}
	for {
		whole, first := "", ""
		for _, app := range apps {
			switch n := len(queues[app]); {
			case n == 0:
			case ready(app) == n && whole == "":
				whole = app
			case first == "" || position[queues[app][0]] < position[queues[first][0]]:
				first = app
			}
		}
		switch {
		case whole != "":
			take(whole, len(queues[whole]))
		case first != "":
			// The change that is first of all has all it needs, so this app
			// has at least one that is ready.
			take(first, ready(first))
		default:
			return drafts
		}
	}
}

func dropWhile(changes []*change, accept func(*change) bool) []*change {
	for i, c := range changes {
		if !accept(c) {
			return changes[i:]
		}
	}
	return nil
}
