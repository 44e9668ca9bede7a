package retorttest_test

import (
	"net/url"
	"testing"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/retorttest"
	"github.com/retort-web/retort/session"
)

func newSite() *retort.App {
	app := retort.New(retort.Config{SecretKey: "only for this example, not for you"})
	app.Get("/hello/{name}", func(c *retort.Ctx) error { return c.Text("Hello, " + c.Param("name") + "!") })
	app.Post("/login", func(c *retort.Ctx) error {
		c.Session().Set("user", c.FormValue("user"))
		return c.Redirect("/me")
	})
	app.Get("/me", func(c *retort.Ctx) error {
		user, _ := session.Get[string](c.Session(), "user")
		return c.JSON(map[string]string{"user": user})
	})
	return app
}

// A test makes a client for the app and asks for pages.
func Example() {
	TestHello := func(t *testing.T) {
		client := retorttest.New(t, newSite())
		client.Get("/hello/Ada").Status(200).Contains("Hello, Ada!")
		client.Get("/nowhere").Status(404)
	}
	_ = TestHello
}

// The client keeps cookies, so a login lasts; redirects are followed when asked.
func ExampleClient_PostForm() {
	TestLogin := func(t *testing.T) {
		client := retorttest.New(t, newSite())
		client.FollowRedirects = true
		client.PostForm("/login", url.Values{"user": {"ada"}}).Status(200).Contains(`"user":"ada"`)
		client.Fresh().Get("/me").Contains(`"user":""`) // another visitor
	}
	_ = TestLogin
}

// A test may put things into the session instead of going through the pages
// that do.
func ExampleClient_Session() {
	TestMe := func(t *testing.T) {
		client := retorttest.New(t, newSite())
		client.Session(func(s *session.Session) { s.Set("user", "grace") })
		var me struct{ User string }
		client.Get("/me").Status(200).JSON(&me)
		if me.User != "grace" {
			t.Errorf("logged in as %q", me.User)
		}
	}
	_ = TestMe
}
