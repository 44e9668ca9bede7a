package migrate

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
)

// ErrConflict is in the error of a graph in which an app has several last
// migrations, mostly after two branches were merged.
var ErrConflict = errors.New("migrate: conflicting migrations")

// Graph is the migrations of a program in the order of their dependencies.
type Graph struct {
	sets  map[string]*Set
	nodes map[string]*node // by id
	order []*node          // parents first
	// squashes are the migrations that replace others, in the graph or not, by
	// id, and hidden the ids of those that others stand for, with which.
	squashes map[string]*node
	hidden   map[string]string
}

// node is a migration in the graph.
type node struct {
	id       string // "blog.0001_initial"
	app      string
	position int // in Graph.order
	*registered
	parents  []*node
	children []*node
}

// Load makes a graph of the migrations of all sets. It reports dependencies
// that are missing or go round in a circle.
func Load(sets ...*Set) (*Graph, error) {
	bySet := map[string]*Set{}
	for _, s := range sets {
		if other := bySet[s.app]; other != nil {
			return nil, fmt.Errorf("migrate: two sets for app %q, from %s and %s", s.app, other.place, s.place)
		}
		bySet[s.app] = s
	}
	return build(bySet, nil)
}

// build makes the graph. Of a migration that replaces others only it is in the
// graph, or, if its id is in apart, only those that it replaces.
func build(sets map[string]*Set, apart map[string]bool) (*Graph, error) {
	g := &Graph{sets: sets, nodes: map[string]*node{}}
	for app, s := range sets {
		for name, m := range s.migrations {
			id := app + "." + name
			if at := slices.Index(m.Operations, nil); at >= 0 {
				return nil, fmt.Errorf("migrate: %s (%s): operation %d is nil", id, m.place, at+1)
			}
			g.nodes[id] = &node{id: id, app: app, registered: m}
		}
	}
	if err := g.replace(apart); err != nil {
		return nil, err
	}
	for _, n := range g.sorted() {
		for _, id := range n.Dependencies {
			parents, err := g.dependency(n, id)
			if err != nil {
				return nil, err
			}
			for _, parent := range parents {
				inside := parent == n && id != n.id // of what it replaces
				if !inside && !slices.Contains(n.parents, parent) {
					n.parents = append(n.parents, parent)
					parent.children = append(parent.children, n)
				}
			}
		}
	}
	return g, g.arrange()
}

// dependency returns the migrations that an id in the dependencies of n stands
// for: mostly one.
func (g *Graph) dependency(n *node, id string) ([]*node, error) {
	if parents := g.standIns(id); parents != nil {
		return parents, nil
	}
	app, name, ok := strings.Cut(id, ".")
	switch {
	case !ok || app == "" || name == "":
		return nil, fmt.Errorf("migrate: %s (%s) depends on %q; want \"app.name\"", n.id, n.place, id)
	case g.sets[app] == nil:
		return nil, fmt.Errorf("migrate: %s (%s) depends on %s, but the program has no migrations of app %q; import its migrations package", n.id, n.place, id, app)
	}
	return nil, fmt.Errorf("migrate: %s (%s) depends on %s, which does not exist; app %q has %s", n.id, n.place, id, app, strings.Join(g.names(app), ", "))
}

// names returns the names of an app's migrations.
func (g *Graph) names(app string) []string {
	var names []string
	for _, n := range g.sorted() {
		if n.app == app {
			names = append(names, n.Name)
		}
	}
	return names
}

// sorted returns all nodes by app and name.
func (g *Graph) sorted() []*node {
	nodes := make([]*node, 0, len(g.nodes))
	for _, n := range g.nodes {
		nodes = append(nodes, n)
	}
	sort.Slice(nodes, func(i, j int) bool {
		if nodes[i].app != nodes[j].app {
			return nodes[i].app < nodes[j].app
		}
		return nodes[i].Name < nodes[j].Name
	})
	return nodes
}

// arrange fills g.order: each migration comes after its parents, and otherwise
// by app and name.
func (g *Graph) arrange() error {
	const (
		open = iota + 1
		done
	)
	marks := map[*node]int{}
	var path []string
	var visit func(n *node) error
	visit = func(n *node) error {
		switch marks[n] {
		case done:
			return nil
		case open:
			from := slices.Index(path, n.id)
			return fmt.Errorf("migrate: migrations depend on each other in a circle: %s -> %s", strings.Join(path[from:], " -> "), n.id)
		}
		marks[n] = open
		path = append(path, n.id)
		for _, parent := range n.parents {
			if err := visit(parent); err != nil {
				return err
			}
		}
		path = path[:len(path)-1]
		marks[n] = done
		n.position = len(g.order)
		g.order = append(g.order, n)
		return nil
	}
	for _, n := range g.sorted() {
		if err := visit(n); err != nil {
			return err
		}
	}
	return nil
}

// Order returns all migrations, as "app.name", in the order in which they are applied.
func (g *Graph) Order() []string {
	ids := make([]string, len(g.order))
	for i, n := range g.order {
		ids[i] = n.id
	}
	return ids
}

// leaves returns an app's migrations that no other of the same app depends on.
func (g *Graph) leaves(app string) []*node {
	var leaves []*node
	for _, n := range g.order {
		if n.app == app && !slices.ContainsFunc(n.children, func(c *node) bool { return c.app == app }) {
			leaves = append(leaves, n)
		}
	}
	return leaves
}

// Conflicts returns an error that wraps [ErrConflict] if an app has several
// last migrations, and says what to do.
func (g *Graph) Conflicts() error {
	var problems []string
	for _, app := range g.apps() {
		if leaves := g.leaves(app); len(leaves) > 1 {
			names := make([]string, len(leaves))
			for i := range leaves {
				names[i] = leaves[i].Name
			}
			problems = append(problems, fmt.Sprintf("app %q ends in %s", app, strings.Join(names, " and ")))
		}
	}
	if problems == nil {
		return nil
	}
	return fmt.Errorf("%w: %s; put one after the other with rebasemigrations, or join them with makemigrations --merge", ErrConflict, strings.Join(problems, "; "))
}

// Branched returns the apps that have several last migrations.
func (g *Graph) Branched() []string {
	var apps []string
	for _, app := range g.apps() {
		if len(g.leaves(app)) > 1 {
			apps = append(apps, app)
		}
	}
	return apps
}

func (g *Graph) apps() []string {
	apps := make([]string, 0, len(g.sets))
	for app := range g.sets {
		apps = append(apps, app)
	}
	sort.Strings(apps)
	return apps
}

// find returns an app's migration by name, or by the beginning of its name if
// no other begins so.
func (g *Graph) find(app, name string) (*node, error) {
	if g.sets[app] == nil {
		return nil, fmt.Errorf("migrate: the program has no migrations of app %q; it has those of %s", app, strings.Join(g.apps(), ", "))
	}
	if n := g.nodes[app+"."+name]; n != nil {
		return n, nil
	}
	if stand, hidden := g.hidden[app+"."+name]; hidden {
		return nil, fmt.Errorf("migrate: %s.%s is not a step of its own any more: %s stands for it", app, name, stand)
	}
	var found []*node
	for _, n := range g.sorted() {
		if n.app == app && strings.HasPrefix(n.Name, name) {
			found = append(found, n)
		}
	}
	switch {
	case len(found) == 1 && name != "":
		return found[0], nil
	case len(found) > 1:
		return nil, fmt.Errorf("migrate: several migrations of %s begin with %q: %s and %s", app, name, found[0].Name, found[1].Name)
	}
	return nil, fmt.Errorf("migrate: app %q has no migration %q; it has %s", app, name, strings.Join(g.names(app), ", "))
}

// closure returns n and all that can be reached from it by next, in the order
// of the graph.
func closure(start []*node, next func(*node) []*node) []*node {
	seen := map[*node]bool{}
	var all []*node
	for queue := slices.Clone(start); len(queue) > 0; {
		n := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		if seen[n] {
			continue
		}
		seen[n] = true
		all = append(all, n)
		queue = append(queue, next(n)...)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].position < all[j].position })
	return all
}

func parentsOf(n *node) []*node  { return n.parents }
func childrenOf(n *node) []*node { return n.children }

// replay returns the state after the migrations that keep accepts, in the
// order of the graph.
func (g *Graph) replay(keep func(*node) bool) (*State, error) {
	state := NewState()
	for _, n := range g.order {
		if keep(n) {
			if err := n.changeState(state); err != nil {
				return nil, err
			}
		}
	}
	return state, nil
}

func (n *node) changeState(s *State) error {
	for i, operation := range n.Operations {
		if err := operation.ChangeState(n.app, s); err != nil {
			return fmt.Errorf("migrate: %s, operation %d (%s): %w", n.id, i+1, operation.Describe(), err)
		}
	}
	return nil
}

// State returns the tables as all migrations leave them.
func (g *Graph) State() (*State, error) {
	return g.replay(func(*node) bool { return true })
}
