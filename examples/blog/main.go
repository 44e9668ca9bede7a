// Command blog is a small site made with Retort: accounts, posts by several authors,
// with tags, comments, search, a form to write them, a feed and a JSON interface.
//
//	go run ./examples/blog
//
// It keeps its data in blog.db in the working directory, or where DATABASE_URL
// says, makes the tables and some hundred posts at the first start, and serves
// on http://127.0.0.1:8000/; where it is served elsewhere, RETORT_BASE_URL says so, as
// mails have links. With serve --debug it shows its errors.
//
// The first start makes the user demo@blog.example, an author, with the password of
// the variable BLOG_DEMO_PASSWORD, or one that it makes and logs once.
package main

import (
	"github.com/retort-web/retort"
	"github.com/retort-web/retort/db"
	"github.com/retort-web/retort/examples/blog/blog"
	_ "github.com/retort-web/retort/orm/sqlite"
)

func main() {
	app := retort.New(retort.Config{Name: "blog", DatabaseURL: "sqlite:blog.db", BaseURL: "http://127.0.0.1:8000"})
	app.Install(
		db.Open(""),
		blog.App,
	)
	app.Run()
}
