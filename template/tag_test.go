package template_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/retort-web/retort/template"
)

type badgeOptions struct {
	template.Keywords
	Kind   string `default:"info"`
	Size   int    `default:"2"`
	Upper  bool
	LinkTo string  `name:"href"`
	Ratio  float64 `default:"0.5"`
}

func ExampleOptions_functions() {
	engine, err := template.New(template.Options{
		Filters: map[string]any{
			"repeat": func(s string, n int) (string, error) {
				if n > 9 {
					return "", errors.New("too often")
				}
				return strings.Repeat(s, n), nil
			},
			"badge": func(s string, o badgeOptions) template.Safe {
				return template.Safe(fmt.Sprintf(`<b class="%s-%d">%s</b>`, template.Escape(o.Kind), o.Size, template.Escape(s)))
			},
		},
		Tests: map[string]any{"one_of": func(s string, words ...string) bool {
			for _, w := range words {
				if w == s {
					return true
				}
			}
			return false
		}},
		Globals: map[string]any{"greet": func(ctx context.Context, c *template.Call, name string) string {
			return fmt.Sprint("Hello, ", name, " ", c.Autoescape(), ctx != nil)
		}},
	})
	if err != nil {
		panic(err)
	}
	page, err := engine.FromString(`{{ "ab"|repeat(2) }} {{ "<new>"|badge(kind="warn") }} {{ "x" is one_of("y", "x") }} {{ greet("Ann") }}`)
	if err != nil {
		panic(err)
	}
	out, err := page.Append(nil, template.Execution{})
	fmt.Println(string(out), err)
	// Output: abab <b class="warn-2">&lt;new&gt;</b> True Hello, Ann true true <nil>
}

func ExampleTag() {
	engine, err := template.New(template.Options{
		Loader: template.Map(map[string]string{"menu.html": "<ul>{% for i in items %}<li>{{ i }}</li>{% endfor %}</ul>"}),
		Tags: map[string]template.Tag{
			"version": template.SimpleTag(func(part string) string { return part + " < 2" }),
			"panel": template.BlockTag(func(body template.Safe, title string) template.Safe {
				return "<section><h2>" + template.Escape(title) + "</h2>" + body + "</section>"
			}),
			"twice": template.BlockTag(func(body func() (template.Safe, error)) (template.Safe, error) {
				first, err := body()
				if err != nil {
					return "", err
				}
				second, err := body()
				return first + second, err
			}),
			"menu": template.InclusionTag("menu.html", func(items ...string) map[string]any { return map[string]any{"items": items} }),
		},
	})
	if err != nil {
		panic(err)
	}
	page, err := engine.FromString(`{% version "core" %}
{% version "ui" as v %}{{ v|upper }}
{% panel user ~ "!" if false else "<Ann>" %}{% endpanel %}`)
	fmt.Println(page == nil, err != nil) // a longer expression stands in parentheses

	page, err = engine.FromString(`{% version "core" %}
{% version "ui" as v %}{{ v|upper }}
{% panel ("<" ~ user) %}{{ user }}{% endpanel %}
{% twice %}{{ counter.next() }}{% endtwice %}
{% menu "Home", "A & B" %}`)
	if err != nil {
		panic(err)
	}
	c, err := engine.Expression("cycler(1, 2)")
	if err != nil {
		panic(err)
	}
	counter, _ := c.Eval(template.Execution{})
	out, err := page.Append(nil, template.Execution{Data: map[string]any{"user": "Ann", "counter": counter}})
	fmt.Println(string(out), err)
	// Output:
	// true true
	// core &lt; 2
	// UI &lt; 2
	// <section><h2>&lt;Ann</h2>Ann</section>
	// 12
	// <ul><li>Home</li><li>A &amp; B</li></ul> <nil>
}

func TestFunctionsAreCheckedWhenRegistered(t *testing.T) {
	t.Parallel()
	type late struct {
		template.Keywords
		When time.Time `default:"now"`
	}
	type odd struct {
		template.Keywords
		C chan int
	}
	for _, c := range []struct {
		o    template.Options
		want string
	}{
		{template.Options{Filters: map[string]any{"x": 5}}, `the filter "x" must be a function, not int`},
		{template.Options{Filters: map[string]any{"x": func() string { return "" }}}, "must take the value as its first parameter"},
		{template.Options{Filters: map[string]any{"x": func(string) {}}}, "must give one result"},
		{template.Options{Filters: map[string]any{"x": func(string) (string, string) { return "", "" }}}, "must give one result"},
		{template.Options{Filters: map[string]any{"x": func(string, chan int) string { return "" }}}, "parameter 2 has type chan int"},
		{template.Options{Filters: map[string]any{"x": func(string, ...complex128) string { return "" }}}, "parameter 2 has type []complex128"},
		{template.Options{Filters: map[string]any{"x": func(string, context.Context) string { return "" }}}, "must come first"},
		{template.Options{Filters: map[string]any{"x": func(badgeOptions, string) string { return "" }}}, "must come last"},
		{template.Options{Filters: map[string]any{"x": func(string, late) string { return "" }}}, `the default "now" of template_test.late.When`},
		{template.Options{Filters: map[string]any{"x": func(string, odd) string { return "" }}}, "odd.C has type chan int"},
		{template.Options{Filters: map[string]any{"two words": strings.ToUpper}}, "a name that templates cannot write"},
		{template.Options{Tests: map[string]any{"x": strings.ToUpper}}, "must give a bool, not string"},
		{template.Options{Globals: map[string]any{"x": func(chan int) {}}}, `the global function "x"`},
		{template.Options{Tags: map[string]template.Tag{"x": {}}}, "must be made by SimpleTag"},
		{template.Options{Tags: map[string]template.Tag{"for": template.SimpleTag(func() int { return 1 })}}, "a tag of the language"},
		{template.Options{Tags: map[string]template.Tag{"x": template.BlockTag(func(int) int { return 1 })}}, "must be the body"},
		{template.Options{Tags: map[string]template.Tag{"x": template.InclusionTag("a", nil)}}, "must be a function"},
	} {
		if _, err := template.New(c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

func TestKeywordArguments(t *testing.T) {
	t.Parallel()
	type need struct {
		template.Keywords
		ID int `required:"true"`
	}
	engine, err := template.New(template.Options{Filters: map[string]any{
		"show": func(s string, o badgeOptions, more ...int) string {
			return fmt.Sprint(s, o.Kind, o.Size, o.Upper, o.LinkTo, o.Ratio, more)
		},
		"need": func(s string, o need) int { return o.ID },
	}})
	if err != nil {
		t.Fatal(err)
	}
	for src, want := range map[string]string{
		"{{ 'a'|show }}": "ainfo2false0.5[]",
		"{{ 'a'|show(1, 2, size=3, upper=true, href='/', ratio=1) }}": "ainfo3true/1[1 2]",
		"{{ 'a'|need(id=7) }}": "7",
	} {
		tpl, err := engine.FromString(src)
		if err != nil {
			t.Fatal(err)
		}
		if out, err := tpl.Append(nil, template.Execution{}); err != nil || strings.ReplaceAll(string(out), " ", "") != strings.ReplaceAll(want, " ", "") {
			t.Errorf("%s: got %s, %v", src, out, err)
		}
	}
	for src, want := range map[string]string{
		"{{ 'a'|show(colour=1) }}": "unexpected keyword argument 'colour'; it knows kind, size, upper, href, ratio",
		"{{ 'a'|show(size='x') }}": "show(): argument 'size': cannot use str as int",
		"{{ 'a'|need }}":           "needs the keyword argument 'id'",
		"{{ 'a'|need(1, id=1) }}":  "takes 1 arguments but 2 were given",
	} {
		tpl, err := engine.FromString(src)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tpl.Append(nil, template.Execution{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", src, err, want)
		}
	}
}

func TestErrorsInsideTagsKeepTheirPlace(t *testing.T) {
	t.Parallel()
	engine, err := template.New(template.Options{
		Loader: template.Map(map[string]string{"in.html": "\n{{ x.y }}"}),
		Tags: map[string]template.Tag{
			"lazy": template.BlockTag(func(body func() (template.Safe, error)) (template.Safe, error) { return body() }),
			"in":   template.InclusionTag("in.html", func() map[string]any { return nil }),
			"bad":  template.SimpleTag(func() (string, error) { return "", errors.New("no luck") }),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	for src, want := range map[string]string{
		"\n{% lazy %}\n{{ x.y }}{% endlazy %}": ":3", "{% in %}": "in.html:2", "\n{% bad %}": ":2",
		"{% lazy %}{{ y }}{% endlazy %}{% nolazy %}": "unknown tag 'nolazy'",
	} {
		tpl, err := engine.FromString(src)
		if err == nil {
			_, err = tpl.Append(nil, template.Execution{})
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", src, err, want)
		}
	}
}
