package ldap

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/go-ldap/ldap/v3"
)

const (
	// restFor is how long a server that did not answer is asked after the others.
	restFor = 30 * time.Second
	// maxAnswers bounds what the directory may send for a login, in bytes.
	maxAnswers = 8 << 20
)

// awayError says that no server of the directory can answer now.
type awayError struct{ err error }

func (e *awayError) Error() string { return "ldap: the directory does not answer: " + e.err.Error() }
func (e *awayError) Unwrap() error { return e.err }

// conversation is a connection for one login.
type conversation struct {
	*ldap.Conn
	e       *Extension
	server  *server
	release func()
}

// Close ends it; its place is another's then.
func (c *conversation) Close() {
	_ = c.Conn.Close()
	c.release()
}

// connect reaches the first server that answers, as the account that reads, if there
// is one. The conversation must end with the context. The error is an *awayError.
func (e *Extension) connect(ctx context.Context) (*conversation, error) {
	select {
	case e.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, &awayError{fmt.Errorf("all %d connections are in use: %w", cap(e.slots), ctx.Err())}
	}
	var errs []error
	for _, s := range e.order() {
		conn, stop, err := e.dial(ctx, s)
		e.report(ctx, s, err)
		if err == nil {
			return &conversation{conn, e, s, func() { stop(); <-e.slots }}, nil
		}
		errs = append(errs, fmt.Errorf("%s: %w", s.url, err))
		if ctx.Err() != nil {
			break
		}
	}
	<-e.slots
	return nil, &awayError{errors.Join(errs...)}
}

// order returns the servers, those that did not answer a moment ago last.
func (e *Extension) order() []*server {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	list := make([]*server, 0, len(e.servers))
	var resting []*server
	for _, s := range e.servers {
		if s.down.After(now) {
			resting = append(resting, s)
		} else {
			list = append(list, s)
		}
	}
	return append(list, resting...)
}

// report logs that a server is away, and that it is back, once each.
func (e *Extension) report(ctx context.Context, s *server, err error) {
	if errors.Is(ctx.Err(), context.Canceled) {
		return // the visitor has gone
	}
	e.mu.Lock()
	before := s.away
	s.away, s.down = err != nil, time.Time{}
	if err != nil {
		s.down = time.Now().Add(restFor)
	}
	e.mu.Unlock()
	switch {
	case err != nil && !before:
		e.app.Logger().ErrorContext(ctx, "a server of the directory does not answer", "directory", e.options.Name, "server", s.url, "error", err)
	case err == nil && before:
		e.app.Logger().InfoContext(ctx, "the server of the directory answers again", "directory", e.options.Name, "server", s.url)
	}
}

// fault notes that a server that could be reached cannot tell about a login: it is
// asked after the others for a while. It is logged once a minute.
func (e *Extension) fault(ctx context.Context, s *server, err error) {
	if errors.Is(ctx.Err(), context.Canceled) {
		return
	}
	now := time.Now()
	e.mu.Lock()
	s.down = now.Add(restFor)
	log := now.Sub(s.faulted) >= time.Minute
	if log {
		s.faulted = now
	}
	e.mu.Unlock()
	if log {
		e.app.Logger().ErrorContext(ctx, "the directory cannot tell about a login", "directory", e.options.Name, "server", s.url, "error", err)
	}
}

// dial reaches one server and binds as the account that reads. stop must be called
// when the connection is closed.
func (e *Extension) dial(ctx context.Context, s *server) (conn *ldap.Conn, stop func(), err error) {
	end, _ := ctx.Deadline()
	reach, cancel := context.WithTimeout(ctx, e.options.ConnectTimeout)
	defer cancel()
	raw, err := new(net.Dialer).DialContext(reach, "tcp", s.address)
	if err != nil {
		return nil, nil, err
	}
	// The library knows no context: deadlines and closing reach it over the connection.
	abort := context.AfterFunc(ctx, func() { _ = raw.Close() })
	defer func() {
		if err != nil {
			abort()
			_ = raw.Close()
		}
	}()
	deadline, _ := reach.Deadline()
	if err := raw.SetDeadline(deadline); err != nil {
		return nil, nil, err
	}
	bounded := &boundedConn{Conn: raw, left: maxAnswers}
	if s.ldaps {
		secured := tls.Client(bounded, s.tls)
		if err := secured.HandshakeContext(reach); err != nil {
			return nil, nil, err
		}
		conn = ldap.NewConn(secured, true)
	} else {
		conn = ldap.NewConn(bounded, false)
	}
	conn.SetTimeout(e.options.ConnectTimeout)
	conn.Start()
	if !s.ldaps && s.tls != nil {
		if err := conn.StartTLS(s.tls); err != nil {
			_ = conn.Close()
			return nil, nil, fmt.Errorf("StartTLS, without which no password is sent (see allow_plaintext): %w", err)
		}
	}
	if err := e.bindReader(conn); err != nil {
		_ = conn.Close()
		return nil, nil, err
	}
	conn.SetTimeout(max(time.Millisecond, time.Until(end)))
	if err := raw.SetDeadline(end); err != nil {
		_ = conn.Close()
		return nil, nil, err
	}
	return conn, func() { abort() }, nil
}

// bindReader makes the connection that of the account that reads, where there is one.
func (e *Extension) bindReader(conn *ldap.Conn) error {
	if e.options.BindDN == "" {
		return nil
	}
	if err := conn.Bind(e.options.BindDN, e.options.BindPassword); err != nil {
		return fmt.Errorf("bind as %s: %w", e.options.BindDN, err)
	}
	return nil
}

// boundedConn reads only so much.
type boundedConn struct {
	net.Conn
	left int
}

var errTooMuch = errors.New("the directory sent too much")

func (c *boundedConn) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, errTooMuch
	}
	n, err := c.Conn.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}
