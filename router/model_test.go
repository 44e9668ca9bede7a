package router

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The model is a router that tries every route, each a regular expression, and
// takes the most specific one that matches.

type modelRoute struct {
	methods []string
	pattern string
	exp     *regexp.Regexp
	rt      *Route
}

// modelText is text of one segment that is not "." or "..", longest first.
const modelText = `(?:[^/]{3,}|[^/.][^/]|\.[^/.]|[^/.])`

var (
	modelVariable    = regexp.MustCompile(`\{(\w+)(?::([^{}]+))?\}`)
	modelExpressions = map[string]string{
		"": "(" + modelText + ")", "int": `([0-9]+)`, "float": `([0-9]+\.[0-9]+)`, "slug": `([-_a-zA-Z0-9]+)`,
		"path": "(" + modelText + "(?:/+" + modelText + ")*/*)", "any(a,ab,1)": `(ab|a|1)`,
	}
	modelSegments = []string{
		"a", "ab", "b", "1", "{v}", "{v:int}", "{v:slug}", "{v:float}", "{v:any(a,ab,1)}", "{v:path}",
		"a{v}", "ab{v:int}", "{v}b", "{v}.{w}", "{v}.{w:int}", "{v:int}-{w}", "{v}{w}", "{v:slug}-{w:slug}-{x:slug}", "{v:path}.b", "{v:any(a,ab,1)}{w}", "{v}-{w:path}",
	}
)

func (m *modelRoute) compile() {
	text, at := "", 0
	for _, found := range modelVariable.FindAllStringSubmatchIndex(m.pattern, -1) {
		converter := ""
		if found[4] >= 0 {
			converter = m.pattern[found[4]:found[5]]
		}
		text += regexp.QuoteMeta(m.pattern[at:found[0]]) + modelExpressions[converter]
		at = found[1]
	}
	m.exp = regexp.MustCompile(`(?s)\A` + text + regexp.QuoteMeta(m.pattern[at:]) + `\z`)
}

// match returns the texts of the variables, nil when the path does not fit.
func (m *modelRoute) match(target string) []string {
	if slices.ContainsFunc(strings.Split(target, "/"), isDots) {
		return nil
	}
	return m.exp.FindStringSubmatch(target)
}

// compareModels orders patterns that match the same path.
func compareModels(a, b *modelRoute) int {
	x, y := steps(a.rt.elements), steps(b.rt.elements)
	for len(x) > 0 && len(y) > 0 {
		if x[0].branch != nil && y[0].branch != nil {
			if order := specificity(x[0].branch, y[0].branch); order != 0 {
				return order
			}
			x, y = x[1:], y[1:]
			continue
		}
		if x[0].branch != nil || y[0].branch != nil {
			return compareBool(x[0].branch != nil, y[0].branch != nil)
		}
		shared := sharedPrefix(x[0].static, y[0].static)
		x[0].static, y[0].static = x[0].static[shared:], y[0].static[shared:]
		if x[0].static == "" {
			x = x[1:]
		}
		if y[0].static == "" {
			y = y[1:]
		}
	}
	return 0
}

// modelOutcome is outcome by the model.
func modelOutcome(models []*modelRoute, method, target string) string {
	var best *modelRoute
	methods := map[string]bool{}
	slash, slashAnswers := false, false
	for _, m := range models {
		answers := slices.Contains(m.methods, method)
		switch {
		case m.match(target) == nil:
			if strings.HasSuffix(m.pattern, "/") && m.match(target+"/") != nil {
				slash, slashAnswers = true, slashAnswers || answers
			}
		case answers:
			if best == nil || compareModels(m, best) < 0 {
				best = m
			}
		default:
			for _, method := range m.methods {
				methods[method] = true
			}
		}
	}
	switch {
	case best != nil:
		text := best.pattern
		for i, value := range best.match(target)[1:] {
			text += " " + best.rt.variables[i].name + "=" + value
		}
		return text
	case slashAnswers:
		return "308 " + target + "/"
	case len(methods) > 0:
		list := []string{"OPTIONS"}
		for method := range methods {
			list = append(list, method)
			if method == "GET" {
				list = append(list, "HEAD")
			}
		}
		slices.Sort(list)
		return "405 " + strings.Join(slices.Compact(list), ", ")
	case slash:
		return "308 " + target + "/"
	}
	if cleaned := modelClean(target); cleaned != target {
		there := modelOutcome(models, method, cleaned)
		if strings.HasPrefix(there, "308 ") || there == "404" {
			return there
		}
		return "308 " + cleaned
	}
	return "404"
}

func modelClean(target string) string {
	cleaned := path.Clean(target)
	last := target[strings.LastIndexByte(target, '/')+1:]
	if cleaned != "/" && (last == "" || isDots(last)) {
		cleaned += "/"
	}
	return cleaned
}

// modelTable makes routes of arbitrary bytes.
func modelTable(tb testing.TB, table []byte) (*Router, []*modelRoute) {
	tb.Helper()
	r := New(Options{})
	var models []*modelRoute
	for len(table) > 0 && len(models) < 24 {
		head := table[0]
		table = table[1:]
		m := &modelRoute{methods: [][]string{{"GET"}, {"POST"}, {"GET", "PUT"}}[int(head>>4)%3]}
		names := 0
		for range head % 5 {
			if len(table) == 0 {
				break
			}
			m.pattern += "/" + modelVariable.ReplaceAllStringFunc(modelSegments[int(table[0])%len(modelSegments)], func(text string) string {
				names++
				return strings.Replace(text, text[1:2], fmt.Sprintf("v%d", names), 1)
			})
			table = table[1:]
		}
		if head&8 != 0 || m.pattern == "" {
			m.pattern += "/"
		}
		m.compile()
		var err error
		if m.rt, err = r.Add(Route{Methods: m.methods, Pattern: m.pattern, Value: m.pattern}); err == nil {
			models = append(models, m)
		}
	}
	return r, models
}

func FuzzLookup(f *testing.F) {
	f.Add([]byte{2, 0, 4, 2, 4, 3, 0x12, 0, 5}, "/a/1", byte(0))
	f.Add([]byte{1, 13, 1, 17, 1, 7, 9, 9, 10, 18}, "/ab.1-b.b", byte(0))
	f.Add([]byte{3, 9, 0, 4, 3, 9, 1, 5, 0x2a, 9, 9}, "/a/b/a/1", byte(1))
	f.Add([]byte{10, 4, 0, 1, 0}, "//a/../b/", byte(2))
	f.Fuzz(func(t *testing.T, table []byte, text string, verb byte) {
		if len(text) > 60 {
			return
		}
		const alphabet = "/a/b.1-a/"
		target := "/"
		for i := range len(text) {
			if strings.IndexByte(alphabet, text[i]) >= 0 {
				target += text[i : i+1]
			} else {
				target += alphabet[int(text[i])%len(alphabet):][:1]
			}
		}
		r, models := modelTable(t, table)
		checkAgainstModel(t, r, models, modelMethods[verb%4], target)
	})
}

var modelMethods = []string{"GET", "POST", "PUT", "DELETE"}

// TestLookupAgainstModel makes paths that fit a route of the table or nearly so.
func TestLookupAgainstModel(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(list ...string) string { return list[random.IntN(len(list))] }
	kinds := map[string]int{}
	for range 400 {
		table := make([]byte, random.IntN(80))
		for i := range table {
			table[i] = byte(random.Uint32())
		}
		r, models := modelTable(t, table)
		for _, m := range models {
			target := modelVariable.ReplaceAllStringFunc(m.pattern, func(string) string {
				return pick("a", "b", "1", "12", "ab", "1.5", "a-b", "a.b", "b.1", "a/b", "-", ".", "a-1-b")
			})
			target = pick(target, target, target, target+"/", strings.TrimSuffix(target, "/"), target+"/a", strings.Replace(target, "/", "//", 2), strings.Replace(target, "a", "a/..", 1))
			if !strings.HasPrefix(target, "/") {
				continue
			}
			kind := "hit"
			if got := checkAgainstModel(t, r, models, pick(modelMethods...), target); got[0] != '/' {
				kind = got[:3]
			}
			kinds[kind]++
		}
	}
	for _, kind := range []string{"hit", "404", "405", "308"} {
		if kinds[kind] < 100 {
			t.Errorf("the cases are one-sided: %v", kinds)
		}
	}
}

// checkAgainstModel compares a lookup in both routers and returns the outcome.
func checkAgainstModel(t *testing.T, r *Router, models []*modelRoute, method, target string) string {
	t.Helper()
	want := modelOutcome(models, method, target)
	var p Params
	result := r.Lookup(method, "", target, "", &p)
	got := "404"
	switch {
	case result.Route != nil:
		got = result.Route.Pattern
		for i := range p.Len() {
			name, value := p.At(i)
			got += " " + name + "=" + value
		}
	case result.Redirect != "":
		got = "308 " + result.Redirect
		if strings.HasPrefix(result.Redirect, "//") || !strings.HasPrefix(result.Redirect, "/") {
			t.Errorf("redirect to %s", result.Redirect)
		}
	case result.Allow != "":
		got = "405 " + result.Allow
	}
	if got != want {
		list := make([]string, len(models))
		for i, m := range models {
			list[i] = strings.Join(m.methods, ",") + " " + m.pattern
		}
		t.Fatalf("%s %s\n got %s\nwant %s\nroutes %q", method, target, got, want, list)
	}
	for i, a := range r.Explain(method, "", target) {
		if a.Matched != (models[i].match(target) != nil && slices.Contains(models[i].methods, method)) {
			t.Fatalf("Explain of %s for %s: %+v", models[i].pattern, target, a)
		}
	}
	return got
}

// FuzzTarget sends arbitrary paths, as net/url reads them.
func FuzzTarget(f *testing.F) {
	for _, seed := range []string{"/", "//evil.example", "/%2F/x", "/a%2Fb/", `/\evil.example/..`, "/%5c%5cevil", "/..%2f..%2f", "/a/./b//c/", "/v..%2f", "/v/a%2f...json", "/%00", "/\xff", "/%zz", "/x.y.z/1-2"} {
		f.Add(seed, "example.com")
	}
	f.Add("/x", "[::1]:80")
	f.Add("/x", "a.b.example.com.:8000")
	r := New(Options{})
	for _, pattern := range []string{"/{a}/", "/{a}.{b}/{c:int}-{d}", "/p/{p:path}", "/q/{p:path}/x/{q:path}/", "/{a:slug}/{b}", "/v{a}/", "/v/{p:path}.json/"} {
		for _, host := range []string{"", "example.com", "{t}.example.com", "{a1}-{b1:int}.{c1:slug}.com"} {
			if _, err := r.Add(Route{Pattern: pattern, Host: host, Methods: []string{"GET"}}); err != nil {
				f.Fatal(err)
			}
		}
	}
	f.Fuzz(func(t *testing.T, target, host string) {
		u, err := url.ParseRequestURI(target)
		if err != nil {
			u = &url.URL{Path: target, RawPath: target}
		}
		var p Params
		result := r.Lookup("GET", host, u.Path, u.RawPath, &p)
		for i := range p.Len() {
			if _, text := p.At(i); text == "" || hasDotSegment(text, 0) || strings.Contains(text, "\x00") {
				t.Fatalf("%q holds %q", target, text)
			}
		}
		if result.Redirect == "" {
			return
		}
		if !regexp.MustCompile(`^/([!-.0-\[\]-~][!-\[\]-~]*)?$`).MatchString(result.Redirect) {
			t.Fatalf("%q redirects to %q", target, result.Redirect)
		}
		// A redirect arrives: there is no second one.
		next, err := url.ParseRequestURI(result.Redirect)
		if err != nil {
			t.Fatal(err)
		}
		if again := r.Lookup("GET", host, next.Path, next.RawPath, &p); again.Route == nil {
			t.Fatalf("%q redirects to %q, which gives %+v", target, result.Redirect, again)
		}
	})
}

// FuzzURL builds a URL of arbitrary values and looks it up again.
func FuzzURL(f *testing.F) {
	f.Add("a/b", "x y", "p//q", int64(-7), 1.5)
	f.Add("..", ".", "/", int64(1<<62), 1e-300)
	f.Add("é\xff", "%2F?#", "..%2f", int64(0), 0.5)
	r := New(Options{})
	const pattern = "/x/{a}/{b}.{s:str(maxlength=5)}/{n:int(signed=true)}/{f:float(signed=true)}/{p:path}"
	route, err := r.Add(Route{Pattern: pattern, Name: "x"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, a, b, rest string, n int64, x float64) {
		short := a[:min(len(a), 5)]
		built, err := r.URL("x", "a", a, "b", b, "s", short, "n", n, "f", x, "p", rest, "q", a, "_anchor", b)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "router: ") {
				t.Fatal(err)
			}
			return
		}
		u, err := url.Parse(built)
		if err != nil {
			t.Fatalf("%q: %v", built, err)
		}
		if u.Host != "" || u.Query().Get("q") != a {
			t.Fatalf("%q: host %q, query %q", built, u.Host, u.RawQuery)
		}
		var p Params
		if got := r.Lookup("GET", "", u.Path, u.RawPath, &p); got.Route != route {
			t.Fatalf("%q gives %+v", built, got)
		}
		if p.Get("a") != a || p.Get("b")+"."+p.Get("s") != b+"."+short || p.Get("p") != rest || p.Value("n") != n || p.Value("f") != x {
			t.Fatalf("%q: %q %q %q %q %v %v", built, p.Get("a"), p.Get("b"), p.Get("s"), p.Get("p"), p.Value("n"), p.Value("f"))
		}
	})
}
