package router

import (
	"net/url"
	"strings"
	"testing"
)

func mustParse(tb testing.TB, target string) *url.URL {
	tb.Helper()
	u, err := url.ParseRequestURI(target)
	if err != nil {
		tb.Fatal(err)
	}
	return u
}

func TestExplain(t *testing.T) {
	t.Parallel()
	cases := []struct{ route, request, reason string }{
		{"/posts/{id:int}", "/posts/7", ""},
		{"/posts/{id:int}", "/posts/abc", `{id:int} does not accept "abc"`},
		{"/posts/{id:int}", "/postz/7", `"/postz/7" is not "/posts/"`},
		{"/posts/{id:int}", "/posts/", "nothing is there for {id:int}"},
		{"/posts/{id:int}", "/posts/7/edit", `the path goes on with "/edit"`},
		{"/posts/{id:int}", "/posts/7/", "only the path has a final slash"},
		{"/posts/{id:int}/", "/posts/7", "only the final slash is missing"},
		{"/posts/{id:int}/edit", "/posts/7", `the path ends where "/edit" is expected`},
		{"/posts/{id:int}/edit", "/posts/7/e", `"/e" is not "/edit"`},
		{"/posts/{p:path}/", "/posts/a/b", "only the final slash is missing"},
		{"/posts/{p:path}/", "/posts/a/b/", ""},
		{"/posts/{p:path}", "/posts/../b", "dot segment"},
		{"POST,PUT /posts", "/posts", "answers POST, PUT, not GET"},
		{"/posts", "HEAD /posts", ""},
		{"ANY /posts", "BREW /posts", ""},
		{"api.example.org/posts", "/posts", `host "www.example.com" is not api.example.org`},
		{"{t}.example.com/posts", "/posts", ""},
		{"/{n:even}", "/13", `{n:even} does not accept "13": 13 is odd`},
		{"/{n:even}.x", "/13", `{n:even}.x does not accept "13"`},
		{"/", "GET ", ""},
		{"/{a:int}.{b:int}", "/1.x", `{a:int}.{b:int} does not accept "1.x"`},
	}
	for _, c := range cases {
		r := newRouter(t, Options{Converters: map[string]Converter{"even": evenConverter{}}}, c.route)
		method, path, found := strings.Cut(c.request, " ")
		if !found {
			method, path = "GET", c.request
		}
		got := r.Explain(method, "www.example.com:80", path)
		if len(got) != 1 || got[0].Route != r.Routes()[0] {
			t.Fatalf("got %v", got)
		}
		if a := got[0]; a.Matched != (c.reason == "") || !strings.Contains(a.Reason, c.reason) || a.Matched && (a.Reason != "" || a.Reached != max(len(path), 1)) {
			t.Errorf("%s for %s: got %+v", c.request, c.route, a)
		}
	}
	loose := New(Options{LooseSlash: true})
	if _, err := loose.Add(Route{Pattern: "/a/"}); err != nil {
		t.Fatal(err)
	}
	if got := loose.Explain("GET", "", "/a"); !got[0].Matched {
		t.Errorf("loose: %+v", got)
	}
}

// TestExplainManyVariables has more variables than Params holds in itself.
func TestExplainManyVariables(t *testing.T) {
	t.Parallel()
	r := newRouter(t, Options{}, "/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i:int}")
	for _, a := range r.Explain("GET", "", "/1/2/3/4/5/6/7/8/nine") {
		if !strings.Contains(a.Reason, "does not accept") {
			t.Errorf("reason %q", a.Reason)
		}
	}
	var p Params
	r.Lookup("GET", "", "/1/2/3/4/5/6/7/8/9", "", &p)
	if p.Get("e") != "5" || p.Get("i") != "9" {
		t.Errorf("e is %q, i is %q", p.Get("e"), p.Get("i"))
	}
}
