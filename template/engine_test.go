package template

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"
)

func mustEngine(t testing.TB, o Options) *Engine {
	t.Helper()
	e, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestGetAndSelect(t *testing.T) {
	t.Parallel()
	e := mustEngine(t, Options{Loader: Map(map[string]string{"list.html": "{{ x }}", "bad.html": "a\n{{ 1 + }}"})})
	first, err := e.Get("list.html")
	if err != nil {
		t.Fatal(err)
	}
	if second, _ := e.Get("list.html"); second != first {
		t.Error("the template is not cached")
	}
	_, err = e.Get("lsit.html")
	var te *Error
	if !errors.As(err, &te) || te.Kind != NotFound || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want not found", err)
	}
	if !strings.Contains(err.Error(), "did you mean 'list.html'?") {
		t.Errorf("no suggestion in %v", err)
	}
	if got, err := e.Select("nope.html", "list.html"); err != nil || got != first {
		t.Errorf("Select gave %v, %v", got, err)
	}
	if _, err := e.Select("nope.html", "bad.html", "list.html"); !errors.As(err, &te) || te.Kind != Syntax {
		t.Errorf("a broken template was passed over: %v", err)
	}
	if _, err := e.Select("x", "y"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	names, err := e.Names()
	if err != nil || !slices.Equal(names, []string{"bad.html", "list.html"}) {
		t.Errorf("Names gave %v, %v", names, err)
	}
	if _, err := mustEngine(t, Options{}).Get("x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a loader: %v", err)
	}
}

func TestErrorsNameTheirPlace(t *testing.T) {
	t.Parallel()
	e := mustEngine(t, Options{Loader: Map(map[string]string{
		"page.html":   "{% extends 'base.html' %}\n{% block a %}\n{% include 'part.html' %}{% endblock %}",
		"base.html":   "<h1>\n{% block a %}{% endblock %}",
		"part.html":   "ok\n\n{{ missing.x }}",
		"syntax.html": "a\n{% if x %}\nb",
		"macro.html":  "{% macro m() %}\n{{ 1 // 0 }}{% endmacro %}\n\n{{ m() }}",
		"lost.html":   "\n{% include 'pagee.html' %}",
		"broken.html": "\n\n{% include 'syntax.html' %}",
		"after.html":  "{% macro m() %}\nx{% endmacro %}\n\n{{ m() + 1 }}",
	})})
	for _, c := range []struct {
		name, at, message string
		line              int
		kind              Kind
	}{
		{"page.html", "part.html", "'missing' is undefined", 3, Undefined},
		{"syntax.html", "syntax.html", "needs 'elif' or 'else' or 'endif'", 3, Syntax},
		{"macro.html", "macro.html", "by zero", 2, Runtime},
		{"lost.html", "lost.html", "template 'pagee.html' not found; did you mean 'page.html'?", 2, NotFound},
		{"broken.html", "syntax.html", "needs 'elif'", 3, Syntax},
		{"after.html", "after.html", "unsupported operand", 4, Runtime},
	} {
		tpl, err := e.Get(c.name)
		if err == nil {
			_, err = tpl.Append(nil, Execution{})
		}
		var located interface {
			TemplateLocation() (name, path string, line int)
		}
		if !errors.As(err, &located) {
			t.Errorf("%s: %v has no location", c.name, err)
			continue
		}
		name, path, line := located.TemplateLocation()
		if name != c.at || path != c.at || line != c.line {
			t.Errorf("%s: error at %s:%d (%s), want %s:%d", c.name, name, line, path, c.at, c.line)
		}
		var te *Error
		if errors.As(err, &te); te.Kind != c.kind || !strings.Contains(err.Error(), c.message) {
			t.Errorf("%s: got %s %v", c.name, te.Kind, err)
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: the error is more than one line", c.name)
		}
	}
	tpl, err := e.Get("page.html")
	if err != nil {
		t.Fatal(err)
	}
	_, err = tpl.Append(nil, Execution{})
	var te *Error
	if !errors.As(err, &te) || len(te.Trail) != 3 || te.Trail[0] != (Place{"page.html", "page.html", 3, 4}) {
		t.Errorf("the trail is %v", te.Trail)
	}
}

func TestNothingIsWrittenOnFailure(t *testing.T) {
	t.Parallel()
	e := mustEngine(t, Options{})
	tpl, err := e.FromString("a lot of text{{ 1 // 0 }}")
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	if err := tpl.Execute(&buf, Execution{}); err == nil || buf.Len() > 0 {
		t.Errorf("wrote %q, error %v", buf.String(), err)
	}
	dst := []byte("kept")
	if out, err := tpl.Append(dst, Execution{}); err == nil || string(out) != "kept" {
		t.Errorf("Append gave %q, %v", out, err)
	}
}

func TestAutoescapeGoesByName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"": true, "a.html": true, "a.HTM": true, "x/y.xml": true, "a.xhtml": true, "a.svg": true,
		"a.txt": false, "html": false, "a.html.txt": false, "mail.md": false,
	} {
		if got := AutoescapeHTML(name); got != want {
			t.Errorf("AutoescapeHTML(%q) = %v", name, got)
		}
	}
}

func TestBlocks(t *testing.T) {
	t.Parallel()
	e := mustEngine(t, Options{Loader: Map(map[string]string{
		"side.html":  "{{ once() }}",
		"base.html":  "<main>{{ once() }}{% include 'side.html' %}{% for i in [1] %}{{ once() }}{% endfor %}{% block list %}base{% endblock %}{% block foot %}foot{% endblock %}</main>",
		"forms.html": "{% macro field(n) %}<input name={{ n }}>{% endmacro %}",
		"list.html": "{% extends 'base.html' %}{% import 'forms.html' as forms %}{% set title = 'T' %}" +
			"{% block list %}{{ title }}{{ super() }}{{ forms.field(x) }}{% block row %}[{{ x }}]{% endblock %}{% endblock %}",
	})})
	tpl, err := e.Get("list.html")
	if err != nil {
		t.Fatal(err)
	}
	if got := tpl.Blocks(); !slices.Equal(got, []string{"list", "row"}) {
		t.Errorf("Blocks = %v", got)
	}
	once := func() (string, error) { return "", errors.New("the rest of the page was rendered") }
	data := Execution{Data: map[string]any{"x": "<", "once": once}}
	for name, want := range map[string]string{
		"list": "Tbase<input name=&lt;>[&lt;]", "row": "[&lt;]", "foot": "foot",
	} {
		if got, err := tpl.AppendBlock([]byte(">"), name, data); err != nil || string(got) != ">"+want {
			t.Errorf("block %s: %q, %v, want %q", name, got, err, want)
		}
	}
	_, err = tpl.AppendBlock(nil, "nope", data)
	var te *Error
	if !errors.As(err, &te) || te.Kind != NotFound {
		t.Errorf("missing block: %v", err)
	}
}

func TestExecutionGlobals(t *testing.T) {
	t.Parallel()
	e := mustEngine(t, Options{
		Loader:  Map(map[string]string{"lib": "{% macro m() %}{{ who }}{{ site }}{{ data is defined }}{% endmacro %}"}),
		Globals: map[string]any{"site": "engine", "who": "engine", "x": "engine"},
	})
	tpl, err := e.FromString("{% import 'lib' as lib %}{{ lib.m() }} {{ x }} {{ site }}")
	if err != nil {
		t.Fatal(err)
	}
	out, err := tpl.Append(nil, Execution{
		Data:    map[string]any{"x": "data", "data": 1},
		Globals: func(name string) (any, bool) { return "request", name == "who" || name == "x" },
	})
	if want := "requestengineFalse data engine"; err != nil || string(out) != want {
		t.Errorf("got %q, %v, want %q", out, err, want)
	}
}

func TestCustomFunctions(t *testing.T) {
	t.Parallel()
	o := Options{
		Filters: map[string]any{
			"shout": func(s string) string { return strings.ToUpper(s) + "!" },
			"times": func(s string, n int) (string, error) {
				if n < 0 {
					return "", errors.New("negative")
				}
				return strings.Repeat(s, n), nil
			},
			"bold":  func(s string) Safe { return "<b>" + Escape(s) + "</b>" },
			"upper": func(s string) string { return "replaced" },
			"kw": Func(func(c *Call) (any, error) {
				a, err := c.Bind("value", "sep?")
				if err != nil {
					return nil, err
				}
				return fmt.Sprint(a[0], a[1], c.Autoescape()), nil
			}),
		},
		Tests: map[string]any{"long": func(s string, n int) bool { return len(s) > n }},
	}
	wantRender(t, o, "{{ 'a'|shout }} {{ 'ab'|times(2) }} {{ '<'|bold }} {{ 'x'|upper }} {{ 'abc' is long(2) }}", nil, "A! abab <b>&lt;</b> replaced True")
	wantRender(t, o, "{{ 'v'|kw(sep='-') }} {{ ['a', 'b']|map('shout')|join }} {{ ['a', 'abc']|select('long', 1)|first }}", nil, "v-true A!B! abc")
	wantError(t, o, "{{ 'a'|times(-1) }}", nil, Runtime, "times(): negative")
	wantError(t, o, "{{ 'a'|times }}", nil, Runtime, "takes 2 arguments")
	wantError(t, o, "{{ 'a'|kw(other=1) }}", nil, Runtime, "unexpected keyword argument 'other'")
	wantError(t, o, "{{ 'a'|shuot }}", nil, Syntax, "did you mean 'shout'?")
	wantError(t, o, "{% fro x in y %}", nil, Syntax, "did you mean 'for'?")
	for _, bad := range []any{nil, 5, func() {}, func() string { return "" }, Func(nil)} {
		if _, err := New(Options{Filters: map[string]any{"f": bad}}); err == nil {
			t.Errorf("a filter of type %T was accepted", bad)
		}
	}
}

func TestLoaders(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{"a.html": {Data: []byte("A")}, "sub/b.html": {Data: []byte("B")}, "secret": {Data: []byte("S")}}
	blog := FS(files)
	prefixed := Prefix(map[string]Loader{"blog": blog, "": Map(map[string]string{"x": "1"}), "blog/admin": Map(map[string]string{"a.html": "deep"})})
	both := Choice(Map(map[string]string{"a.html": "first"}), blog)
	for _, c := range []struct {
		loader     Loader
		name, want string
	}{
		{blog, "a.html", "A"},
		{blog, "sub/b.html", "B"},
		{both, "a.html", "first"},
		{both, "sub/b.html", "B"},
		{prefixed, "blog/a.html", "A"},
		{prefixed, "blog/sub/b.html", "B"},
		{prefixed, "blog/admin/a.html", "deep"},
	} {
		if src, err := c.loader.Load(c.name); err != nil || src.Text != c.want {
			t.Errorf("%s: got %q, %v", c.name, src.Text, err)
		}
	}
	for _, name := range []string{
		"../a.html", "/a.html", "sub/../a.html", "sub", "", ".", "a.html/", "./a.html", `sub\b.html`, "a.html\x00",
		"blog/../secret", "blog//secret", "blog/./secret", "blog", "other/a.html",
	} {
		for _, l := range []Loader{blog, prefixed, both} {
			if _, err := l.Load(name); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%q: got %v, want not exist", name, err)
			}
		}
	}
	names, err := prefixed.(Lister).Names()
	slices.Sort(names)
	if want := []string{"/x", "blog/a.html", "blog/admin/a.html", "blog/secret", "blog/sub/b.html"}; err != nil || !slices.Equal(names, want) {
		t.Errorf("Names = %v, %v", names, err)
	}
}

func TestAutoReload(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(s string, at time.Time) {
		t.Helper()
		file := filepath.Join(dir, "a.html")
		if err := os.WriteFile(file, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, at, at); err != nil {
			t.Fatal(err)
		}
	}
	start := time.Now().Add(-time.Hour)
	write("one", start)
	loader := FS(os.DirFS(dir))
	reload, keep := mustEngine(t, Options{Loader: loader, AutoReload: true}), mustEngine(t, Options{Loader: loader})
	show := func(e *Engine) string {
		t.Helper()
		tpl, err := e.Get("a.html")
		if err != nil {
			t.Fatal(err)
		}
		out, err := tpl.Append(nil, Execution{})
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	if show(reload) != "one" || show(keep) != "one" {
		t.Error("wrong text before the change")
	}
	write("two", start.Add(time.Second))
	if got := show(reload); got != "two" {
		t.Errorf("with AutoReload: %q", got)
	}
	if got := show(keep); got != "one" {
		t.Errorf("without AutoReload: %q", got)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, src string
		limits    Limits
		message   string
	}{
		{"output", "{% for i in range(1000) %}0123456789{% endfor %}", Limits{Output: 1000}, "output is too large"},
		{"output of a macro", "{% macro m() %}{% for i in range(1000) %}0123456789{% endfor %}{% endmacro %}{% set x = m() %}", Limits{Output: 1000}, "too large"},
		{"repeated string", "{{ 'ab' * 100000000000 }}", Limits{}, "too large"},
		{"doubled string", "{% set ns = namespace(s='ab') %}{% for i in range(100) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}", Limits{}, "too large"},
		{"doubled list", "{% set ns = namespace(s=[1]) %}{% for i in range(100) %}{% set ns.s = ns.s + ns.s %}{% endfor %}", Limits{}, "too long"},
		{"repeated list", "{{ [1, 2] * 10000000000 }}", Limits{}, "too long"},
		{"padding", "{{ 'a'|center(100000000000) }}", Limits{}, "too large"},
		{"indent", "{{ 'a'|indent(100000000000) }}", Limits{}, "too large"},
		{"replace grows", "{{ ('a' * 100000)|replace('a', 'b' * 100000) }}", Limits{}, "too large"},
		{"format width", "{{ '%100000000000d' % 1 }}", Limits{}, "too large"},
		{"brace width", "{{ '{:100000000000}'.format(1) }}", Limits{}, "too large"},
		{"range", "{% for i in range(2000000) %}{% endfor %}", Limits{}, "too long"},
		{"range as list", "{{ range(100000000000)|list }}", Limits{}, "too long"},
		{"batch fill", "{{ [1]|batch(100000000000, 0)|list }}", Limits{}, "too long"},
		{"slice fill", "{{ [1]|slice(100000000000)|list }}", Limits{}, "too long"},
		{"nested loops", "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}", Limits{Steps: 50000}, "too many steps"},
		{"endless sequence", "{% for i in endless %}{% endfor %}", Limits{Steps: 5000}, "too many steps"},
		{"endless sequence collected", "{{ endless|list }}", Limits{Items: 5000}, "too long"},
		{"list that grows while it is read", "{% set l = [1] %}{% for x in l %}{% set _ = l.append(1) %}{% endfor %}", Limits{Items: 5000}, "too long"},
		{"macro recursion", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", Limits{}, "recursion depth"},
		{"include recursion", "{% include 'self' %}", Limits{}, "recursion depth"},
		{"extends itself", "{% extends 'loop' %}", Limits{}, "recursion depth"},
		{"block recursion", "{% block a %}{{ self.a() }}{% endblock %}", Limits{}, "recursion depth"},
		{"import recursion", "{% import 'imports' as x %}", Limits{}, "recursion depth"},
		{"loop recursion", "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}", Limits{}, "recursion depth"},
		{"power", "{{ 10 ** 100000 }}", Limits{}, "too large"},
		{"power tower", "{{ 9 ** 99999 ** 9 }}", Limits{}, "too large"},
		{"digits", "{{ 2 ** 100000 }}", Limits{}, "too many digits"},
		{"nested data", "{% set ns = namespace(l=[]) %}{% for i in range(100000) %}{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l }}", Limits{}, "recursion depth"},
		{"nested data as JSON", "{% set ns = namespace(l=[]) %}{% for i in range(100000) %}{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l|tojson }}", Limits{}, "recursion depth"},
		{"nested data compared", "{% set ns = namespace(l=[], m=[]) %}{% for i in range(100000) %}{% set ns.l = [ns.l] %}{% set ns.m = [ns.m] %}{% endfor %}{{ ns.l == ns.m }}", Limits{}, "recursion depth"},
		{"list in itself as JSON", "{% set l = [] %}{% set _ = l.append(l) %}{{ l|tojson }}", Limits{}, "recursion depth"},
		{"dummy text", "{{ lipsum(100000000) }}", Limits{}, "too large"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := Options{Limits: c.limits, Loader: Map(map[string]string{
				"self": "{% include 'self' %}", "loop": "{% extends 'loop' %}", "imports": "{% import 'imports' as x %}",
			})}
			endless := func(yield func(int) bool) {
				for i := 0; yield(i); i++ {
				}
			}
			wantError(t, o, c.src, map[string]any{"endless": endless}, Runtime, c.message)
		})
	}
}

func TestDeepSourcesAreSyntaxErrors(t *testing.T) {
	t.Parallel()
	for _, src := range []string{
		"{{ " + strings.Repeat("(", 100000) + "1" + strings.Repeat(")", 100000) + " }}",
		"{{ " + strings.Repeat("[", 100000) + " }}",
		"{{ " + strings.Repeat("not ", 100000) + "1 }}",
		"{{ " + strings.Repeat("- ", 100000) + "1 }}",
		"{{ 1" + strings.Repeat(" + 1", 100000) + " }}",
		"{{ x" + strings.Repeat(".x", 100000) + " }}",
		"{{ x" + strings.Repeat("|e", 100000) + " }}",
		"{{ x" + strings.Repeat(" if x", 100000) + " }}",
		strings.Repeat("{% if x %}", 100000),
		strings.Repeat("{% for x in y %}", 100000) + strings.Repeat("{% endfor %}", 100000),
		"{{ x" + strings.Repeat(" if x else x", 100000) + " }}",
		"{{ x" + strings.Repeat("[x", 100000) + " }}",
		strings.Repeat("{{ '", 100000),
		strings.Repeat("{#", 100000),
		strings.Repeat("{% raw %}", 100000),
	} {
		wantError(t, Options{}, src, nil, Syntax, "")
	}
}

// The worst chain of operators inside the deepest recursion must not exhaust
// the stack.
func TestDeepestExpressionInDeepestRecursion(t *testing.T) {
	t.Parallel()
	src := "{% macro m() %}{{ m()" + strings.Repeat(" + 1", 990) + " }}{% endmacro %}{{ m() }}"
	wantError(t, Options{}, src, nil, Runtime, "recursion depth")
}

func TestContextStopsARender(t *testing.T) {
	t.Parallel()
	e := mustEngine(t, Options{})
	tpl, err := e.FromString("{% for i in range(1000000) %}{% for j in range(1000000) %}{% endfor %}{% endfor %}")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := tpl.Append(nil, Execution{Context: ctx}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	t.Parallel()
	for _, o := range []Options{
		{BlockStart: "{{"},
		{CommentStart: "{%"},
		{NewlineSequence: "\n\n"},
		{Tests: map[string]any{"t": "x"}},
	} {
		if _, err := New(o); err == nil {
			t.Errorf("%+v was accepted", o)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	e := mustEngine(t, Options{Loader: Map(map[string]string{
		"base": "<{% block a %}{% endblock %}>",
		"page": "{% extends 'base' %}{% block a %}{% for r in rows %}{{ r.id }}{% endfor %}{% for r in mixed %}{{ r.id }}{{ r.username }}{% endfor %}{% endblock %}",
	})})
	data := map[string]any{"rows": benchRows(50), "mixed": []any{&author{entity{1}, "a"}, benchRow{ID: 2}, author{entity{3}, "b"}}}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				tpl, err := e.Get("page")
				if err != nil {
					t.Error(err)
					return
				}
				out, err := tpl.Append(nil, Execution{Data: data})
				if err != nil || !bytes.HasSuffix(out, []byte("50"+"1a23b>")) {
					t.Errorf("got %q, %v", out, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestJSONIndent(t *testing.T) {
	t.Parallel()
	o := Options{Policies: Policies{JSONIndent: "\t"}, Autoescape: func(string) bool { return false }}
	wantRender(t, o, "{{ {'a': [1]}|tojson }}", nil, "{\n\t\"a\": [\n\t\t1\n\t]\n}")
	wantRender(t, o, "{{ {'a': [1]}|tojson(1) }}", nil, "{\n \"a\": [\n  1\n ]\n}")
	wantRender(t, o, "{{ [1]|tojson(0) }}", nil, "[\n1\n]")
}
