// Package blog is the site: models, handlers, templates, static files and
// migrations in one folder, joined to an app by installing [App].
package blog

import (
	"context"
	"embed"
	"io/fs"
	"net/http"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/accounts"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/db"
	_ "github.com/retort-web/retort/examples/blog/blog/migrations"
	"github.com/retort-web/retort/mail"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/security"
)

//go:embed templates static
var files embed.FS

// site has what the pages of accounts look like here.
//
//go:embed all:site
var site embed.FS

// App is the blog as an extension: install it after db.Open.
var App retort.Extension = extension{}

type extension struct{}

// Name returns "blog".
func (extension) Name() string { return "blog" }

// Install adds the gate, the accounts, the routes, and what happens at the start.
func (extension) Install(app *retort.App) error {
	app.Install(
		security.New(),
		mail.New(mail.Options{URL: "console:", From: "Slow Notes <notes@blog.example>"}),
		auth.New(auth.Options{LoginURL: "accounts.login"}),
		accounts.New(accounts.Options{SignUp: accounts.SignUpOpen}),
	)
	look, err := fs.Sub(site, "site")
	if err != nil {
		return err
	}
	app.SetConfig(func(cfg *retort.Config) { cfg.Assets = retort.Embed(look) })

	b := retort.NewBlueprint("blog", retort.BlueprintOptions{Assets: retort.Embed(files)})
	b.Get("/", list).Name("list")
	b.Get("/search", search).Name("search")
	b.Get("/drafts", drafts).Name("drafts").Use(auth.RequireLogin)
	b.Get("/tags/{slug:slug}", tagged).Name("tag")
	b.Get("/authors/{slug:slug}", written).Name("author")
	b.Methods(both, "/posts/new", edit).Name("new").Use(auth.RequireLogin)
	b.Get("/posts/{slug:slug}", detail).Name("post")
	b.Post("/posts/{slug:slug}", comment)
	b.Methods(both, "/posts/{slug:slug}/edit", edit).Name("edit").Use(auth.RequireLogin)
	b.Methods(both, "/posts/{slug:slug}/delete", remove).Name("delete").Use(auth.RequireLogin)
	b.Get("/feed.xml", feed).Name("feed")
	b.Get("/api/posts", retort.Typed(apiList)).Name("api_list")
	b.Get("/api/posts/{id:int}", retort.Typed(apiPost)).Name("api_post")
	app.Register(b)
	describeTemplates(app)

	for _, status := range []int{
		http.StatusForbidden, http.StatusNotFound, http.StatusInternalServerError, http.StatusServiceUnavailable,
	} {
		app.OnStatus(status, sorry)
	}
	app.OnStartup(db.Migrate)
	app.OnStartup(func(ctx context.Context) error { return seed(ctx, app.Logger()) })
	return nil
}

var both = []string{http.MethodGet, http.MethodPost}

// describeTemplates tells the command check what the pages are rendered with.
func describeTemplates(app *retort.App) {
	for name, data := range map[string]map[string]any{
		"author.html": {"author": &Author{}, "page": &page{}},
		"delete.html": {"post": &Post{}},
		"drafts.html": {"page": &page{}},
		"edit.html":   {"post": &Post{}, "form": nil},
		"feed.xml":    {"posts": []*Post{}, "updated": ""},
		"list.html":   {"page": &page{}, "topics": []topic{}},
		"post.html":   {"post": &Post{}, "comments": orm.Page[Comment]{}, "form": nil, "own": false},
		"search.html": {"q": "", "page": &page{}, "found": []result{}},
		"tag.html":    {"tag": &Tag{}, "page": &page{}},
	} {
		app.TemplateData("blog/"+name, data)
	}
}

// sorry is the page of an error in the site's own look. Programs get the problem
// document, and a developer the page that helps.
func sorry(c *retort.Ctx, err error) error {
	if c.App().Config().Debug || c.Accepts("text/html", "application/json") != "text/html" {
		return err
	}
	status := retort.StatusOf(err)
	return c.Status(status).Render("blog/error.html", map[string]any{
		"status": status, "title": http.StatusText(status), "request_id": c.RequestID(),
	})
}
