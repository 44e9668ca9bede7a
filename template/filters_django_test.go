package template

import (
	"testing"
	"time"
)

func TestDjangoFilters(t *testing.T) {
	t.Parallel()
	at := time.Date(2024, 3, 5, 14, 7, 9, 0, time.UTC)
	data := map[string]any{
		"at": at, "zero": time.Time{}, "now": at.Add(26 * time.Hour), "month": at.AddDate(1, 2, 3), "soon": at.Add(-90 * time.Second),
		"text": "one <b>\ntwo\n\n\nthree\r\nfour", "safe": Safe("<i>a</i>\nb"), "items": []int{1}, "none": nil,
	}
	for _, c := range []struct{ src, want string }{
		{"{{ at|date }} {{ at|date('%-d %B %Y, %H:%M') }} {{ at|date('%a %j %I %p %y %%') }}", "March 5, 2024 5 March 2024, 14:07 Tue 065 02 PM 24 %"},
		{"{{ none|date }}{{ missing|date }}{{ zero|date }}|{{ '2024-03-05'|date('%d.%m.') }}", "|05.03."},
		{"{{ at|timesince(now) }}|{{ now|timesince(at) }}|{{ at|timesince(month) }}|{{ month|timeuntil(at) }}", "1 day, 2 hours|0 minutes|1 year, 2 months|1 year, 2 months"},
		{"{{ at|naturaltime(at) }}|{{ soon|naturaltime(at) }}|{{ at|naturaltime(now) }}|{{ now|naturaltime(at) }}", "now|a minute ago|1 day, 2 hours ago|1 day, 2 hours from now"},
		{"{{ 1|pluralize }}{{ 2|pluralize }}{{ 0|pluralize('es') }}{{ 1|pluralize('y,ies') }}{{ 3|pluralize('y,ies') }}{{ items|pluralize }}", "sesyies"},
		{"{{ {'a': '</script><!--', 'b': \"'\"}|json_script('d<') }}", `<script id="d&lt;" type="application/json">{"a": "\u003c/script\u003e\u003c!--", "b": "\u0027"}</script>`},
		{"{{ text|linebreaks }}", "<p>one &lt;b&gt;<br>two</p>\n\n<p>three<br>four</p>"},
		{"{{ safe|linebreaksbr }}", "<i>a</i><br>b"},
		{"{{ '  Hello, Wörld! -- it\\'s  '|slugify }}|{{ 'Straße & Œuvre'|slugify }}|{{ 'Привет мир'|slugify }}|{{ '--_'|slugify }}", "hello-world-its|strasse-oeuvre|привет-мир|"},
		{"{{ 34.23234|floatformat }} {{ 34.0|floatformat }} {{ 34.26|floatformat(3) }} {{ 34|floatformat(2) }} {{ 2.675|floatformat(2) }} {{ 0.5|floatformat(0) }} {{ -0.01|floatformat(1) }}", "34.2 34 34.260 34.00 2.68 1 0.0"},
		{"{{ 'x'|floatformat }}|{{ '3.14159'|floatformat(2) }}", "|3.14"},
		{"{{ 1234567|intcomma }} {{ -1234.5|intcomma }} {{ 'x'|intcomma }}", "1,234,567 -1,234.5 x"},
		{"{{ true|yesno }} {{ false|yesno('ja,nein') }} {{ none|yesno('a,b,c') }} {{ none|yesno('a,b') }}", "yes nein c b"},
		{"{{ 'a  b c d'|truncatewords(2) }}|{{ 'a b'|truncatewords(2) }}|{{ 'a b c'|truncatewords(1, '<') }}", "a b …|a b|a&lt;"},
		{"{{ none|default_if_none('x') }}{{ 0|default_if_none('x') }}", "x0"},
	} {
		wantRender(t, Options{Extensions: Extensions{Django: true}}, c.src, data, c.want)
	}
	wantError(t, Options{Extensions: Extensions{Django: true}}, "{{ 'soon'|date }}", nil, Runtime, "expected a time")
}

func TestStrftime(t *testing.T) {
	t.Parallel()
	at := time.Date(2024, 1, 2, 3, 4, 5, 6000, time.FixedZone("CET", 3600))
	for layout, want := range map[string]string{
		"%Y-%m-%dT%H:%M:%S.%f%z": "2024-01-02T03:04:05.000006+0100", "%A %B %e": "Tuesday January  2", "%U %W %V %G %u %w": "00 01 01 2024 2 2",
		"%F %T %R %D %s": "2024-01-02 03:04:05 03:04 01/02/24 1704161045", "%-m/%-d %k:%l": "1/2  3: 3", "100%": "100%", "%Q%": "%Q%", "%Z%n%t": "CET\n\t", "%C": "20", "%c": "Tue Jan  2 03:04:05 2024", "%x %X %h": "01/02/24 03:04:05 Jan",
	} {
		if got := strftime(at, layout); got != want {
			t.Errorf("%s: got %q, want %q", layout, got, want)
		}
	}
}
