//go:build !linux

package server

import "syscall"

// refuseHandshakes is known for Linux only. Elsewhere a connection that is made in the
// moment between the last look at the queue and closing it is reset.
func refuseHandshakes(syscall.Conn) bool { return false }
