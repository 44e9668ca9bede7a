package devserver

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// threePackages is a program of three packages: main imports words, which imports
// letters, and both have text compiled in.
var threePackages = map[string]string{
	"go.mod": "module site\n\ngo 1.26\n",
	"main.go": `package main

import (
	"fmt"

	"site/words"
)

func main() { fmt.Println(words.Say()) }
`,
	"words/words.go": `package words

import (
	_ "embed"

	"site/letters"
)

//go:embed text.txt
var text string

func Say() string { return "one " + letters.Letter() + letters.Sign + " " + text }
`,
	"words/text.txt": "text",
	"letters/letters.go": `package letters

const Sign = "!"

func Letter() string { return "a" }

func Join[T ~string](a, b T) T { return a + b }
`,
	"letters/letters_test.go": "package letters\n",
}

// builds makes a builder of the site.
func builds(t *testing.T) (b *builder, dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, text := range threePackages {
		write(t, filepath.Join(dir, name), text)
	}
	p, err := findProject(dir, ".")
	if err != nil {
		t.Fatal(err)
	}
	b = newBuilder(p, t.TempDir())
	b.must(t)
	return b, dir
}

// must builds and returns what the program prints.
func (b *builder) must(t *testing.T) string {
	t.Helper()
	if out, err := b.build(t.Context(), nil); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !b.project.isListed() {
		b.project.refresh(t.Context())
	}
	out, err := exec.Command(b.binary).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return strings.TrimSpace(string(out))
}

// edit replaces text in a file of the site, and makes sure that it is seen even
// where the clock of files is coarse.
func edit(t *testing.T, path, old, replacement string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), old) {
		t.Fatalf("%s has no %q", path, old)
	}
	write(t, path, strings.ReplaceAll(string(text), old, replacement))
	later := time.Now().Add(time.Duration(len(replacement)+1) * time.Millisecond)
	if err := os.Chtimes(path, later, later); err != nil {
		t.Fatal(err)
	}
}

// TestDirect goes through the edits of a day: which of them need the go command,
// and that the program is the one it would have built.
func TestDirect(t *testing.T) {
	t.Parallel()
	b, dir := builds(t)
	for _, step := range []struct {
		name, file, old, new string
		want                 string
		direct               bool
	}{
		{"a package is edited for the first time", "words/words.go", "one", "two", "two a! text", true},
		{"the body of a function", "words/words.go", "two", "three", "three a! text", true},
		{"and again", "words/words.go", "three", "four", "four a! text", true},
		{"a test is not part of the program", "letters/letters_test.go", "package letters", "package letters // x", "four a! text", true},
		{"another package", "letters/letters.go", `"a"`, `"b"`, "four b! text", true},
		{"a constant that others have compiled in", "letters/letters.go", `"!"`, `"?"`, "four b? text", true},
		{"the signature of a function", "letters/letters.go", "func Letter() string", "func Letter(...int) string", "four b? text", true},
		{"text compiled in", "words/text.txt", "text", "other", "four b? other", true},
		{"an import", "words/words.go", `_ "embed"`, "_ \"embed\"\n\t\"strings\"", "", false},
		{"its use", "words/words.go", `"four "`, `strings.ToUpper("four ")`, "FOUR b? other", false},
		{"main", "main.go", "words.Say())", `words.Say(), "end")`, "FOUR b? other end", true},
		{"the version of the language", "go.mod", "go 1.26", "go 1.25", "FOUR b? other end", false},
		{"what is embedded", "words/words.go", "//go:embed text.txt", "//go:embed t*.txt", "FOUR b? other end", false},
		{"a constraint", "letters/letters.go", "package letters", "//go:build !never\n\npackage letters", "FOUR b? other end", false},
	} {
		edit(t, filepath.Join(dir, step.file), step.old, step.new)
		before := b.project.builds
		if step.want == "" { // it does not compile
			if out, err := b.build(t.Context(), nil); err == nil || !strings.Contains(out, "imported and not used") {
				t.Errorf("%s: %v\n%s", step.name, err, out)
			}
			b.project.refresh(t.Context())
		} else if got := b.must(t); got != step.want {
			t.Errorf("%s: the program prints %q, want %q", step.name, got, step.want)
		}
		if direct := b.project.builds == before; direct != step.direct {
			t.Errorf("%s: built without the go command: %v", step.name, direct)
		}
	}
	write(t, filepath.Join(dir, "words", "more.go"), "package words\n\nfunc init() { text += \" more\" }\n")
	if got := b.must(t); got != "FOUR b? other more end" {
		t.Errorf("a new file: %q", got)
	}
	write(t, filepath.Join(dir, "words", "twice.txt"), "twice")
	before := b.project.builds
	if out, err := b.build(t.Context(), nil); err == nil || !strings.Contains(out, "multiple files") || b.project.builds == before {
		t.Errorf("a new file that a pattern matches: %v\n%s", err, out)
	}
}

// TestDirectFault: what does not compile is told by the go command.
func TestDirectFault(t *testing.T) {
	t.Parallel()
	b, dir := builds(t)
	path := filepath.Join(dir, "letters/letters.go")
	edit(t, path, `"a"`, `"b"`)
	b.must(t)
	edit(t, path, `"b"`, `undefined`)
	out, err := b.build(t.Context(), nil)
	if err == nil || !strings.Contains(out, "# site/letters\nletters/letters.go:5:31: undefined: undefined") || strings.Contains(out, "packagefile") {
		t.Errorf("%v\n%s", err, out)
	}
	edit(t, path, `undefined`, `"c"`)
	if got := b.must(t); got != "one c! text" {
		t.Errorf("repaired: %q", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	edit(t, path, `"c"`, `"d"`)
	if _, err := b.build(ctx, nil); err == nil {
		t.Error("a build that was cancelled came to an end")
	}
	if got := b.must(t); got != "one d! text" {
		t.Errorf("after one that was cancelled: %q", got)
	}
}

// TestDirectIsWhatGoBuilds: with and without the go command comes the same program,
// byte for byte, so that code of no consequence never restarts it.
func TestDirectIsWhatGoBuilds(t *testing.T) {
	t.Parallel()
	b, dir := builds(t)
	edit(t, filepath.Join(dir, "words/words.go"), "one", "two")
	edited := b.project.builds
	b.must(t)
	direct := b.binary
	if b.project.builds != edited {
		t.Fatal("the go command built an edit inside of a function")
	}
	write(t, filepath.Join(dir, "unused", "unused.go"), "package unused\n")
	b.must(t)
	if b.project.builds == edited {
		t.Fatal("the go command was not asked about a new package")
	}
	if !sameContent(direct, b.binary) {
		t.Error("the two programs differ")
	}
}

func TestSplitWords(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		`/x/compile -o a.o -trimpath "/w/b1=>" -p main`: "/x/compile|-o|a.o|-trimpath|/w/b1=>|-p|main",
		`GOROOT='/usr/local/go' /x/link -X ''`:          "GOROOT=/usr/local/go|/x/link|-X|",
		`a "b c"d`:                                      "a|b cd",
		`a $HOME`:                                       "",
		`a; b`:                                          "",
		`a "b`:                                          "",
		"a \"b\\\"c\"":                                  "",
	} {
		words, err := splitWords(line)
		if got := strings.Join(words, "|"); got != want || (err != nil) != (want == "") {
			t.Errorf("%s: got %s, %v", line, got, err)
		}
	}
}
