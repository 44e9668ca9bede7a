package migrate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Zero as a [Target] name means: nothing of the app applied.
const Zero = "zero"

// ErrInconsistent is in the error of a database in which a migration is
// applied although one that it depends on is not.
var ErrInconsistent = errors.New("migrate: inconsistent history")

// Target is where to migrate to. The zero value is the newest migration of
// every app.
type Target struct {
	App string // Default: all apps
	// Name is the migration to end at, or the beginning of its name, or
	// [Zero]. Later ones of the app, and what depends on them, are undone.
	// Default: the newest.
	Name string
	// Before ends just before the migration: what it depends on is applied, it
	// and what depends on it undone. For tests of a migration.
	Before bool
}

// Step is one migration to apply or undo.
type Step struct {
	App, Name string
	Backward  bool
	// Operations describes what it does, in the order in which it runs.
	Operations []string

	node *node
}

// ID returns "app.name".
func (s Step) ID() string { return s.App + "." + s.Name }

// Plan returns what [Graph.Apply] would do. It changes nothing.
func (g *Graph) Plan(ctx context.Context, db Database, target Target) ([]Step, error) {
	applied, err := readHistory(ctx, db)
	if err != nil {
		return nil, err
	}
	if g, applied, err = g.known(ctx, db, applied); err != nil {
		return nil, err
	}
	if err := g.consistent(applied); err != nil {
		return nil, err
	}
	return g.plan(applied, target)
}

func (g *Graph) plan(applied history, target Target) ([]Step, error) {
	if target.Name == "" {
		// With a name it is clear where to go, even between two branches.
		if err := g.Conflicts(); err != nil {
			return nil, err
		}
	}
	switch {
	case target.App == "" && target.Name != "":
		return nil, fmt.Errorf("migrate: target %q needs the app it belongs to", target.Name)
	case target.App == "":
		return forward(g.order, applied), nil
	case g.sets[target.App] == nil:
		_, err := g.find(target.App, target.Name)
		return nil, err
	case target.Name == "":
		return forward(closure(g.leaves(target.App), parentsOf), applied), nil
	case target.Name == Zero:
		var all []*node
		for _, n := range g.order {
			if n.app == target.App {
				all = append(all, n)
			}
		}
		return backward(all, applied), nil
	}
	n, err := g.find(target.App, target.Name)
	if err != nil {
		return nil, err
	}
	_, done := applied[n.id]
	switch {
	case target.Before && done:
		return backward([]*node{n}, applied), nil
	case target.Before:
		return forward(closure(n.parents, parentsOf), applied), nil
	case !done:
		return forward(closure([]*node{n}, parentsOf), applied), nil
	}
	var later []*node
	for _, d := range closure(n.children, childrenOf) {
		if d.app == n.app {
			later = append(later, d)
		}
	}
	return backward(later, applied), nil
}

// forward plans the nodes that are not applied yet.
func forward(nodes []*node, applied history) []Step {
	var steps []Step
	for _, n := range nodes {
		if _, done := applied[n.id]; !done {
			steps = append(steps, newStep(n, false))
		}
	}
	return steps
}

// backward plans to undo the nodes, and what depends on them, last first.
func backward(nodes []*node, applied history) []Step {
	var steps []Step
	for _, n := range slices.Backward(closure(nodes, childrenOf)) {
		if _, done := applied[n.id]; done {
			steps = append(steps, newStep(n, true))
		}
	}
	return steps
}

func newStep(n *node, backward bool) Step {
	s := Step{App: n.app, Name: n.Name, Backward: backward, node: n}
	for _, operation := range n.Operations {
		s.Operations = append(s.Operations, operation.Describe())
	}
	if backward {
		slices.Reverse(s.Operations)
	}
	return s
}

// consistent reports applied migrations whose parents are not applied.
func (g *Graph) consistent(applied history) error {
	var problems []string
	for _, n := range g.order {
		if _, done := applied[n.id]; !done {
			continue
		}
		for _, parent := range n.parents {
			if _, done := applied[parent.id]; !done {
				problems = append(problems, fmt.Sprintf("%s is applied, but %s, on which it depends, is not", n.id, parent.id))
			}
		}
	}
	if problems == nil {
		return nil
	}
	return fmt.Errorf("%w: %s; if the tables are as they should be, record the missing one with migrate --fake", ErrInconsistent, strings.Join(problems, "; "))
}

// AppStatus is how far one app is migrated.
type AppStatus struct {
	App        string
	Migrations []MigrationStatus
}

// MigrationStatus is one line of [AppStatus].
type MigrationStatus struct {
	Name    string
	Applied bool
	At      time.Time // in UTC, zero if not applied
	// Replaces names the migrations that it stands for, see [Migration].
	Replaces []string
	// Missing says that the database has applied a migration that the program
	// does not have: it was deleted, or the program is older.
	Missing bool
}

// Status returns what of each app's migrations is applied, in order.
func (g *Graph) Status(ctx context.Context, db Database) ([]AppStatus, error) {
	applied, err := readHistory(ctx, db)
	if err != nil {
		return nil, err
	}
	recorded := applied
	if g, applied, err = g.known(ctx, db, applied); err != nil {
		return nil, err
	}
	byApp := map[string]*AppStatus{}
	var apps []string
	get := func(app string) *AppStatus {
		if byApp[app] == nil {
			byApp[app] = &AppStatus{App: app}
			apps = append(apps, app)
		}
		return byApp[app]
	}
	for _, app := range g.apps() {
		get(app)
	}
	for _, n := range g.order {
		at, done := applied[n.id]
		status := get(n.app)
		status.Migrations = append(status.Migrations, MigrationStatus{Name: n.Name, Applied: done, At: at, Replaces: n.Replaces})
	}
	var missing []string
	for id := range recorded {
		if g.nodes[id] == nil && g.standIns(id) == nil {
			missing = append(missing, id)
		}
	}
	slices.Sort(missing)
	for _, id := range missing {
		app, name, _ := strings.Cut(id, ".")
		status := get(app)
		status.Migrations = append(status.Migrations, MigrationStatus{Name: name, Applied: true, At: recorded[id], Missing: true})
	}
	slices.Sort(apps)
	all := make([]AppStatus, len(apps))
	for i, app := range apps {
		all[i] = *byApp[app]
	}
	return all, nil
}

// Pending returns the migrations that are not applied, for a check at start.
func (g *Graph) Pending(ctx context.Context, db Database) ([]Step, error) {
	applied, err := readHistory(ctx, db)
	if err != nil {
		return nil, err
	}
	g, applied, err = g.known(ctx, db, applied)
	if err != nil {
		return nil, err
	}
	return forward(g.order, applied), nil
}

// known is the graph on a database, and what counts as applied there.
func (g *Graph) known(ctx context.Context, db Database, applied history) (*Graph, history, error) {
	unfinished, err := readJournal(ctx, db)
	if err != nil {
		return nil, nil, err
	}
	g, applied, _, err = g.on(applied, unfinished)
	return g, applied, err
}
