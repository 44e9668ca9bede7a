package form_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/form"
)

// FuzzInput sends the same text to a field of every kind, of a plain struct and of
// a model: whatever it is, the answer is a page.
func FuzzInput(f *testing.F) {
	for _, seed := range []string{
		"", "1", "-0", "1e999", "\x00", "\xff", "a,b,,", "2026-02-30T25:61", "<script>", "\r\n", "true", "99999999999999999999", "\u2028", "1,1,2", "0x1p-2",
		strings.Repeat("9", 5000), strings.Repeat("(", 300), "hello", "draft", "10000000000h", "292y", "0000-00-00T00:00", "9999-12-31T23:59:60Z",
	} {
		f.Add(seed, "title")
		f.Add("x", seed)
	}
	s := newSite(f)
	s.app.Methods([]string{"POST"}, "/plain", func(c *retort.Ctx) error {
		v := form.For[Every](c)
		v.Valid()
		return c.Status(v.Status()).RenderString("{{ form }}", map[string]any{"form": v})
	})
	s.app.Methods([]string{"POST"}, "/model", func(c *retort.Ctx) error {
		v := form.For(c, postForm)
		v.Valid()
		return c.Status(v.Status()).RenderString("{{ form }}", map[string]any{"form": v})
	})
	names := []string{
		"text", "email", "link", "secret", "area", "color", "status", "int", "tiny", "count", "float", "ratio", "bool", "maybe", "age", "when",
		"day", "clock", "wait", "words", "numbers", "colors", "token", "upload", "uploads", "title", "slug", "body", "stars", "year",
		"number", "pinned", "published", "author", "editor", "tags",
	}
	f.Fuzz(func(t *testing.T, text, name string) {
		values := url.Values{name: {text, text}}
		for _, known := range names {
			values.Add(known, text)
		}
		body := values.Encode()
		for _, path := range []string{"/plain", "/model"} {
			r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			w := httptest.NewRecorder()
			s.app.ServeHTTP(w, r)
			page := w.Body.String()
			switch w.Code {
			case http.StatusOK, http.StatusUnprocessableEntity:
				if !utf8.ValidString(page) || strings.ContainsRune(page, 0) || strings.Contains(page, "<script") {
					t.Errorf("%s: the page has what it must not:\n%s", path, page)
				}
			case http.StatusRequestEntityTooLarge:
			default:
				t.Errorf("%s: status %d: %s", path, w.Code, page)
			}
		}
	})
}
