package devserver

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
)

const document = "<!DOCTYPE html>\n<html><body><p>hi</p></BODY></html>\n"

// answer is a program's response to a browser's navigation.
func answer(body string, header ...string) *http.Response {
	r := &http.Response{
		StatusCode:    http.StatusOK,
		Header:        http.Header{"Content-Type": {"text/html; charset=utf-8"}, "Content-Length": {strconv.Itoa(len(body))}, "Etag": {`"1"`}},
		Body:          io.NopCloser(strings.NewReader(body)),
		ContentLength: int64(len(body)),
		Request:       httptest.NewRequest("GET", "/", nil),
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

func inject(t *testing.T, r *http.Response) string {
	t.Helper()
	if err := newReloader().inject(r); err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestInjectPutsTheScriptBeforeBodyEnd(t *testing.T) {
	t.Parallel()
	r := answer(document)
	body := inject(t, r)
	if !strings.Contains(body, `<p>hi</p><script src="/-/retort/reload.js" data-since="`) || !strings.HasSuffix(body, "></script></BODY></html>\n") {
		t.Errorf("body is %q", body)
	}
	if int(r.ContentLength) != len(body) || r.Header.Get("Content-Length") != strconv.Itoa(len(body)) {
		t.Errorf("content length is %d and %s, body has %d", r.ContentLength, r.Header.Get("Content-Length"), len(body))
	}
	if r.Header.Get("ETag") != "" || r.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("the browser may keep a page with an old state: %v", r.Header)
	}
}

func TestInjectAcceptsDocuments(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		"<!doctype html><p>no body element", "<html><body></body></html>", "\ufeff\n<!-- a -->\n<!-- b --> <!DOCTYPE html>", "<!doctype html>",
		"<!doctype html><body>" + strings.Repeat("<p>long</p>", 100_000) + "</body>",
	} {
		if got := inject(t, answer(body)); strings.Count(got, "<script") != 1 || len(got) < len(body) {
			t.Errorf("no script in the page that begins with %.60q", body)
		}
	}
}

func TestInjectLeavesOthersAlone(t *testing.T) {
	t.Parallel()
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = z.Write([]byte(document))
	_ = z.Close()
	fetched := answer(document)
	fetched.Request.Header.Set("Sec-Fetch-Dest", "empty")
	partial := answer(document)
	partial.StatusCode = http.StatusPartialContent
	for name, r := range map[string]*http.Response{
		"fragment":          answer("<li>one more</li>"),
		"empty":             answer(""),
		"json":              answer(document, "Content-Type", "application/json"),
		"no type":           answer(document, "Content-Type", ""),
		"gzip":              answer(zipped.String(), "Content-Encoding", "gzip"),
		"policy":            answer(document, "Content-Security-Policy", "default-src 'none'"),
		"fetched by script": fetched,
		"range":             partial,
	} {
		length := r.ContentLength
		if got := inject(t, r); strings.Contains(got, "reload.js") {
			t.Errorf("%s: a script was added", name)
		}
		if r.ContentLength != length {
			t.Errorf("%s: the length changed", name)
		}
	}
}

func TestInjectPassesOnWhatCame(t *testing.T) {
	t.Parallel()
	in, out := io.Pipe()
	r := answer("")
	r.Body, r.ContentLength = in, -1
	go func() { _, _ = out.Write([]byte("<!doctype html><body><p>first")) }()
	if err := newReloader().inject(r); err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, 100)
	n, err := r.Body.Read(buffer)
	if err != nil || string(buffer[:n]) != "<!doctype html><body><p>first" {
		t.Errorf("read %q, %v while the page goes on", buffer[:n], err)
	}
	go func() {
		_, _ = out.Write([]byte("</p></bo"))
		_, _ = out.Write([]byte("dy>"))
		_ = out.Close()
	}()
	rest, err := io.ReadAll(r.Body)
	if err != nil || !strings.HasPrefix(string(rest), "</p><script ") || !strings.HasSuffix(string(rest), "</script></body>") {
		t.Errorf("the rest is %q, %v", rest, err)
	}
}

func TestInjectReportsABrokenAnswer(t *testing.T) {
	t.Parallel()
	r := answer(document)
	r.Body = io.NopCloser(io.MultiReader(strings.NewReader("<!doc"), iotest.ErrReader(io.ErrUnexpectedEOF)))
	if err := newReloader().inject(r); err == nil {
		t.Error("an answer that breaks off in its first kilobyte is no error")
	}
	r.Body = io.NopCloser(io.MultiReader(strings.NewReader("<!doctype html><body>"+strings.Repeat("x", 5000)), iotest.ErrReader(io.ErrUnexpectedEOF)))
	if err := newReloader().inject(r); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(r.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the error is %v", err)
	}
}

func TestScriptAllowed(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		policies []string
		nonce    string
		ok       bool
	}{
		{nil, "", true},
		{[]string{"img-src 'none'"}, "", true},
		{[]string{"default-src 'self'"}, "", true},
		{[]string{"default-src 'SELF'; script-src 'none'"}, "", false},
		{[]string{"default-src 'none'; script-src 'self'; connect-src 'self'"}, "", true},
		{[]string{"default-src 'none'; script-src 'self'"}, "", false},
		{[]string{"script-src 'self'; connect-src https://api.example.com"}, "", false},
		{[]string{"script-src 'nonce-abc+/1=' 'strict-dynamic'"}, "abc+/1=", true},
		{[]string{"script-src 'self' 'strict-dynamic'"}, "", false},
		{[]string{"script-src 'self'; script-src-elem 'none'"}, "", false},
		{[]string{"script-src 'unsafe-inline'"}, "", false},
		{[]string{"script-src *"}, "", true},
		{[]string{"script-src 'self'; script-src 'none'"}, "", true},
		{[]string{"script-src 'nonce-a\"><script>'"}, "", false},
		{[]string{"script-src 'nonce-'"}, "", false},
		{[]string{"script-src 'nonce-a'", "script-src 'nonce-a'"}, "a", true},
		{[]string{"script-src 'nonce-a', script-src 'nonce-b'"}, "", false},
		{[]string{"default-src 'self'", "default-src 'none'"}, "", false},
		{[]string{"sandbox"}, "", false},
		{[]string{"sandbox allow-scripts"}, "", true},
	} {
		nonce, ok := scriptAllowed(http.Header{"Content-Security-Policy": test.policies})
		if nonce != test.nonce || ok != test.ok {
			t.Errorf("%q: nonce %q, %v; want %q, %v", test.policies, nonce, ok, test.nonce, test.ok)
		}
	}
}

func FuzzPolicy(f *testing.F) {
	f.Add("default-src 'self'; script-src 'nonce-abc', sandbox")
	f.Fuzz(func(t *testing.T, policy string) {
		nonce, _ := scriptAllowed(http.Header{"Content-Security-Policy": {policy}})
		if strings.ContainsAny(nonce, `"'<>& `) {
			t.Errorf("nonce %q", nonce)
		}
	})
}

// Whatever the page and however it is cut into reads, the script is added at
// most once and nothing is lost.
func FuzzInject(f *testing.F) {
	f.Add(document, 3)
	f.Add("<!doctype html><!-- </bod", 1)
	f.Fuzz(func(t *testing.T, page string, size int) {
		r := answer(page)
		r.Body = io.NopCloser(&pieces{page, max(1, size%100)})
		if err := newReloader().inject(r); err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		if int(r.ContentLength) != len(body) {
			t.Errorf("length %d of %d", r.ContentLength, len(body))
		}
		got := string(body)
		if i := strings.Index(got, `<script src="/-/retort/reload.js" data-since=`); i >= 0 && len(got) > len(page) {
			end := i + strings.Index(got[i:], "</script>") + len("</script>")
			got = got[:i] + got[end:]
		}
		if got != page {
			t.Errorf("page %q became %q", page, got)
		}
	})
}

// pieces is read a few bytes at a time.
type pieces struct {
	s    string
	size int
}

func (p *pieces) Read(b []byte) (int, error) {
	if p.s == "" {
		return 0, io.EOF
	}
	n := copy(b[:min(p.size, len(b))], p.s)
	p.s = p.s[n:]
	return n, nil
}

func BenchmarkInject(b *testing.B) {
	page := "<!doctype html><body>" + strings.Repeat("<p>a paragraph of text</p>\n", 1200) + "</body>"
	l := newReloader()
	b.ReportAllocs()
	b.SetBytes(int64(len(page)))
	for b.Loop() {
		r := answer(page)
		if err := l.inject(r); err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			b.Fatal(err)
		}
	}
}
