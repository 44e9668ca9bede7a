package static

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// serveFile answers one request, and fails the test on an error.
func serveFile(t *testing.T, o FileOptions, headers ...string) *http.Response {
	t.Helper()
	return get(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := ServeFile(w, r, o); err != nil {
			t.Error(err)
		}
	}), "/", headers...)
}

func TestServeFile(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	name := filepath.Join(folder, "report.pdf")
	write(t, name, "0123456789")
	fsys := mapFS("a/b.txt", "text")
	for _, c := range []struct {
		name    string
		options FileOptions
		headers []string
		status  int
		want    map[string]string
		body    string
	}{
		{"path", FileOptions{Path: name}, nil, 200, map[string]string{"Content-Type": "application/pdf", "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff", "Content-Length": "10", "Accept-Ranges": "bytes", "Content-Disposition": ""}, "0123456789"},
		{"within FS", FileOptions{FS: fsys, Name: "a/b.txt"}, nil, 200, map[string]string{"Content-Type": "text/plain; charset=utf-8", "Last-Modified": "Fri, 02 Jan 2026 03:04:05 GMT"}, "text"},
		{"attachment", FileOptions{Path: name, AttachmentName: "Q3.csv"}, nil, 200, map[string]string{"Content-Type": "application/pdf", "Content-Disposition": `attachment; filename="Q3.csv"`}, "0123456789"},
		{"content named by its attachment", FileOptions{Content: strings.NewReader("a,b"), AttachmentName: "Q3.csv"}, nil, 200, map[string]string{"Content-Type": "text/csv; charset=utf-8", "Etag": "", "Last-Modified": ""}, "a,b"},
		{"content without a name is not sniffed", FileOptions{Content: strings.NewReader("<html><script>")}, nil, 200, map[string]string{"Content-Type": "application/octet-stream"}, "<html><script>"},
		{"explicit type and tag", FileOptions{Path: name, ContentType: "text/x", ETag: `"v1"`, MaxAge: time.Hour}, nil, 200, map[string]string{"Content-Type": "text/x", "Etag": `"v1"`, "Cache-Control": "public, max-age=3600"}, "0123456789"},
		{"same tag", FileOptions{Path: name, ETag: `"v1"`}, []string{"If-None-Match", `W/"v1"`}, 304, nil, ""},
		{"modification time of content", FileOptions{Content: strings.NewReader("x"), ModTime: time.Unix(1e9, 0)}, []string{"If-Modified-Since", "Sun, 09 Sep 2001 01:46:40 GMT"}, 304, nil, ""},
		{"range", FileOptions{Path: name}, []string{"Range", "bytes=2-4"}, 206, map[string]string{"Content-Range": "bytes 2-4/10"}, "234"},
		{"range of nothing", FileOptions{Path: name}, []string{"Range", "bytes=-0"}, 416, map[string]string{"Content-Range": "bytes */10"}, "invalid range: failed to overlap\n"},
	} {
		r := serveFile(t, c.options, c.headers...)
		if body := text(t, r); r.StatusCode != c.status || body != c.body {
			t.Errorf("%s: %d %q", c.name, r.StatusCode, body)
		}
		for header, want := range c.want {
			if got := r.Header.Get(header); got != want {
				t.Errorf("%s: %s is %q, want %q", c.name, header, got, want)
			}
		}
	}
}

func TestServeFileKeepsHeadersThatAreSet(t *testing.T) {
	t.Parallel()
	r := get(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "private, no-store")
		w.Header().Set("Content-Type", "text/x")
		if err := ServeFile(w, r, FileOptions{FS: mapFS("a.css", "x"), Name: "a.css"}); err != nil {
			t.Error(err)
		}
	}), "/")
	if r.Header.Get("Cache-Control") != "private, no-store" || r.Header.Get("Content-Type") != "text/x" {
		t.Errorf("got %v", r.Header)
	}
}

func TestServeFileErrorsComeBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	write(t, filepath.Join(base, "in", "a.txt"), "a")
	write(t, filepath.Join(base, "secret.txt"), "SECRET")
	folder, err := Dir(filepath.Join(base, "in"))
	if err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]FileOptions{
		"missing":        {Path: filepath.Join(base, "missing")},
		"folder":         {Path: base},
		"missing in FS":  {FS: folder, Name: "b.txt"},
		"folder in FS":   {FS: folder, Name: "."},
		"parent":         {FS: folder, Name: "../secret.txt"},
		"absolute":       {FS: folder, Name: "/etc/passwd"},
		"NUL":            {FS: folder, Name: "a.txt\x00"},
		"device":         {FS: folder, Name: "NUL"},
		"backslash":      {FS: folder, Name: `..\secret.txt`},
		"hidden":         {FS: folder, Name: ".env"},
		"hidden folder":  {FS: folder, Name: ".git/config"},
		"trailing slash": {FS: folder, Name: "a.txt/"},
	} {
		w := httptest.NewRecorder()
		err := ServeFile(w, httptest.NewRequest("GET", "/", nil), o)
		if !errors.Is(err, fs.ErrNotExist) || w.Body.Len() > 0 || len(w.Header()) > 0 {
			t.Errorf("%s: %v, %v", name, err, w.Header())
		}
	}
	if err := ServeFile(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil), FileOptions{}); err == nil {
		t.Error("nothing to serve: no error")
	}
}

type closeCounter struct {
	*bytes.Reader
	closed int
	fail   error
}

func (c *closeCounter) Close() error { c.closed++; return nil }

func (c *closeCounter) Seek(offset int64, whence int) (int64, error) {
	if c.fail != nil {
		return 0, c.fail
	}
	return c.Reader.Seek(offset, whence)
}

func TestServeFileClosesContent(t *testing.T) {
	t.Parallel()
	for _, fail := range []error{nil, io.ErrUnexpectedEOF} {
		content := &closeCounter{Reader: bytes.NewReader([]byte("x")), fail: fail}
		err := ServeFile(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil), FileOptions{Content: content})
		if content.closed != 1 || !errors.Is(err, fail) {
			t.Errorf("closed %d times, %v", content.closed, err)
		}
	}
}

func TestContentDisposition(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"report.pdf":              `attachment; filename="report.pdf"`,
		"two words.pdf":           `attachment; filename="two words.pdf"`,
		"naïve.txt":               `attachment; filename="na_ve.txt"; filename*=UTF-8''na%C3%AFve.txt`,
		"日本.txt":                  `attachment; filename="__.txt"; filename*=UTF-8''%E6%97%A5%E6%9C%AC.txt`,
		`a"b.txt`:                 `attachment; filename="a_b.txt"; filename*=UTF-8''a%22b.txt`,
		"a;b.txt":                 `attachment; filename="a_b.txt"; filename*=UTF-8''a%3Bb.txt`,
		"50%.txt":                 `attachment; filename="50_.txt"; filename*=UTF-8''50%25.txt`,
		"a\r\nSet-Cookie: x=1":    `attachment; filename="aSet-Cookie: x=1"`,
		"a\x00.txt":               `attachment; filename="a.txt"`,
		"../../etc/passwd":        `attachment; filename="passwd"`,
		`C:\Users\x\a.txt`:        `attachment; filename="a.txt"`,
		"":                        `attachment; filename="download"`,
		"..":                      `attachment; filename="download"`,
		"photo\u202egnp.exe":      `attachment; filename="photognp.exe"`,
		"broken\xff.txt":          `attachment; filename="broken_.txt"; filename*=UTF-8''broken%EF%BF%BD.txt`,
		"it's (1) [final] v~2.md": `attachment; filename="it's (1) [final] v~2.md"`,
	} {
		if got := ContentDisposition("attachment", name); got != want {
			t.Errorf("%q: got %s, want %s", name, got, want)
		}
	}
	if got := ContentDisposition("inline", "a.pdf"); got != `inline; filename="a.pdf"` {
		t.Errorf("got %s", got)
	}
}

// FuzzContentDisposition: whatever the name, one parameter comes back, and nothing that
// ends the header.
func FuzzContentDisposition(f *testing.F) {
	for _, name := range []string{"a.txt", "ü\";\r\n%", "\\", "a\\\"b", "\u2028"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		header := ContentDisposition("attachment", name)
		for _, c := range []byte(header) {
			if c < ' ' || c > '~' {
				t.Fatalf("%q gives %q", name, header)
			}
		}
		kind, params, err := mime.ParseMediaType(header)
		if err != nil || kind != "attachment" || params["filename"] == "" || strings.ContainsAny(params["filename"], "/\\\x00\r\n") || !utf8.ValidString(params["filename"]) {
			t.Fatalf("%q gives %q: %v, %v", name, header, params, err)
		}
	})
}

func FuzzNames(f *testing.F) {
	for _, name := range []string{"a.css", "a.0123456789ab.css", "0123456789ab", ".0123456789ab", "../a", "a/.b", "con.txt", "a\\b", "x.0123456789ab"} {
		f.Add(name)
	}
	files := newFiles("a.css", "x", "dir/b.js", "y")
	f.Fuzz(func(t *testing.T, name string) {
		if servable(name) && (!fs.ValidPath(name) || strings.ContainsAny(name, "\\:\x00") || strings.Contains("/"+name, "/.")) {
			t.Fatalf("%q is servable", name)
		}
		if plain, hash, ok := plainName(name); ok && hashedName(plain, hash) != name {
			t.Fatalf("%q is taken apart as %q and %q", name, plain, hash)
		}
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.URL.Path = "/static/" + name
		w := httptest.NewRecorder()
		files.ServeHTTP(w, r)
		if w.Code != 404 && w.Body.String() != "x" && w.Body.String() != "y" {
			t.Fatalf("%q: %d %q", name, w.Code, w.Body)
		}
	})
}

func FuzzAcceptEncoding(f *testing.F) {
	for _, accept := range []string{"gzip;q=0.5, *;q=0", "gzip ; Q = 1.000", ",;,;q", "gzip;q=0.1234", "*"} {
		f.Add(accept)
	}
	f.Fuzz(func(t *testing.T, accept string) {
		for _, coding := range []string{"gzip", "br", "identity"} {
			if q := quality(accept, coding); q < 0 || q > 1000 {
				t.Fatalf("%q: %s has %d", accept, coding, q)
			}
		}
	})
}

func BenchmarkServe(b *testing.B) {
	f := newFiles("css/site.css", long, "a.png", long)
	hashed, err := f.URL("css/site.css")
	if err != nil {
		b.Fatal(err)
	}
	etag := get(f, hashed).Header.Get("Etag")
	for name, headers := range map[string][]string{"plain": nil, "gzip": {"Accept-Encoding", "gzip, deflate, br"}, "unchanged": {"If-None-Match", etag}} {
		b.Run(name, func(b *testing.B) {
			r := httptest.NewRequest(http.MethodGet, hashed, nil)
			for i := 0; i < len(headers); i += 2 {
				r.Header.Set(headers[i], headers[i+1])
			}
			w := httptest.NewRecorder()
			b.ReportAllocs()
			for b.Loop() {
				w.Body.Reset()
				clear(w.Header())
				f.ServeHTTP(w, r)
			}
		})
	}
}

func BenchmarkURL(b *testing.B) {
	f := newFiles("css/site.css", long)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.URL("css/site.css"); err != nil {
			b.Fatal(err)
		}
	}
}
