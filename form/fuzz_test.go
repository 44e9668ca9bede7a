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
	s.app.Methods([]string{"POST"}, "/initial", func(c *retort.Ctx) error {
		v := form.For(c, func(e *Every) form.Options {
			return form.Options{HiddenInitial: form.Fields(
				&e.Text, &e.Email, &e.Area, &e.Status, &e.Int, &e.Tiny, &e.Float, &e.Bool, &e.Maybe, &e.Age, &e.When, &e.Day, &e.Wait, &e.Words, &e.Numbers,
			)}
		})
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
			values.Add(known+"_initial", name)
		}
		body := values.Encode()
		for _, path := range []string{"/plain", "/model", "/initial"} {
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

// FuzzJSON sends any body as JSON, to a plain form and to a formset.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{
		`{}`, `null`, `[]`, `{"text": "a", "int": 5, "words": ["a"], "upload": {}}`, `{"guests": [{"name": "a", "ID": 5, "DELETE": 1, "ORDER": []}]}`,
		`{"guests": {}}`, `{"int": 1e999999}`, `{"text": "\ud800"}`, `{"when": {"a": []}}`, `{"a":` + strings.Repeat("[", 200), "\xff", `{"words": [[1], null, {}]}`,
	} {
		f.Add(seed)
	}
	app := retort.New(retort.Config{SecretKey: testKey})
	app.Post("/", func(c *retort.Ctx) error {
		v, s := form.For[Every](c), form.FormsetFor(c, guests)
		v.Valid()
		s.Valid()
		return c.Status(v.Status()).RenderString("{{ form }}{{ set }}", map[string]any{"form": v, "set": s})
	})
	f.Fuzz(func(t *testing.T, body string) {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		app.ServeHTTP(w, r)
		if page := w.Body.String(); w.Code >= 500 || !utf8.ValidString(page) || strings.ContainsRune(page, 0) || strings.Contains(page, "<script") {
			t.Errorf("status %d: %s", w.Code, page)
		}
	})
}

// FuzzFormset sends any pair of name and text beside those of a formset.
func FuzzFormset(f *testing.F) {
	for _, seed := range [][2]string{
		{"guests-TOTAL_FORMS", "2"},
		{"guests-TOTAL_FORMS", "-1"},
		{"guests-0-ID", "5"},
		{"guests-0-DELETE", "on"},
		{"guests-0-name", "\x00"},
		{"guests-99999999999-name", "x"},
		{"guests--1-name", "x"},
		{"guests-__prefix__-name", "x"},
		{"guests-0-name[]", "x"},
	} {
		f.Add(seed[0], seed[1])
	}
	app := retort.New(retort.Config{SecretKey: testKey})
	app.Post("/", func(c *retort.Ctx) error {
		s := form.FormsetFor(c, guests)
		s.Valid()
		return c.Status(s.Status()).RenderString("{{ set }}", map[string]any{"set": s})
	})
	f.Fuzz(func(t *testing.T, name, text string) {
		values := url.Values{"guests-TOTAL_FORMS": {"1"}, "guests-0-name": {"a"}}
		values.Set(name, text)
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(values.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		app.ServeHTTP(w, r)
		if page := w.Body.String(); w.Code >= 500 || !utf8.ValidString(page) || strings.ContainsRune(page, 0) || strings.Contains(page, "<script") {
			t.Errorf("status %d: %s", w.Code, page)
		}
	})
}
