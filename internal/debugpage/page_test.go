package debugpage

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"
)

func Example() {
	r := httptest.NewRequest("GET", "/posts/7?token=abc", nil)
	r.Header.Set("Authorization", "Bearer abc")
	err := fmt.Errorf("show post 7: %w", fs.ErrNotExist)
	page := New(http.StatusInternalServerError, err, r)
	page.Sections = []Section{{Title: "Route", Rows: [][2]string{{"pattern", "/posts/{id}"}, {"id", "7"}}}}
	fmt.Print(page.Text())
	// Output:
	// 500 Internal Server Error
	// GET /posts/7?token=[hidden]
	//
	// show post 7: file does not exist (*fmt.wrapError)
	//
	// Caused by
	//     file does not exist (*errors.errorString)
	//
	// Request
	//     Method: GET
	//     Target: /posts/7?token=[hidden]
	//     Host: example.com
	//     Protocol: HTTP/1.1
	//     Remote address: 192.0.2.1:1234
	//     Authorization: [hidden]
	//
	// Route
	//     pattern: /posts/{id}
	//     id: 7
}

type loop struct{}

func (l *loop) Error() string { return "loop" }
func (l *loop) Unwrap() error { return l }

type nilError struct{ text string }

func (n *nilError) Error() string { return n.text }

func TestCauses(t *testing.T) {
	t.Parallel()
	deep := fmt.Errorf("a: %w", errors.Join(&fs.PathError{Op: "open", Path: "x", Err: fs.ErrNotExist}, errors.New("b")))
	var got []string
	for _, c := range Causes(deep) {
		got = append(got, fmt.Sprintf("%d %s %s", c.Depth, c.Type, strings.ReplaceAll(c.Message, "\n", "+")))
	}
	want := []string{
		"1 *errors.joinError open x: file does not exist+b",
		"2 *fs.PathError open x: file does not exist",
		"3 *errors.errorString file does not exist",
		"2 *errors.errorString b",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if n := len(Causes(&loop{})); n != maxCauses {
		t.Errorf("an endless chain has %d causes", n)
	}
	if Causes(nil) != nil || Causes(errors.New("a")) != nil {
		t.Error("an error without causes has some")
	}
	var none *nilError
	if p := New(500, none, nil); !strings.Contains(p.Error, "panicked") {
		t.Errorf("a nil error's message is %q", p.Error)
	}
}

// fullPage has something in every part, hostile wherever a stranger has a say.
func fullPage(evil string) *Page {
	r := httptest.NewRequest("GET", "/", nil)
	r.Method, r.Host, r.RemoteAddr = evil, evil, evil
	r.URL = &url.URL{Path: "/" + evil, RawQuery: "q=" + evil}
	r.Header["X-"+evil] = []string{evil}
	r.Header["Referer"] = []string{evil}
	r.Header["Cookie"] = []string{evil + "=" + evil}
	p := New(500, fmt.Errorf("%s: %w", evil, errors.New(evil)), r)
	p.Title, p.Suggestion, p.ErrorType = evil, evil+"`"+evil+"`", evil
	p.Location = &Location{Name: evil, Path: "/" + evil, Line: 2, Column: 3, Source: evil + "\n" + evil + "\n" + evil}
	p.Frames = []Frame{
		{Func: evil, File: "/" + evil, Line: 1, Own: true, Source: []Line{{1, evil}, {2, evil}}},
		{Func: "lib." + evil, File: evil, Line: 1},
	}
	p.Routes = []Tried{{evil, []string{evil}, evil}}
	p.Sections = []Section{{evil, [][2]string{{evil, evil}}}}
	p.Output = evil + "\n" + evil
	p.BuildOutput = "./main.go:1:2: " + evil + "\n" + evil
	return p
}

// Whatever goes in, the tags and attributes that come out are the page's own.
func TestHTMLEscapesEverything(t *testing.T) {
	t.Parallel()
	for _, evil := range []string{
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onmouseover='alert(1)`, `</textarea><svg/onload=x>`,
		`</title></style></script><b>`, `javascript:alert(1)`, "a\x00b\x1b[31m\u202e\xff", `&lt;b&gt;`, "`</code><b>`", `]]><!--`,
	} {
		page := string(fullPage(evil).HTML())
		checkMarkup(t, evil, page)
	}
}

func checkMarkup(t *testing.T, evil, page string) {
	t.Helper()
	if !strings.HasPrefix(page, "<!DOCTYPE html>") {
		t.Errorf("%q: no doctype", evil)
	}
	document, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]int{}
	for _, name := range strings.Fields("html head meta title style body header div p b code h1 nav a main section h2 small details summary span pre ol li table tbody tr th td i label button textarea footer script") {
		known[name] = 1
	}
	for n := range document.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		if known[n.Data]++; known[n.Data] == 1 {
			t.Errorf("%q: element %s", evil, n.Data)
		}
		for _, attr := range n.Attr {
			switch {
			case strings.HasPrefix(attr.Key, "on") || attr.Key == "src" || attr.Key == "style":
				t.Errorf("%q: attribute %s", evil, attr.Key)
			case attr.Key == "href" && !strings.HasPrefix(attr.Val, "#") && !strings.HasPrefix(attr.Val, "vscode://file/"):
				t.Errorf("%q: link to %s", evil, attr.Val)
			}
		}
	}
	for _, once := range []string{"script", "style", "title", "header", "main", "footer"} {
		if known[once] != 2 {
			t.Errorf("%q: %d elements %s", evil, known[once]-1, once)
		}
	}
	if known["textarea"] != 3 {
		t.Errorf("%q: %d text areas", evil, known["textarea"]-1)
	}
}

func TestTextShowsNoControlCharacters(t *testing.T) {
	t.Parallel()
	p := fullPage("a\x00b\x1b[31m\r\u0085\u202e\xff\x7f")
	for name, text := range map[string]string{"Text": p.Text(), "Markdown": p.Markdown(), "HTML": string(p.HTML())} {
		for _, r := range text {
			if r < 0x20 && r != '\n' && r != '\t' || 0x7f <= r && r < 0xa0 || r == 0x202e {
				t.Errorf("%s contains %U", name, r)
				break
			}
		}
	}
}

func TestMarkdownFenceHolds(t *testing.T) {
	t.Parallel()
	p := New(500, errors.New("a ``` b ```` c\n```\n# not a heading"), nil)
	text := p.Markdown()
	if !strings.Contains(text, "\n`````text\n") || !strings.HasSuffix(text, "\n`````\n") {
		t.Errorf("the fence is too short:\n%s", text)
	}
	if heading, _, _ := strings.Cut(text, "\n"); !strings.Contains(heading, "\\`\\`\\`") {
		t.Errorf("the heading is not escaped: %s", heading)
	}
}

func TestSetHeadersReplacesThoseOfTheBody(t *testing.T) {
	t.Parallel()
	h := http.Header{"Content-Encoding": {"gzip"}, "Content-Length": {"3"}, "Etag": {`"x"`}}
	p := New(503, errors.New("a"), nil)
	p.SetHeaders(h)
	if h.Get("Content-Encoding") != "" || h.Get("ETag") != "" || h.Get("Content-Length") != "" {
		t.Errorf("headers %v", h)
	}
	if h.Get("Cache-Control") != "no-store" || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("X-Frame-Options") != "DENY" {
		t.Errorf("headers %v", h)
	}
	policy := h.Get("Content-Security-Policy")
	if !strings.HasPrefix(policy, "default-src 'none'; ") || strings.Contains(policy, "unsafe") || strings.Contains(policy, "'self'") {
		t.Errorf("policy %s", policy)
	}
	p.LiveReload = true
	if policy := p.ContentSecurityPolicy(); !strings.Contains(policy, " 'self'; connect-src 'self'") {
		t.Errorf("policy with live reload: %s", policy)
	}
}

func TestBuildErrors(t *testing.T) {
	t.Parallel()
	const output = "# example.com/blog\n" +
		"./main.go:14:10: undefined: Posts\n" +
		"cart/cart.go:7: too few values\n" +
		"./main.go:21:7: not enough arguments in call to f\n\thave (int)\n\twant (string)\n" +
		"go: go.mod:5: unknown directive: requir\n" +
		"main.go:3:8: package foo is not in std (/usr/local/go/src/foo)\n" +
		"link: duplicated definition\n"
	var got []string
	for _, e := range buildErrors(output, "/home/u/blog") {
		got = append(got, fmt.Sprintf("%s %d %d %s", e.path, e.line, e.column, e.message))
	}
	want := []string{
		"/home/u/blog/main.go 14 10 undefined: Posts",
		"/home/u/blog/cart/cart.go 7 0 too few values",
		"/home/u/blog/main.go 21 7 not enough arguments in call to f\n\thave (int)\n\twant (string)",
		"/home/u/blog/go.mod 5 0 unknown directive: requir",
		"/home/u/blog/main.go 3 8 package foo is not in std (/usr/local/go/src/foo)",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestBuildPageShowsTheSource(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte("package main\n\nfunc main() {\n\tundefined()\n}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := &Page{Status: 500, Title: "The program does not build", Dir: dir, BuildOutput: "./main.go:4:2: undefined: undefined\n"}
	page := string(p.HTML())
	for _, want := range []string{
		`class="l hit" data-n="4"`, `<span class="l at" data-n="">` + "\t^</span>", "vscode://file" + filepath.ToSlash(dir) + "/main.go:4", ">main.go:4:2<",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func TestEditorURL(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ editor, path, want string }{
		{"", "/home/u/a b.go", "vscode://file/home/u/a%20b.go:7"},
		{"zed", "/home/u/a.go", "zed://file/home/u/a.go:7"},
		{"goland", "/home/u/a&b.go", "jetbrains://goland/navigate/reference?path=/home/u/a%26b.go&line=7"},
		{"x-edit://{file}#{line}", "/home/u/a#b.go", "x-edit:///home/u/a%23b.go#7"},
		{"none", "/home/u/a.go", ""},
		{"javascript:alert('{file}')", "/home/u/a.go", ""},
		{"vscode", "relative.go", ""},
	} {
		p := &Page{Editor: test.editor}
		if got := p.editorURL(test.path, 7); got != test.want {
			t.Errorf("editor %q: %q, want %q", test.editor, got, test.want)
		}
	}
}

func TestPageIsBounded(t *testing.T) {
	t.Parallel()
	p := New(404, errors.New(strings.Repeat("long ", 1<<18)), nil)
	for range 10_000 {
		p.Routes = append(p.Routes, Tried{Pattern: "/a/b/c", Methods: []string{"GET"}})
	}
	rows := make([][2]string, 10_000)
	for i := range rows {
		rows[i] = [2]string{"name", strings.Repeat("value ", 1000)}
	}
	p.Sections = []Section{{"Log", rows}}
	if n := len(p.HTML()); n > 4<<20 {
		t.Errorf("the page has %d bytes", n)
	}
}

func TestNotFoundNamesTheRequest(t *testing.T) {
	t.Parallel()
	p := New(404, errors.New("404 Not Found"), httptest.NewRequest("GET", "/postz/7?q=1", nil))
	p.Routes = []Tried{{"/posts/{id:int}", []string{"GET", "HEAD"}, "the path differs at /postz"}}
	page := string(p.HTML())
	for _, want := range []string{"<h1>No route answers GET /postz/7</h1>", "<title>No route answers GET /postz/7 · 404 Not Found</title>", "/posts/{id:int}", "GET HEAD", "the path differs at /postz"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func FuzzPage(f *testing.F) {
	f.Add("<b>\"'&")
	f.Add("\x00\x1b\u202e`")
	f.Fuzz(func(t *testing.T, evil string) {
		p := fullPage(evil)
		p.Text()
		p.Markdown()
		checkMarkup(t, evil, string(p.HTML()))
	})
}

func BenchmarkHTML(b *testing.B) {
	r := httptest.NewRequest("GET", "/posts/7", nil)
	p := New(500, errors.New("orm: Post.Author was not loaded; add With(&p.Author)"), r)
	p.Frames = FramesFromStack(debug.Stack())
	b.ReportAllocs()
	for b.Loop() {
		p.HTML()
	}
}

func BenchmarkFramesFromStack(b *testing.B) {
	stack := debug.Stack()
	b.ReportAllocs()
	for b.Loop() {
		FramesFromStack(stack)
	}
}
