package template

import (
	"context"
	"encoding/json"
	"errors"
	"os"
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
	var set struct{ Vectors []vector }
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

// FuzzParse: any source compiles or is a syntax error.
func FuzzParse(f *testing.F) {
	for _, s := range seedTemplates(f) {
		f.Add(s)
	}
	plain := mustEngine(f, Options{Extensions: fuzzExtensions})
	lines := mustEngine(f, Options{
		Extensions: fuzzExtensions, LineStatementPrefix: "%", LineCommentPrefix: "##", TrimBlocks: true, LstripBlocks: true,
		BlockStart: "<%", BlockEnd: "%>", VariableStart: "${", VariableEnd: "}", CommentStart: "<!--", CommentEnd: "-->",
	})
	f.Fuzz(func(t *testing.T, src string) {
		for _, e := range []*Engine{plain, lines} {
			if _, err := e.FromString(src); err != nil {
				var te *Error
				if !errors.As(err, &te) || te.Kind != Syntax {
					t.Errorf("%q: %v is no syntax error", src, err)
				}
			}
		}
	})
}

// FuzzRender: any template that compiles renders or fails with an error of
// its own within its limits, never by a fault of the engine.
func FuzzRender(f *testing.F) {
	for _, s := range seedTemplates(f) {
		f.Add(s, "a<b", int64(3))
	}
	o := Options{
		Extensions: fuzzExtensions, Globals: fixtureGlobals(), Translator: &vectorCatalogue{}, NewStyle: true,
		Limits: Limits{Output: 1 << 16, Items: 10000, Range: 10000, Steps: 20000, Depth: 60},
	}
	files := map[string]string{"a": "{% block x %}{{ s }}{% endblock %}", "b": "{% macro m(a) %}{{ a }}{% endmacro %}"}
	o.Loader = Map(files)
	e := mustEngine(f, o)
	f.Fuzz(func(t *testing.T, src, s string, n int64) {
		tpl, err := e.FromString(src)
		if err != nil {
			return
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		_, err = tpl.Append(nil, Execution{Context: ctx, Data: map[string]any{
			"s": s, "x": s, "a": s, "n": n, "i": n, "d": map[string]any{"a": s, "b": n}, "l": []any{s, n, nil}, "xs": []int{1, 2, 3},
			"users": benchRows(3), "m": Safe(s), "v": []string{s}, "article": exampleArticle(), "seq": map[string]string{s: s},
		}})
		var p *Panic
		if errors.As(err, &p) {
			t.Errorf("%q: %v\n%s", src, p, p.Stack)
		}
		if errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%q hangs", src)
		}
	})
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
