package retorttest

import (
	"bytes"
	"encoding/json"
	"html"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Response is an app's answer, with checks that fail the test. Each check
// returns the response, so that they chain.
type Response struct {
	*httptest.ResponseRecorder
	Request *http.Request
	// History has the redirects that led here, the first one first.
	History []*Response
	// Templates has what the handler rendered.
	Templates []Rendered
	// Aborted is set when the app cut the response after its first byte.
	Aborted bool

	t    testing.TB
	sent []byte
}

// Text returns the body.
func (r *Response) Text() string { return r.Body.String() }

// Status fails the test unless the response has that status.
func (r *Response) Status(want int) *Response {
	r.t.Helper()
	if r.Code != want {
		r.t.Fatalf("%s %s: status %d, want %d; body:\n%s", r.Request.Method, r.Request.URL, r.Code, want, r.excerpt())
	}
	return r
}

// Contains fails the test unless the body has each of the texts.
func (r *Response) Contains(texts ...string) *Response {
	r.t.Helper()
	for _, text := range texts {
		if !strings.Contains(r.Text(), text) {
			r.t.Errorf("%s %s: the body lacks %q:\n%s", r.Request.Method, r.Request.URL, text, r.excerpt())
		}
	}
	return r
}

// Lacks fails the test if the body has one of the texts.
func (r *Response) Lacks(texts ...string) *Response {
	r.t.Helper()
	for _, text := range texts {
		if strings.Contains(r.Text(), text) {
			r.t.Errorf("%s %s: the body has %q:\n%s", r.Request.Method, r.Request.URL, text, r.excerpt())
		}
	}
	return r
}

// HasHeader fails the test unless a response header has that value.
func (r *Response) HasHeader(name, want string) *Response {
	r.t.Helper()
	if got := r.Header().Get(name); got != want {
		r.t.Errorf("%s %s: header %s is %q, want %q", r.Request.Method, r.Request.URL, name, got, want)
	}
	return r
}

// RedirectsTo fails the test unless the response is a redirect to that place.
func (r *Response) RedirectsTo(want string) *Response {
	r.t.Helper()
	if got := r.Header().Get("Location"); r.Code < 300 || r.Code > 399 || got != want {
		r.t.Fatalf("%s %s: status %d to %q, want a redirect to %q; body:\n%s", r.Request.Method, r.Request.URL, r.Code, got, want, r.excerpt())
	}
	return r
}

// JSON reads the body into v.
func (r *Response) JSON(v any) *Response {
	r.t.Helper()
	if err := json.NewDecoder(bytes.NewReader(r.Body.Bytes())).Decode(v); err != nil {
		r.t.Fatalf("%s %s: the body is not the JSON expected: %v\n%s", r.Request.Method, r.Request.URL, err, r.excerpt())
	}
	return r
}

// Used fails the test unless the handler rendered that template, and returns
// the data it was given.
func (r *Response) Used(template string) any {
	r.t.Helper()
	for _, used := range r.Templates {
		if used.Name == template {
			return used.Data
		}
	}
	r.t.Fatalf("%s %s: template %s was not rendered; those that were: %v", r.Request.Method, r.Request.URL, template, r.Templates)
	return nil
}

// Field returns the value of an input of a form on the page, such as the token
// "csrf_token". A page without it fails the test.
func (r *Response) Field(name string) string {
	r.t.Helper()
	for _, rest, ok := strings.Cut(r.Text(), "<input "); ok; _, rest, ok = strings.Cut(rest, "<input ") {
		tag, _, _ := strings.Cut(rest, ">")
		if got, _ := attribute(tag, "name"); got == name {
			value, _ := attribute(tag, "value")
			return value
		}
	}
	r.t.Fatalf("%s %s: no field %s on the page:\n%s", r.Request.Method, r.Request.URL, name, r.excerpt())
	return ""
}

// attribute returns the value of an attribute in double quotes.
func attribute(tag, name string) (value string, ok bool) {
	_, after, found := strings.Cut(" "+tag, " "+name+`="`)
	value, _, closed := strings.Cut(after, `"`)
	return html.UnescapeString(value), found && closed
}

// maxExcerpt is how much of a body a failure shows.
const maxExcerpt = 2000

func (r *Response) excerpt() string {
	if s := r.Text(); len(s) > maxExcerpt {
		return s[:maxExcerpt] + "…"
	}
	return r.Text()
}
