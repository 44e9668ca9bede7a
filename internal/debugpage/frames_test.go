package debugpage

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
)

func TestFunctionFrame(t *testing.T) {
	t.Parallel()
	frames := FunctionFrame(reflect.ValueOf(recovered).Pointer())
	if len(frames) != 1 || shortFunc(frames[0].Func) != "debugpage.recovered" || filepath.Base(frames[0].File) != "frames_test.go" || frames[0].Line == 0 {
		t.Errorf("frames are %+v", frames)
	}
	if FunctionFrame(0) != nil {
		t.Error("no function has a frame")
	}
}

func TestToFunctionEnd(t *testing.T) {
	t.Parallel()
	const source = "// show\nfunc show() {\n\tif a {\n\t}\n\tapp.Get(\"/\", func() {\n\t\tb()\n\t})\n\tapp.Get(\"/x\", func() { c() })\n\td()\n}\n\nfunc next() {}\n"
	for line, want := range map[int]int{2: 10, 5: 7, 8: 8, 12: 12} {
		lines, _ := cutExcerpt(source, line, 1, 20)
		lines = toFunctionEnd(lines, line)
		if got := lines[len(lines)-1].Number; got != want {
			t.Errorf("the function of line %d ends at %d, want %d", line, got, want)
		}
	}
}

type cart struct{ items map[string]int }

//go:noinline
func (c *cart) add(name string) { c.items[name]++ }

// recovered is the page of a panic, made as a framework makes it.
func recovered(f func()) (page *Page) {
	defer func() {
		if v := recover(); v != nil {
			page = New(500, fmt.Errorf("panic: %v", v), nil)
			page.ErrorType = fmt.Sprintf("panic(%T)", v)
			page.Frames = FramesFromStack(debug.Stack())
		}
	}()
	f()
	return nil
}

func TestFramesStartWhereItPanicked(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		f             func()
		first, advice string
	}{
		"nil map":     {func() { new(cart).add("tea") }, "debugpage.(*cart).add", "make(map"},
		"nil pointer": {func() { (*cart)(nil).add("tea") }, "debugpage.(*cart).add", "is nil"},
		"plain value": {func() { panic("out of tea") }, "debugpage.TestFramesStartWhereItPanicked.func3", ""},
		"panic again": {func() {
			defer func() { panic("second") }()
			new(cart).add("tea")
		}, "debugpage.TestFramesStartWhereItPanicked", ""},
	} {
		p := recovered(test.f)
		if got := shortFunc(p.Frames[0].Func); !strings.HasPrefix(got, test.first) {
			t.Errorf("%s: first frame is %s, want %s", name, got, test.first)
		}
		if !strings.Contains(p.suggestion(), test.advice) || (test.advice == "") != (p.suggestion() == "") {
			t.Errorf("%s: suggestion is %q", name, p.suggestion())
		}
		for _, f := range p.Frames {
			if strings.HasPrefix(f.Func, "runtime.") {
				t.Errorf("%s: the run time's %s is listed", name, f.Func)
			}
			if f.Own {
				t.Errorf("%s: %s is the framework's, not the user's", name, f.Func)
			}
		}
	}
}

func TestFramesFromStackReadsDebugStack(t *testing.T) {
	t.Parallel()
	var stack []byte
	func() {
		defer func() {
			_ = recover()
			stack = debug.Stack()
		}()
		new(cart).add("tea")
	}()
	frames := FramesFromStack(stack)
	if len(frames) < 3 || shortFunc(frames[0].Func) != "debugpage.(*cart).add" || filepath.Base(frames[0].File) != "frames_test.go" || frames[0].Line == 0 {
		t.Fatalf("frames of\n%s\nare %+v", stack, frames)
	}
	if last := frames[len(frames)-1]; last.Func != "testing.(*T).Run" {
		t.Errorf("the creator of the goroutine is %s", last.Func)
	}
}

func TestFramesFromStackOfACrash(t *testing.T) {
	t.Parallel()
	const crash = `panic: boom [recovered]
	panic: again

goroutine 34 [running]:
net/http.(*conn).serve.func1()
	/usr/local/go/src/net/http/server.go:1943 +0xb4
panic({0x6b1ac0?, 0x7541f0?})
	/usr/local/go/src/runtime/panic.go:783 +0x120
example.com/shop.v2/cart.(*Cart[...]).Add(0xc000, {0x1, 0x2})
	C:/shop/cart/cart.go:42 +0x1d
created by net/http.(*Server).Serve in goroutine 1
	/usr/local/go/src/net/http/server.go:3493 +0x485

goroutine 1 [IO wait]:
main.main()
	/shop/main.go:9 +0x10
`
	frames := FramesFromStack([]byte(crash))
	var got []string
	for _, f := range frames {
		got = append(got, shortFunc(f.Func))
	}
	if want := "cart.(*Cart[...]).Add http.(*Server).Serve"; strings.Join(got, " ") != want {
		t.Errorf("frames are %v, want %s", got, want)
	}
	if frames[0].File != "C:/shop/cart/cart.go" || frames[0].Line != 42 {
		t.Errorf("place is %s:%d", frames[0].File, frames[0].Line)
	}
}

func TestPackagePath(t *testing.T) {
	t.Parallel()
	for function, want := range map[string]string{
		"main.main":                                "main",
		"example.com/shop/cart.(*Cart).Add":        "example.com/shop/cart",
		"example.com/shop%2ev2.Add":                "example.com/shop.v2",
		"example.com/a/b.Map[example.com/c/d.T].F": "example.com/a/b",
		"":    "",
		"odd": "odd",
	} {
		if got := packagePath(function); got != want {
			t.Errorf("packagePath(%q) = %q, want %q", function, got, want)
		}
	}
}

func TestOwnFrames(t *testing.T) {
	t.Parallel()
	mods := modules{"example.com/shop", "example.com/local"}
	for _, test := range []struct {
		pkg, file string
		own       bool
	}{
		{"main", "/home/u/shop/main.go", true},
		{"example.com/shop", "/home/u/shop/a.go", true},
		{"example.com/shop/cart", "/home/u/shop/cart/a.go", true},
		{"example.com/shop_test", "/home/u/shop/a_test.go", true},
		{"example.com/local/x", "/home/u/local/x/a.go", true},
		{"example.com/shopping", "/home/u/shopping/a.go", false},
		{"example.com/shop/x", "/root/go/pkg/mod/example.com/shop@v1.0.0/x/a.go", false},
		{"example.com/shop/v", "/home/u/shop/vendor/example.com/shop/v/a.go", false},
		{"net/http", "/usr/local/go/src/net/http/server.go", false},
		{framework, "/home/u/retort/app.go", false},
		{framework + "/examples/blog", "/home/u/retort/examples/blog/a.go", false},
	} {
		if got := mods.own(test.pkg, test.file); got != test.own {
			t.Errorf("own(%q, %q) = %v", test.pkg, test.file, got)
		}
	}
	if !(modules{framework}).own(framework+"/examples/blog", "/home/u/retort/examples/blog/a.go") {
		t.Error("an example inside the framework's module is the user's code")
	}
}

func TestExcerptOfGoFile(t *testing.T) {
	t.Parallel()
	_, file, line, _ := runtime.Caller(0)
	lines, _ := goExcerpt(file, line)
	if len(lines) != 2*excerptRadius+1 || lines[excerptRadius].Number != line || !strings.Contains(lines[excerptRadius].Text, "runtime.Caller") {
		t.Errorf("excerpt is %+v", lines)
	}
	if lines, _ := goExcerpt(file, 1_000_000); lines != nil {
		t.Error("a line beyond the end has an excerpt")
	}
	if lines, _ := goExcerpt("/etc/passwd", 1); lines != nil {
		t.Error("a file that is no Go source was read")
	}
	dir := t.TempDir()
	if lines, _ := goExcerpt(filepath.Join(dir, "absent.go"), 1); lines != nil {
		t.Error("an absent file has an excerpt")
	}
	binary := filepath.Join(dir, "binary.go")
	if err := os.WriteFile(binary, []byte("package a\x00"), 0o600); err != nil {
		t.Fatal(err)
	}
	if lines, _ := goExcerpt(binary, 1); lines != nil {
		t.Error("a binary file has an excerpt")
	}
}

func TestHighlighterKeepsTheText(t *testing.T) {
	t.Parallel()
	const source = "a := `raw\nstill raw` + \"s\\\"q\" // note\n/* block\nmore */ return 12.5e3, 'x', f(x/2)\n"
	state := lexCode
	var b strings.Builder
	var classes []byte
	for line := range strings.Lines(source) {
		var tokens []token
		state, tokens = lexLine(line, state, nil)
		for _, tok := range tokens {
			b.WriteString(tok.text)
			if tok.class != 0 {
				classes = append(classes, tok.class)
			}
		}
	}
	if b.String() != source {
		t.Errorf("tokens join to %q", b.String())
	}
	if got := string(classes); got != "ssscccknsfn" {
		t.Errorf("classes are %q", got)
	}
}

func FuzzFramesFromStack(f *testing.F) {
	f.Add(debug.Stack())
	f.Add([]byte("goroutine 1 [running]:\npanic(\n\t:1\ncreated by \n\tx:9"))
	f.Fuzz(func(t *testing.T, stack []byte) {
		for _, frame := range FramesFromStack(stack) {
			if frame.Line <= 0 {
				t.Errorf("line %d", frame.Line)
			}
			shortFunc(frame.Func)
		}
	})
}

func FuzzHighlighter(f *testing.F) {
	f.Add("a := `x\n` /* \" */ // 'a'\n")
	f.Fuzz(func(t *testing.T, source string) {
		state := lexCode
		var b strings.Builder
		for line := range strings.Lines(source) {
			var tokens []token
			state, tokens = lexLine(line, state, nil)
			for _, tok := range tokens {
				b.WriteString(tok.text)
			}
		}
		if b.String() != source {
			t.Errorf("tokens of %q join to %q", source, b.String())
		}
	})
}

func FuzzExcerpt(f *testing.F) {
	f.Add("a\nb\nc", 2)
	f.Fuzz(func(t *testing.T, text string, line int) {
		lines, _ := cutExcerpt(text, line, excerptRadius, excerptRadius)
		for i, l := range lines {
			if i > 0 && l.Number != lines[i-1].Number+1 {
				t.Errorf("line %d follows %d", l.Number, lines[i-1].Number)
			}
		}
	})
}
