// Package router times finding one of 200 routes and reading its parameters.
package router

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/fasthttp/router"
	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	"github.com/gofiber/fiber/v3"
	"github.com/gorilla/mux"
	"github.com/julienschmidt/httprouter"
	"github.com/labstack/echo/v5"
	"github.com/valyala/fasthttp"

	"github.com/retort-web/retort"
	retortrouter "github.com/retort-web/retort/router"
)

type route struct{ method, path string } // path with {name} parameters

func routes() (rs []route) {
	for i := range 20 {
		r := fmt.Sprintf("/api/v1/%s", []string{"accounts", "articles", "authors", "books", "carts", "comments", "customers", "events", "files", "groups", "invoices", "jobs", "labels", "messages", "orders", "products", "projects", "reports", "teams", "users"}[i])
		rs = append(rs,
			route{"GET", r}, route{"POST", r}, route{"GET", r + "/new"},
			route{"GET", r + "/{id}"}, route{"PUT", r + "/{id}"}, route{"DELETE", r + "/{id}"},
			route{"GET", r + "/{id}/edit"}, route{"GET", r + "/{id}/notes"}, route{"POST", r + "/{id}/notes"},
			route{"GET", r + "/{id}/notes/{note}"})
	}
	return rs
}

var sink int

type null struct{ h http.Header }

func (n *null) Header() http.Header         { return n.h }
func (n *null) Write(b []byte) (int, error) { return len(b), nil }
func (n *null) WriteHeader(int)             {}

func colon(p string) string {
	return strings.NewReplacer("{", ":", "}", "").Replace(p)
}

func std() map[string]http.Handler {
	m := map[string]http.Handler{}
	sm := http.NewServeMux()
	for _, r := range routes() {
		sm.HandleFunc(r.method+" "+r.path, func(w http.ResponseWriter, r *http.Request) {
			sink += len(r.PathValue("id")) + len(r.PathValue("note"))
		})
	}
	m["ServeMux"] = sm
	m["retort/router"] = retortRouter()
	m["retort"] = retortApp()
	hr := httprouter.New()
	// httprouter allows no /new next to /:id.
	for _, r := range routes() {
		if strings.HasSuffix(r.path, "/new") {
			continue
		}
		hr.Handle(r.method, colon(r.path), func(w http.ResponseWriter, r *http.Request, p httprouter.Params) {
			sink += len(p.ByName("id")) + len(p.ByName("note"))
		})
	}
	m["httprouter"] = hr
	ch := chi.NewRouter()
	for _, r := range routes() {
		ch.MethodFunc(r.method, r.path, func(w http.ResponseWriter, r *http.Request) {
			sink += len(chi.URLParam(r, "id")) + len(chi.URLParam(r, "note"))
		})
	}
	m["chi"] = ch
	gin.SetMode(gin.ReleaseMode)
	gi := gin.New()
	gi.HandleMethodNotAllowed = true // as in the others
	for _, r := range routes() {
		gi.Handle(r.method, colon(r.path), func(c *gin.Context) { sink += len(c.Param("id")) + len(c.Param("note")) })
	}
	m["gin"] = gi
	ec := echo.New()
	for _, r := range routes() {
		ec.Add(r.method, colon(r.path), func(c *echo.Context) error { sink += len(c.Param("id")) + len(c.Param("note")); return nil })
	}
	m["echo"] = ec
	gm := mux.NewRouter()
	for _, r := range routes() {
		gm.HandleFunc(r.path, func(w http.ResponseWriter, r *http.Request) {
			v := mux.Vars(r)
			sink += len(v["id"]) + len(v["note"])
		}).Methods(r.method)
	}
	m["gorilla"] = gm
	return m
}

// retortRouter is package router alone, as net/http would call it.
func retortRouter() http.Handler {
	type handler func(http.ResponseWriter, *http.Request, *retortrouter.Params)
	ro := retortrouter.New(retortrouter.Options{})
	for _, r := range routes() {
		_, err := ro.Add(retortrouter.Route{Methods: []string{r.method}, Pattern: r.path, Value: handler(
			func(_ http.ResponseWriter, _ *http.Request, p *retortrouter.Params) {
				sink += len(p.Get("id")) + len(p.Get("note"))
			})})
		if err != nil {
			panic(err)
		}
	}
	// The peers keep their parameters in a pool; this benchmark is one goroutine.
	p := new(retortrouter.Params)
	text := []string{"text/plain"}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*p = retortrouter.Params{}
		result := ro.Lookup(r.Method, r.Host, r.URL.Path, r.URL.RawPath, p)
		switch {
		case result.Route != nil:
			result.Route.Value.(handler)(w, r, p)
		case result.Allow != "":
			w.Header()["Allow"] = []string{result.Allow}
			w.Header()["Content-Type"] = text
			w.WriteHeader(http.StatusMethodNotAllowed)
			io.WriteString(w, "405 method not allowed")
		default:
			w.Header()["Content-Type"] = text
			w.WriteHeader(http.StatusNotFound)
			io.WriteString(w, "404 page not found")
		}
	})
}

// retortApp is the whole framework: context, hooks, checks and answer.
func retortApp() http.Handler {
	app := retort.New(retort.Config{SecretKey: "a key for the benchmark, long enough", Logger: slog.New(slog.DiscardHandler)})
	for _, r := range routes() {
		app.Methods([]string{r.method}, r.path, func(c *retort.Ctx) error {
			sink += len(c.Param("id")) + len(c.Param("note"))
			return c.Text("")
		}).DisableCSRF()
	}
	if err := app.Prepare(); err != nil {
		panic(err)
	}
	return app
}

func fast() map[string]fasthttp.RequestHandler {
	fr := router.New()
	for _, r := range routes() {
		fr.Handle(r.method, r.path, func(c *fasthttp.RequestCtx) {
			a, _ := c.UserValue("id").(string)
			b, _ := c.UserValue("note").(string)
			sink += len(a) + len(b)
		})
	}
	fb := fiber.New()
	for _, r := range routes() {
		fb.Add([]string{r.method}, colon(r.path), func(c fiber.Ctx) error { sink += len(c.Params("id")) + len(c.Params("note")); return nil })
	}
	return map[string]fasthttp.RequestHandler{"fasthttp/router": fr.Handler, "fiber": fb.Handler()}
}

// cases are the requests: one each of a kind, and all the routes in turn.
func cases() map[string][]route {
	var all []route
	for _, r := range routes() {
		if !strings.HasSuffix(r.path, "/new") {
			all = append(all, route{r.method, strings.NewReplacer("{id}", "1047", "{note}", "88").Replace(r.path)})
		}
	}
	return map[string][]route{
		"static": {{"GET", "/api/v1/orders"}},
		"param1": {{"GET", "/api/v1/orders/1047"}},
		"param2": {{"GET", "/api/v1/orders/1047/notes/88"}},
		"miss":   {{"GET", "/api/v1/orderz/1047"}},
		"method": {{"DELETE", "/api/v1/orders"}},
		"all":    all,
	}
}

var order = []string{"static", "param1", "param2", "miss", "method", "all"}

func BenchmarkRouter(b *testing.B) {
	cs := cases()
	hs := std()
	for _, name := range []string{"retort/router", "retort", "ServeMux", "httprouter", "chi", "gin", "echo", "gorilla"} {
		h := hs[name]
		for _, k := range order {
			b.Run(name+"/"+k, func(b *testing.B) {
				var rs []*http.Request
				for _, c := range cs[k] {
					u, _ := url.Parse(c.path)
					rs = append(rs, &http.Request{Method: c.method, URL: u, RequestURI: c.path, Host: "x", Header: http.Header{}, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1})
				}
				w := &null{http.Header{}}
				sink = 0
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					h.ServeHTTP(w, rs[i%len(rs)])
				}
				if k == "param2" && sink == 0 {
					b.Fatal("no parameters")
				}
			})
		}
	}
	for _, name := range []string{"fasthttp/router", "fiber"} {
		h := fast()[name]
		for _, k := range order {
			b.Run(name+"/"+k, func(b *testing.B) {
				var rs []*fasthttp.RequestCtx
				for _, c := range cs[k] {
					x := &fasthttp.RequestCtx{}
					x.Request.Header.SetMethod(c.method)
					x.Request.SetRequestURI(c.path)
					rs = append(rs, x)
				}
				sink = 0
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					x := rs[i%len(rs)]
					x.ResetUserValues()
					h(x)
				}
				if k == "param2" && sink == 0 {
					b.Fatal("no parameters")
				}
			})
		}
	}
}
