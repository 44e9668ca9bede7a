package router

import (
	"fmt"
	"strings"
	"testing"
)

type request struct{ method, path string }

// siteRoutes is the table of a site with 20 resources: 200 routes.
func siteRoutes() (list []request) {
	for _, name := range []string{
		"accounts", "articles", "authors", "books", "carts", "comments", "customers", "events", "files", "groups",
		"invoices", "jobs", "labels", "messages", "orders", "products", "projects", "reports", "teams", "users",
	} {
		r := "/api/v1/" + name
		list = append(
			list,
			request{"GET", r}, request{"POST", r}, request{"GET", r + "/new"},
			request{"GET", r + "/{id}"}, request{"PUT", r + "/{id}"}, request{"DELETE", r + "/{id}"},
			request{"GET", r + "/{id}/edit"}, request{"GET", r + "/{id}/notes"}, request{"POST", r + "/{id}/notes"},
			request{"GET", r + "/{id}/notes/{note}"},
		)
	}
	return list
}

func siteRouter(tb testing.TB, variable string) *Router {
	tb.Helper()
	r := New(Options{})
	for _, rt := range siteRoutes() {
		pattern := strings.ReplaceAll(rt.path, "{id}", variable)
		if _, err := r.Add(Route{Methods: []string{rt.method}, Pattern: pattern}); err != nil {
			tb.Fatal(err)
		}
	}
	return r
}

func BenchmarkLookup(b *testing.B) {
	var all []request
	for _, rt := range siteRoutes() {
		if !strings.HasSuffix(rt.path, "/new") {
			all = append(all, request{rt.method, strings.NewReplacer("{id}", "1047", "{note}", "88").Replace(rt.path)})
		}
	}
	cases := []struct {
		name string
		list []request
	}{
		{"static", []request{{"GET", "/api/v1/orders"}}},
		{"param1", []request{{"GET", "/api/v1/orders/1047"}}},
		{"param2", []request{{"GET", "/api/v1/orders/1047/notes/88"}}},
		{"miss", []request{{"GET", "/api/v1/orderz/1047"}}},
		{"405", []request{{"PATCH", "/api/v1/orders/1047"}}},
		{"slash", []request{{"GET", "/api/v1/orders/1047/"}}},
		{"all", all},
	}
	for _, variable := range []string{"{id}", "{id:int}"} {
		r := siteRouter(b, variable)
		for _, c := range cases {
			b.Run(fmt.Sprintf("%s/%s", variable, c.name), func(b *testing.B) {
				b.ReportAllocs()
				hits, length := 0, 0
				for i := 0; b.Loop(); i++ {
					var p Params
					q := &c.list[i%len(c.list)]
					if r.Lookup(q.method, "example.com", q.path, "", &p).Route != nil {
						hits++
						length += len(p.Get("id")) + len(p.Get("note"))
					}
				}
				if wanted := c.name == "all" || c.name == "static" || strings.HasPrefix(c.name, "param"); wanted != (hits > 0) || c.name == "param2" && length == 0 {
					b.Fatalf("%d hits", hits)
				}
			})
		}
	}
}

func BenchmarkURL(b *testing.B) {
	r := New(Options{})
	if _, err := r.Add(Route{Pattern: "/posts/{id:int}/{title:slug}", Name: "post"}); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.URL("post", "id", 1047, "title", "hello-world"); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLookupHostile is the worst a path of 8 KiB was found to do: it
// spends the whole budget for splits.
func BenchmarkLookupHostile(b *testing.B) {
	r := New(Options{})
	if _, err := r.Add(Route{Pattern: "/s/{a:slug}-{b:slug}-{c:slug}-{d:int}"}); err != nil {
		b.Fatal(err)
	}
	path := "/s/" + strings.Repeat("a-", 4096) + "x"
	b.ReportAllocs()
	for b.Loop() {
		var p Params
		if r.Lookup("GET", "", path, "", &p).Route != nil {
			b.Fatal("found")
		}
	}
}
