package migrate

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// SquashOptions are the details of [Graph.Squash].
type SquashOptions struct {
	// Name is the descriptive part of the name. Default: made from the names.
	Name string
	// NoOptimize keeps all operations as they are.
	NoOptimize bool
	// DryRun returns the file without writing it.
	DryRun bool
	// Root is as in [MakeOptions].
	Root string
}

// Squashed is what [Graph.Squash] made.
type Squashed struct {
	File File
	// Replaced are the names of the migrations that the new one stands for.
	Replaced []string
	// Before and After are how many operations they have, and it has.
	Before, After int

	migration *Migration
}

// Squash writes one migration that stands for those of an app from one to
// another, both included and named as in [Target]; an empty from is the first.
// Its operations are theirs, made fewer where two do the work of one. Those
// that are Elidable are left out; other SQL and Go code is taken over as it is.
//
// The old migrations stay until every database has them all, or none: see
// [Migration].Replaces. Then their files can be deleted.
func (g *Graph) Squash(app, from, to string, options SquashOptions) (*Squashed, error) {
	old, err := g.squashable(app, from, to)
	if err != nil {
		return nil, err
	}
	folder, _, err := g.folder(app, MakeOptions{Root: options.Root})
	if err != nil {
		return nil, err
	}
	m := Migration{Name: squashName(old, options.Name)}
	sources, err := readSources(folder)
	if err != nil {
		return nil, err
	}
	before := 0
	for _, n := range old {
		m.Replaces = append(m.Replaces, n.Name)
		m.NonAtomic = m.NonAtomic || n.NonAtomic
		for _, parent := range n.parents {
			if !slices.Contains(old, parent) && !slices.Contains(m.Dependencies, parent.id) {
				m.Dependencies = append(m.Dependencies, parent.id)
			}
		}
		before += len(n.Operations)
		operations, err := takeOver(n, sources[n.Name])
		if err != nil {
			return nil, err
		}
		m.Operations = append(m.Operations, operations...)
	}
	sortDependencies(app, m.Dependencies)
	if err := g.standsIn(app, &m, old, options.NoOptimize); err != nil {
		return nil, err
	}
	content, err := writeMigration(packageIn(folder), m)
	if err != nil {
		return nil, err
	}
	result := &Squashed{migration: &m, Replaced: m.Replaces, Before: before, After: len(m.Operations), File: File{
		App: app, Name: m.Name, Path: filepath.Join(folder, m.Name+".go"), Content: content, Operations: descriptions(m.Operations),
	}}
	if options.DryRun {
		return result, nil
	}
	files := []File{result.File}
	if leaves := g.leaves(app); len(leaves) == 1 && slices.Contains(old, leaves[0]) {
		files = append(files, latestFile(app, folder, m.Name))
	}
	return result, writeFiles(files)
}

// squashable returns an app's migrations between two of them.
func (g *Graph) squashable(app, from, to string) ([]*node, error) {
	last, err := g.find(app, to)
	if err != nil {
		return nil, err
	}
	earlier := map[*node]bool{}
	if from != "" {
		first, err := g.find(app, from)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(closure([]*node{last}, parentsOf), first) {
			return nil, fmt.Errorf("migrate: %s does not come before %s", first.id, last.id)
		}
		for _, n := range closure(first.parents, parentsOf) {
			earlier[n] = true
		}
	}
	var old []*node
	for _, n := range closure([]*node{last}, parentsOf) {
		if n.app == app && !earlier[n] {
			old = append(old, n)
		}
	}
	if len(old) < 2 {
		return nil, fmt.Errorf("migrate: %s alone is nothing to squash; name a later migration", last.id)
	}
	return old, nil
}

// squashName continues the numbers of the app, so that the name sorts by age.
func squashName(old []*node, name string) string {
	number := migrationNumber(old[len(old)-1].Name)
	if name == "" {
		first, _, _ := strings.Cut(old[0].Name, "_")
		name = "squashed_" + first
	}
	return fmt.Sprintf("%04d_%s", number, safeName(word(name)))
}

// sortDependencies puts those of the same app first.
func sortDependencies(app string, ids []string) {
	slices.SortFunc(ids, func(a, b string) int {
		if own := strings.HasPrefix(a, app+"."); own != strings.HasPrefix(b, app+".") {
			if own {
				return -1
			}
			return 1
		}
		return strings.Compare(a, b)
	})
}

// copied is an operation whose Go code is taken over from another file.
type copied struct {
	Operation
	code    string
	imports []string
}

// takeOver returns the operations of a migration for another file: those that
// hold Go code as it is written, and those that are elidable not at all.
func takeOver(n *node, s *source) ([]Operation, error) {
	var all []Operation
	for i, operation := range n.Operations {
		if o, ok := operation.(interface{ elidable() bool }); ok && o.elidable() {
			continue
		}
		if (&writer{}).operation(operation) == nil {
			all = append(all, operation)
			continue
		}
		if s == nil {
			return nil, fmt.Errorf("migrate: the code of %s is not found in the folder of %s", n.id, n.place)
		}
		elements, ok := s.list("Operations")
		if !ok || len(elements) != len(n.Operations) {
			return nil, fmt.Errorf("migrate: %s (%s) does not list its operations one by one, so that the code of %q cannot be taken over; list them, or squash up to the migration before it", n.id, n.place, operation.Describe())
		}
		all = append(all, copied{Operation: operation, code: s.code(elements[i]), imports: s.imports(elements[i])})
	}
	return all, nil
}

// wantsNoTransaction reports whether an operation may have been the reason for
// which its migration is NonAtomic.
func wantsNoTransaction(operation Operation) bool {
	switch o := operation.(type) {
	case AddIndex:
		return o.Concurrently
	case FillField, SetNotNull, AddUnique:
		return true
	}
	return opaque(operation)
}

// standsIn makes sure that a migration can stand for others, and makes its
// operations fewer.
func (g *Graph) standsIn(app string, m *Migration, old []*node, keep bool) error {
	want, err := g.State()
	if err != nil {
		return err
	}
	if g.sets[app].migrations[m.Name] != nil {
		return fmt.Errorf("migrate: app %q has a migration %s already; give the new one another name", app, m.Name)
	}
	sets := map[string]*Set{}
	for name, s := range g.sets {
		copied := newSet(s.app, s.directory, s.place)
		for name, r := range s.migrations {
			copied.migrations[name] = r
		}
		sets[name] = copied
	}
	sets[app].migrations[m.Name] = &registered{Migration: *m, place: "the new migration"}
	with, err := build(sets, nil)
	if err != nil {
		return fmt.Errorf("%w; migrations of other apps come between those to squash: squash only up to the one that they need, and the rest on its own", err)
	}
	n := with.nodes[app+"."+m.Name]
	ancestors := map[*node]bool{}
	for _, a := range closure(n.parents, parentsOf) {
		ancestors[a] = true
	}
	before, err := with.replay(func(n *node) bool { return ancestors[n] })
	if err != nil {
		return err
	}
	if !keep {
		if n.Operations, err = optimize(m.Operations, app, before); err != nil {
			return fmt.Errorf("migrate: %s: %w", m.Name, err)
		}
		m.Operations = n.Operations
		m.NonAtomic = m.NonAtomic && slices.ContainsFunc(m.Operations, wantsNoTransaction)
	}
	have, err := with.State()
	if err != nil {
		return fmt.Errorf("%w; what other apps do comes between the migrations to squash", err)
	}
	if !sameState(want, have) {
		return errors.New("migrate: the squashed migration would not lead to the same tables; squash fewer migrations, or do it without optimizing")
	}
	return nil
}
