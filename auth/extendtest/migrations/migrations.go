// Package migrations holds the steps by which the tables of extendtest_test change.
package migrations

import "github.com/retort-web/retort/migrate"

// All is the migrations of extendtest_test; each file of this package adds one.
var All = migrate.Register("extendtest_test")
