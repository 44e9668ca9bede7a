package migrations

import (
	"github.com/retort-web/retort/migrate"
	"github.com/retort-web/retort/orm/schema"
)

var _ = All.Add(migrate.Migration{
	Name: "0002_accounts",
	Dependencies: []string{
		"blog.0001_initial",
		"auth.0001_initial",
	},
	Operations: []migrate.Operation{
		migrate.AddField{
			Model:  "Author",
			Column: schema.Column{Name: "user_id", Field: "User", Type: schema.Int64, Null: true, Unique: true, References: &schema.Reference{Table: "auth_users", Column: "id", OnDelete: schema.SetNull, Model: "auth.User"}},
		},
		migrate.AddField{
			Model:  "Comment",
			Column: schema.Column{Name: "user_id", Field: "User", Type: schema.Int64, Null: true, References: &schema.Reference{Table: "auth_users", Column: "id", OnDelete: schema.SetNull, Model: "auth.User"}},
		},
		migrate.AddIndex{
			Model: "Comment",
			Index: schema.Index{Name: "blog_comment_user_id_idx", Columns: []schema.IndexColumn{{Name: "user_id"}}},
		},
	},
})
