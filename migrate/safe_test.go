package migrate

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm/schema"
)

// changedBlog is blogTables after everything that would lock a big table.
func changedBlog(t testing.TB) []*schema.Table {
	t.Helper()
	tables := blogTables()
	post, tag := pick(t, tables, "Post"), pick(t, tables, "Tag")
	post.Columns = append(post.Columns,
		schema.Column{Name: "note", Type: schema.Text},
		schema.Column{Name: "views", Type: schema.Int64, Default: new("0")},
		schema.Column{Name: "code", Type: schema.String, Size: 20, Null: true, Unique: true},
		schema.Column{Name: "made", Type: schema.DateTime, DefaultNow: true},
		schema.Column{Name: "editor_id", Type: schema.Int64, Null: true, References: &schema.Reference{Table: "auth_user", Column: "id", OnDelete: schema.SetNull, Model: "auth.User"}},
	)
	post.Column("parent_id").References.OnDelete = schema.Cascade
	post.Indexes[0].Columns = post.Indexes[0].Columns[:1]
	post.Checks = append(post.Checks, schema.Check{Name: "title_short", SQL: `"title" <> 'x'`})
	tag.Columns[1] = schema.Column{Name: "name", Field: "Name", Type: schema.String, Size: 100}
	tag.Columns = append(tag.Columns, schema.Column{Name: "rank", Type: schema.Int64, Null: true})
	return tables
}

func TestMigrationsWithoutDowntimeComeInStages(t *testing.T) {
	t.Parallel()
	p := newProject()
	p.zeroDowntime = true
	p.make(t, blogTables(), nil)
	got := p.make(t, changedBlog(t), anything{})
	want := []string{
		"blog.0002_post_note_post_views_post_code_post_made_and_more: Add field note to Post; Add field views to Post; Add field code to Post; " +
			"Add field made to Post; Alter field made on Post; Add field editor_id to Post; Alter field Parent on Post; Add field rank to Tag; Alter field Name on Tag; Create check title_short on Post",
		"blog.0003_remove_blog_post_status_idx_require_post_note_and_more: Remove index blog_post_status_idx from Post; Forbid NULL in note of Post; Make code of Post unique; " +
			"Forbid NULL in made of Post; Hold all rows of Post to the foreign key of parent_id; Create index blog_post_status_idx on Post; Hold all rows of Post to check title_short",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	got = p.make(t, blogTables(), anything{})
	want = []string{
		"blog.0004_remove_title_short_alter_post_note_and_more: Remove check title_short from Post; Alter field note on Post; Alter field Parent on Post; Alter field Name on Tag",
		"blog.0005_remove_blog_post_status_idx_validate_post_parent_id_and_more: Remove index blog_post_status_idx from Post; Hold all rows of Post to the foreign key of parent_id; Make name of Tag unique; Create index blog_post_status_idx on Post",
		"blog.0006_remove_post_note_remove_post_views_remove_post_code_and_more: Remove field note from Post; Remove field views from Post; Remove field code from Post; Remove field made from Post; Remove field editor_id from Post; Remove field rank from Tag",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for i, nonAtomic := range []bool{false, false, true, false, true, false} {
		if n := p.graph(t).sorted()[i+1]; n.app == "blog" && n.NonAtomic != nonAtomic {
			t.Errorf("%s: NonAtomic is %v", n.id, n.NonAtomic)
		}
	}
}

func TestChangesWithoutDowntimeReachTheSame(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		p, db := newProject(), openKind(t, kind)
		p.zeroDowntime = true
		p.make(t, blogTables(), nil)
		p.migrate(t, db)
		seed(t, db)
		p.make(t, changedBlog(t), anything{})
		p.migrate(t, db)
		if diff := cmp.Diff(dumpOf(t, kind, changedBlog(t)), dump(t, db)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"5|0", "5|0", "5|0"}, db.rows(t, "SELECT note, views FROM blog_post WHERE made IS NOT NULL ORDER BY id")); diff != "" {
			t.Error(diff)
		}
		if err := db.Exec(t.Context(), "UPDATE blog_post SET title = 'x'"); err == nil {
			t.Error("the check is not there")
		}
		p.to(t, db, Target{App: "blog", Name: "0001"})
		if diff := cmp.Diff(dumpOf(t, kind, blogTables()), dump(t, db)); diff != "" {
			t.Error(diff)
		}
		db.keysAreOn(t)
	})
}

func TestFillingGoesByBatches(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		p, db := newProject(), openKind(t, kind)
		p.make(t, blogTables(), nil)
		p.migrate(t, db)
		seed(t, db)
		p.sets["blog"].Add(Migration{Name: "0002_fields", Dependencies: []string{"blog.0001_initial"}, Operations: []Operation{
			AddField{Model: "Post", Column: schema.Column{Name: "slug", Type: schema.Text, Null: true}},
			AddField{Model: "Post_tags", Column: schema.Column{Name: "place", Type: schema.Int64, Null: true}},
		}})
		p.migrate(t, db)
		db.exec(t, "UPDATE blog_post SET slug = 'kept' WHERE id = 2")
		for id := 4; id <= 10; id++ {
			db.exec(t, fmt.Sprintf("INSERT INTO blog_post (title, author_id) VALUES ('T%d', 1)", id), fmt.Sprintf("INSERT INTO blog_post_tags (post_id, tag_id) VALUES (%d, 2)", id))
		}
		p.sets["blog"].Add(Migration{Name: "0003_fill", NonAtomic: true, Dependencies: []string{"blog.0002_fields"}, Operations: []Operation{
			FillField{Model: "Post", Column: "slug", Value: `lower("title")`, BatchSize: 2},
			FillField{Model: "Post_tags", Column: "place", Value: "7", BatchSize: 3}, // whose key has two columns
		}})
		p.migrate(t, db)
		want := []string{"one", "kept", "three", "t4", "t5", "t6", "t7", "t8", "t9", "t10"}
		if diff := cmp.Diff(want, db.rows(t, "SELECT slug FROM blog_post ORDER BY id")); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"10"}, db.rows(t, "SELECT count(*) FROM blog_post_tags WHERE place = 7")); diff != "" {
			t.Error(diff)
		}
		p.to(t, db, Target{App: "blog", Name: "0001"})
	})
}

// onlyPostgres opens a new database of PostgreSQL, or skips the test.
func onlyPostgres(t *testing.T) *testDatabase {
	t.Helper()
	for _, kind := range testdb.Kinds() {
		if kind.Name == "postgres" {
			return openKind(t, kind)
		}
	}
	t.Skip("needs PostgreSQL")
	return nil
}

func TestUnusableIndexIsMadeAgain(t *testing.T) {
	t.Parallel()
	p, db := newProject(), onlyPostgres(t)
	p.make(t, blogTables(), nil)
	p.migrate(t, db)
	seed(t, db)
	index := schema.Index{Name: "blog_post_author", Unique: true, Columns: []schema.IndexColumn{{Name: "author_id"}}}
	p.sets["blog"].Add(Migration{Name: "0002_x", NonAtomic: true, Dependencies: []string{"blog.0001_initial"}, Operations: []Operation{
		AddIndex{Model: "Post", Index: index, Concurrently: true},
		AddUnique{Model: "Post", Column: "status"},
	}})
	// What an interrupted statement leaves, whoever ran it, is in nobody's way.
	if err := db.Exec(t.Context(), "CREATE UNIQUE INDEX CONCURRENTLY blog_post_author ON blog_post (author_id)"); err == nil {
		t.Fatal("there are authors with several posts")
	}
	invalid := func() []string {
		return db.rows(t, "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid AND indrelid = 'blog_post'::regclass")
	}
	for range 2 {
		_, err := p.graph(t).Apply(t.Context(), db, Target{}, Options{})
		contains(t, err, nil, "Create index blog_post_author", "unique constraint", "nothing of it was changed")
		if left := invalid(); len(left) > 0 {
			t.Errorf("unusable: %v", left)
		}
	}
	db.exec(t, "DELETE FROM blog_post WHERE id = 2")
	_, err := p.graph(t).Apply(t.Context(), db, Target{}, Options{})
	contains(t, err, nil, "Make status of Post unique", "unique constraint")
	db.exec(t, "UPDATE blog_post SET status = 'other' WHERE id = 3")
	p.migrate(t, db)
	if left := invalid(); len(left) > 0 {
		t.Errorf("unusable: %v", left)
	}
	p.to(t, db, Target{App: "blog", Name: "0001"})
	// A usable one of that name is somebody's own.
	db.exec(t, "CREATE INDEX blog_post_author ON blog_post (title)")
	for range 2 {
		_, err = p.graph(t).Apply(t.Context(), db, Target{}, Options{})
		contains(t, err, nil, "Create index blog_post_author", "exists")
	}
}

func TestConcurrentlyNeedsNonAtomic(t *testing.T) {
	t.Parallel()
	p, db := newProject(), onlyPostgres(t)
	p.make(t, blogTables(), nil)
	p.migrate(t, db)
	p.add(t, "blog", "0002_x", RemoveIndex{Model: "Post", Name: "blog_post_status_idx", Concurrently: true})
	_, err := p.graph(t).Apply(t.Context(), db, Target{}, Options{})
	contains(t, err, nil, "blog.0002_x", "Remove index blog_post_status_idx from Post", "NonAtomic: true")
}
