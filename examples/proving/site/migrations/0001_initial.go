package migrations

import (
	"github.com/retort-web/retort/migrate"
	"github.com/retort-web/retort/orm/schema"
)

var _ = All.Add(migrate.Migration{
	Name: "0001_initial",
	Dependencies: []string{
		"auth.0001_initial",
	},
	Operations: []migrate.Operation{
		migrate.CreateModel{Table: schema.Table{
			Model: "Note",
			Name:  "site_note",
			Columns: []schema.Column{
				{Name: "id", Field: "ID", Type: schema.Int64, PrimaryKey: true, AutoIncrement: true},
				{Name: "owner_id", Field: "Owner", Type: schema.Int64, References: &schema.Reference{Table: "auth_users", Column: "id", OnDelete: schema.Cascade, Model: "auth.User"}},
				{Name: "title", Field: "Title", Type: schema.String, Size: 120},
				{Name: "text", Field: "Text", Type: schema.Text},
				{Name: "created", Field: "Created", Type: schema.DateTime},
			},
			Indexes: []schema.Index{
				{Name: "site_note_owner_id_idx", Columns: []schema.IndexColumn{{Name: "owner_id"}}},
			},
		}},
		migrate.CreateModel{Table: schema.Table{
			Model: "Post",
			Name:  "site_post",
			Columns: []schema.Column{
				{Name: "id", Field: "ID", Type: schema.Int64, PrimaryKey: true, AutoIncrement: true},
				{Name: "title", Field: "Title", Type: schema.String, Size: 120},
				{Name: "body", Field: "Body", Type: schema.Text},
				{Name: "author_id", Field: "Author", Type: schema.Int64, References: &schema.Reference{Table: "auth_users", Column: "id", OnDelete: schema.Cascade, Model: "auth.User"}},
				{Name: "published", Field: "Published", Type: schema.Bool, Default: new("TRUE")},
				{Name: "data", Field: "Data", Type: schema.JSON, Null: true},
				{Name: "created", Field: "Created", Type: schema.DateTime},
			},
			Indexes: []schema.Index{
				{Name: "site_post_author_id_idx", Columns: []schema.IndexColumn{{Name: "author_id"}}},
				{Name: "site_post_created_idx", Columns: []schema.IndexColumn{{Name: "created"}}},
			},
		}},
		migrate.CreateModel{Table: schema.Table{
			Model: "Comment",
			Name:  "site_comment",
			Columns: []schema.Column{
				{Name: "id", Field: "ID", Type: schema.Int64, PrimaryKey: true, AutoIncrement: true},
				{Name: "post_id", Field: "Post", Type: schema.Int64, References: &schema.Reference{Table: "site_post", Column: "id", OnDelete: schema.Cascade, Model: "site.Post"}},
				{Name: "name", Field: "Name", Type: schema.String, Size: 60},
				{Name: "url", Field: "URL", Type: schema.String, Size: 200},
				{Name: "text", Field: "Text", Type: schema.Text},
				{Name: "created", Field: "Created", Type: schema.DateTime},
			},
			Indexes: []schema.Index{
				{Name: "site_comment_post_id_idx", Columns: []schema.IndexColumn{{Name: "post_id"}}},
			},
		}},
		migrate.CreateModel{Table: schema.Table{
			Model: "Sample",
			Name:  "site_sample",
			Columns: []schema.Column{
				{Name: "id", Field: "ID", Type: schema.Int64, PrimaryKey: true, AutoIncrement: true},
				{Name: "name", Field: "Name", Type: schema.String, Size: 60},
				{Name: "amount", Field: "Amount", Type: schema.Int64, Default: new("0")},
				{Name: "data", Field: "Data", Type: schema.JSON, Null: true},
				{Name: "taken", Field: "Taken", Type: schema.DateTime},
			},
		}},
		migrate.CreateModel{Table: schema.Table{
			Model: "Upload",
			Name:  "site_upload",
			Columns: []schema.Column{
				{Name: "id", Field: "ID", Type: schema.Int64, PrimaryKey: true, AutoIncrement: true},
				{Name: "owner_id", Field: "Owner", Type: schema.Int64, References: &schema.Reference{Table: "auth_users", Column: "id", OnDelete: schema.Cascade, Model: "auth.User"}},
				{Name: "name", Field: "Name", Type: schema.String, Size: 120},
				{Name: "kept", Field: "Kept", Type: schema.String, Size: 64, Unique: true},
				{Name: "type", Field: "Type", Type: schema.String, Size: 80},
				{Name: "size", Field: "Size", Type: schema.Int64},
				{Name: "created", Field: "Created", Type: schema.DateTime},
			},
			Indexes: []schema.Index{
				{Name: "site_upload_owner_id_idx", Columns: []schema.IndexColumn{{Name: "owner_id"}}},
			},
		}},
	},
})
