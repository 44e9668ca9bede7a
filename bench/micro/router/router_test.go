// Package router times finding one of 200 routes and reading its parameters.
package router

import (
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
)

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
