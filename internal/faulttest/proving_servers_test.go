//go:build unix

package faulttest_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	ground "github.com/retort-web/retort/examples/proving/site"
	"github.com/retort-web/retort/internal/testpostgres"
	"github.com/retort-web/retort/internal/testredis"
)

// TestProvingDatabaseKilledUnderLoad kills the server of the database while visitors
// read, starts it again, and does so again while the site itself is not there.
func TestProvingDatabaseKilledUnderLoad(t *testing.T) {
	t.Parallel()
	server := testpostgres.Start(t)
	o := options{env: []string{"DATABASE_URL=" + server.URL}, faulty: true}
	s := proving(t, o)
	var slowest atomic.Int64
	var done atomic.Bool
	var statuses [600]atomic.Int64
	var wg sync.WaitGroup
	defer wg.Wait()
	defer done.Store(true)
	for i := range 8 {
		v := s.browse(t)
		wg.Go(func() {
			for n := i; !done.Load(); n++ {
				target := []string{"/", "/posts/1", "/healthz", "/lab/order?by=name"}[n%4]
				begin := time.Now()
				a, err := v.try("GET", target, "", nil)
				if err != nil {
					t.Errorf("%s: %v", target, err)
					return
				}
				if took := int64(time.Since(begin)); took > slowest.Load() {
					slowest.Store(took)
				}
				statuses[a.status].Add(1)
				if a.status != 200 && (a.status != 503 || target == "/healthz") {
					t.Errorf("%s: %d\n%s", target, a.status, s.failures())
				}
			}
		})
	}
	// A user writes meanwhile: what is acknowledged must be there in the end.
	var kept []string
	ann := s.browse(t).login(t, ground.Ann)
	wg.Go(func() {
		for n := 0; !done.Load(); n++ {
			title := fmt.Sprintf("writer 0 note %d.", n)
			a, err := ann.try("POST", "/notes/new", "application/x-www-form-urlencoded", strings.NewReader(url.Values{"title": {title}, "text": {"x"}}.Encode()))
			if err != nil {
				t.Errorf("a note: %v", err)
				return
			}
			// Without the sessions, which are in the database too, she is asked to log in.
			if strings.HasPrefix(a.header.Get("Location"), "/notes/") {
				kept = append(kept, title)
			} else if a.status >= 500 && a.status != 503 {
				t.Errorf("a note: %d\n%s", a.status, s.failures())
			}
		}
	})
	few := func(status int) {
		t.Helper()
		from := statuses[status].Load()
		await(t, fmt.Sprint("answers with status ", status), func() bool { return statuses[status].Load() > from+20 })
	}
	v := s.browse(t)
	for range 2 {
		few(200)
		server.Kill()
		few(503)
		if a := v.get(t, "/"); a.status != 503 || a.header.Get("Retry-After") == "" {
			t.Errorf("without the database: %d, Retry-After %q", a.status, a.header.Get("Retry-After"))
		} else {
			a.proper(t)
		}
		if a := v.get(t, "/healthz"); a.status != 200 {
			t.Errorf("a page without the database: %d", a.status)
		}
		server.Restart()
		await(t, "the site to be well again", func() bool { return v.get(t, "/").status == 200 })
	}
	done.Store(true)
	wg.Wait()
	t.Logf("%d answers of 200, %d of 503, the slowest took %v", statuses[200].Load(), statuses[503].Load(), time.Duration(slowest.Load()))
	if len(kept) == 0 {
		t.Error("nothing was written")
	}
	(&writers{kept: kept}).missing(t, s)
	s.stop()

	server.Kill()
	s = proving(t, o)
	v = s.browse(t)
	if a := v.get(t, "/healthz"); a.status != 200 {
		t.Errorf("away at the start, a page without the database: %d", a.status)
	}
	if a := v.get(t, "/"); a.status != 503 {
		t.Errorf("away at the start: %d", a.status)
	}
	server.Restart()
	await(t, "the site to be well after it began without a database", func() bool { return v.get(t, "/").status == 200 })
}

// failures returns what the log says of answers with status 500.
func (s *site) failures() (lines string) {
	for line := range strings.Lines(s.logged()) {
		if strings.Contains(line, `"status":500`) {
			lines += line
		}
	}
	return lines
}

// TestProvingMailServerAway has no server for the mail, and later one.
func TestProvingMailServerAway(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	s := proving(t, options{env: []string{"PROVING_MAIL=smtp://" + address + "?tls=none"}, faulty: true})
	v := s.browse(t)
	letter := url.Values{"email": {"reader@proving.example"}, "subject": {"A question"}, "text": {"Is anybody there?"}}
	for range 3 {
		// Nothing is promised: the visitor is told, and has the text still.
		a := v.post(t, "/contact", letter)
		a.proper(t)
		if a.status != 503 {
			t.Errorf("a message that cannot be sent: %d", a.status)
		}
		if a := v.get(t, "/"); a.status != 200 {
			t.Errorf("another page: %d", a.status)
		}
	}
	before := strings.Count(s.logged(), "\n")
	known := v.post(t, "/password/reset", url.Values{"email": {ground.Ann}})
	s.awaitLog("a mail about an account was not sent")
	if lines := strings.Count(s.logged(), "\n") - before; lines > 3 {
		t.Errorf("%d lines for one mail:\n%s", lines, s.logged())
	}
	// The page is the same as for an address that nobody has.
	unknown := v.post(t, "/password/reset", url.Values{"email": {"nobody@proving.example"}})
	if known.status != unknown.status || known.status >= 400 || known.header.Get("Location") != unknown.header.Get("Location") {
		t.Errorf("a forgotten password: %d and %d", known.status, unknown.status)
	}
	if a := v.post(t, "/signup", url.Values{"email": {"new@proving.example"}, "password": {"old chairs and slow bread"}}); a.status != http.StatusOK {
		t.Errorf("signing up: %d\n%.2000s", a.status, a.body)
	}
	if strings.Contains(s.logged(), demoPassword) {
		t.Error("the log holds a password")
	}
	received := postOffice(t, address)
	if a := v.post(t, "/contact", letter); a.status != http.StatusSeeOther {
		t.Errorf("when the server is back: %d\n%s", a.status, s.logged())
	}
	// A mail about the new account may have waited until now, too.
	for late := time.After(patience); ; {
		select {
		case text := <-received:
			if strings.Contains(text, "Is anybody there?") {
				return
			}
			continue
		case <-late:
			t.Fatal("the server did not get the message")
		}
	}
}

// postOffice is a mail server that takes everything.
func postOffice(t *testing.T, address string) <-chan string {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	received := make(chan string, 10)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go takeMail(conn, received)
		}
	}()
	return received
}

// takeMail speaks just enough of RFC 5321.
func takeMail(conn net.Conn, received chan<- string) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	in := bufio.NewReader(conn)
	say := func(line string) { _, _ = io.WriteString(conn, line+"\r\n") }
	say("220 post office")
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		switch verb := strings.ToUpper(strings.TrimSpace(line)); {
		case strings.HasPrefix(verb, "EHLO"), strings.HasPrefix(verb, "MAIL"), strings.HasPrefix(verb, "RCPT"), strings.HasPrefix(verb, "HELO"):
			say("250 ok")
		case verb == "DATA":
			say("354 go on")
			var text strings.Builder
			for line != ".\r\n" && err == nil {
				line, err = in.ReadString('\n')
				text.WriteString(line)
			}
			received <- text.String()
			say("250 taken")
		case verb == "QUIT":
			say("221 bye")
			return
		default:
			say("502 unknown")
		}
	}
}

// TestProvingRedisAway takes away what keeps the sessions and the counts.
func TestProvingRedisAway(t *testing.T) {
	t.Parallel()
	for away, want := range map[string]int{"anonymous": 200, "fail": 503} {
		t.Run(away, func(t *testing.T) {
			t.Parallel()
			server := testredis.Start(t)
			s := proving(t, options{env: []string{"PROVING_REDIS=" + server.URL, "RETORT_SESSION_AWAY=" + away}, faulty: true})
			ann := s.browse(t).login(t, ground.Ann)
			if who := ann.whoami(t); who != ground.Ann {
				t.Fatalf("after the login the user is %q", who)
			}
			server.Stop()
			begin := time.Now()
			for range 200 {
				if a := ann.get(t, "/"); a.status != want {
					t.Fatalf("a page: %d, want %d\n%s", a.status, want, s.logged())
				}
				if a := ann.get(t, "/healthz"); a.status != 200 {
					t.Fatalf("a page without a session: %d", a.status)
				}
			}
			if away == "anonymous" {
				if who := ann.whoami(t); who != "" {
					t.Errorf("without sessions the visitor is %q", who)
				}
				throttledMeanwhile(t, s)
			}
			log := s.logged()
			lines := 1 + int(time.Since(begin)/time.Minute) // of each: it is logged once a minute
			for _, text := range []string{"the store of the sessions is away", "the store of the limits is away"} {
				if n := strings.Count(log, text); n > lines {
					t.Errorf("%d lines say that %s", n, text)
				}
			}
			if n := strings.Count(log, `"level":"ERROR"`) + strings.Count(log, "level=ERROR"); n < 1 || n > 2*lines {
				t.Errorf("%d errors are logged:\n%s", n, log)
			}
			server.Restart()
			// The server has forgotten all, as one in memory does: a login begins anew.
			await(t, "a login to be remembered", func() bool {
				v := s.browse(t)
				v.post(t, "/login", url.Values{"email": {ground.Bob}, "password": {demoPassword}})
				a := v.get(t, "/whoami")
				return a.status == 200 && strings.Contains(a.body, ground.Bob)
			})
			s.awaitLog("the store of the sessions is back")
		})
	}
}

// TestProvingRedisHangs has a server that takes connections and answers nothing. Pages
// wait for it for a moment, and not each of them.
func TestProvingRedisHangs(t *testing.T) {
	t.Parallel()
	server := testredis.Start(t)
	address, _, _ := strings.Cut(server.URL, "?") // with the timeouts of a site
	s := proving(t, options{env: []string{"PROVING_REDIS=" + address}, faulty: true})
	ann := s.browse(t)
	await(t, "a login to be remembered", func() bool { return ann.login(t, ground.Ann).whoami(t) == ground.Ann })
	server.Pause()
	for i := range 8 {
		if a := ann.get(t, []string{"/", "/contact"}[i%2]); a.status != 200 {
			t.Errorf("a page: %d\n%s", a.status, s.failures())
		}
	}
	if who := ann.whoami(t); who != "" {
		t.Errorf("without sessions the visitor is %q", who)
	}
	server.Resume()
	await(t, "the session that was there", func() bool { return ann.whoami(t) == ground.Ann })
}

// throttledMeanwhile checks that guessing is bounded while nobody counts for all.
func throttledMeanwhile(t *testing.T, s *site) {
	t.Helper()
	v := s.browse(t)
	statuses := map[int]int{}
	for range 12 {
		statuses[v.post(t, "/login", url.Values{"email": {ground.Spare}, "password": {"a guess"}}).status]++
	}
	if statuses[429] == 0 || statuses[422] < 5 || statuses[422]+statuses[429] != 12 {
		t.Errorf("guesses while the counts are away: %v", statuses)
	}
}

// TestProvingCountsAreShared guesses at two processes that count in one server.
func TestProvingCountsAreShared(t *testing.T) {
	t.Parallel()
	o := options{env: []string{"PROVING_REDIS=" + testredis.Start(t).URL}}
	one, two := proving(t, o), proving(t, o)
	statuses := map[int]int{}
	for i := range 12 {
		b := []*site{one, two}[i%2].browse(t)
		statuses[b.post(t, "/login", url.Values{"email": {ground.Spare}, "password": {"a guess"}}).status]++
	}
	// Each counting for itself would let ten through.
	if statuses[422] < 5 || statuses[429] == 0 || statuses[422]+statuses[429] != 12 {
		t.Errorf("twelve guesses at two processes: %v", statuses)
	}
	one.browse(t).login(t, ground.Ann)
}
