// Package tmpl times rendering the two pages, with their data at hand.
package tmpl

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"testing"
	texttemplate "text/template"

	"github.com/retort-web/retort/bench/internal/htmlcmp"
	"github.com/retort-web/retort/bench/internal/seed"
	"github.com/retort-web/retort/bench/internal/view"
	"github.com/retort-web/retort/bench/micro/tpl"

	"github.com/CloudyKit/jet/v6"
	"github.com/flosch/pongo2/v6"
	"github.com/nikolalohinski/gonja/v2"
	"github.com/nikolalohinski/gonja/v2/exec"
	"github.com/nikolalohinski/gonja/v2/loaders"
	"github.com/valyala/quicktemplate"
)

var (
	page     = seed.Page()
	fortunes = seed.Fortunes()
)

type engine struct {
	name string
	run  func(page bool, w *bytes.Buffer) error
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func read(name string) string { return string(must(tpl.Files.ReadFile(name))) }

func engines() []engine {
	text := map[bool]*texttemplate.Template{}
	for p, n := range map[bool]string{true: "page", false: "fortunes"} {
		text[p] = texttemplate.Must(texttemplate.ParseFS(view.Files, "html/base.html", "html/"+n+".html")).Lookup("base.html")
	}

	cfg := gonja.DefaultConfig.Inherit()
	cfg.AutoEscape = true
	files := map[string]string{}
	for _, n := range []string{"base.html", "page.html", "fortunes.html"} {
		files["/"+n] = read("gonja/" + n)
	}
	gl := loaders.MustNewMemoryLoader(files)
	gp := map[bool]*exec.Template{
		true:  must(exec.NewTemplate("/page.html", cfg, gl, gonja.DefaultEnvironment)),
		false: must(exec.NewTemplate("/fortunes.html", cfg, gl, gonja.DefaultEnvironment)),
	}

	set := pongo2.NewSet("bench", pongo2.NewFSLoader(must(fs.Sub(tpl.Files, "pongo2"))))
	pp := map[bool]*pongo2.Template{true: must(set.FromFile("page.html")), false: must(set.FromFile("fortunes.html"))}

	jl := jet.NewInMemLoader()
	for _, n := range []string{"base.jet", "page.jet", "fortunes.jet"} {
		jl.Set(n, read("jet/"+n))
	}
	js := jet.NewSet(jl)
	jp := map[bool]*jet.Template{true: must(js.GetTemplate("page.jet")), false: must(js.GetTemplate("fortunes.jet"))}

	names := map[bool]string{true: "page", false: "fortunes"}
	data := map[bool]any{true: page, false: fortunes}
	ctx := map[bool]map[string]any{
		true:  {"posts": page.Posts, "user": page.User, "csrf": page.CSRFToken},
		false: {"fortunes": fortunes},
	}
	return []engine{
		{"append", func(p bool, w *bytes.Buffer) error {
			b := w.AvailableBuffer()
			if p {
				b = view.AppendPage(b, page)
			} else {
				b = view.AppendFortunes(b, fortunes)
			}
			w.Write(b)
			return nil
		}},
		{"quicktemplate", func(p bool, w *bytes.Buffer) error {
			q := quicktemplate.AcquireWriter(w)
			if p {
				tpl.StreamBase(q, &tpl.PageQ{Page: page})
			} else {
				tpl.StreamBase(q, &tpl.FortunesQ{Rows: fortunes})
			}
			quicktemplate.ReleaseWriter(q)
			return nil
		}},
		{"templ", func(p bool, w *bytes.Buffer) error {
			if p {
				return tpl.PageTempl(page).Render(context.Background(), w)
			}
			return tpl.FortunesTempl(fortunes).Render(context.Background(), w)
		}},
		{"jet", func(p bool, w *bytes.Buffer) error { return jp[p].Execute(w, nil, data[p]) }},
		{"text/template (no escaping)", func(p bool, w *bytes.Buffer) error { return text[p].Execute(w, data[p]) }},
		{"html/template", func(p bool, w *bytes.Buffer) error { return view.Execute(w, names[p], data[p]) }},
		{"pongo2", func(p bool, w *bytes.Buffer) error { return pp[p].ExecuteWriter(pongo2.Context(ctx[p]), w) }},
		{"gonja", func(p bool, w *bytes.Buffer) error { return gp[p].Execute(w, exec.NewContext(ctx[p])) }},
	}
}

func TestSame(t *testing.T) {
	for _, p := range []bool{true, false} {
		want := ""
		for i, e := range engines() {
			var b bytes.Buffer
			if err := e.run(p, &b); err != nil {
				t.Fatal(e.name, err)
			}
			got := htmlcmp.Tokens(b.String())
			if i == 0 {
				want = got
				t.Log(b.Len(), "bytes")
			} else if got != want && e.name != "text/template (no escaping)" {
				x, y := bytes.Split([]byte(want), []byte("\n")), bytes.Split([]byte(got), []byte("\n"))
				for k := range x {
					if k >= len(y) || !bytes.Equal(x[k], y[k]) {
						t.Errorf("%s: differs at %d: want %q got %q", e.name, k, x[k], fmt.Sprintf("%s", y[min(k, len(y)-1)]))
						break
					}
				}
			}
		}
	}
}

func BenchmarkTemplate(b *testing.B) {
	for p, n := range map[bool]string{false: "fortunes", true: "page"} {
		for _, e := range engines() {
			b.Run(n+"/"+e.name, func(b *testing.B) {
				var w bytes.Buffer
				w.Grow(64 << 10)
				b.ReportAllocs()
				for b.Loop() {
					w.Reset()
					if err := e.run(p, &w); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
