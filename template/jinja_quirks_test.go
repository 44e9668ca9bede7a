package template

import "testing"

// What Jinja 3.1.6 itself makes of odd templates, which comparing random ones
// with it has brought up.
func TestOddTemplatesAsInJinja(t *testing.T) {
	t.Parallel()
	o := Options{}
	for _, c := range []struct{ src, want string }{
		{"{% set x|title %}a<{{ '<' }}{% endset %}{{ x is escaped }} {{ x }}", "True A<&lt;"},
		{"{% set x|trim|length %} ab {% endset %}{{ x is escaped }}{{ x + '<' }}", "True2&lt;"},
		{"{% autoescape false %}{% set x|length %} ab {% endset %}{{ x + 1 }}{% endautoescape %}", "5"},
		{"{% set x = [1]|slice('a') %}{% if x %}lazy{% endif %}", "lazy"},
		{"{{ [1, 2, 3]|slice(2)|list }} {{ []|slice(2)|list }} {{ []|slice(2, 'x')|list }}", "[[1, 2], [3]] [[], []] [[&#39;x&#39;], [&#39;x&#39;]]"},
		{"{{ 5[:2] }}|{{ {}[1:]|default('d') }}", "|d"},
	} {
		wantRender(t, o, c.src, nil, c.want)
	}
	for _, c := range []struct {
		src  string
		kind Kind
	}{
		{"{% for x in 0[:2] %}{% else %}none{% endfor %}", Runtime},
		{"{% if {'a': 1}[1:] %}{% endif %}", Runtime},
		{"{% set x = none[:2] %}", Runtime},
		{"{{ (5[::2]).center(9) }}", Runtime},
		{"{% for x in [1]|slice('a') %}{% endfor %}", Runtime},
		{"{{ 42.51|round(missing) }}", Undefined},
		{"{% for x in [1]|batch(missing, '-') %}{% endfor %}", Undefined},
	} {
		wantError(t, o, c.src, nil, c.kind, "")
	}
	// Where values are escaped by context only what is escaped is trusted.
	o.Contextual = true
	wantRender(t, o, "{% set x|striptags %}<b>{{ '<i>' }}</b>{% endset %}{{ x }}", nil, "&lt;i&gt;")
}
