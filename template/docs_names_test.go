package template

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The reference names whatever there is, each in its part of the page.
func TestReferenceIsComplete(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/templates-reference.md")
	if err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile("`([^`]*)`")
	word := regexp.MustCompile(`^\w+`)
	named := map[string]map[string]bool{}
	for part := range strings.SplitSeq(string(text), "\n## ") {
		title, body, _ := strings.Cut(part, "\n")
		names := map[string]bool{}
		for line := range strings.Lines(body) {
			cells := strings.Split(strings.ReplaceAll(line, `\|`, ""), "|")
			if len(cells) < 3 {
				continue
			}
			for _, m := range code.FindAllStringSubmatch(cells[1], -1) {
				for name := range strings.SplitSeq(m[1], ", ") {
					names[word.FindString(name)] = true
				}
			}
		}
		named[title] = names
	}
	e := mustEngine(t, Options{Extensions: djangoExtensions(), Contextual: true, Translator: echoTranslator{}})
	tags := slices.DeleteFunc(slices.Concat(tagNames[:], djangoTags[:], translationTags[:], []string{"do", "break", "continue", "trans", "pluralize", "plural", "debug"}), func(name string) bool {
		return strings.HasPrefix(name, "end") || name == "elif" || name == "blocktrans"
	})
	symbols := regexp.MustCompile(`^\W|^_$`)
	for title, want := range map[string][]string{
		"Tags": tags, "Filters": e.filterNames(), "Tests": e.testNames(), "Functions": slices.Sorted(maps.Keys(e.globals)),
	} {
		for _, name := range want {
			if !symbols.MatchString(name) && !named[title][name] {
				t.Errorf("%s: %s is missing", title, name)
			}
		}
	}
}
