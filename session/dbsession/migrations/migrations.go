// Package migrations makes the table of the sessions.
package migrations

import "github.com/retort-web/retort/migrate"

// All is the migrations of dbsession; each file of this package adds one.
var All = migrate.Register("dbsession")
