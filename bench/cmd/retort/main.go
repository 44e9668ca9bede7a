// retort is Retort as its guide tells a user to write it: an app in its
// production mode, with the access log off as in the other contenders.
package main

import (
	"context"
	"embed"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/db"
	"github.com/retort-web/retort/form"
	"github.com/retort-web/retort/orm"
	_ "github.com/retort-web/retort/orm/postgres"
	"github.com/retort-web/retort/session"

	"github.com/retort-web/retort/bench/internal/kit"
	"github.com/retort-web/retort/bench/internal/model"
)

//go:embed templates
var files embed.FS

func main() {
	app := retort.New(retort.Config{
		Name: "bench", Addr: kit.Addr, SecretKey: string(kit.Secret), Assets: retort.Embed(files),
	})
	app.Install(db.Open(databaseURL()))
	app.Get("/plaintext", func(c *retort.Ctx) error {
		return c.Text("Hello, World!")
	})
	app.Get("/json", func(c *retort.Ctx) error {
		return c.JSON(model.Message{Message: "Hello, World!"})
	})
	app.Get("/db", oneWorld)
	app.Get("/queries", manyWorlds)
	app.Get("/updates", updateWorlds)
	app.Get("/fortunes", listFortunes)
	app.Get("/login", func(c *retort.Ctx) error {
		c.Session().Set("user", c.Query("user"))
		return c.Text("ok")
	})
	app.Get("/page", latestPosts)
	app.Post("/create", createComment)
	app.Get("/api/posts", retort.Typed(listPosts))
	app.Run()
}

// databaseURL writes the harness's libpq keywords as a URL.
func databaseURL() string {
	values := url.Values{"pool_max_conns": {strconv.Itoa(kit.Pool)}}
	for word := range strings.FieldsSeq(kit.DSN) {
		key, value, _ := strings.Cut(word, "=")
		values.Set(key, value)
	}
	name := values.Get("dbname")
	values.Del("dbname")
	return "postgres:///" + name + "?" + values.Encode()
}

func randomWorld(ctx context.Context) (*World, error) {
	w := worlds.Fields()
	return worlds.Where(orm.Eq(&w.ID, kit.RandID())).Get(ctx)
}

func randomWorlds(c *retort.Ctx) ([]*World, error) {
	list := make([]*World, kit.N(c.Query("n")))
	for i := range list {
		var err error
		if list[i], err = randomWorld(c); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func oneWorld(c *retort.Ctx) error {
	world, err := randomWorld(c)
	if err != nil {
		return err
	}
	return c.JSON(world)
}

func manyWorlds(c *retort.Ctx) error {
	list, err := randomWorlds(c)
	if err != nil {
		return err
	}
	return c.JSON(list)
}

func updateWorlds(c *retort.Ctx) error {
	list, err := randomWorlds(c)
	if err != nil {
		return err
	}
	for _, world := range list {
		world.RandomNumber = kit.RandID()
	}
	// Each row once, in the order of their keys, so that two requests never wait for
	// each other.
	slices.SortStableFunc(list, func(a, b *World) int { return int(a.ID - b.ID) })
	rows := slices.CompactFunc(slices.Clone(list), func(a, b *World) bool { return a.ID == b.ID })
	if err := worlds.UpdateRows(c, rows, &worlds.Fields().RandomNumber); err != nil {
		return err
	}
	return c.JSON(list)
}

func listFortunes(c *retort.Ctx) error {
	list, err := fortunes.All(c)
	if err != nil {
		return err
	}
	list = append(list, &Fortune{Message: model.ExtraFortune})
	slices.SortFunc(list, func(a, b *Fortune) int { return strings.Compare(a.Message, b.Message) })
	return c.Render("fortunes.html", map[string]any{"fortunes": list})
}

func latestPosts(c *retort.Ctx) error {
	p := posts.Fields()
	list, err := posts.Where(orm.Eq(&p.Status, "published")).With(&p.Author, &p.Tag).
		OrderBy(orm.Desc(&p.ID)).Limit(model.PageSize).All(c)
	if err != nil {
		return err
	}
	user, _ := session.Get[string](c.Session(), "user")
	return c.Render("page.html", map[string]any{"user": user, "posts": list})
}

// commentForm is the form on the page.
type commentForm struct {
	PostID int32  `form:"post_id" validate:"required,min=1,max=1000"`
	Name   string `validate:"required,max=100"`
	Email  string `validate:"required,email,max=200"`
	Body   string `validate:"required,max=2000" widget:"textarea"`
}

func createComment(c *retort.Ctx) error {
	f := form.For[commentForm](c)
	if !f.Valid() {
		return c.Status(f.Status()).JSON(f.Errors())
	}
	in := f.Value()
	comment := &Comment{Name: in.Name, Email: in.Email, Body: in.Body}
	comment.Post.SetID(in.PostID)
	if err := comments.Insert(c, comment); err != nil {
		return err
	}
	return c.Redirect("/posts/" + strconv.Itoa(int(in.PostID)) + "#c" + strconv.Itoa(int(comment.ID)))
}

// postsQuery is what the list may be asked for.
type postsQuery struct {
	Status string `query:"status" default:"published" validate:"one_of=published|draft"`
	Page   int    `query:"page" default:"1" validate:"min=1"`
	Size   int    `query:"page_size" default:"50" validate:"min=1,max=100"`
}

func listPosts(ctx context.Context, in *postsQuery) (*model.PostList, error) {
	p := posts.Fields()
	matching := posts.Where(orm.Eq(&p.Status, in.Status))
	count, err := matching.Count(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := matching.With(&p.Author).OrderBy(orm.Desc(&p.ID)).Limit(in.Size).Offset((in.Page - 1) * in.Size).All(ctx)
	if err != nil {
		return nil, err
	}
	out := &model.PostList{Count: int(count), Page: in.Page, PageSize: in.Size, Results: make([]model.Post, len(rows))}
	for i, post := range rows {
		author := post.Author.To()
		out.Results[i] = model.Post{
			ID: post.ID, Title: post.Title, Slug: post.Slug, Excerpt: post.Excerpt, Status: post.Status,
			PublishedAt: post.PublishedAt, Author: model.Author{ID: author.ID, Name: author.Name},
		}
	}
	return out, nil
}
