package migrate

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// RebaseOptions are the details of [Graph.Rebase].
type RebaseOptions struct {
	// Mine is the last migration of the branch that is put on top. Default:
	// that of the branch one is on, by the conflict in the file latest.txt.
	Mine string
	// Onto is the last migration of the branch below. Default: the other one.
	Onto string
	// DryRun returns what would change and changes nothing.
	DryRun bool
	// Root is as in [MakeOptions].
	Root string
}

// Rebased is what [Graph.Rebase] did.
type Rebased struct {
	App   string
	Onto  string // the migration that comes before the first of them now
	Moved []Moved
}

// Moved is one migration that got another place.
type Moved struct {
	From, To string // its name before and after
	Path     string // where it is now
}

// Rebase puts the migrations that one branch added to an app after those that
// another added: they get the numbers that follow, depend on the newest of the
// others, and all that depends on them follows. It changes the Go files.
//
// A migration that is applied must not get another name. If db, which may be
// nil, has one of them applied, Rebase refuses and says how to undo it.
func (g *Graph) Rebase(ctx context.Context, db Database, app string, options RebaseOptions) (*Rebased, error) {
	folder, _, err := g.folder(app, MakeOptions{Root: options.Root})
	if err != nil {
		return nil, err
	}
	mine, onto, err := g.branches(app, folder, options)
	if err != nil {
		return nil, err
	}
	r := &rebase{graph: g, app: app, onto: onto, names: map[string]string{}}
	if err := r.rename(mine); err != nil {
		return nil, err
	}
	if err := r.notApplied(ctx, db); err != nil {
		return nil, err
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	files, gone, err := r.files(folder)
	if err != nil {
		return nil, err
	}
	result := &Rebased{App: app, Onto: onto.Name}
	for _, n := range r.moved {
		result.Moved = append(result.Moved, Moved{From: n.Name, To: r.names[n.id], Path: r.paths[n]})
	}
	if options.DryRun {
		return result, nil
	}
	last := result.Moved[len(result.Moved)-1].To
	if len(g.leaves(app)) == 2 {
		files = append(files, latestFile(app, folder, last))
	}
	if err := writeFiles(files); err != nil {
		return nil, err
	}
	for _, path := range gone {
		err = errors.Join(err, os.Remove(path))
	}
	return result, err
}

// branches finds the two last migrations.
func (g *Graph) branches(app, folder string, options RebaseOptions) (mine, onto *node, err error) {
	leaves := g.leaves(app)
	if len(leaves) < 2 {
		return nil, nil, fmt.Errorf("migrate: the migrations of %s are in one line; there is nothing to rebase", app)
	}
	last := func(name string) (*node, error) {
		n, err := g.find(app, name)
		if err == nil && !slices.Contains(leaves, n) {
			err = fmt.Errorf("migrate: %s is not the last of a branch; those are %s", n.id, nodeNames(leaves))
		}
		return n, err
	}
	if options.Mine == "" {
		options.Mine, err = mineOf(folder, leaves)
		if err != nil {
			return nil, nil, err
		}
	}
	if options.Mine == "" {
		return nil, nil, fmt.Errorf("%w: %s ends in %s; say which to put on top, that of your branch: rebasemigrations %s --mine %s", ErrUnanswered, app, nodeNames(leaves), app, leaves[len(leaves)-1].Name)
	}
	if mine, err = last(options.Mine); err != nil {
		return nil, nil, err
	}
	leaves = slices.DeleteFunc(leaves, func(n *node) bool { return n == mine })
	if options.Onto == "" && len(leaves) > 1 {
		return nil, nil, fmt.Errorf("%w: besides %s, %s ends in %s; say onto which to put it: rebasemigrations %s --onto %s", ErrUnanswered, mine.Name, app, nodeNames(leaves), app, leaves[0].Name)
	}
	if options.Onto == "" {
		return mine, leaves[0], nil
	}
	onto, err = last(options.Onto)
	return mine, onto, err
}

func nodeNames(nodes []*node) string {
	names := make([]string, len(nodes))
	for i, n := range nodes {
		names[i] = n.Name
	}
	return strings.Join(names, " and ")
}

// mineOf reads from a conflict which of the last migrations is that of the
// branch one is on; empty if it does not tell.
func mineOf(folder string, leaves []*node) (string, error) {
	l, err := readLatest(folder)
	if err != nil || l == nil || len(l.names) != 2 {
		return "", err
	}
	name := l.names[0]
	if rebasing(folder) {
		name = l.names[1]
	}
	if !slices.ContainsFunc(leaves, func(n *node) bool { return n.Name == name }) {
		return "", nil
	}
	return name, nil
}

// rebase is the work of [Graph.Rebase].
type rebase struct {
	graph *Graph
	app   string
	onto  *node
	moved []*node
	names map[string]string // new names by old ids
	paths map[*node]string
}

// rename finds the migrations to move and gives them new names.
func (r *rebase) rename(mine *node) error {
	below := closure([]*node{r.onto}, parentsOf)
	number := 0
	for _, n := range below {
		if n.app == r.app {
			number = max(number, migrationNumber(n.Name))
		}
	}
	for _, n := range closure([]*node{mine}, parentsOf) {
		if n.app != r.app || slices.Contains(below, n) {
			continue
		}
		number++
		_, rest, _ := strings.Cut(n.Name, "_")
		name := fmt.Sprintf("%04d_%s", number, rest)
		if rest == "" || migrationNumber(n.Name) == 0 {
			name = fmt.Sprintf("%04d_%s", number, n.Name)
		}
		if other := r.graph.nodes[r.app+"."+name]; other != nil && slices.Contains(below, other) {
			return fmt.Errorf("migrate: %s would become %s, which exists; rename one of them by hand", n.id, name)
		}
		r.moved = append(r.moved, n)
		r.names[n.id] = name
	}
	return nil
}

// notApplied refuses to rename what a database knows by its old name.
func (r *rebase) notApplied(ctx context.Context, db Database) error {
	if db == nil {
		return nil
	}
	applied, err := readHistory(ctx, db)
	if err != nil {
		return err
	}
	for _, n := range r.moved {
		if _, done := applied[n.id]; !done {
			continue
		}
		target := Zero
		for _, parent := range r.moved[0].parents {
			if parent.app == r.app {
				target = parent.Name
			}
		}
		return fmt.Errorf("migrate: %s is applied to the database and would be %s.%s; undo it with \"migrate %s %s\", rebase, and migrate again (if others have applied it, too, rebase the other branch instead)",
			n.id, r.app, r.names[n.id], r.app, target)
	}
	return nil
}

// renamed returns what an id in the dependencies of a migration becomes.
func (r *rebase) renamed(n *node, id string) string {
	if name, moved := r.names[id]; moved {
		return r.app + "." + name
	}
	if !slices.Contains(r.moved, n) || !strings.HasPrefix(id, r.app+".") {
		return id
	}
	return r.onto.id // the migration at which the branches parted
}

// dependencies returns the new dependencies of a migration.
func (r *rebase) dependencies(n *node) []string {
	var ids []string
	for _, id := range n.Dependencies {
		if id = r.renamed(n, id); !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	if n == r.moved[0] && !slices.Contains(ids, r.onto.id) {
		ids = append([]string{r.onto.id}, ids...)
	}
	return ids
}

// check replays the migrations in their new order.
func (r *rebase) check() error {
	sets := map[string]*Set{}
	for app, s := range r.graph.sets {
		changed := newSet(s.app, s.directory, s.place)
		for name, m := range s.migrations {
			next := *m
			if n := r.graph.nodes[app+"."+name]; n != nil {
				next.Dependencies = r.dependencies(n)
				if to, moved := r.names[n.id]; moved {
					next.Name = to
				}
			}
			changed.migrations[next.Name] = &next
		}
		sets[app] = changed
	}
	g, err := build(sets, nil)
	if err == nil {
		_, err = g.State()
	}
	if err != nil {
		return fmt.Errorf("%s cannot come after %s: %w; change it by hand, or put the other branch on top", r.moved[0].id, r.onto.id, err)
	}
	return nil
}

// files returns the changed files, and those that are no more.
func (r *rebase) files(folder string) (files []File, gone []string, err error) {
	r.paths = map[*node]string{}
	edits := map[string][]revision{}
	texts := map[string][]byte{}
	targets := map[string]string{}
	for _, n := range r.graph.sorted() {
		dependencies := r.dependencies(n)
		if _, moved := r.names[n.id]; !moved && slices.Equal(dependencies, n.Dependencies) {
			continue
		}
		directory := r.graph.sets[n.app].directory
		sources, err := readSources(directory)
		if err != nil {
			return nil, nil, err
		}
		s := sources[n.Name]
		if s == nil {
			return nil, nil, fmt.Errorf("migrate: the code of %s is not found in %s", n.id, directory)
		}
		changes, err := r.edits(n, s, dependencies)
		if err != nil {
			return nil, nil, err
		}
		edits[s.path] = append(edits[s.path], changes...)
		texts[s.path] = s.text
		if name, moved := r.names[n.id]; moved {
			r.paths[n] = s.path
			if filepath.Base(s.path) == n.Name+".go" {
				targets[s.path] = filepath.Join(folder, name+".go")
				r.paths[n] = targets[s.path]
			}
		}
	}
	for path, text := range texts {
		f := File{Path: path, Content: edited(text, edits[path]), replaces: true}
		if target := targets[path]; target != "" && target != path {
			f.Path = target
			// It may take the place of another that moves on.
			f.replaces = texts[target] != nil
			if !slices.ContainsFunc(r.moved, func(n *node) bool { return r.paths[n] == path }) {
				gone = append(gone, path)
			}
		}
		files = append(files, f)
	}
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return files, gone, nil
}

// edits returns the changes of one migration's code.
func (r *rebase) edits(n *node, s *source, dependencies []string) ([]revision, error) {
	replace := func(e ast.Expr, text string) revision {
		return revision{s.offset(e.Pos()), s.offset(e.End()), text}
	}
	var changes []revision
	if name, moved := r.names[n.id]; moved {
		changes = append(changes, replace(s.field("Name"), strconv.Quote(name)))
	}
	if slices.Equal(dependencies, n.Dependencies) {
		return changes, nil
	}
	quoted := make([]string, len(dependencies))
	for i, id := range dependencies {
		quoted[i] = strconv.Quote(id)
	}
	elements, ok := s.list("Dependencies")
	for _, e := range elements {
		_, literal := stringOf(e)
		ok = ok && literal
	}
	switch {
	case !ok:
		return nil, fmt.Errorf("migrate: %s (%s) does not list its dependencies one by one; make them %s by hand", n.id, n.place, strings.Join(quoted, ", "))
	case len(elements) == 0:
		end := s.offset(s.field("Name").End())
		return append(changes, revision{end, end, ",\n\tDependencies: []string{" + strings.Join(quoted, ", ") + "}"}), nil
	}
	for i, e := range elements {
		id := ""
		if i < len(quoted) {
			id = quoted[i]
		}
		if i == len(elements)-1 && len(quoted) > len(elements) {
			id = strings.Join(quoted[i:], ", ")
		}
		if id == "" { // fewer than before: two became one
			from, to := s.offset(elements[i-1].End()), s.offset(e.End())
			changes = append(changes, revision{from, to, ""})
			continue
		}
		changes = append(changes, replace(e, id))
	}
	return changes, nil
}
