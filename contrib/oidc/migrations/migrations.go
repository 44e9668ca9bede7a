// Package migrations makes the table of the identities.
package migrations

import (
	_ "github.com/retort-web/retort/auth/migrations" // of the users
	"github.com/retort-web/retort/migrate"
)

// All is the migrations of oidc; each file of this package adds one.
var All = migrate.Register("oidc")
