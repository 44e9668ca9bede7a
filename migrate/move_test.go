package migrate

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm/schema"
)

// movedTables is the blog with Post, and its join table, in the app news.
func movedTables(t testing.TB) []*schema.Table {
	t.Helper()
	tables := blogTables()
	for _, table := range tables {
		for i := range table.Columns {
			if r := table.Columns[i].References; r != nil && r.Table == "blog_post" {
				r.Table, r.Model = "news_post", "news.Post"
			}
		}
	}
	post, join := pick(t, tables, "Post"), pick(t, tables, "Post_tags")
	post.App, post.Name = "news", "news_post"
	post.Indexes[0].Name = "news_post_status_idx"
	join.App, join.Name = "news", "news_post_tags"
	join.Indexes[0].Name = "news_post_tags_tag_id_idx"
	return tables
}

// TestMovedModelKeepsItsRows moves a model, with the join table of its
// relation, to another app and back.
func TestMovedModelKeepsItsRows(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		p, db := newProject(), openKind(t, kind)
		tables := append(blogTables(), table("forum", "Thread", foreignKey("post_id", "blog.Post", true)))
		p.make(t, tables, nil)
		p.migrate(t, db)
		seed(t, db)
		db.exec(t, "INSERT INTO forum_thread (post_id) VALUES (2)")
		before := dump(t, db)
		moved := append(movedTables(t), table("forum", "Thread", foreignKey("post_id", "news.Post", true)))
		got := p.make(t, moved, Answers{Renames: map[string]string{"blog.Post": "news.Post"}})
		want := []string{
			"news.0001_initial: Move model blog.Post here; Move model blog.Post_tags here; Rename index blog_post_status_idx on Post to news_post_status_idx; Rename index blog_post_tags_tag_id_idx on Post_tags to news_post_tags_tag_id_idx",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
		if got := fmt.Sprint(p.sets["news"].migrations["0001_initial"].Dependencies); got != "[blog.0001_initial forum.0001_initial]" {
			t.Error(got)
		}
		p.migrate(t, db)
		if again := p.make(t, moved, nil); len(again) > 0 {
			t.Error(again)
		}
		if diff := cmp.Diff(dumpOf(t, kind, moved), dump(t, db)); diff != "" {
			t.Error(diff)
		}
		if got := db.rows(t, "SELECT title, parent_id FROM news_post ORDER BY id"); fmt.Sprint(got) != "[One|NULL Two|1 Three|2]" {
			t.Error(got)
		}
		if got := db.rows(t, "SELECT count(*) FROM news_post_tags"); got[0] != "3" {
			t.Error(got)
		}
		if err := db.Exec(t.Context(), "INSERT INTO forum_thread (post_id) VALUES (99)"); err == nil {
			t.Error("the reference to the moved table is gone")
		}
		// What the old app does next comes after the move, also on a new database.
		next := append(moved, table("blog", "Post", schema.Column{Name: "x", Type: schema.Text}))
		p.make(t, next, nil)
		if got := fmt.Sprint(p.sets["blog"].migrations["0002_post"].Dependencies); got != "[blog.0001_initial news.0001_initial]" {
			t.Error(got)
		}
		p.migrate(t, openKind(t, kind))
		p.migrate(t, db)
		p.to(t, db, Target{App: "news", Name: Zero})
		if diff := cmp.Diff(before, dump(t, db)); diff != "" {
			t.Error("undone:", diff)
		}
		if got := db.rows(t, "SELECT title FROM blog_post ORDER BY id"); fmt.Sprint(got) != "[One Two Three]" {
			t.Error(got)
		}
		db.keysAreOn(t)
	})
}

func TestMovesAreAskedOrCertain(t *testing.T) {
	t.Parallel()
	old := []*schema.Table{table("blog", "Post", schema.Column{Name: "title", Type: schema.Text})}
	moved := []*schema.Table{table("news", "Post", schema.Column{Name: "title", Type: schema.Text})}
	sameName := []*schema.Table{moved[0].Clone()}
	sameName[0].Name = "blog_post"
	other := []*schema.Table{table("news", "Article", schema.Column{Name: "headline", Type: schema.Text})}
	for name, test := range map[string]struct {
		tables []*schema.Table
		asker  Asker
		want   string // or the error
	}{
		"the table keeps its name": {sameName, nil, "[news.0001_initial: Move model blog.Post here]"},
		"unanswered":               {moved, nil, "give --rename blog.Post=news.Post, if nothing was renamed or moved --no-rename"},
		"told":                     {moved, Answers{Renames: map[string]string{"blog.Post": "news.Post"}}, "[news.0001_initial: Move model blog.Post here]"},
		"told not":                 {moved, Answers{NoRenames: true}, "[blog.0002_delete_post: Delete model Post news.0001_initial: Create model Post]"},
		"under another name, changed": {
			other,
			Answers{Renames: map[string]string{"blog.Post": "news.Article", "news.Article.title": "headline"}},
			"[news.0001_initial: Move model blog.Post here as Article; Rename field title on Article to headline]",
		},
		"told wrong": {moved, Answers{Renames: map[string]string{"blog.Post": "news.Other"}, NoRenames: true}, "no such change"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProject()
			p.make(t, old, nil)
			got, err := p.tryMake(t, test.tables, test.asker)
			if err != nil {
				contains(t, err, nil, test.want)
			} else if fmt.Sprint(got) != test.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestMoveModelRefuses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		operation MoveModel
		want      string
	}{
		{MoveModel{From: "Post"}, `want "app.Model"`},
		{MoveModel{From: "blog.Gone"}, "no model blog.Gone exists"},
		{MoveModel{From: "blog.Post", To: "User"}, "auth.User, which exists already"},
		{MoveModel{From: "blog.Post", Table: "blog_tag"}, "is the table of blog.Tag already"},
	} {
		p, db := newProject(), openTest(t)
		p.make(t, blogTables(), nil)
		p.sets["auth"].Add(Migration{Name: "0002_move", Dependencies: []string{"auth.0001_initial", "blog.0001_initial"}, Operations: []Operation{test.operation}})
		_, err := p.graph(t).Apply(t.Context(), db, Target{}, Options{})
		contains(t, err, nil, "auth.0002_move", test.want)
		if got := db.tables(t); len(got) > 0 {
			t.Error(got)
		}
	}
}

// TestOwnJoinTableKeepsTheRows turns the join table of a relation into a model
// of its own, with a key and a further field.
func TestOwnJoinTableKeepsTheRows(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		p, db := newProject(), openKind(t, kind)
		p.make(t, blogTables(), nil)
		p.migrate(t, db)
		seed(t, db)
		before := dump(t, db)
		tables := blogTables()
		own := pick(t, tables, "Post_tags")
		own.Model, own.Name = "Tagging", "blog_tagging"
		own.Columns[0].PrimaryKey, own.Columns[1].PrimaryKey = false, false
		own.Columns = append([]schema.Column{idColumn()}, append(own.Columns, schema.Column{Name: "why", Field: "Why", Type: schema.Text, Null: true})...)
		own.Indexes[0].Name = "blog_tagging_tag_id_idx"
		t.Log(p.make(t, tables, Answers{Renames: map[string]string{"blog.Post_tags": "Tagging"}}))
		p.migrate(t, db)
		if diff := cmp.Diff(dumpOf(t, kind, tables), dump(t, db)); diff != "" {
			t.Error(diff)
		}
		if got := db.rows(t, "SELECT post_id, tag_id, why FROM blog_tagging ORDER BY post_id, tag_id"); fmt.Sprint(got) != "[1|1|NULL 1|2|NULL 2|1|NULL]" {
			t.Error(got)
		}
		p.back(t, db, "blog", "0001")
		if diff := cmp.Diff(before, dump(t, db)); diff != "" {
			t.Error("undone:", diff)
		}
		if got := db.rows(t, "SELECT post_id, tag_id FROM blog_post_tags ORDER BY post_id, tag_id"); fmt.Sprint(got) != "[1|1 1|2 2|1]" {
			t.Error(got)
		}
	})
}

func TestRenameIndex(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		p, db := newProject(), openKind(t, kind)
		columns := []schema.Column{{Name: "a", Type: schema.Int64}, {Name: "b", Type: schema.String, Size: 20}}
		tables := []*schema.Table{table("blog", "Post", columns...)}
		tables[0].Indexes = []schema.Index{
			{Name: "plain", Columns: []schema.IndexColumn{{Name: "a"}}},
			{Name: "partial", Unique: true, Columns: []schema.IndexColumn{{Name: "b"}}, Where: `"a" > 1`},
			{Name: "left", Columns: []schema.IndexColumn{{Name: "a"}, {Name: "b"}}},
			{Name: "right", Columns: []schema.IndexColumn{{Name: "b"}, {Name: "a"}}},
		}
		p.make(t, tables, nil)
		p.migrate(t, db)
		before := dump(t, db)
		tables = cloneTables(tables)
		tables[0].Indexes[0].Name, tables[0].Indexes[1].Name = "plain2", "partial2"
		tables[0].Indexes[2].Name, tables[0].Indexes[3].Name = "right", "left" // they swap
		got := p.make(t, tables, nil)
		want := []string{"blog.0002_remove_left_remove_right_rename_plain_plain2_and_more: Remove index left from Post; Remove index right from Post; Rename index plain on Post to plain2; Rename index partial on Post to partial2; Create index right on Post; Create index left on Post"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		p.migrate(t, db)
		if diff := cmp.Diff(dumpOf(t, kind, tables), dump(t, db)); diff != "" {
			t.Error(diff)
		}
		p.back(t, db, "blog", "0001")
		if diff := cmp.Diff(before, dump(t, db)); diff != "" {
			t.Error("undone:", diff)
		}
	})
}
