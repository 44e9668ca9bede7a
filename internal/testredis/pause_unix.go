//go:build unix

package testredis

import (
	"os"
	"syscall"
)

// Pause makes the server hang, as one does that the network cuts off: it takes
// connections and answers nothing.
func (s *Server) Pause() { s.signal(syscall.SIGSTOP) }

// Resume lets a server go on that hangs, with what was in it.
func (s *Server) Resume() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(signal os.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(signal); err != nil {
		s.t.Fatal(err)
	}
}
