// Package migrations holds the steps by which the table of ldap changes.
package migrations

import "github.com/retort-web/retort/migrate"

// All is the migrations of ldap; each file of this package adds one.
var All = migrate.Register("ldap")
