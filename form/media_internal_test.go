package form

import (
	"strings"
	"testing"
)

func TestMergeTellsContradictions(t *testing.T) {
	t.Parallel()
	for lists, want := range map[string]string{
		"a b|b c|a c": "a b c ",
		"b c|a b":     "a b c ",
		"a b|b a":     "a b a",
		"x|a b|b a":   "x a b a",
		"":            " ",
	} {
		var parts [][]string
		for list := range strings.SplitSeq(lists, "|") {
			parts = append(parts, strings.Fields(list))
		}
		merged, contradiction := merge(parts)
		if got := strings.Join(merged, " ") + " " + contradiction; got != want {
			t.Errorf("%s: %q, want %q", lists, got, want)
		}
	}
}
