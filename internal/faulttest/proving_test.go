//go:build unix

package faulttest_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	mime "mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	ground "github.com/retort-web/retort/examples/proving/site"
)

// proving starts the proving ground, whose users all have the demo password.
func proving(t testing.TB, o options) *site {
	t.Helper()
	o.env = append([]string{"PROVING_PASSWORD=" + demoPassword, "DATABASE_URL="}, o.env...)
	return start(t, provingProgram, o)
}

// A browser is one as far as servers can tell, of a visitor of the proving ground.
type browser struct {
	s      *site
	client *http.Client
}

func (s *site) browse(t testing.TB) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{MaxConnsPerHost: 1}
	t.Cleanup(transport.CloseIdleConnections)
	return &browser{s, &http.Client{
		Transport: transport, Jar: jar, Timeout: patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// try sends a request, which may fail.
func (v *browser) try(method, target, kind string, body io.Reader) (*answer, error) {
	r, err := http.NewRequest(method, "http://"+v.s.addr+target, body)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "text/html")
	if method != http.MethodGet {
		r.Header.Set("Content-Type", kind)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	response, err := v.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return &answer{response.StatusCode, response.Header, string(text)}, err
}

func (v *browser) do(t testing.TB, method, target, kind string, body io.Reader) *answer {
	t.Helper()
	a, err := v.try(method, target, kind, body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, target, err)
	}
	return a
}

func (v *browser) get(t testing.TB, target string) *answer {
	t.Helper()
	return v.do(t, "GET", target, "", nil)
}

func (v *browser) post(t testing.TB, target string, form url.Values) *answer {
	t.Helper()
	return v.do(t, "POST", target, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
}

// upload sends a file of a size to the list of files.
func (b *browser) upload(t testing.TB, name string, size int) *answer {
	t.Helper()
	a, err := b.tryUpload(name, size)
	if err != nil {
		t.Fatalf("the upload of %s: %v", name, err)
	}
	return a
}

func (b *browser) tryUpload(name string, size int) (*answer, error) {
	var body bytes.Buffer
	w := mime.NewWriter(&body)
	part, err := w.CreateFormFile("file", name)
	if err != nil {
		return nil, err
	}
	_, _ = part.Write(bytes.Repeat([]byte("retort\n"), size/7)) // to memory
	_ = w.Close()
	return b.try("POST", "/files", w.FormDataContentType(), &body)
}

var uploadLink = regexp.MustCompile(`href="(/files/\d+)"[^>]*>([^<]+)<`)

// uploads returns the addresses of a user's files, by their names.
func uploads(t testing.TB, b *browser) map[string]string {
	t.Helper()
	rows := map[string]string{}
	for _, found := range uploadLink.FindAllStringSubmatch(b.get(t, "/files").body, -1) {
		rows[found[2]] = found[1]
	}
	return rows
}

// login fails the test if the user is not let in.
func (v *browser) login(t testing.TB, email string) *browser {
	t.Helper()
	if a := v.post(t, "/login", url.Values{"email": {email}, "password": {demoPassword}}); a.status != http.StatusSeeOther {
		t.Fatalf("the login of %s: %d\n%s", email, a.status, v.s.logged())
	}
	return v
}

// whoami returns the address of the user whom the site takes the visitor for.
func (v *browser) whoami(t testing.TB) string {
	t.Helper()
	a := v.get(t, "/whoami")
	var who struct{ User *string }
	if err := json.Unmarshal([]byte(a.body), &who); err != nil || a.status != http.StatusOK {
		t.Fatalf("/whoami: %d %v", a.status, err)
	}
	if who.User == nil {
		return ""
	}
	return *who.User
}

// writers are users who add notes until the site is gone.
type writers struct {
	wg    sync.WaitGroup
	count atomic.Int64
	mu    sync.Mutex
	kept  []string // titles that were acknowledged
	lost  []error  // requests that were begun and not answered
}

// write has users with a connection each add notes, and read pages between.
func (w *writers) write(t testing.TB, s *site, users int) {
	t.Helper()
	for i := range users {
		v := s.browse(t).login(t, ground.Ann)
		w.wg.Go(func() {
			for n := 0; ; n++ {
				title := fmt.Sprintf("writer %d note %d.", i, n)
				form := url.Values{"title": {title}, "text": {"What nobody may lose."}}
				a, err := v.try("POST", "/notes/new", "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
				if refused(err) {
					return
				}
				if err == nil && a.status == http.StatusSeeOther {
					w.mu.Lock()
					w.kept = append(w.kept, title)
					w.mu.Unlock()
					w.count.Add(1)
					a, err = v.try("GET", []string{"/", "/healthz", "/posts/1"}[n%3], "", nil)
				}
				if refused(err) {
					return
				}
				if err == nil && a.status >= 400 {
					err = fmt.Errorf("status %d: %.200s", a.status, a.body)
				}
				if err != nil {
					w.mu.Lock()
					w.lost = append(w.lost, err)
					w.mu.Unlock()
					return
				}
			}
		})
	}
}

// refused reports that there is no server, so that no request was begun.
func refused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }

var noteTitle = regexp.MustCompile(`writer \d+ note \d+\.`)

// missing fails for every note that was acknowledged and is not there.
func (w *writers) missing(t testing.TB, s *site) {
	t.Helper()
	there := map[string]bool{}
	for _, title := range noteTitle.FindAllString(s.browse(t).login(t, ground.Ann).get(t, "/notes.csv").body, -1) {
		there[title] = true
	}
	for _, title := range w.kept {
		if !there[title] {
			t.Errorf("%q was acknowledged and is not there", title)
		}
	}
}
