package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/retort-web/retort/bench/internal/htmlcmp"

	"golang.org/x/net/html"
)

// session is a signed-in browser: its cookies and the token of its form.
type session struct {
	jar          map[string]string
	field, token string
}

func (s *session) cookie() string {
	var p []string
	for k, v := range s.jar {
		p = append(p, k+"="+v)
	}
	slices.Sort(p)
	return strings.Join(p, "; ")
}

func (s *session) form(body string) string {
	return url.QueryEscape(s.field) + "=" + url.QueryEscape(s.token) + "&" + body
}

func (s *session) get(u string) (string, *http.Response, error) {
	req, _ := http.NewRequest("GET", u, nil)
	if len(s.jar) > 0 {
		req.Header.Set("Cookie", s.cookie())
	}
	r, err := client.Do(req)
	if err != nil {
		return "", nil, err
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	for _, c := range r.Cookies() {
		s.jar[c.Name] = c.Value
	}
	return string(b), r, err
}

var (
	hidden = regexp.MustCompile(`<input[^>]*type="hidden"[^>]*>`)
	attr   = regexp.MustCompile(`(name|value)="([^"]*)"`)
)

// openSession signs in and reads the token, with whatever cookies come back.
func openSession(c contender) (*session, error) {
	s := &session{jar: map[string]string{}}
	if b, r, err := s.get(c.url("/login?user=alice")); err != nil || r.StatusCode != 200 {
		return nil, fmt.Errorf("login: %v %v", err, b)
	}
	b, r, err := s.get(c.url("/page"))
	if err != nil || r.StatusCode != 200 {
		return nil, fmt.Errorf("page: %v %s", err, b)
	}
	for _, in := range hidden.FindAllString(b, -1) {
		for _, m := range attr.FindAllStringSubmatch(in, -1) {
			if m[1] == "name" {
				s.field = html.UnescapeString(m[2])
			} else {
				s.token = html.UnescapeString(m[2])
			}
		}
	}
	if s.token == "" {
		return nil, fmt.Errorf("no token in %.200s", b)
	}
	return s, nil
}

func verifyAll(cs []contender) bool {
	pages := map[string]string{}
	ok := true
	for _, c := range cs {
		for _, w := range workloads {
			if !wanted(w) || !slices.Contains(c.Workloads, w.Name) {
				continue
			}
			if err := verify(c, w, pages); err != nil {
				log.Printf("FAIL %s %s: %v", c.Name, w.Name, err)
				ok = false
			} else {
				log.Printf("ok   %s %s", c.Name, w.Name)
			}
		}
	}
	return ok
}

func verify(c contender, w workload, pages map[string]string) error {
	s, err := start(c, w)
	if err != nil {
		return err
	}
	defer s.stop()
	if strings.HasPrefix(c.path(w), "/api/collections") {
		return verifyPB(c, w)
	}
	se := &session{jar: map[string]string{}}
	if w.Session {
		if se, err = openSession(c); err != nil {
			return err
		}
	}
	if w.Post {
		return verifyCreate(c, se)
	}
	b, r, err := se.get(c.url(c.path(w)))
	if err != nil {
		return err
	}
	if r.StatusCode != 200 {
		return fmt.Errorf("status %d: %.300s", r.StatusCode, b)
	}
	ct := r.Header.Get("Content-Type")
	type world struct{ ID, RandomNumber int }
	good := func(w world) bool {
		return w.ID >= 1 && w.ID <= 10000 && w.RandomNumber >= 1 && w.RandomNumber <= 10000
	}
	switch w.Name {
	case "plaintext":
		if b != "Hello, World!" || !strings.HasPrefix(ct, "text/plain") {
			return fmt.Errorf("%q %q", b, ct)
		}
	case "json":
		var m map[string]string
		if json.Unmarshal([]byte(b), &m) != nil || m["message"] != "Hello, World!" || !strings.HasPrefix(ct, "application/json") {
			return fmt.Errorf("%q %q", b, ct)
		}
	case "db":
		var v world
		if err := json.Unmarshal([]byte(b), &v); err != nil || !good(v) {
			return fmt.Errorf("%q %v", b, err)
		}
	case "queries", "updates":
		var v []world
		if err := json.Unmarshal([]byte(b), &v); err != nil || len(v) != 20 {
			return fmt.Errorf("%q %v", b, err)
		}
		for _, x := range v {
			if !good(x) {
				return fmt.Errorf("%v", x)
			}
		}
		for q, n := range map[string]int{"0": 1, "x": 1, "": 1, "501": 500} {
			b, _, _ := se.get(c.url("/" + w.Name + "?n=" + q))
			var v []world
			if json.Unmarshal([]byte(b), &v); len(v) != n {
				return fmt.Errorf("n=%q gives %d rows", q, len(v))
			}
		}
	case "fortunes", "page":
		if !strings.HasPrefix(ct, "text/html") {
			return fmt.Errorf("content type %q", ct)
		}
		t := htmlcmp.Tokens(b)
		if pages[w.Name] == "" {
			pages[w.Name] = t
			if w.Name == "page" && (strings.Count(b, "<article") != 50 || !strings.Contains(b, "alice") || strings.Count(b, "<li>") < 100) {
				return fmt.Errorf("page: %.500s", b)
			}
			if w.Name == "fortunes" && strings.Count(b, "<tr>") != 14 {
				return fmt.Errorf("fortunes: %s", b)
			}
		} else if t != pages[w.Name] {
			x, y := strings.Split(pages[w.Name], "\n"), strings.Split(t, "\n")
			for i := range x {
				if i >= len(y) || x[i] != y[i] {
					return fmt.Errorf("differs from the first at %d: want %q, got %q", i, x[i:min(i+3, len(x))], y[min(i, len(y)):min(i+3, len(y))])
				}
			}
			return fmt.Errorf("longer than the first")
		}
	case "api":
		var v struct {
			Count, Page int
			PageSize    int `json:"page_size"`
			Results     []map[string]any
		}
		if err := json.Unmarshal([]byte(b), &v); err != nil {
			return err
		}
		if v.Count != 834 || v.Page != 2 || v.PageSize != 50 || len(v.Results) != 50 {
			return fmt.Errorf("count %d page %d size %d results %d", v.Count, v.Page, v.PageSize, len(v.Results))
		}
		j, _ := json.Marshal(v.Results)
		if pages["api"] == "" {
			pages["api"] = string(j)
		} else if pages["api"] != string(j) {
			return fmt.Errorf("rows differ: %.400s / %.400s", pages["api"], j)
		}
		if b, r, _ := se.get(c.url("/api/posts?page=0")); r.StatusCode != 400 {
			return fmt.Errorf("page=0: %d %.200s", r.StatusCode, b)
		}
	}
	return nil
}

func post(c contender, se *session, body string) (int, string, string) {
	req, _ := http.NewRequest("POST", c.url("/create"), strings.NewReader(body))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Cookie", se.cookie())
	r, err := client.Do(req)
	if err != nil {
		return 0, err.Error(), ""
	}
	defer r.Body.Close()
	b, _ := io.ReadAll(r.Body)
	return r.StatusCode, r.Header.Get("Location"), string(b)
}

func verifyCreate(c contender, se *session) error {
	st, loc, body := post(c, se, se.form(postBody))
	if st != 303 || !strings.HasPrefix(loc, "/posts/7#c") {
		return fmt.Errorf("create: %d %q %.300s", st, loc, body)
	}
	if st, _, body = post(c, se, se.form(strings.Replace(postBody, "ada%40example.org", "ada", 1))); st != 422 {
		return fmt.Errorf("a bad address gives %d %.200s", st, body)
	}
	if st, _, body = post(c, se, postBody); st != 403 && st != 400 {
		return fmt.Errorf("no token gives %d %.200s", st, body)
	}
	bad := *se
	bad.token = strings.Repeat("A", len(se.token))
	if st, _, body = post(c, &bad, bad.form(postBody)); st != 403 && st != 400 {
		return fmt.Errorf("a wrong token gives %d %.200s", st, body)
	}
	return nil
}

func verifyPB(c contender, w workload) error {
	if w.Post {
		r, err := client.Post(c.url(c.path(w)), "application/json", strings.NewReader(jsonBody))
		if err != nil {
			return err
		}
		defer r.Body.Close()
		if b, _ := io.ReadAll(r.Body); r.StatusCode != 200 {
			return fmt.Errorf("%d %s", r.StatusCode, b)
		}
		return nil
	}
	r, err := client.Get(c.url(c.path(w)))
	if err != nil {
		return err
	}
	defer r.Body.Close()
	var v struct {
		TotalItems int
		Items      []map[string]any
	}
	b, _ := io.ReadAll(r.Body)
	if err := json.Unmarshal(b, &v); err != nil || v.TotalItems != 834 || len(v.Items) != 50 {
		return fmt.Errorf("%v %d %.300s", err, v.TotalItems, b)
	}
	return nil
}
