package postgres

import (
	"context"
	"crypto/tls"
	"net"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// pingAfter is how long a connection may be idle before it is tried with a round trip
// to the server: a network that was cut tells nothing.
const pingAfter = time.Second

// shouldPing decides whether a connection taken from the pool is tried first. One that
// the server has closed meanwhile, because it was restarted, shows it by what there
// is to read; looking costs a system call.
func shouldPing(_ context.Context, p pgxpool.ShouldPingParams) bool {
	return p.IdleDuration > pingAfter || hasInput(p.Conn.PgConn().Conn())
}

// hasInput reports that something has arrived on a connection on which nothing is
// waited for: its end, or the message that it is about to end. Notices and changed
// settings may come as well, which a ping takes in.
func hasInput(c net.Conn) bool {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	s, ok := c.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return true
	}
	// Not raw.Read, which waits for a read that is going on: after a write that took long
	// the driver leaves one behind, which ends with the next answer of the server.
	input := false
	err = raw.Control(func(fd uintptr) { input = readable(fd) })
	return err != nil || input
}
