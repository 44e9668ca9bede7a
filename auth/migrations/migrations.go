// Package migrations holds the steps by which the tables of auth change.
package migrations

import "github.com/retort-web/retort/migrate"

// All is the migrations of auth; each file of this package adds one.
var All = migrate.Register("auth")
