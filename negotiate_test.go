package retort_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/retort-web/retort"
)

func TestNegotiation(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		kind, header string
		offers       []string
		want         string
	}{
		{"Accept", "", []string{"text/html", "application/json"}, "text/html"},
		{"Accept", "application/json", []string{"text/html", "application/json"}, "application/json"},
		{"Accept", "text/html;q=0.5, application/json;q=0.8", []string{"text/html", "application/json"}, "application/json"},
		{"Accept", "text/*;q=0.9, application/json;q=0.8", []string{"application/json", "text/csv"}, "text/csv"},
		{"Accept", "*/*", []string{"text/html", "application/json"}, "text/html"},
		{"Accept", "application/json, text/plain, */*", []string{"text/html", "application/json"}, "application/json"},
		{"Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", []string{"application/json", "text/html"}, "text/html"},
		{"Accept", "image/png", []string{"text/html"}, ""},
		{"Accept", "text/html;q=0, */*;q=0.1", []string{"text/html", "application/json"}, "application/json"},
		{"Accept", "text/html;q=0", []string{"text/html"}, ""},
		{"Accept", "text/html;level=1;q=0.3, text/html;q=0.7", []string{"text/html;level=1", "text/html"}, "text/html"},
		{"Accept", "TEXT/HTML ; Q=0.5 , text/plain;q=0.4", []string{"text/plain", "text/html"}, "text/html"},
		{"Accept", "text/html;q=high, text/plain;q=0.1", []string{"text/html", "text/plain"}, "text/plain"},
		{"Accept", "text/html;q=2", []string{"text/html"}, ""},
		{"Accept", "text/html;q=NaN", []string{"text/html"}, ""},
		{"Accept", "text/html;q=-1", []string{"text/html"}, ""},
		{"Accept", ";;;,,,", []string{"text/html"}, ""},
		{"Accept", "*/*", nil, ""},
		{"Accept-Language", "de-CH, de;q=0.9, en;q=0.8", []string{"en", "de"}, "de"},
		{"Accept-Language", "en-GB", []string{"de", "en"}, "en"},
		{"Accept-Language", "en", []string{"de", "en-US"}, "en-US"},
		{"Accept-Language", "fr, *;q=0.1", []string{"de", "en"}, "de"},
		{"Accept-Language", "fr", []string{"de", "en"}, ""},
		{"Accept-Language", "e", []string{"en"}, ""},
		{"Accept-Encoding", "gzip, br;q=0.5", []string{"br", "gzip"}, "gzip"},
		{"Accept-Encoding", "br", []string{"gzip", "identity"}, "identity"},
		{"Accept-Encoding", "identity;q=0, gzip", []string{"identity", "gzip"}, "gzip"},
		{"Accept-Encoding", "*;q=0", []string{"identity", "gzip"}, ""},
		{"Accept-Encoding", "*", []string{"zstd"}, "zstd"},
	} {
		app := retort.New(quiet())
		app.Get("/", func(c *retort.Ctx) error {
			pick := map[string]func(...string) string{"Accept": c.Accepts, "Accept-Language": c.AcceptsLanguage, "Accept-Encoding": c.AcceptsEncoding}
			return c.Text(pick[test.kind](test.offers...))
		})
		rec := ask(app, "GET", "/", func(r *http.Request) { r.Header.Set(test.kind, test.header) })
		if got := rec.Body.String(); got != test.want {
			t.Errorf("%s: %s picks %q of %q, want %q", test.kind, test.header, got, test.offers, test.want)
		}
	}
}

func TestVaryAddsEachNameOnce(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.Get("/", func(c *retort.Ctx) error {
		c.Vary("Accept", "Cookie")
		c.Vary("accept", "Accept-Language")
		return c.NoContent()
	})
	app.Get("/all", func(c *retort.Ctx) error {
		c.SetHeader("Vary", "*")
		c.Vary("Accept")
		return c.NoContent()
	})
	if got := strings.Join(ask(app, "GET", "/", nil).Header().Values("Vary"), ", "); got != "Accept, Cookie, Accept-Language" {
		t.Errorf("Vary: %s", got)
	}
	if got := strings.Join(ask(app, "GET", "/all", nil).Header().Values("Vary"), ", "); got != "*" {
		t.Errorf("Vary: %s", got)
	}
}

func TestSecurityLongAcceptHeadersCostLittle(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.Get("/", func(c *retort.Ctx) error { return c.Text(c.Accepts("text/html", "application/json")) })
	long := strings.Repeat("a/b;q=0.1,", 100_000) + "application/json"
	rec := ask(app, "GET", "/", func(r *http.Request) { r.Header.Set("Accept", long) })
	if rec.Code != 200 || rec.Body.Len() != 0 {
		t.Errorf("beyond the bound an entry counted: %d %q", rec.Code, rec.Body)
	}
}

func TestPrefersJSON(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.Post("/", func(c *retort.Ctx) error { return c.Text(strconv.FormatBool(c.PrefersJSON())) })
	for _, tt := range []struct{ accept, sent, want string }{
		{"", "", "false"},
		{"", "application/json", "true"},
		{"*/*", "application/merge-patch+json; charset=utf-8", "true"},
		{"*/*", "application/x-www-form-urlencoded", "false"},
		{"application/json", "", "true"},
		{"application/problem+json", "", "true"},
		{"application/json, text/plain, */*", "", "true"},
		{"text/html, application/json", "application/json", "false"},
		{"text/html;q=0.5, application/json", "", "true"},
		{"image/png", "application/json", "false"},
	} {
		rec := ask(app, "POST", "/", func(r *http.Request) {
			r.Header.Set("Accept", tt.accept)
			r.Header.Set("Content-Type", tt.sent)
			r.Header.Set("Sec-Fetch-Site", "same-origin")
		})
		if rec.Body.String() != tt.want {
			t.Errorf("Accept %q, Content-Type %q: %s", tt.accept, tt.sent, rec.Body)
		}
	}
}
