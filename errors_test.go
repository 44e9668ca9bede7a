package retort_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/retorttest"
	"github.com/retort-web/retort/validate"
)

func TestErrorFamily(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		err    error
		status int
		header string
		value  string
	}{
		{retort.BadRequest("d"), 400, "", ""},
		{retort.Unauthorized(`Basic realm="staff"`, "d"), 401, "Www-Authenticate", `Basic realm="staff"`},
		{retort.Forbidden("d"), 403, "", ""},
		{retort.NotFound("d"), 404, "", ""},
		{retort.MethodNotAllowed("GET, POST"), 405, "Allow", "GET, POST"},
		{retort.Conflict("d"), 409, "", ""},
		{retort.Gone("d"), 410, "", ""},
		{retort.Unprocessable(validate.Errors{{Field: "a", Code: "required", Message: "is required"}}), 422, "", ""},
		{retort.TooManyRequests(1500*time.Millisecond, "d"), 429, "Retry-After", "2"},
		{retort.ServiceUnavailable(0, "d"), 503, "Retry-After", ""},
		{retort.NewError(418, "d"), 418, "", ""},
		{retort.NewError(200, "d"), 500, "", ""},
		{retort.NewError(999, "d"), 500, "", ""},
		{fmt.Errorf("outer: %w", retort.Gone("d")), 410, "", ""},
		{errors.Join(errors.New("one"), retort.Conflict("d")), 409, "", ""},
		{validate.Errors{{Field: "a", Code: "required", Message: "is required"}}, 422, "", ""},
		{&http.MaxBytesError{Limit: 1}, 413, "Connection", "close"},
		{context.DeadlineExceeded, 504, "", ""},
		{context.Canceled, 500, "", ""},
		{io.ErrUnexpectedEOF, 500, "", ""},
	} {
		app := retort.New(quiet())
		app.Get("/", func(*retort.Ctx) error { return test.err })
		r := retorttest.New(t, app).Get("/")
		if r.Code != test.status || test.header != "" && r.Header().Get(test.header) != test.value || retort.StatusOf(test.err) != test.status {
			t.Errorf("%v: status %d (StatusOf %d), header %q", test.err, r.Code, retort.StatusOf(test.err), r.Header().Get(test.header))
		}
	}
}

func TestErrorTellsStatusDetailAndCause(t *testing.T) {
	t.Parallel()
	cause := errors.New("no rows")
	plain := retort.NotFound("No such post.")
	err := plain.Wrap(cause)
	if err.Error() != "404 Not Found: No such post.: no rows" || !errors.Is(err, cause) || plain.Cause != nil {
		t.Errorf("%v, plain %v", err, plain)
	}
}

type (
	rowError  struct{ table string }
	wideError struct{ error }
)

func (e *rowError) Error() string { return "row of " + e.table + " is missing" }

// The order is Flask's: by status from the inside out, then by type likewise.
func TestLookupOfErrorHandlers(t *testing.T) {
	t.Parallel()
	answer := func(s string) retort.ErrorHandler {
		return func(c *retort.Ctx, _ error) error { return c.Text(s) }
	}
	app := retort.New(quiet())
	outer := retort.NewBlueprint("outer", retort.BlueprintOptions{Prefix: "/outer"})
	inner := retort.NewBlueprint("inner", retort.BlueprintOptions{Prefix: "/inner"})
	outer.Register(inner)
	app.Register(outer)
	fail := func(err error) retort.Handler { return func(*retort.Ctx) error { return err } }
	for path, err := range map[string]error{
		"/404": retort.NotFound(""), "/403": retort.Forbidden(""), "/410": retort.Gone(""), "/row": &rowError{"post"},
		"/wide": wideError{errors.New("x")}, "/other": errors.New("other"), "/wrapped": fmt.Errorf("w: %w", &rowError{"tag"}),
	} {
		app.Get(path, fail(err))
		outer.Get(path, fail(err))
		inner.Get(path, fail(err))
	}
	app.OnStatus(404, answer("app 404"))
	app.OnStatus(403, answer("app 403"))
	app.OnStatus(500, answer("app 500"))
	inner.OnStatus(404, answer("inner 404"))
	outer.OnStatus(405, answer("outer 405"))
	retort.OnError(outer, func(c *retort.Ctx, err *rowError) error { return c.Text("outer row " + err.table) })
	retort.OnError(inner, func(c *retort.Ctx, err *retort.HTTPError) error { return c.Text(fmt.Sprint("inner http ", err.Status)) })
	client := retorttest.New(t, app)
	for path, want := range map[string]string{
		"/404": "app 404", "/outer/404": "app 404", "/outer/inner/404": "inner 404",
		"/403": "app 403", "/outer/inner/403": "app 403", // the app's by status beats the blueprint's by type
		"/outer/inner/410": "inner http 410", "/outer/410": "410 Gone",
		"/row": "app 500", "/outer/row": "outer row post", "/outer/inner/row": "outer row post", "/outer/inner/wrapped": "outer row tag",
		"/wide": "app 500", "/outer/inner/other": "app 500",
		"/nothing": "app 404", "/outer/nothing": "app 404", "/outer/inner/nothing": "inner 404", "/outer/inner": "inner 404",
		"/outers/nothing": "app 404",
	} {
		r := client.NewRequest("GET", path, nil)
		r.Header.Set("Accept", "text/plain")
		if got := client.Do(r).Text(); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	client.JSON("PUT", "/outer/inner/404", nil).Status(405).Contains("outer 405")
}

func TestErrorHandlerThatFails(t *testing.T) {
	t.Parallel()
	cfg, log := logged()
	app := retort.New(cfg)
	app.OnStatus(400, func(*retort.Ctx, error) error { return errors.New("broken handler") })
	app.OnStatus(403, func(*retort.Ctx, error) error { panic("panicking handler") })
	app.OnStatus(404, func(*retort.Ctx, error) error { return nil })
	app.OnStatus(409, func(_ *retort.Ctx, err error) error { return err })
	app.OnStatus(410, func(c *retort.Ctx, _ error) error {
		if err := c.Text("half"); err != nil {
			return err
		}
		return errors.New("after all not")
	})
	retort.OnError(app, func(*retort.Ctx, *rowError) error { return retort.NewError(418, "short and stout") })
	app.Get("/{status:int}", func(c *retort.Ctx) error {
		status, err := retort.Param[int](c, "status")
		return errors.Join(err, retort.NewError(status, ""))
	})
	app.Get("/row", func(*retort.Ctx) error { return &rowError{"post"} })
	client := retorttest.New(t, app)
	client.Get("/400").Status(500).Lacks("broken")
	client.Get("/403").Status(500).Lacks("panicking")
	client.Get("/404").Status(500)
	client.Get("/410").Status(500).Lacks("half", "after all")
	for _, want := range []string{"broken handler", "panicking handler", "error handler for 404 returned without an answer", "after all not"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %q", want)
		}
	}
	log.Reset()
	client.Get("/409").Status(409) // it left the error to the plain page
	client.Get("/row").Status(418).Contains("short and stout")
	if strings.Contains(log.String(), "stout") {
		t.Errorf("logged: %s", log)
	}
}

func TestTranslateError(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.TranslateError(func(err error) error {
		if row, ok := errors.AsType[*rowError](err); ok {
			return retort.NotFound("").Wrap(row)
		}
		return nil
	})
	app.OnStatus(404, func(c *retort.Ctx, err error) error { return c.Text("no page: " + err.Error()) })
	app.Get("/", func(*retort.Ctx) error { return fmt.Errorf("get: %w", &rowError{"post"}) })
	app.Get("/own", func(*retort.Ctx) error { return retort.Conflict("").Wrap(&rowError{"post"}) })
	client := retorttest.New(t, app)
	client.Get("/").Status(404).Contains("row of post is missing")
	client.Get("/own").Status(409) // it says itself what it is
}

// The page of an error may fail for what the error is about.
func TestTranslateErrorOfAnErrorPage(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	away := errors.New("the database is away")
	app.TranslateError(func(err error) error {
		if errors.Is(err, away) {
			return retort.ServiceUnavailable(time.Second, "Later.").Wrap(err)
		}
		return nil
	})
	app.OnStatus(404, func(*retort.Ctx, error) error { return fmt.Errorf("the page of a 404: %w", away) })
	app.OnStatus(503, func(*retort.Ctx, error) error { return fmt.Errorf("the page of a 503: %w", away) })
	app.Get("/away", func(*retort.Ctx) error { return fmt.Errorf("get: %w", away) })
	client := retorttest.New(t, app)
	for _, path := range []string{"/away", "/none"} {
		client.Get(path).Status(503).HasHeader("Retry-After", "1")
	}
}

func TestSecurityErrorsNeverTellWhatIsInside(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	secret := errors.New(`pq: password "hunter2" at /srv/app/main.go`)
	for path, err := range map[string]error{
		"/plain": secret, "/wrapped": retort.NotFound("Gone away.").Wrap(secret), "/unavailable": retort.ServiceUnavailable(time.Second, "").Wrap(secret),
	} {
		app.Get(path, func(*retort.Ctx) error { return err })
	}
	app.Get("/panic", func(*retort.Ctx) error { panic(secret) })
	app.Get("/panic-http", func(*retort.Ctx) error { panic(retort.NotFound("detail").Wrap(secret)) })
	app.Get("/deref", func(*retort.Ctx) error { var p *rowError; return errors.New(p.table) })
	client := retorttest.New(t, app)
	for _, accept := range []string{"text/html", "application/json", "text/plain", "*/*", "nonsense", "image/png"} {
		for path, status := range map[string]int{"/plain": 500, "/wrapped": 404, "/unavailable": 503, "/panic": 500, "/panic-http": 500, "/deref": 500} {
			r := client.NewRequest("GET", path, nil)
			r.Header.Set("Accept", accept)
			client.Do(r).Status(status).Lacks("hunter2", ".go", "goroutine", "runtime error", "retort")
		}
	}
}

func TestSecurityErrorPagesShowNothingOfTheRequest(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.Post("/", text("x"))
	client := retorttest.New(t, app)
	for _, accept := range []string{"text/html", "application/json", "text/plain"} {
		for _, path := range []string{"/your-account-is-locked-call-555?x=call-555", "/%3Cscript%3Ealert(555)"} {
			r := client.NewRequest("GET", path, nil)
			r.Header.Set("Accept", accept)
			client.Do(r).Status(404).Lacks("555", "locked")
		}
		r := client.NewRequest("FROB555", "/", nil)
		r.Header.Set("Accept", accept)
		client.Do(r).Status(405).Lacks("555")
	}
}

func TestProblemDocument(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.Get("/fields", func(*retort.Ctx) error {
		return retort.Unprocessable(validate.Errors{{Field: "title", Code: "required", Message: "is required"}})
	})
	app.Get("/fail", func(*retort.Ctx) error { return errors.New("x") })
	client := retorttest.New(t, app)
	r := client.JSON("GET", "/fields", nil).Status(422).HasHeader("Content-Type", "application/problem+json").HasHeader("Vary", "Accept")
	var raw map[string]any
	if err := json.Unmarshal(r.Body.Bytes(), &raw); err != nil {
		t.Fatal(err)
	}
	if raw["type"] != "about:blank" || raw["title"] != "Unprocessable Entity" || raw["status"] != 422.0 || raw["request_id"] != nil {
		t.Errorf("problem %v", raw)
	}
	var problem retort.Problem
	r = client.JSON("GET", "/fail", nil).Status(500).JSON(&problem)
	if problem.RequestID == "" || problem.RequestID != r.Header().Get("X-Request-Id") {
		t.Errorf("id %q, header %q", problem.RequestID, r.Header().Get("X-Request-Id"))
	}
	page := client.Get("/fields").Status(422).Contains("<b>title</b>: is required")
	if !strings.Contains(page.Header().Get("Content-Security-Policy"), "default-src 'none'") {
		t.Error("the page has no policy")
	}
	// A program that sent JSON and does not mind what it gets gets JSON.
	req := client.NewRequest("GET", "/fields", nil)
	req.Header.Set("Accept", "*/*")
	req.Header.Set("Content-Type", "application/json")
	client.Do(req).Status(422).HasHeader("Content-Type", "application/problem+json")
}

func TestErrorTakesBackWhatTheAnswerSaidOfItself(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.Use(func(next retort.Handler) retort.Handler {
		return func(c *retort.Ctx) error { c.SetHeader("X-Kept", "yes"); return next(c) }
	})
	app.OnStatus(409, func(c *retort.Ctx, _ error) error { return c.HTML("our page") })
	app.Get("/{status:int}", func(c *retort.Ctx) error {
		for name, v := range map[string]string{
			"Content-Type": "application/pdf", "Content-Disposition": "attachment", "Cache-Control": "public, max-age=86400",
			"ETag": `"x"`, "Last-Modified": "Fri, 02 Jan 2026 03:04:05 GMT", "Location": "/elsewhere", "Content-Length": "3", "Expires": "x",
		} {
			c.SetHeader(name, v)
		}
		if err := c.Status(206).Text("half an answer"); err != nil {
			return err
		}
		status, err := retort.Param[int](c, "status")
		return errors.Join(err, retort.NewError(status, ""))
	})
	client := retorttest.New(t, app)
	for _, path := range []string{"/404", "/409", "/500"} {
		r := client.Get(path).HasHeader("Content-Type", "text/html; charset=utf-8").HasHeader("Cache-Control", "no-store").HasHeader("X-Kept", "yes").Lacks("half an answer")
		for _, name := range []string{"Content-Disposition", "ETag", "Last-Modified", "Location", "Expires"} {
			r.HasHeader(name, "")
		}
	}
}

func TestOnStatusWantsAnErrorStatus(t *testing.T) {
	t.Parallel()
	defer func() {
		if v := fmt.Sprint(recover()); !strings.Contains(v, "errors_test.go:") {
			t.Errorf("panic %s", v)
		}
	}()
	retort.New(quiet()).OnStatus(200, nil)
}

func TestContextEndedByMiddlewareIsNotAGoneClient(t *testing.T) {
	t.Parallel()
	cfg, log := logged()
	app := retort.New(cfg)
	app.UseHTTP(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx, cancel := context.WithCancel(r.Context())
			cancel()
			next.ServeHTTP(w, r.WithContext(ctx))
		})
	})
	app.Get("/", func(c *retort.Ctx) error { return fmt.Errorf("query: %w", c.Err()) })
	retorttest.New(t, app).Get("/").Status(500)
	if !strings.Contains(log.String(), "query: context canceled") {
		t.Errorf("log: %s", log)
	}
}

func TestHandlersOfOnesOwnKeepTheErrorsHeaders(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.Get("/", text("x"))
	app.Get("/late", func(*retort.Ctx) error { return retort.TooManyRequests(time.Minute, "") })
	app.Get("/in", func(*retort.Ctx) error { return retort.Unauthorized("Bearer", "") })
	app.OnStatus(405, func(c *retort.Ctx, _ error) error { return c.Text("not like that") })
	app.OnStatus(429, func(c *retort.Ctx, _ error) error { return c.Text("slowly") })
	app.OnStatus(401, func(*retort.Ctx, error) error { return errors.New("the handler fails") })
	client := retorttest.New(t, app)
	client.Delete("/").Status(405).Contains("not like that").HasHeader("Allow", "GET, HEAD, OPTIONS")
	client.Get("/late").Status(429).Contains("slowly").HasHeader("Retry-After", "60")
	client.Get("/in").Status(500).HasHeader("Www-Authenticate", "")
}

func TestGoneClientIsNoError(t *testing.T) {
	t.Parallel()
	cfg, log := logged()
	app := retort.New(cfg)
	app.Get("/", func(c *retort.Ctx) error { return fmt.Errorf("query: %w", c.Err()) })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	client := retorttest.New(t, app)
	client.Do(client.NewRequest("GET", "/", nil).WithContext(ctx)).Status(499)
	if log.Len() > 0 {
		t.Errorf("logged: %s", log)
	}
}

// TestOnProblemChangesWhatIsSaid: an extension puts it into the visitor's language.
func TestOnProblemChangesWhatIsSaid(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.OnProblem(func(*retort.Ctx, *retort.Problem) string { return "xx" })
	app.OnProblem(func(c *retort.Ctx, p *retort.Problem) string {
		if c.Query("lang") == "" {
			return "en"
		}
		p.Title, p.Detail = "T:"+p.Title, "D:"+p.Detail
		for i := range p.Errors {
			p.Errors[i].Message = "M:" + p.Errors[i].Message
		}
		return `"de"`
	})
	app.Get("/", func(*retort.Ctx) error {
		return retort.Unprocessable(validate.Errors{{Field: "a", Code: "required", Message: "is required"}})
	})
	client := retorttest.New(t, app)
	get := func(path, accept string) *retorttest.Response {
		r := client.NewRequest("GET", path, nil)
		r.Header.Set("Accept", accept)
		return client.Do(r)
	}
	get("/", "text/html").Status(422).Contains(`<html lang="en">`, "<b>a</b>: is required")
	get("/gone", "text/html").Status(404).Contains(`<html lang="en">`, "<title>404 Not Found</title>")
	get("/?lang=de", "text/html").Status(422).
		Contains(`<html lang="&#34;de&#34;">`, "</span>T:Unprocessable Entity</h1>", "<p>D:</p>", "<b>a</b>: M:is required")
	get("/gone?lang=de", "text/html").Status(404).Contains("<title>404 T:Not Found</title>")
	get("/?lang=de", "text/plain").Status(422).Contains("422 T:Unprocessable Entity\nD:\na: M:is required\n")
	get("/?lang=de", "application/json").Status(422).
		Contains(`"title":"T:Unprocessable Entity","status":422,"detail":"D:","errors":[{"field":"a","code":"required","message":"M:is required"}]`)
}
