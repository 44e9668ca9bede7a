package retort_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/retorttest"
)

func TestAnswers(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.Get("/text", text("a<b"))
	app.Get("/html", func(c *retort.Ctx) error { return c.HTML("<b>bold</b>") })
	app.Get("/json", func(c *retort.Ctx) error { return c.Status(201).JSON(map[string]any{"b": "<&>", "a": 1}) })
	app.Get("/bytes", func(c *retort.Ctx) error { return c.Bytes("image/png", []byte{1, 2}) })
	app.Get("/none", func(c *retort.Ctx) error { return c.NoContent() })
	app.Get("/csv", func(c *retort.Ctx) error {
		c.SetHeader("Content-Type", "text/csv")
		return c.Text("a,b\n")
	})
	app.Get("/last", func(c *retort.Ctx) error {
		if err := c.Status(404).Text("first"); err != nil {
			return err
		}
		return c.Status(200).Text("last")
	})
	app.Get("/long", text(strings.Repeat("x", 10_000)))
	app.Get("/nan", func(c *retort.Ctx) error { return c.JSON(math.NaN()) })
	app.Get("/header", func(c *retort.Ctx) error {
		c.SetHeader("X-Name", "a\r\nSet-Cookie: b=c\x00d")
		return c.NoContent()
	})
	server := httptest.NewServer(app)
	defer server.Close()
	for _, test := range []struct {
		path, contentType, body string
		status                  int
		length                  int64
	}{
		{"/text", "text/plain; charset=utf-8", "a<b", 200, 3},
		{"/html", "text/html; charset=utf-8", "<b>bold</b>", 200, 11},
		{"/json", "application/json", `{"a":1,"b":"\u003c\u0026\u003e"}` + "\n", 201, 33},
		{"/bytes", "image/png", "\x01\x02", 200, 2},
		{"/none", "", "", 204, 0},
		{"/csv", "text/csv", "a,b\n", 200, 4},
		{"/last", "text/plain; charset=utf-8", "last", 200, 4},
		{"/long", "text/plain; charset=utf-8", strings.Repeat("x", 10_000), 200, 10_000},
	} {
		for _, method := range []string{"GET", "HEAD"} {
			r, err := http.NewRequest(method, server.URL+test.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			res, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(res.Body)
			res.Body.Close()
			want := test.body
			if method == "HEAD" {
				want = ""
			}
			if err != nil || res.StatusCode != test.status || res.Header.Get("Content-Type") != test.contentType || string(body) != want || res.ContentLength != test.length && test.status != 204 {
				t.Errorf("%s %s: %d %s %q length %d, %v", method, test.path, res.StatusCode, res.Header.Get("Content-Type"), body, res.ContentLength, err)
			}
		}
	}
	client := retorttest.New(t, app)
	client.Get("/nan").Status(500)
	if h := client.Get("/header").Header(); strings.ContainsAny(h.Get("X-Name"), "\r\n\x00") || h.Get("Set-Cookie") != "" {
		t.Errorf("header %q", h)
	}
}

func TestSecurityHeadersByDefault(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.Get("/page", func(c *retort.Ctx) error { return c.HTML("x") })
	app.Get("/data", func(c *retort.Ctx) error { return c.JSON(1) })
	app.Get("/framed", func(c *retort.Ctx) error { c.SetHeader("X-Frame-Options", "SAMEORIGIN"); return c.HTML("x") })
	client := retorttest.New(t, app)
	for path, want := range map[string]map[string]string{
		"/page":    {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "X-Frame-Options": "DENY", "Cross-Origin-Opener-Policy": "same-origin"},
		"/nowhere": {"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY"},
		"/data":    {"X-Content-Type-Options": "nosniff", "X-Frame-Options": ""},
		"/framed":  {"X-Frame-Options": "SAMEORIGIN"},
	} {
		r := client.Get(path)
		for name, v := range want {
			r.HasHeader(name, v)
		}
	}
	cfg := quiet()
	cfg.DisableSecurityHeaders = true
	bare := retort.New(cfg)
	bare.Get("/", func(c *retort.Ctx) error { return c.HTML("x") })
	retorttest.New(t, bare).Get("/").HasHeader("X-Content-Type-Options", "").HasHeader("X-Frame-Options", "")
}

func fileApp() *retort.App {
	files := fstest.MapFS{
		"report.txt":     {Data: []byte("0123456789"), ModTime: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)},
		".hidden":        {Data: []byte("secret")},
		"dir/inside.txt": {Data: []byte("inside")},
	}
	app := retort.New(quiet())
	app.Get("/file/{name:path}", func(c *retort.Ctx) error { return c.File(files, c.Param("name")) })
	app.Get("/named", func(c *retort.Ctx) error { return c.Attachment(files, "report.txt", c.Query("as")) })
	app.Get("/made", func(c *retort.Ctx) error { return c.Download(bytes.NewReader([]byte("a,b\n")), "made.csv") })
	return app
}

func TestFilesConditionalAndRanges(t *testing.T) {
	t.Parallel()
	client := retorttest.New(t, fileApp())
	first := client.Get("/file/report.txt").Status(200).HasHeader("Content-Type", "text/plain; charset=utf-8").
		HasHeader("Accept-Ranges", "bytes").HasHeader("Content-Length", "10").HasHeader("Last-Modified", "Fri, 02 Jan 2026 03:04:05 GMT").
		HasHeader("X-Content-Type-Options", "nosniff")
	tag := first.Header().Get("ETag")
	for _, test := range []struct {
		name, header, value string
		status              int
		body                string
	}{
		{"the same tag", "If-None-Match", tag, 304, ""},
		{"a weak tag", "If-None-Match", "W/" + tag, 304, ""},
		{"any tag", "If-None-Match", "*", 304, ""},
		{"another tag", "If-None-Match", `"x"`, 200, "0123456789"},
		{"not modified since", "If-Modified-Since", "Fri, 02 Jan 2026 03:04:05 GMT", 304, ""},
		{"modified since", "If-Modified-Since", "Thu, 01 Jan 2026 00:00:00 GMT", 200, "0123456789"},
		{"a date that is none", "If-Modified-Since", "yesterday", 200, "0123456789"},
		{"a failed If-Match", "If-Match", `"x"`, 412, ""},
		{"the beginning", "Range", "bytes=0-3", 206, "0123"},
		{"the end", "Range", "bytes=-3", 206, "789"},
		{"from the middle", "Range", "bytes=5-", 206, "56789"},
		{"beyond the end", "Range", "bytes=20-30", 416, ""},
		{"nothing of the end", "Range", "bytes=-0", 416, ""},
	} {
		r := client.NewRequest("GET", "/file/report.txt", nil)
		r.Header.Set(test.header, test.value)
		res := client.Do(r)
		if res.Code != test.status || test.status < 300 && res.Text() != test.body || test.status == 304 && res.Text() != "" {
			t.Errorf("%s: %d %q", test.name, res.Code, res.Text())
		}
	}
	r := client.NewRequest("GET", "/file/report.txt", nil)
	r.Header.Set("Range", "bytes=0-3")
	r.Header.Set("If-Range", `"other"`)
	client.Do(r).Status(200).Contains("0123456789")
	client.Head("/file/report.txt").Status(200).HasHeader("Content-Length", "10")
}

func TestSecurityFilesOutsideAreNotThere(t *testing.T) {
	t.Parallel()
	client := retorttest.New(t, fileApp())
	for _, name := range []string{"", "nothing", "dir", "dir/", "../go.mod", "..%2fgo.mod", "%2e%2e/go.mod", "dir/..%5c..", ".hidden", "%00", "report.txt%00.png", "/etc/passwd", "%2fetc%2fpasswd", "C:%5cx", "CON", "%ff"} {
		if r := client.Get("/file/" + name); r.Code != 404 && r.Code != 308 {
			t.Errorf("%q: status %d", name, r.Code)
		}
	}
}

func TestSecurityAttachmentNames(t *testing.T) {
	t.Parallel()
	client := retorttest.New(t, fileApp())
	client.Get("/named").Status(200).HasHeader("Content-Disposition", `attachment; filename="report.txt"`)
	for _, as := range []string{`a"; filename=evil.exe`, "a\r\nSet-Cookie: x=y", "ü✓.txt", `..\..\x`, "a/b", "\x00", `"`, strings.Repeat("n", 5000)} {
		h := client.Get("/named?as=" + strings.ReplaceAll(url.QueryEscape(as), "+", "%20")).Status(200).Header()
		v := h.Get("Content-Disposition")
		if !strings.HasPrefix(v, "attachment;") || strings.ContainsAny(v, "\r\n\x00") || h.Get("Set-Cookie") != "" || strings.Count(v, `"`)%2 != 0 {
			t.Errorf("%q: %s", as, v)
		}
	}
	client.Get("/made").Status(200).HasHeader("Content-Type", "text/csv; charset=utf-8").Contains("a,b\n")
}

func TestStreamSendsEachWriteAtOnce(t *testing.T) {
	t.Parallel()
	step := make(chan struct{})
	app := retort.New(quiet())
	app.Get("/", func(c *retort.Ctx) error {
		return c.Status(202).Stream("text/plain", func(w io.Writer) error {
			for i := range 3 {
				fmt.Fprintf(w, "line %d\n", i)
				<-step
			}
			return nil
		})
	})
	server := httptest.NewServer(app)
	defer server.Close()
	res, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != 202 || res.ContentLength != -1 {
		t.Errorf("status %d, length %d", res.StatusCode, res.ContentLength)
	}
	lines := bufio.NewScanner(res.Body)
	for i := range 3 {
		if !lines.Scan() || lines.Text() != fmt.Sprint("line ", i) {
			t.Errorf("line %d: %q, %v", i, lines.Text(), lines.Err())
		}
		step <- struct{}{}
	}
}

func TestStreamThatFailsIsVisiblyCut(t *testing.T) {
	t.Parallel()
	cfg, log := logged()
	app := retort.New(cfg)
	app.Get("/error", func(c *retort.Ctx) error {
		return c.Stream("text/plain", func(w io.Writer) error { fmt.Fprint(w, "half"); return errors.New("lost") })
	})
	app.Get("/panic", func(c *retort.Ctx) error {
		return c.Stream("text/plain", func(w io.Writer) error { fmt.Fprint(w, "half"); panic("lost") })
	})
	app.Get("/refused", func(c *retort.Ctx) error {
		return c.Stream("text/plain", func(w io.Writer) error { fmt.Fprint(w, "half"); return retort.NotFound("") })
	})
	app.OnStatus(500, func(c *retort.Ctx, _ error) error { return c.Text("handled") })
	server := httptest.NewServer(app)
	for _, path := range []string{"/error", "/panic", "/refused"} {
		res, err := http.Get(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err == nil || string(body) != "half" {
			t.Errorf("%s: body %q ended with %v", path, body, err)
		}
	}
	server.Close()
	if strings.Count(log.String(), "lost") < 2 {
		t.Errorf("log: %s", log)
	}
}

func TestAnErrorPageOfOnesOwnIsNotCut(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.OnStatus(500, func(c *retort.Ctx, _ error) error { return c.Text("we are sorry") })
	app.Get("/", func(*retort.Ctx) error { return errors.New("failed") })
	server := httptest.NewServer(app)
	defer server.Close()
	for range 3 {
		res, err := http.Get(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != 500 || string(body) != "we are sorry" || res.Close {
			t.Errorf("%d %q, %v, closed: %v", res.StatusCode, body, err, res.Close)
		}
	}
}

func TestServerSentEvents(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.Get("/", func(c *retort.Ctx) error {
		return c.SSE(func(s *retort.EventStream) error {
			for _, e := range []retort.Event{
				{Data: "plain"},
				{ID: "7", Name: "update", Data: "two\nlines\r\nthree\rfour", Retry: 1500 * time.Millisecond},
				{Data: ""},
			} {
				if err := s.Send(e); err != nil {
					return err
				}
			}
			if err := s.Send(retort.Event{Name: "a\ndata: injected"}); err == nil {
				t.Error("a name with a line break was sent")
			}
			if s.LastEventID() != "6" {
				t.Errorf("last id %q", s.LastEventID())
			}
			return s.Comment("still\nhere")
		})
	})
	client := retorttest.New(t, app)
	client.Header.Set("Last-Event-Id", "6")
	r := client.Get("/").Status(200).HasHeader("Content-Type", "text/event-stream").HasHeader("Cache-Control", "no-store").HasHeader("X-Accel-Buffering", "no")
	want := "data: plain\n\nid: 7\nevent: update\nretry: 1500\ndata: two\ndata: lines\ndata: three\ndata: four\n\ndata: \n\n: still here\n\n"
	if r.Text() != want {
		t.Errorf("sent %q, want %q", r.Text(), want)
	}
}

func TestGoneClientsLeaveNothingBehind(t *testing.T) {
	cfg, log := logged()
	app := retort.New(cfg)
	ended := make(chan error, 10)
	app.Get("/", func(c *retort.Ctx) error {
		return c.SSE(func(s *retort.EventStream) error {
			tick := time.NewTicker(time.Millisecond)
			defer tick.Stop()
			for {
				select {
				case <-c.Done():
					ended <- c.Err()
					return c.Err()
				case <-tick.C:
					if err := s.Send(retort.Event{Data: "tick"}); err != nil {
						ended <- err
						return err
					}
				}
			}
		})
	})
	server := httptest.NewServer(app)
	before := runtime.NumGoroutine()
	for range 10 {
		ctx, cancel := context.WithCancel(t.Context())
		r, err := http.NewRequestWithContext(ctx, "GET", server.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(res.Body, make([]byte, 12)); err != nil {
			t.Fatal(err)
		}
		cancel()
		res.Body.Close()
	}
	for range 10 {
		select {
		case <-ended:
		case <-time.After(5 * time.Second):
			t.Fatal("a stream goes on without its client")
		}
	}
	deadline := time.Now().Add(5 * time.Second)
	for runtime.NumGoroutine() > before+2 && time.Now().Before(deadline) {
		time.Sleep(10 * time.Millisecond)
	}
	if n := runtime.NumGoroutine(); n > before+2 {
		t.Errorf("%d goroutines, %d before", n, before)
	}
	server.Close()
	if log.Len() > 0 {
		t.Errorf("logged: %s", log)
	}
}

func TestAnswerAfterTheFirstByte(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	var got error
	app.Get("/", func(c *retort.Ctx) error {
		fmt.Fprint(c.Writer(), "sent")
		got = c.Text("too late")
		if !c.Answered() || c.ResponseStatus() != 200 {
			t.Error("the answer that was sent is not known")
		}
		return nil
	})
	retorttest.New(t, app).Get("/").Status(200).Contains("sent").Lacks("too late")
	if !errors.Is(got, retort.ErrResponseSent) {
		t.Errorf("error %v", got)
	}
}

func TestErrNotExistOfAFileSystemIsOnlyA404FromFile(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.Get("/", func(*retort.Ctx) error { return fs.ErrNotExist })
	retorttest.New(t, app).Get("/").Status(500)
}
