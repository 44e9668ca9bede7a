package server

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// accept takes connections until the listener is closed for good.
func (v *service) accept() error {
	var pause time.Duration
	for {
		conn, err := v.listener.Accept()
		if err == nil {
			pause = 0
			v.arrive(conn)
			continue
		}
		if v.isClosing.Load() {
			return v.sweep()
		}
		temporary, ok := errors.AsType[interface {
			error
			Temporary() bool
		}](err)
		if !ok || !temporary.Temporary() {
			return fmt.Errorf("server: cannot accept connections: %w", err)
		}
		// Most often too many open files, which others may close.
		pause = min(max(2*pause, 5*time.Millisecond), time.Second)
		v.logger.Error("server: cannot accept a connection", "error", err, "retry_in", pause)
		time.Sleep(pause)
	}
}

// deadliner is a listener whose Accept can be ended without closing it.
type deadliner interface{ SetDeadline(time.Time) error }

const (
	// sweepLook is how long one look at the queue of new connections takes, and sweepLooks
	// how often in a row it must be found empty: one look alone can miss connections if the
	// process did not get to run in time.
	sweepLook  = 5 * time.Millisecond
	sweepLooks = 3
	// sweepLimit ends the looks where the kernel goes on filling the queue.
	sweepLimit = 200 * time.Millisecond
)

// closeListener ends accept, which first takes the connections that queue in the kernel:
// closing the listener at once would reset them.
func (v *service) closeListener(accepting <-chan error) error {
	v.isClosing.Store(true)
	if u, ok := v.listener.(*unixListener); ok {
		u.remove()
	}
	if l, ok := v.listener.(deadliner); !ok || l.SetDeadline(longAgo) != nil {
		v.listener.Close()
	}
	return <-accepting
}

// sweep accepts what is left and closes the listener.
func (v *service) sweep() error {
	l, ok := v.listener.(deadliner)
	if !ok {
		return ignoreClosed(v.listener.Close())
	}
	refusing := false
	if t, ok := v.listener.(*net.TCPListener); ok && !v.server.shared() {
		refusing = refuseHandshakes(t)
	}
	start := time.Now()
	for empty := 0; empty < sweepLooks && (refusing || time.Since(start) < sweepLimit); {
		// A deadline that already passed would keep Accept from looking at the queue.
		if l.SetDeadline(time.Now().Add(sweepLook)) != nil {
			break
		}
		conn, err := v.listener.Accept()
		if err == nil {
			v.arrive(conn)
			empty = 0
			continue
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
		empty++
	}
	return ignoreClosed(v.listener.Close())
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// arrive sends a connection to the HTTP version it speaks, finding that out in a goroutine
// if the client has to say it.
func (v *service) arrive(conn net.Conn) {
	if v.tls == nil && !v.server.H2C {
		v.deliver1(conn)
		return
	}
	v.arriving.Add(1)
	go func() {
		defer v.arriving.Add(-1)
		if v.headTimeout > 0 {
			conn.SetDeadline(time.Now().Add(v.headTimeout))
		}
		if v.tls != nil {
			v.arriveTLS(conn)
		} else {
			v.arriveClear(conn)
		}
	}()
}

func (v *service) arriveTLS(conn net.Conn) {
	secure, protocol, err := v.server.TLS.shake(conn, v.tls)
	if err != nil {
		v.logger.Debug("server: TLS handshake failed", "remote", conn.RemoteAddr(), "error", err)
		conn.Close()
		return
	}
	conn.SetDeadline(time.Time{})
	if protocol == "h2" {
		v.feed2.deliver(secure)
		return
	}
	v.deliver1(secure)
}

func (v *service) deliver1(conn net.Conn) {
	g := newGuard(conn, v)
	v.mu.Lock()
	v.guards[g.self()] = struct{}{}
	v.mu.Unlock()
	v.feed1.deliver(g)
}

// preface is how an HTTP/2 client begins (RFC 9113 section 3.4).
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// arriveClear reads as much of a connection without TLS as tells whether it speaks HTTP/2.
func (v *service) arriveClear(conn net.Conn) {
	var head [len(preface)]byte
	n := 0
	for n < len(head) && bytes.HasPrefix([]byte(preface), head[:n]) {
		m, err := conn.Read(head[n:])
		n += m
		if err != nil && m == 0 {
			conn.Close()
			return
		}
	}
	conn.SetDeadline(time.Time{})
	replayed := &replayConn{Conn: conn, head: head[:n]}
	if n == len(head) && string(head[:]) == preface {
		v.feed2.deliver(replayed)
		return
	}
	v.deliver1(replayed)
}

// replayConn is a connection whose first bytes were read already.
type replayConn struct {
	net.Conn
	head []byte
}

func (c *replayConn) Read(p []byte) (int, error) {
	if len(c.head) > 0 {
		n := copy(p, c.head)
		c.head = c.head[n:]
		return n, nil
	}
	return c.Conn.Read(p)
}

func (c *replayConn) ReadFrom(src io.Reader) (int64, error) { return io.Copy(c.Conn, src) }

func (c *replayConn) CloseWrite() error {
	if conn, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return conn.CloseWrite()
	}
	return nil
}

// A feed is a listener for connections that were accepted elsewhere.
type feed struct {
	addr  net.Addr
	conns chan net.Conn
	ended chan struct{}
	once  sync.Once
}

func newFeed(addr net.Addr) *feed {
	return &feed{addr: addr, conns: make(chan net.Conn), ended: make(chan struct{})}
}

func (f *feed) deliver(conn net.Conn) {
	select {
	case f.conns <- conn:
	case <-f.ended:
		conn.Close()
	}
}

func (f *feed) Accept() (net.Conn, error) {
	select {
	case conn := <-f.conns:
		return conn, nil
	case <-f.ended:
		return nil, net.ErrClosed
	}
}

func (f *feed) Addr() net.Addr { return f.addr }

func (f *feed) Close() error {
	f.once.Do(func() { close(f.ended) })
	return nil
}
