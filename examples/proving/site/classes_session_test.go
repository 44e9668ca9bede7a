package site_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/examples/proving/site"
	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/retorttest"
	"github.com/retort-web/retort/session"
)

// cookieOf is the session's cookie that a client has.
func cookieOf(t *testing.T, c *retorttest.Client) (name, value string) {
	t.Helper()
	for _, name := range []string{"session", "__Host-session"} {
		if value, ok := c.Cookie(name); ok {
			return name, value
		}
	}
	t.Fatal("the client has no session")
	return "", ""
}

// sending asks who one is with a header of cookies.
func (g *ground) sending(cookies string, secure bool) *retorttest.Response {
	c := g.Fresh()
	c.Secure = secure
	r := c.NewRequest(http.MethodGet, "/whoami", nil)
	r.Header.Set("Cookie", cookies)
	return c.Do(r)
}

// Cookies: Werkzeug 2023-23934. Nameless ones, those that a sibling has planted, broken
// ones.
func TestClassCookies(t *testing.T) {
	t.Parallel()
	g := newGround(t, testdb.SQLite)
	ann := g.as(site.Ann)
	name, value := cookieOf(t, ann)
	g.sending(name+"="+value, false).Contains(site.Ann)
	secure := g.Fresh()
	secure.Secure = true
	r := secure.PostForm("/login", url.Values{"email": {site.Bob}, "password": {password}}).Status(303)
	header := strings.Join(r.Header().Values("Set-Cookie"), "\n")
	for _, flag := range []string{"__Host-session=", "HttpOnly", "Secure", "SameSite=Lax", "Path=/"} {
		if !strings.Contains(header, flag) {
			t.Errorf("no %s in %s", flag, header)
		}
	}
	if strings.Contains(header, "Domain=") {
		t.Errorf("a domain in %s", header)
	}
	host, hosts := cookieOf(t, secure)
	g.sending(host+"="+hosts, true).Contains(site.Bob)
	for _, planted := range []string{
		"=" + host + "=" + hosts, " =" + host + "=" + hosts, "session=" + hosts, "=session=" + value, "\u2000" + host + "=" + hosts, "\u3000" + host + "=" + hosts, "\x85" + host + "=" + hosts, "__host-session=" + hosts, "__HOST-SESSION=" + hosts, "x=y," + host + "=" + hosts, host + `="` + hosts[:10] + `"`,
		host + "=" + hosts + "x", host + "=" + hosts[1:], host + "=", host, "=", ";;;=;", host + "=\x00", host + "=" + strings.Repeat("A", 5000), strings.Repeat("a=b; ", 2000), "\xff=\xff; " + host + "=%00",
	} {
		if r := g.sending(planted, true); r.Code >= 500 || r.Code == 200 && !strings.Contains(r.Text(), `"user":null`) {
			t.Errorf("%.100q: %d %s", planted, r.Code, r.Text())
		}
	}
	// A cookie of the site for plain http cannot stand in for the one under TLS.
	g.sending("session="+value, true).Contains(`"user":null`)
	c := g.Fresh()
	for _, text := range []string{"a b", "a;b", `a"b`, "é", "a,b", "a=b", "%41", "=", "__Host-session=x; Path=/"} {
		c.Get("/lab/cookie?value=" + url.QueryEscape(text)).Status(200)
		if kept := decoded(t, c.Get("/lab/cookie"))["lab"]; kept != text {
			t.Errorf("%q is kept as %q", text, kept)
		}
	}
}

// Session: fiber 2024-38513. The client does not choose it, a login gives another, and a
// logout ends it on the server.
func TestClassSession(t *testing.T) {
	t.Parallel()
	g := newGround(t, testdb.SQLite)
	for _, chosen := range []string{"attacker", strings.Repeat("A", 26), strings.Repeat("A", 43), "00000000-0000-0000-0000-000000000000", "../../etc/passwd", "' OR 1=1 --", "1"} {
		victim := g.Fresh()
		victim.SetCookie("session", chosen)
		victim.Get("/login").Status(200)
		victim.PostForm("/login", url.Values{"email": {site.Ann}, "password": {password}}).Status(303)
		if _, value := cookieOf(t, victim); value == chosen {
			t.Errorf("the session is the one that was asked for: %q", chosen)
		}
		g.sending("session="+chosen, false).Contains(`"user":null`)
	}
	// A session from before the login is not the one after.
	victim := g.Fresh()
	victim.Session(func(s *session.Session) { s.Set("basket", "planted") })
	_, before := cookieOf(t, victim)
	victim.PostForm("/login", url.Values{"email": {site.Ann}, "password": {password}}).Status(303)
	name, after := cookieOf(t, victim)
	if before == after {
		t.Error("the login kept the session's id")
	}
	g.sending("session="+before, false).Contains(`"user":null`)
	g.sending(name+"="+after, false).Contains(site.Ann)
	// Changed passwords end the others, logouts their own, on the server.
	other := g.as(site.Ann)
	victim.PostForm("/password/change", url.Values{"old": {password}, "password": {"a chair of ash and oak"}, "again": {"a chair of ash and oak"}}).Status(303)
	g.sending(name+"="+after, false).Contains(`"user":null`)
	other.Get("/whoami").Contains(`"user":null`)
	victim.Get("/whoami").Contains(site.Ann)
	name, last := cookieOf(t, victim)
	victim.PostForm("/logout", nil).Status(303)
	g.sending(name+"="+last, false).Contains(`"user":null`)
}

// Weak random: fiber 2025-66630; Werkzeug 2019-14806.
func TestClassWeakRandom(t *testing.T) {
	t.Parallel()
	g := newGround(t, testdb.SQLite)
	seen := map[string]string{}
	note := func(kind, value string, atLeast int) {
		t.Helper()
		if len(value) < atLeast || strings.Count(value, value[:1]) > len(value)/2 {
			t.Errorf("%s %q is short or not random", kind, value)
		}
		if seen[value] != "" {
			t.Errorf("%s %q was a %s before", kind, value, seen[value])
		}
		seen[value] = kind
	}
	for range 20 {
		ann := g.as(site.Ann)
		_, value := cookieOf(t, ann)
		note("session", value, 26)
		page := ann.Get("/notes/new")
		note("token", page.Field("csrf_token"), 40)
		_, nonce, _ := strings.Cut(page.Header().Get("Content-Security-Policy"), "'nonce-")
		nonce, _, _ = strings.Cut(nonce, "'")
		note("nonce", nonce, 20)
	}
}

// Signing: 2026-6873; Flask 2025-47278.
func TestClassSigning(t *testing.T) {
	t.Parallel()
	const old = "the key of the year before, no longer used"
	g := newGround(t, testdb.SQLite, func(cfg *retort.Config) { cfg.SecretKeyFallbacks = []string{old} })
	signed := g.Get("/lab/sign?text=hello").Status(200).Text()
	g.Get("/lab/open?token=" + url.QueryEscape(signed)).Status(200).Contains("aGVsbG8=")
	// What is signed for one purpose is nothing for another.
	for _, path := range []string{"/verify/", "/password/reset/", "/login/link/", "/email/confirm/", "/setup/"} {
		r := g.Fresh().Get(path + url.PathEscape(signed))
		if r.Code == 200 || r.Code >= 500 {
			t.Errorf("%s takes what was signed elsewhere: %d", path, r.Code)
		}
	}
	g.sending("session="+signed, false).Contains(`"user":null`)
	g.PostForm("/password/reset", url.Values{"email": {site.Ann}}).Status(200)
	token := linkOf(t, g.mailed(site.Ann), "/password/reset/")
	g.Get("/lab/open?token=" + url.QueryEscape(token)).Status(400)
	for _, path := range []string{"/verify/", "/login/link/", "/email/confirm/"} {
		if r := g.Fresh().Get(path + token); r.Code == 200 || r.Code >= 500 {
			t.Errorf("%s takes the token of a reset: %d", path, r.Code)
		}
	}
	for _, broken := range []string{signed[1:], signed + "A", strings.ToUpper(signed), signed[:len(signed)-1], strings.Repeat("A", 100_000), "....", "", "\x00", strings.Replace(signed, ".", "", 1), signed + "=", signed + "\n"} {
		if r := g.Get("/lab/open?token=" + url.QueryEscape(broken)); r.Code != 400 {
			t.Errorf("%.80q: %d", broken, r.Code)
		}
	}
	// An old key reads, and signs no more.
	before := newGround(t, testdb.SQLite, func(cfg *retort.Config) { cfg.SecretKey = old })
	kept := before.Get("/lab/sign?text=kept").Text()
	g.Get("/lab/open?token=" + url.QueryEscape(kept)).Status(200)
	before.Get("/lab/open?token=" + url.QueryEscape(signed)).Status(400)
}
