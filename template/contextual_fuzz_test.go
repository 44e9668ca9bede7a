package template

import (
	htmltemplate "html/template"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// surroundings are places for a value, written as what stands before it and
// behind it.
var surroundings = [...][2]string{
	{"<p>", "</p>"},
	{"<title>", "</title>"},
	{"<textarea>a ", "</textarea>"},
	{`<a title="`, `">x</a>`},
	{`<a title='x `, `'>x</a>`},
	{`<a title=`, ` id=y>x</a>`},
	{`<a title=x`, `>x</a>`},
	{`<a data-`, `="x">x</a>`},
	{`<input `, `>`},
	{`<input `, `="x">`},
	{`<a href="`, `">x</a>`},
	{`<a href='/p/`, `/x?y'>x</a>`},
	{`<a href="?q=`, `&amp;r=s">x</a>`},
	{`<a href=`, `>x</a>`},
	{`<a href=/p?`, ` id=y>x</a>`},
	{`<a href="#`, `">x</a>`},
	{`<img srcset="`, ` 2x">`},
	{`<iframe srcdoc="`, `"></iframe>`},
	{`<form action="`, `"><button formaction='x'></form>`},
	{`<meta http-equiv="refresh" content="1; url=`, `">`},
	{`<meta http-equiv="refresh" content="`, `">`},
	{`<a onclick="f(`, `)">x</a>`},
	{`<a onclick='f("`, `")'>x</a>`},
	{`<a onclick=f(`, `) id=y>x</a>`},
	{`<script>var x = `, `; f(x)</script>`},
	{`<script>var x = "`, `"; f(x)</script>`},
	{`<script>var x = '<`, `'; f(x)</script>`},
	{"<script>var x = `a ", "${1}`; f(x)</script>"},
	{"<script>var x = `a ${ ", " }`; f(x)</script>"},
	{"<script>var x = `a ${ `b ${ '", "' }` }`; f(x)</script>"},
	{`<script>var x = /a`, `b/; f(x)</script>`},
	{`<script>var x = /[a`, `b]/; f(x)</script>`},
	{"<script>// a ", "\nf(x)</script>"},
	{"<script>/* a ", " */f(x)</script>"},
	{"<script>x = (1 + 2) / ", " / 3; y = 'z'</script>"},
	{`<script type="application/json">{"a": `, `}</script>`},
	{`<script type="text/template"><a href="`, `">x</a></script><b>y</b>`},
	{`<svg><script>var x = `, `</script></svg>`},
	{`<style>p { color: `, `; width: 1px }</style>`},
	{`<style>p { content: "`, `"; width: 1px }</style>`},
	{`<style>p { background: url(`, `); width: 1px }</style>`},
	{`<style>/* `, ` */ p { width: 1px }</style>`},
	{`<p style="color: `, `; width: 1px">x</p>`},
	{`<p style="background: url('/i/`, `.png')">x</p>`},
	{`<!-- `, ` --><b>x</b>`},
	{`<xmp>`, `</xmp><b>x</b>`},
	{`<svg><title>`, `</title><a>x</a></svg>`},
}

// hostileText are values that end, begin or comment out something somewhere.
var hostileText = [...]string{
	"", "a", " ", "x y", "a=b", "</p>", "</title><script>alert(1)</script>", "</textarea>", "</script>", "</ScRiPt >", "</style>",
	`"`, `'`, "`", `" onclick="alert(1)`, `' onclick='alert(1)`, `x onclick=alert(1)`, ">", "/>", "<", "&", "&quot;", "&#34;", "&lt;script&gt;",
	"javascript:alert(1)", "JAVASCRIPT:alert(1)", "\x01javascript:alert(1)", "java\nscript:alert(1)", "vbscript:x", "data:text/html,<script>alert(1)</script>",
	"//evil.example", `\\evil.example`, "https://example.org/?a=b#c", "0; url=javascript:alert(1)", ";url=data:text/html,x",
	"onclick", "onclick=alert(1)", "style", "href", "srcdoc", "x onmouseover", "a/onclick=alert(1)",
	"-alert(1)-", "';alert(1)//", `\`, `\";alert(1)//`, `\\`, "${alert(1)}", "`;alert(1)//", "{", "}", "*/alert(1)/*", "\nalert(1)\n", "\u2028alert(1)\u2029", "//", "/*", "<!--", "-->", "<!--<script>",
	"]/;alert(1)//", "/;alert(1)//", "red; background: url(javascript:alert(1))", "expression(alert(1))", "}</style><script>alert(1)</script>", `"; } a { b: c`, `\22`, "url(x)", "-moz-binding: x", "@import 'x'", "--x", "--><b>",
	"\x00", "\xff\xfe", "a\tb", "a\rb", "%2f%", "%zz", "日本語", "🎉", strings.Repeat("<", 1000),
}

// shape lists the elements of a document and those of their attributes that
// count: all, or those whose values are more than text.
func shape(t testing.TB, document string, plain bool) []string {
	t.Helper()
	root, err := html.Parse(strings.NewReader(document))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	var visit func(n *html.Node, depth int)
	visit = func(n *html.Node, depth int) {
		if n.Type == html.ElementNode {
			line := strings.Repeat(" ", depth) + n.Data
			for _, a := range n.Attr {
				if plain || attrNamed(a.Key, elementNamed(n.Data)) != plainAttr {
					line += " " + a.Key
				}
			}
			out = append(out, line)
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			visit(c, depth+1)
		}
	}
	visit(root, 0)
	return out
}

// checkStructure renders a value between two pieces of text and compares what
// a browser, and the tokenizer, make of it with what they make of a harmless
// one. It reports false if the place does not take a value.
func checkStructure(t testing.TB, e *Engine, before, behind, text string) bool {
	t.Helper()
	tpl, err := e.FromString(before + "{{ x }}" + behind)
	if err != nil {
		return false
	}
	render := func(v any) string {
		out, err := tpl.Append(nil, Execution{Data: map[string]any{"x": v}})
		if err != nil {
			t.Fatalf("%q %q %q: %v", before, behind, v, err)
		}
		return string(out)
	}
	got, want := render(text), render("zq")
	p, _ := position{}.literal(before)
	names := p.betweenAttributes()
	if a, b := shape(t, got, !names), shape(t, want, !names); strings.TrimSpace(strings.ReplaceAll(text, "\x00", "")) != "" && !slices.Equal(a, b) {
		t.Errorf("%q between %q and %q changes the document:\n%s\n%q instead of\n%q", text, before, behind, got, a, b)
	}
	ends := func(document string) position {
		if !strings.HasPrefix(document, before) || !strings.HasSuffix(document, behind) {
			t.Fatalf("%q does not begin with %q and end with %q", document, before, behind)
		}
		p, err := position{}.literal(document[:len(document)-len(behind)])
		if err != nil {
			t.Errorf("%q between %q and %q: %s", text, before, behind, err.message)
		}
		return p
	}
	a, b := ends(got).mergeable(), ends(want).mergeable()
	if a != b && !names && (text != "" || p.state != inBeforeValue) {
		t.Errorf("%q between %q and %q changes the tokens: it ends in %s instead of %s\n%s", text, before, behind, a.describe(), b.describe(), got)
	}
	return true
}

func contextual(t testing.TB) *Engine {
	t.Helper()
	e, err := New(Options{Contextual: true, KeepTrailingNewline: true})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// No value changes the structure of the document around it.
func TestContextualKeepsStructure(t *testing.T) {
	t.Parallel()
	e := contextual(t)
	for _, s := range surroundings {
		for _, v := range hostileText {
			if !checkStructure(t, e, s[0], s[1], v) {
				t.Errorf("%q %q takes no value", s[0], s[1])
				break
			}
		}
	}
}

// html/template and this package make the same document of the same values.
func TestContextualAgreesWithHTMLTemplate(t *testing.T) {
	t.Parallel()
	e := contextual(t)
	for _, s := range surroundings {
		theirs, err := htmltemplate.New("").Parse(s[0] + "{{ . }}" + s[1])
		if err != nil {
			t.Fatal(err)
		}
		ours, err := e.FromString(s[0] + "{{ x }}" + s[1])
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range hostileText {
			if strings.TrimSpace(strings.ReplaceAll(v, "\x00", "")) == "" {
				continue
			}
			var want strings.Builder
			if err := theirs.Execute(&want, v); err != nil {
				break // it does not know the place
			}
			got, err := ours.Append(nil, Execution{Data: map[string]any{"x": v}})
			if err != nil {
				t.Fatal(err)
			}
			p, _ := position{}.literal(s[0])
			if a, b := shape(t, string(got), !p.betweenAttributes()), shape(t, want.String(), !p.betweenAttributes()); !slices.Equal(a, b) {
				t.Errorf("%q in %q:\n%s\n%s", v, s, got, want.String())
			}
		}
	}
}

func FuzzContextual(f *testing.F) {
	for i, s := range surroundings {
		f.Add(s[0], s[1], hostileText[i%len(hostileText)])
	}
	for _, v := range hostileText {
		f.Add("<p>", "</p>", v)
	}
	e := contextual(f)
	f.Fuzz(func(t *testing.T, before, behind, text string) {
		if strings.ContainsAny(before+behind, "{}\r\x00") || len(before)+len(behind) > 2000 {
			return
		}
		checkStructure(t, e, before, behind, text)
	})
}
