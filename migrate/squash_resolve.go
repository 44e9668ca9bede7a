package migrate

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"
)

// replace takes the migrations out of the nodes that others stand for, and the
// squashed ones that are taken apart.
func (g *Graph) replace(apart map[string]bool) error {
	g.squashes, g.hidden = map[string]*node{}, map[string]string{}
	for _, n := range g.sorted() {
		if len(n.Replaces) > 0 {
			g.squashes[n.id] = n
		}
	}
	for _, s := range g.sorted() {
		if g.squashes[s.id] == nil || apart[s.id] {
			continue
		}
		for _, id := range s.replaced() {
			other := g.hidden[id]
			switch {
			case id == s.id:
				return fmt.Errorf("migrate: %s (%s) replaces itself", s.id, s.place)
			case other == "" || g.stands(s.id, other):
				g.hidden[id] = s.id
			case !g.stands(other, s.id):
				return fmt.Errorf("migrate: %s is replaced by both %s and %s; delete one of the two", id, other, s.id)
			}
		}
	}
	for id := range g.hidden {
		delete(g.nodes, id)
	}
	for id := range apart {
		delete(g.nodes, id)
	}
	return nil
}

// replaced returns the ids of what a migration replaces.
func (n *node) replaced() []string {
	ids := make([]string, len(n.Replaces))
	for i, name := range n.Replaces {
		ids[i] = n.app + "." + name
	}
	return ids
}

// stands reports whether one migration stands, through others perhaps, for
// another.
func (g *Graph) stands(id, other string) bool {
	s := g.squashes[id]
	return s != nil && slices.ContainsFunc(s.replaced(), func(r string) bool { return r == other || r != id && g.stands(r, other) })
}

// standIns returns the nodes that are in the graph for an id: itself, the one
// that replaces it, or those that it replaces; none if nothing is.
func (g *Graph) standIns(id string) []*node {
	for g.hidden[id] != "" {
		id = g.hidden[id]
	}
	if n := g.nodes[id]; n != nil {
		return []*node{n}
	}
	var all []*node
	if s := g.squashes[id]; s != nil {
		for _, r := range s.replaced() {
			if n := g.nodes[r]; n != nil {
				all = append(all, n)
			} else if g.squashes[r] != nil {
				all = append(all, g.standIns(r)...)
			}
		}
	}
	return all
}

// on returns the graph as it is for a database, with what counts as applied
// there: migrations that replace others of which it has applied some are taken
// apart. finished are those that count as applied and are not recorded.
func (g *Graph) on(applied history, unfinished journal) (resolved *Graph, known history, finished []*node, err error) {
	if len(g.squashes) == 0 {
		return g, applied, nil, nil
	}
	known = history{}
	for id, at := range applied {
		known[id] = at
	}
	apart := map[string]bool{}
	for _, id := range sortedKeys(g.squashes) {
		s := g.squashes[id]
		begun, left := g.progress(s, applied, unfinished)
		_, recorded := applied[id]
		switch {
		case len(unfinished[id]) > 0 || !begun:
		case left == nil && recorded:
		case left == nil:
			known[id] = g.finishedAt(s, applied)
			finished = append(finished, s)
		default:
			for _, r := range left {
				if !g.has(r) {
					return nil, nil, nil, fmt.Errorf("migrate: the database has applied a part of what %s replaces, but %s, which it lacks, is not in the program any more; migrate it with the release before, which has them all", id, r)
				}
			}
			// Also if it is recorded: an older release may have undone a part.
			apart[id] = true
			delete(known, id)
		}
	}
	if len(apart) == 0 {
		return g, known, finished, nil
	}
	resolved, err = build(g.sets, apart)
	return resolved, known, finished, err
}

func sortedKeys(squashes map[string]*node) []string {
	ids := make([]string, 0, len(squashes))
	for id := range squashes {
		ids = append(ids, id)
	}
	sort.Strings(ids)
	return ids
}

// has reports whether the program has a migration, in the graph or not.
func (g *Graph) has(id string) bool {
	app, name, _ := strings.Cut(id, ".")
	return g.sets[app] != nil && g.sets[app].migrations[name] != nil
}

// progress returns whether any of what a migration replaces was begun, and
// what of it is left to apply or to finish.
func (g *Graph) progress(s *node, applied history, unfinished journal) (begun bool, left []string) {
	for _, id := range s.replaced() {
		_, done := applied[id]
		broken := len(unfinished[id]) > 0
		if inner := g.squashes[id]; inner != nil && !done && !broken {
			innerBegun, innerLeft := g.progress(inner, applied, unfinished)
			begun = begun || innerBegun
			if innerLeft != nil {
				left = append(left, id)
			}
			continue
		}
		begun = begun || done || broken
		if !done || broken {
			left = append(left, id)
		}
	}
	return begun, left
}

// finishedAt is when the last of what a migration replaces was applied.
func (g *Graph) finishedAt(s *node, applied history) time.Time {
	var last time.Time
	for _, id := range s.replaced() {
		at := applied[id]
		if inner := g.squashes[id]; inner != nil && at.IsZero() {
			at = g.finishedAt(inner, applied)
		}
		if at.After(last) {
			last = at
		}
	}
	return last
}

// recordFinished records the migrations all of whose replaced ones are applied.
func (g *Graph) recordFinished(ctx context.Context, db Database, waiting func(time.Duration)) error {
	if len(g.squashes) == 0 {
		return nil
	}
	return transaction(ctx, db, TransactionOptions{}, waiting, func(ctx context.Context) error {
		applied, err := readHistory(ctx, db)
		if err != nil {
			return err
		}
		unfinished, err := readJournal(ctx, db)
		if err != nil {
			return err
		}
		_, _, finished, err := g.on(applied, unfinished)
		if err != nil {
			return err
		}
		for _, s := range finished {
			if err := writeHistory(ctx, db, s.app, s.Name, false); err != nil {
				return err
			}
		}
		return nil
	})
}
