package router

import (
	"errors"
	"strings"
	"testing"
)

// wordConverter takes its length from the pattern; its value counts the calls
// of Parse that made it.
type wordConverter struct{ length int }

func (c wordConverter) Configure(arguments []Argument) (Converter, error) {
	for _, a := range arguments {
		if a.Name != "length" || len(a.Value) != 1 || !isDigit(a.Value[0]) {
			return nil, errors.New("give length=1 to 9")
		}
		c.length = int(a.Value[0] - '0')
	}
	return c, nil
}

func (c wordConverter) Parse(text string) (any, error) {
	if c.length > 0 && len(text) != c.length {
		return nil, errors.New("wrong length")
	}
	return strings.ToUpper(text), nil
}

func (c wordConverter) Format(value any) (string, error) { return value.(string), nil }

func TestParamsValue(t *testing.T) {
	t.Parallel()
	r := New(Options{Converters: map[string]Converter{"word": wordConverter{}}})
	pattern := "/{i:int}/{f:float}/{u:uuid}/{s:slug}/{a:any(x,y)}/{t}/{w:word(length=3)}/{v:word}/{p:path}"
	if _, err := r.Add(Route{Pattern: pattern, Name: "all"}); err != nil {
		t.Fatal(err)
	}
	target := "/007/1.50/6ba7b810-9dad-11d1-80b4-00c04fd430c8/a-b/y/é/abc/d%2Fe/q/r"
	u := mustParse(t, target)
	var p Params
	if r.Lookup("GET", "", u.Path, u.RawPath, &p).Route == nil {
		t.Fatal("no route")
	}
	want := map[string]any{
		"i": int64(7), "f": 1.5, "s": "a-b", "a": "y", "t": "é", "w": "ABC", "v": "D/E", "p": "q/r",
		"u": [16]byte{0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0, 0xc0, 0x4f, 0xd4, 0x30, 0xc8},
	}
	if p.Len() != len(want) {
		t.Errorf("Len is %d", p.Len())
	}
	for name, value := range want {
		if got := p.Value(name); got != value {
			t.Errorf("%s: got %v (%T), want %v", name, got, got, value)
		}
	}
	if text, ok := p.Lookup("v"); text != "d/e" || !ok {
		t.Errorf("got %q %v", text, ok)
	}
	if name, text := p.At(8); name != "p" || text != "q/r" {
		t.Errorf("got %s %s", name, text)
	}
	if text, ok := p.Lookup("none"); text != "" || ok {
		t.Errorf("got %q %v", text, ok)
	}
	if p.Value("none") != nil || p.Get("none") != "" {
		t.Error("a variable that is not there has a value")
	}

	// The same Params serve the next lookup, without leftovers.
	if r.Lookup("GET", "", "/none", "", &p).Route != nil || p.Len() != 0 || p.Get("i") != "" || p.Value("w") != nil {
		t.Error("leftovers after a miss")
	}
	var empty Params
	if empty.Len() != 0 || empty.Get("x") != "" || empty.Value("x") != nil {
		t.Error("the zero value is not empty")
	}
	defer func() {
		if recover() == nil {
			t.Error("At(0) of empty parameters does not panic")
		}
	}()
	empty.At(0)
}

func TestParamsValueAfterRefusedSplits(t *testing.T) {
	t.Parallel()
	r := New(Options{Converters: map[string]Converter{"word": wordConverter{}}})
	for _, pattern := range []string{"/{w:word}-{x:word(length=2)}/never", "/{a:word}-{b:word}", "/{w:word(length=9)}"} {
		if _, err := r.Add(Route{Pattern: pattern}); err != nil {
			t.Fatal(err)
		}
	}
	var p Params
	r.Lookup("GET", "", "/a-b-cd", "", &p)
	if p.Value("a") != "A-B" || p.Value("b") != "CD" || p.Len() != 2 {
		t.Errorf("got %v %v", p.Value("a"), p.Value("b"))
	}
}
