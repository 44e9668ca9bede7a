package template

import (
	"context"
	"strings"
	"testing"
	"time"
)

// catalog translates what it lists; a context stands before a bar, and the
// form for several behind the number.
type catalog map[string]string

func (c catalog) find(key, message string) string {
	if s, ok := c[key]; ok {
		return s
	}
	return message
}

func (c catalog) Gettext(_ context.Context, message string) string { return c.find(message, message) }

func (c catalog) PGettext(_ context.Context, where, message string) string {
	return c.find(where+"|"+message, message)
}

func (c catalog) NGettext(_ context.Context, one, many string, n int) string {
	if n == 1 {
		return c.find(one, one)
	}
	return c.find(many, many)
}

func (c catalog) NPGettext(_ context.Context, where, one, many string, n int) string {
	if n == 1 {
		return c.find(where+"|"+one, one)
	}
	return c.find(where+"|"+many, many)
}

func TestDjangoTranslates(t *testing.T) {
	t.Parallel()
	o := django
	o.Translator = catalog{
		"Hello": "Hallo <b>", "menu|Open": "Öffnen", "Open": "Offen", "100%% sure": "100%% sicher", "page": "Seite",
		"Hello %(name)s": "Hallo %(name)s!", "%(n)s post by %(who)s": "%(n)s Beitrag von %(who)s", "%(n)s posts by %(who)s": "%(who)s: %(n)s Beiträge",
		"Two lines": "Zwei Zeilen", "menu|%(n)s file": "%(n)s Datei", "menu|%(n)s files": "%(n)s Dateien", "100%% of %(name)s": "100 %% von %(name)s",
		"ordinal 1|{}st": "{}<sup>e</sup>", "ordinal 11, 12, 13|{}th": "{}e",
		"Bye %(name)s": "Tschüss %(nmae)s", "Cut %(name)s": "Schnitt %", "Odd %(name)s": "Krumm %(name)d",
	}
	data := map[string]any{"name": "<Ann>", "one": []int{1}, "two": []int{1, 2}, "who": "B", "word": "page", "evil": "<i>", "at": time.Date(2024, 3, 5, 0, 0, 0, 0, time.UTC)}
	for _, c := range []struct{ src, want string }{
		{"{% translate 'Hello' %}|{% translate 'Hello' noop %}|{% translate 'Open' context 'menu' %}|{% translate 'Open' %}", "Hallo <b>|Hello|Öffnen|Offen"},
		{"{% translate word %} {% translate evil %} {% translate missing %} {% translate '' %}{% translate word|upper|lower %}", "Seite &lt;i&gt;  Seite"},
		{"{% translate '100% sure' as s %}{{ s }} {% translate 'Open' context 'menu' as x %}[{{ x }}]", "100% sicher [Öffnen]"},
		{"{% blocktranslate %}Hello {{ name }}{% endblocktranslate %}", "Hallo &lt;Ann&gt;!"},
		{"{% blocktrans with name=who|lower %}Hello {{ name }}{% endblocktrans %}", "Hallo b!"},
		{"{% blocktranslate with who|lower as name %}Hello {{ name }}{% endblocktranslate %}", "Hallo b!"},
		{"{% for l in [one, two] %}{% blocktranslate count n=l|length %}{{ n }} post by {{ who }}{% plural %}{{ n }} posts by {{ who }}{% endblocktranslate %};{% endfor %}", "1 Beitrag von B;B: 2 Beiträge;"},
		{"{% blocktranslate with who=name count n=two|length %}{{ n }} post by {{ who }}{% plural %}{{ n }} posts by {{ who }}{% endblocktranslate %}", "&lt;Ann&gt;: 2 Beiträge"},
		{"{% blocktranslate count two|length as n %}{{ n }} post by {{ who }}{% plural %}{{ n }} posts by {{ who }}{% endblocktranslate %}", "B: 2 Beiträge"},
		{"{% blocktranslate trimmed %}\n  Two\n  lines\n{% endblocktranslate %}", "Zwei Zeilen"},
		{"{% blocktranslate count n=1 context 'menu' %}{{ n }} file{% plural %}{{ n }} files{% endblocktranslate %} {% blocktranslate context 'menu' count n=5 %}{{ n }} file{% plural %}{{ n }} files{% endblocktranslate %}", "1 Datei 5 Dateien"},
		{"{{ 21|ordinal }} {{ 11|ordinal }} {{ 2|ordinal }}", "21<sup>e</sup> 11e 2nd"},
		{"{% blocktranslate asvar title %}Hello {{ name }}{% endblocktranslate %}[{{ title }}]", "[Hallo &lt;Ann&gt;!]"},
		{"{% blocktranslate %}100% of {{ name }}{% endblocktranslate %} {% blocktranslate %}50% more{% endblocktranslate %}", "100 % von &lt;Ann&gt; 50% more"},
		{"{% blocktranslate %}[{{ missing }}]{% endblocktranslate %}", "[]"},
		// What a translator got wrong is left in the template's language.
		{"{% blocktranslate %}Bye {{ name }}{% endblocktranslate %}|{% blocktranslate %}Cut {{ name }}{% endblocktranslate %}|{% blocktranslate %}Odd {{ name }}{% endblocktranslate %}", "Bye &lt;Ann&gt;|Cut &lt;Ann&gt;|Odd &lt;Ann&gt;"},
		{"{% autoescape off %}{% blocktranslate %}Hello {{ name }}{% endblocktranslate %}{% endautoescape %}", "Hallo <Ann>!"},
		{"{% for name in ['a', 'b'] %}{% blocktranslate %}Hello {{ name }}{% endblocktranslate %}{% endfor %}", "Hallo a!Hallo b!"},
	} {
		wantRender(t, o, c.src, data, c.want)
	}
	wantRender(t, django, "{% translate '100%' %} {% blocktranslate count n=2 %}one{% plural %}{{ n }}{% endblocktranslate %}", nil, "100% 2") // without a translator

	o.Contextual = true
	wantRender(t, o, "<p title=\"{% translate 'Hello' %}\">{% blocktranslate %}Hello {{ name }}{% endblocktranslate %}</p>", data, `<p title="Hallo ">Hallo &lt;Ann&gt;!</p>`)

	for _, c := range []struct{ src, message string }{
		{"{% translate %}", "translate needs a text"},
		{"{% translate 'x' nope %}", "translate takes noop, context"},
		{"{% blocktranslate nope %}x{% endblocktranslate %}", "blocktranslate takes with, count, context, trimmed and asvar, not 'nope'"},
		{"{% blocktranslate %}{{ a.b }}{% endblocktranslate %}", "only plain variables can stand in a translation; name the value in the tag: {% blocktranslate with a=… %}"},
		{"{% blocktranslate %}{% if x %}{% endif %}{% endblocktranslate %}", "other tags cannot stand in a translation"},
		{"{% blocktranslate %}a{% plural %}b{% endblocktranslate %}", "plural needs a number"},
		{"{% blocktranslate count n=1 %}a{% endblocktranslate %}", "needs {% plural %}"},
		{"{% blocktranslate with a=1 a=2 %}a{% endblocktranslate %}", "'a' is given twice"},
		{"{% blocktranslate %}a", "the 'blocktranslate' of line 1 needs 'endblocktranslate'"},
		{"{% blocktranslat %}", "did you mean 'blocktranslate'?"},
	} {
		wantError(t, o, c.src, nil, Syntax, c.message)
	}
	wantError(t, o, "{% blocktranslate count n='x' %}a{% plural %}b{% endblocktranslate %}", nil, Runtime, "the count 'n' must be a number, not 'str'")
	wantError(t, o, "{% blocktranslate count n=missing %}a{% plural %}b{% endblocktranslate %}", nil, Undefined, "'missing' is undefined")
	if got := allErrors(t, o, "{% blocktranslate x %}{% plural %}{% endblocktranslate %}{% timezone %}{{ a b }}{% endtimezone %}"); len(got) != 3 {
		t.Errorf("got %s", strings.Join(got, "\n"))
	}
}

func TestTimeZoneTags(t *testing.T) {
	t.Parallel()
	o := django
	o.Location = time.FixedZone("X", 2*3600)
	o.Loader = Map(map[string]string{"hour": "{{ at|date('H') }}", "m": "{% macro h(t) %}{{ t|date('H') }}{% endmacro %}"})
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	data := map[string]any{"at": time.Date(2024, 3, 5, 23, 0, 0, 0, time.UTC), "zone": berlin, "name": "America/New_York"}
	const hour = "{{ at|date('H') }}"
	for _, c := range []struct{ src, want string }{
		{hour + "{% timezone 'Asia/Tokyo' %} " + hour + "{% timezone none %} " + hour + "{% endtimezone %} " + hour + "{% endtimezone %} " + hour, "01 08 01 08 01"},
		{"{% timezone zone %}" + hour + "{% endtimezone %} {% timezone name %}" + hour + " {{ (at|localtime).hour }} {{ at|naturalday('d') }} {{ at|localize }}{% endtimezone %}", "00 18 18 today March 5, 2024, 6 p.m."},
		{"{% localtime off %}" + hour + "{% localtime on %} " + hour + "{% endlocaltime %}{% endlocaltime %} {% localtime %}" + hour + "{% endlocaltime %}", "23 01 01"},
		{"{% timezone 'Asia/Tokyo' %}{% include 'hour' %} {% from 'm' import h %}{{ h(at) }}{% set seen = 1 %}{% endtimezone %} {% include 'hour' %}", "08 08 01"},
		{"{% for i in [1, 2] %}{% timezone 'Asia/Tokyo' %}" + hour + "{% continue %}{% endtimezone %}{% endfor %}" + hour, "080801"},
		{"{% get_current_timezone as tz %}{{ tz }} {% timezone 'Asia/Tokyo' %}{% get_current_timezone %}{% endtimezone %}", "X Asia/Tokyo"},
		{"{% set at = at|timezone(zone) %}{{ at|utc|date('H') }}{{ at.hour }}", "010"},
	} {
		o.Extensions.LoopControls = true
		wantRender(t, o, c.src, data, c.want)
	}
	wantError(t, o, "{% timezone 'Nowhere/Land' %}x{% endtimezone %}", data, Runtime, "timezone: no time zone is named 'Nowhere/Land'")
	wantError(t, o, "{% timezone 7 %}x{% endtimezone %}", data, Runtime, "timezone")

	// The reader's zone is that of the render, if it has one.
	tpl, err := mustEngine(t, o).FromString(hour + "{% localtime off %}" + hour + "{% endlocaltime %}")
	if err != nil {
		t.Fatal(err)
	}
	for want, in := range map[string]Execution{"0123": {Data: data}, "0023": {Data: data, Location: berlin}} {
		if got, err := tpl.Append(nil, in); err != nil || string(got) != want {
			t.Errorf("got %s, %v; want %s", got, err, want)
		}
	}

	// A body that fails does not leave its zone behind.
	o.Tags = map[string]Tag{"try": BlockTag(func(body func() (Safe, error)) string {
		if _, err := body(); err != nil {
			return "failed "
		}
		return ""
	})}
	wantRender(t, o, "{% try %}{% timezone 'Asia/Tokyo' %}{{ missing.x }}{% endtimezone %}{% endtry %}"+hour, data, "failed 01")
}

func TestLocalizeTag(t *testing.T) {
	t.Parallel()
	o := django
	o.Localizer = german{}
	data := map[string]any{"n": 1234, "f": 1.5, "at": time.Date(2024, 3, 5, 23, 0, 0, 0, time.UTC), "s": "7", "yes": true, "safe": Safe("<b>")}
	for _, c := range []struct{ src, want string }{
		{"{{ n }} {% localize on %}{{ n }}{% localize off %} {{ n }}{% endlocalize %} {{ f }}{% endlocalize %} {{ n }}", "1234 grouped 1234 1234 grouped 1.5 1234"},
		{"{% localize %}{{ at }} {{ s }} {{ yes }} {{ none }} {{ safe }} {{ missing }}{% print n %}{% endlocalize %}", "March 5, 2024, 11 p.m. 7 True None <b> grouped 1234"},
	} {
		wantRender(t, o, c.src, data, c.want)
	}
	o.Undefined = UndefinedStrict
	wantError(t, o, "{% localize on %}{{ missing }}{% endlocalize %}", data, Undefined, "'missing' is undefined")
	wantRender(t, django, "a{% debug %}b", data, "ab")
}
