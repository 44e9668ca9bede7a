// Command ondisk has templates of which nothing but a handler tells, for a test of the
// command check.
package main

import "github.com/retort-web/retort"

func main() {
	app := retort.New()
	app.Get("/", func(c *retort.Ctx) error { return c.Render("home.html", nil) })
	app.Run()
}
