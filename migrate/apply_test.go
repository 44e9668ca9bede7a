package migrate

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm/schema"
	"github.com/retort-web/retort/orm/schema/sqlite"
)

func seed(t testing.TB, db *testDatabase) {
	t.Helper()
	db.exec(t,
		`INSERT INTO auth_user (username) VALUES ('ann'), ('bob')`,
		`INSERT INTO blog_post (title, author_id, parent_id) VALUES ('One', 1, NULL), ('Two', 1, 1), ('Three', 2, 2)`,
		`INSERT INTO blog_tag (name) VALUES ('go'), ('web')`,
		`INSERT INTO blog_post_tags (post_id, tag_id) VALUES (1, 1), (1, 2), (2, 1)`,
	)
}

func TestFirstMigrationsCreateTheTables(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		p, db := newProject(), openKind(t, kind)
		got := p.make(t, blogTables(), nil)
		want := []string{
			"auth.0001_initial: Create model User",
			"blog.0001_initial: Create model Post; Create model Tag; Create model Post_tags",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		p.migrate(t, db)
		seed(t, db)
		if err := db.Exec(t.Context(), `INSERT INTO blog_post (title, author_id) VALUES ('', 1)`); err == nil {
			t.Error("the check constraint is not there")
		}
		if err := db.Exec(t.Context(), `INSERT INTO blog_post (title, author_id) VALUES ('x', 9)`); err == nil {
			t.Error("the foreign key is not there")
		}
		if got := p.make(t, blogTables(), nil); len(got) != 0 {
			t.Errorf("nothing changed, but got %v", got)
		}
		if steps := p.to(t, db, Target{}); steps != nil {
			t.Errorf("all was applied, but did %v", steps)
		}
		p.to(t, db, Target{App: "auth", Name: Zero})
		if got := db.tables(t); len(got) != 0 {
			t.Errorf("tables after undoing all: %v", got)
		}
	})
}

func TestIrreversibleIsRefusedBeforeAnythingChanges(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		p, db := newProject(), openKind(t, kind)
		p.make(t, blogTables(), nil)
		p.add(t, "blog", "0002_code", RunCode{Name: "fill", Code: NoCode})
		p.add(t, "blog", "0003_field", AddField{Model: "Tag", Column: schema.Column{Name: "note", Type: schema.Text, Null: true}})
		p.migrate(t, db)
		before := dump(t, db)
		for _, target := range []Target{{App: "blog", Name: Zero}, {App: "auth", Name: Zero}, {App: "blog", Name: "0001"}} {
			_, err := p.graph(t).Apply(t.Context(), db, target, Options{})
			contains(t, err, ErrIrreversible, "blog.0002_code", "Run Go code: fill")
		}
		if diff := cmp.Diff(before, dump(t, db)); diff != "" {
			t.Error(diff)
		}
		p.to(t, db, Target{App: "blog", Name: "0002"})
	})
}

func TestImpossibleOperationIsRefusedBeforeAnythingChanges(t *testing.T) {
	t.Parallel()
	title := schema.Column{Name: "title", Type: schema.Text}
	for _, test := range []struct {
		operation Operation
		want      string
	}{
		{CreateModel{Table: *blogTables()[1]}, "exists already"},
		{CreateModel{Table: schema.Table{Model: "New", Name: "blog_tag", Columns: []schema.Column{idColumn()}}}, `table "blog_tag" of blog.New is the table of blog.Tag already`},
		{CreateModel{Table: schema.Table{Model: "New", Name: "new"}}, "has no columns"},
		{CreateModel{Table: schema.Table{Name: "new"}}, "needs both"},
		{CreateModel{Table: schema.Table{Model: "New", Name: "new", Columns: []schema.Column{{Name: "x", Type: "number"}}}}, `unknown type "number"`},
		{CreateModel{Table: schema.Table{Model: "New", Name: "new", Columns: []schema.Column{{Type: schema.Text, Field: "X"}}}}, "has no name"},
		{DeleteModel{Model: "Nothing"}, "no model blog.Nothing exists"},
		{DeleteModel{Model: "Tag"}, "still referenced by blog.Post_tags.tag_id"},
		{RenameModel{From: "Post", To: "Tag"}, "exists already"},
		{RenameModel{From: "Post", To: "Article", Table: "blog_tag"}, "is the table of blog.Tag"},
		{RenameModel{From: "Post"}, "to nothing"},
		{AddField{Model: "Post", Column: title}, "already"},
		{AddField{Model: "Post", Column: schema.Column{Name: "x", Type: schema.Int64, AutoIncrement: true}}, "not the primary key"},
		{AddField{Model: "Gone", Column: title}, "no model blog.Gone"},
		{RemoveField{Model: "Post", Column: "subtitle"}, "it has id, title, status, author_id, parent_id"},
		{RemoveField{Model: "Post", Column: "status"}, "index blog_post_status_idx; remove the index first"},
		{RemoveField{Model: "Post", Column: "title"}, "check title_not_empty; remove the check first"},
		{RemoveField{Model: "Tag", Column: "id"}, "still referenced by blog.Post_tags.tag_id"},
		{AlterField{Model: "Post", Column: schema.Column{Name: "x", Type: schema.Text}}, `no column "x"`},
		{RenameField{Model: "Post", From: "title", To: "status"}, "already"},
		{RenameField{Model: "Post", From: "title"}, "to nothing"},
		{RenameField{Model: "Post", From: "x", To: "y"}, `no column "x"`},
		{AddIndex{Model: "Post", Index: schema.Index{Name: "i", Columns: []schema.IndexColumn{{Name: "x"}}}}, `over column "x"`},
		{AddIndex{Model: "Post", Index: schema.Index{Name: "i"}}, "needs a name and columns"},
		{AddIndex{Model: "Post", Index: blogTables()[1].Indexes[0]}, "already"},
		{RemoveIndex{Model: "Post", Name: "i"}, "no index i"},
		{AddCheck{Model: "Post", Check: schema.Check{Name: "c"}}, "needs a name and a condition"},
		{AddCheck{Model: "Post", Check: blogTables()[1].Checks[0]}, "already"},
		{RemoveCheck{Model: "Post", Name: "c"}, "no check c"},
		{AlterComment{Model: "Gone"}, "no model blog.Gone"},
		{RunCode{Name: "empty"}, "no Code"},
	} {
		p, db := newProject(), openTest(t)
		p.make(t, blogTables(), nil)
		p.sets["blog"].Add(Migration{Name: "0002_x", Dependencies: []string{"blog.0001_initial"}, Operations: []Operation{test.operation}})
		_, err := p.graph(t).Apply(t.Context(), db, Target{}, Options{})
		contains(t, err, nil, "blog.0002_x", test.operation.Describe(), test.want)
		if got := db.tables(t); len(got) != 0 {
			t.Errorf("%T changed the database: %v", test.operation, got)
		}
	}
}

// TestRebuildKeepsWhatMigrationsDoNotKnow is about triggers, views and indexes
// made by hand, such as those that keep a full-text index up to date.
func TestRebuildKeepsWhatMigrationsDoNotKnow(t *testing.T) {
	t.Parallel()
	p, db := newProject(), openTest(t)
	p.make(t, blogTables(), nil)
	p.migrate(t, db)
	seed(t, db)
	db.exec(t,
		`CREATE TABLE log (what TEXT)`,
		`CREATE TRIGGER post_log AFTER UPDATE ON blog_post BEGIN INSERT INTO log VALUES (new.title); END`,
		`CREATE TRIGGER tag_log AFTER INSERT ON blog_tag BEGIN UPDATE blog_post SET title = title || '!' WHERE id = 1; END`,
		`CREATE INDEX by_hand ON blog_post (title) WHERE status = 'live'`,
		`CREATE VIEW titles AS SELECT title FROM blog_post`,
	)
	tables := blogTables()
	pick(t, tables, "Post").Column("title").Size = 300
	p.make(t, tables, nil)
	p.migrate(t, db)
	db.exec(t, `INSERT INTO blog_tag (name) VALUES ('new')`)
	if got := db.rows(t, "SELECT what FROM log"); len(got) != 1 || got[0] != "One!" {
		t.Errorf("the triggers wrote %v", got)
	}
	if got := db.rows(t, "SELECT title FROM titles"); len(got) != 3 {
		t.Errorf("the view has %v", got)
	}
	if got := db.rows(t, "SELECT name FROM sqlite_schema WHERE name = 'by_hand'"); len(got) != 1 {
		t.Error("the index made by hand is gone")
	}
	// What does not fit the new table stops the migration, and says so.
	db.exec(t, `CREATE INDEX on_status ON blog_post (status)`, `DROP VIEW titles`)
	p.add(t, "blog", "0003_x", RemoveIndex{Model: "Post", Name: "blog_post_status_idx"}, RemoveField{Model: "Post", Column: "status"})
	_, err := p.graph(t).Apply(t.Context(), db, Target{}, Options{})
	contains(t, err, nil, "by_hand", "drop it with RunSQL before")
}

func TestRebuildDoesNotGiveOutOldKeysAgain(t *testing.T) {
	t.Parallel()
	p, db := newProject(), openTest(t)
	p.make(t, blogTables(), nil)
	p.migrate(t, db)
	seed(t, db)
	db.exec(t, `DELETE FROM blog_post WHERE id > 1`, `DELETE FROM blog_tag`)
	tables := blogTables()
	pick(t, tables, "Post").Column("title").Size = 300
	pick(t, tables, "Tag").Column("name").Size = 300
	p.make(t, tables, nil)
	p.migrate(t, db)
	db.exec(t, `INSERT INTO blog_post (title, author_id) VALUES ('Four', 1)`, `INSERT INTO blog_tag (name) VALUES ('x')`)
	if got := db.rows(t, "SELECT max(id) FROM blog_post UNION ALL SELECT max(id) FROM blog_tag"); got[0] != "4" || got[1] != "3" {
		t.Errorf("new keys are %v, want 4 and 3", got)
	}
}

func TestRunSQLAndCodeGoBothWays(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		p, db := newProject(), openKind(t, kind)
		p.make(t, blogTables(), nil)
		count := func(sign string) func(context.Context, Database) error {
			return func(ctx context.Context, db Database) error {
				return db.Exec(ctx, "UPDATE blog_tag SET name = name || "+db.Dialect().Placeholder(1), sign)
			}
		}
		p.add(t, "blog", "0002_data",
			RunSQL{SQL: "INSERT INTO blog_tag (name) VALUES ('a'); INSERT INTO blog_tag (name) VALUES ('b')", ReverseSQL: "DELETE FROM blog_tag WHERE name IN ('a+-', 'b+-')"},
			RunCode{Code: count("+"), ReverseCode: count("-")},
			RunSQL{SQL: Noop, ReverseSQL: Noop},
		)
		p.migrate(t, db)
		if got := strings.Join(db.rows(t, "SELECT name FROM blog_tag ORDER BY id"), " "); got != "a+ b+" {
			t.Errorf("forward: %s", got)
		}
		p.to(t, db, Target{App: "blog", Name: "0001"})
		if got := db.rows(t, "SELECT name FROM blog_tag"); len(got) != 0 {
			t.Errorf("backward: %v", got)
		}
	})
}

// longText is the type of text without a size.
var longText = map[string]string{"sqlite": "TEXT", "postgres": "text", "mysql": "LONGTEXT"}

func TestStateAndDatabaseCanPart(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		p, db := newProject(), openKind(t, kind)
		p.make(t, blogTables(), nil)
		note := schema.Column{Name: "note", Type: schema.Text, Null: true}
		p.add(t, "blog", "0002_x", SeparateStateAndDatabase{
			State: []Operation{AddField{Model: "Tag", Column: note}},
			Database: []Operation{
				RunSQL{SQL: "ALTER TABLE blog_tag ADD COLUMN remark " + longText[kind.Name], ReverseSQL: Noop},
				RunSQL{SQL: "ALTER TABLE blog_tag RENAME COLUMN remark TO note", ReverseSQL: "ALTER TABLE blog_tag DROP COLUMN note"},
			},
		})
		p.migrate(t, db)
		tables := blogTables()
		tag := pick(t, tables, "Tag")
		tag.Columns = append(tag.Columns, note)
		if got := p.make(t, tables, nil); len(got) != 0 {
			t.Errorf("the state lacks the change: %v", got)
		}
		if diff := cmp.Diff(dumpOf(t, kind, tables), dump(t, db)); diff != "" {
			t.Error(diff)
		}
		p.to(t, db, Target{App: "blog", Name: "0001"})
		if diff := cmp.Diff(dumpOf(t, kind, blogTables()), dump(t, db)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestFakeOnlyRecords(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		p, db := newProject(), openKind(t, kind)
		p.make(t, blogTables(), nil)
		g := p.graph(t)
		if _, err := g.Apply(t.Context(), db, Target{App: "auth"}, Options{Fake: true}); err != nil {
			t.Fatal(err)
		}
		if got := db.tables(t); len(got) != 0 {
			t.Errorf("tables: %v", got)
		}
		pending, err := g.Pending(t.Context(), db)
		if err != nil || planned(pending) != "+blog.0001_initial" {
			t.Errorf("pending: %s, %v", planned(pending), err)
		}
		if _, err := g.Apply(t.Context(), db, Target{App: "auth", Name: Zero}, Options{Fake: true}); err != nil {
			t.Fatal(err)
		}
		if got := db.rows(t, "SELECT name FROM retort_migrations"); len(got) != 0 {
			t.Errorf("recorded: %v", got)
		}
	})
}

func TestFakeInitialAdoptsTablesThatExist(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		p, db := newProject(), openKind(t, kind)
		p.make(t, blogTables(), nil)
		p.add(t, "blog", "0002_x", AddField{Model: "Tag", Column: schema.Column{Name: "note", Type: schema.Text, Null: true}})
		seeded := &schema.Table{Name: "seeded", Columns: []schema.Column{idColumn()}}
		p.add(t, "seed", "0001_initial", RunSQL{SQL: db.Dialect().CreateTable(seeded)[0]})
		db.exec(t, schema.CreateTables(db.Dialect(), blogTables())...)
		g := p.graph(t)
		_, err := g.Apply(t.Context(), db, Target{App: "blog"}, Options{})
		contains(t, err, nil, "auth.0001_initial", "already exists")
		if _, err := g.Apply(t.Context(), db, Target{}, Options{FakeInitial: true}); err != nil {
			t.Fatal(err)
		}
		tables := blogTables()
		tag := pick(t, tables, "Tag")
		tag.Columns = append(tag.Columns, schema.Column{Name: "note", Type: schema.Text, Null: true})
		want := dumpOf(t, kind, append(tables, seeded))
		if diff := cmp.Diff(want, dump(t, db)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestInconsistentHistoryIsRefused(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		p, db := newProject(), openKind(t, kind)
		p.make(t, blogTables(), nil)
		p.migrate(t, db)
		db.exec(t, "DELETE FROM retort_migrations WHERE app = 'auth'")
		g := p.graph(t)
		_, err := g.Apply(t.Context(), db, Target{}, Options{})
		contains(t, err, ErrInconsistent, "blog.0001_initial is applied, but auth.0001_initial", "--fake")
		_, err = g.Plan(t.Context(), db, Target{})
		contains(t, err, ErrInconsistent)
		if _, err := g.Apply(t.Context(), db, Target{App: "auth"}, Options{Fake: true}); err != nil {
			t.Fatal(err)
		}
		if _, err := g.Apply(t.Context(), db, Target{}, Options{}); err != nil {
			t.Error(err)
		}
	})
}

func TestStatusTellsWhatIsApplied(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		p, db := newProject(), openKind(t, kind)
		p.make(t, blogTables(), nil)
		p.add(t, "blog", "0002_x")
		g := p.graph(t)
		status := func() string {
			all, err := g.Status(t.Context(), db)
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			for _, app := range all {
				b.WriteString(app.App + ":")
				for _, m := range app.Migrations {
					mark := " "
					switch {
					case m.Missing:
						mark = "?"
					case m.Applied:
						mark = "x"
					}
					if m.Applied != (time.Since(m.At) < time.Minute) {
						t.Errorf("%s was applied at %v", m.Name, m.At)
					}
					b.WriteString(" [" + mark + "] " + m.Name)
				}
				b.WriteString("\n")
			}
			return b.String()
		}
		if got, want := status(), "auth: [ ] 0001_initial\nblog: [ ] 0001_initial [ ] 0002_x\n"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if got := db.tables(t); len(got) != 0 {
			t.Errorf("to look at a database made tables: %v", got)
		}
		p.to(t, db, Target{App: "blog", Name: "0001"})
		db.exec(t, "INSERT INTO retort_migrations (app, name, applied) SELECT 'shop', '0007_gone', applied FROM retort_migrations LIMIT 1")
		if got, want := status(), "auth: [x] 0001_initial\nblog: [x] 0001_initial [ ] 0002_x\nshop: [?] 0007_gone\n"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		p.migrate(t, db)
	})
}

func TestProgressIsTold(t *testing.T) {
	t.Parallel()
	p, db := newProject(), openTest(t)
	p.make(t, blogTables(), nil)
	var got []string
	options := Options{Progress: func(e Event) {
		got = append(got, fmt.Sprint(e.Step.ID(), e.Done, e.Skipped, e.Done == (e.Elapsed > 0)))
	}}
	if _, err := p.graph(t).Apply(t.Context(), db, Target{}, options); err != nil {
		t.Fatal(err)
	}
	want := []string{"auth.0001_initialfalse false true", "auth.0001_initialtrue false true", "blog.0001_initialfalse false true", "blog.0001_initialtrue false true"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestNonAtomicRunsOutsideATransaction(t *testing.T) {
	t.Parallel()
	p, db := newProject(), openTest(t)
	p.make(t, blogTables(), nil)
	p.migrate(t, db)
	p.sets["blog"].Add(Migration{Name: "0002_vacuum", NonAtomic: true, Dependencies: []string{"blog.0001_initial"}, Operations: []Operation{
		RunSQL{SQL: "VACUUM", ReverseSQL: Noop}, // refused inside a transaction
		RenameField{Model: "Tag", From: "name", To: "label"},
	}})
	p.migrate(t, db)
	if got := db.rows(t, "SELECT name FROM retort_migrations WHERE name = '0002_vacuum'"); len(got) != 1 {
		t.Error("it was not recorded")
	}
	p.sets["blog"].Add(Migration{Name: "0003_rebuild", NonAtomic: true, Dependencies: []string{"blog.0002_vacuum"}, Operations: []Operation{
		AlterField{Model: "Tag", Column: schema.Column{Name: "label", Type: schema.Text}},
	}})
	_, err := p.graph(t).Apply(t.Context(), db, Target{}, Options{})
	contains(t, err, nil, "only safe inside a transaction", "nothing of it was changed")
}

func TestSQLIsAScript(t *testing.T) {
	t.Parallel()
	p := newProject()
	p.make(t, blogTables(), nil)
	p.add(t, "blog", "0002_x",
		AlterField{Model: "Tag", Column: schema.Column{Name: "name", Type: schema.Text, Unique: true}},
		RunCode{Name: "fill", Code: NoCode, ReverseCode: NoCode})
	g := p.graph(t)
	for _, backward := range []bool{false, true} {
		script, err := g.SQL("blog", "0002", sqlite.Dialect{}, backward)
		if err != nil {
			t.Fatal(err)
		}
		order := []string{"-- Alter field name on Tag", "CREATE TABLE", `"name" TEXT NOT NULL UNIQUE`, "-- Run Go code: fill", "-- (Go code"}
		if backward {
			order = []string{"-- Run Go code: fill", "-- (Go code", "-- Alter field name on Tag", "CREATE TABLE", `"name" varchar(50) NOT NULL UNIQUE`}
		}
		order = append([]string{"PRAGMA foreign_keys = OFF;", "BEGIN;"}, order...)
		order = append(order, "COMMIT;", "PRAGMA foreign_keys = ON;")
		at := 0
		for _, part := range order {
			i := strings.Index(script[at:], part)
			if i < 0 {
				t.Errorf("backward %t: no %q in its place:\n%s", backward, part, script)
				break
			}
			at += i
		}
	}
	if _, err := g.SQL("blog", "0003", sqlite.Dialect{}, false); err == nil {
		t.Error("SQL of a migration that does not exist")
	}
}

func TestChangesOfOneTableCopyItOnce(t *testing.T) {
	t.Parallel()
	p := newProject()
	p.make(t, blogTables(), nil)
	tables := blogTables()
	post, tag := pick(t, tables, "Post"), pick(t, tables, "Tag")
	post.Column("title").Size, post.Column("status").Size, tag.Column("name").Size = 9, 9, 9
	post.Columns = append(post.Columns, schema.Column{Name: "note", Type: schema.Text, Null: true, Unique: true})
	post.Checks[0].SQL = `"title" <> 'x'`
	p.make(t, tables, nil)
	for _, backward := range []bool{false, true} {
		script, err := p.graph(t).SQL("blog", "0002", sqlite.Dialect{}, backward)
		if err != nil {
			t.Fatal(err)
		}
		// The check goes first and comes back last, with the tag between.
		if n := strings.Count(script, `CREATE TABLE "new__blog_post"`); n > 2 {
			t.Errorf("backward %t: the table is copied %d times:\n%s", backward, n, script)
		}
		if n := strings.Count(script, `CREATE TABLE "new__blog_tag"`); n != 1 {
			t.Errorf("backward %t: the other table is copied %d times", backward, n)
		}
	}
}

func TestAlterComment(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		p, db := newProject(), openKind(t, kind)
		p.make(t, blogTables(), nil)
		tables := blogTables()
		pick(t, tables, "Post").Comment = "What people read."
		got := p.make(t, tables, nil)
		if diff := cmp.Diff([]string{"blog.0002_comment_post: Alter comment of Post"}, got); diff != "" {
			t.Error(diff)
		}
		if again := p.make(t, tables, nil); len(again) != 0 {
			t.Errorf("made again: %v", again)
		}
		p.migrate(t, db)
		p.to(t, db, Target{App: "blog", Name: "0001"})
	})
}

// meddling is a database in which another process changes the history between
// the plan and the transaction of the first step.
type meddling struct {
	*testDatabase
	once   *sync.Once
	meddle func()
}

func (d meddling) Query(ctx context.Context, query string, args ...any) ([][]any, error) {
	rows, err := d.testDatabase.Query(ctx, query, args...)
	if strings.Contains(query, HistoryTable) {
		d.once.Do(d.meddle)
	}
	return rows, err
}

func TestHistoryIsReadAgainInTheTransaction(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		for _, test := range []struct {
			name    string
			applied bool // all of it, at the beginning
			target  Target
			meddle  string
			want    string
		}{
			{"somebody applied it", false, Target{App: "auth"}, "INSERT INTO retort_migrations VALUES ('auth', '0001_initial', '2026-01-01 00:00:00.000000')", ""},
			{"somebody undid its parent", true, Target{}, "DELETE FROM retort_migrations WHERE app = 'blog'", "undone blog.0001_initial meanwhile"},
			{"somebody undid it", true, Target{App: "blog", Name: Zero}, "DELETE FROM retort_migrations WHERE app = 'blog'", ""},
			{"somebody applied its child", true, Target{App: "auth", Name: Zero}, "INSERT INTO retort_migrations VALUES ('blog', '0002_x', '2026-01-01 00:00:00.000000')", "applied blog.0002_x meanwhile"},
		} {
			t.Run(test.name, func(t *testing.T) {
				t.Parallel()
				p, db := newProject(), openKind(t, kind)
				p.make(t, blogTables(), nil)
				p.add(t, "blog", "0002_x")
				g := p.graph(t)
				if _, err := g.Apply(t.Context(), db, Target{App: "blog"}, Options{}); err != nil {
					t.Fatal(err)
				}
				db.exec(t, "DELETE FROM retort_migrations WHERE name = '0002_x'")
				if !test.applied {
					p.to(t, db, Target{App: "auth", Name: Zero})
				}
				before := dump(t, db)
				m := meddling{testDatabase: db, once: new(sync.Once), meddle: func() { db.exec(t, test.meddle) }}
				var skipped int
				done, err := g.Apply(t.Context(), m, test.target, Options{Progress: func(e Event) {
					if e.Skipped {
						skipped++
					}
				}})
				if test.want != "" {
					contains(t, err, nil, test.want, "nothing of it was changed")
				} else if err != nil || skipped == 0 || len(done) != 0 {
					t.Errorf("did %v, skipped %d: %v", done, skipped, err)
				}
				if diff := cmp.Diff(before, dump(t, db)); diff != "" {
					t.Error(diff)
				}
			})
		}
	})
}
