package formtest_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/retort-web/retort/form/formtest"
)

func TestUntranslated(t *testing.T) {
	t.Parallel()
	for page, want := range map[string]string{
		`<p>⟦Log in⟧</p>`:                                         "",
		`<p>Log in</p><p>⟦Sign up⟧ or not</p>`:                    "Log in;or not",
		`<p>⟦Last used <time title="⟦May⟧">⟦now⟧</time>⟧</p>`:     "",
		`<p>⟦Last used <time title="May">now</time>⟧.</p>`:        "May",
		`<p>⟦Hello⟧ Ann Lee, 3 × 4</p>`:                           "",
		`<p>⟦Hello</p><p>Log in</p>`:                              "a ⟦ without its ⟧, or the other way round",
		`<p>⟦Key:⟧ <code>abc <b>d</b> e</code> f</p><pre>g</pre>`: "f",
		`<script>let a = "b c"</script><style>p {color: red}</style><!-- no text --><input name="x" value="as typed">`: "",
		`<input type="submit" value="Go"><input placeholder="Here"><img alt="A picture"><optgroup label="Group">`:      "Go;Here;A picture;Group",
		`<p data-known="Known already." data-href="/a/b" data-done="⟦Done at last⟧">`:                                  "Known already.",
		`<meta name="description" content="A site"><meta name="viewport" content="width=device-width">`:                "A site",
	} {
		if got := strings.Join(formtest.Untranslated(page, "Ann", "Ann Lee"), ";"); got != want {
			t.Errorf("%s: %q", page, got)
		}
	}
	text := "⟦Open this link:⟧\n\nhttps://example.com/verify/token\n\nBye, Ann"
	if got := formtest.UntranslatedText(text, "Ann"); !cmp.Equal(got, []string{"Bye,"}) {
		t.Errorf("%q", got)
	}
}

func TestUntranslatedTemplates(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		`{% extends "base.html" %}{% block title %}{% translate "Log in" %}{% endblock %}`:                     "",
		`{% block title %}Log in{% endblock %}`:                                                                "Log in",
		`{# a comment #}<p title="{% blocktranslate with n=1 %}a {{ n }}{% endblocktranslate %}">`:             "",
		`{% if never %}<p title="Hidden">Shown {{ n }} times</p>{% endif %}`:                                   "Hidden;Shown  times",
		`{% trans n=2 %}one{% pluralize %}many{% endtrans %} {{ _("Save") }} {{ ngettext("one", "many", 2) }}`: "",
		`{{ "on" if a else "off" }} {{ "Yes, use it"|upper }}`:                                                 "on;off;Yes, use it",
		`{{ s.agent or "An unknown program" }}{{ d|date("DATETIME_FORMAT") }}{{ d.strftime("%d %H") }}`:        "An unknown program",
		`{{ {"login": "Log in"}["kind"] }}{{ url("accounts.login", next="Go on") }}{{ "1" if a == "yes" }}`:    "login;Log in",
		`{% set titles = {"over": "This login is over"} %}{% set a %}<b>x</b>{% endset %}`:                     "over;This login is over;x",
		`{% include "words and more.html" %}{{ form }}<form {{ form.attrs }}>`:                                 "",
	} {
		got, err := formtest.UntranslatedTemplates(fstest.MapFS{"a/page.html": {Data: []byte(source)}, "a/page.css": {Data: []byte("p {}")}})
		for i := range got {
			got[i] = strings.TrimPrefix(got[i], "a/page.html: ")
		}
		if text := strings.Join(got, ";"); err != nil || text != want {
			t.Errorf("%s: %q %v", source, text, err)
		}
	}
	got, err := formtest.UntranslatedTemplates(fstest.MapFS{"mail.txt": {Data: []byte("Hello {{ name }} <you>")}})
	if err != nil || !cmp.Equal(got, []string{"mail.txt: Hello  <you>"}) {
		t.Errorf("%q %v", got, err)
	}
}

func TestLocale(t *testing.T) {
	t.Parallel()
	var l formtest.Locale
	ctx := t.Context()
	for got, want := range map[string]string{
		l.Text(ctx, "Save", "", 0): "⟦Save⟧", l.Text(ctx, "{n} row", "{n} rows", 1): "⟦{n} row⟧", l.Text(ctx, "{n} row", "{n} rows", 2): "⟦{n} rows⟧",
		l.Text(ctx, "a ⟦b⟧", "", 0): "a ⟦b⟧", l.Format(ctx, "number", "1.5"): "1.5", l.Language(): "en-XA",
	} {
		if got != want {
			t.Errorf("%s and not %s", got, want)
		}
	}
	if plain, ok := l.Parse(ctx, "number", "1.5"); plain != "1.5" || !ok {
		t.Error(plain, ok)
	}
}
