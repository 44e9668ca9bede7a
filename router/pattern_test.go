package router

import (
	"errors"
	"strings"
	"testing"
)

func TestPatternErrors(t *testing.T) {
	t.Parallel()
	cases := []struct {
		route  string // "host/pattern"
		offset int
		reason string // part of it
	}{
		{"/a/{", 4, "expected a variable name"},
		{"/a/{}", 4, "expected a variable name"},
		{"/a/{1x}", 4, "expected a variable name"},
		{"/a/{x", 3, "never closed"},
		{"/a/{x y}", 5, `expected "}"`},
		{"/a/x}", 4, `write "}}"`},
		{"/{x}/{x}", 6, "appears twice"},
		{"{x}.example.com/{x}", 2, "appears twice"},
		{"/{_anchor}", 2, "fragment"},
		{"/{x:}", 4, "expected a converter name"},
		{"/{x:string}", 4, `unknown converter "string"; known are any, even, float, int, path, slug, str, uuid`},
		{"/{x:int(}", 8, "expected an argument"},
		{"/{x:int(", 7, "never closed"},
		{"/{x:int(min=1", 7, "never closed"},
		{"/{x:int(,)}", 8, "expected an argument"},
		{"/{x:int(min=)}", 8, "expected an argument"},
		{"/{x:int(min=1 2)}", 14, `expected "," or ")"`},
		{"/{x:int(min)}", 7, "needs a name"},
		{"/{x:int(5)}", 7, "needs a name"},
		{"/{x:int(min=x)}", 7, "not a whole number"},
		{"/{x:int(least=1)}", 7, "unknown argument least"},
		{"/{x:int(min=1,min=2)}", 7, "given twice"},
		{"/{x:int(min=2,max=1)}", 7, "min 2 is above max 1"},
		{"/{x:int(min=-1)}", 7, "signed=true"},
		{"/{x:int(max=-1)}", 7, "min 0 is above max -1"},
		{"/{x:int(signed=yes)}", 7, "not true or false"},
		{"/{x:int(fixed_digits=30)}", 7, "from 1 to 18"},
		{"/{x:float(min=a)}", 9, "not a number"},
		{"/{x:float(min=NaN)}", 9, "not a number"},
		{"/{x:float(min=-1.5)}", 9, "signed=true"},
		{"/{x:float(min=2,max=1)}", 9, "above max"},
		{"/{x:str(minlength=0)}", 7, "a count from 1"},
		{"/{x:str(minlength=3,maxlength=2)}", 7, "below minlength"},
		{"/{x:str(3)}", 7, "needs a name"},
		{"/{x:str(short=3)}", 7, "unknown argument short"},
		{"/{x:float(most=3)}", 9, "unknown argument most"},
		{"/{x:int(min='1)}", 12, "quote is never closed"},
		{"/{x:str(minlength=3,length=2)}", 7, "length stands alone"},
		{"/{x:slug(min=1)}", 8, "takes no arguments"},
		{"/{x:path(min=1)}", 8, "takes no arguments"},
		{"/{x:uuid(4)}", 8, "takes no arguments"},
		{"/{x:even(4)}", 8, "takes no arguments"},
		{"/{x:any}", 7, "list the texts"},
		{"/{x:any()}", 7, "list the texts"},
		{"/{x:any(a=b)}", 7, "list the texts"},
		{"/{x:any('a/b')}", 7, "cannot be one segment"},
		{`/{x:any("")}`, 7, "cannot be one segment"},
		{`/{x:any("a)}`, 8, "quote is never closed"},
		{"/a//b", 2, "no canonical path"},
		{"/a/./b", 0, "never match"},
		{"/../b", 0, "never match"},
		{"/a?b=c", 2, "query or fragment"},
		{"/a#b", 2, "query or fragment"},
		{"/a%20b", 2, "written decoded"},
		{"/a\x00", 2, "control character"},
		{"/a\xff", 0, "UTF-8"},
		{"/" + strings.Repeat("{x}", 2), 5, "appears twice"},
		{"example.com:80/", 11, "leave the port out"},
		{".example.com/", 0, "labels"},
		{"a..example.com/", 0, "labels"},
		{"exämple.com/", 2, "xn--"},
		{"{x:path}.example.com/", 3, "one label"},
		{"{{x.example.com/", 0, "cannot hold braces"},
	}
	for _, c := range cases {
		t.Run(c.route, func(t *testing.T) {
			t.Parallel()
			r := New(Options{Converters: map[string]Converter{"even": evenConverter{}}})
			_, err := r.Add(routeOf("ANY " + c.route))
			var fault *PatternError
			if !errors.As(err, &fault) {
				t.Fatalf("got %v", err)
			}
			if fault.Offset != c.offset || !strings.Contains(fault.Reason, c.reason) {
				t.Errorf("got %d %q, want %d %q", fault.Offset, fault.Reason, c.offset, c.reason)
			}
			if fault.Where != "routes.go:1" || !strings.Contains(err.Error(), "routes.go:1") {
				t.Errorf("no place in %v", err)
			}
		})
	}
	if _, err := New(Options{}).Add(Route{Pattern: "a"}); err == nil || !strings.Contains(err.Error(), `must start with "/"`) {
		t.Error(err)
	}
	if _, err := New(Options{}).Add(Route{Pattern: ""}); err == nil {
		t.Error("an empty pattern is accepted")
	}
	if _, err := New(Options{}).Add(Route{Pattern: "/", Methods: []string{"GET POST"}}); err == nil || !strings.Contains(err.Error(), "not a method") {
		t.Error(err)
	}
	var long strings.Builder
	for i := range maxVariables + 1 {
		long.WriteString("/{" + strings.Repeat("x", i+1) + "}")
	}
	if _, err := New(Options{}).Add(Route{Pattern: long.String()}); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Error(err)
	}
}

func TestPatternArguments(t *testing.T) {
	t.Parallel()
	for pattern, spec := range map[string]string{
		"/{x}":                                  "str",
		"/{x:str}":                              "str",
		"/{x:str()}":                            "str",
		"/{x:str(minlength=1)}":                 "str",
		"/{x:str( maxlength=3 , minlength=2 )}": "str(maxlength=3,minlength=2)",
		"/{x:str(maxlength=3)}":                 "str(maxlength=3)",
		"/{x:str(minlength=3)}":                 "str(minlength=3)",
		"/{x:str(minlength=3,maxlength=3)}":     "str(length=3)",
		"/{x:int(max = 9, min = 1)}":            "int(max=9,min=1)",
		"/{x:int(min=0)}":                       "int",
		"/{x:int(signed=True,min=-5)}":          "int(min=-5,signed=true)",
		"/{x:int(signed=false)}":                "int",
		"/{x:int(fixed_digits=4)}":              "int(fixed_digits=4)",
		"/{x:float(max=2.50,min=1)}":            "float(max=2.5,min=1)",
		"/{x:float(signed=true)}":               "float(signed=true)",
		"/{x:any(b, a,'c d',a)}":                `any("a","b","c d")`,
		`/{x:any('say "a"',"it's")}`:            `any("it's",'say "a"')`,
		"/{x:any(a=b}":                          "",
	} {
		rt, err := New(Options{}).Add(Route{Pattern: pattern})
		switch {
		case spec == "":
			if err == nil {
				t.Errorf("%s is accepted", pattern)
			}
		case err != nil:
			t.Error(err)
		case rt.Variables()[0].Spec != spec:
			t.Errorf("%s: got %s, want %s", pattern, rt.Variables()[0].Spec, spec)
		}
	}
}

func TestConflicts(t *testing.T) {
	t.Parallel()
	cases := []struct {
		old, added string
		methods    string // "" no conflict, "every" all
	}{
		{"/a/{x}", "/a/{y}", "GET"},
		{"GET,POST,PUT /a", "PUT,POST /a", "POST,PUT"},
		{"/a/{x}", "POST /a/{y}", ""},
		{"/a/{x}", "/a/{x:int}", ""},
		{"/a/{x:int(min=1,max=2)}", "/a/{y:int(max=2,min=1)}", "GET"},
		{"/a/{x:int(min=1)}", "/a/{y:int(min=2)}", ""},
		{"/a/{x:any(a,b)}", "/a/{y:any(b,a)}", "GET"},
		{"/a", "/a/", ""},
		{"ANY /a", "/a", ""},
		{"ANY /a", "ANY /a", "every"},
		{"HEAD /a", "/a", ""},
		{"/{a}.{b}", "/{c}.{d}", "GET"},
		{"/{a}.{b}", "/{a}-{b}", ""},
		{"/x{p:path}/e", "/x{q:path}/e", "GET"},
		{"/{p:path}/", "/{q:path}", ""},
		{"example.com/a", "/a", ""},
		{"EXAMPLE.com/a", "example.COM/a", "GET"},
		{"{t}.example.com/a", "{u}.example.com/a", "GET"},
		{"{t}.example.com/a", "{u:slug}.example.com/a", ""},
		{"purge /a", "PURGE /a", "PURGE"},
	}
	for _, c := range cases {
		t.Run(c.old+" and "+c.added, func(t *testing.T) {
			t.Parallel()
			r := New(Options{})
			old, added := routeOf(c.old), routeOf(c.added)
			old.Where, added.Where = "old.go:1", "new.go:2"
			first, err := r.Add(old)
			if err != nil {
				t.Fatal(err)
			}
			_, err = r.Add(added)
			var conflict *ConflictError
			if !errors.As(err, &conflict) {
				if err != nil || c.methods != "" {
					t.Fatalf("got %v", err)
				}
				return
			}
			got := strings.Join(conflict.Methods, ",")
			if got == "" {
				got = "every"
			}
			if got != c.methods && got != reversed(c.methods) || conflict.Old != first {
				t.Errorf("got %s %v", got, conflict)
			}
			for _, part := range []string{"old.go:1", "new.go:2", old.Pattern, added.Pattern} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q lacks %q", err, part)
				}
			}
		})
	}
}

func reversed(methods string) string {
	a, b, _ := strings.Cut(methods, ",")
	return b + "," + a
}

func TestConverterNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"str": "built in", "a-b": "use letters", "": "use letters", "1a": "use letters", "none": "is nil"} {
		var converter Converter
		if name != "none" {
			converter = evenConverter{}
		}
		func() {
			defer func() {
				if err, ok := recover().(error); !ok || !strings.Contains(err.Error(), want) {
					t.Errorf("%q: got %v, want %q", name, err, want)
				}
			}()
			New(Options{Converters: map[string]Converter{name: converter}})
		}()
	}
}

// badConverter is faulty in each way that is caught.
type badConverter struct{ text string }

func (badConverter) Configure([]Argument) (Converter, error) { return nil, nil }
func (badConverter) Parse(text string) (any, error)          { return nil, errors.New("never") }
func (c badConverter) Format(any) (string, error)            { return c.text, nil }

// parseOnly hides Configure.
type parseOnly struct{ Converter }

func TestFaultyConverters(t *testing.T) {
	t.Parallel()
	r := New(Options{Converters: map[string]Converter{
		"bad": badConverter{}, "empty": parseOnly{badConverter{}}, "odd": parseOnly{badConverter{"x"}}, "word": wordConverter{},
	}})
	if _, err := r.Add(Route{Pattern: "/{x:bad}"}); err == nil || !strings.Contains(err.Error(), "returned no converter") {
		t.Error(err)
	}
	if _, err := r.Add(Route{Pattern: "/{x:word(size=1)}"}); err == nil || !strings.Contains(err.Error(), "column 9: converter word: give length") {
		t.Error(err)
	}
	for name, want := range map[string]string{"empty": "empty text", "odd": "Parse refuses"} {
		if _, err := r.Add(Route{Pattern: "/" + name + "/{x:" + name + "}", Name: name}); err != nil {
			t.Fatal(err)
		}
		if _, err := r.URL(name, "x", 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzPattern(f *testing.F) {
	for _, seed := range []string{"/", "/a/{x}", "/{x:int(min=1,max=5)}.{y}", `/{l:any(en,"c d")}`, "/{{{x}}}", "/{p:path}/e/", "/{x:even}", "/{", "//", "/a%20"} {
		f.Add(seed, "")
		f.Add("/", seed)
	}
	f.Add("/x", "{t:slug}.Example.com")
	f.Fuzz(func(t *testing.T, pattern, host string) {
		r := New(Options{Converters: map[string]Converter{"even": evenConverter{}}})
		rt, err := r.Add(Route{Pattern: pattern, Host: host, Name: "x"})
		if err != nil {
			var fault *PatternError
			if !errors.As(err, &fault) {
				t.Fatalf("got %T %v", err, err)
			}
			if fault.Offset < 0 || fault.Offset > len(fault.Pattern) {
				t.Fatalf("offset %d of %q", fault.Offset, fault.Pattern)
			}
			return
		}
		// What is accepted conflicts with itself, and its specs are readable again.
		if _, err := r.Add(Route{Pattern: pattern, Host: host}); !errors.As(err, new(*ConflictError)) {
			t.Fatalf("no conflict with itself: %v", err)
		}
		for _, v := range rt.Variables() {
			again, err := r.Add(Route{Pattern: "/again/" + v.Name + "/{x:" + v.Spec + "}"})
			if err != nil {
				t.Fatal(err)
			}
			if got := again.Variables()[0].Spec; got != v.Spec {
				t.Fatalf("%s became %s", v.Spec, got)
			}
		}
		var p Params
		r.Lookup("GET", host, pattern, pattern, &p)
		r.Explain("GET", host, pattern)
	})
}
