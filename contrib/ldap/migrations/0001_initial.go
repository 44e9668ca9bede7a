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
			Model: "Link",
			Name:  "ldap_links",
			Columns: []schema.Column{
				{Name: "id", Field: "ID", Type: schema.Int64, PrimaryKey: true, AutoIncrement: true},
				{Name: "user_id", Field: "User", Type: schema.Int64, References: &schema.Reference{Table: "auth_users", Column: "id", OnDelete: schema.Cascade, Model: "auth.User"}},
				{Name: "directory", Field: "Directory", Type: schema.String, Size: 40},
				{Name: "entry", Field: "Entry", Type: schema.String, Size: 128},
				{Name: "dn", Field: "DN", Type: schema.Text},
				{Name: "groups", Field: "Groups", Type: schema.JSON},
				{Name: "seen", Field: "Seen", Type: schema.DateTime},
			},
			Indexes: []schema.Index{
				{Name: "ldap_links_user_id_idx", Columns: []schema.IndexColumn{{Name: "user_id"}}},
				{Name: "ldap_links_directory_entry_uniq", Columns: []schema.IndexColumn{{Name: "directory"}, {Name: "entry"}}, Unique: true},
				{Name: "ldap_links_user_id_directory_uniq", Columns: []schema.IndexColumn{{Name: "user_id"}, {Name: "directory"}}, Unique: true},
			},
		}},
	},
})
