//go:build unix

package faulttest_test

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long anything here may take before it counts as hanging.
const patience = 30 * time.Second

// The keys of all sites; no answer and no log line may hold them.
const (
	secretKey = "the-key-that-no-page-may-show-0123456789"
	oldKey    = "the-key-of-last-year-that-still-reads-01"
)

// A site is a program of ours that runs as a child process.
type site struct {
	t    testing.TB
	addr string // host:port, or the path of a socket
	dir  string // its working directory, with its database
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader

	address chan string   // sent when it serves
	ended   chan struct{} // closed when the process is gone and its log complete
	exit    error
	faulty  bool // errors in the log are expected

	mu  sync.Mutex
	log strings.Builder
}

// options say how a site differs from the usual one.
type options struct {
	dir    string   // default: a new one
	env    []string // added
	args   []string
	faulty bool // errors in the log are expected
}

// demoPassword is that of the user whom the blog makes at its first start.
const demoPassword = "slow bread and old chairs"

var serving = regexp.MustCompile(`http://(127\.0\.0\.1:\d+)/|unix:(/[^"\s]+)`)

// start runs a program and waits until it serves. When the test ends it is told
// to end, which must succeed, and its log must be clean.
func start(t testing.TB, program string, o options) *site {
	t.Helper()
	s := launch(t, program, o)
	if !s.serves() {
		t.Fatalf("%s did not serve: %v\n%s", filepath.Base(program), s.exit, s.logged())
	}
	return s
}

// launch is start without the wait.
func launch(t testing.TB, program string, o options) *site {
	t.Helper()
	if o.dir == "" {
		o.dir = t.TempDir()
	}
	s := &site{t: t, dir: o.dir, ended: make(chan struct{}), address: make(chan string, 1), faulty: o.faulty}
	s.cmd = exec.Command(program, o.args...)
	s.cmd.Dir = o.dir
	s.cmd.Env = append(os.Environ(), "RETORT_ADDR=127.0.0.1:0", "SECRET_KEY="+secretKey, "SECRET_KEY_FALLBACKS="+oldKey, "TMPDIR="+o.dir, "BLOG_DEMO_PASSWORD="+demoPassword)
	s.cmd.Env = append(s.cmd.Env, o.env...)
	var err error
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.out = bufio.NewReader(stdout)
	stderr, err := s.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.finish)
	go s.follow(stderr)
	return s
}

// serves waits until the program serves, or has ended.
func (s *site) serves() bool {
	select {
	case s.addr = <-s.address:
		return true
	case <-s.ended:
	case <-time.After(patience):
	}
	return false
}

// follow keeps the log and waits for the end of the process.
func (s *site) follow(stderr io.Reader) {
	lines := bufio.NewScanner(stderr)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		s.mu.Lock()
		s.log.WriteString(lines.Text() + "\n")
		s.mu.Unlock()
		if found := serving.FindStringSubmatch(lines.Text()); found != nil {
			select {
			case s.address <- found[1] + found[2]:
			default:
			}
		}
	}
	s.exit = s.cmd.Wait()
	close(s.ended)
}

func (s *site) logged() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

// awaitLog waits until the log holds a text.
func (s *site) awaitLog(text string) {
	s.t.Helper()
	await(s.t, "the log to hold "+text, func() bool { return strings.Contains(s.logged(), text) })
}

func (s *site) pid() int { return s.cmd.Process.Pid }

func (s *site) signal(sig os.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Errorf("%v: %v", sig, err)
	}
}

func (s *site) pause()  { s.signal(syscall.SIGSTOP) }
func (s *site) resume() { s.signal(syscall.SIGCONT) }

// wait returns how the process ended, and fails the test if it does not.
func (s *site) wait() error {
	s.t.Helper()
	select {
	case <-s.ended:
	case <-time.After(patience):
		_ = s.cmd.Process.Kill()
		s.t.Errorf("the process does not end\n%s", s.logged())
		<-s.ended
	}
	return s.exit
}

// stop ends the process in order.
func (s *site) stop() {
	s.t.Helper()
	s.signal(syscall.SIGTERM)
	if err := s.wait(); err != nil {
		s.t.Errorf("the process ended with %v\n%s", err, s.logged())
	}
}

// kill ends the process as the lack of memory or a power failure does.
func (s *site) kill() {
	s.t.Helper()
	s.signal(syscall.SIGKILL)
	var exit *exec.ExitError
	if err := s.wait(); !errors.As(err, &exit) {
		s.t.Errorf("killed, the process ended with %v", err)
	}
}

// finish ends what still runs and looks at the log.
func (s *site) finish() {
	select {
	case <-s.ended:
	default:
		s.stop()
	}
	s.checkLog()
}

// checkLog fails for secrets, and for errors that nobody expects.
func (s *site) checkLog() {
	log := s.logged()
	for _, secret := range []string{secretKey, oldKey} {
		if strings.Contains(log, secret) {
			s.t.Errorf("the log holds a secret key")
		}
	}
	for line := range strings.Lines(log) {
		if !s.faulty && (strings.Contains(line, `"level":"ERROR"`) || strings.Contains(line, "level=ERROR") || strings.HasPrefix(line, "panic: ")) {
			s.t.Errorf("logged: %.600s", line)
		}
	}
}

// await polls a condition of another process, for which there is no signal.
func await(t testing.TB, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
