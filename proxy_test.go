package retort_test

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/retort-web/retort"
)

// who answers with what the app believes of its client.
func who(c *retort.Ctx) error {
	return c.Text(fmt.Sprint(c.IP(), " ", c.Scheme(), " ", c.Host()))
}

// ask sends a request made from nothing but the given parts.
func ask(app http.Handler, method, target string, edit func(r *http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	if edit != nil {
		edit(r)
	}
	rec := httptest.NewRecorder()
	app.ServeHTTP(rec, r)
	return rec
}

func TestSecurityForwardedHeadersOfStrangersAreIgnored(t *testing.T) {
	t.Parallel()
	for name, proxies := range map[string][]string{"no proxies": nil, "other proxies": {"10.0.0.0/8", "unix"}} {
		cfg := quiet()
		cfg.TrustedProxies = proxies
		app := retort.New(cfg)
		app.Get("/", who)
		rec := ask(app, "GET", "http://example.com/", func(r *http.Request) {
			r.RemoteAddr = "203.0.113.9:4711"
			for name, v := range map[string]string{
				"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example",
				"Forwarded": "for=127.0.0.1;proto=https", "X-Real-Ip": "127.0.0.1", "X-Forwarded-Prefix": "//evil.example",
			} {
				r.Header.Set(name, v)
			}
		})
		if got := rec.Body.String(); got != "203.0.113.9 http example.com" {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestClientAddressIsCountedFromTheRight(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		proxies []string
		hops    int
		peer    string
		headers []string
		want    string
	}{
		{"one proxy", []string{"10.0.0.0/8"}, 0, "10.0.0.1:1", []string{"198.51.100.7"}, "198.51.100.7"},
		{"what the client claims is left of it", []string{"10.0.0.0/8"}, 0, "10.0.0.1:1", []string{"1.1.1.1, 198.51.100.7"}, "198.51.100.7"},
		{"two proxies", []string{"10.0.0.0/8"}, 0, "10.0.0.1:1", []string{"1.1.1.1, 198.51.100.7, 10.0.0.2"}, "198.51.100.7"},
		{"a claimed address of a proxy is skipped only on the right", []string{"10.0.0.0/8"}, 0, "10.0.0.1:1", []string{"10.0.0.9, 198.51.100.7, 10.0.0.2"}, "198.51.100.7"},
		{"all trusted: the leftmost", []string{"10.0.0.0/8"}, 0, "10.0.0.1:1", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{"several header lines are one list", []string{"10.0.0.0/8"}, 0, "10.0.0.1:1", []string{"1.1.1.1", "198.51.100.7"}, "198.51.100.7"},
		{"no header", []string{"10.0.0.0/8"}, 0, "10.0.0.1:1", nil, "10.0.0.1"},
		{"an empty header", []string{"10.0.0.0/8"}, 0, "10.0.0.1:1", []string{""}, "10.0.0.1"},
		{"a broken entry ends the trust", []string{"10.0.0.0/8"}, 0, "10.0.0.1:1", []string{"198.51.100.7, unknown, 10.0.0.2"}, "10.0.0.2"},
		{"a broken last entry", []string{"10.0.0.0/8"}, 0, "10.0.0.1:1", []string{"198.51.100.7, <script>"}, "10.0.0.1"},
		{"ports and brackets", []string{"10.0.0.0/8"}, 0, "10.0.0.1:1", []string{"[2001:db8::5]:443"}, "2001:db8::5"},
		{"v4 mapped into v6", []string{"::ffff:10.0.0.1"}, 0, "[::ffff:10.0.0.1]:1", []string{"::ffff:198.51.100.7"}, "198.51.100.7"},
		{"a zone is dropped", []string{"loopback"}, 0, "[::1]:1", []string{"fe80::1%eth0"}, "fe80::1"},
		{"one hop", []string{"0.0.0.0/0"}, 1, "10.0.0.1:1", []string{"1.1.1.1, 198.51.100.7"}, "198.51.100.7"},
		{"two hops", []string{"0.0.0.0/0"}, 2, "10.0.0.1:1", []string{"1.1.1.1, 198.51.100.7, 10.0.0.2"}, "198.51.100.7"},
		{"fewer entries than hops", []string{"0.0.0.0/0"}, 3, "10.0.0.1:1", []string{"198.51.100.7"}, "10.0.0.1"},
		{"hops past a broken entry", []string{"0.0.0.0/0"}, 2, "10.0.0.1:1", []string{"198.51.100.7, unknown"}, "10.0.0.1"},
		{"private", []string{"private"}, 0, "192.168.7.1:1", []string{"198.51.100.7"}, "198.51.100.7"},
		{"a Unix socket", []string{"unix"}, 0, "@", []string{"198.51.100.7"}, "198.51.100.7"},
		{"a Unix socket that is not trusted", nil, 0, "@", []string{"198.51.100.7"}, "invalid IP"},
		{"a bare address as peer", []string{"10.0.0.1"}, 0, "10.0.0.1", []string{"198.51.100.7"}, "198.51.100.7"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			cfg := quiet()
			cfg.TrustedProxies, cfg.ProxyHops = test.proxies, test.hops
			app := retort.New(cfg)
			app.Get("/", func(c *retort.Ctx) error { return c.Text(c.IP().String()) })
			rec := ask(app, "GET", "http://example.com/", func(r *http.Request) {
				r.RemoteAddr = test.peer
				r.Header["X-Forwarded-For"] = test.headers
			})
			if got := rec.Body.String(); got != test.want {
				t.Errorf("client %q, want %q", got, test.want)
			}
		})
	}
}

func TestSchemeAndHostBehindAProxy(t *testing.T) {
	t.Parallel()
	cfg := quiet()
	cfg.TrustedProxies = []string{"10.0.0.1"}
	cfg.Hosts = []string{"shop.example"}
	app := retort.New(cfg)
	app.Get("/", who).Name("home")
	app.Get("/host", text("by host")).Host("shop.example")
	app.Get("/url", func(c *retort.Ctx) error { return c.Text(c.MustURL("home", "_external", true)) })
	app.Get("/cookie", func(c *retort.Ctx) error {
		c.SetCookie(retort.Cookie{Name: "a", Value: "b"})
		return c.NoContent()
	})
	behind := func(target string, headers map[string]string) *httptest.ResponseRecorder {
		return ask(app, "GET", "http://backend:8000"+target, func(r *http.Request) {
			r.RemoteAddr = "10.0.0.1:99"
			for name, v := range headers {
				r.Header.Set(name, v)
			}
		})
	}
	full := map[string]string{"X-Forwarded-Host": "shop.example", "X-Forwarded-Proto": "https"}
	if got := behind("/", full).Body.String(); got != "10.0.0.1 https shop.example" {
		t.Errorf("believed %q", got)
	}
	if got := behind("/url", full).Body.String(); got != "https://shop.example/" {
		t.Errorf("absolute URL %q", got)
	}
	if got := behind("/host", full).Body.String(); got != "by host" {
		t.Errorf("a route with a host does not see the forwarded one: %q", got)
	}
	if got := behind("/cookie", full).Header().Get("Set-Cookie"); !strings.Contains(got, "; Secure") {
		t.Errorf("cookie behind TLS: %s", got)
	}
	// The last proxy's word counts, the client's left of it does not.
	chained := map[string]string{"X-Forwarded-Host": "evil.example, shop.example", "X-Forwarded-Proto": "https, http"}
	if got := behind("/", chained).Body.String(); got != "10.0.0.1 http shop.example" {
		t.Errorf("believed %q", got)
	}
	for _, host := range []string{"evil.example", "shop.example/x", "shop.example:x", "sh op.example"} {
		if rec := behind("/", map[string]string{"X-Forwarded-Host": host}); rec.Code != 400 {
			t.Errorf("forwarded host %q: status %d", host, rec.Code)
		}
	}
	rec := ask(app, "GET", "https://shop.example/", func(r *http.Request) { r.TLS = &tls.ConnectionState{} })
	if got := rec.Body.String(); !strings.Contains(got, " https ") {
		t.Errorf("over TLS: %q", got)
	}
}

func TestRequestIDOfATrustedProxyIsKept(t *testing.T) {
	t.Parallel()
	cfg := quiet()
	cfg.TrustedProxies = []string{"loopback"}
	app := retort.New(cfg)
	app.Get("/", func(c *retort.Ctx) error { return c.Text(c.RequestID()) })
	id := func(peer, header string) string {
		rec := ask(app, "GET", "http://example.com/", func(r *http.Request) {
			r.RemoteAddr = peer
			r.Header.Set("X-Request-Id", header)
		})
		if got := rec.Header().Get("X-Request-Id"); got != rec.Body.String() {
			t.Errorf("the header tells %q, the handler saw %q", got, rec.Body)
		}
		return rec.Body.String()
	}
	if got := id("127.0.0.1:1", "edge-7.a_b"); got != "edge-7.a_b" {
		t.Errorf("id %q", got)
	}
	for _, bad := range []string{"a b", "<b>", "x\"y", strings.Repeat("a", 65), "ü"} {
		if got := id("127.0.0.1:1", bad); got == bad || len(got) != 16 {
			t.Errorf("id %q from %q", got, bad)
		}
	}
	if got := id("203.0.113.9:1", "mine"); got == "mine" {
		t.Error("the id of a stranger was taken")
	}
}
