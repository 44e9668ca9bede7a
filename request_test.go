package retort_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/retorttest"
)

func TestTypedParameters(t *testing.T) {
	t.Parallel()
	cfg, log := logged()
	app := retort.New(cfg)
	show := func(v any, err error, c *retort.Ctx) error {
		if err != nil {
			return err
		}
		return c.Text(fmt.Sprintf("%T %v", v, v))
	}
	app.Get("/int/{v:int}", func(c *retort.Ctx) error { v, err := retort.Param[int](c, "v"); return show(v, err, c) })
	app.Get("/int8/{v}", func(c *retort.Ctx) error { v, err := retort.Param[int8](c, "v"); return show(v, err, c) })
	app.Get("/uint/{v}", func(c *retort.Ctx) error { v, err := retort.Param[uint](c, "v"); return show(v, err, c) })
	app.Get("/float/{v}", func(c *retort.Ctx) error { v, err := retort.Param[float64](c, "v"); return show(v, err, c) })
	app.Get("/bool/{v}", func(c *retort.Ctx) error { v, err := retort.Param[bool](c, "v"); return show(v, err, c) })
	app.Get("/time/{v}", func(c *retort.Ctx) error { v, err := retort.Param[time.Time](c, "v"); return show(v.UTC(), err, c) })
	app.Get("/wrong/{v}", func(c *retort.Ctx) error { _, err := retort.Param[[]int](c, "v"); return err })
	app.Get("/missing/{v}", func(c *retort.Ctx) error { _, err := retort.Param[int](c, "other"); return err })
	client := retorttest.New(t, app)
	for path, want := range map[string]string{
		"/int/42": "int 42", "/int/007": "int 7", "/int8/-128": "int8 -128", "/uint/3": "uint 3", "/float/1.5": "float64 1.5",
		"/bool/yes": "bool true", "/bool/0": "bool false", "/time/2026-01-02T03:04:05Z": "time.Time 2026-01-02 03:04:05 +0000 UTC",
		"/int/x": "", "/int/99999999999999999999": "", "/int8/128": "", "/uint/-1": "", "/float/NaN": "", "/float/inf": "", "/float/1e999": "",
		"/bool/maybe": "", "/time/yesterday": "",
	} {
		if want == "" {
			client.Get(path).Status(404)
		} else if got := client.Get(path).Status(200).Text(); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	if log.Len() > 0 {
		t.Errorf("logged: %s", log)
	}
	client.Get("/wrong/1").Status(500)
	client.Get("/missing/1").Status(500)
	if !strings.Contains(log.String(), "UnmarshalText") || !strings.Contains(log.String(), "has no variable other") {
		t.Errorf("log: %s", log)
	}
}

func TestTypedQuery(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.Get("/", func(c *retort.Ctx) error {
		page, err := retort.Query(c, "page", 1)
		if err != nil {
			return err
		}
		price, err := retort.Query(c, "price", 0.5)
		if err != nil {
			return err
		}
		all, err := retort.Query(c, "all", false)
		if err != nil {
			return err
		}
		return c.JSON([]any{page, price, all, c.Query("q"), c.QueryValues()["tag"]})
	})
	client := retorttest.New(t, app)
	client.Get("/").Contains(`[1,0.5,false,"",null]`)
	client.Get("/?page=2&price=3&all=on&q=a+b%26&tag=x&tag=y").Contains(`[2,3,true,"a b\u0026",["x","y"]]`)
	client.Get("/?page=&q=%zz&tag=ok").Contains(`[1,0.5,false,"",["ok"]]`)
	for _, bad := range []string{"page=two", "page=1.5", "price=NaN", "price=+Inf", "all=2", "page=9223372036854775808"} {
		name, _, _ := strings.Cut(bad, "=")
		client.Get("/?"+bad).Status(400).Contains("The parameter "+name+" is not valid.").Lacks("NaN", "two")
	}
}

func TestSecurityQueryHasALimitedNumberOfFields(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.Get("/", func(c *retort.Ctx) error { return c.Text(fmt.Sprint(len(c.QueryValues()))) })
	var q strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&q, "f%d=1&", i)
	}
	retorttest.New(t, app).Get("/?" + q.String()).Status(200).Contains("1000")
}

func uploadApp() *retort.App {
	app := retort.New(quiet())
	app.Post("/form", func(c *retort.Ctx) error {
		form, err := c.Form()
		if err != nil {
			return err
		}
		return c.JSON(form.Values)
	})
	app.Post("/file", func(c *retort.Ctx) error {
		f, err := c.FormFile("photo")
		if err != nil {
			return err
		}
		content, err := f.Open()
		if err != nil {
			return err
		}
		defer content.Close()
		data, err := io.ReadAll(content)
		if err != nil {
			return err
		}
		return c.Text(fmt.Sprintf("%s %s %d %s", f.CleanName(), f.ContentType, f.Size, data))
	})
	app.Post("/json", func(c *retort.Ctx) error {
		var in struct {
			Name string `json:"name"`
		}
		if err := c.DecodeJSON(&in); err != nil {
			return err
		}
		return c.Text("hello " + in.Name)
	})
	app.Post("/raw", func(c *retort.Ctx) error {
		n, err := io.Copy(io.Discard, c.Request().Body)
		if err != nil {
			return err
		}
		return c.Text(fmt.Sprint(n))
	})
	app.Post("/big", func(c *retort.Ctx) error {
		n, err := io.Copy(io.Discard, c.Request().Body)
		if err != nil {
			return err
		}
		return c.Text(fmt.Sprint(n))
	}).BodyLimit(20 << 20)
	app.Post("/small", func(c *retort.Ctx) error {
		_, err := io.Copy(io.Discard, c.Request().Body)
		return errors.Join(err, c.NoContent())
	}).BodyLimit(10)
	return app
}

func TestForms(t *testing.T) {
	t.Parallel()
	client := retorttest.New(t, uploadApp())
	client.PostForm("/form", url.Values{"a": {"1", "2"}, "b": {"ü"}}).Status(200).Contains(`{"a":["1","2"],"b":["ü"]}`)
	client.PostForm("/form?a=query", nil).Status(200).Contains(`{}`)
	client.PostFiles("/form", url.Values{"a": {"1"}}).Status(200).Contains(`{"a":["1"]}`)
	client.PostFiles("/file", nil, retorttest.File{Field: "photo", Name: "../../a b.png", ContentType: "image/png", Content: []byte("data")}).
		Status(200).Contains("image/png 4 data").Lacks("..", "/a")
	client.PostFiles("/file", nil, retorttest.File{Field: "other", Name: "x"}).Status(400).Contains("photo")
	client.PostForm("/file", url.Values{"photo": {"x.png"}}).Status(400).Lacks("enctype")
	client.JSON("POST", "/form", map[string]int{"a": 1}).Status(415)
	r := client.NewRequest("POST", "/form", nil)
	client.Do(r).Status(200).Contains(`{}`)
}

func TestMissingEnctypeIsExplainedInDebugMode(t *testing.T) {
	t.Parallel()
	cfg := quiet()
	cfg.Debug = true
	app := retort.New(cfg)
	app.Post("/", func(c *retort.Ctx) error { _, err := c.FormFile("photo"); return err })
	retorttest.New(t, app).PostForm("/", url.Values{"photo": {"x.png"}}).Status(400).Contains("enctype=&#34;multipart/form-data&#34;")
}

func TestJSONBodies(t *testing.T) {
	t.Parallel()
	app := uploadApp()
	post := func(contentType, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("POST", "/json", strings.NewReader(body))
		r.Header.Set("Content-Type", contentType)
		rec := httptest.NewRecorder()
		app.ServeHTTP(rec, r)
		return rec
	}
	for _, test := range []struct {
		contentType, body string
		want              int
	}{
		{"application/json", `{"name":"Ada"}`, 200},
		{"application/json; charset=utf-8", `{"name":"Ada"}`, 200},
		{"application/vnd.api+json", `{"name":"Ada"}`, 200},
		{"text/plain", `{"name":"Ada"}`, 415},
		{"", `{"name":"Ada"}`, 415},
		{"application/x-www-form-urlencoded", `name=Ada`, 415},
		{"application/json", `{"name":`, 400},
		{"application/json", ``, 400},
		{"application/json", `{"name":1}`, 400},
		{"application/json", `{"name":"a"} {"name":"b"}`, 400},
		{"application/json", strings.Repeat("[", 100_000), 400},
		{"application/json", "\xff\xfe", 400},
		{"application/json", `{"name":"` + strings.Repeat("x", 11<<20) + `"}`, 413},
	} {
		rec := post(test.contentType, test.body)
		if rec.Code != test.want {
			t.Errorf("%s %.30q: %d, want %d: %.200s", test.contentType, test.body, rec.Code, test.want, rec.Body)
		}
		if test.want >= 400 && test.contentType == "application/json" && !strings.HasPrefix(rec.Header().Get("Content-Type"), "application/problem+json") {
			t.Errorf("%.30q: the error is %s", test.body, rec.Header().Get("Content-Type"))
		}
	}
}

// endless is a body that goes on and counts what was read of it.
type endless struct{ read int64 }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	e.read += int64(len(p))
	return len(p), nil
}

func TestSecurityBodyLimitCountsBytesReallyRead(t *testing.T) {
	t.Parallel()
	app := uploadApp()
	for _, test := range []struct {
		path   string
		length int64 // announced
		limit  int64
	}{
		{"/raw", -1, 10_000_000},
		{"/raw", 5, 10_000_000},
		{"/raw", 1 << 40, 10_000_000},
		{"/big", -1, 20 << 20},
		{"/small", -1, 10},
	} {
		body := &endless{}
		r := httptest.NewRequest("POST", test.path, io.NopCloser(body))
		r.ContentLength = test.length
		rec := httptest.NewRecorder()
		app.ServeHTTP(rec, r)
		if rec.Code != 413 || body.read > test.limit+1<<20 {
			t.Errorf("%s announced as %d: status %d after %d bytes", test.path, test.length, rec.Code, body.read)
		}
		if rec.Header().Get("Connection") != "close" {
			t.Errorf("%s: the connection is kept", test.path)
		}
	}
}

func TestSecurityMiddlewareReadsALimitedBody(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.UseHTTP(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			data, err := io.ReadAll(r.Body)
			if err != nil {
				http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
				return
			}
			r.Body = io.NopCloser(bytes.NewReader(data))
			next.ServeHTTP(w, r)
		})
	})
	app.Post("/", text("read"))
	rec := httptest.NewRecorder()
	app.ServeHTTP(rec, httptest.NewRequest("POST", "/", io.NopCloser(&endless{})))
	if rec.Code != 413 {
		t.Errorf("status %d", rec.Code)
	}
}

func TestSecurityChunkedBodyOverTheLimit(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(uploadApp())
	defer server.Close()
	r, err := http.NewRequest("POST", server.URL+"/small", io.LimitReader(&endless{}, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != 413 || !res.Close {
		t.Errorf("status %d, connection closed: %v", res.StatusCode, res.Close)
	}
}

func TestUploadedFilesAreRemoved(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	app := retort.New(quiet())
	app.Post("/", func(c *retort.Ctx) error {
		if _, err := c.FormFile("f"); err != nil {
			return err
		}
		if c.Query("panic") != "" {
			panic("after the upload")
		}
		return c.NoContent()
	})
	client := retorttest.New(t, app)
	big := retorttest.File{Field: "f", Name: "f", Content: bytes.Repeat([]byte("x"), 2<<20)}
	client.PostFiles("/", nil, big).Status(204)
	client.PostFiles("/?panic=1", nil, big).Status(500)
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestRequestFacts(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.Get("/a/{b:path}", func(c *retort.Ctx) error {
		return c.JSON([]string{c.Method(), c.Path(), c.Route(), c.RouteName(), c.Param("b"), c.Param("none"), c.BearerToken(), c.RequestHeader("x-own")})
	}).Name("a")
	client := retorttest.New(t, app)
	client.Header.Set("Authorization", "bearer  s3cret ")
	client.Header.Set("X-Own", "yes")
	client.Get("/a/x%20y/z?q=1").Contains(`["GET","/a/x y/z","/a/{b:path}","a","x y/z","","s3cret","yes"]`)
	client.Header.Set("Authorization", "Basic abc")
	client.Get("/a/x").Contains(`"x","","","yes"`)
}

func TestBindListsEveryBadField(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.Put("/posts/{id:int}", func(c *retort.Ctx) error {
		var in struct {
			ID    int64  `path:"id"`
			Page  int    `query:"page"`
			Title string `json:"title" validate:"required"`
			Email string `json:"email" validate:"email"`
		}
		if err := c.Bind(&in); err != nil {
			return err
		}
		return c.JSON(in)
	})
	client := retorttest.New(t, app)
	var problem retort.Problem
	client.JSON("PUT", "/posts/3?page=2", map[string]string{"email": "nobody"}).Status(400).JSON(&problem)
	if len(problem.Errors) != 2 || problem.Errors[0].Field != "title" || problem.Errors[1].Field != "email" || problem.Status != 400 {
		t.Errorf("problem %+v", problem)
	}
	client.JSON("PUT", "/posts/3?page=2", map[string]string{"title": "T", "email": "a@b.example"}).Status(200).Contains(`"ID":3,"Page":2`)
	client.PostForm("/posts/3", nil).Status(405)
}
