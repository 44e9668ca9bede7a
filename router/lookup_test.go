package router

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// newRouter adds routes written as "GET,POST host/pattern" or "/pattern".
func newRouter(tb testing.TB, o Options, routes ...string) *Router {
	tb.Helper()
	r := New(o)
	for _, text := range routes {
		if _, err := r.Add(routeOf(text)); err != nil {
			tb.Fatal(err)
		}
	}
	return r
}

func routeOf(text string) Route {
	rt := Route{Value: text, Where: "routes.go:1"}
	methods, rest, found := strings.Cut(text, " ")
	if found && !strings.Contains(methods, "/") {
		if methods != "ANY" {
			rt.Methods = strings.Split(methods, ",")
		}
	} else {
		rt.Methods, rest = []string{"GET"}, text
	}
	slash := strings.IndexByte(rest, '/')
	rt.Host, rt.Pattern = rest[:slash], rest[slash:]
	return rt
}

// outcome writes a result as one line: the route and its variables, "405
// methods", "308 path" or "404".
func outcome(r *Router, method, host, target string) string {
	u, err := url.ParseRequestURI(target)
	if err != nil {
		return err.Error()
	}
	var p Params
	result := r.Lookup(method, host, u.Path, u.RawPath, &p)
	switch {
	case result.Route != nil:
		text := fmt.Sprint(result.Route.Value)
		for i := range p.Len() {
			name, value := p.At(i)
			text += fmt.Sprintf(" %s=%s", name, value)
		}
		return text
	case p.Len() != 0:
		return "parameters without a route"
	case result.Allow != "":
		return "405 " + result.Allow
	case result.Redirect != "":
		return "308 " + result.Redirect
	}
	return "404"
}

func TestLookup(t *testing.T) {
	t.Parallel()
	even := map[string]Converter{"even": evenConverter{}}
	cases := []struct {
		name    string
		options Options
		routes  []string
		request string // "/path" or "METHOD /path"
		want    string
	}{
		{"root", Options{}, []string{"/"}, "/", "/"},
		{"root does not answer more", Options{}, []string{"/"}, "/x", "404"},
		{"nothing registered", Options{}, nil, "/x", "404"},
		{"static", Options{}, []string{"/a/b", "/a/bc", "/a"}, "/a/bc", "/a/bc"},
		{"static is case sensitive", Options{}, []string{"/a"}, "/A", "404"},
		{"part of an edge", Options{}, []string{"/abc", "/abd"}, "/ab", "404"},
		{"static beats dynamic", Options{}, []string{"/{name}", "/new"}, "/new", "/new"},
		{"back from static to dynamic", Options{}, []string{"/{name}/edit", "/new"}, "/new/edit", "/{name}/edit name=new"},
		{"back from a longer static", Options{}, []string{"/{name}", "/news"}, "/newer", "/{name} name=newer"},
		{"back over two levels", Options{}, []string{"/a/{x}/c", "/{y}/b/d"}, "/a/b/d", "/{y}/b/d y=a"},
		{"variables of a failed branch are dropped", Options{}, []string{"/a/{x}/{y}/e", "/{z}/b/{w}/f"}, "/a/b/c/f", "/{z}/b/{w}/f z=a w=c"},
		{"literal prefix beats plain", Options{}, []string{"/{x}", "/v{x}"}, "/v1", "/v{x} x=1"},
		{"a variable is never empty after a prefix", Options{}, []string{"/{x}", "/v{x}"}, "/v", "/{x} x=v"},
		{"a variable is never empty in its segment", Options{}, []string{"/a/{x}"}, "/a/", "404"},
		{"suffix beats plain", Options{}, []string{"/{x}", "/{x}.json"}, "/a.json", "/{x}.json x=a"},
		{"constrained beats plain", Options{}, []string{"/{x}", "/{n:int}"}, "/12", "/{n:int} n=12"},
		{"plain when the constraint fails", Options{}, []string{"/{x}", "/{n:int}"}, "/12a", "/{x} x=12a"},
		{"constrained beats free text with a literal", Options{}, []string{"/{a}.{b}", "/{f:float}"}, "/1.5", "/{f:float} f=1.5"},
		{"bounded int beats int", Options{}, []string{"/{n:int}", "/{m:int(max=9)}"}, "/7", "/{m:int(max=9)} m=7"},
		{"out of bounds falls through to int", Options{}, []string{"/{n:int}", "/{m:int(max=9)}"}, "/70", "/{n:int} n=70"},
		{"slug beats str", Options{}, []string{"/{x}", "/{s:slug}"}, "/a-b", "/{s:slug} s=a-b"},
		{"path is last", Options{}, []string{"/{p:path}", "/{x}"}, "/a", "/{x} x=a"},
		{"path when segments fail", Options{}, []string{"/{p:path}", "/{x}"}, "/a/b", "/{p:path} p=a/b"},
		{"custom refuses, next route is tried", Options{Converters: even}, []string{"/{x}", "/{n:even}"}, "/13", "/{x} x=13"},
		{"custom accepts", Options{Converters: even}, []string{"/{x}", "/{n:even}"}, "/14", "/{n:even} n=14"},

		{"first variable is greedy", Options{}, []string{"/{b}.{c}"}, "/b.c.d", "/{b}.{c} b=b.c c=d"},
		{"a literal alone is not enough", Options{}, []string{"/{b}.{c}"}, "/.c", "404"},
		{"three variables", Options{}, []string{"/{y:int}-{m:int}-{d:int}"}, "/2024-05-06", "/{y:int}-{m:int}-{d:int} y=2024 m=05 d=06"},
		{"neighbours split by width", Options{}, []string{"/{y:int(fixed_digits=4)}{m:int(fixed_digits=2)}"}, "/202405", "/{y:int(fixed_digits=4)}{m:int(fixed_digits=2)} y=2024 m=05"},
		{"splits until the converters agree", Options{}, []string{"/{a}-{n:int}-{b}"}, "/x-1-y-z", "/{a}-{n:int}-{b} a=x n=1 b=y-z"},
		{"custom asks for another split", Options{Converters: even}, []string{"/{n:even}{r}"}, "/123x", "/{n:even}{r} n=12 r=3x"},
		{"braces as text", Options{}, []string{"/{{{x}}}"}, "/%7Ba%7D", "/{{{x}}} x=a"},

		{"path in the middle", Options{}, []string{"/w/{p:path}/edit"}, "/w/a/b/edit", "/w/{p:path}/edit p=a/b"},
		{"path takes as much as it can", Options{}, []string{"/{p:path}/x/{q:path}"}, "/a/x/b/x/c", "/{p:path}/x/{q:path} p=a/x/b q=c"},
		{"str beside a path keeps to its segment", Options{}, []string{"/{p:path}/e/{x}"}, "/a/e/b/c", "404"},
		{"custom beside a path keeps to its segment", Options{Converters: map[string]Converter{"word": wordConverter{}}}, []string{"/{p:path}/e/{x:word}"}, "/a/e/b/c", "404"},
		{"path keeps inner doubled slashes", Options{}, []string{"/f/{p:path}"}, "/f/a//b", "/f/{p:path} p=a//b"},
		{"path keeps a final slash", Options{}, []string{"/f/{p:path}"}, "/f/a/", "/f/{p:path} p=a/"},
		{"path does not begin with a slash", Options{}, []string{"/f/{p:path}"}, "/f//a", "308 /f/a"},
		{"path is not empty", Options{}, []string{"/f/{p:path}"}, "/f/", "404"},

		{"int takes leading zeros", Options{}, []string{"/{n:int}"}, "/007", "/{n:int} n=007"},
		{"int is unsigned", Options{}, []string{"/{n:int}"}, "/-7", "404"},
		{"int signed", Options{}, []string{"/{n:int(signed=true)}"}, "/-7", "/{n:int(signed=true)} n=-7"},
		{"int no plus sign", Options{}, []string{"/{n:int(signed=true)}"}, "/+7", "404"},
		{"int fits int64", Options{}, []string{"/{n:int}"}, "/9223372036854775807", "/{n:int} n=9223372036854775807"},
		{"int beyond int64", Options{}, []string{"/{n:int}"}, "/9223372036854775808", "404"},
		{"int far beyond", Options{}, []string{"/{n:int}"}, "/" + strings.Repeat("9", 60), "404"},
		{"int ASCII digits only", Options{}, []string{"/{n:int}"}, "/%D9%A1", "404"},
		{"int below min", Options{}, []string{"/{n:int(min=1)}"}, "/0", "404"},
		{"int digits", Options{}, []string{"/{n:int(fixed_digits=3)}"}, "/12", "404"},
		{"float needs a dot", Options{}, []string{"/{f:float}"}, "/1", "404"},
		{"float needs digits after the dot", Options{}, []string{"/{f:float}"}, "/1.", "404"},
		{"float has no exponent", Options{}, []string{"/{f:float}"}, "/1.0e3", "404"},
		{"float", Options{}, []string{"/{f:float}"}, "/1.50", "/{f:float} f=1.50"},
		{"uuid", Options{}, []string{"/{u:uuid}"}, "/6BA7B810-9dad-11d1-80b4-00c04fd430c8", "/{u:uuid} u=6BA7B810-9dad-11d1-80b4-00c04fd430c8"},
		{"uuid with a wrong hyphen", Options{}, []string{"/{u:uuid}"}, "/6ba7b8109-dad-11d1-80b4-00c04fd430c8", "404"},
		{"uuid with another letter", Options{}, []string{"/{u:uuid}"}, "/6ba7b810-9dad-11d1-80b4-00c04fd430cg", "404"},
		{"any", Options{}, []string{"/{l:any(en,de)}/x"}, "/de/x", "/{l:any(en,de)}/x l=de"},
		{"any with a space", Options{}, []string{`/{l:any(en,"pt BR")}`}, "/pt%20BR", `/{l:any(en,"pt BR")} l=pt BR`},
		{"any other", Options{}, []string{"/{l:any(en,de)}"}, "/fr", "404"},
		{"any half", Options{}, []string{"/{l:any(en,de)}"}, "/d", "404"},
		{"str counts characters", Options{}, []string{"/{s:str(length=2)}"}, "/%C3%A9%C3%A9", "/{s:str(length=2)} s=éé"},
		{"str too long", Options{}, []string{"/{s:str(maxlength=2)}"}, "/abc", "404"},
		{"str too short", Options{}, []string{"/{s:str(minlength=2)}"}, "/a", "404"},
		{"slug refuses dots", Options{}, []string{"/{s:slug}"}, "/a.b", "404"},

		{"HEAD by GET", Options{}, []string{"/x"}, "HEAD /x", "/x"},
		{"HEAD of its own", Options{}, []string{"HEAD /x", "/x"}, "HEAD /x", "HEAD /x"},
		{"HEAD by GET, not by an every-method route", Options{}, []string{"ANY /x", "/x"}, "HEAD /x", "/x"},
		{"every method", Options{}, []string{"ANY /x"}, "DELETE /x", "ANY /x"},
		{"every method, unknown verb", Options{}, []string{"ANY /x"}, "BREW /x", "ANY /x"},
		{"a named method beats every method", Options{}, []string{"ANY /x", "POST /x"}, "POST /x", "POST /x"},
		{"method of one's own", Options{}, []string{"PURGE /x"}, "PURGE /x", "PURGE /x"},
		{"methods are case sensitive in requests", Options{}, []string{"/x"}, "get /x", "405 GET, HEAD, OPTIONS"},
		{"two methods on one path", Options{}, []string{"/x", "POST /x"}, "POST /x", "POST /x"},
		{"CONNECT and TRACE", Options{}, []string{"CONNECT,TRACE /x"}, "TRACE /x", "CONNECT,TRACE /x"},
		{"405 for CONNECT", Options{}, []string{"TRACE /x"}, "CONNECT /x", "405 OPTIONS, TRACE"},
		{"405", Options{}, []string{"/x", "POST /x"}, "PUT /x", "405 GET, HEAD, OPTIONS, POST"},
		{"405 without GET", Options{}, []string{"POST /x"}, "GET /x", "405 OPTIONS, POST"},
		{"405 for an unknown verb", Options{}, []string{"POST /x"}, "BREW /x", "405 OPTIONS, POST"},
		{"404 for OPTIONS of an unknown path", Options{}, []string{"POST /x"}, "OPTIONS /y", "404"},
		{"OPTIONS", Options{}, []string{"POST /x"}, "OPTIONS /x", "405 OPTIONS, POST"},
		{"OPTIONS of one's own", Options{}, []string{"OPTIONS /x"}, "OPTIONS /x", "OPTIONS /x"},
		{"Allow is of all routes that fit", Options{}, []string{"/{x}", "PUT,PURGE /{n:int}", "DELETE /5"}, "PATCH /5", "405 DELETE, GET, HEAD, OPTIONS, PURGE, PUT"},
		{"Allow is of those only", Options{}, []string{"/{x}", "PUT /{n:int}", "DELETE /5"}, "PATCH /6", "405 GET, HEAD, OPTIONS, PUT"},
		{"the method decides among routes that fit", Options{}, []string{"/{x}", "PUT /{n:int}", "DELETE /5"}, "GET /5", "/{x} x=5"},

		{"final slash redirects", Options{}, []string{"/x/"}, "/x", "308 /x/"},
		{"final slash redirects inside an edge", Options{}, []string{"/xyz/", "/xya/"}, "/xyz", "308 /xyz/"},
		{"final slash redirects with more below", Options{}, []string{"/x/", "/x/y"}, "/x", "308 /x/"},
		{"final slash after a variable", Options{}, []string{"/p/{n:int}/"}, "/p/5", "308 /p/5/"},
		{"final slash after a path", Options{}, []string{"/{p:path}/"}, "/a/b", "308 /a/b/"},
		{"final slash after a path, given", Options{}, []string{"/{p:path}/"}, "/a/b/", "/{p:path}/ p=a/b"},
		{"no redirect to less slash", Options{}, []string{"/x"}, "/x/", "404"},
		{"no redirect when the path itself fits", Options{}, []string{"/x/", "/{y}"}, "/x", "/{y} y=x"},
		{"redirect beats 405 if it answers", Options{}, []string{"/x/", "POST /x"}, "/x", "308 /x/"},
		{"405 beats a redirect that does not answer", Options{}, []string{"/x/", "POST /x"}, "PUT /x", "405 OPTIONS, POST"},
		{"redirect leads to the 405", Options{}, []string{"/x/"}, "PUT /x", "308 /x/"},
		{"redirect escapes", Options{}, []string{"/{x}/"}, "/a%20b", "308 /a%20b/"},
		{"redirect keeps encoded slashes", Options{}, []string{"/{x}/"}, "/a%2Fb", "308 /a%2Fb/"},
		{"redirect escapes backslashes", Options{}, []string{"/{x}/"}, `/%5Cevil.example`, "308 /%5Cevil.example/"},
		{"redirect escapes line ends", Options{}, []string{"/{x}/"}, "/a%0D%0Ab", "308 /a%0D%0Ab/"},

		{"doubled slashes are merged", Options{}, []string{"/p/a"}, "/p//a", "308 /p/a"},
		{"many slashes", Options{}, []string{"/p/{x}/"}, "///p///a//", "308 /p/a/"},
		{"merged and with a final slash", Options{}, []string{"/p/{x}/"}, "/p//a", "308 /p/a/"},
		{"merging leads to the 405", Options{}, []string{"/p/a"}, "POST /p//a", "308 /p/a"},
		{"merging must lead somewhere", Options{}, []string{"/p/a"}, "/p//b", "404"},
		{"only slashes", Options{}, []string{"/"}, "//", "308 /"},
		{"no other host by merging", Options{}, []string{"/{x}", "/{x}/{y}"}, "//evil.example/a", "308 /evil.example/a"},
		{"no other host by a final slash", Options{}, []string{"/{x}/"}, "//evil.example", "308 /evil.example/"},
		{"merging turned off", Options{KeepSlashes: true}, []string{"/p/a"}, "/p//a", "404"},
		{"dot segments", Options{}, []string{"/p/a"}, "/q/../p/./a", "308 /p/a"},
		{"dot segments at the end", Options{}, []string{"/p/"}, "/p/a/..", "308 /p/"},
		{"dot segments above the root", Options{}, []string{"/p"}, "/../../p", "308 /p"},
		{"dot segments are no variables", Options{KeepSlashes: true}, []string{"/{x}", "/{p:path}"}, "/..", "404"},
		{"dot segments are not split", Options{KeepSlashes: true}, []string{"/{x}{y}", "/.{x}"}, "/..", "404"},
		{"encoded dot segments", Options{KeepSlashes: true}, []string{"/{p:path}"}, "/a/%2e%2e/b", "404"},
		{"dots after a literal", Options{}, []string{"/v{x}", "/w{p:path}", "/{x}.json"}, "/v..", "404"},
		{"dots before a literal", Options{}, []string{"/{x}.json", "/{a}.{b}"}, "/...json", "404"},
		{"dots after a literal in a path", Options{KeepSlashes: true}, []string{"/{a}-{p:path}"}, "/x-../etc", "404"},
		{"dots before a literal in a path", Options{KeepSlashes: true}, []string{"/{p:path}.json"}, "/x/...json", "404"},
		{"encoded slash cannot climb after a literal", Options{}, []string{"/v{x}"}, "/v..%2Fetc", "404"},
		{"encoded slash cannot climb before a literal", Options{}, []string{"/{x}.json"}, "/a%2F...json", "404"},
		{"a path of which only the literal is dots", Options{KeepSlashes: true}, []string{"/{p:path}."}, "/a/.", "404"},
		{"dots are text otherwise", Options{}, []string{"/{x}"}, "/...", "/{x} x=..."},
		{"hidden files are text", Options{}, []string{"/{p:path}"}, "/.well-known/x", "/{p:path} p=.well-known/x"},

		{"encoded slash stays in its segment", Options{}, []string{"/{x}"}, "/a%2Fb", "/{x} x=a/b"},
		{"encoded slash divides nothing", Options{}, []string{"/{x}/{y}"}, "/a%2Fb", "404"},
		{"encoded slash is no static slash", Options{}, []string{"/a/b"}, "/a%2Fb", "404"},
		{"encoded slash in a path", Options{}, []string{"/f/{p:path}"}, "/f/a%2Fb/c", "/f/{p:path} p=a/b/c"},
		{"encoded slash and a static part", Options{}, []string{"/caf\u00e9/{x}"}, "/caf%C3%A9/a%2fb", "/caf\u00e9/{x} x=a/b"},
		{"encoded slash cannot climb", Options{}, []string{"/{x}"}, "/..%2F..%2Fetc", "404"},
		{"escapes are decoded once", Options{}, []string{"/{x}"}, "/%2541", "/{x} x=%41"},
		{"escaped text is static text", Options{}, []string{"/caf\u00e9"}, "/caf%c3%a9", "/caf\u00e9"},
		{"unneeded escapes", Options{}, []string{"/abc"}, "/%61bc", "/abc"},
		{"plus is a plus", Options{}, []string{"/{x}"}, "/a+b", "/{x} x=a+b"},
		{"encoded NUL", Options{}, []string{"/{x}", "/{p:path}"}, "/a%00b", "404"},
		{"more variables than are stored inline", Options{}, []string{"/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}"}, "/1/2/3/4/5/6/7/8", "/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h} a=1 b=2 c=3 d=4 e=5 f=6 g=7 h=8"},
		{
			"a failed long branch before a long one",
			Options{},
			[]string{"/x/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}/1", "/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}/2"},
			"/x/b/c/d/e/f/g/h/i/2",
			"/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}/2 a=x b=b c=c d=d e=e f=f g=g h=h i=i",
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			method, target, found := strings.Cut(c.request, " ")
			if !found {
				method, target = "GET", c.request
			}
			// In every order of registration (or many of them).
			routes := append([]string(nil), c.routes...)
			for range max(len(routes), 1) * 2 {
				r := newRouter(t, c.options, routes...)
				if got := outcome(r, method, "example.com", target); got != c.want {
					t.Fatalf("%s with %q\n got %s\nwant %s", c.request, routes, got, c.want)
				}
				rand.Shuffle(len(routes), func(i, j int) { routes[i], routes[j] = routes[j], routes[i] })
			}
		})
	}
}

// evenConverter accepts even numbers; its value is half of it.
type evenConverter struct{}

func (evenConverter) Parse(text string) (any, error) {
	n := 0
	for i := range len(text) {
		if !isDigit(text[i]) || i > 8 {
			return nil, errors.New("not a number")
		}
		n = n*10 + int(text[i]-'0')
	}
	if n%2 == 1 {
		return nil, fmt.Errorf("%d is odd", n)
	}
	return n / 2, nil
}

func (evenConverter) Format(value any) (string, error) {
	n, ok := value.(int)
	if !ok {
		return "", fmt.Errorf("%T is not an int", value)
	}
	return fmt.Sprint(2 * n), nil
}

func TestLookupOddArguments(t *testing.T) {
	t.Parallel()
	r := newRouter(t, Options{}, "/", "/x", "/{y}", "/a/{z}")
	cases := []struct{ name, path, rawPath, want string }{
		{"empty path is the root", "", "", "/"},
		{"asterisk", "*", "", ""},
		{"relative", "x", "", ""},
		{"raw NUL", "/a\x00", "", ""},
		{"invalid escape", "/a%zz", "/a%zz", ""},
		{"cut escape", "/a%2", "/a%2", ""},
		{"rawPath of another path is not believed", "/x", "/a%2Fb", "/x"},
		{"rawPath shorter than the path", "/a/b", "/a%2F", "/a/{z}"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var p Params
			got := ""
			if rt := r.Lookup("GET", "", c.path, c.rawPath, &p).Route; rt != nil {
				got = rt.Pattern
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestLookupLooseSlash(t *testing.T) {
	t.Parallel()
	r := New(Options{LooseSlash: true})
	for _, pattern := range []string{"/", "/a", "/b/", "/c/{x}", "/d/{x}/", "/p/{p:path}/"} {
		if _, err := r.Add(Route{Pattern: pattern, Value: pattern}); err != nil {
			t.Fatal(err)
		}
	}
	for target, want := range map[string]string{
		"/": "/", "/a": "/a", "/a/": "/a", "/b": "/b/", "/b/": "/b/", "/c/1": "/c/{x} x=1", "/c/1/": "/c/{x} x=1",
		"/d/1": "/d/{x}/ x=1", "/d/1/": "/d/{x}/ x=1", "/p/1/2": "/p/{p:path}/ p=1/2",
	} {
		if got := outcome(r, "GET", "", target); got != want {
			t.Errorf("%s: got %s, want %s", target, got, want)
		}
	}
	_, err := r.Add(Route{Pattern: "/a/"})
	var conflict *ConflictError
	if !errors.As(err, &conflict) {
		t.Errorf("/a/ beside a loose /a: %v", err)
	}
	if got := outcome(r, "GET", "", "/a/x"); got != "404" {
		t.Errorf("after a failed registration: %s", got)
	}
}

func TestFailedRegistrationLeavesNothing(t *testing.T) {
	t.Parallel()
	r := newRouter(t, Options{}, "/a/")
	if _, err := r.Add(Route{Methods: []string{"GET"}, Pattern: "/a", LooseSlash: true, Name: "a"}); err == nil {
		t.Fatal("no conflict")
	}
	if got := outcome(r, "GET", "", "/a"); got != "308 /a/" {
		t.Error(got)
	}
	if got := len(r.Routes()); got != 1 {
		t.Errorf("%d routes", got)
	}
	if _, err := r.URL("a"); !errors.Is(err, ErrUnknownName) {
		t.Error(err)
	}
}

func TestHostileSegmentsAreBounded(t *testing.T) {
	t.Parallel()
	r := newRouter(
		t, Options{},
		"/s/{a:slug}-{b:slug}-{c:slug}-{d:slug}-{e:slug}-{f:int}",
		"/s/{a}{b}{c}{d}{e}{f:slug}!{g}",
		"/p/{a:path}/x/{b:path}/x/{c:path}/x/{d:path}/x/{e:int}",
		"/m/{a}.{b}.{c}/{d}.{e}.{f}/{g}.{h:int}.{i}/end",
		"/m/{a}.{b}.{c}/{d}.{e}.{f:int}/{g}.{h:int}.{i}/other",
		"/m/{a}.{b}/{d}.{e}/{g}.{h}/end", "/m/{a}/{d}/{g}/end",
	)
	for _, target := range []string{
		"/s/" + strings.Repeat("-", 1<<16), "/s/" + strings.Repeat("a-", 1<<15) + "x", "/s/" + strings.Repeat("1", 1<<16),
		"/p/" + strings.Repeat("x/", 1<<15), "/p" + strings.Repeat("/x", 1<<15) + "y",
		"/m/" + strings.Repeat(".", 1<<15) + "/" + strings.Repeat("a.", 1<<14) + "/" + strings.Repeat("1.", 1<<14) + "/fin",
		strings.Repeat("/a", 1<<16), strings.Repeat("/", 1<<16), strings.Repeat("/..", 1<<16), strings.Repeat("/.", 1<<16),
	} {
		var p Params
		w := walk{path: target, verb: "GET", method: methodGet}
		r.lookup(&w, "", &p)
		// Beyond the budget no split is tried; what is added is of the last ones.
		if limit := lookupBudget + 8*len(target); w.spent > limit {
			t.Errorf("%.20s… took %d steps, more than %d", target, w.spent, limit)
		}
		r.Lookup("GET", "", target, "", &p)
	}
}

func TestBacktrackingIsBoundedByTheTable(t *testing.T) {
	t.Parallel()
	r := New(Options{})
	// At each of 12 levels the path fits several branches, and fails at the end.
	parts := []string{"a", "{x%d}", "{x%d:slug}", "{x%d:int}-{y%d}"}
	for i := range 200 {
		pattern := ""
		for level := range 12 {
			pattern += "/" + strings.ReplaceAll(parts[(i>>(level%6)+level)%len(parts)], "%d", fmt.Sprint(level))
		}
		if _, err := r.Add(Route{Pattern: pattern + "/end"}); err != nil && !errors.As(err, new(*ConflictError)) {
			t.Fatal(err)
		}
	}
	var p Params
	if got := r.Lookup("GET", "", strings.Repeat("/a", 12)+"/no", "", &p); got.Route != nil {
		t.Fatal(got.Route)
	}
	w := walk{path: strings.Repeat("/1-1", 12) + "/no", verb: "GET", method: methodGet}
	// A split here is two steps; without a bound there were 3^12 of them.
	if r.lookup(&w, "", &p); w.spent > 20*12*200 {
		t.Errorf("%d steps", w.spent)
	}
}

func TestLookupDoesNotAllocate(t *testing.T) {
	r := newRouter(
		t, Options{}, "/", "/a/b", "/a/{x}", "/a/{n:int}/{s:slug}", "/f/{x}.{y}", "/u/{u:uuid}", "/p/{p:path}/e", "/q/{f:float}",
		"api.example.com/a/{x}", "{t}.example.org/a/{x}",
	)
	for _, q := range []struct{ method, host, path, rawPath string }{
		{"GET", "example.com", "/", ""},
		{"HEAD", "example.com:80", "/a/b", ""},
		{"GET", "example.com", "/a/c", "/%61/c"},
		{"GET", "example.com", "/a/5/x-y", ""},
		{"GET", "example.com", "/f/a.b.c", ""},
		{"GET", "example.com", "/u/6ba7b810-9dad-11d1-80b4-00c04fd430c8", ""},
		{"GET", "example.com", "/p/a/b/e", ""},
		{"GET", "example.com", "/q/1.5", ""},
		{"GET", "api.example.com:443", "/a/1", ""},
		{"GET", "acme.example.org", "/a/1", ""},
		{"POST", "example.com", "/a/b", ""},
		{"GET", "example.com", "/nothing", ""},
	} {
		if n := testing.AllocsPerRun(100, func() {
			var p Params
			r.Lookup(q.method, q.host, q.path, q.rawPath, &p)
			for i := range p.Len() {
				name, _ := p.At(i)
				p.Get(name)
			}
		}); n != 0 {
			t.Errorf("%s %s%s: %v allocations", q.method, q.host, q.path, n)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	r := New(Options{Converters: map[string]Converter{"even": evenConverter{}}})
	for _, pattern := range []string{"/{n:even}/{x}.{y}", "/{x}/", "/a/{p:path}"} {
		if _, err := r.Add(Route{Pattern: pattern, Name: pattern}); err != nil {
			t.Fatal(err)
		}
	}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for i := range 200 {
				var p Params
				if r.Lookup("GET", "", fmt.Sprintf("/%d/a.b", 2*i), "", &p); p.Value("n") != i {
					t.Errorf("got %v, want %d", p.Value("n"), i)
				}
				if built, err := r.URL("/{n:even}/{x}.{y}", "n", i, "x", "a", "y", "b"); err != nil || built != fmt.Sprintf("/%d/a.b", 2*i) {
					t.Error(built, err)
				}
				r.Explain("GET", "", "/x")
			}
		})
	}
	group.Wait()
}
