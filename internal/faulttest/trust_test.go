//go:build unix

package faulttest_test

import (
	"crypto/rand"
	"encoding/base64"
	"net/url"
	"strings"
	"testing"
)

// visitor asks for a page that has a session and returns its cookie, as
// "session=…", and what the page said.
func visitor(t testing.TB, s *site, target string) (cookie, body string) {
	t.Helper()
	a := s.ask(t, get(target))
	a.proper(t)
	cookie, _, _ = strings.Cut(a.header.Get("Set-Cookie"), ";")
	if a.status != 200 || !strings.HasPrefix(cookie, "session=") {
		t.Fatalf("%s: %d %v", target, a.status, a.header)
	}
	return cookie, a.body
}

// author logs in as the user whom the blog makes at its first start.
func author(t testing.TB, s *site) (cookie string) {
	t.Helper()
	form := url.Values{"email": {"demo@blog.example"}, "password": {demoPassword}}
	a := s.ask(t, request("POST", "/login", form.Encode(), urlencoded, "Origin: http://blog.example"))
	a.proper(t)
	cookie, _, _ = strings.Cut(a.header.Get("Set-Cookie"), ";")
	if a.status != 303 || !strings.HasPrefix(cookie, "session=") {
		t.Fatalf("login: %d %v", a.status, a.header)
	}
	return cookie
}

// TestForgedRequests tries all that a request can say about where it comes from.
func TestForgedRequests(t *testing.T) {
	t.Parallel()
	s := start(t, labProgram, options{})
	cookie, right := visitor(t, s, "/token")
	_, strange := visitor(t, s, "/token")
	w := s.dial(t)
	for _, site := range []string{"", "same-origin", "none", "same-site", "cross-site", "rubbish"} {
		for _, origin := range []string{"", "http://blog.example", "http://evil.example", "http://blog.example:81", "http://blog.example.evil.example", "null", "%"} {
			for _, cookie := range []string{"", cookie, "session=broken", "other=1"} {
				for kind, token := range map[string]string{"none": "", "right": right, "another's": strange, "rubbish": "a\xffb", "cut": right[:20]} {
					var lines []string
					for name, value := range map[string]string{"Sec-Fetch-Site": site, "Origin": origin, "Cookie": cookie} {
						if value != "" {
							lines = append(lines, name+": "+value)
						}
					}
					body := url.Values{"csrf_token": {token}}.Encode()
					want := 403
					switch {
					case site == "same-origin" || site == "none",
						site == "" && origin == "http://blog.example",
						site == "" && origin == "" && cookie == "",
						site == "" && origin == "" && strings.HasPrefix(cookie, "session=") && cookie != "session=broken" && kind == "right":
						want = 200
					}
					w.send(request("POST", "/change", body, append(lines, urlencoded)...))
					a, err := w.read("POST")
					if err != nil {
						t.Fatal(err)
					}
					// A token that is no text may be refused before it is compared.
					if a.status != want && (kind != "rubbish" || want != 403 || a.status != 400) {
						t.Errorf("from %q, origin %q, cookie %.10q, token %s: %d, want %d", site, origin, cookie, kind, a.status, want)
					}
					a.proper(t)
				}
			}
		}
	}
}

func TestBrokenSessions(t *testing.T) {
	t.Parallel()
	s := start(t, labProgram, options{})
	cookie, body := visitor(t, s, "/visits")
	if body != "1" {
		t.Fatal(body)
	}
	if a := s.ask(t, get("/visits", "Cookie: "+cookie)); a.body != "2" {
		t.Errorf("the second visit: %s", a.body)
	}
	value := strings.TrimPrefix(cookie, "session=")
	sealed, err := base64.RawURLEncoding.DecodeString(value)
	if err != nil {
		t.Fatal(err)
	}
	broken := map[string]string{
		"empty": "session=", "rubbish": "session=rubbish", "no name": "=" + value, "no value": "session", "planted": "=session=" + value,
		"with a prefix": "__Host-session=" + value, "planted prefix": "=__Host-session=" + value, "in quotes, cut": `session="` + value,
		"cut": "session=" + value[:len(value)/2], "longer": "session=" + value + "AAAA", "twice": "session=" + value + value,
		"raw bytes": "session=\xff\xfe\x80", "60 kB": "session=" + strings.Repeat("A", 60_000), "3,000 cookies": strings.Repeat("session=x; ", 3000),
		"only semicolons": strings.Repeat(";", 5000), "of JSON": `session={"visits":7}`, "of dots": "session=" + strings.Repeat(".", 10_000),
		"unsigned token": "session=eyJhbGciOiJub25lIn0.eyJ2aXNpdHMiOjd9.",
	}
	for i := 0; i < len(sealed); i += 7 {
		other := append([]byte{}, sealed...)
		other[i] ^= 1
		broken["changed at "+string(rune('a'+i/7))] = "session=" + base64.RawURLEncoding.EncodeToString(other)
	}
	for name, cookie := range broken {
		a := s.ask(t, get("/visits", "Cookie: "+cookie))
		if a.status != 200 || a.body != "1" {
			t.Errorf("%s: %d %q", name, a.status, a.body)
		}
		a.proper(t)
	}
}

func TestSessionsOfOtherKeys(t *testing.T) {
	t.Parallel()
	now := start(t, labProgram, options{})
	before := start(t, labProgram, options{env: []string{"SECRET_KEY=" + oldKey, "SECRET_KEY_FALLBACKS="}})
	stranger := start(t, labProgram, options{env: []string{"SECRET_KEY=a-key-that-nobody-here-has-ever-seen-0123", "SECRET_KEY_FALLBACKS="}})
	cookie, _ := visitor(t, before, "/visits")
	a := now.ask(t, get("/visits", "Cookie: "+cookie))
	if a.body != "2" {
		t.Errorf("a session of the old key: %s", a.body)
	}
	renewed, _, _ := strings.Cut(a.header.Get("Set-Cookie"), ";")
	if got := before.ask(t, get("/visits", "Cookie: "+renewed)).body; got != "1" {
		t.Errorf("a session was renewed with the old key: %s", got)
	}
	cookie, _ = visitor(t, stranger, "/visits")
	if got := now.ask(t, get("/visits", "Cookie: "+cookie)).body; got != "1" {
		t.Errorf("a session of a stranger's key: %s", got)
	}
}

// TestMessagesThatNobodyReads changes a post again and again and never looks at
// a page, on which the messages about it would be shown.
func TestMessagesThatNobodyReads(t *testing.T) {
	t.Parallel()
	s := start(t, blogProgram, options{})
	cookie := author(t, s)
	target := "/posts/new"
	for i := range 60 {
		form := url.Values{
			"title": {strings.Repeat(rand.Text(), 5)}, "summary": {"A summary."}, "body": {"A body."}, "tags": {"1"}, "status": {"live"}, "slug": {"changed-often"},
		}
		a := s.ask(t, request("POST", target, form.Encode(), urlencoded, "Origin: http://blog.example", "Cookie: "+cookie))
		a.proper(t)
		if cookie, _, _ = strings.Cut(a.header.Get("Set-Cookie"), ";"); a.status != 303 || cookie == "" {
			t.Fatalf("change %d: %d %v", i, a.status, a.header)
		}
		target = "/posts/changed-often/edit"
	}
	if a := s.ask(t, get("/", "Cookie: "+cookie)); a.status != 200 || !strings.Contains(a.body, "is saved.") {
		t.Errorf("the messages are lost: %d", a.status)
	}
}

// TestPagesWithSessionsAreNotShared looks at what a cache may keep.
func TestPagesWithSessionsAreNotShared(t *testing.T) {
	t.Parallel()
	s := start(t, blogProgram, options{})
	private := func(a *answer) bool {
		return strings.Contains(a.header.Get("Cache-Control"), "no-store") && strings.Contains(strings.Join(a.header["Vary"], ","), "Cookie")
	}
	form := s.ask(t, get("/login"))
	form.proper(t)
	if !private(form) {
		t.Errorf("a page with a token may be kept: %v", form.header)
	}
	cookie, _, _ := strings.Cut(form.header.Get("Set-Cookie"), ";")
	for _, target := range []string{"/", "/posts/" + anyPost, "/search?q=a", "/tags/bread"} {
		a := s.ask(t, get(target, "Cookie: "+cookie))
		a.proper(t)
		if !private(a) {
			t.Errorf("%s for a visitor with a session may be kept: %v", target, a.header)
		}
	}
	a := s.ask(t, get("/"))
	if a.header["Set-Cookie"] != nil || !strings.Contains(strings.Join(a.header["Vary"], ","), "Cookie") {
		t.Errorf("a page that looks for messages: %v", a.header)
	}
	for _, target := range []string{"/api/posts", "/static/blog/style.css"} {
		a := s.ask(t, get(target, "Cookie: "+cookie))
		if a.header["Set-Cookie"] != nil || strings.Contains(strings.Join(a.header["Vary"], ","), "Cookie") {
			t.Errorf("%s has no session, but: %v", target, a.header)
		}
	}
	stale := s.ask(t, get("/static/blog/style.000000000000.css"))
	if strings.Contains(stale.header.Get("Cache-Control"), "immutable") {
		t.Error("the style sheet may be kept for ever under a hash that is not its own")
	}
	// Errors are the visitor's own, too.
	lost := s.ask(t, get("/posts/none", "Cookie: "+cookie))
	lost.proper(t)
	if lost.status != 404 || !private(lost) {
		t.Errorf("a page that is not there: %d %v", lost.status, lost.header)
	}
}
