package testserver_test

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/retort-web/retort/internal/testserver"
)

// child is set in the process that plays a test which is killed.
const child = "RETORT_TEST_CHILD"

// Nobody cleans up after a test that is killed: what it has started must end by itself.
func TestServersEndWithTheirTest(t *testing.T) {
	if os.Getenv(child) != "" {
		playKilled(t)
	}
	t.Parallel()
	cmd := exec.Command(os.Args[0], "-test.run=^TestServersEndWithTheirTest$")
	cmd.Env = append(os.Environ(), child+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	first := make([]byte, len("started"))
	if _, err := io.ReadFull(out, first); err != nil || string(first) != "started" {
		t.Fatalf("%q, %v", first, err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	// The server holds the other end, too.
	gone := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, out)
		gone <- err
	}()
	select {
	case err := <-gone:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Error("the server runs on after its test was killed")
	}
	_ = cmd.Wait() // that it was killed is no news
}

// playKilled starts a server and waits for its end.
func playKilled(t *testing.T) {
	cmd := exec.Command("sleep", "600")
	cmd.Stdout = os.Stdout
	started := make(chan struct{})
	var ended <-chan struct{}
	go func() {
		// Its thread ends with it, and the server must not.
		runtime.LockOSThread()
		defer close(started)
		var err error
		if ended, err = testserver.Start(cmd); err != nil {
			t.Error(err)
		}
	}()
	<-started
	select {
	case <-ended:
		t.Fatal("the server ended with a goroutine")
	case <-time.After(100 * time.Millisecond):
	}
	_, _ = os.Stdout.WriteString("started")
	<-ended
}

func TestStartTellsWhatIsWrong(t *testing.T) {
	t.Parallel()
	if _, err := testserver.Start(exec.Command(filepath.Join(t.TempDir(), "none"))); err == nil {
		t.Error("started what is not there")
	}
	ended, err := testserver.Start(exec.Command("true"))
	if err != nil {
		t.Fatal(err)
	}
	<-ended
}

// recorder is a test that keeps what it was told.
type recorder struct {
	testing.TB
	failed, skipped string
}

func (r *recorder) Helper() {}
func (r *recorder) Fatal(args ...any) {
	r.failed, _ = args[0].(string)
	runtime.Goexit()
}

func (r *recorder) Skip(args ...any) {
	r.skipped, _ = args[0].(string)
	runtime.Goexit()
}

func TestProgram(t *testing.T) {
	folder := t.TempDir()
	for _, version := range []string{"14", "15"} {
		if err := os.MkdirAll(filepath.Join(folder, version), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, version, "hardlyd"), nil, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	find := func(name string, patterns ...string) (r recorder, path string) {
		done := make(chan struct{})
		go func() {
			defer close(done)
			path = testserver.Program(&r, name, "hardly-server", patterns...)
		}()
		<-done
		return r, path
	}
	if _, path := find("hardlyd", filepath.Join(folder, "none", "hardlyd"), filepath.Join(folder, "*", "hardlyd")); !strings.HasSuffix(path, filepath.Join("15", "hardlyd")) {
		t.Errorf("found %q", path)
	}
	if _, path := find("sleep"); filepath.Base(path) != "sleep" {
		t.Errorf("found %q", path)
	}
	t.Setenv("RETORT_TEST_SERVERS", "")
	if r, _ := find("hardlyd"); !strings.Contains(r.skipped, "no hardlyd; install the package hardly-server") || r.failed != "" {
		t.Errorf("%+v", r)
	}
	t.Setenv("RETORT_TEST_SERVERS", "1")
	if r, _ := find("hardlyd"); !strings.Contains(r.failed, "no hardlyd; install the package hardly-server") || r.skipped != "" {
		t.Errorf("%+v", r)
	}
}
