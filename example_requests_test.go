package retort_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"iter"
	"net/http/httptest"
	"strings"
	"testing/fstest"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/session"
)

func ExampleCtx_Bind() {
	app := retort.New(silent())
	app.Put("/posts/{id:int}", func(c *retort.Ctx) error {
		var in struct {
			ID    int64    `path:"id"`
			Title string   `json:"title" validate:"required,max=200"`
			Tags  []string `json:"tags" validate:"max=3,each,slug"`
		}
		if err := c.Bind(&in); err != nil {
			return err
		}
		return c.Text(fmt.Sprint(in.ID, " ", in.Title, " ", in.Tags))
	})
	fetch(app, "PUT", "/posts/7", `{"title": "Tea", "tags": ["green"]}`)
	fetch(app, "PUT", "/posts/7", `{"tags": ["Not a slug"]}`)
	// Output:
	// 200 7 Tea [green]
	// 400 400 Bad Request
	// several fields are not valid
	// title: is required
	// tags[0]: must consist of letters, digits, hyphens and underscores
}

// CreatePost is what the handler of ExampleTyped takes, and Post what it gives.
type (
	CreatePost struct {
		Title string `json:"title" validate:"required"`
	}
	Post struct {
		ID    int64  `json:"id"`
		Title string `json:"title"`
	}
)

func ExampleTyped() {
	app := retort.New(silent())
	app.Post("/posts", retort.Typed(func(ctx context.Context, in *CreatePost) (*Post, error) {
		return &Post{ID: 1, Title: in.Title}, nil
	}))
	fetch(app, "POST", "/posts", `{"title": "Tea"}`)
	// Output: 200 {"id":1,"title":"Tea"}
}

func ExampleQuery() {
	app := retort.New(silent())
	app.Get("/posts", func(c *retort.Ctx) error {
		page, err := retort.Query(c, "page", 1)
		if err != nil {
			return err
		}
		return c.Text(fmt.Sprint("page ", page))
	})
	fetch(app, "GET", "/posts")
	fetch(app, "GET", "/posts?page=2")
	fetch(app, "GET", "/posts?page=two")
	// Output:
	// 200 page 1
	// 200 page 2
	// 400 400 Bad Request
	// The parameter page is not valid.
}

func ExampleCtx_Session() {
	app := retort.New(silent())
	app.Get("/", func(c *retort.Ctx) error {
		visits, _ := session.Get[int](c.Session(), "visits")
		c.Session().Set("visits", visits+1)
		return c.Text(fmt.Sprint("visit ", visits+1))
	})
	cookie := ""
	for range 2 {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Cookie", cookie)
		rec := httptest.NewRecorder()
		app.ServeHTTP(rec, r)
		cookie, _, _ = strings.Cut(rec.Header().Get("Set-Cookie"), ";")
		fmt.Println(rec.Body)
	}
	// Output:
	// visit 1
	// visit 2
}

func ExampleCtx_Render() {
	cfg := silent()
	cfg.Assets = retort.Embed(fstest.MapFS{ // usually an embed.FS
		"templates/hello.html": {Data: []byte(`<h1>Hello, {{ name }}!</h1> <a href="{{ url("hello", name="Bob") }}">Bob</a>`)},
	})
	app := retort.New(cfg)
	app.Get("/hello/{name}", func(c *retort.Ctx) error {
		return c.Render("hello.html", map[string]any{"name": c.Param("name")})
	}).Name("hello")
	fetch(app, "GET", "/hello/%3CAda%3E")
	// Output: 200 <h1>Hello, &lt;Ada&gt;!</h1> <a href="/hello/Bob">Bob</a>
}

func ExampleCtx_SSE() {
	app := retort.New(silent())
	app.Get("/events", func(c *retort.Ctx) error {
		return c.SSE(func(s *retort.EventStream) error {
			for i := range 2 {
				if err := s.Send(retort.Event{Name: "tick", Data: fmt.Sprint(i)}); err != nil {
					return err // the client has gone
				}
			}
			return nil
		})
	})
	fetch(app, "GET", "/events")
	// Output:
	// 200 event: tick
	// data: 0
	//
	// event: tick
	// data: 1
}

func ExampleCtx_Stream() {
	app := retort.New(silent())
	app.Get("/export.csv", func(c *retort.Ctx) error {
		return c.Stream("text/csv; charset=utf-8", func(w io.Writer) error {
			for i := range 3 {
				if _, err := fmt.Fprintf(w, "%d,row\n", i); err != nil {
					return err
				}
			}
			return nil
		})
	})
	fetch(app, "GET", "/export.csv")
	// Output:
	// 200 0,row
	// 1,row
	// 2,row
}

func ExampleCtx_RenderStream() {
	cfg := silent()
	cfg.Assets = retort.Embed(fstest.MapFS{
		"templates/report.txt": {Data: []byte("{% for line in lines %}{{ loop.index }}. {{ line }}\n{% endfor %}")},
	})
	app := retort.New(cfg)
	app.Get("/report", func(c *retort.Ctx) error {
		lines := func(yield func(string) bool) { // a query would be read here row by row
			_ = yield("one") && yield("two")
		}
		return c.RenderStream("report.txt", map[string]any{"lines": iter.Seq[string](lines)})
	})
	fetch(app, "GET", "/report")
	// Output:
	// 200 1. one
	// 2. two
}

func ExampleCtx_Attachment() {
	files := fstest.MapFS{"2026/report.txt": {Data: []byte("all is well")}}
	app := retort.New(silent())
	app.Get("/reports/{name:path}", func(c *retort.Ctx) error {
		return c.Attachment(files, c.Param("name"), "")
	})
	rec := httptest.NewRecorder()
	app.ServeHTTP(rec, httptest.NewRequest("GET", "/reports/2026/report.txt", nil))
	fmt.Println(rec.Body, rec.Header().Get("Content-Disposition"))
	fetch(app, "GET", "/reports/..%2f..%2fetc%2fpasswd")
	// Output:
	// all is well attachment; filename="report.txt"
	// 404 404 Not Found
}

func ExampleKey() {
	user := retort.NewKey[string]("user") // a variable of the package that sets it
	app := retort.New(silent())
	app.Before(func(c *retort.Ctx) error { user.Set(c, "ada"); return nil })
	greeting := func(ctx context.Context) string { return "Hello, " + user.Must(ctx) } // needs no Ctx
	app.Get("/", func(c *retort.Ctx) error { return c.Text(greeting(c)) })
	fetch(app, "GET", "/")
	// Output: 200 Hello, ada
}

func ExampleApp_Command() {
	app := retort.New(silent())
	loud := false
	app.Command(retort.Command{
		Name: "greet", Args: "NAME", Short: "Greet someone",
		Flags: func(fs *flag.FlagSet) { fs.BoolVar(&loud, "loud", false, "shout") },
		Run: func(ctx context.Context, in *retort.Invocation) error {
			if len(in.Args) != 1 {
				return retort.UsageError("greet wants one name")
			}
			greeting := "Hello, " + in.Args[0]
			if loud {
				greeting = strings.ToUpper(greeting)
			}
			_, err := fmt.Fprintln(in.Out, greeting)
			return err
		},
	})
	out, err := app.Call(context.Background(), "greet", "--loud", "Ada") // go run . greet --loud Ada
	fmt.Print(out)
	fmt.Println(err)
	// Output:
	// HELLO, ADA
	// <nil>
}
