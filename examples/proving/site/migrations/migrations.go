// Package migrations makes the tables of the proving ground.
package migrations

import "github.com/retort-web/retort/migrate"

// All is the migrations of the site; each file of this package adds one.
var All = migrate.Register("site")
