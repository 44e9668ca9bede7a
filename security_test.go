package retort_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/retorttest"
)

// The classes of docs/security.md that have no test file of their own. The
// others: host_test.go, proxy_test.go, csrf_test.go, session_test.go,
// redirect_test.go, errors_test.go, debug_test.go, logging_test.go,
// request_test.go and response_test.go.

func TestSecurityCompressedBodiesAreNotInflated(t *testing.T) {
	t.Parallel()
	var bomb bytes.Buffer
	zip := gzip.NewWriter(&bomb)
	for range 1000 {
		if _, err := zip.Write(make([]byte, 100_000)); err != nil {
			t.Fatal(err)
		}
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	app := uploadApp()
	for path, contentType := range map[string]string{"/json": "application/json", "/form": "application/x-www-form-urlencoded"} {
		r := httptest.NewRequest("POST", path, bytes.NewReader(bomb.Bytes()))
		r.Header.Set("Content-Type", contentType)
		r.Header.Set("Content-Encoding", "gzip")
		rec := httptest.NewRecorder()
		app.ServeHTTP(rec, r)
		if rec.Code != 415 {
			t.Errorf("%s: status %d", path, rec.Code)
		}
	}
}

func TestSecurityPrivatePagesAreNotCached(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.Get("/peek", func(c *retort.Ctx) error { return c.Text(fmt.Sprint(c.Session().Has("user"))) })
	app.Get("/change", func(c *retort.Ctx) error {
		c.SetHeader("Cache-Control", "public, max-age=600")
		c.Session().Set("user", "ada")
		return c.Text("x")
	})
	app.Get("/token", func(c *retort.Ctx) error { return c.Text(c.CSRFToken()) })
	app.Get("/fail", func(c *retort.Ctx) error { c.Session().Has("user"); return retort.NotFound("") })
	client := retorttest.New(t, app)
	for _, path := range []string{"/peek", "/change", "/token", "/fail"} {
		h := client.Get(path).Header()
		if !strings.Contains(strings.Join(h.Values("Vary"), ","), "Cookie") || strings.Contains(h.Get("Cache-Control"), "public") {
			t.Errorf("%s: Vary %q, Cache-Control %q", path, h.Values("Vary"), h.Get("Cache-Control"))
		}
	}
}

func TestSecurityOtherSitesMayReadNothingByDefault(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.Get("/", text("x"))
	for _, method := range []string{"GET", "OPTIONS"} {
		rec := ask(app, method, "/", func(r *http.Request) {
			r.Header.Set("Origin", "https://evil.example")
			r.Header.Set("Access-Control-Request-Method", "GET")
		})
		for name := range rec.Header() {
			if strings.HasPrefix(name, "Access-Control-") {
				t.Errorf("%s: %s", method, name)
			}
		}
	}
}

func TestSecurityManyFieldsAndDeepNamesCostLittle(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.Post("/", func(c *retort.Ctx) error {
		var in struct {
			Items []struct {
				Name string `form:"name"`
			} `form:"items"`
			List []int `form:"list"`
		}
		if err := c.Bind(&in); err != nil {
			return err
		}
		return c.Text(fmt.Sprint(len(in.Items), len(in.List)))
	})
	for _, body := range []string{
		"items.999999999.name=x", "items[999999999][name]=x", "list[999999999]=1", "list.999999999=1", // an index is an order, not a size
		strings.Repeat("a=1&", 5000), strings.Repeat("list=1&", 900), strings.Repeat("&", 100_000), "a=" + strings.Repeat("x", 600_000),
		"items" + strings.Repeat(".0", 50_000) + "=1", "items." + strings.Repeat("9", 5000) + ".name=1", "list=" + strings.Repeat("9", 400),
		"items.-1.name=x&items.18446744073709551616.name=y",
	} {
		r := httptest.NewRequest("POST", "/", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		rec := httptest.NewRecorder()
		app.ServeHTTP(rec, r)
		if rec.Code >= 500 || rec.Code == 200 && len(rec.Body.String()) > len("1 900") {
			t.Errorf("%.40q: status %d, %q", body, rec.Code, rec.Body)
		}
	}
}

func TestSecurityMountedAppsAndPathsStayApart(t *testing.T) {
	t.Parallel()
	inner := retort.New(quiet())
	inner.Get("/{rest:path}", func(c *retort.Ctx) error { return c.Text("inner " + c.Path()) })
	inner.Get("/", text("inner root"))
	app := retort.New(quiet())
	app.Mount("/inner", inner)
	app.Get("/admin", text("admin"))
	client := retorttest.New(t, app)
	client.Get("/inner/x/y").Status(200).Contains("inner /x/y")
	client.Get("/inner/").Status(200).Contains("inner root")
	for _, path := range []string{"/inner/../admin", "/inner/%2e%2e/admin", "/inner%2f..%2fadmin", "/innerx", "/inner/..%2fadmin"} {
		if r := client.Get(path); r.Code == 200 && !strings.HasPrefix(r.Text(), "inner") {
			t.Errorf("%s: %q", path, r.Text())
		}
	}
}
