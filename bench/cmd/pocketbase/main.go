// pocketbase is PocketBase's own list and create API over its SQLite, with
// the shared rows imported once into its data directory. Request logs are
// off, since no other contender writes any.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/retort-web/retort/bench/internal/kit"
	"github.com/retort-web/retort/bench/internal/seed"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	_ "github.com/pocketbase/pocketbase/migrations"
	"github.com/pocketbase/pocketbase/tools/types"
)

func fill(app core.App) error {
	if _, err := app.FindCollectionByNameOrId("posts"); err == nil {
		return nil
	}
	s := app.Settings()
	s.Logs.MaxDays = 0
	if err := app.Save(s); err != nil {
		return err
	}
	open := types.Pointer("")
	authors := core.NewBaseCollection("authors")
	authors.ListRule, authors.ViewRule = open, open
	authors.Fields.Add(&core.TextField{Name: "name", Max: 100, Required: true}, &core.EmailField{Name: "email", Hidden: true})
	if err := app.Save(authors); err != nil {
		return err
	}
	posts := core.NewBaseCollection("posts")
	posts.ListRule, posts.ViewRule = open, open
	posts.Fields.Add(
		&core.NumberField{Name: "num", OnlyInt: true},
		&core.TextField{Name: "title", Max: 200, Required: true},
		&core.TextField{Name: "slug", Max: 200, Required: true},
		&core.TextField{Name: "excerpt", Max: 2000, Required: true},
		&core.SelectField{Name: "status", Values: []string{"published", "draft"}, MaxSelect: 1},
		&core.DateField{Name: "published_at"},
		&core.RelationField{Name: "author", CollectionId: authors.Id, MaxSelect: 1, Required: true},
	)
	posts.AddIndex("idx_posts_status_num", false, "status, num", "")
	if err := app.Save(posts); err != nil {
		return err
	}
	comments := core.NewBaseCollection("comments")
	comments.CreateRule = open
	comments.Fields.Add(
		&core.RelationField{Name: "post", CollectionId: posts.Id, MaxSelect: 1, Required: true},
		&core.TextField{Name: "name", Max: 100, Required: true},
		&core.EmailField{Name: "email", Required: true},
		&core.TextField{Name: "body", Max: 2000, Required: true},
		&core.AutodateField{Name: "created", OnCreate: true},
	)
	if err := app.Save(comments); err != nil {
		return err
	}
	d := seed.Make()
	return app.RunInTransaction(func(tx core.App) error {
		for _, a := range d.Authors {
			r := core.NewRecord(authors)
			r.Id = fmt.Sprintf("author%09d", a.ID)
			r.Set("name", a.Name)
			r.Set("email", a.Email)
			if err := tx.Save(r); err != nil {
				return err
			}
		}
		for _, p := range d.Posts {
			r := core.NewRecord(posts)
			r.Id = fmt.Sprintf("post%011d", p.ID)
			r.Set("num", p.ID)
			r.Set("title", p.Title)
			r.Set("slug", p.Slug)
			r.Set("excerpt", p.Excerpt)
			r.Set("status", p.Status)
			r.Set("published_at", p.PublishedAt)
			r.Set("author", fmt.Sprintf("author%09d", p.AuthorID))
			if err := tx.Save(r); err != nil {
				return err
			}
		}
		return nil
	})
}

func main() {
	dir := filepath.Join(os.Getenv("BENCH_STATE"), "pb_data")
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: dir})
	kit.Must(app.Bootstrap())
	kit.Must(app.RunAllMigrations())
	kit.Must(fill(app))
	app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		e.InstallerFunc = nil
		return e.Next()
	})
	kit.Must(apis.Serve(app, apis.ServeConfig{HttpAddr: kit.Addr}))
}
