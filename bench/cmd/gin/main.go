// gin is Gin with GORM, html/template, gin-contrib/sessions' cookie store and
// gorilla/csrf.
package main

import (
	"context"
	"net/http"
	"strconv"

	"github.com/retort-web/retort/bench/internal/gormstore"
	"github.com/retort-web/retort/bench/internal/kit"
	"github.com/retort-web/retort/bench/internal/view"

	"github.com/gin-contrib/sessions"
	"github.com/gin-contrib/sessions/cookie"
	"github.com/gin-gonic/gin"
	"github.com/gin-gonic/gin/render"
	"github.com/gorilla/csrf"
)

type pages struct{}

func (pages) Instance(name string, data any) render.Render {
	t := view.Page
	if name == "fortunes" {
		t = view.Fortunes
	}
	return render.HTML{Template: t, Data: data}
}

type number struct {
	N string `form:"n"`
}

type listQuery struct {
	Status   string `form:"status" binding:"oneof=published draft"`
	Page     int    `form:"page" binding:"min=1"`
	PageSize int    `form:"page_size" binding:"min=1,max=100"`
}

type commentForm struct {
	PostID int32  `form:"post_id" binding:"required,min=1,max=1000"`
	Name   string `form:"name" binding:"required,max=100"`
	Email  string `form:"email" binding:"required,email"`
	Body   string `form:"body" binding:"required,max=2000"`
}

type pageData struct {
	User, CSRFName, CSRFToken string
	Posts                     []gormstore.Post
}

type ctxKey struct{}

// protect puts gorilla/csrf between gin's handlers.
func protect() gin.HandlerFunc {
	h := csrf.Protect(kit.Secret, csrf.Secure(false), csrf.FieldName("csrf_token"), csrf.Path("/"))(
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c := r.Context().Value(ctxKey{}).(*gin.Context)
			c.Request = r
			c.Set("csrf", true)
			c.Next()
		}))
	return func(c *gin.Context) {
		r := c.Request.WithContext(context.WithValue(c.Request.Context(), ctxKey{}, c))
		h.ServeHTTP(c.Writer, csrf.PlaintextHTTPRequest(r))
		if _, ok := c.Get("csrf"); !ok {
			c.Abort()
		}
	}
}

func fail(c *gin.Context, err error) bool {
	if err != nil {
		c.AbortWithStatusJSON(500, gin.H{"error": err.Error()})
	}
	return err != nil
}

func main() {
	db := gormstore.Open()
	gin.SetMode(gin.ReleaseMode)
	e := gin.New()
	e.HTMLRender = pages{}
	e.GET("/plaintext", func(c *gin.Context) { c.String(200, "Hello, World!") })
	e.GET("/json", func(c *gin.Context) { c.JSON(200, gin.H{"message": "Hello, World!"}) })
	e.GET("/db", func(c *gin.Context) {
		var w gormstore.World
		if !fail(c, db.World(c.Request.Context(), &w)) {
			c.JSON(200, w)
		}
	})
	worlds := func(f func(context.Context, []gormstore.World) error) gin.HandlerFunc {
		return func(c *gin.Context) {
			var q number
			c.ShouldBindQuery(&q)
			ws := make([]gormstore.World, kit.N(q.N))
			if !fail(c, f(c.Request.Context(), ws)) {
				c.JSON(200, ws)
			}
		}
	}
	e.GET("/queries", worlds(db.Worlds))
	e.GET("/updates", worlds(db.Update))
	e.GET("/fortunes", func(c *gin.Context) {
		fs, err := db.Fortunes(c.Request.Context())
		if !fail(c, err) {
			c.HTML(200, "fortunes", fs)
		}
	})
	e.GET("/api/posts", func(c *gin.Context) {
		q := listQuery{"published", 1, 50}
		if err := c.ShouldBindQuery(&q); err != nil {
			c.JSON(400, gin.H{"error": err.Error()})
			return
		}
		l, err := db.List(c.Request.Context(), kit.PageArgs{Status: q.Status, Page: q.Page, Size: q.PageSize})
		if !fail(c, err) {
			c.JSON(200, l)
		}
	})
	store := cookie.NewStore(kit.Secret)
	app := e.Group("/", sessions.Sessions("session", store), protect())
	app.GET("/login", func(c *gin.Context) {
		s := sessions.Default(c)
		s.Set("user", c.Query("user"))
		if !fail(c, s.Save()) {
			c.String(200, "ok")
		}
	})
	app.GET("/page", func(c *gin.Context) {
		user, _ := sessions.Default(c).Get("user").(string)
		ps, err := db.Page(c.Request.Context())
		if !fail(c, err) {
			c.HTML(200, "page", pageData{user, "csrf_token", csrf.Token(c.Request), ps})
		}
	})
	app.POST("/create", func(c *gin.Context) {
		var f commentForm
		if err := c.ShouldBind(&f); err != nil {
			c.JSON(422, gin.H{"error": err.Error()})
			return
		}
		m := gormstore.Comment{PostID: f.PostID, Name: f.Name, Email: f.Email, Body: f.Body}
		if !fail(c, db.Create(c.Request.Context(), &m)) {
			c.Redirect(303, "/posts/"+strconv.Itoa(int(m.PostID))+"#c"+strconv.Itoa(int(m.ID)))
		}
	})
	kit.Serve(e)
}
