package naming_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/retort-web/retort/internal/naming"
)

func TestObjectCutsAtALetter(t *testing.T) {
	t.Parallel()
	for n := range 8 {
		name := naming.Object(strings.Repeat("x", n), strings.Repeat("ø", 40), "idx")
		if len(name) > 60 || !utf8.ValidString(name) || !naming.IsIdentifier(name) {
			t.Errorf("%q of %d bytes", name, len(name))
		}
	}
	if naming.Object(strings.Repeat("ø", 40), "a") == naming.Object(strings.Repeat("ø", 40), "b") {
		t.Error("what differs in the end has the same name")
	}
}

func TestIsIdentifier(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"post", "order", "Order Details", "1st", "größe", "名前", "what?", "c%d"} {
		if !naming.IsIdentifier(name) {
			t.Errorf("%q is refused", name)
		}
	}
	for _, name := range []string{"", " a", "a ", `a"b`, "a`b", "a\x00", "a\nb", `a\b`, "a.b", "it's", "\xff", strings.Repeat("x", 64)} {
		if naming.IsIdentifier(name) {
			t.Errorf("%q is allowed", name)
		}
	}
}
