package template_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"
	"time"

	"github.com/retort-web/retort/template"
)

type User struct{ Username string }

type Post struct {
	ID          int64
	Title       string
	PublishedAt time.Time
	Author      *User
	Tags        []string
}

func (p *Post) AbsoluteURL() string { return fmt.Sprintf("/posts/%d", p.ID) }

// show renders an inline template and prints the result or the error.
func show(o template.Options, source string, data any) {
	engine, err := template.New(o)
	if err != nil {
		fmt.Println(err)
		return
	}
	t, err := engine.FromString(source)
	if err == nil {
		err = t.Execute(os.Stdout, template.Execution{Data: data})
	}
	if err != nil {
		fmt.Print(err)
	}
	fmt.Println()
}

func Example() {
	engine, err := template.New(template.Options{Loader: template.Map(map[string]string{
		"base.html": "<title>{% block title %}Blog{% endblock %}</title>\n{% block content %}{% endblock %}",
		"list.html": `{% extends "base.html" %}
{% block title %}Posts - {{ super() }}{% endblock %}
{% block content -%}
{% for post in posts -%}
<a href="{{ post.absolute_url() }}">{{ post.title }}</a> by {{ post.author.username }}
{% else %}Nothing yet.
{% endfor %}{% endblock %}`,
	})})
	if err != nil {
		fmt.Println(err)
		return
	}
	list, err := engine.Get("list.html")
	if err != nil {
		fmt.Println(err)
		return
	}
	posts := []*Post{{ID: 1, Title: "Tips & tricks", Author: &User{"ada"}}, {ID: 2, Title: "<b>", Author: &User{"bob"}}}
	if err := list.Execute(os.Stdout, template.Execution{Data: map[string]any{"posts": posts}}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// <title>Posts - Blog</title>
	// <a href="/posts/1">Tips &amp; tricks</a> by ada
	// <a href="/posts/2">&lt;b&gt;</a> by bob
}

func Example_goValues() {
	post := &Post{ID: 7, Title: "Hello", PublishedAt: time.Date(2026, 5, 6, 0, 0, 0, 0, time.UTC), Tags: []string{"go", "web"}}
	show(template.Options{Extensions: template.Extensions{Django: true}}, `{{ post.title }}, {{ post.published_at|date("%-d %B %Y") }}`, map[string]any{"post": post})
	show(template.Options{}, `{{ post.tags|join(", ") }}; {{ post.tags[-1] }}; {{ post.author is none }}`, map[string]any{"post": post})
	show(template.Options{}, `{% for name, n in stock.items() %}{{ name }}: {{ n }}. {% endfor %}`, map[string]any{"stock": map[string]int{"pears": 2, "apples": 3}})
	// Output:
	// Hello, 6 May 2026
	// go, web; web; True
	// apples: 3. pears: 2.
}

func ExampleOptions_filters() {
	o := template.Options{
		Filters: map[string]any{
			"shout": func(s string) string { return strings.ToUpper(s) + "!" },
			"badge": func(s, kind string) template.Safe {
				return `<span class="` + template.Escape(kind) + `">` + template.Escape(s) + `</span>`
			},
		},
		Tests: map[string]any{"longer": func(s string, n int) bool { return len(s) > n }},
	}
	show(o, `{{ "hi"|shout }} {{ "<new>"|badge("red") }} {{ "abc" is longer(2) }}`, nil)
	// Output:
	// HI! <span class="red">&lt;new&gt;</span> True
}

func ExampleFunc() {
	link := template.Func(func(c *template.Call) (any, error) {
		a, err := c.Bind("text", "to?")
		if err != nil {
			return nil, err
		}
		if a[1] == nil {
			a[1] = "/"
		}
		return "<a href='" + template.Escape(c.Text(a[1])) + "'>" + template.Escape(c.Text(a[0])) + "</a>", nil
	})
	show(template.Options{Globals: map[string]any{"link": link}}, `{{ link("Home") }} {{ link("A & B", to="/ab") }}`, nil)
	show(template.Options{Globals: map[string]any{"link": link}}, `{{ link("Home", href="/") }}`, nil)
	// Output:
	// <a href='/'>Home</a> <a href='/ab'>A &amp; B</a>
	// template: <inline>:1:4: link() got an unexpected keyword argument 'href'
}

func ExampleTemplate_AppendBlock() {
	engine, err := template.New(template.Options{Loader: template.Map(map[string]string{
		"page.html": `<html>{% set unit = "items" %}{% block cart %}<p>{{ n }} {{ unit }}</p>{% endblock %}</html>`,
	})})
	if err != nil {
		fmt.Println(err)
		return
	}
	page, err := engine.Get("page.html")
	if err != nil {
		fmt.Println(err)
		return
	}
	part, err := page.AppendBlock(nil, "cart", template.Execution{Data: map[string]any{"n": 3}})
	fmt.Println(string(part), err)
	// Output: <p>3 items</p> <nil>
}

func ExampleError() {
	engine, err := template.New(template.Options{Loader: template.Map(map[string]string{
		"page.html": "<h1>{{ title }}</h1>\n{% include \"part.html\" %}",
		"part.html": "\n{{ user.name }}",
	})})
	if err != nil {
		fmt.Println(err)
		return
	}
	page, err := engine.Get("page.html")
	if err != nil {
		fmt.Println(err)
		return
	}
	err = page.Execute(os.Stdout, template.Execution{})
	fmt.Println(err)
	var te *template.Error
	if errors.As(err, &te) {
		fmt.Println(te.Kind, te.Name, te.Line, "from", te.Trail[0].Name, te.Trail[0].Line)
	}
	// Output:
	// template: part.html:2:4: 'user' is undefined
	// undefined part.html 2 from page.html 2
}

// german is a translator with a catalogue of its own.
type german map[string]string

func (g german) Gettext(_ context.Context, m string) string {
	if s, ok := g[m]; ok {
		return s
	}
	return m
}

func (g german) NGettext(ctx context.Context, one, many string, n int) string {
	if n == 1 {
		return g.Gettext(ctx, one)
	}
	return g.Gettext(ctx, many)
}

func (g german) PGettext(ctx context.Context, _, m string) string { return g.Gettext(ctx, m) }

func (g german) NPGettext(ctx context.Context, _, one, many string, n int) string {
	return g.NGettext(ctx, one, many, n)
}

func ExampleTranslator() {
	o := template.Options{
		Extensions: template.Extensions{I18n: true},
		NewStyle:   true,
		Translator: german{"Hello %(user)s!": "Hallo %(user)s!", "%(n)s posts": "%(n)s Beiträge"},
	}
	show(o, `{% trans user="A&B" %}Hello {{ user }}!{% endtrans %} {% trans n=3 %}{{ n }} post{% pluralize %}{{ n }} posts{% endtrans %}`, nil)
	show(o, `{{ _("Hello %(user)s!", user="Ada") }}`, nil)
	// Output:
	// Hallo A&amp;B! 3 Beiträge
	// Hallo Ada!
}

func ExampleDict() {
	d := template.NewDict()
	d.Set("b", 1)
	d.Set("a", 2)
	show(template.Options{}, `{% set _ = d.update(c=3) %}{{ d|join(" ") }}`, map[string]any{"d": d})
	// Output: b a c
}

func ExampleTemplate_Stream() {
	engine, err := template.New(template.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	page, err := engine.FromString("{% for n in numbers %}{{ n }}\n{% endfor %}")
	if err != nil {
		fmt.Println(err)
		return
	}
	numbers := iter.Seq[int](func(yield func(int) bool) {
		for n := range 1_000_000 {
			if !yield(n) {
				return
			}
		}
	})
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	written, err := page.Stream(io.Discard, template.Execution{Context: ctx, Data: map[string]any{"numbers": numbers}})
	fmt.Println(written, err)
	// Output: 6888890 <nil>
}
