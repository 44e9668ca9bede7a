package template_test

import (
	"strings"
	"testing"

	"github.com/retort-web/retort/template"
)

// contextualEngine escapes by context and has the given templates.
func contextualEngine(t testing.TB, files map[string]string) *template.Engine {
	t.Helper()
	e, err := template.New(template.Options{
		Loader: template.Map(files), Contextual: true,
		Extensions: template.Extensions{Django: true, LoopControls: true, Do: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func renderContextual(t testing.TB, e *template.Engine, source string, data any) string {
	t.Helper()
	tpl, err := e.FromString(source)
	if err != nil {
		t.Fatalf("%s\n%v", source, err)
	}
	out, err := tpl.Append(nil, template.Execution{Data: data})
	if err != nil {
		t.Fatalf("%s\n%v", source, err)
	}
	return string(out)
}

// hostile is data that means something everywhere.
var hostile = map[string]any{
	"t": `<i onclick="a">O'Reilly & "Söhne"</i>`,
	"q": `a b&c=d/e?f#g`,
	"u": "/p/1?a=b&c=d e",
	"x": "https://example.org/a b",
	"j": "javascript:alert(1)",
	"J": " JaVa\tScript:alert(1)",
	"d": "data:text/html,<script>alert(1)</script>",
	"e": "",
	"n": -5,
	"f": 1.5,
	"b": true,
	"z": nil,
	"l": []any{"</script>", 1, nil},
	"m": map[string]any{"k": "<!--"},
	"s": template.Safe(`<b title='1 > 0'>bold &amp; "brave"</b>`),
	"c": "red; background: url(x)",
	"k": "#ff0000",
	"N": "checked",
	"O": "onclick",
	"U": template.SafeURL("sms:12?body=a b"),
	"S": template.SafeJS("a < b"),
	"C": template.SafeCSS("url(/x.png)"),
	"A": template.SafeAttr(`onclick="go()"`),
}

func TestContextual(t *testing.T) {
	t.Parallel()
	e := contextualEngine(t, nil)
	for _, c := range [...]struct{ name, source, want string }{
		{"text", `<p>{{ t }}</p>`, `<p>&lt;i onclick=&#34;a&#34;&gt;O&#39;Reilly &amp; &#34;Söhne&#34;&lt;/i&gt;</p>`},
		{"safe text", `<p>{{ s }}</p>`, `<p><b title='1 > 0'>bold &amp; "brave"</b></p>`},
		{"less than in text", `a < b {{ n }} < c`, `a < b -5 < c`},

		{"title", `<title>{{ s }}</title>`, `<title>&lt;b title=&#39;1 &gt; 0&#39;&gt;bold &amp; &#34;brave&#34;&lt;/b&gt;</title>`},
		{"textarea", `<textarea>{{ t }}</textarea>{{ s }}`, `<textarea>&lt;i onclick=&#34;a&#34;&gt;O&#39;Reilly &amp; &#34;Söhne&#34;&lt;/i&gt;</textarea><b title='1 > 0'>bold &amp; "brave"</b>`},
		{"title with a tag in it", `<title><a href="</title>{{ s }}`, `<title><a href="</title><b title='1 > 0'>bold &amp; "brave"</b>`},

		{"double quotes", `<a title="{{ t }}">`, `<a title="&lt;i onclick=&#34;a&#34;&gt;O&#39;Reilly &amp; &#34;Söhne&#34;&lt;/i&gt;">`},
		{"single quotes", `<a title='{{ q }}'>`, `<a title='a b&amp;c=d/e?f#g'>`},
		{"safe in an attribute", `<a title="{{ s }}">`, `<a title="bold &amp; &#34;brave&#34;">`},
		{"no quotes", `<a title={{ q }}>`, `<a title=a&#32;b&#38;c&#61;d/e?f#g>`},
		{"no quotes, empty", `<a title={{ e }} id=x>`, `<a title="" id=x>`},
		{"no quotes behind text", `<a title=x{{ e }}{{ q }} id=y>`, `<a title=xa&#32;b&#38;c&#61;d/e?f#g id=y>`},
		{"json in double quotes", `<a data-x="{{ m|tojson }}">`, `<a data-x="{&#34;k&#34;: &#34;\u003c!--&#34;}">`},
		{"json in single quotes", `<a data-x='{{ m|tojson }}'>`, `<a data-x='{&#34;k&#34;: &#34;\u003c!--&#34;}'>`},
		{"data attribute", `<a data-{{ N }}="{{ t }}" aria-label="{{ n }}">`, `<a data-checked="&lt;i onclick=&#34;a&#34;&gt;O&#39;Reilly &amp; &#34;Söhne&#34;&lt;/i&gt;" aria-label="-5">`},
		{"data attribute, bad name", `<a data-{{ t }}="1">`, `<a data-blocked="1">`},

		{"attribute names", `<input {{ N }}>`, `<input checked>`},
		{"no attribute", `<input {{ e }}>`, `<input >`},
		{"handler as a name", `<input {{ O }}="{{ j }}">`, `<input data-blocked="javascript:alert(1)">`},
		{"handler alone", `<input {{ O }}>`, `<input data-blocked>`},
		{"empty name with a value", `<input {{ e }}="{{ j }}">`, `<input data-blocked="javascript:alert(1)">`},
		{"markup as a name", `<input {{ t }}>`, `<input data-blocked>`},
		{"xmlattr", `<p{{ {'title': t, 'class': 'a'}|xmlattr }}>`, `<p title="&lt;i onclick=&#34;a&#34;&gt;O&#39;Reilly &amp; &#34;Söhne&#34;&lt;/i&gt;" class="a">`},
		{"xmlattr with an address", `<a {{ {'href': j}|xmlattr }}>`, `<a data-blocked>`},
		{"xmlattr with a handler", `<a{{ {'onclick': j}|xmlattr }}>`, `<a data-blocked>`},
		{"literal attribute by condition", `<option{{ ' selected' if b }}>`, `<option selected>`},
		{"no literal attribute", `<option{{ ' selected' if z }}>`, `<option>`},
		{"trusted attribute", `<a {{ A }}>`, `<a onclick="go()">`},
		{"attributes by branch", `<a{% if b %} title="{{ t }}"{% endif %} id=x>`, `<a title="&lt;i onclick=&#34;a&#34;&gt;O&#39;Reilly &amp; &#34;Söhne&#34;&lt;/i&gt;" id=x>`},

		{"address", `<a href="{{ u }}">`, `<a href="/p/1?a=b&amp;c=d%20e">`},
		{"address with a scheme", `<a href="{{ x }}">`, `<a href="https://example.org/a%20b">`},
		{"javascript", `<a href="{{ j }}">`, `<a href="#blocked">`},
		{"javascript in disguise", `<a href='{{ J }}'>`, `<a href='#blocked'>`},
		{"javascript without quotes", `<a href={{ j }}>`, `<a href=#blocked>`},
		{"data address", `<iframe src="{{ d }}"></iframe>`, `<iframe src="#blocked"></iframe>`},
		{"javascript in two values", `<a href="{{ 'java' }}{{ 'script:alert(1)' }}">`, `<a href="java#blocked">`},
		{"javascript behind a literal", `<a href="java{{ 'script:alert(1)' }}">`, `<a href="java#blocked">`},
		{"formaction", `<button formaction="{{ j }}">`, `<button formaction="#blocked">`},
		{"xlink", `<svg><a xlink:href="{{ j }}"></a></svg>`, `<svg><a xlink:href="#blocked"></a></svg>`},
		{"path", `<a href="/p/{{ q }}/x">`, `<a href="/p/a%20b&amp;c=d/e?f#g/x">`},
		{"query", `<a href="/p?q={{ q }}&amp;r={{ u }}">`, `<a href="/p?q=a%20b%26c%3Dd%2Fe%3Ff%23g&amp;r=%2Fp%2F1%3Fa%3Db%26c%3Dd%20e">`},
		{"mailto", `<a href="mailto:{{ q }}">`, `<a href="mailto:a%20b&amp;c=d/e?f#g">`},
		{"trusted address", `<a href="{{ U }}">{{ j|safe_url }}</a>`, `<a href="sms:12?body=a%20b">javascript:alert(1)</a>`},
		{"filter safe_url", `<a href="{{ 'sms:1'|safe_url }}">`, `<a href="sms:1">`},
		{"safe html is no safe address", `<a href="{{ j|safe }}">`, `<a href="#blocked">`},
		{"escaped address", `<a href="{{ u|e }}">`, `<a href="/p/1?a=b&amp;c=d%20e">`},
		{"srcset", `<img srcset="{{ '/a.png 1x, javascript:x 2x' }}">`, `<img srcset="/a.png 1x, #blocked">`},
		{"htmx", `<a hx-get="{{ j }}">`, `<a hx-get="#blocked">`},
		{"meta refresh", `<meta http-equiv="refresh" content="0; url={{ j }}">`, `<meta http-equiv="refresh" content="0; url=#blocked">`},
		{"meta refresh, whole", `<meta http-equiv=refresh content="{{ '0;URL=' ~ j }}">`, `<meta http-equiv=refresh content="#blocked">`},
		{"meta description", `<meta name=description content="{{ q }}">`, `<meta name=description content="a b&amp;c=d/e?f#g">`},
		{"base", `<base href="{{ j }}">`, `<base href="#blocked">`},

		{"handler", `<a onclick="go({{ t }}, {{ n }})">`, `<a onclick="go(&#34;\u003ci onclick=\&#34;a\&#34;\u003eO\u0027Reilly \u0026 \&#34;S\u00f6hne\&#34;\u003c\/i\u003e&#34;,  -5 )">`},
		{"handler without quotes", `<a onclick=go({{ q }})>`, `<a onclick=go(&#34;a&#32;b\u0026c&#61;d\/e?f#g&#34;)>`},
		{"handler's string", `<a onclick="go('{{ t }}')">`, `<a onclick="go('\u003ci onclick\u003d\u0022a\u0022\u003eO\u0027Reilly \u0026 \u0022Söhne\u0022\u003c\/i\u003e')">`},
		{"handler with references", `<a onclick="go(&quot;{{ q }}&quot;, {{ q }})">`, `<a onclick="go(&quot;a b\u0026c\u003dd\/e?f#g&quot;, &#34;a b\u0026c=d\/e?f#g&#34;)">`},
		{"client library", `<a @click="go({{ q }})" x-data='{{ m }}'>`, `<a @click="go(&#34;a b\u0026c=d\/e?f#g&#34;)" x-data=' {&#34;k&#34;: &#34;\u003c!--&#34;} '>`},

		{"script values", `<script>f({{ n }},{{ f }},{{ b }},{{ z }},{{ missing }},{{ l }})</script>`, `<script>f( -5 , 1.5 , true , null ,null, ["\u003c\/script\u003e", 1, null] )</script>`},
		{"script value, safe html", `<script>e.innerHTML = {{ s }}</script>`, `<script>e.innerHTML = "\u003cb title=\u00271 \u003e 0\u0027\u003ebold \u0026amp; \"brave\"\u003c\/b\u003e"</script>`},
		{"tojson", `<script>var m = {{ m|tojson }};</script>`, `<script>var m = {"k": "\u003c!--"};</script>`},
		{"tojson through a variable", `{% set j = m|tojson if m else '{}' %}<script>var m = {{ j }};</script>`, `<script>var m = {"k": "\u003c!--"};</script>`},
		{"tojson and safe", `<script>var m = {{ m|tojson|safe }};</script>`, `<script>var m = {"k": "\u003c!--"};</script>`},
		{"tojson in a string", `<script>JSON.parse('{{ m|tojson }}')</script>`, `<script>JSON.parse('{\u0022k\u0022: \u0022\u005cu003c!--\u0022}')</script>`},
		{"trusted script", `<script>if ({{ S }}) x</script>{{ S }}`, `<script>if (a < b) x</script>a &lt; b`},
		{"script strings", `<script>a = "{{ t }}" + '{{ n }}'</script>`, `<script>a = "\u003ci onclick\u003d\u0022a\u0022\u003eO\u0027Reilly \u0026 \u0022Söhne\u0022\u003c\/i\u003e" + '-5'</script>`},
		{"template literal", "<script>a = `x${ {{ q }} }y{{ '`${x}' }}`; b = {{ n }}</script>", "<script>a = `x${ \"a b\\u0026c=d\\/e?f#g\" }y\\u0060\\u0024\\u007bx\\u007d`; b =  -5 </script>"},
		{"nested literals", "<script>a = `${ `${ {a: 1}.a }{{ e }}` + {{ n }} }{{ '`' }}`</script>", "<script>a = `${ `${ {a: 1}.a }` +  -5  }\\u0060`</script>"},
		{"regular expression", `<script>a = /^{{ '/.*[' }}$/.test({{ n }}); b = x / {{ n }} / 2</script>`, `<script>a = /^\/\u002e\u002a\u005b$/.test( -5 ); b = x /  -5  / 2</script>`},
		{"script comments", "<script>// it's {{ t }}\na = {{ n }} /* \" {{ t }} */ + {{ n }}</script>", "<script>// it's \na =  -5  /* \"  */ +  -5 </script>"},
		{"script html comment", "<script><!-- '{{ t }}\na = {{ n }}\n//--></script>", "<script><!-- '\na =  -5 \n//--></script>"},
		{"module", `<script type="module">a = {{ q }}</script>`, `<script type="module">a = "a b\u0026c=d\/e?f#g"</script>`},
		{"json script", `<script type="application/ld+json">{"a": {{ q }}, "b": "{{ t }}"}</script>`, `<script type="application/ld+json">{"a": "a b\u0026c=d\/e?f#g", "b": "\u003ci onclick\u003d\u0022a\u0022\u003eO\u0027Reilly \u0026 \u0022Söhne\u0022\u003c\/i\u003e"}</script>`},
		{"template script", `<script type="text/template"><a href="{{ j }}">{{ t }}</a></script>{{ s }}`, `<script type="text/template"><a href="#blocked">&lt;i onclick=&#34;a&#34;&gt;O&#39;Reilly &amp; &#34;Söhne&#34;&lt;/i&gt;</a></script><b title='1 > 0'>bold &amp; "brave"</b>`},
		{"svg script", `<svg><script>a = {{ q }}</script></svg>{{ n }}`, `<svg><script>a = "a b\u0026c=d\/e?f#g"</script></svg>-5`},
		{"svg title", `<svg><title><a href="{{ j }}">{{ t }}</a></title></svg>`, `<svg><title><a href="#blocked">&lt;i onclick=&#34;a&#34;&gt;O&#39;Reilly &amp; &#34;Söhne&#34;&lt;/i&gt;</a></title></svg>`},
		{"json_script", `{{ m|json_script("d") }}`, `<script id="d" type="application/json">{"k": "\u003c!--"}</script>`},
		{"end tag across tags", `<script>a = {{ n }}</scr{# #}ipt>{{ s }}`, `<script>a =  -5 </script><b title='1 > 0'>bold &amp; "brave"</b>`},

		{"style value", `<style>p { color: {{ k }}; width: {{ f }}px }</style>`, `<style>p { color: #ff0000; width: 1.5px }</style>`},
		{"style value blocked", `<style>p { color: {{ c }} }</style>`, `<style>p { color: blocked }</style>`},
		{"style attribute", `<p style="color: {{ k }}; font: '{{ t }}'">`, `<p style="color: #ff0000; font: '\3c i onclick=\22 a\22 \3e O\27 Reilly \26  \22 Söhne\22 \3c \2f i\3e '">`},
		{"style address", `<p style="background: url({{ j }})">`, `<p style="background: url(#blocked)">`},
		{"style address in quotes", `<style>p { background: url("/i/{{ 'a")b' }}.png") }</style>`, `<style>p { background: url("/i/a%22%29b.png") }</style>`},
		{"style import", `<style>@import "{{ j }}";</style>`, `<style>@import "#blocked";</style>`},
		{"style comment", `<style>/* ' {{ t }} */ p { color: {{ k }} }</style>`, `<style>/* '  */ p { color: #ff0000 }</style>`},
		{"trusted style", `<p style="background: {{ C }}">`, `<p style="background: url(/x.png)">`},

		{"comment", `<!-- {{ t }} -->{{ n }}`, `<!--  -->-5`},
		{"comment, abrupt", `<!-->{{ n }}<!--->{{ n }}`, `<!-->-5<!--->-5`},
		{"doctype", `<!doctype html>{{ n }}`, `<!doctype html>-5`},
		{"srcdoc", `<iframe srcdoc="{{ t }}"></iframe>`, `<iframe srcdoc="&amp;lt;i onclick=&amp;#34;a&amp;#34;&amp;gt;O&amp;#39;Reilly &amp;amp; &amp;#34;Söhne&amp;#34;&amp;lt;/i&amp;gt;"></iframe>`},
		{"srcdoc, safe", `<iframe srcdoc="{{ s }}"></iframe>`, `<iframe srcdoc="&lt;b title=&#39;1 &gt; 0&#39;&gt;bold &amp;amp; &#34;brave&#34;&lt;/b&gt;"></iframe>`},

		{"autoescape off", `{% autoescape false %}<a href="{{ j }}" title={{ t }}>{% endautoescape %}{{ t|length }}`, `<a href="javascript:alert(1)" title=<i onclick="a">O'Reilly & "Söhne"</i>>37`},
		{"autoescape by a value", `{% autoescape b %}<a href="{{ j }}">{% endautoescape %}{% autoescape z %}<a href="{{ j }}">{% endautoescape %}`, `<a href="#blocked"><a href="javascript:alert(1)">`},
		{"set block", `{% set x %}<b>{{ n }}</b>{% endset %}<a title="{{ x }}">{{ x }}</a>`, `<a title="-5"><b>-5</b></a>`},
		{"macro", `{% macro m(x) %}<b>{{ x }}</b>{% endmacro %}<a title="{{ m('"') }}">{{ m('"') }}</a><script>{{ m(1) }}</script>`, `<a title="&#34;"><b>&#34;</b></a><script>"\u003cb\u003e1\u003c\/b\u003e"</script>`},
		{"call", `{% macro m() %}<b>{{ caller() }}</b>{% endmacro %}{% call m() %}{{ t|truncate(5, true) }}{% endcall %}<a title="{% call m() %}x{% endcall %}">`, `<b>&lt;i...</b><a title="x">`},
		{"filter block", `{% filter upper %}<b>{{ 'a&b' }}</b>{% endfilter %}{% filter striptags %}{{ '<script>' }}{% endfilter %}`, `<B>A&AMP;B</B>&lt;script&gt;`},
		{"loop", `<a{% for i in [1, 2] %} x{{ i }}y="{{ i }}"{% endfor %}>`, ``},
		{"loop in a script", `<script>a = [{% for i in l %}{{ i }},{% endfor %}];</script>`, `<script>a = ["\u003c\/script\u003e", 1 , null ,];</script>`},
		{"recursive loop in a script", `<script>a = [{% for i in [[1, []], [2, [[3, []]]]] recursive %}{n: {{ i[0] }}, k: [{{ loop(i[1]) }}]},{% endfor %}];</script>`, `<script>a = [{n:  1 , k: []},{n:  2 , k: [{n:  3 , k: []},]},];</script>`},
		{"break", `<script>a = [{% for i in [1, 2, 3] %}{% if i == 2 %}{% break %}{% endif %}{{ i }},{% endfor %}];</script>`, `<script>a = [ 1 ,];</script>`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if c.want == "" {
				if _, err := e.FromString(c.source); err == nil {
					t.Errorf("%s: no error", c.source)
				}
				return
			}
			if got := renderContextual(t, e, c.source, hostile); got != c.want {
				t.Errorf("%s\n got %s\nwant %s", c.source, got, c.want)
			}
		})
	}
}

func TestContextualRefuses(t *testing.T) {
	t.Parallel()
	e := contextualEngine(t, nil)
	for _, c := range [...]struct{ source, want string }{
		{`<{{ x }}>`, "1:5: a value cannot be the name of a tag"},
		{`</{{ x }}>`, "cannot be the name of a tag"},
		{`<h{{ x }}>`, "directly behind a name in a tag"},
		{`<a hr{{ x }}="1">`, "cannot be the end of an attribute's name"},
		{`<a {{ x }}{{ y }}>`, "directly behind a name in a tag"},
		{`<a {{ x }}foo>`, "put a space between them"},
		{`<a href={{ x }}b>`, "put quotes around"},
		{`<a href={{ x }}{{ y }}>`, "put quotes around"},
		{`a <`, "ends inside the name of a tag"},
		{`<a title="{{ x }}>`, "ends inside an attribute"},
		{`<script>a = {{ x }}`, "ends inside a script"},
		{`<!-- {{ x }}`, "ends inside a comment"},
		{`<a {% if x %}href="{% endif %}{{ y }}">`, "the if of line 1 ends in an attribute that holds an address, leaving it out ends in a tag"},
		{"{% if x %}\n<script>\n{% else %}<b>{% endif %}", "the if of line 1 ends in a script, the else ends in text"},
		{"{% for i in x %}<a title=\"{% endfor %}", "a round of this loop begins in text and ends in an attribute"},
		{`<a {% if x %}href{% else %}title{% endif %}="{{ y }}">`, "depends on the tags of the template before it"},
		{`<script type="{{ x }}">`, "the type of a script decides"},
		{`<script type="{% if x %}module{% endif %}">{{ y }}</script>`, "the type of the script decides"},
		{`<meta http-equiv="{{ x }}">`, "http-equiv decides"},
		{`<a href="javascript:go({{ x }})">`, "begins with javascript:"},
		{`<a href="data:text/html,{{ x }}">`, "begins with javascript:, data:"},
		{`<a href="{{ x }}:{{ y }}">`, "cannot be the scheme of an address"},
		{`<a href="/a{% if x %}?b{% endif %}{{ y }}">`, "depends on the tags before it whether this value stands in the path or in the query"},
		{`<iframe srcdoc="<a href='{{ x }}'>"></iframe>`, "cannot stand inside the HTML of a srcdoc attribute"},
		{"<script>a = 'x\n{{ x }}</script>", "a string before it is not closed"},
		{`<script>a = 'x\{{ x }}'</script>`, "a string before it is not closed"},
		{"<script>if (a) /'/.test(b); c = {{ x }}</script>", "a / before it may begin a regular expression"},
		{`<script><!-- "<script>" {{ x }}</script>`, "both <!-- and <script"},
		{`<title>a <{{ x }}</title>`, "may begin an end tag"},
		{`{% macro m() %}<a title="{% endmacro %}`, "the macro ends inside an attribute"},
		{`{% set x %}<a {% endset %}`, "the block of set ends inside a tag"},
		{`<script>{% filter upper %}{{ x }}{% endfilter %}</script>`, "a filter block cannot stand in a script"},
	} {
		t.Run(c.source, func(t *testing.T) {
			t.Parallel()
			_, err := e.FromString(c.source)
			if err == nil {
				t.Fatal("no error")
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

// Text without printed values may be as it likes.
func TestContextualAcceptsWhatIsNotPrintedInto(t *testing.T) {
	t.Parallel()
	e := contextualEngine(t, nil)
	for _, source := range []string{
		"<script>if (a) /'/.test(b); c = 'x\n</script>{{ x }}",
		"<script type='{% if x %}module{% endif %}'>a = 1</script>",
		"<a href='javascript:go()'>{{ x }}</a>",
		"<a b\"c' d=e/>{{ x }}",
		"<iframe srcdoc=\"<a href='x'>\"></iframe>{{ x }}",
		"<![CDATA[ a > b ]]>{{ x }}",
		"<?xml version='1.0'?><rss><title>{{ x }}</title></rss>",
		"<input {% if x %}checked{% endif %} {% if x %}disabled{% endif %}>{{ x }}",
		"<div class='{% if x %}a{% else %}b{% endif %}' {% if x %}id='{{ x }}'{% endif %}>",
	} {
		if _, err := e.FromString(source); err != nil {
			t.Errorf("%s: %v", source, err)
		}
	}
}

func TestContextualParts(t *testing.T) {
	t.Parallel()
	for _, c := range [...]struct {
		name  string
		files map[string]string
		want  string // empty: an error
	}{
		{"blocks stand where the parent has them", map[string]string{
			"base.html": `<title>{% block title %}{% endblock %}</title><script>var x = {% block js %}1{% endblock %};</script><a href="{% block url %}/{% endblock %}" {% block attrs %}{% endblock %}>{% block body %}{% endblock %}</a>`,
			"page.html": `{% extends "base.html" %}{% block title %}{{ t }}{% endblock %}{% block js %}{{ t }}{% endblock %}{% block url %}{{ j }}{% endblock %}{% block attrs %}class="{{ t }}" checked{% endblock %}{% block body %}{{ t }}{% endblock %}`,
		}, `<title>&lt;&#34;</title><script>var x = "\u003c\"";</script><a href="#blocked" class="&lt;&#34;" checked>&lt;&#34;</a>`},
		{"one block in two places", map[string]string{
			"base.html": `<script>a = "{% block b %}{{ t }}{% endblock %}"</script>{{ self.b() }}`,
			"page.html": `{% extends "base.html" %}{% block b %}{{ t }}{{ super() }}{% endblock %}`,
		}, `<script>a = "\u003c\u0022\u003c\u0022"</script>&lt;&#34;&lt;&#34;`},
		{"self in a script", map[string]string{
			"page.html": `{% block b %}{{ t }}{% endblock %}<script>a = [{{ self.b() }}]</script>`,
		}, `&lt;&#34;<script>a = ["\u003c\""]</script>`},
		{"super.super", map[string]string{
			"root.html": `<script>{% block b %}{{ t }}{% endblock %}</script>`,
			"base.html": `{% extends "root.html" %}{% block b %}x{% endblock %}`,
			"page.html": `{% extends "base.html" %}{% block b %}{{ super.super() }};{{ super() }}{% endblock %}`,
		}, `<script>"\u003c\"";x</script>`},
		{"nested blocks", map[string]string{
			"base.html": `<script>{% block a %}{% endblock %}</script>`,
			"page.html": `{% extends "base.html" %}{% block a %}f({% block b %}{{ t }}{% endblock %}){% endblock %}`,
		}, `<script>f("\u003c\"")</script>`},
		{"a block that does not fit", map[string]string{
			"base.html": `<a title="{% block a %}{% endblock %}">`,
			"page.html": `{% extends "base.html" %}{% block a %}{{ t }}"{% endblock %}`,
		}, ``},
		{"include", map[string]string{
			"part.js":   `f({{ t }});`,
			"part.html": `<b>{{ t }}</b>`,
			"part.txt":  `{{ t }}`,
			"attr.html": ` title="{{ t }}"`,
			"page.html": `{% include "part.html" %}{% include "part.txt" %}<script>{% include "part.js" %}"{% include "part.txt" %}"</script><p{% include "attr.html" %}>`,
		}, `<b>&lt;&#34;</b>&lt;&#34;<script>f("\u003c\"");"\u003c\u0022"</script><p title="&lt;&#34;">`},
		{"include without context", map[string]string{
			"part.js":   `f({{ 1 }}, {{ t }});`,
			"page.html": `<script>{% include "part.js" without context %}</script>`,
		}, `<script>f( 1 , null);</script>`},
		{"include in a loop and recursion", map[string]string{
			"tree.js":   `{n: {{ n.v }}, k: [{% for n in n.k %}{% include "tree.js" %},{% endfor %}]}`,
			"page.html": `<script>{% with n = tree %}{% include "tree.js" %}{% endwith %}</script>`,
		}, `<script>{n: "a\u003c", k: [{n: "b\u003c", k: []},]}</script>`},
		{"an include that does not fit", map[string]string{
			"part.html": `<a title="`,
			"page.html": `{% include "part.html" %}">`,
		}, ``},
		{"extends and include", map[string]string{
			"base.js":   `{% block a %}{% endblock %};{{ t }}`,
			"part.js":   `{% extends "base.js" %}{% block a %}{{ t }}{% endblock %}`,
			"page.html": `<script>{% include "part.js" %}</script>`,
		}, `<script>"\u003c\"";"\u003c\""</script>`},
		{"imported macros", map[string]string{
			"m.html":    `{% macro link(u) %}<a href="{{ u }}">{{ caller() if caller else u }}</a>{% endmacro %}`,
			"page.html": `{% import "m.html" as m %}{% from "m.html" import link %}{{ m.link(j) }}{% call link(t) %}{{ t }}{% endcall %}<p title="{{ link(t) }}">`,
		}, `<a href="#blocked">javascript:x</a><a href="%3C%22">&lt;&#34;</a><p title="&lt;&#34;">`},
		{"dynamic extends", map[string]string{
			"base.html": `<script>{% block a %}{% endblock %}</script>`,
			"page.html": `{% extends which %}{% block a %}{{ t }}{% endblock %}`,
		}, `<script>"\u003c\""</script>`},
		{"a part that is no page", map[string]string{
			"part.html": `</script>{{ t }}`,
			"page.html": `<script>{% include "part.html" %}<script></script>`,
		}, ``},
		{"scoped block in a loop", map[string]string{
			"base.html": `<script>{% for i in [1, 2] %}{% block a scoped %}{% endblock %};{% endfor %}</script>`,
			"page.html": `{% extends "base.html" %}{% block a %}{{ i }}{{ t }}{% endblock %}`,
		}, `<script> 1 "\u003c\""; 2 "\u003c\"";</script>`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := contextualEngine(t, c.files)
			page, err := e.Get("page.html")
			var out []byte
			if err == nil {
				out, err = page.Append(nil, template.Execution{Data: map[string]any{
					"t": `<"`, "j": "javascript:x", "which": "base.html",
					"tree": map[string]any{"v": "a<", "k": []any{map[string]any{"v": "b<", "k": []any{}}}},
				}})
			}
			if c.want == "" {
				if err == nil {
					t.Errorf("no error, but %s", out)
				} else {
					t.Log(err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if string(out) != c.want {
				t.Errorf("\n got %s\nwant %s", out, c.want)
			}
		})
	}
}
