// Package testredis gives tests a Redis server.
//
// It is the one of RETORT_TEST_REDIS, such as redis://127.0.0.1:6379/0, where
// each test keeps to names of its own; or, without that, one that the test starts
// on a socket in a folder of its own. A test that stops its server always has one
// of its own. Without the variable and without a redis-server tests are skipped: see
// package testserver, by which the server ends with the test even if that is killed.
package testredis

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/retort-web/retort/internal/testserver"
)

// URL returns the URL of a server that runs until the test ends.
func URL(t testing.TB) string {
	t.Helper()
	if url := os.Getenv("RETORT_TEST_REDIS"); url != "" {
		return patient(url)
	}
	return Start(t).URL
}

// Server is a Redis server of one test.
type Server struct {
	// URL is where it listens, also after it was stopped and started again.
	URL string

	t       testing.TB
	folder  string
	program string
	cmd     *exec.Cmd
	ended   <-chan struct{}
}

// Start starts a server, which ends with the test.
func Start(t testing.TB) *Server {
	t.Helper()
	program := testserver.Program(t, "redis-server", "redis-server")
	// The path of a socket is short, which that of a test's folder may not be.
	folder, err := os.MkdirTemp("", "redis")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{t: t, folder: folder, program: program}
	s.URL = patient("unix://" + s.socket())
	t.Cleanup(func() {
		s.Stop()
		if err := os.RemoveAll(folder); err != nil {
			t.Error(err)
		}
	})
	s.Restart()
	return s
}

// patient makes the clients of a URL wait for a server on a machine that is busy.
func patient(url string) string {
	separator := "?"
	if strings.Contains(url, "?") {
		separator = "&"
	}
	return url + separator + "dial_timeout=30s&read_timeout=30s&write_timeout=30s&pool_timeout=30s"
}

func (s *Server) socket() string { return filepath.Join(s.folder, "socket") }

// Stop kills the server.
func (s *Server) Stop() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	<-s.ended
	s.cmd = nil
}

// Restart starts the server again after Stop, empty, and waits until it answers.
func (s *Server) Restart() {
	s.t.Helper()
	s.cmd = exec.Command(s.program, "--port", "0", "--unixsocket", s.socket(), "--save", "", "--dir", s.folder) //nolint:gosec // of our own making
	var err error
	if s.ended, err = testserver.Start(s.cmd); err != nil {
		s.t.Fatal(err)
	}
	client := redis.NewClient(&redis.Options{Network: "unix", Addr: s.socket()})
	defer func() { _ = client.Close() }()
	deadline := time.Now().Add(time.Minute)
	for client.Ping(context.Background()).Err() != nil {
		if time.Now().After(deadline) {
			s.t.Fatal("the redis-server does not answer")
		}
		time.Sleep(10 * time.Millisecond)
	}
}
