// Package migrations holds the steps by which the tables of passkeys change.
package migrations

import "github.com/retort-web/retort/migrate"

// All is the migrations of passkeys; each file of this package adds one.
var All = migrate.Register("passkeys")
