package migrations

import (
	"github.com/retort-web/retort/migrate"
	"github.com/retort-web/retort/orm/schema"
)

var _ = All.Add(migrate.Migration{
	Name: "0001_initial",
	Operations: []migrate.Operation{
		migrate.CreateModel{Table: schema.Table{
			Model:   "Session",
			Name:    "retort_sessions",
			Comment: "the sessions of the site's visitors",
			Columns: []schema.Column{
				{Name: "id", Field: "ID", Type: schema.Int64, PrimaryKey: true, AutoIncrement: true},
				{Name: "key", Field: "Key", Type: schema.String, Size: 64, Unique: true},
				{Name: "user_id", Field: "UserID", Type: schema.String, Size: 255},
				{Name: "data", Field: "Data", Type: schema.Bytes},
				{Name: "revision", Field: "Revision", Type: schema.Int64},
				{Name: "last_seen", Field: "LastSeen", Type: schema.DateTime},
				{Name: "expires", Field: "Expires", Type: schema.DateTime},
			},
			Indexes: []schema.Index{
				{Name: "retort_sessions_expires_idx", Columns: []schema.IndexColumn{{Name: "expires"}}},
				{Name: "retort_sessions_user_id_last_seen_idx", Columns: []schema.IndexColumn{{Name: "user_id"}, {Name: "last_seen"}}},
			},
		}},
	},
})
