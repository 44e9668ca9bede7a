package migrations

import (
	"github.com/retort-web/retort/migrate"
	"github.com/retort-web/retort/orm/schema"
)

var _ = All.Add(migrate.Migration{
	Name: "0001_initial",
	Operations: []migrate.Operation{
		migrate.CreateModel{Table: schema.Table{
			Model: "Author",
			Name:  "blog_author",
			Columns: []schema.Column{
				{Name: "id", Field: "ID", Type: schema.Int64, PrimaryKey: true, AutoIncrement: true},
				{Name: "name", Field: "Name", Type: schema.String, Size: 100},
				{Name: "slug", Field: "Slug", Type: schema.String, Size: 100, Unique: true},
				{Name: "bio", Field: "Bio", Type: schema.Text},
			},
		}},
		migrate.CreateModel{Table: schema.Table{
			Model: "Post",
			Name:  "blog_post",
			Columns: []schema.Column{
				{Name: "id", Field: "ID", Type: schema.Int64, PrimaryKey: true, AutoIncrement: true},
				{Name: "title", Field: "Title", Type: schema.String, Size: 200},
				{Name: "slug", Field: "Slug", Type: schema.String, Size: 200, Unique: true},
				{Name: "summary", Field: "Summary", Type: schema.String, Size: 300},
				{Name: "body", Field: "Body", Type: schema.Text},
				{Name: "status", Field: "Status", Type: schema.String, Size: 10, Default: new("'draft'")},
				{Name: "published", Field: "Published", Type: schema.DateTime, Null: true},
				{Name: "author_id", Field: "Author", Type: schema.Int64, References: &schema.Reference{Table: "blog_author", Column: "id", OnDelete: schema.Restrict, Model: "blog.Author"}},
				{Name: "created", Field: "Created", Type: schema.DateTime},
				{Name: "updated", Field: "Updated", Type: schema.DateTime},
			},
			Indexes: []schema.Index{
				{Name: "blog_post_author_id_idx", Columns: []schema.IndexColumn{{Name: "author_id"}}},
				{Name: "blog_post_status_published_idx", Columns: []schema.IndexColumn{{Name: "status"}, {Name: "published"}}},
			},
			Checks: []schema.Check{
				{Name: "title_not_empty", SQL: `"title" <> ''`},
			},
		}},
		migrate.CreateModel{Table: schema.Table{
			Model: "Comment",
			Name:  "blog_comment",
			Columns: []schema.Column{
				{Name: "id", Field: "ID", Type: schema.Int64, PrimaryKey: true, AutoIncrement: true},
				{Name: "post_id", Field: "Post", Type: schema.Int64, References: &schema.Reference{Table: "blog_post", Column: "id", OnDelete: schema.Cascade, Model: "blog.Post"}},
				{Name: "name", Field: "Name", Type: schema.String, Size: 80},
				{Name: "text", Field: "Text", Type: schema.Text},
				{Name: "created", Field: "Created", Type: schema.DateTime},
			},
			Indexes: []schema.Index{
				{Name: "blog_comment_post_id_idx", Columns: []schema.IndexColumn{{Name: "post_id"}}},
			},
		}},
		migrate.CreateModel{Table: schema.Table{
			Model: "Tag",
			Name:  "blog_tag",
			Columns: []schema.Column{
				{Name: "id", Field: "ID", Type: schema.Int64, PrimaryKey: true, AutoIncrement: true},
				{Name: "name", Field: "Name", Type: schema.String, Size: 50, Unique: true},
				{Name: "slug", Field: "Slug", Type: schema.String, Size: 50, Unique: true},
			},
		}},
		migrate.CreateModel{Table: schema.Table{
			Model: "Post_tags",
			Name:  "blog_post_tags",
			Columns: []schema.Column{
				{Name: "post_id", Field: "post_id", Type: schema.Int64, PrimaryKey: true, References: &schema.Reference{Table: "blog_post", Column: "id", OnDelete: schema.Cascade, Model: "blog.Post"}},
				{Name: "tag_id", Field: "tag_id", Type: schema.Int64, PrimaryKey: true, References: &schema.Reference{Table: "blog_tag", Column: "id", OnDelete: schema.Cascade, Model: "blog.Tag"}},
			},
			Indexes: []schema.Index{
				{Name: "blog_post_tags_tag_id_idx", Columns: []schema.IndexColumn{{Name: "tag_id"}}},
			},
		}},
	},
})
