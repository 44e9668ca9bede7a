package template

import (
	"strings"
	"testing"
)

// TestEveryEngineHasTheTagsForTranslations: pages that come with a package are written with
// them, whatever the site turns on or off.
func TestEveryEngineHasTheTagsForTranslations(t *testing.T) {
	t.Parallel()
	const page = `<p title="{% translate 'Say "A"' %}">{% translate "Log in" %} {% blocktranslate trimmed with who=name %}
		Hello {{ who }}!
	{% endblocktranslate %} {% blocktranslate count n=n %}{{ n }} post{% plural %}{{ n }} posts{% endblocktranslate %}</p>`
	data := map[string]any{"name": "<Ann>", "n": 2}
	for name, o := range map[string]Options{
		"nothing":    {},
		"contextual": {Contextual: true},
		"strict":     {Contextual: true, Undefined: UndefinedStrict, TrimBlocks: true, LstripBlocks: true},
		"gettext":    {Contextual: true, Extensions: Extensions{I18n: true}, Translator: echoTranslator{}},
		"new style":  {Contextual: true, Extensions: Extensions{I18n: true}, Translator: echoTranslator{}, NewStyle: true},
		"without":    {Contextual: true, Extensions: Extensions{I18n: true}},
		"Django's":   {Contextual: true, Extensions: djangoExtensions()},
	} {
		o.Loader = Map(map[string]string{"page.html": page})
		got, err := renderNamed(t, o, "page.html", data)
		want := `<p title="Say &#34;A&#34;">Log in Hello &lt;Ann&gt;! 2 posts</p>`
		if !o.Contextual {
			want = strings.Replace(want, `&#34;A&#34;`, `"A"`, 1) // the text is the template's own HTML
		}
		if err != nil || got != want {
			t.Errorf("%s: %s %v", name, got, err)
		}
	}
}

// TestATextThatNobodyTranslatesIsText: it costs what text outside of a tag does.
func TestATextThatNobodyTranslatesIsText(t *testing.T) { // not parallel: allocations are counted
	e := mustEngine(t, Options{Contextual: true})
	plain, err := e.FromString("<h1>Log in</h1>")
	if err != nil {
		t.Fatal(err)
	}
	tagged, err := e.FromString(`<h1>{% translate "Log in" %}</h1>`)
	if err != nil {
		t.Fatal(err)
	}
	var buf []byte
	count := func(tm *Template) float64 {
		return testing.AllocsPerRun(100, func() {
			if buf, err = tm.Append(buf[:0], Execution{}); err != nil || string(buf) != "<h1>Log in</h1>" {
				t.Fatal(string(buf), err)
			}
		})
	}
	if want, got := count(plain), count(tagged); got > want {
		t.Errorf("%v allocations, and %v for text", got, want)
	}
}

func TestATagOfOnesOwnComesBeforeTranslate(t *testing.T) {
	t.Parallel()
	o := Options{Tags: map[string]Tag{"translate": SimpleTag(strings.ToUpper)}}
	o.Loader = Map(map[string]string{"a.html": `{% translate "a" %}`})
	if got, err := renderNamed(t, o, "a.html", nil); got != "A" {
		t.Error(got, err)
	}
}

func renderNamed(t *testing.T, o Options, name string, data any) (string, error) {
	t.Helper()
	tm, err := mustEngine(t, o).Get(name)
	if err != nil {
		t.Fatal(err)
	}
	text, err := tm.Append(nil, Execution{Data: data})
	return string(text), err
}
