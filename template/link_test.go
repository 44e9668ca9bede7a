package template_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A program that names the package's types but never renders must not carry
// the engine, and with it the lookup of methods by name, which would keep
// every method of every type alive.
func TestProgramsThatDoNotRenderDoNotLinkTheEngine(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("testdata", "link")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	src := `package main

import "github.com/retort-web/retort/template"

func main() {
	var s template.Safe = "x"
	var f template.Func
	var o template.Options
	println(s, f == nil, o.AutoReload)
}
`
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(src), 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "program")
	cmd := exec.Command("go", "build", "-ldflags=-dumpdep", "-o", out, "./"+dir)
	dump, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, dump)
	}
	for _, line := range strings.Split(string(dump), "\n") {
		for _, unwanted := range []string{"template.(*parser).statement", "template.newGoType", "template.stringMethod", "<ReflectMethod>"} {
			if strings.HasSuffix(line, unwanted) {
				t.Errorf("linked: %s", line)
			}
		}
	}
}
