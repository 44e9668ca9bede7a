package session

import (
	"net/http"
	"slices"
	"testing"
)

func FuzzCookieValues(f *testing.F) {
	for _, line := range []string{
		"session=a", "a=b; session=a; session=b", `session="quoted"`, `session="`, "session", "session=", " session = a ",
		"session=a b", "session=\x01", "session=ä", "other=session=a", ";;session=a;", "Session=a", "session=a\tb", `session=a"b`, "=session",
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		r := &http.Request{Header: http.Header{"Cookie": {line, "session=last"}}}
		var want []string
		for _, c := range r.CookiesNamed("session") {
			want = append(want, c.Value)
		}
		if got := cookieValues(make([]string, 0, len(want)+1), r, "session"); !slices.Equal(got, want) {
			t.Errorf("%q: %q, and net/http reads %q", line, got, want)
		}
		some := want[:min(len(want), 2)]
		if got := cookieValues(make([]string, 0, 2), r, "session"); !slices.Equal(got, some) {
			t.Errorf("%q, with room for two: %q, and net/http reads %q", line, got, want)
		}
	})
}
