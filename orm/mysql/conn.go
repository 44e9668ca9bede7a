package mysql

import (
	"context"
	"database/sql/driver"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/orm/internal/statement"
)

// conn is one connection with the statements prepared on it. One statement runs at a
// time; the lock keeps a transaction whose context reached several goroutines from
// breaking the connection.
type conn struct {
	server     *server
	id         atomic.Int64 // the server's number of the connection; 0 until it has said it
	raw        driver.Conn
	line       net.Conn
	statements *statement.Cache
	born       time.Time
	usedBefore bool // for another task
	// broken is set when the connection must not be used for another task.
	broken atomic.Bool
	inTx   bool // what is stopped too late would stop another statement of it

	mu   sync.Mutex
	open *rows // not read to the end

	// The end of a context reaches a running statement through these.
	onCancel    func()
	finished    chan struct{} // the statement has ended
	interrupted chan struct{} // the interruption has ended
}

func newConn(s *server, raw driver.Conn, line net.Conn) *conn {
	c := &conn{
		server: s, raw: raw, line: line, statements: statement.NewCache(raw, s.options.Statements), born: time.Now(),
		finished: make(chan struct{}, 1), interrupted: make(chan struct{}, 1),
	}
	c.onCancel = c.interrupt
	return c
}

// watch has the statement that is about to run stopped when the context ends. The
// function it returns is called when the statement has ended.
func (c *conn) watch(ctx context.Context) (end func()) {
	if ctx.Done() == nil {
		return func() {}
	}
	stop := context.AfterFunc(ctx, c.onCancel)
	return func() {
		if !stop() {
			c.finished <- struct{}{}
			<-c.interrupted
		}
	}
}

// interrupt stops the running statement. Whether the KILL meets it, or comes too late
// and perhaps meets the next one, is not known, so that the connection is of no
// more use.
func (c *conn) interrupt() {
	defer func() { c.interrupted <- struct{}{} }()
	c.broken.Store(true)
	if id := c.id.Load(); id == 0 || !c.server.kill(id, c.finished) {
		_ = c.line.Close()
		<-c.finished
	}
}

// exec runs a statement. One without arguments is not prepared: some cannot be, and
// it takes one round trip less.
func (c *conn) exec(ctx context.Context, s orm.Statement) (orm.Result, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.ready(ctx); err != nil {
		return orm.Result{}, err
	}
	defer c.watch(ctx)()
	var result driver.Result
	var err error
	if len(s.Args) == 0 {
		result, err = c.raw.(driver.ExecerContext).ExecContext(context.Background(), s.SQL, nil)
	} else {
		result, err = c.execPrepared(s)
	}
	c.note(err)
	if err != nil {
		return orm.Result{}, c.explain(err, s.SQL)
	}
	var r orm.Result
	if r.Affected, err = result.RowsAffected(); err == nil {
		r.LastID, err = result.LastInsertId()
	}
	return r, err
}

func (c *conn) execPrepared(s orm.Statement) (driver.Result, error) {
	st, err := c.prepare(s)
	if err != nil {
		return nil, err
	}
	result, err := st.Exec(context.Background(), s.Args)
	if releaseErr := st.Release(); err == nil {
		err = releaseErr
	}
	return result, err
}

// prepare marks an error as one that came before anything was done.
func (c *conn) prepare(s orm.Statement) (*statement.Stmt, error) {
	st, err := c.statements.Prepare(context.Background(), s.SQL, s.Once)
	if err != nil && isLost(err) {
		err = &unsentError{err}
	}
	return st, err
}

func (c *conn) run(ctx context.Context, sql string) error {
	_, err := c.exec(ctx, orm.Statement{SQL: sql})
	return err
}

// query runs a statement; done is called when its rows are closed, or at once with an
// error.
func (c *conn) query(ctx context.Context, s orm.Statement, done func()) (orm.Rows, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.ready(ctx); err != nil {
		done()
		return nil, err
	}
	end := c.watch(ctx)
	r := &rows{ctx: ctx, conn: c, done: done, end: end}
	var err error
	if len(s.Args) == 0 {
		r.raw, err = c.raw.(driver.QueryerContext).QueryContext(context.Background(), s.SQL, nil)
	} else if r.stmt, err = c.prepare(s); err == nil {
		r.raw, err = r.stmt.Query(context.Background(), s.Args)
	}
	c.note(err)
	if err != nil {
		err = c.explain(err, s.SQL)
		if r.stmt != nil {
			_ = r.stmt.Release()
		}
		end()
		done()
		return nil, err
	}
	r.describe()
	c.open = r
	return r, nil
}

// ready makes the connection ready for another statement. The protocol has one result
// at a time, so that what is left of an open one is read now.
func (c *conn) ready(ctx context.Context) error {
	if c.open != nil {
		c.open.buffer()
	}
	return ctx.Err()
}

// note looks at an error for what it says about the connection.
func (c *conn) note(err error) {
	if isLost(err) || err != nil && endsConnection(err) {
		c.broken.Store(true)
	}
}

// again reports an error after which the statement can be tried on another connection.
func (c *conn) again(err error, write bool) bool {
	if err == nil || !isLost(err) {
		return false
	}
	// A new connection that is lost says that it is not the connection's age.
	return c.usedBefore && (wasNotSent(err) || !write)
}

// healthy reports that the other side has not hung up on an idle connection.
func (c *conn) healthy(ctx context.Context) bool {
	return c.raw.(driver.Validator).IsValid() && c.raw.(driver.SessionResetter).ResetSession(ctx) == nil
}

func (c *conn) close() error { return c.raw.Close() }
