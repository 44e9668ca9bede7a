//go:build unix

package faulttest_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// crowd are clients that read pages and write comments until the site is gone.
type crowd struct {
	wg       sync.WaitGroup
	answered atomic.Int64

	mu     sync.Mutex
	lost   []error
	kept   []string // comments that were acknowledged
	writes atomic.Int64
}

// join adds clients with a connection each, kept alive. A request is lost if
// it was begun, on a connection that was open, and not answered; that a new
// connection is refused is how a client learns to look elsewhere.
func (c *crowd) join(s *site, clients int) {
	for i := range clients {
		c.wg.Go(func() {
			client := &http.Client{
				Transport:     &http.Transport{MaxConnsPerHost: 1},
				CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
				Timeout:       patience,
			}
			defer client.CloseIdleConnections()
			for n := 0; ; n++ {
				var err error
				if n%3 == 2 {
					err = c.write(client, s, fmt.Sprintf("client %d, comment %d.", i, n))
				} else {
					err = c.read(client, s, []string{"/", "/posts/" + anyPost, "/api/posts?q=water", "/login"}[n%4])
				}
				if errors.Is(err, syscall.ECONNREFUSED) {
					return
				}
				if err != nil {
					c.mu.Lock()
					c.lost = append(c.lost, err)
					c.mu.Unlock()
					return
				}
				c.answered.Add(1)
			}
		})
	}
}

func (c *crowd) read(client *http.Client, s *site, target string) error {
	response, err := client.Get("http://" + s.addr + target)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", target, response.Status)
	}
	return nil
}

func (c *crowd) write(client *http.Client, s *site, text string) error {
	form := url.Values{"name": {"A reader"}, "text": {text}}
	// net/http sends a POST again on its own only if it was not begun.
	response, err := client.PostForm("http://"+s.addr+"/posts/"+anyPost, form)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusSeeOther {
		return fmt.Errorf("a comment: %s", response.Status)
	}
	c.mu.Lock()
	c.kept = append(c.kept, text)
	c.mu.Unlock()
	c.writes.Add(1)
	return nil
}

func TestStopUnderLoadLosesNothing(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			s := start(t, blogProgram, options{})
			var c crowd
			c.join(s, 8)
			await(t, "some load", func() bool { return c.answered.Load() > 200 && c.writes.Load() > 20 })
			s.signal(signal)
			begin := time.Now()
			if err := s.wait(); err != nil {
				t.Errorf("the process ended with %v", err)
			}
			if took := time.Since(begin); took > 5*time.Second {
				t.Errorf("it took %v to end", took)
			}
			c.wg.Wait()
			for _, err := range c.lost {
				t.Errorf("lost: %v", err)
			}
			// What was answered is also there.
			again := start(t, blogProgram, options{dir: s.dir})
			missing(t, again, c.kept)
		})
	}
}

// missing fails for every comment that the post does not show.
func missing(t *testing.T, s *site, comments []string) {
	t.Helper()
	page := s.ask(t, get("/posts/"+anyPost)).body
	for _, text := range comments {
		if !strings.Contains(page, text) {
			t.Errorf("%q was acknowledged and is not there", text)
		}
	}
}

// begun starts the request of the lab that waits until its input is closed.
func begun(t *testing.T, s *site) *wire {
	t.Helper()
	w := s.dial(t)
	w.send(get("/wait"))
	if line, err := s.out.ReadString('\n'); line != "waiting\n" {
		t.Fatalf("%q %v", line, err)
	}
	return w
}

func TestSecondSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	s := start(t, labProgram, options{faulty: true})
	w := begun(t, s)
	s.signal(os.Interrupt)
	s.awaitLog("shutting down")
	s.signal(os.Interrupt)
	var exit *exec.ExitError
	if err := s.wait(); !errors.As(err, &exit) || exit.ExitCode() <= 0 {
		t.Errorf("the process ended with %v", err)
	}
	if _, err := w.read("GET"); err == nil {
		t.Error("the request was answered")
	}
}

func TestDrainIsBounded(t *testing.T) {
	t.Parallel()
	s := start(t, labProgram, options{faulty: true, env: []string{"RETORT_SERVER_SHUTDOWN_TIMEOUT=300ms"}})
	begun(t, s)
	s.signal(syscall.SIGTERM)
	begin := time.Now()
	if err := s.wait(); err == nil {
		t.Error("a request was cut, but the process says that all is well")
	}
	if took := time.Since(begin); took > 3*time.Second {
		t.Errorf("it took %v", took)
	}
}

// TestDrainWaitsForTransfers ends a site between the halves of an upload and
// of a download, with events and idle connections open beside them.
func TestDrainWaitsForTransfers(t *testing.T) {
	t.Parallel()
	s := start(t, labProgram, options{})
	idle := s.dial(t)
	idle.send(get("/"))
	if _, err := idle.read("GET"); err != nil {
		t.Fatal(err)
	}
	events := s.dial(t)
	events.send(get("/events"))
	awaitBytes(t, events, "data: hello")

	const size = 32 << 20
	download := s.dial(t)
	download.send(get(fmt.Sprintf("/download?size=%d", size)))
	awaitBytes(t, download, "\r\n\r\n")

	body := part(`form-data; name="file"; filename="a"`, strings.Repeat("u", 3<<20)) + "--b--\n"
	upload := s.dial(t)
	message := multipart("/upload", body)
	upload.send(message[:len(message)/2])
	waiting := begun(t, s)

	s.signal(syscall.SIGTERM)
	s.awaitLog("shutting down")
	if !idle.closed() {
		t.Error("an idle connection stays open")
	}
	if rest, err := io.ReadAll(events.in); err != nil {
		t.Errorf("the events end with %v after %q", err, rest)
	}
	upload.send(message[len(message)/2:])
	if a, err := upload.read("POST"); err != nil || a.status != 200 || len(a.body) != 64 {
		t.Errorf("the upload: %+v %v", a, err)
	}
	if n, err := io.Copy(io.Discard, download.in); err != nil || n != size {
		t.Errorf("the download: %d bytes of %d, %v", n, size, err)
	}
	_ = s.in.Close()
	if a, err := waiting.read("GET"); err != nil || a.body != "waited" {
		t.Errorf("the slow handler: %+v %v", a, err)
	}
	if err := s.wait(); err != nil {
		t.Errorf("the process ended with %v", err)
	}
}

func TestDrainEndsIdleConnections(t *testing.T) {
	t.Parallel()
	s := start(t, labProgram, options{})
	for range 300 {
		w := s.dial(t)
		w.send(get("/"))
		if _, err := w.read("GET"); err != nil {
			t.Fatal(err)
		}
	}
	begin := time.Now()
	s.stop()
	if took := time.Since(begin); took > 3*time.Second {
		t.Errorf("it took %v", took)
	}
}

// awaitBytes reads up to and with a text.
func awaitBytes(t testing.TB, w *wire, text string) {
	t.Helper()
	var got []byte
	for !bytes.HasSuffix(got, []byte(text)) {
		b, err := w.in.ReadByte()
		if err != nil {
			t.Fatalf("%v after %.500q", err, got)
		}
		got = append(got, b)
	}
}

func TestUnixSocketIsServedAndRemoved(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, labProgram, options{env: []string{"RETORT_ADDR=unix:" + dir + "/s"}})
	a := s.ask(t, get("/"))
	a.proper(t)
	if a.status != 200 {
		t.Errorf("%d", a.status)
	}
	s.stop()
	if _, err := os.Stat(dir + "/s"); !os.IsNotExist(err) {
		t.Errorf("the socket is left behind: %v", err)
	}
}
