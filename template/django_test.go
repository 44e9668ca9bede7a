package template

import (
	"context"
	"errors"
	"testing"
	"time"
)

var django = Options{
	Extensions: Extensions{Django: true},
	Now:        func() time.Time { return time.Date(2024, 3, 5, 14, 7, 9, 0, time.UTC) },
	Loader: Map(map[string]string{
		"parts.html":  "{% set shop = 'S' %}a{% partialdef cart %}[{{ shop }}{{ n }}]{% endpartialdef %}b{% partialdef card inline %}<{{ n }}>{% endpartialdef card %}{% partial cart %}",
		"cycle.html":  "{{ abc }}",
		"show.html":   "{{ a }}/{{ b }}/{{ outer }}",
		"child.html":  "{% extends 'parent.html' %}{% partialdef x %}x{{ n }}{% endpartialdef %}{% block body %}{% partial x %}!{% endblock %}",
		"parent.html": "<{% block body %}{% endblock %}>",
	}),
}

func TestDjangoTags(t *testing.T) {
	t.Parallel()
	data := map[string]any{
		"n": 3, "xs": []int{1, 1, 2, 2, 1}, "evil": "<", "request": map[string]any{"query": map[string][]string{"page": {"2"}, "q": {"a b"}, "tag": {"x", "y"}}},
		"cities": []map[string]any{{"name": "A", "in": map[string]string{"country": "I"}}, {"name": "B", "in": map[string]string{"country": "I"}}, {"name": "C", "in": map[string]string{"country": "U"}}},
	}
	for _, c := range []struct{ src, want string }{
		{"{% for x in xs %}{% cycle 'a' \"b\" evil %}{% endfor %}", "ab&lt;ab"},
		{"{% for x in xs %}{% cycle 'a' 'b' as c %}{{ c }}{% endfor %}", "aabbaabbaa"},
		{"{% cycle 'a' 'b' 'c' as c silent %}{{ c }}{% cycle c %}{{ c }}{% cycle c %}{{ c }}", "abc"},
		{"{% for x in xs %}{% for y in [1, 2, 3] %}{% cycle 'a' 'b' %}{% endfor %}{% resetcycle %}|{% endfor %}", "aba|aba|aba|aba|aba|"},
		{"{% for x in xs %}{% cycle 'a' 'b' as c %}{% if x == 2 %}{% resetcycle c %}{% endif %}{% endfor %}", "abaaa"},
		{"{% for x in xs %}{% include part %}{% endfor %}", "aaaaa"},
		{"{% firstof none 0 '' missing n 'z' %}|{% firstof none as v %}{{ v }}|{% firstof evil %}", "3||&lt;"},
		{"{% for x in xs %}{% ifchanged x %}({{ x }}){% else %}.{% endifchanged %}{% endfor %}", "(1).(2).(1)"},
		{"{% for x in xs %}{% ifchanged %}<b>{{ x }}</b>{% endifchanged %}{% ifchanged (x > 9) %}!{% endifchanged %}{% endfor %}", "<b>1</b>!<b>2</b><b>1</b>"},
		{"{% for a in [1, 2] %}{% for x in [5, 5] %}{% ifchanged x %}{{ x }}{% endifchanged %}{% endfor %};{% endfor %}", "5;5;"},
		{"{% regroup cities by in.country as cs %}{% for c in cs %}{{ c.grouper }}:{% for x in c.list %}{{ x.name }}{% endfor %};{% endfor %}{% for k, l in cs %}{{ k }}{{ l|length }}{% endfor %}", "I:AB;U:C;I2U1"},
		{"{% querystring page=3 %} {% querystring page=none q=none tag=none %} {% querystring tag=['z'] page=none as u %}{{ u }}", "?page=3&amp;q=a+b&amp;tag=x&amp;tag=y ? ?q=a+b&amp;tag=z"},
		{"{% querystring {'a': 1} {'b': [1, 2]} c='&' %}", "?a=1&amp;b=1&amp;b=2&amp;c=%26"},
		{"{% now 'jS F Y, H:i' %}|{% now 'Y' as y %}{{ y }}|{% now '%d.%m.' %}|{% now 'SHORT_DATE_FORMAT' %}", "5th March 2024, 14:07|2024|05.03.|03/05/2024"},
		{"{% spaceless %}\n <p>\n  <a>x y</a> \n</p> {{ evil }} <i> </i>\n{% endspaceless %}", "<p><a>x y</a></p> &lt; <i></i>"},
		{"{% widthratio 175 200 100 %} {% widthratio 1 0 9 %} {% widthratio 'x' 1 1 %} {% widthratio n 6 -10 as w %}{{ w + 1 }}", "88 0  -4"},
		{"{% templatetag openblock %}{% templatetag closevariable %}{% templatetag opencomment %}", "{%}}{#"},
		{"{% lorem 3 w %}|{% lorem 0 %}|{{ lorem }}", "lorem ipsum dolor||"},
		{"{% verbatim %}{{ x }}{% if %}{% endverbatim %}{% verbatim v %}{% endverbatim %}{% endverbatim v %}", "{{ x }}{% if %}{% endverbatim %}"},
		{"a{% comment %}{{ x }{% nonsense {% endcomment %}b{% comment \"note\" %}{% endcomment %}c", "abc"},
		{"{% for x in [] %}x{% empty %}none{% endfor %}{% with a=1 b=2 %}{{ a }}{{ b }}{% endwith %}{% autoescape off %}{{ evil }}{% endautoescape %}{% autoescape on %}{{ evil }}{% endautoescape %}", "none12<&lt;"},
		{"{% set outer = 'o' %}{% include 'show.html' with a=1 b=evil %} {% include 'show.html' with a=n only %} {% include 'show.html' only %} {% include 'show.html' with context %}", "1/&lt;/o 3// // //o"},
		{"{% include 'parts.html' %} {% for n in [7, 8] %}{% include 'parts.html#cart' %}{% endfor %}", "ab<3>[S3] [S7][S8]"},
		{"{% partialdef row %}{{ x }},{% endpartialdef %}{% for x in xs %}{% partial row %}{% endfor %}", "1,1,2,2,1,"},
		{"{% cache 60 'side' n %}{{ n }}{% endcache %}", "3"},
		{"{% include 'child.html' %}{% include 'child.html#x' %}{% include 'child.html#body' %}", "<x3!>x3x3!"},
	} {
		data["part"] = mustInline(t, "{% cycle 'a' 'b' %}")
		wantRender(t, django, c.src, data, c.want)
	}
	for src, want := range map[string]string{
		"{% cycle %}": "cycle needs values", "{% resetcycle %}": "needs a cycle before", "{% resetcycle x %}": "no cycle is named 'x'", "{% ifchanged %}{% endifchanged %}": "belongs into a loop",
		"{% regroup x by y %}": "needs a name", "{% templatetag x %}": "knows openblock", "{% partial nix %}": "no partial named 'nix'", "{% load humanize %}": "not needed",
		"{% cache 5 %}{% endcache %}": "needs a number of seconds", "{% spaceless %}": "needs 'endspaceless'", "{% comment %}x": "missing end",
	} {
		wantError(t, django, src, nil, Syntax, want)
	}
	wantError(t, Options{}, "{% ifchanged x %}{% endifchanged %}", nil, Syntax, "Options.Extensions.Django")
	wantError(t, Options{}, "{{ x|slugify }}", nil, Syntax, "Options.Extensions.Django")
}

func mustInline(t *testing.T, src string) *Template {
	t.Helper()
	tpl, err := mustEngine(t, django).FromString(src)
	if err != nil {
		t.Fatal(err)
	}
	return tpl
}

func TestParts(t *testing.T) {
	t.Parallel()
	e := mustEngine(t, django)
	part, err := e.Get("parts.html#cart")
	if err != nil {
		t.Fatal(err)
	}
	if out, err := part.Append([]byte("x"), Execution{Data: map[string]any{"n": 1}}); err != nil || string(out) != "x[S1]" {
		t.Errorf("%s, %v", out, err)
	}
	_, err = e.Get("parts.html#card2")
	if te, ok := errors.AsType[*Error](err); !ok || te.Kind != NotFound || te.Message != "the template has no block or partial 'card2'; did you mean 'card'?" {
		t.Error(err)
	}
}

// fragments is a cache of one entry per key.
type fragments struct {
	kept  map[string]string
	times []time.Duration
}

func (f *fragments) Fragment(_ context.Context, key string, ttl time.Duration, render func() (string, error)) (string, error) {
	if s, ok := f.kept[key]; ok {
		return s, nil
	}
	s, err := render()
	if err == nil {
		f.kept[key] = s
		f.times = append(f.times, ttl)
	}
	return s, err
}

func TestCacheTag(t *testing.T) {
	t.Parallel()
	cache := &fragments{kept: map[string]string{}}
	o := Options{Extensions: Extensions{Django: true}, FragmentCache: cache}
	e := mustEngine(t, o)
	tpl, err := e.FromString("{% cache 300 'side' user %}{{ user }}{{ n }}{% endcache %}")
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"&lt;a0", "&lt;a0", "b2"} {
		user := []string{"<a", "<a", "b"}[i]
		out, err := tpl.Append(nil, Execution{Data: map[string]any{"user": user, "n": i}})
		if err != nil || string(out) != want {
			t.Errorf("got %s, %v", out, err)
		}
	}
	if len(cache.times) != 2 || cache.times[0] != 300*time.Second {
		t.Error(cache.times)
	}
	wantError(t, o, "{% cache 1 'x' %}{{ missing.a }}{% endcache %}", nil, Undefined, "'missing' is undefined")
	if len(cache.kept) != 2 {
		t.Error("a failed render is kept")
	}
}

// The outcomes are those that Django's documentation and its own rules give.
func TestMoreDjangoFilters(t *testing.T) {
	t.Parallel()
	data := map[string]any{
		"at": time.Date(2024, 2, 29, 0, 5, 9, 12345000, time.FixedZone("CET", 3600)), "day": time.Date(2024, 3, 5, 1, 0, 0, 0, time.UTC),
		"html": "<p>Joel is a <b>sl<i>ug</i></b> &amp; more</p>", "list": []any{"States", []any{"<Kansas>", []any{"Lawrence"}, "Illinois"}},
	}
	for _, c := range []struct{ src, want string }{
		{"{{ at|date('a A b c d D e E f F g G h H') }}", "a.m. AM feb 2024-02-29T00:05:09.012345+01:00 29 Thu CET February 12:05 February 12 0 12 00"},
		{"{{ at|date('i I j l L m M n N o O P r s S') }}", "05 0 29 Thursday True 02 Feb 2 Feb. 2024 +0100 12:05 a.m. Thu, 29 Feb 2024 00:05:09 +0100 09 th"},
		{"{{ at|date('t T u U w W y Y z Z \\\\Y') }}", "29 CET 012345 1709161509 4 9 24 2024 60 3600 Y"},
		{"{{ day|time }} {{ day|time('H:i') }} {{ day|date('SHORT_DATETIME_FORMAT') }} {{ day|naturalday }} {{ at|naturalday('Y') }}", "1 a.m. 01:00 03/05/2024 1 a.m. today 2024"},
		{"{{ '2024-03-05T07:08'|date('j H:i') }} {{ '2024-03-05 07:08'|time }} {{ '2024-03-05T07:08:09'|date('s') }} {{ '2024-03-05'|date('j') }}", "5 07:08 7:08 a.m. 09 5"},
		{"{{ at|utc|date('H:i') }} {{ at|timezone('Asia/Tokyo')|date('H:i e') }}", "23:05 08:05 JST"},
		{"{{ 4|add('2') }} {{ 'a'|add('b') }} {{ [1]|add([2]) }} {{ 'a'|add(2) }}| {{ '4'|add(2.9) }}", "6 ab [1, 2] | 6"},
		{"{{ 'I\\'m \"x\"'|addslashes|safe }} {{ 'xY'|capfirst }} {{ 'a b c'|cut(' ') }} {{ 21|divisibleby(7) }}", `I\'m \"x\" XY abc True`},
		{"{{ 'a</script>\\n\\'='|escapejs }}", `a\u003C/script\u003E\u000A\u0027\u003D`},
		{"{{ ['<', '>'|safe]|escapeseq|join(', ') }} {{ ['<']|safeseq|join }} {{ '<'|force_escape }}", "&lt;, > < &lt;"},
		{"{{ 34.23234|floatformat('3g') }} {{ 34232.34|floatformat('2g') }} {{ 34232.00|floatformat('-3g') }} {{ 66666.666|floatformat('2u') }} {{ '12345678901234567890.125'|floatformat(2) }} {{ 0.1|floatformat('0') }}", "34.232 34,232.34 34,232 66666.67 12345678901234567890.13 0"},
		{"{{ 123456789|get_digit(2) }} {{ 'x'|get_digit(1) }} {{ 12|get_digit(9) }} {{ '/é?a=b c'|iriencode }}", "8 x 0 /%C3%A9?a=b%20c"},
		{"{{ 'a\\n<b'|linenumbers }}|{{ 'ab'|ljust(4) }}|{{ 'ab'|rjust(4) }}| {{ 'ab'|make_list }} {{ 12|make_list }}", "1. a\n2. &lt;b|ab  |  ab| [&#39;a&#39;, &#39;b&#39;] [&#39;1&#39;, &#39;2&#39;]"},
		{"{{ '800-COLLECT'|phone2numeric }} {{ 5|stringformat('03d') }} {{ 'x'|stringformat('d') }}| {{ 'http://example.com/long'|urlizetrunc(12) }}", "800-2655328 005 | <a href=\"http://example.com/long\" rel=\"noopener\">http://examp...</a>"},
		{"{{ 'Joel is a slug'|truncatechars(7) }}|{{ 'Joel'|truncatechars(4) }}|{{ 'Joel'|truncatechars(0) }}", "Joel i…|Joel|"},
		{"{{ html|truncatewords_html(4)|safe }} {{ html|truncatewords_html(9)|safe }}", "<p>Joel is a <b>sl …</b></p> <p>Joel is a <b>sl<i>ug</i></b> &amp; more</p>"},
		{"{{ html|truncatechars_html(14)|safe }} {{ html|truncatechars_html(17, '')|safe }} {{ '<br>ab<!-- x > -->c &lt'|truncatechars_html(3)|safe }}", "<p>Joel is a <b>sl<i>u…</i></b></p> <p>Joel is a <b>sl<i>ug</i></b> &amp; </p> <br>ab…"},
		{"{{ list|unordered_list }}", "\t<li>States\n\t<ul>\n\t\t<li>&lt;Kansas&gt;\n\t\t<ul>\n\t\t\t<li>Lawrence</li>\n\t\t</ul>\n\t\t</li>\n\t\t<li>Illinois</li>\n\t</ul>\n\t</li>"},
		{"{{ 1000000|intword }} {{ 1200000|intword }} {{ 999999|intword }} {{ 999999.9|intword }} {{ 999950000|intword }} {{ 1200000000|intword }} {{ -2500000|intword }} {{ 'x'|intword }}", "1.0 million 1.2 million 999999 999999.9 1.0 billion 1.2 billion -2.5 million x"},
		{"{{ 1|ordinal }} {{ 2|ordinal }} {{ 3|ordinal }} {{ 11|ordinal }} {{ 112|ordinal }} {{ 23|ordinal }} {{ -1|ordinal }} {{ 100|ordinal }} {{ 'x'|ordinal }} {{ 5|apnumber }} {{ 10|apnumber }} {{ 0|apnumber }} {{ 9.9|apnumber }} {{ -3|apnumber }} {{ 4500.2|intcomma }} {{ 'abc'|intcomma }}", "1st 2nd 3rd 11th 112th 23rd -1 100th x five 10 0 nine -3 4,500.2 abc"},
		{"{{ [{'a': 1}, {'a': 3}]|dictsortreversed('a') }} {{ 1234567.5|localize }} {{ 1234.5|unlocalize }} {{ true|add(1) }}", "[{&#39;a&#39;: 3}, {&#39;a&#39;: 1}] 1,234,567.5 1234.5 2"},
	} {
		wantRender(t, django, c.src, data, c.want)
	}
}

type german struct{}

func (german) DateFormat(_ context.Context, name string) string {
	return map[string]string{"DATE_FORMAT": "j. F Y"}[name]
}

func (german) Number(_ context.Context, digits string, group bool) string {
	if group {
		return "grouped " + digits
	}
	return digits + " plain"
}

func TestLocalizer(t *testing.T) {
	t.Parallel()
	o := Options{Extensions: Extensions{Django: true}, Localizer: german{}, Location: time.FixedZone("X", 7200)}
	at := time.Date(2024, 3, 5, 23, 0, 0, 0, time.UTC)
	wantRender(t, o, "{{ at|date }} {{ at|date('H') }} {{ 1.5|floatformat(2) }} {{ 1234|intcomma }} {{ 1.5|floatformat('2u') }} {{ (at|localtime).hour }}", map[string]any{"at": at},
		"6. March 2024 01 1.50 plain grouped 1234 1.50 1")
}

// Partials and tags keep to the place they are printed in.
func TestDjangoTagsAreContextual(t *testing.T) {
	t.Parallel()
	o := django
	o.Contextual = true
	data := map[string]any{"xs": []string{"javascript:1", "/a?b&c"}, "evil": "<'"}
	for _, c := range []struct{ src, want string }{
		{"{% partialdef link %}<a href='{{ x }}'>{% endpartialdef %}{% for x in xs %}{% partial link %}{% endfor %}", "<a href='#blocked'><a href='/a?b&amp;c'>"},
		{"<script>var x = {% firstof none evil %};</script><p title='{% cycle evil 'b' %}'>{% firstof evil %}", "<script>var x = \"\\u003c\\u0027\";</script><p title='&lt;&#39;'>&lt;&#39;"},
		{"<a href='{% querystring {'a': evil} %}'>", "<a href='?a=%3C%27'>"},
		{"{% spaceless %} <p> {{ evil }} </p> {% endspaceless %}", "<p> &lt;&#39; </p>"},
	} {
		wantRender(t, o, c.src, data, c.want)
	}
	wantError(t, o, "{% partialdef x %}<a href='{% endpartialdef %}", nil, Syntax, "the partial ends inside")
}

// Corners that Django's own tests look into.
func TestCornersOfDjango(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	data := map[string]any{
		"fall": time.Date(2024, 10, 27, 0, 55, 0, 0, time.UTC).In(berlin), "later": time.Date(2024, 10, 27, 2, 5, 0, 0, time.UTC).In(berlin),
		"spring": time.Date(2025, 3, 30, 0, 55, 0, 0, time.UTC).In(berlin), "summer": time.Date(2025, 3, 30, 1, 5, 0, 0, time.UTC).In(berlin),
		"birthday": time.Date(1979, 7, 8, 22, 0, 0, 0, time.UTC), "qd": nil, "my": map[string]int{"a": 1, "b": 2}, "h": Safe(`<p>one <a href="#">two - three <br>four</a> five</p>`), "c": Safe("<i>Buenos d&iacute;as! &#x00bf;C&oacute;mo est&aacute;?</i>"),
	}
	for _, c := range []struct{ src, want string }{
		{"{{ 7.7|floatformat }} {{ 7.0|floatformat }} {{ 0.7|floatformat }} {{ -0.7|floatformat }} {{ 0.07|floatformat }} {{ -0.07|floatformat }} {{ 0.007|floatformat }} {{ 0.0|floatformat }} {{ 7.7|floatformat(0) }} {{ 7.7|floatformat(3) }}", "7.7 7 0.7 -0.7 0.1 -0.1 0.0 0 8 7.700"},
		{"{{ 6.2|floatformat(-3) }} {{ 13.1031|floatformat(-3) }} {{ 11.1197|floatformat(-2) }} {{ 11.0|floatformat(-2) }} {{ 11.000001|floatformat(-2) }} {{ 5555.555|floatformat(2) }} {{ 0.12345|floatformat(2) }}", "6.200 13.103 11.12 11 11.00 5555.56 0.12"},
		{"{{ '123456.123456789012345678901'|floatformat(21) }} {{ 18.125|floatformat(2) }} {{ 1.5e-15|floatformat(20) }} {{ 1.5e-15|floatformat(-20) }}", "123456.123456789012345678901 18.13 0.00000000000000150000 0.00000000000000150000"},
		{"{{ (0-1.323297138040798e35)|floatformat(2) }} {{ (0-1.323297138040798e35)|floatformat(-2) }}", "-132329713804079800000000000000000000.00 -132329713804079800000000000000000000"},
		{"{{ none|floatformat }}|{{ []|floatformat }}|{{ 'abc'|floatformat }}|{{ '1e'|floatformat }}|{{ '1e2e3'|floatformat }}|{{ '1+e2'|floatformat }}", "|||||"},
		{"{{ 10000|floatformat('g') }} {{ 66666.666|floatformat('1g') }} {{ 0|floatformat(6) }} {{ 0.000000000000000000015|floatformat(20) }} {{ '0.00'|floatformat(0) }} {{ '0.0000'|floatformat(2) }}", "10,000 66,666.7 0.000000 0.00000000000000000002 0 0.00"},
		{"{{ -0.01|floatformat }} {{ -0.001|floatformat(2) }} {{ -0.499|floatformat(0) }}", "0.0 0.00 0"},
		{"{% querystring qd %}|{% querystring a=my %}|{% querystring {} a=[2,3] %}", "?|?a=a&amp;a=b|?a=2&amp;a=3"},
		{"{{ h|truncatewords_html(0) }}|{{ h|truncatewords_html(2) }}|{{ c|truncatewords_html(3) }}", `|<p>one <a href="#">two …</a></p>|<i>Buenos d&iacute;as! &#x00bf;C&oacute;mo …</i>`},
		{"{{ 0.5|pluralize }}{{ [1]|pluralize }}{{ []|pluralize }}{{ '1'|pluralize }}", "ss"},
		{"{{ ['item 1', ['item 1.1', 'item1.2'], 'item 2']|unordered_list }}", "\t<li>item 1\n\t<ul>\n\t\t<li>item 1.1</li>\n\t\t<li>item1.2</li>\n\t</ul>\n\t</li>\n\t<li>item 2</li>"},
		{"{{ h|truncatechars_html(4) }}|{{ h|truncatechars_html(9) }}|{{ h|truncatechars_html(100) == h }}|{{ 'a<b>b</b>c'|safe|truncatechars_html(3) }}", `<p>one…</p>|<p>one <a href="#">two …</a></p>|True|a<b>b</b>c`},
		{"{{ '<b>Ångström</b> was here'|truncatechars_html(3)|safe }}", "<b>Ån…</b>"},
		{"{% for n in [1, 2, 3] %}{% ifchanged %}{{ n }}{% endifchanged %}{% for x in [2, 2, 2] %}{% ifchanged %}{{ x }}{% endifchanged %}{% endfor %}{% endfor %}", "122232"},
		{"{% for n in [1, 1, 1] %}{% ifchanged %}{{ n }}{% endifchanged %}{% for x in [2, 2, 2] %}{% ifchanged %}{{ x }}{% endifchanged %}{% for y in [3, 3, 3] %}{% ifchanged %}{{ y }}{% endifchanged %}{% endfor %}{% endfor %}{% endfor %}", "1233323332333"},
		{"{% for n in [1, 1, 2] %}{{ n }}{% for x in [5, 6, 6] %}{% ifchanged x n %}{{ x }}{% endifchanged %}{% endfor %}{% endfor %}", "156156256"},
		{"{% for id in [1, 1, 2, 2, 2, 3] %}{{ id }}-{% ifchanged id %}{% cycle 'red' 'blue' %}{% else %}grey{% endifchanged %},{% endfor %}", "1-red,1-grey,2-blue,2-grey,2-grey,3-red,"},
		{"{% for id in [1, 1, 2, 2, 2, 3, 4] %}{% ifchanged %}***{{ id }}*{% else %}...{% endifchanged %}{{ loop.index }}{% endfor %}", "***1*1...2***2*3...4...5***3*6***4*7"},
		{"{% cycle 'a' 'b' 'c' as abc silent %}{% cycle abc %}{% cycle abc %}|{% cycle 'a' 'b' as silent %}{% cycle silent %}", "|ab"},
		{"{% for x in [1, 2, 3, 4] %}{% cycle 'a' 'b' 'c' as abc silent %}{% include 'cycle.html' %}{% endfor %}", "abca"},
		{"{{ '2022-01-01'|timesince('2022-01-31') }}|{{ '2022-01-01'|timesince('2022-02-28') }}|{{ '2022-01-01'|timesince('2022-12-31') }}|{{ '2007-08-14'|timesince('2007-08-28 03:04') }}|{{ '1007-08-14'|timesince('2007-08-14') }}|{{ '2016-12-25'|timeuntil('2016-12-18') }}", "4 weeks, 2 days|1 month, 3 weeks|11 months, 4 weeks|2 weeks|1000 years|1 week"},
		{"{{ fall|timesince(later) }} {{ spring|timesince(summer) }} {{ later|timesince(fall) }}", "1 hour, 10 minutes 10 minutes 0 minutes"},
		{"{{ birthday|date('jS \\\\o\\\\f F, W z w t y P') }}", "8th of July, 27 189 0 31 79 10 p.m."},
	} {
		wantRender(t, django, c.src, data, c.want)
	}
	wantError(t, django, "{{ 2|pluralize('a,b,c') }}", nil, Runtime, "one ending or two")
}
