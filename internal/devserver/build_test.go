package devserver

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestSameContent(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	long := strings.Repeat("0123456789", 20_000)
	for name, text := range map[string]string{"a": long, "b": long, "longer": long + "x", "other": long[:len(long)-1] + "x", "empty": "", "nothing": ""} {
		write(t, filepath.Join(dir, name), text)
	}
	for _, test := range []struct {
		a, b string
		same bool
	}{
		{"a", "a", true},
		{"a", "b", true},
		{"a", "longer", false},
		{"longer", "a", false},
		{"a", "other", false},
		{"a", "empty", false},
		{"empty", "nothing", true},
		{"a", "absent", false},
		{"absent", "a", false},
	} {
		if got := sameContent(filepath.Join(dir, test.a), filepath.Join(dir, test.b)); got != test.same {
			t.Errorf("%s and %s: %v", test.a, test.b, got)
		}
	}
}
