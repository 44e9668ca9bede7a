package main

// New projects are built and tested by the go command, which the test cache
// does not see through: these imports make a changed framework run those tests
// again.
import (
	_ "github.com/retort-web/retort/examples/blog/blog"
	_ "github.com/retort-web/retort/orm/sqlite"
	_ "github.com/retort-web/retort/retorttest"
)
