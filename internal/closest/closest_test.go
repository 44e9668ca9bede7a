package closest_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/retort-web/retort/internal/closest"
)

func TestName(t *testing.T) {
	t.Parallel()
	names := []string{"post_list", "post_edit", "author", "upper", "lower", "id"}
	for _, test := range []struct{ wanted, want string }{
		{"post-list", "post_list"},
		{"Post.List", "post_list"},
		{"psot_list", "post_list"},
		{"uper", "upper"},
		{"autor", "author"},
		{"di", "id"},
		{"something_else", ""},
		{"author", ""}, // what is right needs no proposal
		{"", ""},
		{strings.Repeat("x", 500), ""},
	} {
		if got := closest.Name(test.wanted, slices.Values(names)); got != test.want {
			t.Errorf("Name(%q) = %q, want %q", test.wanted, got, test.want)
		}
	}
	if got := closest.Name("ac", slices.Values([]string{"bc", "ab", "aa"})); got != "aa" {
		t.Errorf("of three that are equally near: %q", got)
	}
}

func TestDistance(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"abc", "abc", 0}, {"abc", "acb", 1}, {"abc", "ab", 1}, {"abc", "xabc", 1}, {"kitten", "sitting", 3}, {"", "abc", 3}} {
		if got := closest.Distance(test.a, test.b); got != test.want {
			t.Errorf("Distance(%q, %q) = %d, want %d", test.a, test.b, got, test.want)
		}
	}
}
