//go:build unix

package faulttest_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// atOnce sends the same request from many connections and counts the statuses.
func (s *site) atOnce(t testing.TB, times int, message func(i int) string) map[int]int {
	t.Helper()
	var mu sync.Mutex
	var wg sync.WaitGroup
	statuses := map[int]int{}
	for i := range times {
		wg.Go(func() {
			a := s.ask(t, message(i))
			a.proper(t)
			mu.Lock()
			defer mu.Unlock()
			statuses[a.status]++
		})
	}
	wg.Wait()
	return statuses
}

// TestVisitorsInEachOthersWay lets them want the same at the same time.
func TestVisitorsInEachOthersWay(t *testing.T) {
	t.Parallel()
	s := start(t, blogProgram, options{})
	as := "Origin: http://blog.example\r\nCookie: " + author(t, s)
	post := func(title, slug string) string {
		form := url.Values{
			"title": {title}, "summary": {"A summary."}, "body": {"A body."}, "tags": {"1", "2"}, "status": {"live"}, "slug": {slug},
		}
		return request("POST", "/posts/new", form.Encode(), urlencoded, as)
	}
	// One address for two posts: all but one are told, and may choose another.
	got := s.atOnce(t, 16, func(int) string { return post("The same address", "the-same") })
	if got[303] != 1 || got[303]+got[422]+got[409] != 16 {
		t.Errorf("one address: %v", got)
	}
	// Without an address each gets one of its own, if not at the first try.
	got = s.atOnce(t, 16, func(int) string { return post("One title", "") })
	if got[303] == 0 || got[303]+got[422]+got[409] != 16 {
		t.Errorf("one title: %v", got)
	}
	// A post goes away while others write about it.
	s.ask(t, post("Soon gone", "soon-gone"))
	got = s.atOnce(t, 24, func(i int) string {
		if i%6 == 5 {
			return request("POST", "/posts/soon-gone/delete", "", urlencoded, as)
		}
		return request("POST", "/posts/soon-gone", "name=A+reader&text=A+comment.", urlencoded)
	})
	if got[303] == 0 || got[303]+got[404]+got[409]+got[422] != 24 {
		t.Errorf("a post that goes away: %v", got)
	}
	var page struct{ Posts []struct{ Slug string } }
	if err := json.Unmarshal([]byte(s.ask(t, get("/api/posts?q=one+title")).body), &page); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, post := range page.Posts {
		if seen[post.Slug] {
			t.Errorf("two posts have the address %s", post.Slug)
		}
		seen[post.Slug] = true
	}
	s.stop()
	sound(t, s.dir)
}

// TestVisitorsAreNotMixedUp gives each a session and looks whose it gets back.
func TestVisitorsAreNotMixedUp(t *testing.T) {
	t.Parallel()
	s := start(t, labProgram, options{})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			w, cookie := s.dial(t), "session="
			for n := range 40 + i {
				w.send(get("/visits", "Cookie: "+cookie))
				a, err := w.read("GET")
				if err != nil || a.body != fmt.Sprint(n+1) {
					t.Errorf("visitor %d, visit %d: %+v %v", i, n+1, a, err)
					return
				}
				cookie, _, _ = strings.Cut(strings.TrimPrefix(a.header.Get("Set-Cookie"), "session="), ";")
				cookie = "session=" + cookie
			}
		})
	}
	wg.Wait()
}

// TestPausedProcess stops a site for a while, as a laptop that is closed or a
// machine that is moved does.
func TestPausedProcess(t *testing.T) {
	t.Parallel()
	s := start(t, blogProgram, options{})
	w := s.dial(t)
	whole := comment("Before+and+after.")
	w.send(whole[:len(whole)/2])
	s.pause()
	other := s.dial(t)
	other.send(get("/"))
	time.Sleep(300 * time.Millisecond) // the pause itself
	s.resume()
	w.send(whole[len(whole)/2:])
	if a, err := w.read("POST"); err != nil || a.status != 303 {
		t.Errorf("%+v %v", a, err)
	}
	if a, err := other.read("GET"); err != nil || a.status != 200 {
		t.Errorf("%+v %v", a, err)
	}
}
