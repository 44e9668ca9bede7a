package template

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

type benchRow struct {
	ID    int
	Title string
	Views int
	Price float64
	Live  bool
}

func benchRows(n int) []benchRow {
	rows := make([]benchRow, n)
	for i := range rows {
		rows[i] = benchRow{i + 1, fmt.Sprintf("Title <%d> & more", i), i * 7919, float64(i) * 1.25, i%3 == 0}
	}
	return rows
}

const benchBase = `<!doctype html>
<html><head><title>{% block title %}Site{% endblock %}</title></head>
<body><nav>{{ site }}</nav>
<main>{% block content %}{% endblock %}</main>
</body></html>`

// BenchmarkTable renders 200 rows of structs in a table whose page extends a base.
func BenchmarkTable(b *testing.B) {
	e, err := New(Options{Loader: Map(map[string]string{
		"base.html": benchBase,
		"list.html": `{% extends "base.html" %}
{% block title %}Rows{% endblock %}
{% block content %}<table>
{% for row in rows %}<tr><td>{{ row.id }}</td><td>{{ row.title }}</td><td>{{ row.views }}</td><td>{% if row.live %}yes{% else %}no{% endif %}</td></tr>
{% endfor %}</table>{% endblock %}`,
	})})
	if err != nil {
		b.Fatal(err)
	}
	t, err := e.Get("list.html")
	if err != nil {
		b.Fatal(err)
	}
	data := map[string]any{"rows": benchRows(200), "site": "Retort & Co"}
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		if buf, err = t.Append(buf[:0], Execution{Data: data}); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(len(buf)))
}

type benchField struct {
	Name, Label, Value, Help string
	Errors                   []string
	Required                 bool
}

type benchUser struct {
	Username string
	Joined   time.Time
}

func (u *benchUser) AbsoluteURL() string { return "/users/" + u.Username }

// BenchmarkForm renders a page with macros, filters, calls of Go methods and
// a loop that asks for the loop variable.
func BenchmarkForm(b *testing.B) {
	e, err := New(Options{Loader: Map(map[string]string{
		"base.html": benchBase,
		"forms.html": `{% macro field(f, kind="text") %}<p{% if f.errors %} class="bad"{% endif %}><label for="id_{{ f.name }}">{{ f.label|capitalize }}{% if f.required %} *{% endif %}</label>
<input type="{{ kind }}" name="{{ f.name }}" value="{{ f.value }}">
{%- for e in f.errors %}<em>{{ e }}</em>{% endfor %}{% if f.help %}<small>{{ f.help|truncate(40) }}</small>{% endif %}</p>{% endmacro %}`,
		"page.html": `{% extends "base.html" %}{% from "forms.html" import field %}
{% block content %}<h1>{{ title|default("New post") }}</h1>
<a href="{{ user.absolute_url() }}">{{ user.username }}</a> since {{ user.joined|date("%d %B %Y") }}
<form>{% for f in fields %}{{ field(f) }}{% if not loop.last %}<hr>{% endif %}{% endfor %}</form>{% endblock %}`,
	})})
	if err != nil {
		b.Fatal(err)
	}
	t, err := e.Get("page.html")
	if err != nil {
		b.Fatal(err)
	}
	var fields []benchField
	for i := range 12 {
		f := benchField{Name: fmt.Sprintf("field%d", i), Label: "some label", Value: `a "value" with <marks>`, Required: i%2 == 0}
		if i%3 == 0 {
			f.Errors = []string{"This field is required.", "Too <short>."}
		}
		if i%4 == 0 {
			f.Help = "Say it in a few words, so that everybody sees at once what it is about."
		}
		fields = append(fields, f)
	}
	data := map[string]any{"fields": fields, "user": &benchUser{"ada", time.Date(2024, 5, 6, 0, 0, 0, 0, time.UTC)}, "site": "Retort"}
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		if buf, err = t.Append(buf[:0], Execution{Data: data}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCompile parses and compiles a page.
func BenchmarkCompile(b *testing.B) {
	e, err := New(Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := e.FromString(benchBase + `{% for row in rows %}<tr><td>{{ row.id }}</td><td>{{ row.title|upper }}</td></tr>{% endfor %}`); err != nil {
			b.Fatal(err)
		}
	}
}

// megabyte is about 1 MB of templates like those of a site: text, loops,
// conditions, filters, calls.
func megabyte() []string {
	const part = `<section class="card {{ 'wide' if card.wide else 'narrow' }}" id="card-{{ loop.index }}">
  {# what the card shows #}
  <h2><a href="{{ url('cards.show', id=card.id) }}">{{ card.title|truncate(60) }}</a></h2>
  {%- for tag in card.tags if not tag.hidden %}
    <a class="tag" href="/tags/{{ tag.slug|urlencode }}">{{ tag.name }}</a>{% if not loop.last %}, {% endif %}
  {%- else %}
    <em>{{ _("no tags") }}</em>
  {%- endfor %}
  <p>{{ (card.body or "")|striptags|wordwrap(80) }}</p>
  {% set total = card.price * (1 + card.tax / 100) %}
  <p class="price">{{ "%.2f"|format(total) }} {{ currency|default("EUR") }}</p>
</section>
`
	var files []string
	for size := 0; size < 1<<20; {
		file := "{% extends 'base.html' %}{% block content %}{% for card in cards %}" + strings.Repeat(part, 12) + "{% endfor %}{% endblock %}"
		files = append(files, file)
		size += len(file)
	}
	return files
}

// BenchmarkParse1MB parses and compiles 1 MB of templates.
func BenchmarkParse1MB(b *testing.B) {
	files := megabyte()
	for _, c := range []struct {
		name       string
		contextual bool
	}{{"plain", false}, {"contextual", true}} {
		b.Run(c.name, func(b *testing.B) {
			e, err := New(Options{Extensions: Extensions{I18n: true}, Contextual: c.contextual})
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(1 << 20)
			b.ReportAllocs()
			for b.Loop() {
				for _, f := range files {
					if _, err := e.FromString(f); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
