package migrate

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"

	"github.com/retort-web/retort/orm/schema"
)

// MakeOptions are the details of [Graph.Make].
type MakeOptions struct {
	// Apps limits the work to some apps, and those that they need.
	// Default: all.
	Apps []string
	// Name is the descriptive part of the names: "add_subtitle".
	// Default: made from the changes.
	Name string
	// DryRun returns the files without writing them.
	DryRun bool
	// Empty makes a migration without operations for each of Apps, to be
	// filled in by hand.
	Empty bool
	// Merge makes a migration without operations for each app that has
	// several last ones, and nothing else.
	Merge bool
	// ZeroDowntime writes migrations during which a site goes on, old code
	// beside new: what takes long in steps that lock nothing for long, what old
	// code would miss last, in a migration of its own. See docs/migrations.md.
	ZeroDowntime bool
	// Lint adds to the warnings the hazards for a database: "postgres", "mysql",
	// "mariadb" or "sqlite", see [Graph.Lint]. Default: none.
	Lint string
	// Asker answers questions. Default: the empty [Answers].
	Asker Asker
	// Folders is the folder of each app's own package. An app that has no
	// migrations yet gets them in the folder migrations inside it.
	Folders map[string]string
	// Root is the folder of the program's module. An app whose migrations lie
	// outside it belongs to a library and is an error. Default: not checked.
	Root string
}

// File is a Go file that [Graph.Make] wrote, or would write.
type File struct {
	App  string
	Name string // of the migration; empty for the file that registers the app
	Path string
	// Content is the Go code, formatted.
	Content []byte
	// Operations describes what the migration does.
	Operations []string
	// Warnings says what of it loses data, or may fail on a table with rows.
	Warnings []string
	// NewPackage is the import path of a package that this file begins, so
	// that the program must be made to import it; empty otherwise. If the
	// import path cannot be found out, it is the folder.
	NewPackage string

	replaces bool // it may take the place of another
}

// Make writes the migrations that turn what the existing ones reach into the
// given tables. It returns no files if nothing changed.
//
// The same tables, migrations and answers always give the same files. It also
// keeps the [LatestFile] of each app.
func (g *Graph) Make(tables []*schema.Table, options MakeOptions) ([]File, error) {
	drafts, err := g.drafts(tables, options)
	if err != nil {
		return nil, err
	}
	files, err := g.files(drafts, options)
	if err == nil && options.Lint != "" {
		err = g.lintFiles(drafts, files, options)
	}
	if err != nil || options.DryRun {
		return files, err
	}
	// Not among the results, since it follows from them.
	latest, err := g.latestFiles(files, options)
	if err != nil {
		return nil, err
	}
	return files, writeFiles(slices.Concat(files, latest))
}

// Check returns the migrations that [Graph.Make] would have to write, so that
// a build can fail if somebody forgot to. It asks nothing. A [LatestFile] that
// does not name the newest migration is an error.
func (g *Graph) Check(tables []*schema.Table) ([]Step, error) {
	if err := g.checkLatest(); err != nil {
		return nil, err
	}
	drafts, err := g.drafts(tables, MakeOptions{Asker: unasked{}})
	if err != nil {
		return nil, err
	}
	migrations := g.number(drafts, "")
	steps := make([]Step, len(drafts))
	for i, m := range drafts {
		steps[i] = Step{App: m.app, Name: migrations[i].Name, Operations: descriptions(migrations[i].Operations)}
	}
	return steps, nil
}

// unasked is an Asker for when it only matters that something changed.
type unasked struct{}

func (unasked) RenamedModel(_, _ *schema.Table) (bool, error) { return false, nil }

func (unasked) RenamedField(_ *schema.Table, _, _ *schema.Column) (bool, error) { return false, nil }

func (unasked) MovedModel(_, _ *schema.Table) (bool, error) { return false, nil }

func (unasked) Merge(string, string) (bool, error) { return false, nil }

func (unasked) Backfill(*schema.Table, *schema.Column, bool) (*string, error) { return nil, nil }

func descriptions(operations []Operation) []string {
	all := make([]string, len(operations))
	for i, operation := range operations {
		all[i] = operation.Describe()
	}
	return all
}

// warnings says which operations a person should think about.
func warnings(operations []Operation) []string {
	var all []string
	warn := func(operation Operation, text string) {
		all = append(all, operation.Describe()+": "+text)
	}
	for _, operation := range operations {
		switch o := operation.(type) {
		case DeleteModel:
			warn(o, "its rows are lost")
		case RemoveField:
			warn(o, "what it holds is lost")
		case AddField:
			if o.Backfill != nil && (o.Column.Unique || o.Column.PrimaryKey) {
				warn(o, "all rows get one value, but it is unique; with several rows let it be NULL first, fill it, and forbid NULL then")
			}
		}
	}
	return all
}

// drafts decides which migrations to write.
func (g *Graph) drafts(tables []*schema.Table, options MakeOptions) ([]*draft, error) {
	for _, app := range options.Apps {
		if g.sets[app] == nil && options.Folders[app] == "" && !slices.ContainsFunc(tables, func(t *schema.Table) bool { return t.App == app }) {
			return nil, fmt.Errorf("migrate: no app %q in the program; it has %s", app, strings.Join(g.appsWith(tables), ", "))
		}
	}
	asker := options.Asker
	if asker == nil {
		asker = Answers{}
	}
	if options.Merge {
		return g.merges(options.Apps, asker)
	}
	if err := g.Conflicts(); err != nil {
		return nil, err
	}
	if options.Empty {
		if len(options.Apps) == 0 {
			return nil, errors.New("migrate: name the apps to make an empty migration for")
		}
		drafts := make([]*draft, len(options.Apps))
		for i, app := range options.Apps {
			drafts[i] = &draft{app: app}
		}
		return drafts, nil
	}
	state, err := g.State()
	if err != nil {
		return nil, err
	}
	changes, err := detect(state, tables, asker)
	if err != nil {
		return nil, err
	}
	if options.ZeroDowntime {
		if changes, err = gently(changes, state); err != nil {
			return nil, err
		}
	}
	drafts := split(changes)
	if options.ZeroDowntime {
		drafts = inStages(drafts)
	}
	for _, m := range drafts {
		for _, c := range m.changes {
			if err := c.operation.ChangeState(m.app, state); err != nil {
				return nil, fmt.Errorf("migrate: %s: %s: %w; make this change in two migrations", m.app, c.operation.Describe(), err)
			}
		}
	}
	return only(drafts, options.Apps), nil
}

func (g *Graph) appsWith(tables []*schema.Table) []string {
	apps := g.apps()
	for _, t := range tables {
		if !slices.Contains(apps, t.App) {
			apps = append(apps, t.App)
		}
	}
	sort.Strings(apps)
	return apps
}

// only keeps the drafts of some apps, and those that must come before them.
func only(drafts []*draft, apps []string) []*draft {
	if len(apps) == 0 {
		return drafts
	}
	keep := map[*draft]bool{}
	var kept []*draft
	for i, m := range slices.Backward(drafts) {
		if !keep[m] && !slices.Contains(apps, m.app) {
			continue
		}
		kept = append(kept, m)
		for _, earlier := range drafts[:i] {
			if earlier.app == m.app || slices.Contains(m.after, earlier) {
				keep[earlier] = true
			}
		}
	}
	slices.Reverse(kept)
	return kept
}

// number gives the drafts names and dependencies.
func (g *Graph) number(drafts []*draft, name string) []Migration {
	ids := map[*draft]string{}
	last := map[string][]string{} // ids that the next migration of an app follows
	next := map[string]int{}
	for _, app := range g.apps() {
		for _, n := range g.leaves(app) {
			last[app] = append(last[app], n.id)
		}
		for name := range g.sets[app].migrations { // also of those that others stand for
			next[app] = max(next[app], migrationNumber(name))
		}
	}
	existing := maps.Clone(last)
	all := make([]Migration, len(drafts))
	for i, d := range drafts {
		m := &all[i]
		if !d.merge {
			m.Operations = []Operation{} // if empty, then to be filled in
		}
		for _, c := range d.changes {
			m.Operations = append(m.Operations, c.operation)
		}
		m.NonAtomic = d.nonAtomic
		next[d.app]++
		initial := len(last[d.app]) == 0 && len(m.Operations) > 0
		switch {
		case name != "":
			m.Name = fmt.Sprintf("%04d_%s", next[d.app], safeName(word(name)))
		case d.merge:
			m.Name = fmt.Sprintf("%04d_merge", next[d.app])
		default:
			m.Name = migrationName(next[d.app], initial, m.Operations)
		}
		m.Dependencies = slices.Clone(last[d.app])
		var others []string
		for _, other := range d.after {
			others = append(others, ids[other])
		}
		uses := slices.Clone(d.uses)
		for _, app := range d.settles {
			uses = append(uses, g.dependents(app)...)
		}
		uses = slices.DeleteFunc(uses, func(app string) bool { return app == d.app })
		if slices.Equal(last[d.app], existing[d.app]) {
			others = append(others, g.movedFrom(d.app)...)
		}
		for _, app := range uses {
			drafted := slices.ContainsFunc(d.after, func(o *draft) bool { return o.app == app })
			if !drafted {
				others = append(others, existing[app]...)
			}
		}
		slices.Sort(others)
		m.Dependencies = append(m.Dependencies, slices.Compact(others)...)
		id := d.app + "." + m.Name
		ids[d] = id
		last[d.app] = []string{id}
	}
	return all
}

// dependents returns the other apps of which a migration depends on one of app.
func (g *Graph) dependents(app string) []string {
	var apps []string
	for _, n := range g.order {
		if n.app != app || n.children == nil {
			continue
		}
		for _, child := range n.children {
			if child.app != app && !slices.Contains(apps, child.app) {
				apps = append(apps, child.app)
			}
		}
	}
	return apps
}
