package template

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// allErrors compiles a template and lists the places and texts of its errors.
func allErrors(t *testing.T, o Options, src string) []string {
	t.Helper()
	_, err := mustEngine(t, o).FromString(src)
	if err == nil {
		return nil
	}
	var te *Error
	if !errors.As(err, &te) || te.Kind != Syntax {
		t.Fatalf("%v is no syntax error", err)
	}
	first := *te
	first.More = nil
	list := []string{strings.TrimPrefix(first.Error(), "template: <inline>:")}
	for _, m := range te.More {
		list = append(list, strings.TrimPrefix(m.Error(), "template: <inline>:"))
	}
	return list
}

func TestAllSyntaxErrorsAtOnce(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, src string
		want      []string
	}{
		{"none", "{{ a }}", nil},
		{"two prints", "{{ a b }}\n{{ c| }}", []string{
			"1:6: expected end of print statement, got 'b'",
			"2:7: expected a name, got end of print statement",
		}},
		{"the body of a broken loop is read", "{% for x on xs %}{{ x..y }}{% endfor %}\n{{ z z }}", []string{
			"1:10: expected 'in', got 'on'",
			"1:23: expected a name or a number after the point, got '.'",
			"2:6: expected end of print statement, got 'z'",
		}},
		{"else of a broken condition", "{% if %}a{% elif b %}c{% else %}d{% endif %}{{ }}", []string{
			"1:7: expected an expression, got end of statement block",
			"1:48: expected an expression, got end of print statement",
		}},
		{"only the unclosed tag is reported", "{% for x in y %}{% if x %}{% endfor %}", []string{
			"1:30: unknown tag 'endfor'; the innermost open tag is the 'if' of line 1, which needs 'elif' or 'else' or 'endif'",
		}},
		{"unknown tags with a body", "{% cahce 1 %}{{ a b }}{% endcahce %}", []string{
			"1:4: unknown tag 'cahce'",
			"1:19: expected end of print statement, got 'b'",
		}},
		{"words and characters", "{{ a ? b }}{{ c }}{{ 'd }}\n{{ e|uper }}{{ f is strng }}", []string{
			"1:6: unexpected character '?'",
			"1:22: unexpected character '\\'': the string is not closed",
			"2:6: no filter named 'uper'; did you mean 'upper'?",
			"2:18: no test named 'strng'; did you mean 'string'?",
		}},
		{"an unclosed comment", "{{ a b }}{# c", []string{
			"1:6: expected end of print statement, got 'b'",
			"1:12: missing end of comment tag",
		}},
		{"blocks defined twice", "{% block a %}{% endblock %}{% block a %}{{ x|no }}{% endblock %}{% block a %}{% endblock %}", []string{
			"1:31: block 'a' defined twice",
			"1:68: block 'a' defined twice",
		}},
		{"columns count characters", "äöü€ {{ 1 2 }}", []string{"1:11: expected end of print statement, got '2'"}},
		{"arguments of filters as in Django", "{{ a|date:'Y' }}{% if b|default:1 %}{% endif %}{{ {'k'|upper: 1}['K'] }}{{ 'ab'[a|int:2] }}", []string{
			"1:10: expected end of print statement, got ':'; the arguments of a filter stand in parentheses: date(…)",
			"1:33: expected end of statement block, got '1'; the arguments of a filter stand in parentheses: default(…)",
		}},
		{"newlines of all kinds", "a\r\nb\rc\n {{ 1 2 }}", []string{"4:7: expected end of print statement, got '2'"}},
		{"assignments without a body", "{% set a b = 1 %}{% set c d %}{% endset %}{{ 1 2 }}", []string{
			"1:10: expected end of statement block, got 'b'",
			"1:27: expected end of statement block, got 'd'",
			"1:48: expected end of print statement, got '2'",
		}},
	} {
		if diff := cmp.Diff(c.want, allErrors(t, Options{}, c.src)); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", c.name, diff)
		}
	}
	if got := allErrors(t, Options{}, strings.Repeat("{{ a b }}", 10000)); len(got) != maxSyntaxErrors {
		t.Errorf("%d errors are reported", len(got))
	}
}

func TestErrorExplains(t *testing.T) {
	t.Parallel()
	e := mustEngine(t, Options{Loader: Map(map[string]string{
		"base.html": "<title>{% block title %}{% endblock %}</title>\n{% block body %}{% endblock %}\n",
		"page.html": "{% extends 'base.html' %}\n{% block body %}\n\t{% include 'part.html' %}{% endblock %}",
		"part.html": "<p>\n\t<b>{{ article.titel.upper() }}</b>\n</p>",
		"two.html":  "{{ a b }}\n{{ c|uper }}",
	})})
	explain := func(name string) string {
		tpl, err := e.Get(name)
		if err == nil {
			_, err = tpl.Append(nil, Execution{Data: map[string]any{"article": exampleArticle()}})
		}
		var te *Error
		if !errors.As(err, &te) {
			t.Fatal(err)
		}
		return te.Explain()
	}
	want := `template: part.html:2:16: 'template.article object' has no attribute 'titel'; did you mean 'title'?
1 | <p>
2 | 	<b>{{ article.titel.upper() }}</b>
  | 	              ^
  reached from page.html:3:5
  reached from base.html:2:4
  reached from page.html:1:4
`
	if diff := cmp.Diff(want, explain("page.html")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	want = `template: two.html:1:6: expected end of print statement, got 'b'
1 | {{ a b }}
  |      ^

template: two.html:2:6: no filter named 'uper'; did you mean 'upper'?
1 | {{ a b }}
2 | {{ c|uper }}
  |      ^
`
	if diff := cmp.Diff(want, explain("two.html")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestExcerptOfLongAndStrangeLines(t *testing.T) {
	t.Parallel()
	src := strings.Repeat("é", 3000) + "{{ a b }}\x00\xff" + strings.Repeat("z", 3000)
	_, err := mustEngine(t, Options{}).FromString(src)
	var te *Error
	if !errors.As(err, &te) {
		t.Fatal(err)
	}
	lines := strings.Split(te.Excerpt(), "\n")
	if len(lines) != 3 || len([]rune(lines[0])) > maxExcerptWidth+10 || strings.ContainsAny(lines[0], "\x00") {
		t.Fatalf("the excerpt is %q", lines)
	}
	caret := strings.IndexByte(lines[1], '^')
	if got := []rune(lines[0])[caret]; got != 'b' {
		t.Errorf("the caret is under %q: %q", got, lines)
	}
}

func TestSuggestions(t *testing.T) {
	t.Parallel()
	data := map[string]any{
		"article": exampleArticle(), "small": struct{ Red, Blue int }{}, "config": map[string]int{"debug": 1, "port": 2},
	}
	for _, c := range []struct{ name, src, want string }{
		{"variable of the data", "{{ artcle.title }}", "'artcle' is undefined; did you mean 'article'?"},
		{"variable of the template", "{% set total = 1 %}{{ totl.x }}", "'totl' is undefined; did you mean 'total'?"},
		{"global", "{{ rnage(3) }}", "'rnage' is undefined; did you mean 'range'?"},
		{"nothing near", "{{ qqqqqq.x }}", "'qqqqqq' is undefined"},
		{"field", "{{ article.titel.x }}", "has no attribute 'titel'; did you mean 'title'?"},
		{"method", "{{ article.absolute_ulr() }}", "has no attribute 'absolute_ulr'; did you mean 'absolute_url'?"},
		{"all of a small type", "{{ small.zzzzzzz.x }}", "has no attribute 'zzzzzzz'; it has blue, red"},
		{"loop of Django's", "{% for x in [1] %}{{ forloop.counter }}{% endfor %}", "'forloop' is undefined; the variable of a loop is 'loop' here: loop.index, loop.first"},
		{"block of Django's", "{% block a %}{{ block.super }}{% endblock %}", "'block' is undefined; what the parent has in a block is super() here"},
		{"key of a map", "{{ config.prot.x }}", "has no attribute 'prot'; did you mean 'port'?"},
		{"key of a dict", "{% set d = {'colour': 1} %}{{ d.color.x }}", "has no attribute 'color'; did you mean 'colour'?"},
	} {
		_, err := renderInline(t, Options{Extensions: Extensions{Django: true}}, c.src, data)
		if err == nil || !strings.HasSuffix(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
}

// Whatever leads to an error is told, from the inside out.
func TestTrailOfAnError(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"fails.html":   "\n {{ missing.x }}",
		"include.html": "a\n{% include 'fails.html' %}",
		"macros.html":  "{% macro outer() %}\n{{ inner() }}{% endmacro %}\n{% macro inner() %}{{ missing.x }}{% endmacro %}",
		"import.html":  "{% from 'macros.html' import outer %}\n\n  {{ outer() }}",
		"top.html":     "{% include 'include.html' %}{% block body %}\n{% endblock %}",
		"base.html":    "<{% block body %}\n{{ missing.x }}{% endblock %}>",
		"child.html":   "{% extends 'base.html' %}\n{% block body %}\n{{ super() }}{% endblock %}",
		"call.html":    "{% macro box() %}<b>{{ caller() }}</b>{% endmacro %}\n{% call box() %}\n{{ missing.x }}{% endcall %}",
		"loop.html":    "{% for x in [[1]] recursive %}{% if x is number %}{{ missing.x }}{% else %}\n{{ loop(x) }}{% endif %}{% endfor %}",
		"tag.html":     "{% panel %}\n{{ missing.x }}{% endpanel %}",
		"go.html":      "{{ 1 }}\n{{ 'x'|fail }}",
		"method.html":  "{{ thing.Broken() }}",
		"syntax.html":  "{{ 1 }}\n{% include 'wrong.html' %}",
		"wrong.html":   "{{ a\nb }}",
		"gone.html":    "{% include 'lost.html' %}",
	}
	e := mustEngine(t, Options{
		Loader:  Map(files),
		Filters: map[string]any{"fail": func(string) (string, error) { return "", errors.New("no luck") }},
		Tags:    map[string]Tag{"panel": BlockTag(func(body Safe) Safe { return body })},
	})
	for name, want := range map[string]string{
		"include.html": "fails.html:2:5 'missing' is undefined < include.html:2:4",
		"top.html":     "fails.html:2:5 'missing' is undefined < include.html:2:4 < top.html:1:4",
		"import.html":  "macros.html:3:23 'missing' is undefined < macros.html:2:4 < import.html:3:6",
		"child.html":   "base.html:2:4 'missing' is undefined < child.html:3:4 < base.html:1:5 < child.html:1:4",
		"call.html":    "call.html:3:4 'missing' is undefined < call.html:1:24 < call.html:2:9",
		"loop.html":    "loop.html:1:54 'missing' is undefined",
		"tag.html":     "tag.html:2:4 'missing' is undefined < tag.html:1:4",
		"go.html":      "go.html:2:8 fail(): no luck",
		"method.html":  "method.html:1:10 Broken(): out of order",
		"syntax.html":  "wrong.html:2:1 expected end of print statement, got 'b' < syntax.html:2:4",
		"gone.html":    "gone.html:1:4 template 'lost.html' not found; did you mean",
	} {
		tpl, err := e.Get(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		_, err = tpl.Append(nil, Execution{Data: map[string]any{"thing": brokenThing{}}})
		var te *Error
		if !errors.As(err, &te) {
			t.Errorf("%s: got %v", name, err)
			continue
		}
		got := te.Place().String() + " " + te.Message
		for _, p := range te.Trail {
			got += " < " + p.String()
		}
		if !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
		if !strings.Contains(te.Excerpt(), "^") {
			t.Errorf("%s: no caret in %q", name, te.Excerpt())
		}
	}
}

type brokenThing struct{}

func (brokenThing) Broken() (string, error) { return "", errors.New("out of order") }
