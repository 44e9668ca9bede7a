// retort is Retort as its guide tells a user to write it: an app in its
// production mode, with the access log off as in the other contenders.
package main

import (
	"github.com/retort-web/retort"

	"github.com/retort-web/retort/bench/internal/kit"
	"github.com/retort-web/retort/bench/internal/model"
)

func main() {
	app := retort.New(retort.Config{Name: "bench", Addr: kit.Addr, SecretKey: string(kit.Secret)})
	app.Get("/plaintext", func(c *retort.Ctx) error {
		return c.Text("Hello, World!")
	})
	app.Get("/json", func(c *retort.Ctx) error {
		return c.JSON(model.Message{Message: "Hello, World!"})
	})
	app.Run()
}
