package session_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/retort-web/retort/session"
)

// BenchmarkRequest is what a session costs a request, from the cookie of the
// request to that of the response.
func BenchmarkRequest(b *testing.B) {
	site := cookieSite(b, session.Options{})
	fill := func(s *session.Session) {
		s.Set("user", 42)
		s.Set("cart", []string{"apple", "pear"})
		s.CSRFToken()
	}
	for _, bench := range []struct {
		name string
		text string
		do   func(s *session.Session, i int)
	}{
		{"read", "", func(s *session.Session, _ int) { session.Get[int](s, "user") }},
		{"write", "", func(s *session.Session, i int) { s.Set("user", i) }},
		{"csrf", "", func(s *session.Session, _ int) { s.VerifyCSRF(s.CSRFToken()) }},
		{"read 4 kB", strings.Repeat("compressible ", 300), func(s *session.Session, _ int) { session.Get[int](s, "user") }},
		{"write 4 kB", strings.Repeat("compressible ", 300), func(s *session.Session, i int) { s.Set("user", i) }},
	} {
		b.Run(bench.name, func(b *testing.B) {
			r := httptest.NewRequest("GET", "/", nil)
			w := httptest.NewRecorder()
			s := session.New()
			fill(s)
			s.Set("text", bench.text)
			if err := site.manager.Commit(r.Context(), w, r, s, false); err != nil {
				b.Fatal(err)
			}
			r.AddCookie(w.Result().Cookies()[0])
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				clear(w.Header())
				s, err := site.manager.Load(r.Context(), r, false)
				if err != nil || s.IsNew() {
					b.Fatal(err, s)
				}
				bench.do(s, i)
				if err := site.manager.Commit(r.Context(), w, r, s, false); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
