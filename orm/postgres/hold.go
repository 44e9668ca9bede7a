package postgres

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

// While others wait for a connection, a request that runs statement after statement would
// wait anew for each. It holds its connection instead until it ends, which is less to do
// for all: nobody is woken between its statements. Requests are told apart by the channel
// that tells of their end, which contexts made of the request's have too.
const (
	// holdFor is how long a request may hold a connection that others wait for.
	holdFor = 20 * time.Millisecond
	// holdIdle is how long a held connection may lie idle.
	holdIdle = time.Millisecond
)

// hold is a request's claim to a connection between its statements.
type hold struct {
	owner <-chan struct{}
	since moment
	stop  func() bool // of the function that waits for the request's end
}

// heldConns are connections between two statements of the requests that hold them. They
// are not free: others get them when they are let go.
type heldConns struct {
	db     *database
	count  atomic.Int32 // of list, to be read without mu
	mu     sync.Mutex
	list   []*conn
	armed  bool // a timer runs that lets go of what lies idle
	closed bool

	asked [64]atomic.Uintptr // owners that asked while others were waiting
}

// again reports that the owner has asked before, as far as is remembered. The address
// does not keep the channel: another one may have it later, which then holds a connection
// one statement too early.
func (h *heldConns) again(owner <-chan struct{}) bool {
	address := *(*uintptr)(unsafe.Pointer(&owner))
	return h.asked[address>>5%uintptr(len(h.asked))].Swap(address) == address
}

// begin lets the context's request hold a connection if it asks again and others wait.
func (h *heldConns) begin(ctx context.Context, c *conn) {
	owner := ctx.Done()
	if owner == nil || h.db.waiting.Load() == 0 || !h.again(owner) {
		return
	}
	c.hold = hold{owner: owner, since: now(), stop: context.AfterFunc(ctx, func() { h.end(c, owner) })}
}

// pop returns the connection that the owner holds, or nil.
func (h *heldConns) pop(owner <-chan struct{}) *conn {
	if owner == nil || h.count.Load() == 0 {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for i, c := range h.list {
		if c.hold.owner == owner {
			h.remove(i)
			return c
		}
	}
	return nil
}

func (h *heldConns) remove(i int) {
	last := len(h.list) - 1
	h.list[i], h.list[last] = h.list[last], nil
	h.list = h.list[:last]
	h.count.Store(int32(last))
}

// keep keeps a connection for the request that holds it; false if it is free.
func (h *heldConns) keep(c *conn) bool {
	if c.hold.owner == nil {
		return false
	}
	at := now()
	if h.db.waiting.Load() == 0 || at > c.hold.since.plus(holdFor) || !c.reusable(at) || !h.push(c, at) {
		c.letGo()
		return false
	}
	return true
}

func (h *heldConns) push(c *conn, at moment) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	select {
	case <-c.hold.owner:
		return false // nobody would tell of the end again
	default:
	}
	if h.closed {
		return false
	}
	c.used = at
	h.list = append(h.list, c)
	h.count.Store(int32(len(h.list)))
	if !h.armed {
		h.armed = true
		time.AfterFunc(holdIdle, h.sweep)
	}
	return true
}

// end frees the connection of a request that has ended. One that is in use meanwhile is
// free when it is given back.
func (h *heldConns) end(c *conn, owner <-chan struct{}) {
	h.mu.Lock()
	found := false
	for i, held := range h.list {
		if found = held == c && c.hold.owner == owner; found {
			h.remove(i)
			break
		}
	}
	h.mu.Unlock()
	if found {
		h.free(c)
	}
}

// sweep frees what has lain idle for too long.
func (h *heldConns) sweep() {
	limit := now().plus(-holdIdle)
	h.freeAll(func(c *conn) bool { return c.used <= limit })
}

// close frees everything, and keeps nothing from then on.
func (h *heldConns) close() {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	h.freeAll(func(*conn) bool { return true })
}

func (h *heldConns) freeAll(which func(*conn) bool) {
	h.mu.Lock()
	var freed []*conn
	for i := len(h.list) - 1; i >= 0; i-- {
		if which(h.list[i]) {
			freed = append(freed, h.list[i])
			h.remove(i)
		}
	}
	if h.armed = len(h.list) > 0; h.armed {
		time.AfterFunc(holdIdle, h.sweep)
	}
	h.mu.Unlock()
	for _, c := range freed {
		h.free(c)
	}
}

func (h *heldConns) free(c *conn) {
	c.letGo()
	h.db.give(c)
}

// letGo ends the hold on a connection.
func (c *conn) letGo() {
	if c.hold.owner != nil {
		c.hold.stop()
		c.hold = hold{}
	}
}
