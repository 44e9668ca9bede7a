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
			Model: "Identity",
			Name:  "oidc_identities",
			Columns: []schema.Column{
				{Name: "id", Field: "ID", Type: schema.Int64, PrimaryKey: true, AutoIncrement: true},
				{Name: "user_id", Field: "User", Type: schema.Int64, References: &schema.Reference{Table: "auth_users", Column: "id", OnDelete: schema.Cascade, Model: "auth.User"}},
				{Name: "provider", Field: "Provider", Type: schema.String, Size: 40},
				{Name: "issuer", Field: "Issuer", Type: schema.String, Size: 255},
				{Name: "subject", Field: "Subject", Type: schema.String, Size: 255},
				{Name: "email", Field: "Email", Type: schema.String, Size: 254},
				{Name: "created", Field: "Created", Type: schema.DateTime},
				{Name: "last_used", Field: "LastUsed", Type: schema.DateTime, Null: true},
			},
			Indexes: []schema.Index{
				{Name: "oidc_identities_user_id_idx", Columns: []schema.IndexColumn{{Name: "user_id"}}},
				{Name: "oidc_identities_issuer_subject_uniq", Columns: []schema.IndexColumn{{Name: "issuer"}, {Name: "subject"}}, Unique: true},
			},
		}},
	},
})
