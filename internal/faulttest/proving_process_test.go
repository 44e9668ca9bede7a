//go:build unix

package faulttest_test

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	ground "github.com/retort-web/retort/examples/proving/site"
)

func TestProvingStopUnderLoadLosesNothing(t *testing.T) {
	t.Parallel()
	s := proving(t, options{})
	var w writers
	w.write(t, s, 6)
	await(t, "some load", func() bool { return w.count.Load() > 60 })
	s.signal(syscall.SIGTERM)
	if err := s.wait(); err != nil {
		t.Errorf("the process ended with %v", err)
	}
	w.wg.Wait()
	for _, err := range w.lost {
		t.Errorf("lost: %v", err)
	}
	w.missing(t, proving(t, options{dir: s.dir}))
}

func TestProvingKillWhileWritingKeepsWhatWasAcknowledged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var w writers
	for round := range 2 {
		s := proving(t, options{dir: dir})
		w.write(t, s, 6)
		await(t, "some notes", func() bool { return w.count.Load() > int64(60*(round+1)) })
		s.kill() // what is cut now was not acknowledged
		w.wg.Wait()
	}
	w.missing(t, proving(t, options{dir: dir}))
}

// TestProvingUploadsAndAKill kills the site between files and rows.
func TestProvingUploadsAndAKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := proving(t, options{dir: dir})
	var wg sync.WaitGroup
	var mu sync.Mutex
	kept := map[string]bool{}
	for i := range 4 {
		b := s.browse(t).login(t, ground.Ann)
		wg.Go(func() {
			for n := 0; ; n++ {
				name := fmt.Sprintf("file-%d-%d.txt", i, n)
				a, err := b.tryUpload(name, 70_000)
				if err != nil {
					return
				}
				if a.status != http.StatusSeeOther {
					t.Errorf("%s: %d", name, a.status)
					return
				}
				mu.Lock()
				kept[name] = true
				mu.Unlock()
			}
		})
	}
	await(t, "some files", func() bool { mu.Lock(); defer mu.Unlock(); return len(kept) > 40 })
	s.kill()
	wg.Wait()
	s = proving(t, options{dir: dir})
	ann := s.browse(t).login(t, ground.Ann)
	rows := uploads(t, ann)
	for name := range kept {
		if rows[name] == "" {
			t.Errorf("%s was acknowledged and is not there", name)
		}
	}
	for name, target := range rows {
		if a := ann.get(t, target); a.status != 200 || len(a.body) != 70_000 {
			t.Errorf("%s: %d, %d bytes", name, a.status, len(a.body))
		}
	}
}

// TestProvingCookiesThatAreNone sends what no site has given, in place of a session.
func TestProvingCookiesThatAreNone(t *testing.T) {
	t.Parallel()
	s := proving(t, options{})
	ann := s.browse(t).login(t, ground.Ann)
	value := ann.session(t)
	broken := []string{
		"", "x", value[:len(value)/2], value + "A", value + value, strings.Repeat("A", len(value)), strings.Repeat("A", 8000),
		"eyJhbGciOiJub25lIn0.eyJ1c2VyIjoxfQ.", "../../../etc/passwd", "%00", "'%20OR%201=1", "{}", `"` + value[1:],
	}
	for i := range len(value) {
		changed := []byte(value)
		changed[i] ^= 1
		broken = append(broken, string(changed))
	}
	for _, text := range broken {
		for target, want := range map[string]int{"/whoami": 200, "/notes": 302, "/contact": 200} {
			a := s.ask(t, get(target, "Host: 127.0.0.1", "Accept: text/html", "Cookie: session="+text))
			if a.status != want || target == "/whoami" && !strings.Contains(a.body, `"user":null`) {
				t.Errorf("%s with the cookie %.60q: %d %.80s", target, text, a.status, a.body)
			}
			a.proper(t)
		}
		a := s.ask(t, request("POST", "/notes/new", "title=a&text=b", "Host: 127.0.0.1", urlencoded, "Sec-Fetch-Site: same-origin", "Cookie: session="+text))
		if a.status >= 500 || a.status == 303 && !strings.Contains(a.header.Get("Location"), "/login") {
			t.Errorf("a note with the cookie %.60q: %d to %s", text, a.status, a.header.Get("Location"))
		}
	}
	if who := ann.whoami(t); who != ground.Ann {
		t.Errorf("what others send has ended the session: %q", who)
	}
}

func TestProvingSessionsThatHaveExpired(t *testing.T) {
	t.Parallel()
	s := proving(t, options{env: []string{"RETORT_SESSION_ABSOLUTE_LIFETIME=1s"}})
	ann := s.browse(t)
	for range 2 {
		ann.login(t, ground.Ann)
		await(t, "the session to end", func() bool { return ann.whoami(t) == "" })
		if a := ann.get(t, "/notes"); a.status != http.StatusFound {
			t.Errorf("the notes of somebody whose session has ended: %d", a.status)
		}
	}
}

// session returns the value of the cookie.
func (b *browser) session(t testing.TB) string {
	t.Helper()
	cookies := b.client.Jar.Cookies(&url.URL{Scheme: "http", Host: b.s.addr, Path: "/"})
	if len(cookies) != 1 || cookies[0].Name != "session" {
		t.Fatalf("the cookies of a user: %v", cookies)
	}
	return cookies[0].Value
}

// filesBelow returns the names of all files below a folder.
func filesBelow(t testing.TB, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, filepath.Join(dir, e.Name()))
	}
	return names
}
