//go:build unix

// Package testpostgres gives tests a PostgreSQL server of their own, to be killed and
// started again. Tests that only need a database use package testdb.
//
// Its programs are looked for on the path and where Debian's packages put them. Without
// them tests are skipped: see package testserver, by which the server ends with the test
// even if that is killed.
package testpostgres

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	osuser "os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/retort-web/retort/internal/testserver"
	"github.com/retort-web/retort/orm"
	_ "github.com/retort-web/retort/orm/postgres" // the driver
)

// patience is how long a server may take to start.
const patience = time.Minute

// Server is a PostgreSQL server of one test.
type Server struct {
	// URL is that of its database, also after it was killed and started again.
	URL string

	t        testing.TB
	folder   string
	port     int
	programs string
	cmd      *exec.Cmd
	ended    <-chan struct{}
}

// Start starts a server, which ends with the test.
func Start(t testing.TB) *Server {
	t.Helper()
	s := &Server{t: t, programs: programs(t)}
	// The folder of a test may not be entered by the user that the server runs as.
	var err error
	if s.folder, err = os.MkdirTemp("", "postgres"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Kill()
		if err := os.RemoveAll(s.folder); err != nil {
			t.Error(err)
		}
	})
	if id := user(); id != nil {
		if err := os.Chown(s.folder, int(id.Uid), int(id.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	s.run("initdb", "-D", s.data(), "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
	s.port = freePort(t)
	s.URL = fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres", s.port)
	s.Restart()
	return s
}

// programs returns the folder of the server's programs.
func programs(t testing.TB) string {
	t.Helper()
	return filepath.Dir(testserver.Program(t, "initdb", "postgresql", "/usr/lib/postgresql/*/bin/initdb"))
}

// freePort returns a port that nobody listened on a moment ago.
func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

func (s *Server) data() string { return filepath.Join(s.folder, "data") }

// command is a program of the server, in a group of its own and not as root, which it
// refuses.
func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.programs, name), args...) //nolint:gosec // of our own making
	cmd.Dir = s.folder
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: user()}
	return cmd
}

func (s *Server) run(name string, args ...string) {
	s.t.Helper()
	if out, err := s.command(name, args...).CombinedOutput(); err != nil {
		s.t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// Kill ends the server with all its processes as a power failure does.
func (s *Server) Kill() {
	if s.cmd == nil {
		return
	}
	_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL) // it may have ended already
	<-s.ended
	s.cmd = nil
}

// Restart starts the server again after Kill, with what was in it, and waits until it
// answers.
func (s *Server) Restart() {
	s.t.Helper()
	var last error
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if s.cmd == nil {
			s.launch()
		}
		if last = s.ping(); last == nil {
			return
		}
		select {
		case <-s.ended: // as processes of the one before are still about
			s.cmd = nil
		default:
		}
	}
	log, _ := os.ReadFile(filepath.Join(s.folder, "log")) // for the message
	s.t.Fatalf("the PostgreSQL server does not answer: %v\n%s", last, log)
}

func (s *Server) launch() {
	s.t.Helper()
	log, err := os.OpenFile(filepath.Join(s.folder, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		s.t.Fatal(err)
	}
	s.cmd = s.command("postgres", "-D", s.data(), "-h", "127.0.0.1", "-p", strconv.Itoa(s.port), "-k", s.folder, "-c", "shared_buffers=16MB")
	s.cmd.Stderr = log
	if s.ended, err = testserver.Start(s.cmd); err != nil {
		s.t.Fatal(err)
	}
	_ = log.Close() // the server has its own
}

func (s *Server) ping() error {
	ctx, stop := context.WithTimeout(context.Background(), patience/10)
	defer stop()
	db, err := orm.Open(ctx, s.URL)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	return db.Ping(ctx)
}

// user is whom the server runs as where the tests run as root, which it refuses to.
func user() *syscall.Credential {
	if os.Getuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := osuser.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err1 == nil && err2 == nil {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		}
	}
	return nil
}
