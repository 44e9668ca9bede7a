// Package retorttest tests a Retort app in-process, without a socket.
//
//	func TestHello(t *testing.T) {
//		client := retorttest.New(t, newApp())
//		client.Get("/hello/Ada").Status(200).Contains("Hello, Ada!")
//	}
//
// A [Client] behaves like a browser: it keeps cookies, follows redirects when
// told to, and says that its requests come from the site itself, so that the
// check of forged requests lets its forms through. Each response remembers
// which templates made it and with what.
package retorttest

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/textproto"
	"net/url"
	"strings"
	"testing"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/session"
)

// Client sends requests to an app. Its requests follow each other; several
// clients are several visitors, and may be used at the same time.
type Client struct {
	// Header is sent with each request.
	Header http.Header
	// Host is the site's host. Default: "localhost".
	Host string
	// Secure makes requests look as if they came over TLS.
	Secure bool
	// RemoteAddr is the client's address. Default: "127.0.0.1:1234".
	RemoteAddr string
	// FollowRedirects makes the client go where a redirect points, up to ten
	// times; [Response.History] has the redirects.
	FollowRedirects bool
	// EnforceCSRF makes requests say nothing about where they come from, so
	// that the app wants the token of a form.
	EnforceCSRF bool
	// NoRepeatedQueries fails the test when a line of the app asks the database
	// again and again within one request; see [orm.QueryGuard]. Without it the
	// line is only in the test's log.
	NoRepeatedQueries bool

	guard *guard
	t     testing.TB
	app   *retort.App
	jar   http.CookieJar
}

// Rendered is one template that a handler answered with.
type Rendered struct {
	Name string
	Data any
}

// New makes a client for an app and starts the app; an app that cannot start
// fails the test. The app is shut down when the test ends.
func New(t testing.TB, app *retort.App) *Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &Client{
		Header: http.Header{}, Host: "localhost", RemoteAddr: "127.0.0.1:1234",
		t: t, app: app, jar: jar,
	}
	if !app.Prepared() && app.Extension(recorder{}.Name()) == nil {
		app.Install(recorder{})
	}
	if err := app.Startup(context.Background()); err != nil {
		t.Fatalf("retorttest: the app cannot start: %v", err)
	}
	c.guard = newGuard(t, app)
	t.Cleanup(func() {
		if err := app.Shutdown(context.Background()); err != nil {
			t.Errorf("retorttest: shutdown: %v", err)
		}
		c.guard.end()
	})
	return c
}

// Fresh returns a client of the same app without cookies: another visitor.
func (c *Client) Fresh() *Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		c.t.Fatal(err)
	}
	return &Client{
		Header: c.Header.Clone(), Host: c.Host, Secure: c.Secure, RemoteAddr: c.RemoteAddr,
		FollowRedirects: c.FollowRedirects, EnforceCSRF: c.EnforceCSRF,
		NoRepeatedQueries: c.NoRepeatedQueries, guard: c.guard, t: c.t, app: c.app, jar: jar,
	}
}

// Get requests a path, which may have a query.
func (c *Client) Get(path string) *Response { return c.Do(c.NewRequest(http.MethodGet, path, nil)) }

// Head requests a path with HEAD.
func (c *Client) Head(path string) *Response { return c.Do(c.NewRequest(http.MethodHead, path, nil)) }

// Options requests a path with OPTIONS.
func (c *Client) Options(path string) *Response {
	return c.Do(c.NewRequest(http.MethodOptions, path, nil))
}

// Delete requests a path with DELETE.
func (c *Client) Delete(path string) *Response {
	return c.Do(c.NewRequest(http.MethodDelete, path, nil))
}

// PostForm sends a form as a browser does.
func (c *Client) PostForm(path string, values url.Values) *Response {
	r := c.NewRequest(http.MethodPost, path, strings.NewReader(values.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return c.Do(r)
}

// File is a file to upload.
type File struct {
	Field       string
	Name        string
	ContentType string // default: application/octet-stream
	Content     []byte
}

// PostFiles sends a form with files.
func (c *Client) PostFiles(path string, values url.Values, files ...File) *Response {
	c.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for name, list := range values {
		for _, v := range list {
			if err := w.WriteField(name, v); err != nil {
				c.t.Fatal(err)
			}
		}
	}
	quote := strings.NewReplacer(`\`, `\\`, `"`, `\"`)
	for _, f := range files {
		if f.ContentType == "" {
			f.ContentType = "application/octet-stream"
		}
		part, err := w.CreatePart(textproto.MIMEHeader{
			"Content-Disposition": {`form-data; name="` + quote.Replace(f.Field) + `"; filename="` + quote.Replace(f.Name) + `"`},
			"Content-Type":        {f.ContentType},
		})
		if err == nil {
			_, err = part.Write(f.Content)
		}
		if err != nil {
			c.t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		c.t.Fatal(err)
	}
	r := c.NewRequest(http.MethodPost, path, &body)
	r.Header.Set("Content-Type", w.FormDataContentType())
	return c.Do(r)
}

// JSON sends v as JSON and asks for JSON.
func (c *Client) JSON(method, path string, v any) *Response {
	c.t.Helper()
	var body io.Reader
	if v != nil {
		data, err := json.Marshal(v)
		if err != nil {
			c.t.Fatal(err)
		}
		body = bytes.NewReader(data)
	}
	r := c.NewRequest(method, path, body)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json")
	return c.Do(r)
}

// NewRequest makes a request to the app as this client sends it, to be changed
// and given to [Client.Do].
func (c *Client) NewRequest(method, path string, body io.Reader) *http.Request {
	c.t.Helper()
	u, err := url.ParseRequestURI(path)
	if err != nil {
		c.t.Fatalf("retorttest: %q is no path: %v", path, err)
	}
	target := u.RequestURI()
	r := httptest.NewRequest(method, target, body)
	if u.Host != "" {
		r.Host = u.Host
	} else {
		r.Host = c.Host
	}
	r.RemoteAddr = c.RemoteAddr
	if c.Secure || u.Scheme == "https" {
		r.TLS = fakeTLS
	} else {
		r.TLS = nil
	}
	for name, values := range c.Header {
		r.Header[name] = values
	}
	if r.Header.Get("Accept") == "" {
		r.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	}
	if !c.EnforceCSRF && method != http.MethodGet && method != http.MethodHead {
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	return r
}

// Do sends a request made by [Client.NewRequest].
func (c *Client) Do(r *http.Request) *Response {
	c.t.Helper()
	var history []*Response
	for {
		res := c.once(r)
		res.History = history
		location := res.Header().Get("Location")
		if !c.FollowRedirects || location == "" || res.Code < 300 || res.Code > 399 {
			return res
		}
		if len(history) == 10 {
			c.t.Fatalf("retorttest: more than ten redirects from %s", r.URL)
		}
		history = append(history, res)
		r = c.follow(r, res, location)
	}
}

// follow makes the request a redirect asks for: 307 and 308 keep method and
// body, the others get the page (RFC 9110, section 15.4).
func (c *Client) follow(r *http.Request, res *Response, location string) *http.Request {
	c.t.Helper()
	target, err := r.URL.Parse(location)
	if err != nil {
		c.t.Fatalf("retorttest: redirect to %q: %v", location, err)
	}
	if res.Code != http.StatusTemporaryRedirect && res.Code != http.StatusPermanentRedirect {
		return c.NewRequest(http.MethodGet, target.String(), nil)
	}
	next := c.NewRequest(r.Method, target.String(), bytes.NewReader(res.sent))
	next.Header.Set("Content-Type", r.Header.Get("Content-Type"))
	return next
}

func (c *Client) once(r *http.Request) *Response {
	c.t.Helper()
	var sent []byte
	if r.Body != nil {
		var err error
		if sent, err = io.ReadAll(r.Body); err != nil {
			c.t.Fatal(err)
		}
		r.Body = io.NopCloser(bytes.NewReader(sent))
	}
	site := c.siteURL(r)
	for _, cookie := range c.jar.Cookies(site) {
		r.AddCookie(cookie)
	}
	rec := httptest.NewRecorder()
	aborted := false
	captured := &capture{}
	func() {
		defer func() {
			if v := recover(); v != nil {
				if v != http.ErrAbortHandler { //nolint:errorlint // a panic value, compared as net/http does
					panic(v)
				}
				aborted = true
			}
		}()
		ctx := c.guard.watch(r.Context(), c.NoRepeatedQueries)
		c.app.ServeHTTP(rec, r.WithContext(context.WithValue(ctx, captureKey{}, captured)))
	}()
	c.jar.SetCookies(site, rec.Result().Cookies())
	return &Response{ResponseRecorder: rec, Request: r, Aborted: aborted, Templates: captured.list, t: c.t, sent: sent}
}

func (c *Client) siteURL(r *http.Request) *url.URL {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return &url.URL{Scheme: scheme, Host: r.Host, Path: r.URL.Path}
}

// Cookie returns the value of a cookie that the client keeps for the site.
func (c *Client) Cookie(name string) (string, bool) {
	for _, cookie := range c.jar.Cookies(c.siteURL(c.NewRequest(http.MethodGet, "/", nil))) {
		if cookie.Name == name {
			return cookie.Value, true
		}
	}
	return "", false
}

// SetCookie gives the client a cookie for the whole site.
func (c *Client) SetCookie(name, value string) {
	site := c.siteURL(c.NewRequest(http.MethodGet, "/", nil))
	c.jar.SetCookies(site, []*http.Cookie{{Name: name, Value: value, Path: "/", Secure: c.Secure}})
}

// Session lets a test read and change the client's session between requests:
//
//	client.Session(func(s *session.Session) { s.Set("cart", []int{3}) })
//	client.Session(func(s *session.Session) { s.Login("42", "") })
//
// It works with every store: one in the database finds it in the app's context.
func (c *Client) Session(edit func(s *session.Session)) {
	c.t.Helper()
	r := c.NewRequest(http.MethodGet, "/", nil)
	site := c.siteURL(r)
	for _, cookie := range c.jar.Cookies(site) {
		r.AddCookie(cookie)
	}
	rec := httptest.NewRecorder()
	manager := c.app.Sessions()
	visitor, err := manager.Load(c.app.Context(), r, c.Secure)
	if err == nil {
		edit(visitor)
		err = manager.Commit(c.app.Context(), rec, r, visitor, c.Secure)
	}
	if err != nil {
		c.t.Fatalf("retorttest: session: %v", err)
	}
	c.jar.SetCookies(site, rec.Result().Cookies())
}

// recorder is the extension that notes which templates a request rendered.
type recorder struct{}

// Name is part of retort.Extension.
func (recorder) Name() string { return "retorttest" }

// Install is part of retort.Extension.
func (recorder) Install(app *retort.App) error {
	app.OnRender(func(c *retort.Ctx, name string, data any) {
		if into, ok := c.Value(captureKey{}).(*capture); ok {
			into.list = append(into.list, Rendered{name, data})
		}
	})
	return nil
}

type (
	captureKey struct{}
	capture    struct{ list []Rendered }
)

// fakeTLS stands for the state of an encrypted connection.
var fakeTLS = &tls.ConnectionState{Version: tls.VersionTLS13, HandshakeComplete: true}
