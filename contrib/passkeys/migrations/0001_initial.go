package migrations

import (
	"github.com/retort-web/retort/migrate"
	"github.com/retort-web/retort/orm/schema"
)

var _ = All.Add(migrate.Migration{
	Name: "0001_initial",
	Dependencies: []string{
		"auth.0003_second_factors",
	},
	Operations: []migrate.Operation{
		migrate.CreateModel{Table: schema.Table{
			Model: "Handle",
			Name:  "passkeys_handles",
			Columns: []schema.Column{
				{Name: "user_id", Field: "User", Type: schema.Int64, PrimaryKey: true, References: &schema.Reference{Table: "auth_users", Column: "id", OnDelete: schema.Cascade, Model: "auth.User"}},
				{Name: "value", Field: "Value", Type: schema.String, Size: 86, Unique: true},
			},
		}},
		migrate.CreateModel{Table: schema.Table{
			Model: "Passkey",
			Name:  "passkeys_passkeys",
			Columns: []schema.Column{
				{Name: "id", Field: "ID", Type: schema.Int64, PrimaryKey: true, AutoIncrement: true},
				{Name: "user_id", Field: "User", Type: schema.Int64, References: &schema.Reference{Table: "auth_users", Column: "id", OnDelete: schema.Cascade, Model: "auth.User"}},
				{Name: "digest", Field: "Digest", Type: schema.String, Size: 64, Unique: true},
				{Name: "credential_id", Field: "CredentialID", Type: schema.Bytes},
				{Name: "public_key", Field: "PublicKey", Type: schema.Bytes},
				{Name: "sign_count", Field: "SignCount", Type: schema.Int64},
				{Name: "transports", Field: "Transports", Type: schema.JSON},
				{Name: "backup_eligible", Field: "BackupEligible", Type: schema.Bool},
				{Name: "backed_up", Field: "BackedUp", Type: schema.Bool},
				{Name: "name", Field: "Name", Type: schema.String, Size: 100},
				{Name: "created", Field: "Created", Type: schema.DateTime},
				{Name: "last_used", Field: "LastUsed", Type: schema.DateTime, Null: true},
				{Name: "asked", Field: "Asked", Type: schema.Int64},
			},
			Indexes: []schema.Index{
				{Name: "passkeys_passkeys_user_id_idx", Columns: []schema.IndexColumn{{Name: "user_id"}}},
			},
		}},
	},
})
