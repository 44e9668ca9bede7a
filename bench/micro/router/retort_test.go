package router

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"

	"github.com/retort-web/retort"
	retortrouter "github.com/retort-web/retort/router"
)

// This file compiles without the others, whose frameworks a landing does not wait for.

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
