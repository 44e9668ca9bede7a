package examples_test

import (
	"os"
	"strings"
	"testing"
)

// The tutorial quotes the example: each of its code blocks begins with a comment
// that names a file, and the rest stands in that file.
func TestTutorialQuotesTheExample(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/tutorial.md")
	if err != nil {
		t.Fatal(err)
	}
	quoted := 0
	for _, rest := range strings.Split(string(page), "\n```")[1:] {
		block, code, _ := strings.Cut(rest, "\n")
		if block == "" { // the end of a block
			continue
		}
		first, code, _ := strings.Cut(code, "\n")
		name := strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(first, "// "), "<!-- "), " -->")
		if !strings.HasPrefix(name, "examples/") {
			t.Errorf("a block begins with %q and names no file", first)
			continue
		}
		file, err := os.ReadFile("../" + name)
		if err != nil {
			t.Error(err)
			continue
		}
		if !strings.Contains(string(file), code) {
			t.Errorf("%s does not have:\n%s", name, code)
		}
		quoted++
	}
	if quoted < 15 {
		t.Errorf("only %d blocks were found", quoted)
	}
}
