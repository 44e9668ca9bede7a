package migrate

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm/schema"
)

// longStory is five migrations of an app that mostly undo each other.
func longStory(t testing.TB) *written {
	text := func(name string) schema.Column { return schema.Column{Name: name, Type: schema.Text, Null: true} }
	w := newWritten(t, "blog",
		Migration{Name: "0001_initial", Operations: []Operation{
			CreateModel{Table: *table("blog", "Post", schema.Column{Name: "title", Type: schema.String, Size: 50})},
			CreateModel{Table: *table("blog", "Old")},
		}},
		Migration{Name: "0002_more", Dependencies: []string{"blog.0001_initial"}, Operations: []Operation{
			AddField{Model: "Post", Column: text("body")},
			AddField{Model: "Post", Column: text("gone")},
			AddIndex{Model: "Post", Index: schema.Index{Name: "post_i", Columns: []schema.IndexColumn{{Name: "title"}}}},
			CreateModel{Table: *table("blog", "Comment", foreignKey("post_id", "blog.Post", false))},
		}},
		Migration{Name: "0003_renames", Dependencies: []string{"blog.0002_more"}, Operations: []Operation{
			RenameField{Model: "Post", From: "body", To: "content"},
			RemoveField{Model: "Post", Column: "gone"},
			DeleteModel{Model: "Old"},
			RenameModel{From: "Comment", To: "Remark", Table: "blog_remark"},
		}},
		Migration{Name: "0004_alter", Dependencies: []string{"blog.0003_renames", "auth.0001_initial"}, Operations: []Operation{
			AlterField{Model: "Post", Column: schema.Column{Name: "title", Type: schema.String, Size: 80}},
			AddField{Model: "Post", Column: foreignKey("author_id", "auth.User", true)},
			AddCheck{Model: "Post", Check: schema.Check{Name: "title_is", SQL: `"title" <> ''`}},
		}},
	)
	return w
}

// squash squashes, adds the result to the set as a program would have it, and
// returns it.
func (w *written) squash(t testing.TB, g *Graph, from, to string) *Squashed {
	t.Helper()
	s, err := g.Squash(w.set.app, from, to, SquashOptions{})
	if err != nil {
		t.Fatal(err)
	}
	w.set.Add(*s.migration)
	return s
}

func TestSquash(t *testing.T) {
	t.Parallel()
	w, auth := longStory(t), authApp(t)
	w.write(t, LatestFile, "0004_alter\n")
	s := w.squash(t, loaded(t, w, auth), "", "0004")
	if diff := cmp.Diff([]string{"Create model Post", "Create model Remark"}, s.File.Operations); diff != "" {
		t.Error(diff)
	}
	if s.Before != 13 || s.After != 2 || len(s.Replaced) != 4 {
		t.Errorf("%+v", s)
	}
	golden(t, "squashed.golden", w.read(t, "0004_squashed_0001.go"))
	if got := w.read(t, LatestFile); !strings.HasSuffix(got, "\n0004_squashed_0001\n") {
		t.Error(got)
	}
}

// TestSquashedOnDatabasesInBetween applies a squashed migration to databases
// that had none, some or all of what it replaces.
func TestSquashedOnDatabasesInBetween(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		states := []string{"", "0003"}
		if kind.Name == "sqlite" {
			states = []string{"", "0001", "0003", "0004"}
		}
		for _, before := range states {
			t.Run("after"+before, func(t *testing.T) {
				w, auth := longStory(t), authApp(t)
				db := openKind(t, kind)
				if before != "" {
					if _, err := loaded(t, w, auth).Apply(t.Context(), db, Target{App: "blog", Name: before}, Options{}); err != nil {
						t.Fatal(err)
					}
				}
				w.squash(t, loaded(t, w, auth), "", "0004")
				// The next one depends on what is replaced, that of another app too.
				w.add(t, Migration{Name: "0005_next", Dependencies: []string{"blog.0004_alter"}, Operations: []Operation{addText("Post", "next")}})
				auth.add(t, Migration{Name: "0002_post", Dependencies: []string{"auth.0001_initial", "blog.0002_more"}, Operations: []Operation{
					AddField{Model: "User", Column: foreignKey("post_id", "blog.Post", true)},
				}})
				g := loaded(t, w, auth)
				steps, err := g.Apply(t.Context(), db, Target{}, Options{})
				if err != nil {
					t.Fatal(err)
				}
				want := map[string]string{
					"":     "+auth.0001_initial +blog.0004_squashed_0001 +auth.0002_post +blog.0005_next",
					"0001": "+auth.0001_initial +blog.0002_more +auth.0002_post +blog.0003_renames +blog.0004_alter +blog.0005_next",
					"0003": "+auth.0001_initial +auth.0002_post +blog.0004_alter +blog.0005_next",
					"0004": "+auth.0002_post +blog.0005_next",
				}[before]
				if got := planned(steps); got != want {
					t.Errorf("did %s, want %s", got, want)
				}
				state, err := g.State()
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(dumpOf(t, kind, state.Tables()), dump(t, db)); diff != "" {
					t.Error(diff)
				}
				if steps, err := g.Apply(t.Context(), db, Target{}, Options{}); err != nil || len(steps) > 0 {
					t.Error("again:", planned(steps), err)
				}
				status, err := g.Status(t.Context(), db)
				if err != nil {
					t.Fatal(err)
				}
				for _, app := range status {
					for _, m := range app.Migrations {
						if !m.Applied || m.Missing || m.Name == "0001_initial" && app.App == "blog" {
							t.Errorf("status of %s: %+v", app.App, m)
						}
					}
				}
				// The old ones are deleted: nothing changes for this database.
				for _, name := range []string{"0001_initial", "0002_more", "0003_renames", "0004_alter"} {
					delete(w.set.migrations, name)
				}
				g = loaded(t, w, auth)
				if steps, err := g.Apply(t.Context(), db, Target{}, Options{}); err != nil || len(steps) > 0 {
					t.Error("without the old ones:", planned(steps), err)
				}
				// And back.
				if _, err := g.Apply(t.Context(), db, Target{App: "auth", Name: Zero}, Options{}); err != nil {
					t.Fatal(err)
				}
				if got := db.tables(t); len(got) > 0 {
					t.Error(got)
				}
				if got := db.rows(t, "SELECT name FROM "+HistoryTable); len(got) > 0 {
					t.Error(got)
				}
			})
		}
	})
}

func TestHalfOfWhatIsGoneIsRefused(t *testing.T) {
	t.Parallel()
	w, auth, db := longStory(t), authApp(t), openTest(t)
	if _, err := loaded(t, w, auth).Apply(t.Context(), db, Target{App: "blog", Name: "0002"}, Options{}); err != nil {
		t.Fatal(err)
	}
	w.squash(t, loaded(t, w, auth), "", "0004")
	delete(w.set.migrations, "0003_renames")
	_, err := loaded(t, w, auth).Apply(t.Context(), db, Target{}, Options{})
	contains(t, err, nil, "a part of what blog.0004_squashed_0001 replaces", "blog.0003_renames", "the release before")
}

// TestAnOlderReleaseMayUndoAPart: it does not know the squashed migration.
func TestAnOlderReleaseMayUndoAPart(t *testing.T) {
	t.Parallel()
	w, auth, db := longStory(t), authApp(t), openTest(t)
	old := loaded(t, w, auth)
	w.squash(t, old, "", "0004")
	g := loaded(t, w, auth)
	if _, err := g.Apply(t.Context(), db, Target{}, Options{}); err != nil {
		t.Fatal(err)
	}
	old.sets["blog"] = longStory(t).set
	older, err := Load(old.sets["blog"], auth.set)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := older.Apply(t.Context(), db, Target{App: "blog", Name: "0002"}, Options{}); err != nil {
		t.Fatal(err)
	}
	steps, err := g.Apply(t.Context(), db, Target{}, Options{})
	if err != nil || planned(steps) != "+blog.0003_renames +blog.0004_alter" {
		t.Error(planned(steps), err)
	}
}

func TestSquashAgain(t *testing.T) {
	t.Parallel()
	for _, before := range []string{"", "0001", "0002", "0004_squashed", "0005"} {
		w, auth, db := longStory(t), authApp(t), openTest(t)
		if before == "0001" || before == "0002" {
			if _, err := loaded(t, w, auth).Apply(t.Context(), db, Target{App: "blog", Name: before}, Options{}); err != nil {
				t.Fatal(err)
			}
		}
		w.squash(t, loaded(t, w, auth), "", "0004")
		w.add(t, Migration{Name: "0005_next", Dependencies: []string{"blog.0004_squashed_0001"}, Operations: []Operation{addText("Post", "next")}})
		if before == "0005" || before == "0004_squashed" {
			if _, err := loaded(t, w, auth).Apply(t.Context(), db, Target{App: "blog", Name: before}, Options{}); err != nil {
				t.Fatal(err)
			}
		}
		s := w.squash(t, loaded(t, w, auth), "", "0005")
		if fmt.Sprint(s.Replaced) != "[0004_squashed_0001 0005_next]" {
			t.Error(s.Replaced)
		}
		g := loaded(t, w, auth)
		steps, err := g.Apply(t.Context(), db, Target{}, Options{})
		want := map[string]string{
			"":              "+auth.0001_initial +blog.0005_squashed_0004",
			"0001":          "+auth.0001_initial +blog.0002_more +blog.0003_renames +blog.0004_alter +blog.0005_next",
			"0002":          "+auth.0001_initial +blog.0003_renames +blog.0004_alter +blog.0005_next",
			"0004_squashed": "+blog.0005_next",
			"0005":          "",
		}[before]
		if err != nil || planned(steps) != want {
			t.Errorf("%s: %s, want %s; %v", before, planned(steps), want, err)
		}
		if got := db.rows(t, "SELECT count(*) FROM "+HistoryTable+" WHERE name LIKE '%squashed%'"); got[0] != "2" {
			t.Errorf("%s: %s squashed migrations are recorded", before, got)
		}
	}
}

func TestSquashKeepsCodeAsItIsWritten(t *testing.T) {
	t.Parallel()
	w := newWritten(t, "blog", Migration{Name: "0001_initial", Operations: []Operation{CreateModel{Table: *table("blog", "Post")}}})
	w.write(t, "0002_code.go", `package migrations

import (
	"strings"

	m "github.com/retort-web/retort/migrate"
)

var _ = All.Add(m.Migration{
	Name:         "0002_code",
	Dependencies: []string{"blog.0001_initial"},
	Operations: []m.Operation{
		m.RunSQL{SQL: "SELECT 1", Elidable: true},
		m.RunCode{Name: strings.ToLower("FILL"), Code: fill}, // a function of this package
	},
})
`)
	w.set.Add(Migration{Name: "0002_code", Dependencies: []string{"blog.0001_initial"}, Operations: []Operation{
		RunSQL{SQL: "SELECT 1", Elidable: true}, RunCode{Name: "fill", Code: NoCode},
	}})
	w.add(t, Migration{Name: "0003_x", Dependencies: []string{"blog.0002_code"}, Operations: []Operation{addText("Post", "x"), RunSQL{SQL: "SELECT 2"}}})
	w.squash(t, loaded(t, w), "", "0003")
	golden(t, "squashed_code.golden", w.read(t, "0003_squashed_0001.go"))
}

func TestSquashRefuses(t *testing.T) {
	t.Parallel()
	w, auth := longStory(t), authApp(t)
	for _, test := range []struct{ from, to, want string }{
		{"", "0001", "nothing to squash"},
		{"0003", "0002", "does not come before"},
		{"", "0009", "no migration"},
	} {
		_, err := loaded(t, w, auth).Squash("blog", test.from, test.to, SquashOptions{})
		contains(t, err, nil, test.want)
	}
	s, err := loaded(t, w, auth).Squash("blog", "0002", "0003", SquashOptions{DryRun: true, NoOptimize: true, Name: "Middle"})
	if err != nil || s.File.Name != "0003_middle" || s.After != 8 {
		t.Error(s, err)
	}
	if files, _ := filepath.Glob(filepath.Join(w.folder, "*middle*")); len(files) > 0 {
		t.Error("a dry run wrote", files)
	}
	// Another app's migration between them.
	auth.add(t, Migration{Name: "0000_between", Dependencies: []string{"blog.0002_more"}})
	auth.set.migrations["0001_initial"].Dependencies = []string{"auth.0000_between"}
	_, err = loaded(t, w, auth).Squash("blog", "", "0004", SquashOptions{})
	contains(t, err, nil, "circle", "squash only up to")
	if _, err = loaded(t, w, auth).Squash("blog", "", "0002", SquashOptions{DryRun: true}); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(w.folder, "broken.go"), []byte("package"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = loaded(t, w, auth).Squash("blog", "", "0002", SquashOptions{})
	contains(t, err, nil, "broken.go")
}

// TestSquashedTablesAreNew: what was done gently to rows is not done to none.
func TestSquashedTablesAreNew(t *testing.T) {
	t.Parallel()
	index := AddIndex{Model: "Post", Index: schema.Index{Name: "i", Columns: []schema.IndexColumn{{Name: "slug"}}}, Concurrently: true}
	user := foreignKey("user_id", "auth.User", true)
	late := schema.ForeignKey{Columns: []string{"user_id"}, Table: "auth_user", References: []string{"id"}, Model: "auth.User"}
	gentle := []Operation{
		AddField{Model: "Post", Column: schema.Column{Name: "slug", Type: schema.String, Size: 20, Null: true}},
		CreateModel{Table: *table("blog", "Tag")},
		FillField{Model: "Post", Column: "slug", Value: `lower("title")`},
		SetNotNull{Model: "Post", Column: "slug"},
		AddUnique{Model: "Post", Column: "slug"},
		index,
		AddField{Model: "Post", Column: schema.Column{Name: user.Name, Type: user.Type, Null: true}},
		AddForeignKey{Model: "Post", ForeignKey: late, NotValid: true},
		ValidateForeignKey{Model: "Post", Columns: late.Columns},
		AddCheck{Model: "Post", Check: schema.Check{Name: "k", SQL: `"title" <> ''`}, NotValid: true},
		ValidateCheck{Model: "Post", Name: "k"},
	}
	w, auth := newWritten(t, "blog", Migration{Name: "0001_initial", Dependencies: []string{"auth.0001_initial"}, Operations: []Operation{
		CreateModel{Table: *table("blog", "Post", schema.Column{Name: "title", Type: schema.Text})},
	}}), authApp(t)
	w.add(t, Migration{Name: "0002_gentle", Dependencies: []string{"blog.0001_initial"}, Operations: gentle, NonAtomic: true})
	w.add(t, Migration{Name: "0003_again", Dependencies: []string{"blog.0002_gentle"}, Operations: []Operation{RemoveIndex{Model: "Post", Name: "i"}, index}, NonAtomic: true})
	s := w.squash(t, loaded(t, w, auth), "", "0003")
	if diff := cmp.Diff([]string{"Create model Post", "Create model Tag"}, s.File.Operations); diff != "" || s.migration.NonAtomic {
		t.Error(diff, s.migration.NonAtomic)
	}
	// On rows that are there it is done as gently as before.
	s, err := loaded(t, newWritten(t, "blog", *w.set.migrations["0001_initial"].copy(), *w.set.migrations["0002_gentle"].copy(), *w.set.migrations["0003_again"].copy()), auth).
		Squash("blog", "0002", "0003", SquashOptions{DryRun: true})
	if err != nil || !s.migration.NonAtomic || s.After < 10 {
		t.Error(s.File.Operations, err)
	}
}

func (r *registered) copy() *Migration { return &r.Migration }

// TestOptimizedOperationsLeadToTheSameTables makes random histories, squashes
// each app's, and compares the states and the databases.
func TestOptimizedOperationsLeadToTheSameTables(t *testing.T) {
	t.Parallel()
	seeds := 40
	if testing.Short() {
		seeds = 10
	}
	before, after := 0, 0
	for seed := range seeds {
		s := newSite(rand.New(rand.NewPCG(uint64(seed), 4)))
		p := newProject()
		p.make(t, s.tables, backfiller{})
		for range 8 {
			s.change()
			p.make(t, s.tables, backfiller{Answers{Renames: s.renames, NoRenames: true}})
		}
		g := p.graph(t)
		want, err := g.State()
		if err != nil {
			t.Fatal(err)
		}
		for _, app := range g.apps() {
			// As much of the app as no other comes between.
			for last := len(g.names(app)); last > 1; last-- {
				m := Migration{Name: fmt.Sprintf("%04d_squashed", last)}
				old, err := g.squashable(app, "", g.names(app)[last-1])
				if err != nil {
					t.Fatal(err)
				}
				for _, n := range old {
					m.Replaces = append(m.Replaces, n.Name)
					m.Operations = append(m.Operations, n.Operations...)
					for _, parent := range n.parents {
						if parent.app != app {
							m.Dependencies = append(m.Dependencies, parent.id)
						}
					}
				}
				all := len(m.Operations)
				if err := g.standsIn(app, &m, old, false); err != nil {
					contains(t, err, nil, "squash only up to")
					continue
				}
				before, after = before+all, after+len(m.Operations)
				p.sets[app].Add(m)
				g = p.graph(t)
				break
			}
		}
		have, err := g.State()
		if err != nil {
			t.Fatal(err)
		}
		if !sameState(want, have) {
			t.Errorf("seed %d: other tables", seed)
		}
		db := openTest(t)
		p.migrate(t, db)
		if diff := cmp.Diff(dumpOf(t, testdb.SQLite, s.tables), dump(t, db)); diff != "" {
			t.Errorf("seed %d (-created +squashed):\n%s", seed, diff)
		}
	}
	if t.Logf("%d operations became %d", before, after); after > before*2/3 {
		t.Errorf("%d operations became %d only", before, after)
	}
}

// TestSquashedRowsAreTheSame optimizes changes of a table that has rows.
func TestSquashedRowsAreTheSame(t *testing.T) {
	t.Parallel()
	text := func(change func(*schema.Column)) schema.Column {
		c := schema.Column{Name: "c", Type: schema.Text, Null: true}
		change(&c)
		return c
	}
	null := text(func(*schema.Column) {})
	required := text(func(c *schema.Column) { c.Null = false })
	withA := text(func(c *schema.Column) { c.Default = new("'a'") })
	withB := text(func(c *schema.Column) { c.Default = new("'b'") })
	requiredB := text(func(c *schema.Column) { c.Null, c.Default = false, new("'b'") })
	for i, operations := range [][]Operation{
		{AddField{Model: "Post", Column: null}, AlterField{Model: "Post", Column: withA}},
		{AddField{Model: "Post", Column: withA}, AlterField{Model: "Post", Column: withB}},
		{AddField{Model: "Post", Column: withA}, AlterField{Model: "Post", Column: null}},
		{AddField{Model: "Post", Column: null}, AlterField{Model: "Post", Column: requiredB}},
		{AddField{Model: "Post", Column: null}, AlterField{Model: "Post", Column: requiredB, Backfill: new("'x'")}},
		{AddField{Model: "Post", Column: null}, AlterField{Model: "Post", Column: required, Backfill: new("'x'")}},
		{AddField{Model: "Post", Column: required, Backfill: new("'y'")}, AlterField{Model: "Post", Column: null}},
		{AddField{Model: "Post", Column: required, Backfill: new("'y'")}, AlterField{Model: "Post", Column: requiredB}},
		{AddField{Model: "Post", Column: null}, AlterField{Model: "Post", Column: required, Backfill: new("'x'")}, AlterField{Model: "Post", Column: null}},
		{AddField{Model: "Post", Column: null}, RenameField{Model: "Post", From: "c", To: "d"}, addText("Post", "c")},
		{AlterField{Model: "Post", Column: schema.Column{Name: "n", Type: schema.Int64, Null: true}}, AlterField{Model: "Post", Column: schema.Column{Name: "n", Type: schema.Text, Null: true}}},
		{RenameField{Model: "Post", From: "n", To: "m"}, RenameField{Model: "Post", From: "m", To: "o"}, addText("Post", "n")},
		{RenameModel{From: "Post", To: "Article", Table: "x"}, RenameModel{From: "Article", To: "Post", Table: "y"}},
		{addText("Post", "x"), AlterField{Model: "Post", Column: schema.Column{Name: "x", Type: schema.String, Size: 9, Null: true}}, RemoveField{Model: "Post", Column: "x"}},
	} {
		rows := func(optimized bool) []string {
			p, db := newProject(), openTest(t)
			p.add(t, "blog", "0001", CreateModel{Table: *table("blog", "Post", schema.Column{Name: "n", Type: schema.Text, Null: true})})
			p.migrate(t, db)
			db.exec(t, `INSERT INTO blog_post (n) VALUES ('01'), (NULL)`)
			state, err := p.graph(t).State()
			if err != nil {
				t.Fatal(err)
			}
			if optimized {
				if operations, err = optimize(operations, "blog", state); err != nil {
					t.Fatal(err)
				}
			}
			p.add(t, "blog", "0002", operations...)
			p.migrate(t, db)
			if state, err = p.graph(t).State(); err != nil {
				t.Fatal(err)
			}
			return append(db.rows(t, "SELECT * FROM "+state.Table("blog", "Post").Name), dump(t, db)...)
		}
		if diff := cmp.Diff(rows(false), rows(true)); diff != "" {
			t.Errorf("case %d:\n%s", i, diff)
		}
	}
}
