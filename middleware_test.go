package retort_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/retorttest"
)

// gzipWriter is how net/http middleware usually compresses: it takes the place
// of the writer and holds what is written.
type gzipWriter struct {
	http.ResponseWriter
	zip *gzip.Writer
}

func (w *gzipWriter) WriteHeader(status int) {
	w.Header().Del("Content-Length")
	w.ResponseWriter.WriteHeader(status)
}

func (w *gzipWriter) Write(p []byte) (int, error) {
	w.Header().Del("Content-Length")
	return w.zip.Write(p)
}
func (w *gzipWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *gzipWriter) Flush() {
	_ = w.zip.Flush()
	_ = http.NewResponseController(w.ResponseWriter).Flush()
}

func gzipped(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		zip := gzip.NewWriter(w)
		defer zip.Close()
		next.ServeHTTP(&gzipWriter{w, zip}, r)
	})
}

// buffered is middleware that holds the whole answer back.
func buffered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		next.ServeHTTP(rec, r)
		for name, v := range rec.Header() {
			w.Header()[name] = v
		}
		w.WriteHeader(rec.Code)
		_, _ = w.Write(bytes.ToUpper(rec.Body.Bytes()))
	})
}

// everyKind has a route of each kind of answer.
func everyKind(app *retort.App) *retort.App {
	app.Get("/text", text("some text"))
	app.Get("/long", text(strings.Repeat("long text ", 1000)))
	app.Get("/writer", func(c *retort.Ctx) error { _, err := io.WriteString(c.Writer(), "by the writer"); return err })
	app.Get("/stream", func(c *retort.Ctx) error {
		return c.Stream("text/plain", func(w io.Writer) error { _, err := io.WriteString(w, "streamed"); return err })
	})
	app.Get("/file", func(c *retort.Ctx) error {
		return c.File(fstest.MapFS{"f.txt": {Data: []byte("of a file")}}, "f.txt")
	})
	app.Handle("/std", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "standard") }), "GET")
	app.Handle("/silent", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), "GET")
	app.Get("/empty", func(c *retort.Ctx) error { return c.NoContent() })
	app.Get("/bad", func(*retort.Ctx) error { return retort.BadRequest("refused") })
	app.Get("/fail", func(*retort.Ctx) error { return errors.New("internal detail") })
	app.Get("/panic", func(*retort.Ctx) error { panic("internal detail") })
	return app
}

var everyAnswer = []struct {
	path   string
	status int
	body   string
}{
	{"/text", 200, "some text"},
	{"/long", 200, strings.Repeat("long text ", 1000)},
	{"/writer", 200, "by the writer"},
	{"/stream", 200, "streamed"},
	{"/file", 200, "of a file"},
	{"/std", 200, "standard"},
	{"/silent", 200, ""},
	{"/empty", 204, ""},
	{"/bad", 400, "400 Bad Request\nrefused\n"},
	{"/fail", 500, "500 Internal Server Error\n"},
	{"/panic", 500, "500 Internal Server Error\n"},
	{"/nowhere", 404, "404 Not Found\n"},
	{"/static/site.css", 200, "body{}"},
}

func TestEveryAnswerThroughMiddlewareThatWrapsTheWriter(t *testing.T) {
	t.Parallel()
	for name, middleware := range map[string]func(http.Handler) http.Handler{"gzip": gzipped, "buffer": buffered} {
		cfg, log := logged()
		cfg.Assets = retort.Embed(templateFiles(map[string]string{"static/site.css": "body{}"}))
		app := retort.New(cfg)
		app.UseHTTP(middleware)
		app.After(func(c *retort.Ctx) error { c.SetHeader("X-After", "ran"); return nil })
		server := httptest.NewServer(everyKind(app))
		for _, test := range everyAnswer {
			r, err := http.NewRequest("GET", server.URL+test.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Accept", "text/plain")
			r.Header.Set("Accept-Encoding", "identity")
			res, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(res.Body)
			res.Body.Close()
			if err == nil && res.Header.Get("Content-Encoding") == "gzip" && len(body) > 0 {
				var zip *gzip.Reader
				if zip, err = gzip.NewReader(bytes.NewReader(body)); err == nil {
					body, err = io.ReadAll(zip)
				}
			}
			want := test.body
			if name == "buffer" {
				want = strings.ToUpper(want)
			}
			if err != nil || res.StatusCode != test.status || string(body) != want || res.Header.Get("X-After") != "ran" {
				t.Errorf("%s %s: %d %.60q %v, After %q", name, test.path, res.StatusCode, body, err, res.Header.Get("X-After"))
			}
		}
		server.Close()
		if n := strings.Count(log.String(), "level=ERROR"); n != 2 {
			t.Errorf("%s: %d errors in the log:\n%s", name, n, log)
		}
	}
}

func TestMiddlewareOfBothFormsAndOrders(t *testing.T) {
	t.Parallel()
	var order []string
	ours := func(name string) retort.Middleware {
		return func(next retort.Handler) retort.Handler {
			return func(c *retort.Ctx) error { order = append(order, name); return next(c) }
		}
	}
	theirs := func(name string) func(http.Handler) http.Handler {
		return func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				order = append(order, name)
				next.ServeHTTP(w, r)
			})
		}
	}
	app := retort.New(quiet())
	app.Use(ours("app 1"))
	app.UseHTTP(theirs("app 2"), theirs("app 3"))
	outer := retort.NewBlueprint("outer", retort.BlueprintOptions{Prefix: "/outer"})
	outer.Use(ours("outer"))
	inner := retort.NewBlueprint("inner", retort.BlueprintOptions{Prefix: "/inner"})
	inner.UseHTTP(theirs("inner"))
	inner.Get("/", text("x")).Use(ours("route 1"), retort.FromHTTP(theirs("route 2")))
	outer.Register(inner)
	app.Register(outer)
	client := retorttest.New(t, app)
	client.Get("/outer/inner/").Status(200)
	want := []string{"app 1", "app 2", "app 3", "outer", "inner", "route 1", "route 2"}
	if !slices.Equal(order, want) {
		t.Errorf("order %q, want %q", order, want)
	}
	order = nil
	client.Get("/outer/inner/nothing").Status(404)
	if !slices.Equal(order, []string{"app 1", "app 2", "app 3"}) {
		t.Errorf("without a route: %q", order)
	}
}

func TestMiddlewareSeesErrorsAndPanics(t *testing.T) {
	t.Parallel()
	var seen []error
	app := retort.New(quiet())
	app.Use(func(next retort.Handler) retort.Handler {
		return func(c *retort.Ctx) error {
			err := next(c)
			seen = append(seen, err)
			return err
		}
	})
	cause := errors.New("cause")
	app.Get("/error", func(*retort.Ctx) error { return cause })
	app.Get("/panic", func(*retort.Ctx) error { panic(cause) })
	app.Get("/fine", text("fine"))
	client := retorttest.New(t, app)
	client.Get("/error").Status(500)
	client.Get("/panic").Status(500)
	client.Get("/fine").Status(200)
	if len(seen) != 3 || !errors.Is(seen[0], cause) || !errors.Is(seen[1], cause) || seen[2] != nil {
		t.Errorf("seen %v", seen)
	}
	if status := retort.StatusOf(seen[1]); status != 500 {
		t.Errorf("a panic has status %d", status)
	}
}

func TestMiddlewareThatAnswersItself(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.UseHTTP(func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "closed", http.StatusServiceUnavailable) })
	})
	app.After(func(c *retort.Ctx) error { c.SetHeader("X-After", fmt.Sprint(c.ResponseStatus())); return nil })
	app.Get("/", func(*retort.Ctx) error { t.Error("the handler ran"); return nil })
	retorttest.New(t, app).Get("/").Status(503).Contains("closed")
}

func TestMiddlewareThatReplacesTheContextAltogether(t *testing.T) {
	t.Parallel()
	cfg, log := logged()
	app := retort.New(cfg)
	app.UseHTTP(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(w, r.WithContext(context.Background()))
		})
	})
	app.Get("/", text("x"))
	retorttest.New(t, app).Get("/").Status(500)
	if !strings.Contains(log.String(), "not derived from it") {
		t.Errorf("log: %s", log)
	}
}

func TestMiddlewareMayEndTheContextItMade(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.UseHTTP(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx, cancel := context.WithTimeout(r.Context(), time.Minute)
			defer cancel()
			next.ServeHTTP(w, r.WithContext(ctx))
		})
	})
	var during, after error
	var hasDeadline bool
	var kept *retort.Ctx
	app.Get("/", func(c *retort.Ctx) error {
		kept = c
		_, hasDeadline = c.Deadline()
		during = c.Err()
		c.Set("user", "ada")
		return c.Text("x")
	})
	app.Teardown(func(c *retort.Ctx, _ error) {
		after = c.Err()
		if user, _ := retort.Get[string](c, "user"); user != "ada" {
			t.Error("a late value was lost on the way out")
		}
	})
	retorttest.New(t, app).Get("/").Status(200)
	if !hasDeadline || during != nil || after != nil {
		t.Errorf("deadline %v, during %v, after %v", hasDeadline, during, after)
	}
	// Who keeps the handler's Ctx has the context that the handler had.
	select {
	case <-kept.Done():
	default:
		t.Error("the context the middleware ended goes on")
	}
	derived, cancel := context.WithCancel(kept)
	defer cancel()
	if kept.Err() == nil || derived.Err() == nil || context.Cause(derived) == nil {
		t.Errorf("done, with errors %v, %v", kept.Err(), derived.Err())
	}
}

func TestDeadlineIs504(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.Get("/", func(c *retort.Ctx) error {
		ctx, cancel := context.WithTimeout(c, time.Millisecond)
		defer cancel()
		<-ctx.Done()
		return fmt.Errorf("query: %w", ctx.Err())
	})
	retorttest.New(t, app).Get("/").Status(504)
}

func TestResponseController(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.UseHTTP(gzipped)
	app.Get("/flush", func(c *retort.Ctx) error {
		control := http.NewResponseController(c.Writer())
		fmt.Fprint(c.Writer(), "part")
		return errors.Join(control.Flush(), control.SetWriteDeadline(time.Now().Add(time.Minute)), control.SetReadDeadline(time.Now().Add(time.Minute)))
	})
	server := httptest.NewServer(app)
	defer server.Close()
	res, err := http.Get(server.URL + "/flush")
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	res.Body.Close()
	if err != nil || string(body) != "part" {
		t.Errorf("%q, %v", body, err)
	}
}

func TestHijack(t *testing.T) {
	t.Parallel()
	cfg, log := logged()
	cfg.AccessLog = true
	app := retort.New(cfg)
	app.UseHTTP(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(&gzipWriter{ResponseWriter: w}, r)
		})
	})
	upgrade := func(w http.ResponseWriter) error {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return err
		}
		defer conn.Close()
		fmt.Fprint(rw, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhello")
		return rw.Flush()
	}
	app.Get("/ours", func(c *retort.Ctx) error { return upgrade(c.Writer()) })
	app.Handle("/std", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if err := upgrade(w); err != nil {
			t.Error(err)
		}
	}), "GET")
	server := httptest.NewServer(app)
	for _, path := range []string{"/ours", "/std"} {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n", path)
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != 101 {
			t.Errorf("%s: %d", path, res.StatusCode)
		}
		conn.Close()
	}
	server.Close()
	log.eventually(t, "status=101", 2)
	if got := log.String(); strings.Contains(got, "level=ERROR") {
		t.Errorf("log: %s", got)
	}
}

func TestUseOfNilPanics(t *testing.T) {
	t.Parallel()
	for name, register := range map[string]func(app *retort.App){
		"Use":    func(app *retort.App) { app.Use(nil) },
		"Get":    func(app *retort.App) { app.Get("/", nil) },
		"Handle": func(app *retort.App) { app.Handle("/", nil) },
		"Mount":  func(app *retort.App) { app.Mount("/", nil) },
	} {
		func() {
			defer func() {
				if v := fmt.Sprint(recover()); !strings.Contains(v, "nil") {
					t.Errorf("%s(nil): %s", name, v)
				}
			}()
			register(retort.New(quiet()))
		}()
	}
}

// A reverse proxy reads the request's body on a goroutine of its own, also
// while it answers already.
func TestMountedReverseProxy(t *testing.T) {
	t.Parallel()
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("early") {
			w.WriteHeader(http.StatusConflict)
			return
		}
		n, err := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, r.Method, " ", r.URL.Path, " ", n, " ", err)
	}))
	defer backend.Close()
	target, err := url.Parse(backend.URL)
	if err != nil {
		t.Fatal(err)
	}
	app := retort.New(quiet())
	app.Mount("/api", &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }})
	server := httptest.NewServer(app)
	defer server.Close()
	for path, want := range map[string]string{"/api/items?x=1": "POST /items 3000000 <nil>", "/api/items?early=1": ""} {
		for range 3 {
			res, err := http.Post(server.URL+path, "application/octet-stream", strings.NewReader(strings.Repeat("x", 3_000_000)))
			if err != nil {
				continue // the answer came while the body was being sent
			}
			body, err := io.ReadAll(res.Body)
			res.Body.Close()
			if err != nil || string(body) != want || want == "" && res.StatusCode != 409 && res.StatusCode != 502 {
				t.Errorf("%s: %d %q, %v", path, res.StatusCode, body, err)
			}
		}
	}
}

func TestMountUnderAPrefixWithVariables(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.Mount("/{team}/api/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.URL.Path, " ", retort.From(r.Context()).Param("team"))
	}))
	client := retorttest.New(t, app)
	client.Get("/red/api/a/b%20c").Contains("/a/b c red")
	client.Get("/red/api/").Contains("/ red")
	client.Get("/red/apis").Status(404)
}

func TestAbortOfAHandlerCutsTheConnectionQuietly(t *testing.T) {
	t.Parallel()
	cfg, log := logged()
	app := retort.New(cfg)
	torn := make(chan error, 1)
	app.Teardown(func(_ *retort.Ctx, err error) { torn <- err })
	app.UseHTTP(gzipped)
	app.Get("/", func(*retort.Ctx) error { panic(http.ErrAbortHandler) })
	server := httptest.NewServer(app)
	defer server.Close()
	res, err := http.Get(server.URL)
	if err == nil {
		res.Body.Close()
		t.Errorf("answered with %d", res.StatusCode)
	}
	if err := <-torn; !errors.Is(err, http.ErrAbortHandler) || log.Len() > 0 {
		t.Errorf("teardown got %v, log %s", err, log)
	}
}

func TestInformationalAnswersComeBeforeTheHooks(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.After(func(c *retort.Ctx) error { c.SetHeader("X-After", fmt.Sprint(c.ResponseStatus())); return nil })
	app.Get("/", func(c *retort.Ctx) error {
		c.Header().Set("Link", "</site.css>; rel=preload")
		c.Writer().WriteHeader(http.StatusEarlyHints)
		return c.Status(201).Text("x")
	})
	server := httptest.NewServer(app)
	defer server.Close()
	res, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != 201 || res.Header.Get("X-After") != "201" {
		t.Errorf("%d, After saw %q", res.StatusCode, res.Header.Get("X-After"))
	}
}

func TestReadFromAndFlushOfTheWriter(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.Get("/", func(c *retort.Ctx) error {
		if _, err := io.Copy(c.Writer(), strings.NewReader("copied")); err != nil {
			return err
		}
		c.Writer().(http.Flusher).Flush()
		_, err := io.WriteString(c.Writer(), " and written")
		return err
	})
	app.Get("/flush", func(c *retort.Ctx) error { c.Writer().(http.Flusher).Flush(); return nil })
	client := retorttest.New(t, app)
	client.Get("/").Status(200).Contains("copied and written")
	client.Get("/flush").Status(200)
}

func TestTimeoutHandlerIsRefused(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.UseHTTP(func(next http.Handler) http.Handler { return http.TimeoutHandler(next, time.Second, "late") })
	defer func() {
		if v, _ := recover().(string); !strings.Contains(v, "/middleware_test.go:") || !strings.Contains(v, "context.WithTimeout") {
			t.Errorf("panic %q", v)
		}
	}()
	_ = app.Prepare()
	t.Error("no panic")
}
