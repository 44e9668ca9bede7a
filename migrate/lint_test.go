package migrate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm/schema"
)

// lintCase is an operation on blogTables and its hazards. "-" is for one that the database
// does not know.
type lintCase struct {
	operation Operation
	postgres  string // rules
	mysql     string
	mariadb   string // if others than on MySQL
}

func lintCases(t testing.TB) []lintCase {
	t.Helper()
	tables := blogTables()
	altered := func(model, column string, change func(c *schema.Column)) AlterField {
		c := pick(t, tables, model).Column(column).Clone()
		change(&c)
		return AlterField{Model: model, Column: c}
	}
	number := schema.Column{Name: "n", Type: schema.Int64}
	add := func(change func(c *schema.Column)) AddField {
		c := number.Clone()
		change(&c)
		return AddField{Model: "Post", Column: c}
	}
	user := &schema.Reference{Table: "auth_user", Column: "id", OnDelete: schema.Cascade, Model: "auth.User"}
	index := schema.Index{Name: "i", Columns: []schema.IndexColumn{{Name: "title"}}}
	return []lintCase{
		{add(func(c *schema.Column) { c.Null = true }), "", "", ""},
		{add(func(c *schema.Column) { c.Default = new("5") }), "", "", ""},
		{add(func(*schema.Column) {}), "add-required-field", "add-required-field", ""},
		{AddField{Model: "Post", Column: number, Backfill: new("1")}, "add-required-field", "add-required-field", ""},
		{add(func(c *schema.Column) { c.Type, c.DefaultNow = schema.DateTime, true }), "", "rewrite-default", ""},
		{add(func(c *schema.Column) { c.Type, c.Default = schema.Float64, new("(random())") }), "rewrite-default", "-", ""},
		{add(func(c *schema.Column) { c.Type, c.Default = schema.UUID, new("(uuid())") }), "-", "rewrite-default", ""},
		{add(func(c *schema.Column) { c.Null, c.Unique = true, true }), "unique-blocks", "", ""},
		{add(func(c *schema.Column) { c.Null, c.References = true, user }), "", "foreign-key-scan", ""},
		{add(func(c *schema.Column) { c.Generated, c.Stored = `"author_id" + 1`, true }), "generated-stored", "generated-stored", ""},
		{RemoveField{Model: "Post", Column: "parent_id"}, "drop-field", "drop-field", ""},
		{RenameField{Model: "Tag", From: "name", To: "label"}, "rename-field", "rename-field", ""},
		{RenameModel{From: "Tag", To: "Label"}, "", "", ""},
		{RenameModel{From: "Tag", To: "Label", Table: "blog_label"}, "rename-model", "rename-model", ""},
		{MoveModel{From: "auth.User"}, "", "", ""},
		{MoveModel{From: "auth.User", Table: "blog_user"}, "rename-model", "rename-model", ""},
		{DeleteModel{Model: "Post_tags"}, "drop-model", "drop-model", ""},
		{altered("Post", "title", func(c *schema.Column) { c.Size = 400 }), "", "", ""},
		{altered("Post", "title", func(c *schema.Column) { c.Size = 100 }), "alter-type", "alter-type", ""},
		{altered("Post", "title", func(c *schema.Column) { c.Type = schema.Text }), "", "alter-type", ""},
		{altered("Tag", "name", func(c *schema.Column) { c.Size = 63 }), "", "", ""},
		{altered("Tag", "name", func(c *schema.Column) { c.Size = 64 }), "", "alter-type", ""},
		{altered("Post", "status", func(c *schema.Column) { c.Size = 200 }), "", "alter-type", "-"},
		{altered("Post", "status", func(c *schema.Column) { c.Default = new("'live'") }), "", "", ""},
		{altered("Post", "parent_id", func(c *schema.Column) { c.References, c.Type = nil, schema.Int32 }), "alter-type", "alter-type", ""},
		{altered("Post", "parent_id", func(c *schema.Column) { c.Null, c.References = false, nil }), "set-not-null", "", ""},
		{AlterField{Model: "Post", Column: altered("Post", "parent_id", func(c *schema.Column) { c.Null, c.References = false, nil }).Column, Backfill: new("1")}, "set-not-null", "fill-at-once", ""},
		{altered("Post", "parent_id", func(c *schema.Column) { c.References = user }), "foreign-key-scan", "foreign-key-scan", ""},
		{altered("Post", "status", func(c *schema.Column) { c.Unique = true }), "unique-blocks", "", ""},
		{AddIndex{Model: "Post", Index: index}, "index-blocks", "", ""},
		{AddIndex{Model: "Post", Index: schema.Index{Name: "i", Method: "fulltext", Columns: index.Columns}}, "-", "index-blocks", ""},
		{RemoveIndex{Model: "Post", Name: "blog_post_status_idx"}, "index-drop-waits", "", ""},
		{AddCheck{Model: "Post", Check: schema.Check{Name: "c", SQL: "author_id > 0"}}, "check-scan", "check-scan", ""},
		{AddCheck{Model: "Post", Check: schema.Check{Name: "c", SQL: "author_id > 0"}, NotValid: true}, "", "check-scan", ""},
		{RemoveCheck{Model: "Post", Name: "title_not_empty"}, "", "", ""},
		{AddForeignKey{Model: "Post_tags", ForeignKey: schema.ForeignKey{Columns: []string{"post_id", "tag_id"}, Table: "blog_post_tags", References: []string{"post_id", "tag_id"}}}, "foreign-key-scan", "foreign-key-scan", ""},
		{AlterPrimaryKey{Model: "Post_tags", Columns: []string{"tag_id", "post_id"}}, "alter-primary-key", "alter-primary-key", ""},
		{AlterComment{Model: "Post", Comment: "posts"}, "", "", ""},
	}
}

// rulesOf lints a migration of an operation and returns the rules.
func rulesOf(t testing.TB, database string, m Migration, tables []*schema.Table) string {
	t.Helper()
	found, err := lint("blog", &m, database, NewState(tables...), map[string]bool{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, h := range found {
		if h.Problem == "" || h.Advice == "" {
			t.Errorf("%v says too little", h)
		}
		names = append(names, h.Rule)
	}
	return strings.Join(names, " ")
}

func TestHazardsOfOperations(t *testing.T) {
	t.Parallel()
	for _, test := range lintCases(t) {
		m := Migration{Name: "0002_x", Operations: []Operation{test.operation}}
		onMariaDB := test.mysql
		switch {
		case test.mysql == "-":
			onMariaDB = "-"
		case test.mariadb != "":
			onMariaDB = strings.Trim(test.mariadb, "-")
		}
		for database, want := range map[string]string{kindPostgres: test.postgres, kindMySQL: test.mysql, kindMariaDB: onMariaDB} {
			if got := rulesOf(t, database, m, blogTables()); want != "-" && got != want {
				t.Errorf("%s on %s: %q, want %q", test.operation.Describe(), database, got, want)
			}
		}
	}
}

// rewriting are the rules by which PostgreSQL writes a table anew.
var rewriting = []string{"alter-type", "rewrite-default", "generated-stored"}

// copying are those by which MariaDB lets nobody write.
var copying = []string{"alter-type", "rewrite-default", "generated-stored", "check-scan", "foreign-key-scan", "index-blocks"}

// TestDatabasesDoWhatTheHazardsSay compares the rules with what a database does: whether
// PostgreSQL has a new file for the table, whether MariaDB refuses to let others write.
func TestDatabasesDoWhatTheHazardsSay(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		if kind.Name == "sqlite" {
			t.Skip("it has one writer at a time")
		}
		db := openKind(t, kind)
		maria := kind.Name == "mysql" && strings.Contains(strings.ToLower(db.rows(t, "SELECT version()")[0]), "maria")
		if kind.Name == "mysql" && !maria {
			t.Skip("the rules for MySQL are compared with its documentation only")
		}
		db.exec(t, schema.CreateTables(db.Dialect(), blogTables())...)
		for _, test := range lintCases(t) {
			from := NewState(blogTables()...)
			to := from.clone()
			if err := test.operation.ChangeState("blog", to); err != nil {
				t.Fatal(err)
			}
			c := Change{App: "blog", Dialect: db.Dialect(), From: from, To: to}
			forward, err := test.operation.Forward(c)
			if err != nil {
				t.Fatal(err)
			}
			if kind.Name == "postgres" {
				if test.postgres == "-" {
					continue
				}
				want := slices.ContainsFunc(rewriting, func(rule string) bool { return strings.Contains(test.postgres, rule) })
				if got := rewritesPostgres(t, db, forward); got != want {
					t.Errorf("%s: written anew is %v, the rules say %v", test.operation.Describe(), got, want)
				}
				continue
			}
			rules := test.mysql
			if test.mariadb != "" {
				rules = test.mariadb
			}
			if test.mysql == "-" {
				continue
			}
			want := slices.ContainsFunc(copying, func(rule string) bool { return strings.Contains(rules, rule) })
			// Renamed things are tied anew; a reference from a key that changes, too.
			switch test.operation.(type) {
			case RenameField, RenameModel, MoveModel, AlterPrimaryKey:
				want = false
			}
			if got := copiesMariaDB(t, db, forward); got != want {
				if _, needsValue := test.operation.(AddField); needsValue && strings.Contains(rules, "add-required-field") {
					want = got
				}
				if got != want {
					t.Errorf("%s: copied is %v, the rules say %v: %v", test.operation.Describe(), got, want, forward)
				}
			}
			c.From, c.To = to, from
			backward, err := test.operation.Reverse(c)
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range backward {
				db.exec(t, a.SQL)
			}
		}
	})
}

// rewritesPostgres runs statements, takes them back, and reports whether a table of the
// blog was written anew.
func rewritesPostgres(t testing.TB, db *testDatabase, actions []Action) bool {
	t.Helper()
	files := func(ctx context.Context) string {
		rows, err := db.Query(ctx, "SELECT oid::bigint, relfilenode FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace ORDER BY oid")
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(rows)
	}
	same := true
	err := db.Transaction(t.Context(), TransactionOptions{}, func(ctx context.Context) error {
		before := files(ctx)
		for _, a := range actions {
			if strings.HasPrefix(a.SQL, "DROP TABLE") {
				return errForget
			}
			if err := db.Exec(ctx, a.SQL); err != nil {
				return fmt.Errorf("%s: %w", a.SQL, err)
			}
		}
		same = before == files(ctx)
		return errForget
	})
	if !errors.Is(err, errForget) {
		t.Error(err)
	}
	return !same
}

// copiesMariaDB runs statements and reports whether the database refuses to do one while
// others write.
func copiesMariaDB(t testing.TB, db *testDatabase, actions []Action) bool {
	t.Helper()
	copied := false
	for _, a := range actions {
		if !strings.HasPrefix(a.SQL, "ALTER TABLE") {
			db.exec(t, a.SQL)
			continue
		}
		err := db.Exec(t.Context(), a.SQL+", ALGORITHM=INPLACE, LOCK=NONE")
		if err == nil {
			continue
		}
		if text := err.Error(); !strings.Contains(text, "1845") && !strings.Contains(text, "1846") {
			t.Errorf("%s: %v", a.SQL, err)
		}
		copied = true
		db.exec(t, a.SQL)
	}
	return copied
}

func TestHazardsOfSQL(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ sql, postgres, mysql string }{
		{"CREATE INDEX i ON blog_post (title)", "index-blocks", ""},
		{"create unique index concurrently i on blog_post (title)", "", ""},
		{"-- CONCURRENTLY\nCREATE INDEX i ON blog_post (title)", "index-blocks", ""},
		{"DROP INDEX i; DROP INDEX CONCURRENTLY j", "index-drop-waits", ""},
		{"ALTER TABLE blog_post ADD CONSTRAINT c CHECK (id > 0)", "check-scan", "raw-sql"},
		{"ALTER TABLE blog_post ADD CONSTRAINT c CHECK (id > 0) NOT VALID", "", "raw-sql"},
		{"ALTER TABLE blog_post ADD FOREIGN KEY (id) REFERENCES x (id)", "foreign-key-scan", "raw-sql"},
		{"ALTER TABLE blog_post ADD UNIQUE (title)", "unique-blocks", ""},
		{"ALTER TABLE blog_post ALTER title TYPE text", "alter-type", "alter-type"},
		{"ALTER TABLE blog_post ALTER COLUMN title SET NOT NULL", "set-not-null", ""},
		{"ALTER TABLE blog_post DROP COLUMN title", "drop-field", "drop-field"},
		{"ALTER TABLE blog_post RENAME COLUMN title TO t", "rename-field", "rename-field"},
		{"ALTER TABLE blog_post RENAME TO posts", "rename-model", "rename-model"},
		{"UPDATE blog_post SET title = ' WHERE '", "fill-at-once", "fill-at-once"},
		{"UPDATE blog_post SET title = 'x' WHERE id = 1", "", ""},
		{"TRUNCATE blog_post", "raw-sql", "raw-sql"},
		{"INSERT INTO blog_tag (name) VALUES ('DROP TABLE blog_tag')", "", ""},
		{"VACUUM FULL blog_post", "raw-sql", ""},
		{"CREATE INDEX i ON blog_new (title)", "", ""}, // a table of the migration itself
		{Noop, "", ""},
	} {
		m := Migration{Name: "0002_x", NonAtomic: true, Operations: []Operation{
			CreateModel{Table: schema.Table{Model: "New", Name: "blog_new", Columns: []schema.Column{idColumn()}}},
			AddIndex{Model: "New", Index: schema.Index{Name: "n", Columns: []schema.IndexColumn{{Name: "id"}}}},
			RunSQL{SQL: test.sql},
		}}
		for database, want := range map[string]string{kindPostgres: test.postgres, kindMySQL: test.mysql} {
			if got := rulesOf(t, database, m, blogTables()); got != want {
				t.Errorf("%s on %s: %q, want %q", test.sql, database, got, want)
			}
		}
	}
}

func TestHazardsOfWholeMigrations(t *testing.T) {
	t.Parallel()
	note := AddField{Model: "Tag", Column: note("note")}
	for _, test := range []struct {
		m    Migration
		want string
	}{
		{Migration{Operations: []Operation{note, RunCode{Name: "fill", Code: NoCode}}}, "rows-with-schema"},
		{Migration{Operations: []Operation{note, RunSQL{SQL: "UPDATE blog_tag SET note = '' WHERE id > 0"}}}, "rows-with-schema"},
		{Migration{Operations: []Operation{RunCode{Name: "fill", Code: NoCode}}}, ""},
		{Migration{NonAtomic: true, Operations: []Operation{note, FillField{Model: "Tag", Column: "note", Value: "''"}}}, ""},
		{Migration{Operations: []Operation{note, FillField{Model: "Tag", Column: "note", Value: "''"}, SetNotNull{Model: "Tag", Column: "note"}}}, "rows-with-schema validate-in-transaction"},
		{Migration{Operations: []Operation{
			AddCheck{Model: "Tag", Check: schema.Check{Name: "c", SQL: "id > 0"}, NotValid: true}, ValidateCheck{Model: "Tag", Name: "c"},
		}}, "validate-in-transaction"},
		{Migration{Operations: []Operation{SeparateStateAndDatabase{Database: []Operation{RemoveField{Model: "Tag", Column: "name"}}}}}, "drop-field"},
		{Migration{Operations: []Operation{SeparateStateAndDatabase{State: []Operation{RemoveField{Model: "Tag", Column: "name"}}}}}, ""},
		{Migration{Operations: []Operation{ownOperation{}}}, "own"},
		{Migration{Operations: []Operation{MoveModel{From: "auth.User", Table: "blog_user"}}}, "rename-model"},
		{Migration{Operations: []Operation{MoveModel{From: "auth.User"}}}, ""},
		{Migration{Operations: []Operation{note}, Ignore: []Ignore{{Rule: "drop-field"}}}, "bad-ignore"},
		{Migration{Operations: []Operation{note}, Ignore: []Ignore{{Rule: "dropfield", Reason: "none"}}}, "bad-ignore"},
	} {
		test.m.Name = "0002_x"
		if got := rulesOf(t, kindPostgres, test.m, blogTables()); got != test.want {
			t.Errorf("%v: %q, want %q", descriptions(test.m.Operations), got, test.want)
		}
	}
}

// ownOperation is a user's own, which tells of its hazard.
type ownOperation struct{ RunSQL }

func (ownOperation) Hazards(Change, string) []Hazard {
	return []Hazard{{Rule: "own", Problem: "it takes long", Advice: "wait"}}
}

func TestHazardsAreIgnoredByNameWithAReason(t *testing.T) {
	t.Parallel()
	p := newProject()
	p.make(t, blogTables(), nil)
	p.sets["blog"].Add(Migration{
		Name: "0002_x", Dependencies: []string{"blog.0001_initial"},
		Operations: []Operation{RemoveField{Model: "Post", Column: "parent_id"}, RemoveField{Model: "Post", Column: "author_id"}},
		Ignore:     []Ignore{{Rule: "drop-field", Operation: "Remove field parent_id from Post", Reason: "nobody reads it"}},
	})
	found, err := p.graph(t).Lint("postgres", nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, h := range found {
		got = append(got, fmt.Sprintf("%s.%s %d %s: %s", h.App, h.Migration, h.Operation, h.Rule, h.Ignored))
	}
	want := []string{"blog.0002_x 1 drop-field: nobody reads it", "blog.0002_x 2 drop-field: "}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if found, err := p.graph(t).Lint("mysql", func(_, name string) bool { return name == "0001_initial" }); err != nil || len(found) != 0 {
		t.Error(found, err)
	}
	if _, err := p.graph(t).Lint("oracle", nil); err == nil {
		t.Error("oracle has no rules")
	}
}

func TestMigrationsWithoutDowntimeHaveNoHazards(t *testing.T) {
	t.Parallel()
	for database, want := range map[string][]string{
		kindPostgres: nil,
		// There are changes that MySQL has no other way for.
		kindMySQL: {"foreign-key-scan", "foreign-key-scan", "alter-type", "check-scan"},
	} {
		p := newProject()
		p.zeroDowntime = true
		p.make(t, blogTables(), nil)
		p.make(t, changedBlog(t), anything{})
		found, err := p.graph(t).Lint(database, func(_, name string) bool { return name != "0001_initial" })
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, h := range found {
			got = append(got, h.Rule)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %v\n%s", database, found, diff)
		}
	}
}
