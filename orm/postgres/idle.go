package postgres

import (
	"sync"
	"time"
)

// Between the pool and the statements lie the connections that were in use a moment
// ago. A request runs its statements one after the other: the next one most likely gets
// the connection of the last, without the bookkeeping of the pool and without a look at
// whether the server has closed it meanwhile. How long a connection lives, and whether
// it is well, remains the business of the pool, to which each goes back often.
const (
	// keepIdle is how long a connection lies here before the pool gets it back.
	keepIdle = 100 * time.Millisecond
	// keepTaken is how long a connection stays out of the pool altogether.
	keepTaken = time.Second
	// trusted is how long after its use a connection is taken to be alive.
	trusted = 100 * time.Microsecond
)

// idleConns are the connections in use a moment ago, that of the latest use last.
type idleConns struct {
	mu     sync.Mutex
	list   []*conn
	armed  bool // a timer runs that gives back what lies here for too long
	closed bool
}

// pop returns the connection of the latest use, or nil.
func (i *idleConns) pop() *conn {
	i.mu.Lock()
	defer i.mu.Unlock()
	n := len(i.list) - 1
	if n < 0 {
		return nil
	}
	c := i.list[n]
	i.list[n] = nil
	i.list = i.list[:n]
	return c
}

// push keeps a connection; false if it has to go back to the pool.
func (i *idleConns) push(c *conn) bool {
	at := now()
	if !c.reusable(at) {
		return false
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.closed {
		return false
	}
	c.used = at
	i.list = append(i.list, c)
	if !i.armed {
		i.armed = true
		time.AfterFunc(keepIdle, i.expire)
	}
	return true
}

// reusable reports that a connection may serve another statement without the pool.
func (c *conn) reusable(at moment) bool {
	return at <= c.taken.plus(keepTaken) && !c.raw.IsClosed() && !c.raw.IsBusy() && c.raw.TxStatus() == outsideTransaction
}

// isAlive reports that a connection that was lying idle has not been closed meanwhile.
func (c *conn) isAlive() bool {
	return now() <= c.used.plus(trusted) || !hasInput(c.raw.Conn())
}

// outsideTransaction is the status of a connection that is in no transaction,
// https://www.postgresql.org/docs/current/protocol-message-formats.html.
const outsideTransaction = 'I'

// expire gives the pool what was not used for some time.
func (i *idleConns) expire() {
	i.mu.Lock()
	defer i.mu.Unlock()
	n := 0
	for limit := now().plus(-keepIdle); n < len(i.list) && i.list[n].used <= limit; n++ {
		i.list[n].release()
	}
	i.drop(n)
	if i.armed = len(i.list) > 0; i.armed {
		time.AfterFunc(keepIdle, i.expire)
	}
}

// drop forgets the first n.
func (i *idleConns) drop(n int) {
	rest := copy(i.list, i.list[n:])
	clear(i.list[rest:])
	i.list = i.list[:rest]
}

// close gives everything to the pool, and from then on.
func (i *idleConns) close() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.closed = true
	for _, c := range i.list {
		c.release()
	}
	i.drop(len(i.list))
}

// release gives the connection to the pool, which throws it away if it is broken.
func (c *conn) release() {
	pooled := c.pooled
	c.pooled = nil
	pooled.Release()
}
