package retort_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/retorttest"
)

func TestNestedBlueprints(t *testing.T) {
	t.Parallel()
	describe := func(c *retort.Ctx) error {
		u, err := c.URL(".page", "id", 9)
		return errors.Join(err, c.Text(fmt.Sprint(c.RouteName(), " ", c.Route(), " ", u, " ", c.Param("lang"))))
	}
	comments := retort.NewBlueprint("comments", retort.BlueprintOptions{Prefix: "/comments/"})
	comments.Get("/{id:int}", describe).Name("page")
	comments.Get("", text("no slash"))
	comments.Get("/", text("list"))
	blog := retort.NewBlueprint("blog", retort.BlueprintOptions{Prefix: "/{lang:any(de,en)}/blog"})
	blog.Register(comments)
	blog.Register(comments, retort.At{Name: "replies", Prefix: "/replies"})
	app := retort.New(quiet())
	app.Install(blog)
	client := retorttest.New(t, app)
	client.Get("/de/blog/comments/3").Status(500) // .page needs lang, which the URL was not given
	client.Get("/en/blog/comments").Status(200).Contains("no slash")
	client.Get("/en/blog/comments/").Status(200).Contains("list")
	client.Get("/fr/blog/comments/").Status(404)
	if u, err := app.URL("blog.replies.page", "lang", "en", "id", 4); u != "/en/blog/replies/4" || err != nil {
		t.Errorf("URL %q, %v", u, err)
	}
}

func TestNamesInsideABlueprint(t *testing.T) {
	t.Parallel()
	inner := retort.NewBlueprint("inner", retort.BlueprintOptions{Prefix: "/inner"})
	inner.Get("/a", func(c *retort.Ctx) error {
		return c.Text(c.RouteName() + " " + c.MustURL(".b") + " " + c.MustURL("home") + " " + c.MustURL("outer.a"))
	}).Name("a")
	inner.Get("/b", text("")).Name("b")
	outer := retort.NewBlueprint("outer", retort.BlueprintOptions{Prefix: "/outer"})
	outer.Get("/a", text("")).Name("a")
	outer.Register(inner)
	app := retort.New(quiet())
	app.Get("/", func(c *retort.Ctx) error { return c.Text(c.MustURL(".home")) }).Name("home")
	app.Register(outer, retort.At{Prefix: "/elsewhere"})
	client := retorttest.New(t, app)
	client.Get("/elsewhere/inner/a").Status(200).Contains("outer.inner.a /elsewhere/inner/b / /elsewhere/a")
	client.Get("/").Contains("/")
	client.Get("/outer/a").Status(404)
}

func TestHooksOfNestedBlueprints(t *testing.T) {
	t.Parallel()
	var order []string
	note := func(s string) retort.Handler {
		return func(*retort.Ctx) error { order = append(order, s); return nil }
	}
	hooks := func(s interface {
		Before(retort.Handler)
		After(retort.Handler)
		Teardown(func(*retort.Ctx, error))
	}, name string,
	) {
		s.Before(note("before " + name))
		s.After(note("after " + name))
		s.Teardown(func(*retort.Ctx, error) { order = append(order, "teardown "+name) })
	}
	app := retort.New(quiet())
	outer := retort.NewBlueprint("outer", retort.BlueprintOptions{Prefix: "/outer"})
	inner := retort.NewBlueprint("inner", retort.BlueprintOptions{Prefix: "/inner"})
	hooks(inner, "inner")
	hooks(app, "app")
	hooks(outer, "outer")
	inner.Get("/", func(c *retort.Ctx) error {
		c.Defer(func() { order = append(order, "deferred") })
		order = append(order, "handler")
		return c.Text("x")
	})
	inner.Get("/fail", func(*retort.Ctx) error { return errors.New("x") })
	outer.Register(inner)
	app.Register(outer)
	app.Get("/own", text("own"))
	client := retorttest.New(t, app)
	for path, want := range map[string][]string{
		"/outer/inner/": {
			"before app", "before outer", "before inner", "handler", "after inner", "after outer", "after app",
			"deferred", "teardown inner", "teardown outer", "teardown app",
		},
		"/outer/inner/fail": {
			"before app", "before outer", "before inner", "after inner", "after outer", "after app",
			"teardown inner", "teardown outer", "teardown app",
		},
		"/own":           {"before app", "after app", "teardown app"},
		"/outer/nothing": {"before app", "after app", "teardown app"}, // no route: the app's alone
	} {
		order = nil
		client.Get(path)
		if !slices.Equal(order, want) {
			t.Errorf("%s:\n%s\nwant\n%s", path, strings.Join(order, "\n"), strings.Join(want, "\n"))
		}
	}
}

func TestHooksThatFail(t *testing.T) {
	t.Parallel()
	cfg, log := logged()
	app := retort.New(cfg)
	var torn []string
	app.Teardown(func(_ *retort.Ctx, err error) { torn = append(torn, fmt.Sprint("first ", err)) })
	app.Teardown(func(*retort.Ctx, error) { panic("teardown panic") })
	app.Teardown(func(_ *retort.Ctx, err error) { torn = append(torn, fmt.Sprint("last ", err)) })
	app.Before(func(c *retort.Ctx) error {
		switch c.Query("before") {
		case "error":
			return retort.Forbidden("not you")
		case "panic":
			panic("before panic")
		}
		return nil
	})
	app.After(func(c *retort.Ctx) error {
		switch c.Query("after") {
		case "error":
			return errors.New("after error")
		case "panic":
			panic("after panic")
		}
		return nil
	})
	app.After(func(c *retort.Ctx) error { c.SetHeader("X-Last", "ran"); return nil })
	app.Get("/", text("fine"))
	client := retorttest.New(t, app)
	client.Get("/?before=error").Status(403).Contains("not you").HasHeader("X-Last", "ran")
	client.Get("/?before=panic").Status(500).Lacks("panic")
	client.Get("/?after=error").Status(500).Lacks("fine", "after error").HasHeader("X-Last", "ran")
	client.Get("/?after=panic").Status(500).Lacks("fine").HasHeader("X-Last", "ran")
	client.Get("/").Status(200).Contains("fine")
	if len(torn) != 10 || torn[0] != "last 403 Forbidden: not you" || torn[9] != "first <nil>" {
		t.Errorf("teardown hooks: %q", torn)
	}
	for _, want := range []string{"before panic", "after error", "after panic", "teardown panic"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %q", want)
		}
	}
}

func TestBlueprintMistakes(t *testing.T) {
	t.Parallel()
	for name, register := range map[string]func(app *retort.App){
		"contains itself": func(app *retort.App) {
			b := retort.NewBlueprint("a")
			b.Register(b)
			app.Register(b)
		},
		"must begin with a slash": func(app *retort.App) {
			app.Register(retort.NewBlueprint("a", retort.BlueprintOptions{Prefix: "a"}))
		},
		"two blueprints are named": func(app *retort.App) {
			app.Register(retort.NewBlueprint("a"))
			app.Register(retort.NewBlueprint("a"))
		},
		"two extensions are named": func(app *retort.App) {
			app.Install(retort.NewBlueprint("a"), retort.NewBlueprint("a"))
		},
	} {
		app := retort.New(quiet())
		register(app)
		err := app.Prepare()
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"", "a.b", "a/b", `a\b`, "a b"} {
		func() {
			defer func() {
				if v := fmt.Sprint(recover()); !strings.Contains(v, "blueprint_test.go:") {
					t.Errorf("blueprint %q: %s", name, v)
				}
			}()
			retort.NewBlueprint(name)
		}()
	}
}

func TestTwoBlueprintsWithOneFolderOfTemplates(t *testing.T) {
	t.Parallel()
	files := func(s string) *retort.Assets {
		return retort.Embed(templateFiles(map[string]string{"templates/list.html": s}))
	}
	one := retort.NewBlueprint("blog", retort.BlueprintOptions{Prefix: "/1", Assets: files("one")})
	two := retort.NewBlueprint("blog", retort.BlueprintOptions{Prefix: "/2", Assets: files("two")})
	app := retort.New(quiet())
	app.Register(one)
	app.Register(two, retort.At{Name: "other"})
	err := app.Prepare()
	if err == nil || strings.Count(err.Error(), "blueprint_test.go:") != 2 {
		t.Errorf("error %v", err)
	}
}

func TestOneBlueprintInManyAppsAtOnce(t *testing.T) {
	t.Parallel()
	shared := retort.NewBlueprint("shared", retort.BlueprintOptions{Prefix: "/shared"})
	shared.Get("/", text("shared"))
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			app := retort.New(quiet())
			app.Register(shared)
			if rec := ask(app, "GET", "/shared/", nil); rec.Body.String() != "shared" {
				t.Errorf("%d %q", rec.Code, rec.Body)
			}
		})
	}
	group.Wait()
	defer func() {
		if v := fmt.Sprint(recover()); !strings.Contains(v, "blueprint_test.go:") {
			t.Errorf("a late route: %s", v)
		}
	}()
	shared.Get("/late", text("late"))
}

func TestInstallReportsTheExtension(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.Install(faulty{})
	if err := app.Prepare(); err == nil || !strings.Contains(err.Error(), "extension faulty: it cannot") {
		t.Errorf("error %v", err)
	}
	if app.Extension("faulty") != (faulty{}) || app.Extension("other") != nil {
		t.Error("Extension does not find it")
	}
	if rec := ask(app, "GET", "/", nil); rec.Code != 500 || strings.Contains(rec.Body.String(), "faulty") {
		t.Errorf("an app that cannot start answers %d %q", rec.Code, rec.Body)
	}
}

type faulty struct{}

func (faulty) Name() string              { return "faulty" }
func (faulty) Install(*retort.App) error { return errors.New("it cannot") }
