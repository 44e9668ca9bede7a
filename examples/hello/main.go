package main

import "github.com/retort-web/retort"

func main() {
	app := retort.New()
	app.Get("/hello/{name}", func(c *retort.Ctx) error {
		return c.Text("Hello, " + c.Param("name") + "!")
	})
	app.Run()
}
