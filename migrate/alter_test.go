package migrate

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm/schema"
)

// alterations are the changes to models that people make. Each is applied to
// tables with rows, compared with tables created directly, and undone.
var alterations = []struct {
	name   string
	change func(t *testing.T, tables []*schema.Table) []*schema.Table
	asker  Asker
	want   []string // the migrations made
	query  string   // after it
	rows   []string
	lossy  bool // undoing it does not bring the rows back
}{
	{
		name: "add a nullable field in place",
		change: edit("Post", func(p *schema.Table) {
			p.Columns = append(p.Columns, schema.Column{Name: "subtitle", Field: "Subtitle", Type: schema.String, Size: 100, Null: true})
		}),
		want:  []string{"blog.0002_post_subtitle: Add field Subtitle to Post"},
		query: "SELECT title, subtitle FROM blog_post ORDER BY id", rows: []string{"One|NULL", "Two|NULL", "Three|NULL"},
	},
	{
		name: "add a field with a default in place",
		change: edit("Post", func(p *schema.Table) {
			p.Columns = append(p.Columns, schema.Column{Name: "views", Field: "Views", Type: schema.Int64, Default: new("7")})
		}),
		want:  []string{"blog.0002_post_views: Add field Views to Post"},
		query: "SELECT title, views FROM blog_post ORDER BY id", rows: []string{"One|7", "Two|7", "Three|7"},
	},
	{
		name: "add a NOT NULL field with a value for existing rows only",
		change: edit("Post", func(p *schema.Table) {
			p.Columns = append(p.Columns, schema.Column{Name: "subtitle", Field: "Subtitle", Type: schema.Text})
		}),
		asker: Answers{Backfills: map[string]string{"blog.Post.subtitle": "it's \"new\""}},
		want:  []string{"blog.0002_post_subtitle: Add field Subtitle to Post"},
		query: "SELECT id, parent_id, subtitle FROM blog_post ORDER BY id", rows: []string{`1|NULL|it's "new"`, `2|1|it's "new"`, `3|2|it's "new"`},
	},
	{
		name: "add a foreign key, a unique field, a JSON field and a default that is an expression",
		change: edit("Post", func(p *schema.Table) {
			p.Columns = append(p.Columns,
				schema.Column{Name: "editor_id", Field: "Editor", Type: schema.Int64, Null: true, References: &schema.Reference{Table: "auth_user", Column: "id", OnDelete: schema.Restrict, Model: "auth.User"}},
				schema.Column{Name: "slug", Field: "Slug", Type: schema.String, Size: 50, Null: true, Unique: true},
				schema.Column{Name: "extra", Field: "Extra", Type: schema.JSON, Null: true},
				schema.Column{Name: "made", Field: "Made", Type: schema.DateTime, Default: new("CURRENT_TIMESTAMP")})
		}),
		want:  []string{"blog.0002_post_editor_id_post_slug_post_extra_post_made: Add field Editor to Post; Add field Slug to Post; Add field Extra to Post; Add field Made to Post"},
		query: "SELECT id, slug, extra, CASE WHEN made IS NULL THEN 1 ELSE 0 END FROM blog_post ORDER BY id", rows: []string{"1|NULL|NULL|0", "2|NULL|NULL|0", "3|NULL|NULL|0"},
	},
	{
		name: "remove a plain field, a foreign key to itself, an index and a check",
		change: edit("Post", func(p *schema.Table) {
			p.Columns = slices.DeleteFunc(p.Columns, func(c schema.Column) bool { return c.Name == "status" || c.Name == "parent_id" })
			p.Indexes, p.Checks = nil, nil
		}),
		want:  []string{"blog.0002_remove_blog_post_status_idx_remove_title_not_empty_and_more: Remove index blog_post_status_idx from Post; Remove check title_not_empty from Post; Remove field status from Post; Remove field parent_id from Post"},
		query: "SELECT id, title FROM blog_post ORDER BY id", rows: []string{"1|One", "2|Two", "3|Three"},
		lossy: true,
	},
	{
		name: "alter a type, a size, a default and a delete rule",
		change: edit("Post", func(p *schema.Table) {
			p.Column("title").Size = 300
			p.Column("status").Default = new("'it''s new'")
			p.Column("author_id").References.OnDelete = schema.Restrict
		}),
		want:  []string{"blog.0002_alter_post_title_alter_post_status_and_more: Alter field Title on Post; Alter field Status on Post; Alter field Author on Post"},
		query: "SELECT id, title, status, author_id, parent_id FROM blog_post ORDER BY id", rows: []string{"1|One|draft|1|NULL", "2|Two|draft|1|1", "3|Three|draft|2|2"},
	},
	{
		name: "allow NULL",
		change: edit("Post", func(p *schema.Table) {
			p.Column("title").Null = true
		}),
		want: []string{"blog.0002_alter_post_title: Alter field Title on Post"},
	},
	{
		name: "forbid NULL with a value for the rows that hold it",
		change: edit("Post", func(p *schema.Table) {
			p.Column("parent_id").Null = false
			p.Column("parent_id").References.OnDelete = schema.Cascade
		}),
		asker: Answers{Backfills: map[string]string{"blog.Post.parent_id": "1"}},
		want:  []string{"blog.0002_alter_post_parent_id: Alter field Parent on Post"},
		query: "SELECT id, parent_id FROM blog_post ORDER BY id", rows: []string{"1|1", "2|1", "3|2"},
		lossy: true,
	},
	{
		name: "make a field unique",
		change: edit("Post", func(p *schema.Table) {
			p.Column("title").Unique = true
		}),
		want: []string{"blog.0002_alter_post_title: Alter field Title on Post"},
	},
	{
		name: "rename a field that an index, a check and a partial index use",
		change: edit("Post", func(p *schema.Table) {
			p.Column("title").Name, p.Column("title").Field = "headline", "Headline"
			p.Checks[0].SQL = `"headline" <> ''`
			c := p.Column("status")
			c.Name = "state" // the field keeps its name: no question
			p.Indexes[0].Columns[0].Name = "state"
		}),
		asker: Answers{Renames: map[string]string{"blog.Post.title": "headline"}},
		want:  []string{"blog.0002_rename_status_post_state_rename_title_post_headline: Rename field status on Post to state; Rename field title on Post to headline"},
		query: "SELECT headline, state FROM blog_post ORDER BY id", rows: []string{"One|draft", "Two|draft", "Three|draft"},
	},
	{
		name: "rename the referenced key of another app",
		change: edit("User", func(u *schema.Table) {
			u.Column("id").Name = "user_id"
		}, "Post", func(p *schema.Table) {
			p.Column("author_id").References.Column = "user_id"
		}),
		want:  []string{"auth.0002_rename_id_user_user_id: Rename field id on User to user_id"},
		query: "SELECT title, username FROM blog_post JOIN auth_user ON user_id = author_id ORDER BY blog_post.id", rows: []string{"One|ann", "Two|ann", "Three|bob"},
	},
	{
		name: "rename a model with its join table",
		change: func(_ *testing.T, tables []*schema.Table) []*schema.Table {
			return renameModelTables(tables, "Post", "Article", "blog_article")
		},
		asker: Answers{Renames: map[string]string{"blog.Post": "Article"}},
		want: []string{
			"blog.0002_rename_post_article_rename_post_tags_article_tags_and_more: " +
				"Rename model Post to Article; Rename model Post_tags to Article_tags; Rename field post_id on Article_tags to article_id",
		},
		query: "SELECT a.title, t.name FROM blog_article a JOIN blog_article_tags x ON x.article_id = a.id JOIN blog_tag t ON t.id = x.tag_id ORDER BY a.id, t.id", rows: []string{"One|go", "One|web", "Two|go"},
	},
	{
		name: "rename only a table",
		change: edit("Tag", func(p *schema.Table) {
			p.Name = "labels"
		}, "Post_tags", func(p *schema.Table) {
			p.Column("tag_id").References.Table = "labels"
		}),
		want:  []string{"blog.0002_rename_table_labels: Rename table of Tag to labels"},
		query: "SELECT name FROM labels ORDER BY id", rows: []string{"go", "web"},
	},
	{
		name: "change an index and add a partial and a unique one",
		change: edit("Post", func(p *schema.Table) {
			p.Indexes[0].Columns = p.Indexes[0].Columns[:1]
			p.Indexes = append(p.Indexes,
				schema.Index{Name: "blog_post_live", Columns: []schema.IndexColumn{{Name: "title"}}, Where: `"status" = 'live'`},
				schema.Index{Name: "blog_post_uniq", Unique: true, Columns: []schema.IndexColumn{{Name: "author_id"}, {Name: "title"}}})
		}),
		want: []string{"blog.0002_remove_blog_post_status_idx_blog_post_status_idx_and_more: Remove index blog_post_status_idx from Post; Create index blog_post_status_idx on Post; Create index blog_post_live on Post; Create index blog_post_uniq on Post"},
	},
	{
		name: "change a check",
		change: edit("Post", func(p *schema.Table) {
			p.Checks[0].SQL = `length("title") > 1`
		}),
		want: []string{"blog.0002_remove_title_not_empty_title_not_empty: Remove check title_not_empty from Post; Create check title_not_empty on Post"},
	},
	{
		name: "delete models, a relation and the fields that point to them",
		change: func(t *testing.T, tables []*schema.Table) []*schema.Table {
			p := pick(t, tables, "Post")
			p.Columns = slices.DeleteFunc(p.Columns, func(c schema.Column) bool { return c.Name == "author_id" })
			return []*schema.Table{p}
		},
		want: []string{
			"blog.0002_remove_post_author_id_delete_post_tags_delete_tag: Remove field author_id from Post; Delete model Post_tags; Delete model Tag",
			"auth.0002_delete_user: Delete model User",
		},
		query: "SELECT id, title FROM blog_post ORDER BY id", rows: []string{"1|One", "2|Two", "3|Three"},
		lossy: true,
	},
	{
		name: "change the key of a join table, and what its references do",
		change: edit("Post_tags", func(j *schema.Table) {
			j.Columns[0].PrimaryKey, j.Columns[1].PrimaryKey = false, false
			j.Columns = append(j.Columns, idColumn())
			j.Columns[0].References.OnDelete = schema.Restrict
			j.Columns = append(j.Columns, schema.Column{Name: "note", Type: schema.Text, Null: true})
			j.Indexes = append(j.Indexes, schema.Index{Name: "both", Unique: true, Columns: []schema.IndexColumn{{Name: "post_id"}, {Name: "tag_id"}}})
		}),
		want:  []string{"blog.0002_alter_post_tags_key_post_tags_id_post_tags_note_and_more: Remove primary key of Post_tags; Add field ID to Post_tags; Add field note to Post_tags; Alter field post_id on Post_tags; Create index both on Post_tags"},
		query: "SELECT id, post_id, tag_id, note FROM blog_post_tags ORDER BY id", rows: []string{"1|1|1|NULL", "2|1|2|NULL", "3|2|1|NULL"},
	},
	{
		name: "make a key of two columns out of one",
		change: edit("Tag", func(g *schema.Table) {
			g.Column("name").PrimaryKey, g.Column("name").Unique = true, false
			g.Columns[0].AutoIncrement, g.Columns[0].Unique = false, true
		}),
		want:  []string{"blog.0002_alter_tag_key_alter_tag_id_alter_tag_name: Alter primary key of Tag to id, name; Alter field ID on Tag; Alter field Name on Tag"},
		query: "SELECT id, name FROM blog_tag ORDER BY id", rows: []string{"1|go", "2|web"},
	},
	{
		name: "turn a number key into text, with all that reference it",
		change: edit("User", func(u *schema.Table) {
			u.Column("id").Type, u.Column("id").AutoIncrement = schema.Text, false
		}, "Post", func(p *schema.Table) {
			p.Column("author_id").Type = schema.Text
		}),
		want: []string{
			"auth.0002_alter_user_id: Alter field ID on User",
			"blog.0002_alter_post_author_id: Alter field Author on Post",
		},
		query: "SELECT title, author_id, username FROM blog_post JOIN auth_user u ON u.id = author_id ORDER BY blog_post.id", rows: []string{"One|1|ann", "Two|1|ann", "Three|2|bob"},
	},
}

// edit makes a function that changes tables by the names of their models.
func edit(pairs ...any) func(t *testing.T, tables []*schema.Table) []*schema.Table {
	return func(t *testing.T, tables []*schema.Table) []*schema.Table {
		for i := 0; i < len(pairs); i += 2 {
			pairs[i+1].(func(*schema.Table))(pick(t, tables, pairs[i].(string)))
		}
		return tables
	}
}

// renameModelTables renames a model as package orm would see it: the join
// tables and their columns follow.
func renameModelTables(tables []*schema.Table, from, to, table string) []*schema.Table {
	for _, t := range tables {
		for i := range t.Columns {
			if r := t.Columns[i].References; r != nil && r.Table == "blog_post" {
				r.Table, r.Model = table, "blog."+to
			}
		}
		switch t.Model {
		case from:
			t.Model, t.Name = to, table
		case from + "_tags":
			t.Model, t.Name = to+"_tags", table+"_tags"
			t.Column("post_id").Name = "article_id"
		}
	}
	return tables
}

// everyRow is the contents of the tables before an alteration.
func everyRow(t *testing.T, db *testDatabase) []string {
	t.Helper()
	var all []string
	for _, q := range []string{
		"SELECT id, username FROM auth_user ORDER BY id",
		"SELECT id, title, status, author_id, parent_id FROM blog_post ORDER BY id",
		"SELECT id, name FROM blog_tag ORDER BY id",
		"SELECT post_id, tag_id FROM blog_post_tags ORDER BY post_id, tag_id",
	} {
		all = append(all, db.rows(t, q)...)
	}
	return all
}

func TestAlterationsKeepTheRows(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		for _, test := range alterations {
			t.Run(test.name, func(t *testing.T) {
				t.Parallel()
				p, db := newProject(), openKind(t, kind)
				p.make(t, blogTables(), nil)
				p.migrate(t, db)
				seed(t, db)
				rowsBefore, tablesBefore := everyRow(t, db), dump(t, db)

				tables := test.change(t, blogTables())
				if diff := cmp.Diff(test.want, p.make(t, tables, test.asker)); diff != "" {
					t.Fatalf("migrations made (-want +got):\n%s", diff)
				}
				if again := p.make(t, tables, nil); len(again) != 0 {
					t.Fatalf("made again: %v", again)
				}
				p.migrate(t, db)
				if diff := cmp.Diff(dumpOf(t, kind, tables), dump(t, db)); diff != "" {
					t.Errorf("tables (-created directly +migrated):\n%s", diff)
				}
				if test.query != "" {
					if diff := cmp.Diff(test.rows, db.rows(t, test.query)); diff != "" {
						t.Errorf("rows (-want +got):\n%s", diff)
					}
				}
				if test.lossy {
					return
				}
				p.to(t, db, Target{App: "blog", Name: "0001"})
				p.to(t, db, Target{App: "auth", Name: "0001"})
				p.to(t, db, Target{App: "blog", Name: "0001"})
				if diff := cmp.Diff(tablesBefore, dump(t, db)); diff != "" {
					t.Errorf("tables undone (-before +after):\n%s", diff)
				}
				if diff := cmp.Diff(rowsBefore, everyRow(t, db)); diff != "" {
					t.Errorf("rows undone (-before +after):\n%s", diff)
				}
				db.keysAreOn(t)
			})
		}
	})
}
