package template_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/retort-web/retort/template"
)

type checkedAuthor struct{ Name string }

func (a *checkedAuthor) AbsoluteURL() string { return "/" }

func (a *checkedAuthor) Posts(context.Context) ([]*checkedPost, error) {
	return nil, errors.New("never called")
}

type checkedPost struct {
	Title     string
	Published *time.Time
	Author    *checkedAuthor
	Tags      []string
	Extra     map[string]any
	Counts    map[string]checkedAuthor
	Any       any
}

type checkedPage struct {
	Posts []*checkedPost
	Post  checkedPost
	Later iter.Seq2[string, checkedPost]
	Title string
}

func check(t *testing.T, files map[string]string, o template.CheckOptions) []string {
	t.Helper()
	e, err := template.New(template.Options{Loader: template.Map(files), Contextual: true, Globals: map[string]any{"site": &checkedAuthor{}}})
	if err != nil {
		t.Fatal(err)
	}
	problems, err := e.Check(o)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, p := range problems {
		s := p.String()
		if p.Warning {
			s = "warning " + s
		}
		out = append(out, s)
		if p.Line > 0 && !strings.Contains(p.Excerpt, "^") {
			t.Errorf("%s has no excerpt: %q", p, p.Excerpt)
		}
	}
	return out
}

func TestCheckReferences(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		files map[string]string
		want  []string
	}{
		"all errors of all files": {
			map[string]string{"a.html": "{{ x|upperr }}\n{% if %}{% endif %}\n{{ y|lowerr }}", "b.html": "{% for %}"},
			[]string{
				"a.html:1:6: no filter named 'upperr'; did you mean 'upper'?",
				"a.html:2:7: expected an expression, got end of statement block",
				"a.html:3:6: no filter named 'lowerr'; did you mean 'lower'?",
			},
		},
		"missing templates": {
			map[string]string{"list.html": "", "a.html": `{% include "lst.html" %}{% import "none.html" as n %}{% from "none.html" import x %}{% include ["p.html", "q.html"] %}{% include "gone" ignore missing %}{% include name %}{% include ["no.html", "list.html"] %}`, "b.html": `{% extends "lisst.html" %}`},
			[]string{
				"a.html:1:4: template 'lst.html' not found; did you mean 'list.html'?",
				"a.html:1:28: template 'none.html' not found",
				"a.html:1:57: template 'none.html' not found",
				"a.html:1:88: none of the templates exists: p.html, q.html",
				"b.html:1:4: template 'lisst.html' not found; did you mean 'list.html'?",
			},
		},
		"in conditions": {
			map[string]string{"a.html": `{% if x|upperr %}{% endif %}{{ 1 if y is odder }}`},
			[]string{
				"warning a.html:1:9: no filter named 'upperr'; did you mean 'upper'? (an error if this is run)",
				"warning a.html:1:39: no test named 'odder'; did you mean 'odd'? (an error if this is run)",
			},
		},
		"exports": {
			map[string]string{
				"m.html": `{% macro field(x) %}{% endmacro %}{% set size, kind = 1, 2 %}`,
				"a.html": `{% import "m.html" as m %}{% from "m.html" import feild, size %}{{ m.field(1) }}{{ m.filed(1) }}{{ m.kind }}`,
				"b.html": `{% import "m.html" as m %}{% for m in x %}{{ m.anything }}{% endfor %}`,
			},
			[]string{
				"warning a.html:1:30: the template 'm.html' does not export 'feild'; did you mean 'field'?",
				"warning a.html:1:84: the template 'm.html' does not export 'filed'; did you mean 'field'?",
			},
		},
		"blocks": {
			map[string]string{
				"root.html": `{% block title %}{% endblock %}{% block content %}{% block inner %}{% endblock %}{% endblock %}`,
				"base.html": `{% extends "root.html" %}{% block content %}{% block added %}{% endblock %}{% endblock %}`,
				"page.html": `{% extends "base.html" %}{% block titel %}{% endblock %}{% block added %}{% block own %}{% endblock %}{% endblock %}{% block inner %}{% endblock %}`,
				"some.html": `{% extends which %}{% block whatever %}{% endblock %}`,
			},
			[]string{
				"warning page.html:1:29: no template that this one extends has a block 'titel', so it is not shown; did you mean 'title'?",
			},
		},
		"circles": {
			map[string]string{"a.html": `{% extends "b.html" %}{% include "a.html" %}`, "b.html": `{% extends "a.html" %}{% block x %}{% include "b.html" %}{% endblock %}`},
			nil,
		},
		"places": {
			map[string]string{
				"base.html": `<a title="{% block a %}{% endblock %}">`,
				"page.html": `{% extends "base.html" %}{% block a %}"{% endblock %}`,
				"part.js":   `x = "{{ y }}`,
				"part.html": `{{ y }}</script>`,
				"open.html": `<p class="{{ y }}`,
				"use.html":  `<script>{% include "part.js" %}</script><script>{% include "part.html" %}<script></script>`,
			},
			[]string{
				"open.html:1:1: the template ends inside an attribute; close it",
				"page.html:1:29: the block 'a' begins in an attribute, so it must end there too, but ends in a tag",
				"part.html:1:4: the template begins in a script, so it must end there too, but ends in text",
				"part.js:1:9: the template begins in a script, so it must end there too, but ends in a string of a script",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := check(t, c.files, template.CheckOptions{})
			if name == "all errors of all files" {
				got = slices.DeleteFunc(got, func(s string) bool { return strings.HasPrefix(s, "b.html") })
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("\n got %s\nwant %s", strings.Join(got, "\n     "), strings.Join(c.want, "\n     "))
			}
		})
	}
}

func TestCheckAttributes(t *testing.T) {
	t.Parallel()
	const lacks = "'template_test.checkedPost' has no attribute 'titel'; did you mean 'title'?"
	for source, want := range map[string]string{
		`{{ post.titel }}`:     lacks,
		`{{ posts[0].titel }}`: lacks,
		`{{ posts|first|attr("x") }}{{ (posts|first).titel }}`:                                     lacks,
		`{% for p in posts %}{{ p.titel }}{% endfor %}`:                                            lacks,
		`{% for p in posts|sort(attribute="titel")|reverse %}{% endfor %}`:                         lacks,
		`{{ posts|map(attribute="titel")|join }}`:                                                  lacks,
		`{{ posts|selectattr("titel")|list }}`:                                                     lacks,
		`{% for p in posts[1:] if p.titel %}{% endfor %}`:                                          lacks,
		`{% for k, p in later %}{{ p.titel }}{% endfor %}`:                                         lacks,
		`{% for p in posts %}{% for q in p.author.posts() %}{{ q.titel }}{% endfor %}{% endfor %}`: lacks,
		`{% set p = post %}{{ p.titel }}`:                                                          lacks,
		`{% with p = posts|last %}{{ p.titel }}{% endwith %}`:                                      lacks,
		`{% macro m() %}{{ post.titel }}{% endmacro %}`:                                            lacks,
		`{{ "x" if post.titel }}`:                                                                  lacks,
		`{{ [post.titel, {"a": 1}] }}`:                                                             lacks,
		`{% include "part.html" %}`:                                                                lacks,
		`{{ post.author.nam }}`:                                                                    "'template_test.checkedAuthor' has no attribute 'nam'; did you mean 'name'?",
		`{{ site.nam }}`:                                                                           "'template_test.checkedAuthor' has no attribute 'nam'; did you mean 'name'?",
		`{{ post.counts.x.nam }}`:                                                                  "'template_test.checkedAuthor' has no attribute 'nam'; did you mean 'name'?",
		`{% for k, a in post.counts.items() %}{{ a.nam }}{% endfor %}`:                             "'template_test.checkedAuthor' has no attribute 'nam'; did you mean 'name'?",
		`{{ post.author.zzzzzzzz }}`:                                                               "'template_test.checkedAuthor' has no attribute 'zzzzzzzz'; it has absolute_url, name, posts",
		`{{ psots }}`:                                                                              "nothing is known of a variable 'psots'; did you mean 'posts'?",

		`{% macro m(p) %}{{ p.titel }}{% endmacro %}{{ m(post) }}{{ m(other) }}{{ m(p=posts[0]) }}`: lacks,
		`{% import "m.html" as m %}{{ m.card(posts|first) }}`:                                       lacks,
		`{% from "m.html" import card as c %}{% call c(post) %}{{ post.title }}{% endcall %}`:       lacks,

		// No false alarms.
		`{% from "m.html" import card %}{{ card(other) }}{{ card(site, kind=post) }}`:                                       "'template_test.checkedAuthor' has no attribute 'titel'; it has absolute_url, name, posts",
		`{{ post.titel is defined }}{{ post.titel|default("x") }}{% if post.titel is defined %}{{ post.titel }}{% endif %}`: "",
		`{{ post.published.year }}{{ post.published.strftime("%Y") }}{{ post.tags.append }}{{ post.title.upper() }}`:        "",
		`{{ post.extra.anything.more }}{{ post.any.thing }}{{ post.author.absolute_url() }}{{ post.Author.Name }}`:          "",
		`{% for post in other %}{{ post.titel }}{% endfor %}`:                                                               "",
		`{% set post = other %}{{ post.titel }}`:                                                                            "",
		`{% if x %}{% set post = other %}{% endif %}{{ post.titel }}`:                                                       "",
		`{% macro m(post) %}{{ post.titel }}{% endmacro %}`:                                                                 "",
		`{% for x in posts %}{{ loop.index }}{{ loop.previtem.titel }}{% endfor %}`:                                         "",
		`{{ something_else }}{{ request.path }}{% for p in posts recursive %}{{ p.titel }}{{ loop(p.x) }}{% endfor %}`:      "",
		`{% for p in posts %}{{ p.title }}{{ p.author.posts()|length }}{% else %}{{ title }}{% endfor %}`:                   "",
		`{{ (post or other).titel }}{{ posts|groupby("title") }}{{ posts|map(attribute="titel", default="") }}`:             "",
	} {
		t.Run(source, func(t *testing.T) {
			t.Parallel()
			got := check(t, map[string]string{
				"page.html": source, "part.html": `{{ post.titel }}`, "unused.html": `{{ post.titel }}`,
				"m.html": `{% macro inner(p) %}{{ p.titel }}{% if kind %}{{ inner(p) }}{% endif %}{% endmacro %}{% macro card(p, kind="x") %}{{ inner(p) }}{{ caller() if caller }}{% endmacro %}`,
			}, template.CheckOptions{Data: map[string]any{"page.html": (*checkedPage)(nil)}, Globals: map[string]any{"request": nil}})
			if want == "" && len(got) == 0 {
				return
			}
			if len(got) != 1 || want == "" || !strings.HasSuffix(got[0], ": "+want) {
				t.Errorf("got  %q\nwant %q", got, want)
			}
		})
	}
}

func TestCheckPagesWithData(t *testing.T) {
	t.Parallel()
	got := check(t, map[string]string{
		"base.html": `<title>{% block title %}{{ tilte }}{% endblock %}</title>{{ title }}{% block body %}{{ post.titel }}{% endblock %}`,
		"page.html": `{% extends "base.html" %}{% block body %}{{ posts[0].autor }}{% endblock %}`,
	}, template.CheckOptions{Data: map[string]any{
		"page.html": map[string]any{"posts": []checkedPost(nil), "title": "", "post": checkedPost{}}, "pgae.html": nil,
	}})
	want := []string{
		"warning base.html:1:28: nothing is known of a variable 'tilte'; did you mean 'title'?",
		"page.html:1:52: 'template_test.checkedPost' has no attribute 'autor'; did you mean 'author'?",
		"pgae.html: there is data for the template 'pgae.html', which does not exist; did you mean 'page.html'?",
	}
	if !slices.Equal(got, want) {
		t.Errorf("\n got %s\nwant %s", strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
}

func TestMeta(t *testing.T) {
	t.Parallel()
	e, err := template.New(template.Options{})
	if err != nil {
		t.Fatal(err)
	}
	tpl, err := e.FromString(`{% extends base %}{% set foo = 42 %}{% import "m.html" as m %}{% from "m.html" import x %}
{% include ["a.html", "b.html"] %}{{ bar + foo }}{% for i in range(n) %}{{ i }}{{ loop.index }}{% endfor %}
{% macro mac(p) %}{{ p }}{{ q }}{{ caller() }}{% endmacro %}{% block b %}{{ r }}{{ self.b() }}{{ foo }}{% endblock %}{{ m.y(x) }}`)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := tpl.Variables(), []string{"bar", "base", "foo", "n", "q", "r"}; !slices.Equal(got, want) {
		t.Errorf("variables %q, not %q", got, want)
	}
	names, dynamic := tpl.References()
	if want := []string{"m.html", "a.html", "b.html"}; !slices.Equal(names, want) || !dynamic {
		t.Errorf("references %q %v, not %q", names, dynamic, want)
	}
}
