//go:build unix

package postgres

import (
	"errors"
	"syscall"
)

// readable looks at a socket without taking anything from it. At the end of the stream
// it is readable too.
func readable(fd uintptr) bool {
	var b [1]byte
	_, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	return !errors.Is(err, syscall.EAGAIN) && !errors.Is(err, syscall.EWOULDBLOCK)
}
