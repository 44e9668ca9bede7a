package template_test

import (
	"strings"
	"testing"

	"github.com/retort-web/retort/template"
)

// Each case is one way in which frameworks let markup or scripts of users
// through; the name says which.
func TestAttacks(t *testing.T) {
	t.Parallel()
	e := contextualEngine(t, map[string]string{
		"widget.html": `{% macro link(label, url) %}<p>Currently: <a href="{{ url }}">{{ label }}</a></p>{% endmacro %}`,
	})
	const script = "<script>alert(1)</script>"
	for _, c := range [...]struct {
		name, source string
		value        any
		never        []string // what must not be in the page
	}{
		{"address shown by a widget", `{% from "widget.html" import link %}{{ link("x", v) }}`, "javascript:alert(1)", []string{"javascript:"}},
		{"label shown by a widget", `{% from "widget.html" import link %}{{ link(v, "/") }}`, script, []string{"<script"}},
		{"names of attributes from data", `<p {{ v|xmlattr }}>`, map[string]any{"onclick": "alert(1)"}, []string{"onclick"}},
		{"value breaks out of xmlattr", `<p {{ v|xmlattr }}>`, map[string]any{"title": `" onclick="alert(1)`}, []string{`" onclick`}},
		{"markup of a filter that loses it", `{% filter striptags %}{{ v }}{% endfilter %}`, script, []string{"<script"}},
		{"error message in a script", `<script>console.log("{{ v }}")</script>`, `");alert(1)//`, []string{`");alert`}},
		{"values that contain braces", "<script>var x = `{{ v }}`</script>", "${alert(1)}", []string{"${"}},
		{"backticks", "<script>var x = `{{ v }}`</script>", "`;alert(1)//", []string{"`;"}},
		{"braces in style sheets", `<style>p { color: {{ v }} }</style>`, "red } body { background: url(//evil)", []string{"evil"}},
		{"angle brackets in style sheets", `<style>p { color: {{ v }} }</style>`, "</style>" + script, []string{"<script"}},
		{"unquoted attributes, empty", `<p id={{ v }} onclick=go()>`, "", []string{"id= onclick"}},
		{"unquoted attributes", `<p id={{ v }}>`, "x onclick=alert(1)", []string{" onclick", "=alert"}},
		{"regular expressions in scripts", `<script>if (/a{{ v }}/.test(s)) go()</script>`, "/;alert(1);/", []string{"a/;"}},
		{"script without a type", `<script type="">var x = {{ v }}</script>`, `"</script>` + script, []string{"</script><script"}},
		{"script of an odd type", `<script type="text/template"><p>{{ v }}</p></script>`, script, []string{"<script>alert"}},
		{"addresses of meta elements", `<meta http-equiv="refresh" content="0;url={{ v }}">`, "javascript:alert(1)", []string{"javascript:"}},
		{"addresses of meta elements without url=", `<meta http-equiv="refresh" content="0;{{ v }}">`, "javascript:alert(1)", []string{"javascript:"}},
		{"error of a value's own JSON", `<script>var x = {{ v }}</script>`, badJSON{}, nil},
		{"own JSON with an end tag", `<script>var x = {{ v }}</script>`, rawJSON("{\"a\":\"</script><script>alert(1)\"}"), []string{"</script><script"}},
		{"line separators", `<script>var x = "{{ v }}"</script>`, "\u2028alert(1)", []string{"\u2028"}},
		{"html comments in scripts", `<script>var x = "{{ v }}"</script><p>`, "<!--<script>", []string{"<!--", "<script>\""}},
		{"end of a comment", `<!-- {{ v }} -->`, "-->" + script, []string{"<script"}},
		{"name of a handler", `<p {{ v }}="alert(1)">`, "onclick", []string{"onclick"}},
		{"data address", `<iframe src="{{ v }}"></iframe>`, "data:text/html;base64,PHNjcmlwdD4=", []string{"data:"}},
		{"scheme with a tab in it", `<a href="{{ v }}">`, "java\tscript:alert(1)", []string{"script:"}},
		{"scheme with control characters before it", `<a href="{{ v }}">`, "\x01 javascript:alert(1)", []string{"javascript:"}},
		{"scheme made of references", `<a href="{{ v }}">`, "javascript&#58;alert(1)", []string{"javascript&#58;", "javascript:"}},
		{"safe text in an attribute", `<p title="{{ v }}">`, template.Safe(`"><b onclick='x'>`), []string{`"><b`}},
		{"safe text in a script's string", `<script>var x = "{{ v }}"</script>`, template.Safe(`";alert(1)//`), []string{`";`}},
		{"document in a frame", `<iframe srcdoc="{{ v }}"></iframe>`, script, []string{"&lt;script", "<script"}},
		{"image list", `<img srcset="{{ v }}">`, "/a.png 1x, javascript:alert(1) 2x", []string{"javascript:"}},
		{"scripts in svg", `<svg><script>var x = "{{ v }}"</script></svg>`, "&quot;;alert(1)//", []string{"&quot;"}},
		{"links in svg", `<svg><a xlink:href="{{ v }}">x</a></svg>`, "javascript:alert(1)", []string{"javascript:"}},
		{"urlize", `{{ v|urlize }}`, `http://a.example/"onmouseover="alert(1)`, []string{`"onmouseover="`}},
		{"path shown by an error page", `<p>{{ v }} was not found</p>`, "/" + script, []string{"<script"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			tpl, err := e.FromString(c.source)
			if err != nil {
				t.Fatal(err)
			}
			out, err := tpl.Append(nil, template.Execution{Data: map[string]any{"v": c.value}})
			if c.never == nil {
				if err == nil {
					t.Errorf("no error, but %s", out)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, bad := range c.never {
				if strings.Contains(string(out), bad) {
					t.Errorf("%s has %q", out, bad)
				}
			}
		})
	}
}

type badJSON struct{ X int }

func (badJSON) MarshalJSON() ([]byte, error) { return []byte(`*/alert(1)/*</script>`), nil }

type rawJSON string

func (r rawJSON) MarshalJSON() ([]byte, error) { return []byte(r), nil }
