package faulttest_test

// The programs are built by the go command, which the test cache does not see
// through: these imports make a changed program run the tests again.
import (
	_ "github.com/retort-web/retort/db"
	_ "github.com/retort-web/retort/examples/blog/blog"
	_ "github.com/retort-web/retort/orm/mysql"
	_ "github.com/retort-web/retort/orm/sqlite"
)
