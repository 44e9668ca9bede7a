package signing_test

import (
	"slices"
	"testing"

	"github.com/retort-web/retort/signing"
)

func TestDigests(t *testing.T) {
	t.Parallel()
	const older, newer = "an older secret, long enough to be one", "a newer secret, long enough to be one"
	before, err := signing.New(older)
	if err != nil {
		t.Fatal(err)
	}
	after, err := signing.New(newer, older)
	if err != nil {
		t.Fatal(err)
	}
	old, both := before.Digests("session", []byte("x")), after.Digests("session", []byte("x"))
	if len(old) != 1 || len(both) != 2 || both[1] != old[0] || both[0] == both[1] || len(old[0]) != 43 {
		t.Errorf("%v, then %v", old, both)
	}
	if !slices.Equal(both, after.Digests("session", []byte("x"))) {
		t.Error("a digest changes")
	}
	for _, other := range [][]string{after.Digests("reset", []byte("x")), after.Digests("session", []byte("y")), after.Digests("session", nil)} {
		if other[0] == both[0] {
			t.Error("two payloads or purposes have one digest")
		}
	}
}
