// Command blog is a small site made with Retort: posts by several authors, with
// tags, comments, search, a form to write them, a feed and a JSON interface.
//
//	go run ./examples/blog
//
// It keeps its data in blog.db in the working directory, or where DATABASE_URL
// says, makes the tables and some hundred posts at the first start, and serves
// on http://127.0.0.1:8000/. With serve --debug it shows its errors.
package main

import (
	"github.com/retort-web/retort"
	"github.com/retort-web/retort/db"
	"github.com/retort-web/retort/examples/blog/blog"
	_ "github.com/retort-web/retort/orm/sqlite"
)

func main() {
	app := retort.New(retort.Config{Name: "blog", DatabaseURL: "sqlite:blog.db"})
	app.Install(
		db.Open(""),
		blog.App,
	)
	app.Run()
}
