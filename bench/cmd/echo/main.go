// echo is Echo v5 with Bun, html/template, its own CSRF middleware and
// gorilla/sessions' cookie store.
package main

import (
	"context"
	"net/http"
	"strconv"

	"github.com/retort-web/retort/bench/internal/bunstore"
	"github.com/retort-web/retort/bench/internal/kit"
	"github.com/retort-web/retort/bench/internal/view"

	"github.com/go-playground/validator/v10"
	"github.com/gorilla/sessions"
	"github.com/labstack/echo/v5"
	"github.com/labstack/echo/v5/middleware"
)

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
	Posts                     []bunstore.Post
}

func main() {
	db := bunstore.Open()
	e := echo.New()
	e.Renderer = &echo.TemplateRenderer{Template: view.Set{}}
	e.Validator = check{validator.New(validator.WithRequiredStructEnabled())}
	e.GET("/plaintext", func(c *echo.Context) error { return c.String(200, "Hello, World!") })
	e.GET("/json", func(c *echo.Context) error {
		return c.JSON(200, map[string]string{"message": "Hello, World!"})
	})
	e.GET("/db", func(c *echo.Context) error {
		var w bunstore.World
		if err := db.World(c.Request().Context(), &w); err != nil {
			return err
		}
		return c.JSON(200, &w)
	})
	worlds := func(f func(context.Context, []bunstore.World) error) echo.HandlerFunc {
		return func(c *echo.Context) error {
			ws := make([]bunstore.World, kit.N(c.QueryParam("n")))
			if err := f(c.Request().Context(), ws); err != nil {
				return err
			}
			return c.JSON(200, ws)
		}
	}
	e.GET("/queries", worlds(db.Worlds))
	e.GET("/updates", worlds(db.Update))
	e.GET("/fortunes", func(c *echo.Context) error {
		fs, err := db.Fortunes(c.Request().Context())
		if err != nil {
			return err
		}
		return c.Render(200, "fortunes", fs)
	})
	e.GET("/api/posts", func(c *echo.Context) error {
		q := listQuery{"published", 1, 50}
		if err := c.Bind(&q); err != nil {
			return err
		}
		if err := c.Validate(&q); err != nil {
			return echo.NewHTTPError(400, err.Error())
		}
		l, err := db.List(c.Request().Context(), kit.PageArgs{Status: q.Status, Page: q.Page, Size: q.PageSize})
		if err != nil {
			return err
		}
		return c.JSON(200, l)
	})
	store := sessions.NewCookieStore(kit.Secret)
	app := e.Group("", middleware.CSRFWithConfig(middleware.CSRFConfig{TokenLookup: "form:csrf_token", CookiePath: "/", CookieHTTPOnly: true, CookieSameSite: http.SameSiteLaxMode}))
	app.GET("/login", func(c *echo.Context) error {
		s, _ := store.Get(c.Request(), "session")
		s.Values["user"] = c.QueryParam("user")
		if err := s.Save(c.Request(), c.Response()); err != nil {
			return err
		}
		return c.String(200, "ok")
	})
	app.GET("/page", func(c *echo.Context) error {
		s, _ := store.Get(c.Request(), "session")
		user, _ := s.Values["user"].(string)
		token, _ := c.Get("csrf").(string)
		ps, err := db.Page(c.Request().Context())
		if err != nil {
			return err
		}
		return c.Render(200, "page", pageData{user, "csrf_token", token, ps})
	})
	app.POST("/create", func(c *echo.Context) error {
		var f commentForm
		if err := c.Bind(&f); err != nil {
			return err
		}
		if err := c.Validate(&f); err != nil {
			return echo.NewHTTPError(422, err.Error())
		}
		m := bunstore.Comment{PostID: f.PostID, Name: f.Name, Email: f.Email, Body: f.Body}
		if err := db.Create(c.Request().Context(), &m); err != nil {
			return err
		}
		return c.Redirect(303, "/posts/"+strconv.Itoa(int(m.PostID))+"#c"+strconv.Itoa(int(m.ID)))
	})
	kit.Serve(e)
}
