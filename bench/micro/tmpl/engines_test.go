package tmpl

import (
	"bytes"
	"context"
	htmltemplate "html/template"
	"io/fs"
	"strings"
	texttemplate "text/template"

	"github.com/retort-web/retort/bench/internal/seed"
	"github.com/retort-web/retort/bench/internal/view"
	"github.com/retort-web/retort/bench/micro/tpl"
	"github.com/retort-web/retort/template"

	"github.com/CloudyKit/jet/v6"
	"github.com/flosch/pongo2/v6"
	"github.com/nikolalohinski/gonja/v2"
	"github.com/nikolalohinski/gonja/v2/exec"
	"github.com/nikolalohinski/gonja/v2/loaders"
	"github.com/valyala/quicktemplate"
)

// The pages: 12 rows of a table in a layout; a list of posts with a form; and
// 200 rows with inheritance, a macro, filters and an include in each row, whose
// data are structs or maps.
const (
	fortunesPage = "fortunes"
	listPage     = "page"
	stockPage    = "stock"
	stockMaps    = "stock-maps"
)

var pages = []string{fortunesPage, listPage, stockPage, stockMaps}

var (
	page     = seed.Page()
	fortunes = seed.Fortunes()
	items    = tpl.Items(200)
	itemMaps = tpl.Maps(items, func(s string) string { return s })
	lowMaps  = tpl.Maps(items, strings.ToLower)
)

// engine renders one page; an engine that compiles to Go has no maps.
type engine struct {
	name string
	run  func(page string, w *bytes.Buffer) error
	// typed engines render structs only.
	typed bool
	// plain engines escape in another way than html/template does.
	plain bool
	// only lists the pages an engine has; all if nil.
	only []string
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// template is the name of a page's template.
func file(page string) string { return strings.TrimSuffix(page, "-maps") }

func read(name string) string { return string(must(tpl.Files.ReadFile(name))) }

// goData is what the engines get that read Go's names.
func goData(p string) map[string]any {
	switch p {
	case fortunesPage:
		return map[string]any{"fortunes": fortunes}
	case listPage:
		return map[string]any{"posts": page.Posts, "user": page.User, "csrf": page.CSRFToken, "csrf_name": page.CSRFName, "csrf_token": page.CSRFToken}
	case stockPage:
		return map[string]any{"items": items, "Items": items}
	}
	return map[string]any{"items": itemMaps, "Items": itemMaps}
}

func engines() []engine {
	list := []engine{
		{name: "append", only: []string{fortunesPage, listPage}, run: appended},
		{name: "quicktemplate", typed: true, run: quick},
		{name: "templ", typed: true, run: templ},
		{name: "retort", run: retort(template.Options{})},
	}
	return append(list, jets(), texts(), htmls(), pongos(), gonjas())
}

func appended(p string, w *bytes.Buffer) error {
	b := w.AvailableBuffer()
	if p == listPage {
		b = view.AppendPage(b, page)
	} else {
		b = view.AppendFortunes(b, fortunes)
	}
	w.Write(b)
	return nil
}

func quick(p string, w *bytes.Buffer) error {
	q := quicktemplate.AcquireWriter(w)
	switch p {
	case listPage:
		tpl.StreamBase(q, &tpl.PageQ{Page: page})
	case fortunesPage:
		tpl.StreamBase(q, &tpl.FortunesQ{Rows: fortunes})
	default:
		tpl.StreamBase(q, &tpl.StockQ{Rows: items})
	}
	quicktemplate.ReleaseWriter(q)
	return nil
}

func templ(p string, w *bytes.Buffer) error {
	switch p {
	case listPage:
		return tpl.PageTempl(page).Render(context.Background(), w)
	case fortunesPage:
		return tpl.FortunesTempl(fortunes).Render(context.Background(), w)
	}
	return tpl.StockTempl(items).Render(context.Background(), w)
}

func retort(o template.Options) func(p string, w *bytes.Buffer) error {
	o.Loader = template.FS(must(fs.Sub(tpl.Files, "retort")))
	e := must(template.New(o))
	compiled, data := map[string]*template.Template{}, map[string]map[string]any{}
	for _, p := range pages {
		compiled[p] = must(e.Get(file(p) + ".html"))
		data[p] = goData(p)
	}
	data[stockMaps] = map[string]any{"items": lowMaps}
	return func(p string, w *bytes.Buffer) error {
		return compiled[p].Execute(w, template.Execution{Data: data[p]})
	}
}

func jets() engine {
	l := jet.NewInMemLoader()
	for _, n := range []string{"base", "page", "fortunes", "stock", "macros", "badge"} {
		l.Set(n+".jet", read("jet/"+n+".jet"))
	}
	set := jet.NewSet(l)
	set.AddGlobal("join", strings.Join)
	compiled, data := map[string]*jet.Template{}, map[string]any{}
	for _, p := range pages {
		compiled[p] = must(set.GetTemplate(file(p) + ".jet"))
		data[p] = goData(p)
	}
	data[listPage], data[fortunesPage] = page, fortunes
	return engine{name: "jet", run: func(p string, w *bytes.Buffer) error { return compiled[p].Execute(w, nil, data[p]) }}
}

var funcs = map[string]any{"upper": strings.ToUpper, "join": strings.Join}

func texts() engine {
	compiled := map[string]*texttemplate.Template{}
	for _, p := range []string{listPage, fortunesPage} {
		compiled[p] = texttemplate.Must(texttemplate.ParseFS(view.Files, "html/base.html", "html/"+p+".html")).Lookup("base.html")
	}
	data := map[string]any{listPage: page, fortunesPage: fortunes}
	return engine{
		name: "text/template (no escaping)", plain: true, only: []string{fortunesPage, listPage},
		run: func(p string, w *bytes.Buffer) error { return compiled[p].Execute(w, data[p]) },
	}
}

func htmls() engine {
	stock := htmltemplate.Must(htmltemplate.New("").Funcs(funcs).ParseFS(view.Files, "html/base.html"))
	stock = htmltemplate.Must(stock.ParseFS(tpl.Files, "html/stock.html")).Lookup("base.html")
	data := map[string]any{listPage: page, fortunesPage: fortunes, stockPage: goData(stockPage), stockMaps: goData(stockMaps)}
	return engine{name: "html/template", run: func(p string, w *bytes.Buffer) error {
		if p == listPage || p == fortunesPage {
			return view.Execute(w, p, data[p])
		}
		return stock.Execute(w, data[p])
	}}
}

func pongos() engine {
	set := pongo2.NewSet("bench", pongo2.NewFSLoader(must(fs.Sub(tpl.Files, "pongo2"))))
	compiled, data := map[string]*pongo2.Template{}, map[string]pongo2.Context{}
	for _, p := range pages {
		compiled[p] = must(set.FromFile(file(p) + ".html"))
		data[p] = pongo2.Context(goData(p))
	}
	return engine{name: "pongo2", run: func(p string, w *bytes.Buffer) error { return compiled[p].ExecuteWriter(data[p], w) }}
}

func gonjas() engine {
	cfg := gonja.DefaultConfig.Inherit()
	cfg.AutoEscape = true
	files := map[string]string{}
	for _, n := range []string{"base", "page", "fortunes", "stock", "macros", "badge"} {
		files["/"+n+".html"] = read("gonja/" + n + ".html")
	}
	l := loaders.MustNewMemoryLoader(files)
	compiled, data := map[string]*exec.Template{}, map[string]*exec.Context{}
	for _, p := range pages {
		compiled[p] = must(exec.NewTemplate("/"+file(p)+".html", cfg, l, gonja.DefaultEnvironment))
		data[p] = exec.NewContext(goData(p))
	}
	return engine{name: "gonja", run: func(p string, w *bytes.Buffer) error { return compiled[p].Execute(w, data[p]) }}
}
