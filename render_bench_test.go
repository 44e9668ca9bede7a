package retort_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/retort-web/retort"
)

// header is a writer that throws the body away.
type header struct{ h http.Header }

func (w header) Header() http.Header         { return w.h }
func (w header) Write(b []byte) (int, error) { return len(b), nil }
func (w header) WriteHeader(int)             {}

// BenchmarkRender is a handler that answers with a page of a dozen rows in a
// layout, beside one that answers with the same text; what is between the two
// is the template and what the app does for it.
func BenchmarkRender(b *testing.B) {
	cfg := quiet()
	cfg.Assets = retort.Embed(templateFiles(map[string]string{
		"templates/base.html": `<!doctype html><title>{% block title %}{% endblock %}</title>` + strings.Repeat("<p>text of the layout</p>", 20) + `{% block content %}{% endblock %}`,
		"templates/rows.html": `{% extends "base.html" %}{% block title %}Rows{% endblock %}{% block content %}<table>
{% for row in rows %}<tr><td>{{ row.id }}</td><td>{{ row.message }}</td></tr>
{% endfor %}</table>{% endblock %}`,
	}))
	type row struct {
		ID      int
		Message string
	}
	rows := make([]*row, 12)
	for i := range rows {
		rows[i] = &row{i, "A message with <some> markup & more, as long as most of them are"}
	}
	app := retort.New(cfg)
	app.Get("/page", func(c *retort.Ctx) error { return c.Render("rows.html", map[string]any{"rows": rows}) })
	app.Get("/text", func(c *retort.Ctx) error { return c.HTML("the page") })
	app.Get("/stream", func(c *retort.Ctx) error { return c.RenderStream("rows.html", map[string]any{"rows": rows}) })
	if err := app.Prepare(); err != nil {
		b.Fatal(err)
	}
	for _, path := range []string{"/page", "/text", "/stream"} {
		b.Run(path[1:], func(b *testing.B) {
			req := httptest.NewRequest(http.MethodGet, "http://localhost"+path, nil)
			b.ReportAllocs()
			for b.Loop() {
				app.ServeHTTP(header{http.Header{}}, req)
			}
		})
	}
}
