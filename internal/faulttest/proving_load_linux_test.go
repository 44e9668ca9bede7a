package faulttest_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	ground "github.com/retort-web/retort/examples/proving/site"
)

// TestProvingUploadOnAFullDisk lets no file grow beyond a size: those of the database
// have room, the upload has not.
func TestProvingUploadOnAFullDisk(t *testing.T) {
	t.Parallel()
	s := proving(t, options{faulty: true})
	ann := s.browse(t).login(t, ground.Ann)
	if a := ann.upload(t, "small.txt", 7000); a.status != http.StatusSeeOther {
		t.Fatalf("with room: %d\n%s", a.status, s.logged())
	}
	folder := filepath.Join(s.dir, "proving-data", "uploads")
	before := filesBelow(t, folder)
	room := 1 << 20
	for _, ending := range []string{"", "-wal"} {
		if info, err := os.Stat(filepath.Join(s.dir, "proving-data", "proving.db"+ending)); err == nil {
			room = max(room, int(info.Size())+1<<20)
		}
	}
	s.limit(t, syscall.RLIMIT_FSIZE, uint64(room))
	for range 3 {
		a := ann.upload(t, "large.txt", room+1<<20)
		a.proper(t)
		if a.status != http.StatusInsufficientStorage {
			t.Errorf("without room: %d\n%s", a.status, s.logged())
		}
	}
	if after := filesBelow(t, folder); !slices.Equal(before, after) {
		t.Errorf("there were %v and now there are %v", before, after)
	}
	if left, _ := filepath.Glob(filepath.Join(s.dir, "retort-*")); len(left) > 0 {
		t.Errorf("temporary files are left: %v", left)
	}
	if rows := uploads(t, ann); len(rows) != 1 || rows["small.txt"] == "" {
		t.Errorf("the rows are %v", rows)
	}
	if a := ann.upload(t, "small too.txt", 7000); a.status != http.StatusSeeOther {
		t.Errorf("what fits: %d", a.status)
	}
	s.limit(t, syscall.RLIMIT_FSIZE, unlimited)
	if a := ann.upload(t, "large.txt", room+1<<20); a.status != http.StatusSeeOther {
		t.Errorf("with room again: %d\n%s", a.status, s.logged())
	}
	rows := uploads(t, ann)
	if a := ann.get(t, rows["large.txt"]); a.status != 200 || len(a.body) < room {
		t.Errorf("the file: %d, %d bytes", a.status, len(a.body))
	}
}

// TestProvingFloods sends what does not end, to forms that anybody may send.
func TestProvingFloods(t *testing.T) {
	t.Parallel()
	const growth = 160 << 20 // a few bodies of the 10 MB that a body may have
	s := proving(t, options{})
	ann := s.browse(t).login(t, ground.Ann)
	before := s.resident(t)
	head := "Host: 127.0.0.1\r\nSec-Fetch-Site: same-origin\r\nCookie: session=" + ann.session(t) + "\r\n"
	chunked := head + "Transfer-Encoding: chunked\r\n"
	announced := head + "Content-Length: " + strconv.Itoa(400<<20) + "\r\n"
	const parts = "Content-Type: multipart/form-data; boundary=b\r\n\r\n"
	onePart := "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n"
	whole := func(target, body, kind string, more ...string) string {
		return "POST " + target + " HTTP/1.1\r\n" + head + strings.Join(append(more, kind, "Content-Length: "+strconv.Itoa(len(body))), "\r\n") + "\r\n\r\n" + body
	}
	for _, tt := range []struct {
		name, head, piece string
		pieces            int
		want              []int
	}{
		{"400 MB announced", "POST /login HTTP/1.1\r\n" + announced + urlencoded + "\r\n\r\n", strings.Repeat("a", 1<<20), 400, []int{413}},
		{"400 MB in chunks", "POST /echo HTTP/1.1\r\n" + chunked + "\r\n", chunk(strings.Repeat("a", 1<<20)), 400, []int{413}},
		{"400 MB of fields", "POST /notes/new HTTP/1.1\r\n" + chunked + urlencoded + "\r\n\r\n", chunk(strings.Repeat("a=1&", 1<<18)), 400, []int{413}},
		{"400 MB of JSON", "POST /contact HTTP/1.1\r\n" + chunked + asJSON + "\r\n\r\n", chunk(`"` + strings.Repeat("a", 1<<20)), 400, []int{400, 413}},
		{"a file of 400 MB", "POST /files HTTP/1.1\r\n" + chunked + parts + chunk("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n"), chunk(strings.Repeat("u", 1<<20)), 400, []int{413}},
		{"a million parts", "POST /files HTTP/1.1\r\n" + chunked + parts, chunk(strings.Repeat(onePart, 1000)), 1000, []int{413}},
		{"a million parts before the login", "POST /login HTTP/1.1\r\n" + chunked + parts, chunk(strings.Repeat(onePart, 1000)), 1000, []int{413}},
		{"10,000 brackets", whole("/contact", strings.Repeat("[", 10_000), asJSON), "", 0, []int{400}},
		{"10,000 objects", whole("/contact", strings.Repeat(`{"email":`, 10_000), asJSON), "", 0, []int{400}},
		{"an index of a thousand millions", whole("/contact", "a[999999999]=1&email[999999999]=1&a.999999999=1", urlencoded), "", 0, []int{400, 413, 422}},
		{"a bomb", whole("/login", zipped(100<<20), urlencoded, "Content-Encoding: gzip"), "", 0, []int{400, 413, 415}},
		{"a bomb of JSON", whole("/contact", zipped(100<<20), asJSON, "Content-Encoding: gzip"), "", 0, []int{400, 413, 415}},
		{"a password of 400 kB", whole("/login", "email=ann@proving.example&password="+strings.Repeat("p", 400_000), urlencoded), "", 0, []int{400, 413, 422}},
		{"a header that does not end", "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ", strings.Repeat("x", 1<<16), 1000, []int{431}},
	} {
		w := s.dial(t)
		go func() {
			_, err := io.WriteString(w.conn, tt.head)
			for range tt.pieces {
				if err != nil {
					return
				}
				_, err = io.WriteString(w.conn, tt.piece)
			}
		}()
		a, err := w.read("POST")
		w.conn.Close()
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		} else if a.proper(t); !slices.Contains(tt.want, a.status) {
			t.Errorf("%s: status %d, want %v", tt.name, a.status, tt.want)
		}
	}
	grown := s.resident(t) - before
	t.Logf("%d bytes at first, %d more after the floods", before, grown)
	if grown > growth {
		t.Errorf("memory grew by %d bytes, more than %d", grown, growth)
	}
	if who := ann.whoami(t); who != ground.Ann {
		t.Errorf("afterwards the user is %q", who)
	}
}

// TestProvingManyLoginsAtOnce has a hundred people log in at once, and others read.
func TestProvingManyLoginsAtOnce(t *testing.T) {
	t.Parallel()
	const logins = 100
	s := proving(t, options{})
	reader := s.browse(t)
	reader.get(t, "/")
	before := s.resident(t)
	var statuses [600]atomic.Int64
	var most atomic.Int64
	var wg sync.WaitGroup
	for i := range logins {
		b := s.browse(t)
		// Of one user only a few are tried at once; strangers cost as much.
		email := fmt.Sprintf("stranger%d@proving.example", i)
		if i%25 == 0 {
			email = []string{ground.Ann, ground.Bob, ground.Spare, ground.Staff}[i/25]
		}
		wg.Go(func() {
			a, err := b.try("POST", "/login", "application/x-www-form-urlencoded", strings.NewReader(url.Values{"email": {email}, "password": {demoPassword}}.Encode()))
			if err != nil {
				t.Error(err)
				return
			}
			statuses[a.status].Add(1)
		})
	}
	ended := make(chan struct{})
	go func() { wg.Wait(); close(ended) }()
	pages, slowest := 0, time.Duration(0)
	for over := false; !over; {
		begin := time.Now()
		if a := reader.get(t, "/"); a.status != 200 {
			t.Errorf("a page beside them: %d", a.status)
		}
		pages++
		slowest = max(slowest, time.Since(begin))
		most.Store(max(most.Load(), int64(s.resident(t))))
		select {
		case <-ended:
			over = true
		case <-time.After(5 * time.Millisecond): // people read
		}
	}
	grown := int(most.Load()) - before
	t.Logf("%d users were let in, %d strangers were not; %d pages beside them, the slowest took %v; memory grew from %d by at most %d bytes",
		statuses[303].Load(), statuses[422].Load(), pages, slowest, before, grown)
	// A hash takes 19 MiB, and half as many as there are processors are made at once;
	// what those before them took is given back a little later.
	if limit := (runtime.NumCPU()/2+3)*19<<20 + 40<<20; grown > limit {
		t.Errorf("memory grew by %d bytes, more than %d", grown, limit)
	}
	if statuses[303].Load() != 4 || statuses[422].Load() != logins-4 {
		t.Errorf("%d users were let in, %d strangers were not\n%s", statuses[303].Load(), statuses[422].Load(), s.logged())
	}
}
