package template

import (
	"errors"
	"strings"
	"testing"
)

// What comes from a request must never become markup.
func TestHostileTextIsEscaped(t *testing.T) {
	t.Parallel()
	evil := `"><script>alert('x')</script>&`
	const escapedEvil = `&#34;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;`
	for _, src := range []string{
		"{{ x }}", "{{ [x]|join }}", "{{ [x]|join('') }}", "{{ x|default('') }}", "{{ missing|default(x) }}", "{{ {'a': x}.a }}",
		"{% set y = x %}{{ y }}", "{% set y %}{{ x }}{% endset %}{{ y }}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(x) }}",
		"{% filter trim %}{{ x }}{% endfilter %}", "{% with y = x %}{{ y }}{% endwith %}", "{{ x if true }}", "{{ ''|safe ~ x }}", "{{ ''|safe + x }}",
		"{{ '%s'|safe|format(x) }}", "{{ '%s'|safe % x }}", "{{ ('{}'|safe).format(x) }}", "{{ ''|safe|replace('', x, 1) }}",
		"{{ 'a'|safe|replace('a', x) }}", "{{ (''|safe).join([x]) }}", "{{ [''|safe, x]|join }}", "{% for y in [x] %}{{ y }}{% endfor %}",
		"{{ x|string }}", "{{ x.strip() }}", "{{ x|trim }}", "{{ x ~ '' }}", "{{ '' ~ x }}", "{% call m() %}{% endcall %}{% macro m() %}{% endmacro %}{{ x }}",
		"{{ x|list|join }}", "{{ x|map('string')|join }}", "{{ x|truncate(1000) }}", "{{ x|indent }}", "{{ x|wordwrap(1000) }}", "{{ x|linebreaksbr }}",
		"{{ (x,)|first }}", "{{ x|last ~ '' if false else x }}", "{{ dict(a=x)['a'] }}", "{{ cycler(x).next() }}", "{{ joiner(x)() }}{{ x }}",
		"{% autoescape true %}{{ x }}{% endautoescape %}", "{% include 'part.html' %}", "{% import 'lib.html' as lib %}{{ lib.show(x) }}",
	} {
		src = strings.Replace(src, "{% call m() %}{% endcall %}", "", 1)
		o := Options{Extensions: Extensions{Django: true}, Loader: Map(map[string]string{"part.html": "{{ x }}", "lib.html": "{% macro show(x) %}{{ x }}{% endmacro %}"})}
		wantRender(t, o, src, map[string]any{"x": evil}, escapedEvil)
	}
}

func TestAttributeNamesFromDataAreChecked(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"a b", "a/b", "a>b", "a=b", "a\tb", "a\nb", "a\fb", "a\x00b", "", "onclick=alert(1) x"} {
		wantError(t, Options{}, "<p{{ d|xmlattr }}>", map[string]any{"d": map[string]string{key: "v"}}, Runtime, "invalid character in attribute name")
	}
	wantRender(t, Options{}, "<p{{ d|xmlattr }}>", map[string]any{"d": map[string]any{"title": `"<`, "id": nil, "n": 1}}, `<p n="1" title="&#34;&lt;">`)
}

func TestScriptDataCannotLeaveItsElement(t *testing.T) {
	t.Parallel()
	wantRender(t, Options{}, "<script>var x = {{ x|tojson }};</script>", map[string]any{"x": "</script><!--'&\u2028"},
		"<script>var x = \"\\u003c/script\\u003e\\u003c!--\\u0027\\u0026\\u2028\";</script>")
	wantRender(t, Options{Policies: Policies{JSONUnicode: true}}, "{{ x|tojson }}", map[string]any{"x": "é\u2028<"}, `"é\u2028\u003c"`)
}

// Nothing a template or a format string names leads to what the program did
// not show.
func TestPrivatePartsStayPrivate(t *testing.T) {
	t.Parallel()
	data := map[string]any{"a": exampleArticle(), "list": []*article{exampleArticle()}}
	for _, src := range []string{
		"{{ a.secret }}", "{{ a['secret'] }}", "{{ a|attr('secret') }}", "{{ '{.secret}'.format(a) }}", "{{ '{0.secret}'.format(a) }}",
		"{{ ('{x.secret}').format_map({'x': a}) }}", "{{ list|map(attribute='secret')|join }}", "{{ list|sort(attribute='secret')|length }}",
		"{{ list|groupby('secret')|length }}", "{{ list|selectattr('secret')|list|length }}", "{{ list|sum(attribute='secret') }}", "{{ a.__class__ }}{{ ''.__class__ }}",
		"{{ ''|attr('__class__') }}", "{{ a.entity }}", "{{ a.hidden }}",
	} {
		out, err := renderInline(t, Options{}, src, data)
		if err == nil && strings.Trim(out, "01") != "" {
			t.Errorf("%s: got %q", src, out)
		}
	}
}

// These would take hours if a routine were not linear.
func TestTextRoutinesAreLinear(t *testing.T) {
	t.Parallel()
	const n = 1 << 17
	rep := func(s string) string { return strings.Repeat(s, n/len(s)) }
	inputs := map[string]string{
		"open": rep("<"), "openclose": rep("<>"), "comment": rep("<!--"), "commentseam": rep("<<!---->!--"), "parens": rep("("), "closing": rep(")"),
		"brackets": strings.Repeat("(", n/2) + "http://a.com" + strings.Repeat(")", n/2), "gt": rep("&gt;"), "lt": rep("&lt;"), "dots": rep("a."),
		"at": rep("a@"), "mail": "a@" + rep("a.") + "com", "www": "www." + rep("a-"), "colon": "http://" + rep("a:"), "hyphens": rep("-"), "words": rep("a-b "),
		"dashes": "a" + rep("-") + "b", "letters": rep("x"), "spaces": rep(" "), "lines": rep("a\n"), "crlf": rep("\r\n"), "sigma": rep("Σ"), "marks": "Σ" + rep("\u0301"),
		"entities": rep("&amp"), "ampersands": rep("&"), "hash": rep("&#"), "percent": rep("%"), "braces": rep("{"), "digits": rep("9"), "under": rep("1_"), "tabs": rep("\t"),
	}
	for _, filter := range []string{
		"striptags", "urlize", "urlize(20)", "truncate(50)", "truncate(100000)", "wordwrap(10)", "wordwrap(70)", "wordwrap(1000000)", "wordcount", "title", "capitalize",
		"upper", "slugify", "linebreaks", "indent", "trim", "escape", "urlencode", "tojson", "int", "float", "filesizeformat", "intcomma", "floatformat",
		"truncatewords(100000)", "truncatewords_html(100000)", "truncatechars_html(100000)", "truncatechars(9)", "linenumbers|length", "escapejs", "cut('-')", "center(5)", "pprint|length", "forceescape", "replace('-', '--')",
	} {
		t.Run(filter, func(t *testing.T) {
			t.Parallel()
			e := mustEngine(t, Options{Extensions: Extensions{Django: true}})
			tpl, err := e.FromString("{{ x|" + filter + " }}")
			if err != nil {
				t.Fatal(err)
			}
			for name, x := range inputs {
				if _, err := tpl.Append(nil, Execution{Data: map[string]any{"x": x}}); err != nil && !strings.Contains(err.Error(), "could not convert") {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
	for _, expr := range []string{"x.title()", "x.split('-')|length", "x.rsplit()|length", "x.expandtabs()", "x.swapcase()", "x.casefold()", "x.splitlines()|length", "x[::2]|length", "x.istitle()", "x|safe|striptags"} {
		tpl, err := mustEngine(t, Options{}).FromString("{{ " + expr + " }}")
		if err != nil {
			t.Fatal(err)
		}
		for name, x := range inputs {
			if _, err := tpl.Append(nil, Execution{Data: map[string]any{"x": x}}); err != nil {
				t.Errorf("%s of %s: %v", expr, name, err)
			}
		}
	}
	for _, src := range inputs {
		for _, open := range []string{"", "{{ '", "{% raw %}", "{#", "{{ "} {
			// A syntax error is as good an answer as any.
			_, err := mustEngine(t, Options{LineStatementPrefix: "%", LineCommentPrefix: "##"}).FromString(open + src)
			if fault, ok := errors.AsType[*Error](err); err != nil && (!ok || fault.Kind != Syntax) {
				t.Error(err)
			}
		}
	}
}

// slowStripTags says what stripTags must give: it starts over after each cut.
func slowStripTags(s string) string {
	for _, pair := range [...][2]string{{"<!--", "-->"}, {"<", ">"}} {
		for {
			start := strings.Index(s, pair[0])
			if start < 0 {
				break
			}
			end := strings.Index(s[start:], pair[1])
			if end < 0 {
				break
			}
			s = s[:start] + s[start+end+len(pair[1]):]
		}
	}
	return unescape(strings.Join(strings.FieldsFunc(s, isSpace), " "))
}
