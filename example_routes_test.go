package retort_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"time"

	"github.com/retort-web/retort"
)

// fetch prints what an app answers.
func fetch(app *retort.App, method, target string, body ...string) {
	r := httptest.NewRequest(method, target, strings.NewReader(strings.Join(body, "")))
	if len(body) > 0 {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("Accept", "text/plain, application/json;q=0.9")
	rec := httptest.NewRecorder()
	app.ServeHTTP(rec, r)
	fmt.Println(rec.Code, strings.TrimSpace(rec.Body.String()))
}

// silent is the configuration of the examples: no log between their output.
func silent() retort.Config {
	return retort.Config{SecretKey: "only for examples, never for a site", Logger: slog.New(slog.DiscardHandler)}
}

func Example() {
	app := retort.New(silent())
	app.Get("/hello/{name}", func(c *retort.Ctx) error {
		return c.Text("Hello, " + c.Param("name") + "!")
	})
	fetch(app, "GET", "/hello/Ada") // a program calls app.Run()
	// Output: 200 Hello, Ada!
}

func ExampleApp_Get() {
	app := retort.New(silent())
	app.Get("/posts/{id:int}", func(c *retort.Ctx) error {
		id, err := retort.Param[int](c, "id")
		if err != nil {
			return err
		}
		return c.JSON(map[string]int{"id": id})
	}).Name("post")
	app.Get("/files/{path:path}", func(c *retort.Ctx) error { return c.Text(c.Param("path")) })
	fetch(app, "GET", "/posts/7")
	fetch(app, "GET", "/files/a/b.txt")
	fetch(app, "GET", "/posts/seven")
	fetch(app, "DELETE", "/posts/7")
	// Output:
	// 200 {"id":7}
	// 200 a/b.txt
	// 404 404 Not Found
	// 405 405 Method Not Allowed
}

func ExampleApp_URL() {
	app := retort.New(silent())
	app.Get("/posts/{id:int}", func(c *retort.Ctx) error { return c.NoContent() }).Name("post")
	u, err := app.URL("post", "id", 3, "page", 2, "_anchor", "comments")
	fmt.Println(u, err)
	_, err = app.URL("pst")
	fmt.Println(err)
	// Output:
	// /posts/3?page=2#comments <nil>
	// router: URL for "pst": no route has this name; did you mean "post"?
}

func ExampleApp_Mount() {
	app := retort.New(silent())
	app.Mount("/legacy", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "legacy sees ", r.URL.Path)
	}))
	fetch(app, "GET", "/legacy/a/b")
	// Output: 200 legacy sees /a/b
}

func ExampleApp_Use() {
	app := retort.New(silent())
	app.Use(func(next retort.Handler) retort.Handler {
		return func(c *retort.Ctx) error {
			if c.BearerToken() == "" && c.Query("token") != "open sesame" {
				return retort.Unauthorized("Bearer", "")
			}
			return next(c)
		}
	})
	app.Get("/", func(c *retort.Ctx) error { return c.Text("welcome") })
	fetch(app, "GET", "/")
	fetch(app, "GET", "/?token=open+sesame")
	// Output:
	// 401 401 Unauthorized
	// 200 welcome
}

func ExampleNewBlueprint() {
	blog := retort.NewBlueprint("blog", retort.BlueprintOptions{Prefix: "/blog"})
	blog.Get("/{slug:slug}", func(c *retort.Ctx) error {
		return c.Text(c.Param("slug") + " at " + c.MustURL(".post", "slug", c.Param("slug")))
	}).Name("post")
	blog.OnStatus(http.StatusNotFound, func(c *retort.Ctx, _ error) error {
		return c.Text("The blog has no such page.")
	})

	app := retort.New(silent())
	app.Register(blog)
	app.Register(blog, retort.At{Name: "diary", Prefix: "/diary"})
	fetch(app, "GET", "/blog/first-post")
	fetch(app, "GET", "/diary/first-post")
	fetch(app, "GET", "/blog/no/such/page")
	fetch(app, "GET", "/elsewhere")
	// Output:
	// 200 first-post at /blog/first-post
	// 200 first-post at /diary/first-post
	// 404 The blog has no such page.
	// 404 404 Not Found
}

// StockError is an error of a shop's own.
type StockError struct{ Left int }

func (e *StockError) Error() string { return "only " + strconv.Itoa(e.Left) + " left" }

func ExampleOnError() {
	app := retort.New(silent())
	retort.OnError(app, func(c *retort.Ctx, err *StockError) error {
		return c.Status(http.StatusConflict).Text("There are " + strconv.Itoa(err.Left) + " left.")
	})
	app.Post("/orders", func(*retort.Ctx) error {
		return fmt.Errorf("order 7: %w", &StockError{Left: 2})
	})
	app.Get("/orders/7", func(*retort.Ctx) error { return retort.NotFound("There is no order 7.") })
	app.Get("/broken", func(*retort.Ctx) error { return errors.New("what is wrong is for the log") })
	fetch(app, "POST", "/orders", "{}")
	fetch(app, "GET", "/orders/7")
	fetch(app, "GET", "/broken")
	// Output:
	// 409 There are 2 left.
	// 404 404 Not Found
	// There is no order 7.
	// 500 500 Internal Server Error
}

func ExampleTooManyRequests() {
	app := retort.New(silent())
	app.Get("/", func(*retort.Ctx) error { return retort.TooManyRequests(90*time.Second, "Slow down.") })
	rec := httptest.NewRecorder()
	app.ServeHTTP(rec, httptest.NewRequest("GET", "/", nil))
	fmt.Println(rec.Code, rec.Header().Get("Retry-After"))
	// Output: 429 90
}
