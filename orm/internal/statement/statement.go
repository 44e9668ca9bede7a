// Package statement keeps the statements prepared on a connection of a
// [database/sql/driver], for the databases whose driver is used without package
// database/sql.
package statement

import (
	"container/list"
	"context"
	"database/sql/driver"
	"errors"
	"slices"
)

// Cache is the statements prepared on one connection. It is used by one goroutine at a
// time.
type Cache struct {
	conn   driver.Conn
	size   int // most statements kept
	byText map[string]*list.Element
	recent *list.List          // of *Stmt, most recently used first
	args   []driver.NamedValue // memory for those of the next run
}

// NewCache makes the cache of a connection, for at most size statements.
func NewCache(conn driver.Conn, size int) *Cache {
	return &Cache{conn: conn, size: size, byText: map[string]*list.Element{}, recent: list.New()}
}

// Stmt is a prepared statement. It is busy while rows of it are open.
type Stmt struct {
	cache *Cache
	raw   driver.Stmt
	text  string
	busy  bool
	kept  bool
	row   []driver.Value
}

// Prepare returns a statement that is not busy, from those kept if it can. One that will
// come only once is not kept.
func (c *Cache) Prepare(ctx context.Context, text string, once bool) (*Stmt, error) {
	e := c.byText[text]
	if e != nil {
		if st := e.Value.(*Stmt); !st.busy {
			c.recent.MoveToFront(e)
			st.busy = true
			return st, nil
		}
	}
	raw, err := c.prepare(ctx, text)
	if err != nil {
		return nil, err
	}
	st := &Stmt{cache: c, raw: raw, text: text, busy: true}
	if e == nil && !once && c.size > 0 {
		st.kept = true
		c.byText[text] = c.recent.PushFront(st)
		c.trim()
	}
	return st, nil
}

func (c *Cache) prepare(ctx context.Context, text string) (driver.Stmt, error) {
	if p, ok := c.conn.(driver.ConnPrepareContext); ok {
		return p.PrepareContext(ctx, text)
	}
	return c.conn.Prepare(text)
}

// trim forgets the statements used least recently. A busy one is closed when it
// is released.
func (c *Cache) trim() {
	for c.recent.Len() > c.size {
		e := c.recent.Back()
		st := c.recent.Remove(e).(*Stmt)
		delete(c.byText, st.text)
		st.kept = false
		if !st.busy {
			_ = st.raw.Close()
		}
	}
}

// Close closes the statements kept.
func (c *Cache) Close() {
	c.size = 0
	c.trim()
}

// Row is memory for a row of so many columns, until the statement is released.
func (s *Stmt) Row(columns int) []driver.Value {
	if cap(s.row) < columns {
		s.row = make([]driver.Value, columns)
	}
	s.row = s.row[:columns]
	return s.row
}

// Release ends the use of the statement.
func (s *Stmt) Release() error {
	clear(s.row)
	s.busy = false
	if s.kept {
		return nil
	}
	return s.raw.Close()
}

var errOldDriver = errors.New("orm: the driver's statements know no contexts; use a newer version of it")

// Exec runs the statement.
func (s *Stmt) Exec(ctx context.Context, args []any) (driver.Result, error) {
	if e, ok := s.raw.(driver.StmtExecContext); ok {
		defer s.cache.forget()
		return e.ExecContext(ctx, s.cache.named(args))
	}
	return nil, errOldDriver
}

// Query runs the statement for its rows.
func (s *Stmt) Query(ctx context.Context, args []any) (driver.Rows, error) {
	if q, ok := s.raw.(driver.StmtQueryContext); ok {
		defer s.cache.forget()
		return q.QueryContext(ctx, s.cache.named(args))
	}
	return nil, errOldDriver
}

// maxArgs is for how many arguments memory is kept: those of a batch of rows.
const maxArgs = 2000

// forget lets go of the arguments of a run, which the driver has read.
func (c *Cache) forget() {
	if clear(c.args); cap(c.args) > maxArgs {
		c.args = nil
	}
}

func (c *Cache) named(args []any) []driver.NamedValue {
	c.args = slices.Grow(c.args[:0], len(args))
	for i, arg := range args {
		c.args = append(c.args, driver.NamedValue{Ordinal: i + 1, Value: arg})
	}
	return c.args
}
