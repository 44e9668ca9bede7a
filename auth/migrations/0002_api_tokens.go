package migrations

import (
	"github.com/retort-web/retort/migrate"
	"github.com/retort-web/retort/orm/schema"
)

var _ = All.Add(migrate.Migration{
	Name: "0002_api_tokens",
	Dependencies: []string{
		"auth.0001_initial",
	},
	Operations: []migrate.Operation{
		migrate.CreateModel{Table: schema.Table{
			Model: "APIToken",
			Name:  "auth_api_tokens",
			Columns: []schema.Column{
				{Name: "id", Field: "ID", Type: schema.Int64, PrimaryKey: true, AutoIncrement: true},
				{Name: "user_id", Field: "User", Type: schema.Int64, References: &schema.Reference{Table: "auth_users", Column: "id", OnDelete: schema.Cascade, Model: "auth.User"}},
				{Name: "name", Field: "Name", Type: schema.String, Size: 100},
				{Name: "prefix", Field: "Prefix", Type: schema.String, Size: 20},
				{Name: "hash", Field: "Hash", Type: schema.String, Size: 64, Unique: true},
				{Name: "scopes", Field: "Scopes", Type: schema.JSON},
				{Name: "expires", Field: "Expires", Type: schema.DateTime, Null: true},
				{Name: "last_used", Field: "LastUsed", Type: schema.DateTime, Null: true},
				{Name: "created", Field: "Created", Type: schema.DateTime},
				{Name: "revoked", Field: "Revoked", Type: schema.DateTime, Null: true},
			},
			Indexes: []schema.Index{
				{Name: "auth_api_tokens_user_id_idx", Columns: []schema.IndexColumn{{Name: "user_id"}}},
			},
		}},
	},
})
