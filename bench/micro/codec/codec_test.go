// Package codec times JSON encoding of the workloads' answers, and reading a
// session cookie and making a CSRF token.
package codec

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/retort-web/retort/bench/internal/kit"
	"github.com/retort-web/retort/bench/internal/model"
	"github.com/retort-web/retort/bench/internal/seed"
	"github.com/retort-web/retort/bench/internal/websec"

	"github.com/bytedance/sonic"
	goccy "github.com/goccy/go-json"
	"github.com/gorilla/csrf"
	"github.com/gorilla/sessions"
)

var (
	world  = model.World{ID: 4174, RandomNumber: 331}
	worlds = func() (ws []model.World) {
		for i := range 20 {
			ws = append(ws, model.World{ID: int32(i*417 + 3), RandomNumber: int32(i * 331)})
		}
		return ws
	}()
	list = &model.PostList{Count: 834, Page: 2, PageSize: 50, Results: seed.Page().Posts}
)

func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	last := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&' {
			continue
		}
		b = append(b, s[last:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		default:
			b = append(b, '\\', 'u', '0', '0', "0123456789abcdef"[c>>4], "0123456789abcdef"[c&15])
		}
		last = i + 1
	}
	return append(append(b, s[last:]...), '"')
}

func appendWorld(b []byte, w *model.World) []byte {
	b = strconv.AppendInt(append(b, `{"id":`...), int64(w.ID), 10)
	b = strconv.AppendInt(append(b, `,"randomNumber":`...), int64(w.RandomNumber), 10)
	return append(b, '}')
}

// appendAny is what a generator could write for each of the three.
func appendAny(b []byte, v any) []byte {
	switch v := v.(type) {
	case *model.World:
		return appendWorld(b, v)
	case []model.World:
		b = append(b, '[')
		for i := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendWorld(b, &v[i])
		}
		return append(b, ']')
	case *model.PostList:
		b = strconv.AppendInt(append(b, `{"count":`...), int64(v.Count), 10)
		b = strconv.AppendInt(append(b, `,"page":`...), int64(v.Page), 10)
		b = strconv.AppendInt(append(b, `,"page_size":`...), int64(v.PageSize), 10)
		b = append(b, `,"results":[`...)
		for i := range v.Results {
			p := &v.Results[i]
			if i > 0 {
				b = append(b, ',')
			}
			b = strconv.AppendInt(append(b, `{"id":`...), int64(p.ID), 10)
			b = appendString(append(b, `,"title":`...), p.Title)
			b = appendString(append(b, `,"slug":`...), p.Slug)
			b = appendString(append(b, `,"excerpt":`...), p.Excerpt)
			b = appendString(append(b, `,"status":`...), p.Status)
			b = append(p.PublishedAt.AppendFormat(append(b, `,"published_at":"`...), time.RFC3339Nano), '"')
			b = strconv.AppendInt(append(b, `,"author":{"id":`...), int64(p.Author.ID), 10)
			b = append(appendString(append(b, `,"name":`...), p.Author.Name), '}', '}')
		}
		return append(b, ']', '}')
	}
	panic(v)
}

var buf []byte // as a server would keep in a pool

var encoders = []struct {
	name string
	f    func(v any) ([]byte, error)
}{
	{"append", func(v any) ([]byte, error) { buf = appendAny(buf[:0], v); return buf, nil }},
	{"encoding/json", json.Marshal},
	{"goccy", goccy.Marshal},
	{"sonic", sonic.ConfigStd.Marshal},
}

var values = []struct {
	name string
	v    any
}{{"row", &world}, {"rows20", worlds}, {"list50", list}}

func TestSame(t *testing.T) {
	for _, v := range values {
		want, _ := json.Marshal(v.v)
		for _, e := range encoders {
			if got, err := e.f(v.v); err != nil || string(got) != string(want) {
				t.Errorf("%s %s: %v\n%.300s\n%.300s", e.name, v.name, err, got, want)
			}
		}
	}
}

func BenchmarkJSON(b *testing.B) {
	for _, v := range values {
		for _, e := range encoders {
			b.Run(v.name+"/"+e.name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := e.f(v.v); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkSession(b *testing.B) {
	b.Run("read/hmac", func(b *testing.B) {
		v := websec.Seal(kit.Secret, "alice")
		b.ReportAllocs()
		for b.Loop() {
			if _, ok := websec.Open(kit.Secret, v); !ok {
				b.Fatal()
			}
		}
	})
	b.Run("read/gorilla", func(b *testing.B) {
		st := sessions.NewCookieStore(kit.Secret)
		w := httptest.NewRecorder()
		s, _ := st.Get(httptest.NewRequest("GET", "/", nil), "session")
		s.Values["user"] = "alice"
		s.Save(httptest.NewRequest("GET", "/", nil), w)
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Cookie", w.Result().Cookies()[0].Name+"="+w.Result().Cookies()[0].Value)
		b.ReportAllocs()
		for b.Loop() {
			s, err := st.New(r, "session")
			if err != nil || s.Values["user"] != "alice" {
				b.Fatal(err)
			}
		}
	})
	b.Run("csrf/hmac", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			websec.Token(kit.Secret, "cookie")
		}
	})
	b.Run("csrf/gorilla", func(b *testing.B) {
		h := csrf.Protect(kit.Secret, csrf.Secure(false))(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { csrf.Token(r) }))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Cookie", w.Result().Cookies()[0].Name+"="+w.Result().Cookies()[0].Value)
		out := httptest.NewRecorder()
		b.ReportAllocs()
		for b.Loop() {
			h.ServeHTTP(out, r)
		}
	})
}
