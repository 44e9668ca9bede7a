package migrations

import (
	"github.com/retort-web/retort/migrate"
	"github.com/retort-web/retort/orm/schema"
)

var _ = All.Add(migrate.Migration{
	Name: "0005_sent_codes",
	Dependencies: []string{
		"auth.0004_session_version",
	},
	Operations: []migrate.Operation{
		migrate.CreateModel{Table: schema.Table{
			Model: "SentCode",
			Name:  "auth_sent_codes",
			Columns: []schema.Column{
				{Name: "user_id", Field: "User", Type: schema.Int64, PrimaryKey: true, References: &schema.Reference{Table: "auth_users", Column: "id", OnDelete: schema.Cascade, Model: "auth.User"}},
				{Name: "hash", Field: "Hash", Type: schema.String, Size: 64},
				{Name: "expires", Field: "Expires", Type: schema.DateTime},
			},
		}},
		migrate.AddField{
			Model:  "SecondFactor",
			Column: schema.Column{Name: "way", Field: "Way", Type: schema.String, Size: 30, Default: new("''")},
		},
	},
})
