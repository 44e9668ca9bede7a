package retort_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A program whose templates are only a folder on disk says nothing of them
// but in its handlers. The check tells so, and reads them with a build tag.
func TestCheckOfTemplatesThatAreOnlyOnDisk(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("internal", "ondisk")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("main.go", `package main

import "github.com/retort-web/retort"

func main() {
	app := retort.New()
	app.Get("/", func(c *retort.Ctx) error { return c.Render("home.html", nil) })
	app.Run()
}
`)
	write("templates/home.html", "<p>\n{{ 'x'|uper }}")
	check := func(args ...string) (string, bool) {
		binary := filepath.Join(t.TempDir(), "program")
		goCommand(t, append(append([]string{"build", "-o", binary}, args...), "./"+dir)...)
		out, err := exec.Command(binary, "check").CombinedOutput()
		return string(out), err == nil
	}
	if out, ok := check(); !ok || !strings.Contains(out, "folder templates were not checked") || !strings.Contains(out, "go run -tags retort_templates . check") {
		t.Errorf("the check says %s", out)
	}
	if out, ok := check("-tags=retort_templates"); ok || !strings.Contains(out, "home.html:2:8: no filter named 'uper'; did you mean 'upper'?") {
		t.Errorf("with the tag the check says %s", out)
	}
}
