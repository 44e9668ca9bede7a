package migrations

import (
	"github.com/retort-web/retort/migrate"
	"github.com/retort-web/retort/orm/schema"
)

var _ = All.Add(migrate.Migration{
	Name: "0001_initial",
	Operations: []migrate.Operation{
		migrate.CreateModel{Table: schema.Table{
			Model: "Group",
			Name:  "auth_groups",
			Columns: []schema.Column{
				{Name: "id", Field: "ID", Type: schema.Int64, PrimaryKey: true, AutoIncrement: true},
				{Name: "name", Field: "Name", Type: schema.String, Size: 150, Unique: true},
			},
		}},
		migrate.CreateModel{Table: schema.Table{
			Model: "GroupPermission",
			Name:  "auth_group_permissions",
			Columns: []schema.Column{
				{Name: "id", Field: "ID", Type: schema.Int64, PrimaryKey: true, AutoIncrement: true},
				{Name: "group_id", Field: "Group", Type: schema.Int64, References: &schema.Reference{Table: "auth_groups", Column: "id", OnDelete: schema.Cascade, Model: "auth.Group"}},
				{Name: "permission", Field: "Permission", Type: schema.String, Size: 150},
			},
			Indexes: []schema.Index{
				{Name: "auth_group_permissions_group_id_idx", Columns: []schema.IndexColumn{{Name: "group_id"}}},
				{Name: "auth_group_permissions_group_id_permission_uniq", Columns: []schema.IndexColumn{{Name: "group_id"}, {Name: "permission"}}, Unique: true},
			},
		}},
		migrate.CreateModel{Table: schema.Table{
			Model: "User",
			Name:  "auth_users",
			Columns: []schema.Column{
				{Name: "id", Field: "ID", Type: schema.Int64, PrimaryKey: true, AutoIncrement: true},
				{Name: "email", Field: "Email", Type: schema.String, Size: 254},
				{Name: "login", Field: "Login", Type: schema.String, Size: 254, Unique: true},
				{Name: "name", Field: "Name", Type: schema.String, Size: 150},
				{Name: "password_hash", Field: "PasswordHash", Type: schema.String, Size: 255},
				{Name: "active", Field: "Active", Type: schema.Bool, Default: new("TRUE")},
				{Name: "staff", Field: "Staff", Type: schema.Bool},
				{Name: "superuser", Field: "Superuser", Type: schema.Bool},
				{Name: "verified", Field: "Verified", Type: schema.DateTime, Null: true},
				{Name: "last_login", Field: "LastLogin", Type: schema.DateTime, Null: true},
				{Name: "joined", Field: "Joined", Type: schema.DateTime},
			},
		}},
		migrate.CreateModel{Table: schema.Table{
			Model: "UserPermission",
			Name:  "auth_user_permissions",
			Columns: []schema.Column{
				{Name: "id", Field: "ID", Type: schema.Int64, PrimaryKey: true, AutoIncrement: true},
				{Name: "user_id", Field: "User", Type: schema.Int64, References: &schema.Reference{Table: "auth_users", Column: "id", OnDelete: schema.Cascade, Model: "auth.User"}},
				{Name: "permission", Field: "Permission", Type: schema.String, Size: 150},
			},
			Indexes: []schema.Index{
				{Name: "auth_user_permissions_user_id_idx", Columns: []schema.IndexColumn{{Name: "user_id"}}},
				{Name: "auth_user_permissions_user_id_permission_uniq", Columns: []schema.IndexColumn{{Name: "user_id"}, {Name: "permission"}}, Unique: true},
			},
		}},
		migrate.CreateModel{Table: schema.Table{
			Model: "User_groups",
			Name:  "auth_users_groups",
			Columns: []schema.Column{
				{Name: "user_id", Field: "user_id", Type: schema.Int64, PrimaryKey: true, References: &schema.Reference{Table: "auth_users", Column: "id", OnDelete: schema.Cascade, Model: "auth.User"}},
				{Name: "group_id", Field: "group_id", Type: schema.Int64, PrimaryKey: true, References: &schema.Reference{Table: "auth_groups", Column: "id", OnDelete: schema.Cascade, Model: "auth.Group"}},
			},
			Indexes: []schema.Index{
				{Name: "auth_users_groups_group_id_idx", Columns: []schema.IndexColumn{{Name: "group_id"}}},
			},
		}},
	},
})
