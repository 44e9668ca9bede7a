package retort_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/retort-web/retort"
)

// message is what the JSON benchmarks answer.
type message struct {
	Message string `json:"message"`
}

// change is what the PUT benchmarks take.
type change struct {
	ID    int    `path:"id" json:"-"`
	Title string `json:"title" validate:"required,max=200"`
	Body  string `json:"body" validate:"required"`
	Stars int    `json:"stars" validate:"min=0,max=5"`
}

func benchApp() *retort.App {
	app := retort.New(quiet())
	app.Get("/plaintext", func(c *retort.Ctx) error { return c.Text("Hello, World!") })
	app.Get("/json", func(c *retort.Ctx) error { return c.JSON(message{"Hello, World!"}) })
	app.Put("/posts/{id:int}", func(c *retort.Ctx) error {
		var in change
		if err := c.Bind(&in); err != nil {
			return err
		}
		return c.JSON(in)
	})
	if err := app.Prepare(); err != nil {
		panic(err)
	}
	return app
}

// benchMux is the same by hand on net/http.
func benchMux() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /plaintext", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, "Hello, World!")
	})
	mux.HandleFunc("GET /json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(message{"Hello, World!"})
	})
	mux.HandleFunc("PUT /posts/{id}", putByHand)
	return mux
}

// bare is the same without any router.
func bare(path string) http.Handler {
	if path == "/json" {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(message{"Hello, World!"})
		})
	}
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, "Hello, World!")
	})
}

// BenchmarkWhole is the whole path of a request, from bytes on a connection to
// bytes on a connection, through net/http's server. Both ends are in this
// process.
func BenchmarkWhole(b *testing.B) {
	for _, path := range []string{"/plaintext", "/json"} {
		b.Run(path[1:]+"/nethttp", func(b *testing.B) { benchConnection(b, bare(path), path) })
		b.Run(path[1:]+"/retort", func(b *testing.B) { benchConnection(b, benchApp(), path) })
	}
}

// BenchmarkServeHTTP is the framework's part alone.
func BenchmarkServeHTTP(b *testing.B) {
	app, mux := benchApp(), benchMux()
	for _, path := range []string{"/plaintext", "/json"} {
		r := httptest.NewRequest("GET", path, nil)
		for _, h := range []struct {
			name    string
			handler http.Handler
		}{{"bare", bare(path)}, {"mux", mux}, {"retort", app}} {
			b.Run(path[1:]+"/"+h.name, func(b *testing.B) {
				b.ReportAllocs()
				w := &nullWriter{header: http.Header{}}
				for b.Loop() {
					clear(w.header)
					h.handler.ServeHTTP(w, r)
				}
			})
		}
	}
}

// BenchmarkPut is a PUT with a path variable and a validated JSON body.
func BenchmarkPut(b *testing.B) {
	const body = `{"title":"A title of a post","body":"And a body that is somewhat longer than the title is.","stars":4}`
	for _, h := range []struct {
		name    string
		handler http.Handler
	}{{"byhand", benchMux()}, {"retort", benchApp()}} {
		b.Run(h.name, func(b *testing.B) {
			b.ReportAllocs()
			w := &nullWriter{header: http.Header{}}
			reader := strings.NewReader(body)
			r := httptest.NewRequest("PUT", "/posts/42", nil)
			r.Header.Set("Content-Type", "application/json")
			r.ContentLength = int64(len(body))
			for b.Loop() {
				clear(w.header)
				reader.Reset(body)
				r.Body = io.NopCloser(reader)
				h.handler.ServeHTTP(w, r)
			}
			if w.status >= 400 {
				b.Fatal(w.status)
			}
		})
	}
}

// putByHand is what a careful person writes without a framework.
func putByHand(w http.ResponseWriter, r *http.Request) {
	fail := func(status int, text string) { http.Error(w, text, status) }
	var in change
	id, err := strconv.Atoi(r.PathValue("id"))
	if err != nil {
		fail(http.StatusNotFound, "not found")
		return
	}
	if r.Header.Get("Content-Type") != "application/json" {
		fail(http.StatusUnsupportedMediaType, "send JSON")
		return
	}
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, 10<<20))
	if err := d.Decode(&in); err != nil {
		fail(http.StatusBadRequest, "malformed JSON")
		return
	}
	in.ID = id
	var wrong []string
	if in.Title == "" || len(in.Title) > 200 {
		wrong = append(wrong, "title")
	}
	if in.Body == "" {
		wrong = append(wrong, "body")
	}
	if in.Stars < 0 || in.Stars > 5 {
		wrong = append(wrong, "stars")
	}
	if len(wrong) > 0 {
		fail(http.StatusBadRequest, strings.Join(wrong, ", "))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(in)
}

// nullWriter is a ResponseWriter that keeps nothing.
type nullWriter struct {
	header http.Header
	status int
}

func (w *nullWriter) Header() http.Header               { return w.header }
func (w *nullWriter) WriteHeader(status int)            { w.status = status }
func (w *nullWriter) Write(p []byte) (int, error)       { return len(p), nil }
func (w *nullWriter) WriteString(s string) (int, error) { return len(s), nil }

// benchConnection sends requests over one connection of the loopback, a batch
// at a time, so that what is measured is serving and not waking each other up.
func benchConnection(b *testing.B, h http.Handler, path string) {
	const batch = 64
	s := httptest.NewServer(h)
	defer s.Close()
	client, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	request := []byte(strings.Repeat("GET "+path+" HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n", batch))
	answers := bufio.NewReaderSize(client, 64<<10)
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; n += batch {
		if _, err := client.Write(request); err != nil {
			b.Fatal(err)
		}
		for range batch {
			readAnswer(b, answers)
		}
	}
}

// readAnswer skips one response.
func readAnswer(b *testing.B, r *bufio.Reader) {
	length := 0
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			b.Fatal(err)
		}
		if len(line) == 2 {
			break
		}
		if len(line) > 16 && string(line[:16]) == "Content-Length: " {
			for _, c := range line[16 : len(line)-2] {
				length = length*10 + int(c-'0')
			}
		}
	}
	if _, err := r.Discard(length); err != nil {
		b.Fatal(err)
	}
}
