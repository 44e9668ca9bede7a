package migrate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/retort-web/retort/orm/schema"
)

// merges drafts a migration after all last ones of each app with a conflict.
func (g *Graph) merges(apps []string, asker Asker) ([]*draft, error) {
	var drafts []*draft
	for _, app := range g.apps() {
		leaves := g.leaves(app)
		if len(leaves) < 2 || len(apps) > 0 && !slices.Contains(apps, app) {
			continue
		}
		if err := g.commute(app, leaves); err != nil {
			return nil, err
		}
		if why := g.incomparable(leaves); why != "" {
			merge, err := asker.Merge(app, why)
			if err != nil {
				return nil, err
			}
			if !merge {
				return nil, fmt.Errorf("migrate: the branches of %s were not merged; put one after the other with rebasemigrations", app)
			}
		}
		drafts = append(drafts, &draft{app: app, merge: true})
	}
	return drafts, nil
}

// commute makes sure that the branches that end in these migrations lead to
// the same tables whichever is done first: each database has its own order.
func (g *Graph) commute(app string, leaves []*node) error {
	backwards := slices.Clone(leaves)
	slices.Reverse(backwards)
	one, err := g.inOrder(leaves)
	if err == nil {
		var other *State
		if other, err = g.inOrder(backwards); err == nil {
			if key := difference(one, other); key != "" {
				err = fmt.Errorf("which is done first decides what becomes of %s", key)
			}
		}
	}
	if err == nil {
		return nil
	}
	return fmt.Errorf("migrate: the branches of %s, which end in %s, cannot be merged: %w; put one after the other with rebasemigrations",
		app, nodeNames(leaves), err)
}

// inOrder replays the branches one after the other, and before them all that
// does not depend on them.
func (g *Graph) inOrder(leaves []*node) (*State, error) {
	later := map[*node]bool{}
	for _, n := range closure(g.branched(leaves), childrenOf) {
		later[n] = true
	}
	state, err := g.replay(func(n *node) bool { return !later[n] })
	if err != nil {
		return nil, err
	}
	done := map[*node]bool{}
	for _, leaf := range leaves {
		for _, n := range closure([]*node{leaf}, parentsOf) {
			if later[n] && !done[n] {
				done[n] = true
				if err := n.changeState(state); err != nil {
					return nil, err
				}
			}
		}
	}
	return state, nil
}

// branched returns the migrations that not all of the last ones come after.
func (g *Graph) branched(leaves []*node) []*node {
	count := map[*node]int{}
	for _, leaf := range leaves {
		for _, n := range closure([]*node{leaf}, parentsOf) {
			count[n]++
		}
	}
	var all []*node
	for _, n := range g.order {
		if n.app == leaves[0].app && count[n] > 0 && count[n] < len(leaves) {
			all = append(all, n)
		}
	}
	return all
}

// difference returns the first table that is not the same in two states, but
// for the order of its columns and constraints; empty if all are.
func difference(a, b *State) string {
	for _, t := range a.Tables() {
		other := b.tables[t.Key()]
		if other == nil || !sameTable(sortedTable(t), sortedTable(other)) {
			return t.Key()
		}
	}
	for _, t := range b.Tables() {
		if a.tables[t.Key()] == nil {
			return t.Key()
		}
	}
	return ""
}

func sortedTable(t *schema.Table) *schema.Table {
	s := t.Clone()
	slices.SortFunc(s.Columns, func(a, b schema.Column) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(s.Indexes, func(a, b schema.Index) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(s.Checks, func(a, b schema.Check) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(s.ForeignKeys, func(a, b schema.ForeignKey) int { return slices.Compare(a.Columns, b.Columns) })
	return s
}

// incomparable says what of the branches the state does not tell, if anything.
func (g *Graph) incomparable(leaves []*node) string {
	var ids []string
	for _, n := range g.branched(leaves) {
		if slices.ContainsFunc(n.Operations, opaque) {
			ids = append(ids, n.id)
		}
	}
	if ids == nil {
		return ""
	}
	return strings.Join(ids, " and ") + " run SQL or Go code, of which nobody but you knows what it needs and changes"
}
