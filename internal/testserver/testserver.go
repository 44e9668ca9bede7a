// Package testserver starts the servers that a test has for itself, to be killed, paused
// and started again.
//
// A server whose program is not installed skips its tests, unless RETORT_TEST_SERVERS is
// set: then they fail, so that none is left out unseen.
package testserver

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// Program returns the path of a server's program: the one on the path, or else the last
// that a pattern of [filepath.Glob] finds, which is the newest where folders are named
// after versions. Without any it skips the test, or fails it; the message names the package
// to install.
func Program(t testing.TB, name, install string, patterns ...string) string {
	t.Helper()
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	for _, pattern := range patterns {
		if found, _ := filepath.Glob(pattern); len(found) > 0 { // the pattern is right
			return found[len(found)-1]
		}
	}
	Missing(t, "there is no "+name+"; install the package "+install)
	return ""
}

// Missing skips a test as something is not installed, or fails it if nothing may be missing.
func Missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("RETORT_TEST_SERVERS") != "" {
		t.Fatal("RETORT_TEST_SERVERS is set: " + what)
	}
	t.Skip(what)
}

// Start starts a server, and returns a channel that is closed when it has ended. Whoever
// starts it kills it. On Linux it is killed as well when the process of the test ends
// before that, by a signal, a panic or go test's -timeout, none of which runs t.Cleanup.
func Start(cmd *exec.Cmd) (ended <-chan struct{}, err error) {
	dieWithParent(cmd)
	started, done := make(chan error), make(chan struct{})
	go func() {
		// To the kernel the parent is the thread that started the server. Nobody else
		// gets to use, and to end, this one while the server runs.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(done)
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ended is no news
		}
	}()
	return done, <-started
}
