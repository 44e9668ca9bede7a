package sqlite

import (
	"container/list"
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"sync"
	"sync/atomic"

	"github.com/retort-web/retort/orm"
)

// conn is one connection with the statements prepared on it. One statement runs
// at a time; the lock keeps a transaction whose context reached several
// goroutines from breaking the connection.
type conn struct {
	mu   sync.Mutex
	raw  driver.Conn
	size int  // most statements kept
	keep bool // even when broken: closing it would lose a database in memory
	// broken is set by an error after which the connection is of no more use: the
	// file was moved away, cannot be read, or is not a database.
	broken atomic.Bool
	file   int // the place's number of the file that this is a connection to

	byText map[string]*list.Element
	recent *list.List // of *stmt, most recently used first
}

// stmt is a prepared statement. It is busy while rows of it are open.
type stmt struct {
	raw  driver.Stmt
	text string
	busy bool
	kept bool
}

func newConn(raw driver.Conn, size int) *conn {
	return &conn{raw: raw, size: size, byText: map[string]*list.Element{}, recent: list.New()}
}

// prepare returns a statement that is not busy, from those kept if it can.
func (c *conn) prepare(ctx context.Context, s orm.Statement) (*stmt, error) {
	e := c.byText[s.SQL]
	if e != nil {
		if st := e.Value.(*stmt); !st.busy {
			c.recent.MoveToFront(e)
			st.busy = true
			return st, nil
		}
	}
	raw, err := c.prepareRaw(ctx, s.SQL)
	if err != nil {
		return nil, err
	}
	st := &stmt{raw: raw, text: s.SQL, busy: true}
	if e == nil && !s.Once && c.size > 0 {
		st.kept = true
		c.byText[s.SQL] = c.recent.PushFront(st)
		c.trim()
	}
	return st, nil
}

func (c *conn) prepareRaw(ctx context.Context, sql string) (driver.Stmt, error) {
	if p, ok := c.raw.(driver.ConnPrepareContext); ok {
		return p.PrepareContext(ctx, sql)
	}
	return c.raw.Prepare(sql)
}

// trim forgets the statements used least recently. A busy one is closed when it
// is done.
func (c *conn) trim() {
	for c.recent.Len() > c.size {
		e := c.recent.Back()
		st := c.recent.Remove(e).(*stmt)
		delete(c.byText, st.text)
		st.kept = false
		if !st.busy {
			_ = st.raw.Close()
		}
	}
}

func (st *stmt) release() error {
	st.busy = false
	if st.kept {
		return nil
	}
	return st.raw.Close()
}

func (c *conn) exec(ctx context.Context, s orm.Statement) (orm.Result, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	st, err := c.prepare(ctx, s)
	if err != nil {
		return orm.Result{}, err
	}
	result, err := execStmt(ctx, st.raw, s.Args)
	c.note(err)
	if releaseErr := st.release(); err == nil {
		err = releaseErr
	}
	if err != nil || result == nil {
		return orm.Result{}, err
	}
	var r orm.Result
	if r.Affected, err = result.RowsAffected(); err == nil {
		r.LastID, err = result.LastInsertId()
	}
	return r, err
}

func (c *conn) run(ctx context.Context, sql string) error {
	_, err := c.exec(ctx, orm.Statement{SQL: sql})
	return err
}

// query runs a statement; done is called when its rows are closed, or at once
// with an error.
func (c *conn) query(ctx context.Context, s orm.Statement, done func()) (orm.Rows, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	st, err := c.prepare(ctx, s)
	if err != nil {
		done()
		return nil, err
	}
	raw, err := queryStmt(ctx, st.raw, s.Args)
	if err != nil {
		c.note(err)
		_ = st.release()
		done()
		return nil, err
	}
	columns := raw.Columns()
	return &rows{ctx: ctx, conn: c, stmt: st, raw: raw, columns: columns, values: make([]driver.Value, len(columns)), done: done}, nil
}

// note looks at an error for what it says about the connection.
func (c *conn) note(err error) {
	if err != nil && !c.keep && breaks(err) {
		c.broken.Store(true)
	}
}

// close closes the statements kept and the connection.
func (c *conn) close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.size = 0
	c.trim()
	return c.raw.Close()
}

func named(args []any) []driver.NamedValue {
	list := make([]driver.NamedValue, len(args))
	for i, arg := range args {
		list[i] = driver.NamedValue{Ordinal: i + 1, Value: arg}
	}
	return list
}

var errOldDriver = errors.New("sqlite: the driver lacks QueryContext and ExecContext on its statements")

func execStmt(ctx context.Context, st driver.Stmt, args []any) (driver.Result, error) {
	if s, ok := st.(driver.StmtExecContext); ok {
		return s.ExecContext(ctx, named(args))
	}
	return nil, errOldDriver
}

func queryStmt(ctx context.Context, st driver.Stmt, args []any) (driver.Rows, error) {
	if s, ok := st.(driver.StmtQueryContext); ok {
		return s.QueryContext(ctx, named(args))
	}
	return nil, errOldDriver
}

// rows is an open result.
type rows struct {
	ctx     context.Context
	conn    *conn
	stmt    *stmt
	raw     driver.Rows
	columns []string
	values  []driver.Value
	done    func()
	err     error
	closed  bool
}

func (r *rows) Columns() []string { return r.columns }

func (r *rows) Next() bool {
	if r.closed || r.err != nil {
		return false
	}
	if r.err = r.ctx.Err(); r.err != nil {
		return false
	}
	r.conn.mu.Lock()
	defer r.conn.mu.Unlock()
	err := r.raw.Next(r.values)
	if errors.Is(err, io.EOF) {
		return false
	}
	r.conn.note(err)
	r.err = err
	return err == nil
}

func (r *rows) Scan(cells []orm.Cell) error {
	if len(cells) != len(r.values) {
		return errors.New("sqlite: the result has other columns than asked for")
	}
	for i := range cells {
		if err := cells[i].Set(r.values[i]); err != nil {
			return err
		}
	}
	return nil
}

func (r *rows) Values() ([]any, error) {
	list := make([]any, len(r.values))
	for i, v := range r.values {
		list[i] = v
	}
	return list, nil
}

func (r *rows) Err() error { return r.err }

func (r *rows) Close() {
	if r.closed {
		return
	}
	r.closed = true
	r.conn.mu.Lock()
	err := r.raw.Close()
	if releaseErr := r.stmt.release(); err == nil {
		err = releaseErr
	}
	r.conn.note(err)
	r.conn.mu.Unlock()
	if r.err == nil {
		r.err = err
	}
	r.done()
}
