package orm

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
)

// ErrOutsideTransaction is the error of a statement that was run inside the function of an Atomic with a
// context from outside of it. See [DB.CheckTransactions].
var ErrOutsideTransaction = errors.New("orm: inside the function of an Atomic a context from outside of it was used, so that the statement would not be part of the transaction; use the context that the function is given, or orm.Outside(ctx) where that is meant")

// CheckTransactions makes it an error, ErrOutsideTransaction, to use a context from
// outside of a transaction in the function of its Atomic: such a statement would not be
// undone with the rest, would not see what the transaction has written, and on SQLite would
// wait for its end in vain. It is for development and tests, where it is worth a
// microsecond for each statement and transaction. Statements of other goroutines, which
// may well run at the same time, are never taken for one.
func (db *DB) CheckTransactions(on bool) { db.guard.on.Store(on) }

// insiders knows the goroutines that are in the function of an Atomic.
type insiders struct {
	on     atomic.Bool
	mu     sync.Mutex
	inside map[string]int
}

func nothing() {}

// enter notes that this goroutine begins to run the function of an Atomic.
func (db *DB) enter() (leave func()) {
	g := &db.guard
	if !g.on.Load() {
		return nothing
	}
	id := goroutine()
	g.mu.Lock()
	if g.inside == nil {
		g.inside = map[string]int{}
	}
	g.inside[id]++
	g.mu.Unlock()
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.inside[id]--; g.inside[id] == 0 {
			delete(g.inside, id)
		}
	}
}

// checkOutside looks at a statement that is in no transaction.
func (db *DB) checkOutside(ctx context.Context) error {
	g := &db.guard
	if !g.on.Load() || isOutside(ctx) {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.inside) > 0 && g.inside[goroutine()] > 0 {
		return ErrOutsideTransaction
	}
	return nil
}

// goroutine identifies the running goroutine, by the first line of its stack:
// "goroutine 18 [running]:".
func goroutine() string {
	var buf [64]byte
	line := buf[:runtime.Stack(buf[:], false)]
	if i := bytes.IndexByte(line, '['); i > 0 {
		line = line[:i]
	}
	return string(line)
}
