package static

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"
)

var long = strings.Repeat("body { color: red }\n", 50)

func mapFS(files ...string) fstest.MapFS {
	m := make(fstest.MapFS)
	for i := 0; i < len(files); i += 2 {
		m[files[i]] = &fstest.MapFile{Data: []byte(files[i+1]), ModTime: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	}
	return m
}

func newFiles(files ...string) *Files { return New(Options{}, Source{FS: mapFS(files...)}) }

// get asks for a target with headers given as name, value pairs.
func get(h http.Handler, target string, headers ...string) *http.Response {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func text(t *testing.T, r *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func mustURL(t *testing.T, f *Files, name string) string {
	t.Helper()
	u, err := f.URL(name)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestURL(t *testing.T) {
	t.Parallel()
	f := newFiles("css/site.css", long, "app.min.js", "1", "LICENSE", "text", "a b/ü?.txt", "x")
	for name, want := range map[string]string{
		"css/site.css":  `^/static/css/site\.[0-9a-f]{12}\.css$`,
		"/css/site.css": `^/static/css/site\.[0-9a-f]{12}\.css$`,
		"app.min.js":    `^/static/app\.min\.[0-9a-f]{12}\.js$`,
		"LICENSE":       `^/static/LICENSE\.[0-9a-f]{12}$`,
		"a b/ü?.txt":    `^/static/a%20b/%C3%BC%3F\.[0-9a-f]{12}\.txt$`,
	} {
		got := mustURL(t, f, name)
		if !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("%s: got %s", name, got)
		}
		if r := get(f, got); r.StatusCode != 200 || r.Header.Get("Cache-Control") != immutable {
			t.Errorf("%s: %d, %q", got, r.StatusCode, r.Header.Get("Cache-Control"))
		}
	}
	if f.assets["LICENSE"].url != mustURL(t, newFiles("LICENSE", "text"), "LICENSE") {
		t.Error("the hash depends on more than the content")
	}
}

func TestUnknownNameSuggestsANearOne(t *testing.T) {
	t.Parallel()
	f := newFiles("css/site.css", long, "js/app.js", "1")
	_, err := f.URL("css/stie.css")
	if !errors.Is(err, ErrUnknown) || err.Error() != `static: "css/stie.css" is not in any source; did you mean "css/site.css"?` {
		t.Errorf("got %v", err)
	}
	if _, err = f.URL("qqqqqqqqqqqqqqqqqqqq"); !errors.Is(err, ErrUnknown) || strings.Contains(err.Error(), "did you mean") {
		t.Errorf("got %v", err)
	}
}

func TestCacheControl(t *testing.T) {
	t.Parallel()
	source := Source{FS: mapFS("a.css", long)}
	f := New(Options{}, source)
	hashed := mustURL(t, f, "a.css")
	old := strings.Replace(hashed, hashed[len("/static/a."):len(hashed)-4], "0123456789ab", 1)
	kept := New(Options{MaxAge: time.Hour}, source)
	dev := New(Options{Development: true}, source)
	for _, c := range []struct {
		f            *Files
		target, want string
	}{
		{f, hashed, immutable},
		{f, "/static/a.css", "no-cache"},
		{f, old, "no-cache"},
		{kept, "/static/a.css", "public, max-age=3600"},
		{kept, old, "no-cache"},
		{New(Options{}, source), hashed, immutable}, // not asked for its URL before
		{dev, mustURL(t, dev, "a.css"), "no-cache"},
	} {
		r := get(c.f, c.target)
		if r.StatusCode != 200 || r.Header.Get("Cache-Control") != c.want || text(t, r) != long {
			t.Errorf("%s: %d, %q, want %q", c.target, r.StatusCode, r.Header.Get("Cache-Control"), c.want)
		}
	}
}

func TestNotServed(t *testing.T) {
	t.Parallel()
	f := newFiles("a.css", long, "dir/b.css", long, ".env", "SECRET", ".git/config", "SECRET", "dir/.x", "SECRET", "nul.txt", "x",
		"dir/COM1", "x", "index.html", "i", "dir/index.html", "i", "end.", "x")
	for _, target := range []string{
		"/static/", "/static", "/", "/other/a.css", "/static/dir", "/static/dir/", "/static/.env", "/static/.git/config", "/static/dir/.x",
		"/static/../a.css", "/static/dir/../a.css", "/static/%2e%2e/a.css", "/static/dir%2f..%2fa.css", "/static//a.css", "/static/./a.css",
		"/static/dir%5cb.css", "/static/a.css%00", "/static/a.css%00.png", "/static/nul.txt", "/static/dir/COM1", "/static/CON",
		"/static/lpt1.x.css", "/static/end.", "/static/a.css%20", "/static/a.css::$DATA", "/static/C:/a.css", "/static//etc/passwd",
		"/static/a.css/", "/static/missing.css", "/static/missing.0123456789ab.css", "/static/.0123456789ab.css", "/static/dir/.0123456789ab",
		"/static/\u0085a.css", "/static/a%0a.css", "/static/" + strings.Repeat("a", 100000),
	} {
		path, err := url.PathUnescape(target)
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.URL = &url.URL{Path: path}
		w := httptest.NewRecorder()
		f.ServeHTTP(w, r)
		if body := w.Body.String(); w.Code != 404 || strings.Contains(body, "SECRET") || strings.Contains(body, "a.css") {
			t.Errorf("%.60s: %d %.60q", target, w.Code, body)
		}
	}
	if got, want := f.Names(), []string{"a.css", "dir/b.css", "dir/index.html", "index.html"}; !slices.Equal(got, want) {
		t.Errorf("Names: %q, want %q", got, want)
	}
}

func TestMethods(t *testing.T) {
	t.Parallel()
	f := newFiles("a.css", long)
	for method, want := range map[string]int{"GET": 200, "HEAD": 200, "POST": 405, "PUT": 405, "DELETE": 405, "OPTIONS": 405} {
		w := httptest.NewRecorder()
		f.ServeHTTP(w, httptest.NewRequest(method, "/static/a.css", nil))
		if w.Code != want || want == 405 && w.Header().Get("Allow") != "GET, HEAD" || method == "HEAD" && (w.Body.Len() > 0 || w.Header().Get("Content-Length") != "1000") {
			t.Errorf("%s: %d %v", method, w.Code, w.Header())
		}
	}
}

func TestNegotiation(t *testing.T) {
	t.Parallel()
	f := newFiles("a.css", long, "b.css", long, "b.css.br", "BR", "b.css.gz", "GZ", "c.png", long, "small.css", "a{}", "noise.txt", noise(), "d.js", long, "d.js.zst", "ZS")
	for _, c := range []struct {
		name, accept, coding string
		status               int
	}{
		{"a.css", "", "", 200},
		{"a.css", "gzip", "gzip", 200},
		{"a.css", "x-gzip", "gzip", 200},
		{"a.css", "GZIP;Q=0.5, deflate", "gzip", 200},
		{"a.css", "br", "", 200},
		{"a.css", "*", "gzip", 200},
		{"a.css", "gzip;q=0", "", 200},
		{"a.css", "gzip;q=0, *", "", 200},
		{"a.css", "gzip;q=0.5, identity", "", 200},
		{"a.css", "gzip, identity;q=0.5", "gzip", 200},
		{"a.css", "gzip;q=0.001", "gzip", 200},
		{"a.css", "gzip;q=2", "", 200},
		{"a.css", "gzip;q=x", "", 200},
		{"a.css", "gzip;q=-1", "", 200},
		{"a.css", "gzip;level=9", "", 200},
		{"a.css", "identity;q=0", "", 406},
		{"a.css", "*;q=0", "", 406},
		{"a.css", "*;q=0, gzip", "gzip", 200},
		{"a.css", "identity;q=0, gzip", "gzip", 200},
		{"b.css", "gzip, deflate, br, zstd", "br", 200},
		{"b.css", "gzip, br;q=0.9", "gzip", 200},
		{"b.css", "gzip, br;q=0", "gzip", 200},
		{"d.js", "gzip, zstd", "zstd", 200},
		{"d.js", "gzip;q=1, zstd;q=0.9", "gzip", 200},
		{"c.png", "gzip", "", 200},
		{"c.png", "identity;q=0, gzip", "", 406},
		{"small.css", "gzip", "", 200},
		{"noise.txt", "gzip", "", 200},
	} {
		r := get(f, "/static/"+c.name, "Accept-Encoding", c.accept)
		if r.StatusCode != c.status || r.Header.Get("Content-Encoding") != c.coding {
			t.Errorf("%s with %q: %d %q, want %d %q", c.name, c.accept, r.StatusCode, r.Header.Get("Content-Encoding"), c.status, c.coding)
		}
		body := text(t, r)
		switch {
		case c.status != 200:
			continue
		case fmt.Sprint(len(body)) != r.Header.Get("Content-Length"):
			t.Errorf("%s with %q: %d bytes, Content-Length %s", c.name, c.accept, len(body), r.Header.Get("Content-Length"))
		case c.coding == "br" && body != "BR", c.coding == "zstd" && body != "ZS", c.name == "b.css" && c.coding == "gzip" && body != "GZ":
			t.Errorf("%s with %q: got %q", c.name, c.accept, body)
		}
		if wantVary := c.name != "c.png" && c.name != "small.css"; wantVary != (r.Header.Get("Vary") == "Accept-Encoding") {
			t.Errorf("%s with %q: Vary %q", c.name, c.accept, r.Header.Get("Vary"))
		}
	}
	r := get(f, "/static/a.css", "Accept-Encoding", "gzip")
	z, err := gzip.NewReader(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := io.ReadAll(z); string(plain) != long {
		t.Errorf("decompressed: %d bytes, %v", len(plain), err)
	}
}

// noise is text that gzip cannot make smaller.
func noise() string {
	var b strings.Builder
	x := uint32(1)
	for range 300 {
		x = x*1664525 + 1013904223
		b.WriteByte(byte(x >> 24))
	}
	return b.String()
}

func TestForgottenReadyMadeFormIsNotUsed(t *testing.T) {
	t.Parallel()
	m := mapFS("a.js", long, "a.js.gz", "OLD")
	m["a.js.gz"].ModTime = m["a.js"].ModTime.Add(-time.Hour)
	if body := text(t, get(New(Options{}, Source{FS: m}), "/static/a.js", "Accept-Encoding", "gzip")); body == "OLD" {
		t.Error("served a compressed form older than the file")
	}
}

func TestConditional(t *testing.T) {
	t.Parallel()
	f := newFiles("a.css", long)
	plain := get(f, "/static/a.css")
	coded := get(f, "/static/a.css", "Accept-Encoding", "gzip")
	etag, codedTag, modified := plain.Header.Get("Etag"), coded.Header.Get("Etag"), plain.Header.Get("Last-Modified")
	if etag == codedTag || etag == "" || modified == "" {
		t.Fatalf("tags %q and %q, modified %q", etag, codedTag, modified)
	}
	const before, later = "Thu, 01 Jan 2026 00:00:00 GMT", "Sat, 03 Jan 2026 00:00:00 GMT"
	for _, c := range []struct {
		name    string
		headers []string
		want    int
	}{
		{"same tag", []string{"If-None-Match", etag}, 304},
		{"weak tag", []string{"If-None-Match", "W/" + etag}, 304},
		{"any tag", []string{"If-None-Match", "*"}, 304},
		{"one of several", []string{"If-None-Match", `"x", ` + etag}, 304},
		{"other tag", []string{"If-None-Match", `"x"`}, 200},
		{"tag of another coding", []string{"If-None-Match", codedTag}, 200},
		{"tag of this coding", []string{"If-None-Match", codedTag, "Accept-Encoding", "gzip"}, 304},
		{"not modified since", []string{"If-Modified-Since", modified}, 304},
		{"modified since", []string{"If-Modified-Since", before}, 200},
		{"tag beats date", []string{"If-None-Match", `"x"`, "If-Modified-Since", later}, 200},
		{"broken date", []string{"If-Modified-Since", "yesterday"}, 200},
		{"match", []string{"If-Match", etag}, 200},
		{"no match", []string{"If-Match", `"x"`}, 412},
		{"weak tags never match strongly", []string{"If-Match", "W/" + etag}, 412},
		{"unmodified since", []string{"If-Unmodified-Since", before}, 412},
	} {
		r := get(f, "/static/a.css", c.headers...)
		if r.StatusCode != c.want {
			t.Errorf("%s: %d, want %d", c.name, r.StatusCode, c.want)
		}
		if c.want == 304 && (text(t, r) != "" || r.Header.Get("Vary") == "" || r.Header.Get("Cache-Control") == "" || r.Header.Get("Etag") == "") {
			t.Errorf("%s: 304 with %v", c.name, r.Header)
		}
	}
}

func TestRanges(t *testing.T) {
	t.Parallel()
	f := newFiles("a.bin", "0123456789")
	etag := get(f, "/static/a.bin").Header.Get("Etag")
	for _, c := range []struct {
		name, spec, ifRange string
		status              int
		content, body       string
	}{
		{"first", "bytes=0-3", "", 206, "bytes 0-3/10", "0123"},
		{"open end", "bytes=7-", "", 206, "bytes 7-9/10", "789"},
		{"suffix", "bytes=-2", "", 206, "bytes 8-9/10", "89"},
		{"long suffix", "bytes=-20", "", 206, "bytes 0-9/10", "0123456789"},
		{"beyond the end", "bytes=5-100", "", 206, "bytes 5-9/10", "56789"},
		{"past the end", "bytes=10-", "", 416, "bytes */10", ""},
		{"empty suffix", "bytes=-0", "", 416, "bytes */10", ""},
		{"empty suffix in zeros", "bytes= -000", "", 416, "bytes */10", ""},
		{"empty suffix beside a range", "bytes=-0,1-2", "", 206, "bytes 1-2/10", "12"},
		{"backwards", "bytes=5-1", "", 416, "", ""},
		{"other unit", "lines=1-2", "", 200, "", "0123456789"},
		{"no unit", "1-2", "", 200, "", "0123456789"},
		{"too many", "bytes=0-0" + strings.Repeat(",0-0", 20), "", 200, "", "0123456789"},
		{"same If-Range", "bytes=0-0", etag, 206, "bytes 0-0/10", "0"},
		{"other If-Range", "bytes=0-0", `"x"`, 200, "", "0123456789"},
	} {
		headers := []string{"Range", c.spec}
		if c.ifRange != "" {
			headers = append(headers, "If-Range", c.ifRange)
		}
		r := get(f, "/static/a.bin", headers...)
		if r.StatusCode != c.status || c.content != "" && r.Header.Get("Content-Range") != c.content {
			t.Errorf("%s: %d %q, want %d %q", c.name, r.StatusCode, r.Header.Get("Content-Range"), c.status, c.content)
		}
		if body := text(t, r); c.body != "" && body != c.body {
			t.Errorf("%s: got %q, want %q", c.name, body, c.body)
		}
	}
	r := get(f, "/static/a.bin", "Range", "bytes=0-1,4-5")
	if body := text(t, r); r.StatusCode != 206 || !strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/byteranges") || !strings.Contains(body, "bytes 4-5/10") {
		t.Errorf("two ranges: %d %v %q", r.StatusCode, r.Header, body)
	}
}

func TestContentTypes(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"a.js": "text/javascript; charset=utf-8", "a.mjs": "text/javascript; charset=utf-8", "A.CSS": "text/css; charset=utf-8",
		"a.svg": "image/svg+xml; charset=utf-8", "a.woff2": "font/woff2", "a.webmanifest": "application/manifest+json", "a.wasm": "application/wasm",
		"a.avif": "image/avif", "a.webp": "image/webp", "a.unknown": "application/octet-stream", "a": "application/octet-stream", "a.min.js.map": "application/json",
	} {
		r := get(newFiles(name, "<script>"), "/static/"+name)
		if got := r.Header.Get("Content-Type"); got != want || r.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestFirstSourceWins(t *testing.T) {
	t.Parallel()
	f := New(Options{Prefix: "/assets"}, Source{FS: mapFS("blog/a.css", "mine")}, Source{FS: mapFS("a.css", "theirs", "b.css", "b"), Prefix: "blog"})
	for target, want := range map[string]string{"/assets/blog/a.css": "mine", "/assets/blog/b.css": "b", "/assets/a.css": "404 Not Found\n"} {
		if got := text(t, get(f, target)); got != want {
			t.Errorf("%s: %q, want %q", target, got, want)
		}
	}
	if got := f.Names(); !slices.Equal(got, []string{"blog/a.css", "blog/b.css"}) {
		t.Errorf("Names: %q", got)
	}
}

func TestNotFoundHandler(t *testing.T) {
	t.Parallel()
	f := New(Options{NotFound: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusGone) })}, Source{FS: mapFS()})
	if r := get(f, "/static/x"); r.StatusCode != http.StatusGone {
		t.Errorf("got %d", r.StatusCode)
	}
}

func TestLinkOutOfAFolder(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	write(t, filepath.Join(base, "secret.txt"), "SECRET")
	write(t, filepath.Join(base, "site", "ok.txt"), "ok")
	for link, target := range map[string]string{"in.txt": "ok.txt", "out.txt": "../secret.txt", "up": ".."} {
		if err := os.Symlink(target, filepath.Join(base, "site", link)); err != nil {
			t.Fatal(err)
		}
	}
	folder, err := Dir(filepath.Join(base, "site"))
	if err != nil {
		t.Fatal(err)
	}
	f := New(Options{}, Source{FS: folder})
	for name, want := range map[string]int{"ok.txt": 200, "in.txt": 200, "out.txt": 404, "up/secret.txt": 404, "up/site/ok.txt": 404} {
		if r := get(f, "/static/"+name); r.StatusCode != want {
			t.Errorf("%s: %d, want %d", name, r.StatusCode, want)
		}
	}
	if err := ServeFile(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil), FileOptions{FS: folder, Name: "out.txt"}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("ServeFile: %v", err)
	}
	if errs := f.Check(); len(errs) != 0 {
		t.Errorf("Check: %v", errs)
	}
	if _, err := Dir(filepath.Join(base, "missing")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Dir: %v", err)
	}
}

func write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestDevelopmentSeesChanges(t *testing.T) {
	t.Parallel()
	m := mapFS("a.css", `.x { background: url(img/b.png) url(later.png) }`, "img/b.png", "1")
	f := New(Options{Development: true}, Source{FS: m})
	first := mustURL(t, f, "a.css")
	m["img/b.png"] = &fstest.MapFile{Data: []byte("22")}
	second := mustURL(t, f, "a.css")
	m["later.png"] = &fstest.MapFile{Data: []byte("3")}
	third := mustURL(t, f, "a.css")
	if first == second || second == third {
		t.Errorf("the sheet is %s, then %s, then %s", first, second, third)
	}
	if again := mustURL(t, f, "a.css"); again != third {
		t.Errorf("unchanged: %s, then %s", third, again)
	}
	delete(m, "a.css")
	if _, err := f.URL("a.css"); !errors.Is(err, ErrUnknown) {
		t.Errorf("deleted: %v", err)
	}
}

// TestChangedFileInProduction: a file replaced below a running program must not be served
// under the tag of the old one.
func TestChangedFileInProduction(t *testing.T) {
	t.Parallel()
	m := mapFS("a.txt", "one")
	f := New(Options{}, Source{FS: m})
	old := mustURL(t, f, "a.txt")
	m["a.txt"] = &fstest.MapFile{Data: []byte("three")}
	r := get(f, old)
	if r.Header.Get("Cache-Control") != "no-cache" || text(t, r) != "three" || mustURL(t, f, "a.txt") == old {
		t.Errorf("got %v", r.Header)
	}
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	reads := &countingFS{FS: mapFS("a.css", long+"@import 'b.css';", "b.css", long, "c.css", "@import 'a.css';")}
	f := New(Options{}, Source{FS: reads})
	var wait sync.WaitGroup
	for i := range 16 {
		wait.Go(func() {
			name := []string{"a.css", "b.css", "c.css"}[i%3]
			if r := get(f, mustURL(t, f, name), "Accept-Encoding", "gzip"); r.StatusCode != 200 {
				t.Errorf("%s: %d", name, r.StatusCode)
			}
		})
	}
	wait.Wait()
	// a.css is also read once, for each sheet that imports it, to see whether it imports
	// that one back, and so is b.css; then once each to hash, and b.css to compress and
	// serve.
	if n := reads.opens("a.css"); n > 2 {
		t.Errorf("a.css was opened %d times", n)
	}
}

type countingFS struct {
	fs.FS
	mu    sync.Mutex
	count map[string]int
}

func (c *countingFS) Open(name string) (fs.File, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.count == nil {
		c.count = make(map[string]int)
	}
	c.count[name]++
	return c.FS.Open(name)
}

func (c *countingFS) Stat(name string) (fs.FileInfo, error) { return fs.Stat(c.FS, name) }

func (c *countingFS) opens(name string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.count[name]
}

func TestCacheForgetsTheLeastRecentlyUsed(t *testing.T) {
	t.Parallel()
	c := newCache(10)
	c.put("a", make([]byte, 4))
	c.put("b", make([]byte, 4))
	c.get("a")
	c.put("c", make([]byte, 4))
	c.put("huge", make([]byte, 11))
	if c.get("a") == nil || c.get("b") != nil || c.get("c") == nil || c.get("huge") != nil || c.size != 8 {
		t.Errorf("size %d, %v", c.size, c.entries)
	}
	c.put("a", make([]byte, 1))
	if c.size != 5 {
		t.Errorf("size %d after a replacement", c.size)
	}
}

func TestNewPanicsOnProgramErrors(t *testing.T) {
	t.Parallel()
	for name, make := range map[string]func(){
		"no FS":            func() { New(Options{}, Source{}) },
		"no path":          func() { New(Options{Prefix: "static"}) },
		"query":            func() { New(Options{Prefix: "/s?x"}) },
		"host and no path": func() { New(Options{Prefix: ":"}) },
	} {
		func() {
			defer func() {
				if v := recover(); v == nil || !strings.HasPrefix(fmt.Sprint(v), "static: ") {
					t.Errorf("%s: %v", name, v)
				}
			}()
			make()
		}()
	}
}

func TestURLOnAnotherHost(t *testing.T) {
	t.Parallel()
	f := New(Options{Prefix: "https://cdn.example/s/"}, Source{FS: mapFS("a.js", "1")})
	if got := mustURL(t, f, "a.js"); !strings.HasPrefix(got, "https://cdn.example/s/a.") {
		t.Errorf("got %s", got)
	}
	if r := get(f, "/s/a.js"); r.StatusCode != 200 {
		t.Errorf("got %d", r.StatusCode)
	}
}
