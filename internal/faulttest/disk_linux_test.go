package faulttest_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

// unlimited is as much as the process may ever have.
const unlimited = ^uint64(0)

// limit changes what a running process may have of a resource (prlimit(2)).
func (s *site) limit(t testing.TB, resource int, n uint64) {
	t.Helper()
	var now syscall.Rlimit
	call := func(set, get *syscall.Rlimit) {
		_, _, errno := syscall.Syscall6(syscall.SYS_PRLIMIT64, uintptr(s.pid()), uintptr(resource),
			uintptr(unsafe.Pointer(set)), uintptr(unsafe.Pointer(get)), 0, 0)
		if errno != 0 {
			t.Fatal(errno)
		}
	}
	call(nil, &now)
	now.Cur = min(n, now.Max)
	call(&now, nil)
}

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
	s.limit(t, syscall.RLIMIT_FSIZE, uint64(log.Size()))
	s.answers(t, is(200), is(503, 507))
	s.answers(t, is(200), is(503, 507))
	s.limit(t, syscall.RLIMIT_FSIZE, unlimited)
	s.heals(t)
	s.stop()
	sound(t, s.dir)
}

// TestUploadOnAFullDisk has no room for the temporary file of an upload.
func TestUploadOnAFullDisk(t *testing.T) {
	t.Parallel()
	s := start(t, labProgram, options{faulty: true})
	upload := multipart("/upload", part(`form-data; name="file"; filename="a"`, strings.Repeat("u", 3<<20))+"--b--\n")
	s.limit(t, syscall.RLIMIT_FSIZE, 1<<20)
	a := s.ask(t, upload)
	a.proper(t)
	if a.status != 507 && a.status != 503 {
		t.Errorf("%d\n%s\n%s", a.status, a.body, s.logged())
	}
	s.limit(t, syscall.RLIMIT_FSIZE, unlimited)
	if a := s.ask(t, upload); a.status != 200 {
		t.Errorf("with room: %d", a.status)
	}
}
