// fiber is Fiber v3 over pgx, html/template, and its own session and CSRF
// middleware (both keep their state in memory). BENCH_ORM=gorm swaps the
// data layer.
package main

import (
	"io"
	"log"
	"os"
	"strconv"

	"github.com/retort-web/retort/bench/internal/gormstore"
	"github.com/retort-web/retort/bench/internal/kit"
	"github.com/retort-web/retort/bench/internal/model"
	"github.com/retort-web/retort/bench/internal/pgstore"
	"github.com/retort-web/retort/bench/internal/view"

	"github.com/go-playground/validator/v10"
	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/extractors"
	"github.com/gofiber/fiber/v3/middleware/csrf"
	"github.com/gofiber/fiber/v3/middleware/session"
)

type views struct{}

func (views) Load() error { return nil }
func (views) Render(w io.Writer, name string, data any, _ ...string) error {
	return view.Execute(w, name, data)
}

type check struct{ v *validator.Validate }

func (c check) Validate(i any) error { return c.v.Struct(i) }

type listQuery struct {
	Status   string `query:"status" validate:"oneof=published draft"`
	Page     int    `query:"page" validate:"min=1"`
	PageSize int    `query:"page_size" validate:"min=1,max=100"`
}

type commentForm struct {
	PostID int32  `form:"post_id" validate:"required,min=1,max=1000"`
	Name   string `form:"name" validate:"required,max=100"`
	Email  string `form:"email" validate:"required,email"`
	Body   string `form:"body" validate:"required,max=2000"`
}

type pageData struct {
	User, CSRFName, CSRFToken string
	Posts                     any
}

func main() {
	var db *pgstore.Store
	var orm *gormstore.Store
	if os.Getenv("BENCH_ORM") == "gorm" {
		orm = gormstore.Open()
	} else {
		db = pgstore.Open()
	}
	e := fiber.New(fiber.Config{Views: views{}, StructValidator: check{validator.New(validator.WithRequiredStructEnabled())}, ServerHeader: "Fiber"})
	e.Get("/plaintext", func(c fiber.Ctx) error { return c.SendString("Hello, World!") })
	e.Get("/json", func(c fiber.Ctx) error { return c.JSON(fiber.Map{"message": "Hello, World!"}) })
	e.Get("/db", func(c fiber.Ctx) error {
		var w model.World
		if err := db.World(c.Context(), &w); err != nil {
			return err
		}
		return c.JSON(&w)
	})
	e.Get("/queries", func(c fiber.Ctx) error {
		ws := make([]model.World, kit.N(c.Query("n")))
		if err := db.Worlds(c.Context(), ws); err != nil {
			return err
		}
		return c.JSON(ws)
	})
	e.Get("/updates", func(c fiber.Ctx) error {
		ws := make([]model.World, kit.N(c.Query("n")))
		if err := db.Update(c.Context(), ws); err != nil {
			return err
		}
		return c.JSON(ws)
	})
	e.Get("/fortunes", func(c fiber.Ctx) error {
		fs, err := db.Fortunes(c.Context())
		if err != nil {
			return err
		}
		c.Type("html", "utf-8")
		return c.Render("fortunes", fs)
	})
	e.Get("/api/posts", func(c fiber.Ctx) error {
		q := listQuery{"published", 1, 50}
		if err := c.Bind().Query(&q); err != nil {
			return fiber.NewError(400, err.Error())
		}
		l, err := db.List(c.Context(), kit.PageArgs{Status: q.Status, Page: q.Page, Size: q.PageSize})
		if err != nil {
			return err
		}
		return c.JSON(l)
	})
	app := e.Group("", session.New(), csrf.New(csrf.Config{Extractor: extractors.FromForm("csrf_token")}))
	app.Get("/login", func(c fiber.Ctx) error {
		session.FromContext(c).Set("user", c.Query("user"))
		return c.SendString("ok")
	})
	app.Get("/page", func(c fiber.Ctx) error {
		user, _ := session.FromContext(c).Get("user").(string)
		d := pageData{User: user, CSRFName: "csrf_token", CSRFToken: csrf.TokenFromContext(c)}
		var err error
		if orm != nil {
			d.Posts, err = orm.Page(c.Context())
		} else {
			d.Posts, err = db.Page(c.Context())
		}
		if err != nil {
			return err
		}
		c.Type("html", "utf-8")
		return c.Render("page", d)
	})
	app.Post("/create", func(c fiber.Ctx) error {
		var f commentForm
		if err := c.Bind().Form(&f); err != nil {
			return fiber.NewError(422, err.Error())
		}
		id, err := db.Create(c.Context(), model.Comment{PostID: f.PostID, Name: f.Name, Email: f.Email, Body: f.Body})
		if err != nil {
			return err
		}
		return c.Redirect().Status(303).To("/posts/" + strconv.Itoa(int(f.PostID)) + "#c" + strconv.Itoa(id))
	})
	log.Fatal(e.Listen(kit.Addr, fiber.ListenConfig{DisableStartupMessage: true}))
}
