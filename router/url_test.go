package router

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"
)

type articleID int64

type hexID [16]byte

func TestURL(t *testing.T) {
	t.Parallel()
	r := New(Options{Converters: map[string]Converter{"even": evenConverter{}}})
	for name, pattern := range map[string]string{
		"home": "/", "post": "/posts/{id:int}", "file": "/files/{rest:path}", "page": "/{name}.{ext}", "signed": "/s/{n:int(signed=true)}",
		"padded": "/p/{n:int(fixed_digits=3)}", "bounded": "/b/{n:int(min=1,max=5)}", "price": "/price/{f:float}", "temp": "/t/{f:float(signed=true,max=100)}",
		"uuid": "/u/{u:uuid}", "lang": `/l/{l:any(en,"pt BR")}`, "tag": "/tag/{t:slug}", "code": "/code/{c:str(length=2)}",
		"even": "/even/{n:even}", "dotted": "/d/{p:path}.", "café": "/café/{{{x}}}",
	} {
		if _, err := r.Add(Route{Pattern: pattern, Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	for _, rt := range []Route{
		{Pattern: "/archive", Name: "archive"},
		{Pattern: "/archive/{year:int}", Name: "archive"},
		{Pattern: "/archive/{year:int}/{month:int}", Name: "archive"},
		{Pattern: "/m/{a}/{b}", Name: "several"},
		{Pattern: "/m/{c}", Name: "several"},
		{Pattern: "/e/{n:int}", Name: "either"},
		{Pattern: "/e/{n:slug}", Name: "either"},
		{Host: "{tenant}.Example.com", Pattern: "/x/{y}", Name: "tenant"},
		{Host: "api.example.com", Pattern: "/", Name: "api"},
	} {
		if _, err := r.Add(rt); err != nil {
			t.Fatal(err)
		}
	}
	var nilPointer *int
	five := 5
	id := [16]byte{0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0, 0xc0, 0x4f, 0xd4, 0x30, 0xc8}
	cases := []struct {
		name   string
		route  string
		values []any
		want   string // a path, or part of the error
	}{
		{"root", "home", nil, "/"},
		{"int", "post", []any{"id", 7}, "/posts/7"},
		{"int of a named type", "post", []any{"id", articleID(7)}, "/posts/7"},
		{"int from uint", "post", []any{"id", uint16(7)}, "/posts/7"},
		{"int from text", "post", []any{"id", "7"}, "/posts/7"},
		{"int from a pointer", "post", []any{"id", &five}, "/posts/5"},
		{"int refuses text", "post", []any{"id", "x"}, `variable id: converter int refused the value: "x" is not a whole number`},
		{"int refuses a fraction", "post", []any{"id", 1.5}, "not a whole number"},
		{"int refuses less than zero", "post", []any{"id", -1}, "below zero"},
		{"int refuses what does not fit", "post", []any{"id", uint64(1 << 63)}, "does not fit"},
		{"int refuses other types", "post", []any{"id", struct{}{}}, "struct {} cannot be written"},
		{"int signed", "signed", []any{"n", -7}, "/s/-7"},
		{"int padded", "padded", []any{"n", 7}, "/p/007"},
		{"int too wide", "padded", []any{"n", 7000}, "more than 3 digits"},
		{"int below min", "bounded", []any{"n", 0}, "below min 1"},
		{"int above max", "bounded", []any{"n", 6}, "above max 5"},
		{"float", "price", []any{"f", 1.5}, "/price/1.5"},
		{"float of a whole number", "price", []any{"f", 2}, "/price/2.0"},
		{"float32", "price", []any{"f", float32(0.1)}, "/price/0.1"},
		{"float without exponent", "price", []any{"f", 1e21}, "/price/1000000000000000000000.0"},
		{"float from text", "price", []any{"f", "2.50"}, "/price/2.5"},
		{"float refuses less than zero", "price", []any{"f", -1.5}, "below zero"},
		{"float refuses text", "price", []any{"f", "NaN"}, "no digits"},
		{"float above max", "temp", []any{"f", 101}, "not between"},
		{"float signed", "temp", []any{"f", -1.5}, "/t/-1.5"},
		{"uuid from bytes", "uuid", []any{"u", id}, "/u/6ba7b810-9dad-11d1-80b4-00c04fd430c8"},
		{"uuid from a named type", "uuid", []any{"u", hexID(id)}, "/u/6ba7b810-9dad-11d1-80b4-00c04fd430c8"},
		{"uuid from text", "uuid", []any{"u", "6BA7B810-9DAD-11D1-80B4-00C04FD430C8"}, "/u/6ba7b810-9dad-11d1-80b4-00c04fd430c8"},
		{"uuid that cannot be written", "uuid", []any{"u", struct{}{}}, "a struct {} cannot"},
		{"uuid refuses", "uuid", []any{"u", "6ba7b8109dad11d180b400c04fd430c8"}, "not a UUID"},
		{"any", "lang", []any{"l", "pt BR"}, "/l/pt%20BR"},
		{"any refuses", "lang", []any{"l", "de"}, `"de" is not one of en, pt BR`},
		{"slug", "tag", []any{"t", "a-b_c"}, "/tag/a-b_c"},
		{"slug refuses", "tag", []any{"t", "a b"}, "ASCII letters"},
		{"str with a length", "code", []any{"c", "éé"}, "/code/%C3%A9%C3%A9"},
		{"str of a wrong length", "code", []any{"c", "abc"}, "3 characters long"},
		{"str empty", "page", []any{"name", "", "ext", "x"}, "the text is empty"},
		{"str keeps a slash in its segment", "page", []any{"name", "a/b", "ext", "c"}, "/a%2Fb.c"},
		{"str escapes", "page", []any{"name", `a?b#c%\ é"`, "ext", "!$&'()*+,:;=@-._~"}, "/a%3Fb%23c%25%5C%20%C3%A9%22.!$&'()*+,:;=@-._~"},
		{"str refuses NUL", "page", []any{"name", "a\x00", "ext", "c"}, "NUL"},
		{"dot segments", "file", []any{"rest", "a/../b"}, `".." segment`},
		{"dot segments in a str", "page", []any{"name", "a/..", "ext", "x"}, `"a/.." has a "." or ".." segment`},
		{"dot segments of value and literal", "dotted", []any{"p", "a/"}, `"/d/a/." has a "." or ".." segment`},
		{"path keeps slashes", "file", []any{"rest", "a/b c"}, "/files/a/b%20c"},
		{"path refuses another root", "file", []any{"rest", "/evil.example"}, `begins with "/"`},
		{"custom", "even", []any{"n", 7}, "/even/14"},
		{"custom refuses", "even", []any{"n", "x"}, "string is not an int"},
		{"literals are escaped", "café", []any{"x", 1}, "/caf%C3%A9/%7B1%7D"},

		{"other values become the query", "post", []any{"id", 7, "page", 2, "q", "a b&c=d/é"}, "/posts/7?page=2&q=a+b%26c%3Dd%2F%C3%A9"},
		{"in the order given", "home", []any{"b", 1, "a", 2}, "/?b=1&a=2"},
		{"slices repeat the key", "home", []any{"t", []string{"x", "y"}, "n", []int{1, 2}}, "/?t=x&t=y&n=1&n=2"},
		{"nil is dropped", "home", []any{"a", nil, "b", nilPointer, "c", []any{nil, 1}, "d", []int(nil)}, "/?c=1"},
		{"empty text is kept", "home", []any{"a", ""}, "/?a="},
		{"booleans, floats, times", "home", []any{"a", true, "b", 0.5, "c", time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)}, "/?a=true&b=0.5&c=2024-05-06T07%3A08%3A09Z"},
		{"bytes are a text", "home", []any{"a", []byte("x y")}, "/?a=x+y"},
		{"query value that cannot be written", "home", []any{"a", struct{}{}}, "query value a"},
		{"fragment", "home", []any{"_anchor", "top of é?", "a", 1}, "/?a=1#top%20of%20%C3%A9?"},
		{"fragment alone", "post", []any{"id", 7, "_anchor", "c3"}, "/posts/7#c3"},
		{"map", "post", []any{map[string]any{"id": 7, "z": 1, "a": 2}}, "/posts/7?a=2&z=1"},
		{"map of texts", "post", []any{map[string]string{"id": "7"}}, "/posts/7"},
		{"url.Values", "post", []any{"id", 7, url.Values{"q": {"x", "y"}}}, "/posts/7?q=x&q=y"},
		{"url.Values for a variable", "post", []any{url.Values{"id": {"7"}}}, "/posts/7"},
		{"a pair beats a map", "home", []any{"page", 2, url.Values{"page": {"1"}, "q": {"x"}}}, "/?page=2&q=x"},
		{"odd number", "post", []any{"id"}, `"id" has no value`},
		{"no name", "post", []any{7, "id"}, "argument 1, found 7 (int)"},
		{"nil for a name", "post", []any{nil, "id"}, "argument 1, found nil"},

		{"same name, no variable", "archive", nil, "/archive"},
		{"same name, one", "archive", []any{"year", 2024}, "/archive/2024"},
		{"same name, both", "archive", []any{"year", 2024, "month", 5}, "/archive/2024/5"},
		{"same name, other one", "archive", []any{"month", 5}, "/archive?month=5"},
		{"same name, nil is none", "archive", []any{"year", 2024, "month", nil}, "/archive/2024"},
		{"missing", "page", nil, `router: URL for "page": /{name}.{ext} needs a value for name, ext`},
		{"missing nil", "post", []any{"id", nilPointer}, "needs a value for id"},
		{"unknown name", "pots", nil, `router: URL for "pots": no route has this name; did you mean "post"?`},
		{"unknown name, none near", "something-else", nil, `no route has this name`},

		{"the one that lacks least", "several", nil, `router: URL for "several": /m/{c} needs a value for c`},
		{"no value in a list", "post", []any{"id", []string{}}, "needs a value for id"},
		{"NUL in the query", "home", []any{"a", "b\x00 c"}, "/?a=b%00+c"},
		{"list with what cannot be written", "home", []any{"a", []any{struct{}{}}}, "query value a"},
		{"fragment that cannot be written", "home", []any{"_anchor", struct{}{}}, "_anchor: a struct {} cannot"},
		{"str that cannot be written", "page", []any{"name", struct{}{}, "ext", "x"}, "variable name: converter str refused the value: a struct {} cannot"},
		{"the first refusal, when routes have the same variables", "either", []any{"n", "x y"}, "converter int refused"},
		{"another route, when routes have the same variables", "either", []any{"n", "x"}, "/e/x"},

		{"host", "api", nil, "//api.example.com/"},
		{"host variable", "tenant", []any{"tenant", "Acme", "y", 1}, "//acme.example.com/x/1"},
		{"host variable that is refused", "tenant", []any{"tenant", "", "y", 1}, "the text is empty"},
		{"host variable that leaves the host", "tenant", []any{"tenant", "evil.example/", "y", 1}, "cannot be part of a host"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := r.URL(c.route, c.values...)
			if err != nil {
				var fault *URLError
				if !errors.As(err, &fault) || fault.Name != c.route || !strings.Contains(err.Error(), c.want) || strings.HasPrefix(c.want, "/") {
					t.Fatalf("got error %v, want %s", err, c.want)
				}
				return
			}
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			if strings.HasPrefix(got, "//") != strings.HasPrefix(c.want, "//") {
				t.Errorf("%s leaves the site", got)
			}
		})
	}
}

func TestClosestName(t *testing.T) {
	t.Parallel()
	r := New(Options{})
	for _, name := range []string{"blog.post", "blog.posts", "blog.post_edit", "admin", "index"} {
		if _, err := r.Add(Route{Pattern: "/" + name, Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.Add(Route{Pattern: "/long", Name: strings.Repeat("index", 100)}); err != nil {
		t.Fatal(err)
	}
	for wanted, want := range map[string]string{
		"blog-post": "blog.post", "Blog.Posts": "blog.posts", "blog.post_edti": "blog.post_edit", "adm": "admin", "idnex": "index",
		"zzzzz": "", "": "", strings.Repeat("x", 1000): "",
	} {
		_, err := r.URL(wanted)
		var fault *URLError
		if !errors.As(err, &fault) || fault.Closest != want {
			t.Errorf("%s: %v, want %q", wanted, err, want)
		}
	}
}
