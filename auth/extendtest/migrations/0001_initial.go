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
			Model: "Card",
			Name:  "extendtest_test_card",
			Columns: []schema.Column{
				{Name: "id", Field: "ID", Type: schema.Int64, PrimaryKey: true, AutoIncrement: true},
				{Name: "owner_id", Field: "Owner", Type: schema.Int64, References: &schema.Reference{Table: "auth_users", Column: "id", OnDelete: schema.Cascade, Model: "auth.User"}},
			},
			Indexes: []schema.Index{
				{Name: "extendtest_test_card_owner_id_idx", Columns: []schema.IndexColumn{{Name: "owner_id"}}},
			},
		}},
		migrate.CreateModel{Table: schema.Table{
			Model: "Plan",
			Name:  "extendtest_test_plan",
			Columns: []schema.Column{
				{Name: "id", Field: "ID", Type: schema.Int64, PrimaryKey: true, AutoIncrement: true},
				{Name: "name", Field: "Name", Type: schema.String, Size: 20},
			},
		}},
		migrate.AddField{
			Model:  "auth.User",
			Column: schema.Column{Name: "username", Field: "Username", Type: schema.String, Size: 50, Null: true},
		},
		migrate.AddField{
			Model:  "auth.User",
			Column: schema.Column{Name: "phone", Field: "Phone", Type: schema.String, Size: 40, Default: new("''")},
		},
		migrate.AddField{
			Model:  "auth.User",
			Column: schema.Column{Name: "country", Field: "Country", Type: schema.String, Size: 2, Default: new("'de'")},
		},
		migrate.AddField{
			Model:  "auth.User",
			Column: schema.Column{Name: "plan_id", Field: "Plan", Type: schema.Int64, Null: true, References: &schema.Reference{Table: "extendtest_test_plan", Column: "id", OnDelete: schema.SetNull, Model: "extendtest_test.Plan"}},
		},
		migrate.AddIndex{
			Model: "auth.User",
			Index: schema.Index{Name: "auth_users_plan_id_idx", Columns: []schema.IndexColumn{{Name: "plan_id"}}},
		},
		migrate.AddIndex{
			Model: "auth.User",
			Index: schema.Index{Name: "auth_users_country_joined_idx", Columns: []schema.IndexColumn{{Name: "country"}, {Name: "joined"}}},
		},
		migrate.AddIndex{
			Model: "auth.User",
			Index: schema.Index{Name: "member_username", Columns: []schema.IndexColumn{{Expr: `LOWER("username")`}}, Unique: true},
		},
	},
})
