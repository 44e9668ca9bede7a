package server

import (
	"crypto/tls"
	"errors"
	"io"
	"math"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// poison ends any head, chunk or trailer in a way that net/http refuses, with status 400
	// or an error from the body, before a handler can act on it. Putting it into the stream,
	// instead of answering here, keeps the refusal behind the responses to earlier requests.
	poison = "\x00\r\n:\r\n\r\n"

	// sendStep bounds what is sent under one write deadline, so that a large answer to a
	// slow reader that makes progress is not cut.
	sendStep = 256 << 10

	// lingerTime and lingerSize bound how long the rest of a refused request is read and
	// thrown away: closing with unread bytes would reset the connection and take the answer
	// along.
	lingerTime = 500 * time.Millisecond
	lingerSize = 256 << 10

	// lookTime is how long a last look at an idle connection waits.
	lookTime = 10 * time.Millisecond
)

// longAgo is a deadline that has passed.
var longAgo = time.Unix(1, 0)

// A guard stands between net/http and an HTTP/1 connection. It lets through only messages
// that every reader understands alike, counts them, so that draining knows whether one is
// under way, and gives bodies and answers deadlines that progress extends.
type guard struct {
	net.Conn
	service *service

	// Used by whoever reads: net/http makes sure that it is one at a time.
	framing framing
	held    []byte // read but not passed on: what follows a request for another protocol
	poison  string // what is left to pass on of it
	refused violation
	upgrade upgrade
	early   byte // passed on before it could be judged
	pace    pace

	begun      atomic.Uint32 // requests whose first byte was read
	answered   atomic.Uint32
	underscore atomic.Bool // a header name with an underscore was seen
	hijacked   atomic.Bool

	// Deadlines for reading are handed on only when a read waits for them: net/http sets
	// six for each request, of which two matter. One that Conn has and that is too early is
	// left there, until it passes.
	readDeadline atomic.Int64 // a deadline, as net/http or a handler set it
	reading      atomic.Bool
	mu           sync.Mutex
	applied      deadline // as Conn knows it
	interrupted  bool

	ownWriteDeadline atomic.Bool  // a handler took it into its own hands
	writeDeadline    atomic.Int64 // the one set here, Unix nanoseconds
	writeCleared     atomic.Bool  // SetWriteDeadline was asked for none and has not done it

	closing  sync.Once
	closeErr error

	// Used by the draining loop alone.
	quietCount uint32
	quietSince time.Time
}

// upgrade is how far the judgement on the bytes after a request for another protocol has
// come.
type upgrade uint8

const (
	noUpgrade upgrade = iota
	// upgradeAsked passes on one byte, as net/http looks for it while the handler runs.
	upgradeAsked
	// upgradeOpen means that byte is out. Whoever reads on without having taken the
	// connection over reads a next request: the upgrade was refused.
	upgradeOpen
)

// fileGuard is a guard over a connection that can send files by itself.
type fileGuard struct{ *guard }

// tlsGuard is a guard over TLS: net/http sets Request.TLS from ConnectionState.
type tlsGuard struct {
	*guard
	state tls.ConnectionState
}

func (t tlsGuard) ConnectionState() tls.ConnectionState { return t.state }

// guarded is what the kinds of guard have in common.
type guarded interface {
	net.Conn
	self() *guard
}

func (g *guard) self() *guard { return g }

func newGuard(conn net.Conn, s *service) guarded {
	g := &guard{Conn: conn, service: s}
	g.framing.maxHeaders = s.maxHeaders
	switch c := conn.(type) {
	case *tls.Conn:
		return tlsGuard{g, c.ConnectionState()}
	case io.ReaderFrom:
		return fileGuard{g}
	}
	return g
}

func (g *guard) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		if g.hijacked.Load() {
			if len(g.held) > 0 {
				return g.takeHeld(p), nil
			}
			return g.Conn.Read(p)
		}
		if g.refused != "" {
			return g.readRefusal(p)
		}
		if g.upgrade == upgradeAsked {
			p = p[:1]
		}
		n, err := g.receive(p)
		if n == 0 && err != nil {
			return 0, err
		}
		if n = g.judge(p[:n]); n > 0 {
			return n, nil
		}
	}
}

func (g *guard) takeHeld(p []byte) int {
	n := copy(p, g.held)
	if g.held = g.held[n:]; len(g.held) == 0 {
		g.held = nil
	}
	return n
}

// receive reads held bytes or the network, and sorts out whose deadline passed.
func (g *guard) receive(p []byte) (n int, err error) {
	if len(g.held) > 0 {
		return g.takeHeld(p), nil
	}
	for {
		if g.framing.expectsBody() && g.pace.allowance > 0 {
			start := time.Now()
			n, err = g.readConn(p, deadlineAt(g.pace.until(start)))
			g.pace.spend(time.Since(start), n)
		} else {
			n, err = g.readConn(p, noDeadline)
		}
		if n > 0 || err == nil || !errors.Is(err, os.ErrDeadlineExceeded) || !g.wasInterrupted() {
			return n, err
		}
		if g.idle() {
			return g.lastLook(p)
		}
	}
}

// readConn reads from the network until the deadline set from outside or the given one, if
// any.
func (g *guard) readConn(p []byte, until deadline) (int, error) {
	g.reading.Store(true)
	defer g.reading.Store(false)
	for {
		g.mu.Lock()
		// Who sets another one from here on applies it.
		wanted := until.orEarlier(deadline(g.readDeadline.Load()))
		if g.interrupted {
			wanted = passed
		}
		if g.applied == passed || g.applied.orEarlier(wanted) != g.applied {
			g.apply(wanted)
		}
		g.mu.Unlock()
		n, err := g.Conn.Read(p)
		if n > 0 || err == nil || !errors.Is(err, os.ErrDeadlineExceeded) || g.late(until) {
			return n, err
		}
	}
}

// late reports whether what ended a read was meant to, and has Conn forget a deadline that
// came too early.
func (g *guard) late(until deadline) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.interrupted || until.orEarlier(deadline(g.readDeadline.Load())).isOver() {
		return true
	}
	g.applied = passed
	return false
}

// apply is called with g.mu held.
func (g *guard) apply(d deadline) {
	if d != g.applied {
		g.applied = d
		g.Conn.SetReadDeadline(d.time())
	}
}

// judge follows what was read and returns how many of the bytes may be passed on.
func (g *guard) judge(b []byte) int {
	switch g.upgrade {
	case upgradeAsked:
		g.upgrade = upgradeOpen
		g.early = b[0]
		return 1
	case upgradeOpen:
		g.upgrade = noUpgrade
		if n := g.follow([]byte{g.early}); n == 0 {
			return 0
		}
	}
	n := g.follow(b)
	if g.refused == "" && g.framing.upgrade && g.framing.at == atStart {
		g.upgrade = upgradeAsked
		if n < len(b) {
			g.held = append(append(make([]byte, 0, len(b)-n+len(g.held)), b[n:]...), g.held...)
		}
	}
	return n
}

func (g *guard) follow(b []byte) int {
	n, why := g.framing.scan(b)
	if begun := g.framing.begun; begun != g.begun.Load() {
		g.begun.Store(begun)
		g.pace = g.service.pace
	}
	if g.framing.underscore {
		g.underscore.Store(true)
	}
	if why != "" {
		g.refused = why
		g.poison = poison
		g.service.refused(g.RemoteAddr(), why)
	}
	return n
}

// readRefusal makes net/http answer 400, or 431 by an endless header.
func (g *guard) readRefusal(p []byte) (int, error) {
	if g.refused == tooManyHeaders && !g.framing.trailer {
		for i := range p {
			p[i] = 'x'
		}
		return len(p), nil
	}
	if g.poison == "" {
		return 0, io.EOF
	}
	n := copy(p, g.poison)
	g.poison = g.poison[n:]
	return n, nil
}

// idle reports whether no request is under way, not even the first byte of one.
func (g *guard) idle() bool { return g.begun.Load() == g.answered.Load() }

// interrupt makes a waiting reader have a last look and then end an idle connection.
func (g *guard) interrupt() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.hijacked.Load() {
		return
	}
	g.interrupted = true
	if g.reading.Load() {
		g.apply(passed)
	}
}

func (g *guard) wasInterrupted() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	was := g.interrupted
	g.interrupted = false
	return was
}

// lastLook reads once more, as bytes may have arrived between the decision to end the
// connection and now: reading is the only way to know that never loses any. It does so twice,
// as a deadline that passes before the process gets to run keeps a read from looking at all.
func (g *guard) lastLook(p []byte) (n int, err error) {
	for range 2 {
		n, err = g.readConn(p, deadlineAt(time.Now().Add(lookTime)))
		if n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, err
		}
	}
	return 0, io.EOF
}

func (g *guard) SetReadDeadline(t time.Time) error {
	g.readDeadline.Store(int64(deadlineAt(t)))
	if !g.reading.Load() && !g.hijacked.Load() {
		return nil // the next read sees it
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.hijacked.Load() {
		return g.Conn.SetReadDeadline(t)
	}
	if !g.interrupted {
		g.apply(deadline(g.readDeadline.Load()))
	}
	return nil
}

// SetWriteDeadline is called by handlers, and with no time by net/http after each request.
// The latter changes nothing and is not worth the price of a deadline, so no deadline is
// only set when a write follows in the same request.
func (g *guard) SetWriteDeadline(t time.Time) error {
	if t.IsZero() && !g.ownWriteDeadline.Load() && !g.hijacked.Load() {
		g.writeCleared.Store(true)
		return nil
	}
	g.ownWriteDeadline.Store(true)
	return g.Conn.SetWriteDeadline(t)
}

func (g *guard) SetDeadline(t time.Time) error {
	return errors.Join(g.SetReadDeadline(t), g.SetWriteDeadline(t))
}

func (g *guard) Write(p []byte) (int, error) {
	sent := 0
	for {
		g.extendWrite()
		step := p[sent:min(len(p), sent+sendStep)]
		n, err := g.Conn.Write(step)
		sent += n
		if err != nil || sent == len(p) {
			return sent, err
		}
	}
}

// ReadFrom keeps the way by which the system sends files without copying them.
func (g fileGuard) ReadFrom(src io.Reader) (total int64, err error) {
	limited, ok := src.(*io.LimitedReader)
	if !ok {
		limited = &io.LimitedReader{R: src, N: math.MaxInt64}
	}
	for limited.N > 0 {
		g.extendWrite()
		// One level of LimitedReader is all that net looks through for the file.
		step := io.LimitedReader{R: limited.R, N: min(limited.N, sendStep)}
		n, err := io.Copy(g.Conn, &step)
		total += n
		limited.N -= n
		if err != nil || n == 0 || step.N > 0 {
			return total, err
		}
	}
	return total, nil
}

// extendWrite gives the next write at least half of WriteTimeout; setting a deadline costs
// more than asking the time, so it is not set anew for each write.
func (g *guard) extendWrite() {
	timeout := g.service.writeTimeout
	if timeout <= 0 || g.ownWriteDeadline.Load() {
		return
	}
	if g.writeCleared.Load() {
		g.ownWriteDeadline.Store(true)
		g.Conn.SetWriteDeadline(time.Time{})
		return
	}
	now := time.Now()
	if g.writeDeadline.Load()-now.UnixNano() > int64(timeout/2) {
		return
	}
	until := now.Add(timeout)
	g.writeDeadline.Store(until.UnixNano())
	g.Conn.SetWriteDeadline(until)
}

// endRequest is called when a response is complete and the connection goes on.
func (g *guard) endRequest() {
	g.answered.Add(1)
	g.writeCleared.Store(false)
	if g.ownWriteDeadline.Load() {
		g.writeDeadline.Store(0)
		g.Conn.SetWriteDeadline(time.Time{})
		g.ownWriteDeadline.Store(false)
	}
}

// stepAside is called when a handler took the connection over.
func (g *guard) stepAside() {
	g.mu.Lock()
	g.hijacked.Store(true)
	g.apply(deadline(g.readDeadline.Load()))
	if g.writeCleared.Load() {
		g.Conn.SetWriteDeadline(time.Time{})
	}
	g.mu.Unlock()
	g.service.forget(g)
}

// CloseWrite tells the peer that nothing more follows.
func (g *guard) CloseWrite() error {
	if c, ok := g.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return nil
}

func (g *guard) Close() error {
	g.closing.Do(func() {
		if g.refused == "" || g.hijacked.Load() {
			g.service.forget(g)
			g.closeErr = g.Conn.Close()
			return
		}
		g.closeErr = g.CloseWrite()
		go g.linger()
	})
	return g.closeErr
}

func (g *guard) linger() {
	defer g.service.forget(g)
	defer g.Conn.Close()
	g.Conn.SetReadDeadline(time.Now().Add(lingerTime))
	io.CopyN(io.Discard, g.Conn, lingerSize)
}

// A pace is how far behind a sender may be: the time it may still keep a reader waiting.
// Bytes earn time back, up to what it began with.
type pace struct {
	allowance time.Duration
	most      time.Duration
	rate      int // bytes that earn a second
}

func (p *pace) until(now time.Time) time.Time { return now.Add(p.allowance) }

func (p *pace) spend(waited time.Duration, received int) {
	earned := p.most
	rate := int64(p.rate)
	if int64(received) < rate*int64(p.most/time.Second+1) { // else more than a Duration may hold
		earned = time.Duration(int64(received) * int64(time.Second) / rate)
	}
	p.allowance = max(1, min(p.most, p.allowance-waited+earned))
}
