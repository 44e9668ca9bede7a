package retort_test

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/retort-web/retort"
)

// mailSite has a route that renders a mail whose link must be absolute.
func mailSite(cfg retort.Config) *retort.App {
	cfg.Assets = retort.Embed(fstest.MapFS{
		"templates/reset.txt":  {Data: []byte(`{{ url("reset", token="a/b&c") }} {% url "reset" token="x" %} {{ name }}{{ session is defined }}`)},
		"templates/reset.html": {Data: []byte(`<a href="{{ url("reset", token="t") }}">{{ name }}</a>`)},
	})
	app := retort.New(cfg)
	app.Get("/reset", func(c *retort.Ctx) error { return nil }).Name("reset")
	app.Get("/send", func(c *retort.Ctx) error {
		// A context that was derived from the request's is as good.
		ctx, cancel := context.WithCancel(c)
		defer cancel()
		body, err := app.Rendered(ctx, "reset.txt", map[string]any{"name": "A & B"})
		if err != nil {
			return c.Text("error: " + err.Error())
		}
		return c.Text(body)
	})
	return app
}

func bodyOf(app *retort.App, url string) string {
	w := httptest.NewRecorder()
	app.ServeHTTP(w, httptest.NewRequest("GET", url, nil))
	return w.Body.String()
}

func TestRenderedOutsideOfAPage(t *testing.T) {
	t.Parallel()
	app := mailSite(retort.Config{BaseURL: "https://example.com/shop"})
	text, err := app.Rendered(t.Context(), "reset.txt", map[string]any{"name": "A & B"})
	if want := "https://example.com/shop/reset?token=a%2Fb%26c https://example.com/shop/reset?token=x A & BFalse"; text != want || err != nil {
		t.Errorf("%q, %v\nwant %q", text, err, want)
	}
	page, err := app.Rendered(t.Context(), "reset.html", struct{ Name string }{"<b>"})
	if want := `<a href="https://example.com/shop/reset?token=t">&lt;b&gt;</a>`; page != want || err != nil {
		t.Errorf("%q, %v", page, err)
	}
	if _, err := app.Rendered(t.Context(), "none.txt", nil); err == nil || !strings.Contains(err.Error(), "none.txt") {
		t.Error(err)
	}
	// The configured address wins over what the client says.
	if got := bodyOf(app, "http://evil.example/send"); !strings.HasPrefix(got, "https://example.com/shop/reset?") {
		t.Error(got)
	}
}

// CVE class "reset hijack": the Host header must not get into a mail's link.
func TestSecurityResetHijackByHost(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		hosts []string
		want  string
	}{
		"no hosts":   {nil, "error: "},
		"any host":   {[]string{"*"}, "error: "},
		"known host": {[]string{"shop.example"}, "http://shop.example/reset?token=a%2Fb%26c"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := bodyOf(mailSite(retort.Config{Hosts: c.hosts}), "http://shop.example/send")
			if !strings.HasPrefix(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
			if c.want == "error: " && !strings.Contains(got, "base_url") {
				t.Errorf("the error does not say what to set: %q", got)
			}
		})
	}
}
