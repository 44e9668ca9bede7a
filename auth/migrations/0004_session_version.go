package migrations

import (
	"github.com/retort-web/retort/migrate"
	"github.com/retort-web/retort/orm/schema"
)

var _ = All.Add(migrate.Migration{
	Name: "0004_session_version",
	Dependencies: []string{
		"auth.0003_second_factors",
	},
	Operations: []migrate.Operation{
		migrate.AddField{
			Model:  "User",
			Column: schema.Column{Name: "session_version", Field: "SessionVersion", Type: schema.Int64, Default: new("0")},
		},
	},
})
