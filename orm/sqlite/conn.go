package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/orm/internal/pool"
	"github.com/retort-web/retort/orm/internal/statement"
)

// conn is one connection with the statements prepared on it. One statement runs
// at a time; the lock keeps a transaction whose context reached several
// goroutines from breaking the connection.
type conn struct {
	mu   sync.Mutex
	raw  driver.Conn
	keep bool // even when broken: closing it would lose a database in memory
	// broken is set by an error after which the connection is of no more use: the
	// file was moved away, cannot be read, or is not a database.
	broken atomic.Bool
	file   int // the place's number of the file that this is a connection to

	statements *statement.Cache
	reading    []*rows // of a transaction, open
}

func newConn(raw driver.Conn, size int) *conn {
	return &conn{raw: raw, statements: statement.NewCache(raw, size)}
}

func (c *conn) exec(ctx context.Context, s orm.Statement) (orm.Result, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settle()
	st, err := c.statements.Prepare(ctx, s.SQL, s.Once)
	if err != nil {
		return orm.Result{}, err
	}
	result, err := st.Exec(ctx, s.Args)
	c.note(err)
	if releaseErr := st.Release(); err == nil {
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

// query runs a statement. The connection goes to the pool, if there is one, when the rows
// are closed, or at once with an error.
func (c *conn) query(ctx context.Context, s orm.Statement, to *pool.Pool[*conn]) (orm.Rows, error) {
	r, err := c.open(ctx, s, to == nil)
	if err != nil {
		if to != nil {
			to.Give(c)
		}
		return nil, err
	}
	r.pool = to
	return r, nil
}

func (c *conn) open(ctx context.Context, s orm.Statement, inTx bool) (*rows, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.Write {
		c.settle()
	}
	st, err := c.statements.Prepare(ctx, s.SQL, s.Once)
	if err != nil {
		return nil, err
	}
	raw, err := st.Query(ctx, s.Args)
	if err != nil {
		c.note(err)
		_ = st.Release()
		return nil, err
	}
	columns := raw.Columns()
	r := &rows{ctx: ctx, conn: c, stmt: st, raw: raw, columns: columns, values: st.Row(len(columns))}
	if inTx && !s.Write {
		c.reading = append(c.reading, r)
	}
	return r, nil
}

// settle reads what is left of the open results of a transaction, before a statement
// changes what they would find, https://www.sqlite.org/isolation.html.
func (c *conn) settle() {
	for _, r := range c.reading {
		r.buffer()
	}
	clear(c.reading)
	c.reading = c.reading[:0]
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
	c.statements.Close()
	return c.raw.Close()
}

// rows is an open result.
type rows struct {
	ctx     context.Context
	conn    *conn
	stmt    *statement.Stmt
	raw     driver.Rows
	columns []string
	values  []driver.Value
	pool    *pool.Pool[*conn] // that gets the connection back
	err     error
	closed  bool

	settled bool             // all rows were read
	ahead   [][]driver.Value // those that were read because something else was in the way
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
	switch {
	case len(r.ahead) > 0:
		r.values, r.ahead[0] = r.ahead[0], nil
		r.ahead = r.ahead[1:]
		return true
	case r.settled:
		return false
	}
	return r.read()
}

// read reads the next row.
func (r *rows) read() bool {
	err := r.raw.Next(r.values)
	if errors.Is(err, io.EOF) {
		return false
	}
	r.conn.note(err)
	r.err = err
	return err == nil
}

// buffer reads all rows that are left, and ends the statement.
func (r *rows) buffer() {
	row := slices.Clone(r.values)
	for r.err == nil && r.read() {
		r.ahead = append(r.ahead, slices.Clone(r.values))
	}
	r.values, r.settled = row, true
	r.end()
}

// end ends the statement.
func (r *rows) end() {
	err := r.raw.Close()
	if releaseErr := r.stmt.Release(); err == nil {
		err = releaseErr
	}
	r.conn.note(err)
	if r.err == nil {
		r.err = err
	}
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
	r.values = nil // the memory is the statement's
	r.ahead = nil
	r.conn.mu.Lock()
	if !r.settled {
		r.end()
		r.conn.reading = slices.DeleteFunc(r.conn.reading, func(other *rows) bool { return other == r })
	}
	r.conn.mu.Unlock()
	if r.pool != nil {
		r.pool.Give(r.conn)
	}
}
