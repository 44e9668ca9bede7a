// fasthttpraw is fasthttp with its router, pgx, and pages as appends.
package main

import (
	"encoding/json"
	"log"
	"net/http"
	"strconv"

	"github.com/retort-web/retort/bench/internal/kit"
	"github.com/retort-web/retort/bench/internal/model"
	"github.com/retort-web/retort/bench/internal/pgstore"
	"github.com/retort-web/retort/bench/internal/view"
	"github.com/retort-web/retort/bench/internal/websec"

	"github.com/fasthttp/router"
	"github.com/valyala/fasthttp"
)

func main() {
	db := pgstore.Open()
	r := router.New()
	r.GET("/plaintext", func(c *fasthttp.RequestCtx) {
		c.SetContentType("text/plain; charset=utf-8")
		c.SetBodyString("Hello, World!")
	})
	r.GET("/json", func(c *fasthttp.RequestCtx) { sendJSON(c, model.Message{Message: "Hello, World!"}, nil) })
	r.GET("/db", func(c *fasthttp.RequestCtx) {
		var v model.World
		err := db.World(c, &v)
		sendJSON(c, &v, err)
	})
	r.GET("/queries", func(c *fasthttp.RequestCtx) {
		ws := make([]model.World, kit.N(string(c.QueryArgs().Peek("n"))))
		err := db.Worlds(c, ws)
		sendJSON(c, ws, err)
	})
	r.GET("/updates", func(c *fasthttp.RequestCtx) {
		ws := make([]model.World, kit.N(string(c.QueryArgs().Peek("n"))))
		err := db.Update(c, ws)
		sendJSON(c, ws, err)
	})
	r.GET("/fortunes", func(c *fasthttp.RequestCtx) {
		fs, err := db.Fortunes(c)
		if err != nil {
			c.Error(err.Error(), 500)
			return
		}
		c.SetContentType("text/html; charset=utf-8")
		b := view.GetBuf()
		b.B = view.AppendFortunes(b.B, fs)
		c.SetBody(b.B)
		view.PutBuf(b)
	})
	r.GET("/login", func(c *fasthttp.RequestCtx) {
		var k fasthttp.Cookie
		k.SetKey(websec.CookieName)
		k.SetValue(websec.Seal(kit.Secret, string(c.QueryArgs().Peek("user"))))
		k.SetPath("/")
		k.SetHTTPOnly(true)
		k.SetSameSite(fasthttp.CookieSameSiteLaxMode)
		c.Response.Header.SetCookie(&k)
		c.SetBodyString("ok")
	})
	r.GET("/page", func(c *fasthttp.RequestCtx) {
		user, cookie := session(c)
		ps, err := db.Page(c)
		if err != nil {
			c.Error(err.Error(), 500)
			return
		}
		p := &model.Page{User: user, CSRFName: websec.FieldName, CSRFToken: websec.Token(kit.Secret, cookie), Posts: ps}
		c.SetContentType("text/html; charset=utf-8")
		c.Response.Header.Set("Vary", "Cookie")
		b := view.GetBuf()
		b.B = view.AppendPage(b.B, p)
		c.SetBody(b.B)
		view.PutBuf(b)
	})
	r.POST("/create", func(c *fasthttp.RequestCtx) {
		_, cookie := session(c)
		get := func(k string) string { return string(c.PostArgs().Peek(k)) }
		if cookie == "" || !websec.Check(kit.Secret, cookie, get(websec.FieldName)) {
			c.Error("CSRF token missing or wrong", 403)
			return
		}
		f, errs := websec.Comment(get)
		if errs != nil {
			sendJSON(c, errs, nil)
			c.SetStatusCode(422)
			return
		}
		id, err := db.Create(c, f)
		if err != nil {
			c.Error(err.Error(), 500)
			return
		}
		c.Response.Header.Set("Location", "/posts/"+strconv.Itoa(int(f.PostID))+"#c"+strconv.Itoa(id))
		c.SetStatusCode(http.StatusSeeOther)
	})
	r.GET("/api/posts", func(c *fasthttp.RequestCtx) {
		q := c.QueryArgs()
		a, ok := kit.ListArgs(string(q.Peek("status")), string(q.Peek("page")), string(q.Peek("page_size")))
		if !ok {
			c.Error("bad parameter", 400)
			return
		}
		l, err := db.List(c, a)
		sendJSON(c, l, err)
	})
	s := &fasthttp.Server{Handler: r.Handler, Name: "fasthttp"}
	log.Fatal(s.ListenAndServe(kit.Addr))
}

func sendJSON(c *fasthttp.RequestCtx, v any, err error) {
	if err == nil {
		var b []byte
		if b, err = json.Marshal(v); err == nil {
			c.SetContentType("application/json")
			c.SetBody(b)
			return
		}
	}
	c.Error(err.Error(), 500)
}

func session(c *fasthttp.RequestCtx) (user, cookie string) {
	v := string(c.Request.Header.Cookie(websec.CookieName))
	u, ok := websec.Open(kit.Secret, v)
	if !ok {
		return "", ""
	}
	return u, v
}
