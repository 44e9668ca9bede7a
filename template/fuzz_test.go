package template

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"
)

// seedTemplates are the sources of the conformance set.
func seedTemplates(f *testing.F) []string {
	f.Helper()
	raw, err := os.ReadFile("testdata/jinja-public.json")
	if err != nil {
		f.Fatal(err)
	}
	var set struct {
		Vectors []struct{ Template *string }
	}
	if err := json.Unmarshal(raw, &set); err != nil {
		f.Fatal(err)
	}
	var out []string
	for _, v := range set.Vectors {
		if v.Template != nil && len(*v.Template) < 300 {
			out = append(out, *v.Template)
		}
	}
	return out
}

var fuzzExtensions = Extensions{Do: true, LoopControls: true, I18n: true, Debug: true}

func djangoExtensions() Extensions {
	all := fuzzExtensions
	all.Django = true
	return all
}

// djangoSeeds are templates with the tags and filters of Django's, and with
// values in places that have rules of their own.
var djangoSeeds = [...]string{
	"{% for x in xs %}{% cycle 'a' s as c %}{% ifchanged x %}{{ c }}{% else %}-{% endifchanged %}{% resetcycle c %}{% endfor %}",
	"{% regroup users by live as groups %}{% for g in groups %}{{ g.grouper }}{{ g.list|length }}{% endfor %}{% lorem 3 w %}{% now 'Y' as y %}",
	"{% blocktranslate with a=s count c=n trimmed asvar m %} {{ a }}%{{ x }} {% plural %}{{ c }} {% endblocktranslate %}{{ m }}{% translate s context 'c' as y %}{% translate 'a%' noop %}",
	"{% timezone s %}{{ now|date }}{% localtime off %}{{ now|time('H:i e') }}{% endlocaltime %}{% endtimezone %}{% localize on %}{{ n }}{{ l }}{% localize off %}{{ f }}{% endlocalize %}{% endlocalize %}{% get_current_timezone %}",
	"{% firstof z s 'x' %}{% widthratio n 10 100 %}{% spaceless %}<p> <a>x</a> </p>{% endspaceless %}{% templatetag openblock %}{% verbatim %}{{ s }}{% endverbatim %}",
	"{% partialdef p inline %}{{ s }}{% endpartialdef %}{% partial p %}{% querystring a=n %}{% comment %}{% x %}{% endcomment %}{% cache 5 k s %}{{ n }}{% endcache %}",
	"{{ n|date('Y') }}{{ n|add(3) }}{{ s|slugify }}{{ n|pluralize }}{{ n|intcomma }}{{ s|stringformat('5s') }}{{ l|unordered_list }}{{ s|json_script('x') }}{{ n|floatformat(2) }}",
	`<script>var x = {{ s }}, y = "{{ n }}", z = /{{ s }}/;</script><a href="{{ s }}?{{ n }}" onclick="f({{ d }})" {{ d|xmlattr }} data-{{ s }}="{{ l }}">{{ s }}</a><style>p { color: {{ s }} }</style>`,
	`{% for x in l %}<a title={{ x }} {% if n %}href="{{ s }}"{% else %}style="{{ s }}"{% endif %}>{% include "a" %}{% endfor %}<script>{% block y %}{{ self.y }}{% endblock %}</script>`,
	`{% macro m(a) %}<b title="{{ a }}">{{ caller() }}</b>{% endmacro %}<p title="{% call m(s) %}{{ n }}{% endcall %}">{% filter upper %}{{ s }}{% endfilter %}</p><!-- {{ s }} -->`,
}

// FuzzParse: any source compiles or is a syntax error.
func FuzzParse(f *testing.F) {
	for _, s := range seedTemplates(f) {
		f.Add(s)
	}
	for _, s := range djangoSeeds {
		f.Add(s)
	}
	plain := mustEngine(f, Options{Extensions: fuzzExtensions})
	lines := mustEngine(f, Options{
		Extensions: fuzzExtensions, LineStatementPrefix: "%", LineCommentPrefix: "##", TrimBlocks: true, LstripBlocks: true,
		BlockStart: "<%", BlockEnd: "%>", VariableStart: "${", VariableEnd: "}", CommentStart: "<!--", CommentEnd: "-->",
	})
	django := mustEngine(f, Options{Extensions: djangoExtensions(), Contextual: true})
	f.Fuzz(func(t *testing.T, src string) {
		for _, e := range []*Engine{plain, lines, django} {
			if _, err := e.FromString(src); err != nil {
				var te *Error
				if !errors.As(err, &te) || te.Kind != Syntax {
					t.Errorf("%q: %v is no syntax error", src, err)
				}
			}
		}
	})
}

// echoTranslator gives every message back.
type echoTranslator struct{}

func (echoTranslator) Gettext(_ context.Context, message string) string { return message }

func (echoTranslator) NGettext(_ context.Context, singular, plural string, n int) string {
	if n == 1 {
		return singular
	}
	return plural
}

func (echoTranslator) PGettext(_ context.Context, _, message string) string { return message }

func (t echoTranslator) NPGettext(ctx context.Context, _, singular, plural string, n int) string {
	return t.NGettext(ctx, singular, plural, n)
}

// FuzzRender: any template that compiles renders or fails with an error of
// its own within its limits, never by a fault of the engine.
func FuzzRender(f *testing.F) {
	for _, s := range seedTemplates(f) {
		f.Add(s, "a<b", int64(3))
	}
	for _, s := range djangoSeeds {
		f.Add(s, "a<b", int64(3))
	}
	o := Options{
		Extensions: fuzzExtensions, Translator: echoTranslator{}, NewStyle: true,
		Limits: Limits{Output: 1 << 16, Items: 10000, Range: 10000, Steps: 20000, Depth: 60},
	}
	files := map[string]string{"a": "{% block x %}{{ s }}{% endblock %}", "b": "{% macro m(a) %}{{ a }}{% endmacro %}"}
	o.Loader = Map(files)
	plain := mustEngine(f, o)
	o.Extensions, o.Contextual = djangoExtensions(), true
	django := mustEngine(f, o)
	f.Fuzz(func(t *testing.T, src, s string, n int64) {
		for _, e := range []*Engine{plain, django} {
			if tpl, err := e.FromString(src); err == nil {
				fuzzRender(t, tpl, src, s, n)
			}
		}
	})
}

func fuzzRender(t *testing.T, tpl *Template, src, s string, n int64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	in := Execution{Context: ctx, Data: map[string]any{
		"s": s, "x": s, "a": s, "n": n, "i": n, "d": map[string]any{"a": s, "b": n}, "l": []any{s, n, nil}, "xs": []int{1, 2, 3},
		"users": benchRows(3), "m": Safe(s), "v": []string{s}, "article": exampleArticle(), "seq": map[string]string{s: s},
	}}
	out, err := tpl.Append(nil, in)
	var p *Panic
	if errors.As(err, &p) {
		t.Errorf("%q: %v\n%s", src, p, p.Stack)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%q hangs", src)
	}
	if err != nil || len(out) < chunk || changing(src) {
		return
	}
	var whole bytes.Buffer
	if _, err := tpl.Stream(&whole, in); err != nil || !bytes.Equal(whole.Bytes(), out) {
		t.Errorf("%q: streamed it differs: %v", src, err)
	}
}

// changing reports whether a template may print something else each time.
func changing(src string) bool {
	for _, word := range []string{"random", "lipsum", "lorem", "now"} {
		if strings.Contains(src, word) {
			return true
		}
	}
	return false
}

// FuzzStripTags compares the one-pass routine with the obvious slow one.
func FuzzStripTags(f *testing.F) {
	for _, s := range []string{"<<!---->!--x-->y", "<!-->a", "<!--a", "a<b>c", "<!-<!---->-x-->", "<!<!---->--x-->", "<<b>>", "a < b > c &lt; &amp"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got, want := stripTags(s), slowStripTags(s); got != want {
			t.Errorf("%q: got %q, want %q", s, got, want)
		}
	})
}

// FuzzFormat: format strings come from translations and may be broken.
func FuzzFormat(f *testing.F) {
	for _, s := range []string{"%s %(a)s", "%-5.2f%%", "{0!r:>8}", "{a[0].b:{c}}", "%*d", "{:,.2f}", "%5", "{", "}"} {
		f.Add(s)
	}
	e := mustEngine(f, Options{Limits: Limits{Output: 1 << 20}})
	tpl, err := e.FromString("{{ s % (1, 'a', 2.5) }}")
	if err != nil {
		f.Fatal(err)
	}
	keyed, err := e.FromString("{{ s % {'a': 1} }}{{ s.format(1, 'a', a=[1], c=3) }}{{ (s|safe).format('<', 2.5, a=none) }}")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, one := range []*Template{tpl, keyed} {
			_, err := one.Append(nil, Execution{Data: map[string]any{"s": s}})
			var p *Panic
			if errors.As(err, &p) {
				t.Errorf("%q: %v\n%s", s, p, p.Stack)
			}
		}
	})
}
