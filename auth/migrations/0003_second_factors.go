package migrations

import (
	"github.com/retort-web/retort/migrate"
	"github.com/retort-web/retort/orm/schema"
)

var _ = All.Add(migrate.Migration{
	Name: "0003_second_factors",
	Dependencies: []string{
		"auth.0002_api_tokens",
	},
	Operations: []migrate.Operation{
		migrate.CreateModel{Table: schema.Table{
			Model: "RecoveryCode",
			Name:  "auth_recovery_codes",
			Columns: []schema.Column{
				{Name: "id", Field: "ID", Type: schema.Int64, PrimaryKey: true, AutoIncrement: true},
				{Name: "user_id", Field: "User", Type: schema.Int64, References: &schema.Reference{Table: "auth_users", Column: "id", OnDelete: schema.Cascade, Model: "auth.User"}},
				{Name: "hash", Field: "Hash", Type: schema.String, Size: 64},
				{Name: "used", Field: "Used", Type: schema.DateTime, Null: true},
			},
			Indexes: []schema.Index{
				{Name: "auth_recovery_codes_user_id_idx", Columns: []schema.IndexColumn{{Name: "user_id"}}},
				{Name: "auth_recovery_codes_user_id_hash_uniq", Columns: []schema.IndexColumn{{Name: "user_id"}, {Name: "hash"}}, Unique: true},
			},
		}},
		migrate.CreateModel{Table: schema.Table{
			Model: "SecondFactor",
			Name:  "auth_second_factors",
			Columns: []schema.Column{
				{Name: "user_id", Field: "User", Type: schema.Int64, PrimaryKey: true, References: &schema.Reference{Table: "auth_users", Column: "id", OnDelete: schema.Cascade, Model: "auth.User"}},
				{Name: "secret", Field: "Secret", Type: schema.String, Size: 255},
				{Name: "last_step", Field: "LastStep", Type: schema.Int64},
				{Name: "created", Field: "Created", Type: schema.DateTime},
			},
		}},
	},
})
