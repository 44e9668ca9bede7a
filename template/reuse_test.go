package template

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// reuseSources cover what a render keeps and what it gives back: frames,
// included contexts, small strings, macros, loops, sequences made on demand.
var reuseSources = map[string]string{
	"base.html":   "<{{ who }}>{% block a %}base {{ who }}{% endblock %}|{% block b %}{% endblock %}",
	"plain.html":  "{% for r in rows %}{{ r.id }}:{{ r.title|upper }};{% endfor %}{{ who }}",
	"child.html":  "{% extends 'base.html' %}{% from 'lib.html' import show, twice %}{% block a %}{{ super() }}{% for r in rows %}{{ show(r.title ~ who) }}{{ loop.last }}{% endfor %}{% endblock %}{% block b %}{{ self.a()|length }}{% call(x) twice() %}{{ x }}{{ who }}{% endcall %}{% endblock %}",
	"lib.html":    "{% macro show(x) %}[{{ x|lower }}]{% endmacro %}{% macro twice() %}{{ caller(1) }}{{ caller(2) }}{% endmacro %}",
	"loop.html":   "{% for r in rows %}{% set n = r.id %}{% include 'row.html' %}{% endfor %}",
	"row.html":    "{% set local = n * 2 %}{% macro m(x) %}{{ x }}{{ n }}{{ who }}{% endmacro %}{{ m(local) }}{{ r.title|replace('Title', who) }},",
	"light.html":  "{% for r in rows %}{% include 'cell.html' %}{% endfor %}",
	"cell.html":   "({{ r.id }}{{ who }}{% for i in range(r.id % 3) %}{{ loop.index }}{% include 'deep.html' %}{% endfor %})",
	"deep.html":   "<{{ r.id }}-{{ i }}>",
	"lazy.html":   "{% set ns = namespace(it=none) %}{% macro lazily(xs) %}{% set ns.it = xs|map('upper') %}{% endmacro %}{{ lazily([who, 'x']) }}{% include 'plain.html' %}{{ ns.it|join('-') }}",
	"nested.html": "{% for x in [[1, [2, 3]], 4] recursive %}{% if x is iterable %}({{ loop(x) }}){% else %}{{ x }}{{ who }}{% endif %}{% endfor %}",
	"saved.html":  "{% set ns = namespace(l=none, m=none) %}{% for r in rows %}{% set ns.l = loop %}{% endfor %}{{ ns.l.index }}{{ ns.l.length }}{% include 'row2.html' %}{{ ns.m(7) }}",
	"row2.html":   "{% set z = who %}{% macro keepme(a) %}{{ a }}{{ z }}{{ who }}{% endmacro %}{% set ns.m = keepme %}",
	"select.html": "{% for r in rows|selectattr('live') if r.id is odd %}{{ loop.length }}{{ r.id }}{{ who }} {% endfor %}",
	"fail.html":   "{% for r in rows %}{{ r.title }}{% include 'cell.html' %}{{ r.nope.x }}{% endfor %}",
}

func TestManyGoroutinesRenderAtOnce(t *testing.T) {
	t.Parallel()
	e := mustEngine(t, Options{Loader: Map(reuseSources)})
	rows := benchRows(7)
	pages := []string{
		"plain.html", "child.html", "loop.html", "light.html", "lazy.html", "nested.html", "saved.html", "select.html", "fail.html",
	}
	render := func(page, who string) string {
		tpl, err := e.Get(page)
		if err != nil {
			t.Error(err)
			return ""
		}
		out, err := tpl.Append(nil, Execution{Data: map[string]any{"rows": rows, "who": who}})
		if err != nil {
			return err.Error()
		}
		return string(out)
	}
	want := map[string]string{}
	for _, p := range pages {
		tpl, err := e.Get(p)
		if err != nil {
			t.Fatal(err)
		}
		out, err := tpl.Append(nil, Execution{Data: map[string]any{"rows": rows, "who": "@@"}})
		if err != nil {
			out = []byte(err.Error())
		}
		want[p] = string(out)
	}
	var group sync.WaitGroup
	for g := range 8 {
		group.Go(func() {
			for i := range 60 {
				page, who := pages[(g+i)%len(pages)], fmt.Sprintf("w%d", g)
				expected := strings.ReplaceAll(want[page], "@@", who)
				if got := render(page, who); !strings.EqualFold(got, expected) {
					t.Errorf("%s: got %q, want %q", page, got, expected)
				}
			}
		})
	}
	group.Wait()
}

// A function may keep what a template hands it; using it later must not lead
// into another render.
func TestValuesOutliveTheirRender(t *testing.T) {
	t.Parallel()
	var kept []Value
	o := Options{
		Globals: map[string]any{"keep": Func(func(c *Call) (any, error) {
			v, err := c.Values("x")
			kept = append(kept, v...)
			return "", err
		})},
		Loader: Map(map[string]string{"m.html": "{% macro hello(x) %}hello {{ x }} of {{ who }}{% endmacro %}"}),
	}
	e := mustEngine(t, o)
	first, err := e.FromString("{% macro m(x) %}{{ x }}{{ who }}{% endmacro %}{{ keep(m) }}{% for i in [1, 2] %}{{ keep(loop) }}{% endfor %}" +
		"{{ keep(['a', 'b']|map('upper')) }}{{ keep('word'|upper) }}{% include 'm.html' %}")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := first.Append(nil, Execution{Data: map[string]any{"who": "first"}}); err != nil {
		t.Fatal(err)
	}
	if len(kept) != 5 {
		t.Fatalf("%d values were kept", len(kept))
	}
	second, err := e.FromString("{{ who }} {{ m('x') }} {{ l.index }}/{{ l.length }} {{ it|join }} {{ word }}")
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		out, err := second.Append(nil, Execution{Data: map[string]any{"who": "second", "m": kept[0], "l": kept[1], "it": kept[3], "word": kept[4]}})
		if err != nil {
			t.Fatal(err)
		}
		if got := string(out); !strings.HasPrefix(got, "second xfirst 2/2 ") || !strings.HasSuffix(got, " WORD") {
			t.Errorf("got %q", got)
		}
	}
}
