// Package postgres connects package orm to PostgreSQL, version 13 and later.
// Importing it registers the URL schemes "postgres" and "postgresql":
//
//	import _ "github.com/retort-web/retort/orm/postgres"
//
//	db, err := orm.Open(ctx, "postgres://user:password@host:5432/blog?sslmode=verify-full")
//
// It speaks to the server through pgx, without package database/sql, and stores
// what the server sends, in its binary form, directly in the fields of rows. Each
// connection keeps the statements that come again prepared.
//
// A pgx pool that the program has anyway can be used as well: see [New].
package postgres

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/orm/schema"
	ddl "github.com/retort-web/retort/orm/schema/postgres"
)

func init() {
	orm.RegisterDriver("postgres", opener{})
	orm.RegisterDriver("postgresql", opener{})
}

// Options are the options of a database that are not part of a URL as other
// programs know it. The zero value is right for most.
type Options struct {
	// Statements is how many prepared statements each connection keeps. None,
	// with a negative number, is for a pooler between this program and the
	// server that gives each transaction another connection. Default: 200.
	Statements int
	// SimpleProtocol sends values as part of the SQL text, for poolers that
	// know nothing else. It implies that no statements are kept.
	SimpleProtocol bool
	// QueueTimeout is how long a statement waits for a connection while all are
	// in use. Default: 30s.
	QueueTimeout time.Duration
}

func (o *Options) check() error {
	if o.QueueTimeout < 0 {
		return fmt.Errorf("postgres: queue_timeout %v is negative", o.QueueTimeout)
	}
	return nil
}

func (o *Options) setDefaults() {
	if o.Statements == 0 {
		o.Statements = 200
	}
	if o.Statements < 0 || o.SimpleProtocol {
		o.Statements = 0
	}
	if o.QueueTimeout == 0 {
		o.QueueTimeout = 30 * time.Second
	}
}

type opener struct{}

// Open implements orm.Driver.
func (opener) Open(ctx context.Context, url string) (orm.Backend, error) {
	config, options, err := parseURL(url)
	if err != nil {
		return nil, err
	}
	return open(ctx, config, options)
}

// Open connects to the database of a URL. Options in the URL win over options.
func Open(ctx context.Context, url string, options Options) (*orm.DB, error) {
	config, fromURL, err := parseURL(url)
	if err != nil {
		return nil, err
	}
	if fromURL.Statements == 0 {
		fromURL.Statements = options.Statements
	}
	if fromURL.QueueTimeout == 0 {
		fromURL.QueueTimeout = options.QueueTimeout
	}
	fromURL.SimpleProtocol = fromURL.SimpleProtocol || options.SimpleProtocol
	d, err := open(ctx, config, fromURL)
	if err != nil {
		return nil, err
	}
	return orm.NewDB(d), nil
}

// New makes a database of a pool that the program has opened. Closing the
// database leaves the pool open.
//
// The pool keeps its own ways of watching contexts and idle connections. Its
// sessions should have the time zone UTC.
func New(pool *pgxpool.Pool, options Options) (*orm.DB, error) {
	if err := options.check(); err != nil {
		return nil, err
	}
	return orm.NewDB(newDatabase(pool, options, false)), nil
}

// cancelPatience is how long a connection whose query was cancelled waits for the
// server to say so, before it is closed.
const cancelPatience = 5 * time.Second

func open(ctx context.Context, config *pgxpool.Config, options Options) (*database, error) {
	if err := options.check(); err != nil {
		return nil, err
	}
	// A cancelled context asks the server to stop the query, which keeps the
	// connection; pgx's default would only close it.
	config.ConnConfig.BuildContextWatcherHandler = func(c *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: c, DeadlineDelay: cancelPatience}
	}
	config.ShouldPing = shouldPing
	if config.PingTimeout == 0 {
		config.PingTimeout = cancelPatience
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, classify(err)
	}
	d := newDatabase(pool, options, true)
	c, err := d.take(ctx)
	if err != nil {
		pool.Close()
		return nil, classify(err)
	}
	d.give(c)
	return d, nil
}

// database is an open database.
type database struct {
	pool    *pgxpool.Pool
	own     bool // the pool is closed with the database
	options Options
	// slots bounds how many connections are taken, so that a wait for one can be
	// told from the making of one.
	slots   chan struct{}
	waiting atomic.Int32 // for a slot
	idle    idleConns
	held    heldConns
}

func newDatabase(pool *pgxpool.Pool, options Options, own bool) *database {
	options.setDefaults()
	d := &database{pool: pool, own: own, options: options, slots: make(chan struct{}, pool.Config().MaxConns)}
	// Others may wait for the connections of a pool that is not ours alone.
	d.idle.closed, d.held.closed = !own, !own
	d.held.db = d
	return d
}

// defaultConns is how many connections a pool has if nobody says otherwise.
func defaultConns() int32 { return int32(max(10, 4*runtime.GOMAXPROCS(0))) }

var (
	errClosed = errors.New("postgres: the database is closed")
	errQueue  = errors.New("postgres: no connection became free; inside orm.Atomic, use the context that it gives to its function, and close rows that are no longer read; or give the pool more, pool_max_conns in the URL")
)

// take returns a connection, waiting for one if all are taken.
func (d *database) take(ctx context.Context) (*conn, error) {
	if c := d.held.pop(ctx.Done()); c != nil {
		if c.isAlive() {
			return c, nil
		}
		c.letGo()
		c.release()
	} else if err := d.wait(ctx); err != nil {
		return nil, err
	}
	c, err := d.idleOrNew(ctx)
	if err != nil {
		return nil, err
	}
	d.held.begin(ctx, c)
	return c, nil
}

// wait waits for a slot.
func (d *database) wait(ctx context.Context) error {
	select {
	case d.slots <- struct{}{}:
		return nil
	default:
	}
	d.waiting.Add(1)
	defer d.waiting.Add(-1)
	timer := time.NewTimer(d.options.QueueTimeout)
	defer timer.Stop()
	select {
	case d.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return errQueue
	}
}

// idleOrNew returns a connection for a slot that was taken; without one the slot is free
// again.
func (d *database) idleOrNew(ctx context.Context) (*conn, error) {
	if c := d.latest(); c != nil {
		return c, nil
	}
	pooled, err := d.pool.Acquire(ctx)
	if err != nil {
		<-d.slots
		if isClosedPool(err) {
			err = errClosed
		}
		return nil, err
	}
	return d.connOf(pooled), nil
}

// latest returns a connection that was in use a moment ago, or nil.
func (d *database) latest() *conn {
	for c := d.idle.pop(); c != nil; c = d.idle.pop() {
		if c.isAlive() {
			return c
		}
		c.release() // the pool finds out what it is
	}
	return nil
}

// give returns a connection that is not needed any more.
func (d *database) give(c *conn) {
	if d.held.keep(c) {
		return
	}
	if !d.idle.push(c) {
		c.release()
	}
	<-d.slots
}

func (d *database) Dialect() orm.Dialect { return dialect{} }

func (d *database) Schema() schema.Dialect { return ddl.Dialect{} }

func (d *database) Classify(err error) error { return classify(err) }

func (d *database) Close() error {
	if d.own {
		d.held.close()
		d.idle.close()
		d.pool.Close()
	}
	return nil
}

// Query runs a statement on a connection of its own, which is free again when the
// rows are closed. It takes another connection when one turns out to be dead, provided
// that the statement changes nothing.
func (d *database) Query(ctx context.Context, s orm.Statement) (orm.Rows, error) {
	c, err := d.take(ctx)
	if err != nil {
		return nil, err
	}
	r, err := d.query(ctx, c, s)
	if stale(err) {
		r, err = d.query(ctx, c, s)
	}
	if err != nil {
		again := !s.Write && c.died(ctx)
		d.give(c)
		if again {
			return d.Query(ctx, s)
		}
		return nil, err
	}
	if r.closed {
		d.give(c)
		return r, nil
	}
	r.conn = c
	return r, nil
}

func (d *database) Exec(ctx context.Context, s orm.Statement) (orm.Result, error) {
	c, err := d.take(ctx)
	if err != nil {
		return orm.Result{}, err
	}
	defer d.give(c)
	result, err := d.exec(ctx, c, s)
	if stale(err) {
		result, err = d.exec(ctx, c, s)
	}
	return result, err
}

// query runs a statement on a connection.
func (d *database) query(ctx context.Context, c *conn, s orm.Statement) (*rows, error) {
	if d.options.SimpleProtocol {
		return c.querySimple(ctx, s)
	}
	return c.query(ctx, s)
}

// exec runs a statement on a connection and reads its outcome.
func (d *database) exec(ctx context.Context, c *conn, s orm.Statement) (orm.Result, error) {
	if !d.options.SimpleProtocol {
		affected, err := c.exec(ctx, s)
		return orm.Result{Affected: affected}, err
	}
	r, err := c.querySimple(ctx, s)
	if err != nil {
		return orm.Result{}, err
	}
	r.Close()
	return orm.Result{Affected: r.affected}, r.err
}

// simpleMode makes pgx send values within the SQL text.
const simpleMode = pgx.QueryExecModeSimpleProtocol
