package faulttest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestDiskFull lets no file of the site grow, which it sees as a write that
// fails, and then takes the limit away.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	first := start(t, blogProgram, options{})
	first.stop()
	s := start(t, blogProgram, options{dir: first.dir, faulty: true})
	s.answers(t, is(200), is(303))
	log, err := os.Stat(filepath.Join(s.dir, "blog.db-wal"))
	if err != nil {
		t.Fatal(err)
	}
	limit := func(n uint64) {
		if err := unix.Prlimit(s.pid(), unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: n, Max: unix.RLIM_INFINITY}, nil); err != nil {
			t.Fatal(err)
		}
	}
	limit(uint64(log.Size()))
	s.answers(t, is(200), is(503, 507))
	s.answers(t, is(200), is(503, 507))
	limit(unix.RLIM_INFINITY)
	s.heals(t)
	s.stop()
	sound(t, s.dir)
}

// TestUploadOnAFullDisk has no room for the temporary file of an upload.
func TestUploadOnAFullDisk(t *testing.T) {
	t.Parallel()
	s := start(t, labProgram, options{faulty: true})
	upload := multipart("/upload", part(`form-data; name="file"; filename="a"`, strings.Repeat("u", 3<<20))+"--b--\n")
	if err := unix.Prlimit(s.pid(), unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 1 << 20, Max: unix.RLIM_INFINITY}, nil); err != nil {
		t.Fatal(err)
	}
	a := s.ask(t, upload)
	a.proper(t)
	if a.status != 507 && a.status != 503 {
		t.Errorf("%d\n%s\n%s", a.status, a.body, s.logged())
	}
	if err := unix.Prlimit(s.pid(), unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY}, nil); err != nil {
		t.Fatal(err)
	}
	if a := s.ask(t, upload); a.status != 200 {
		t.Errorf("with room: %d", a.status)
	}
}
