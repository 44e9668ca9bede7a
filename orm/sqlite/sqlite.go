// Package sqlite connects package orm to SQLite, without cgo. Importing it
// registers the URL scheme "sqlite":
//
//	import _ "github.com/retort-web/retort/orm/sqlite"
//
//	db, err := orm.Open(ctx, "sqlite:blog.db")
//
// A database is opened as a web site needs it: write-ahead log, foreign keys
// enforced, five seconds of patience with other processes. There is one
// connection that writes and a pool of those that read: within a process,
// writers queue instead of failing with "database is locked", and readers never
// wait for them. Transactions that may write take the write lock when they begin,
// because one that reads first and writes then could not be made to wait.
//
// "sqlite::memory:" is a database in memory, of its own for each Open, that is
// gone when it is closed.
package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	modernc "modernc.org/sqlite"

	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/orm/internal/pool"
	"github.com/retort-web/retort/orm/schema"
	ddl "github.com/retort-web/retort/orm/schema/sqlite"
)

func init() { orm.RegisterDriver("sqlite", opener{}) }

// Options are the options of a database. The zero value is right for most.
type Options struct {
	// BusyTimeout is how long a statement waits for another process that
	// holds a lock. Default: 5s.
	BusyTimeout time.Duration
	// Readers is the most connections that read at the same time. Default: 4
	// for each CPU, at least 16.
	Readers int
	// QueueTimeout is how long a statement waits for a connection that others of
	// this process use: of writers, there is one. Default: 30s.
	QueueTimeout time.Duration
	// Statements is how many prepared statements each connection keeps.
	// Default: 200.
	Statements int
	// Synchronous is OFF, NORMAL, FULL or EXTRA. Default: NORMAL, with which
	// a crash of the program loses nothing, and one of the machine perhaps the
	// last transactions, but never the database.
	Synchronous string
	// CacheSize is how many pages each connection caches or, if negative, how
	// many KiB. Default: SQLite's, 2 MiB.
	CacheSize int
	// ReadOnly opens a database that exists, for reading only.
	ReadOnly bool
	// Driver replaces the driver, modernc.org/sqlite, by another one that
	// understands SQLite's file: names: &sqlite3.SQLiteDriver{} of
	// mattn/go-sqlite3, or the Driver of a *sql.DB, of which the pool is not used. Error
	// kinds are recognised if its errors have a method Code() int or a field
	// ExtendedCode.
	Driver driver.Driver
}

func (o *Options) check() error {
	switch {
	case o.BusyTimeout < 0:
		return fmt.Errorf("sqlite: busy_timeout %v is negative", o.BusyTimeout)
	case o.QueueTimeout < 0:
		return fmt.Errorf("sqlite: queue_timeout %v is negative", o.QueueTimeout)
	case o.Readers < 0 || o.Readers > 10000:
		return fmt.Errorf("sqlite: readers=%d is not from 0 to 10000", o.Readers)
	case o.Statements < 0:
		return fmt.Errorf("sqlite: statements=%d is negative", o.Statements)
	case o.Synchronous != "" && !slices.Contains([]string{"OFF", "NORMAL", "FULL", "EXTRA"}, o.Synchronous):
		return fmt.Errorf("sqlite: synchronous=%q; allowed are OFF, NORMAL, FULL and EXTRA", o.Synchronous)
	}
	return nil
}

type opener struct{}

// Open implements orm.Driver.
func (opener) Open(ctx context.Context, rawURL string) (orm.Backend, error) {
	path, options, err := parseURL(rawURL)
	if err != nil {
		return nil, err
	}
	return open(ctx, path, options)
}

// Open opens the database in a file, which is made if it does not exist, or in
// memory if the path is ":memory:".
func Open(ctx context.Context, path string, options Options) (*orm.DB, error) {
	if err := options.check(); err != nil {
		return nil, err
	}
	b, err := open(ctx, path, options)
	if err != nil {
		return nil, err
	}
	return orm.NewDB(b), nil
}

// database is an open database.
type database struct {
	options Options
	name    string // for the driver
	dialect dialect
	memory  bool
	place   *place
	writer  *pool.Pool[*conn]
	readers *pool.Pool[*conn]
}

// memoryNames tells databases in memory apart.
var memoryNames atomic.Int64

func open(ctx context.Context, path string, options Options) (*database, error) {
	d := &database{options: options, memory: path == ":memory:"}
	o := &d.options
	if o.BusyTimeout == 0 {
		o.BusyTimeout = 5 * time.Second
	}
	if o.QueueTimeout == 0 {
		o.QueueTimeout = 30 * time.Second
	}
	if o.Readers == 0 {
		o.Readers = max(16, 4*runtime.GOMAXPROCS(0))
	}
	if o.Statements == 0 {
		o.Statements = 200
	}
	if o.Synchronous == "" {
		o.Synchronous = "NORMAL"
	}
	var params []string
	if o.Driver == nil {
		var err error
		if err = versions(); err != nil {
			return nil, err
		}
		if o.Driver, err = ownDriver(); err != nil {
			return nil, err
		}
		d.dialect.fold = true
		// A misspelt "column" must be an error and not a text,
		// https://www.sqlite.org/quirks.html#dblquote.
		params = append(params, "_dqs=0")
	}
	d.name = fileName(path)
	switch {
	case d.memory:
		// The memdb VFS shares a name that begins with / between connections,
		// https://www.sqlite.org/src/file/src/memdb.c.
		d.name = fmt.Sprintf("file:/retort-%d", memoryNames.Add(1))
		params = append(params, "vfs=memdb")
	case o.ReadOnly:
		params = append(params, "mode=ro")
	}
	if len(params) > 0 {
		d.name += "?" + strings.Join(params, "&")
	}
	if !d.memory {
		d.place = newPlace(path)
	}
	d.writer, d.readers = d.newPool(1, true), d.newPool(o.Readers, false)
	// Opening the writer checks the file, sets the journal mode and, for a
	// database in memory, keeps it alive.
	c, err := d.writer.Take(ctx)
	if err != nil {
		return nil, classify(fmt.Errorf("sqlite: opening %s: %w", path, err))
	}
	d.writer.Give(c)
	d.place.settle()
	if !d.memory && !o.ReadOnly {
		// From here on the file is there, or it was taken away.
		params = append(params, "mode=rw")
		d.name, _, _ = strings.Cut(d.name, "?")
		d.name += "?" + strings.Join(params, "&")
	}
	return d, nil
}

// ownDriver is modernc.org/sqlite with the functions of the dialect. A Driver of its own
// keeps them out of what other packages open.
func ownDriver() (driver.Driver, error) {
	d := &modernc.Driver{}
	return d, registerOwn(d)
}

// fileName writes a path as a file: name, https://www.sqlite.org/uri.html, in which no
// character of it is read as an option or a host.
func fileName(path string) string {
	escaped := (&url.URL{Path: path}).EscapedPath()
	if strings.HasPrefix(path, "/") {
		return "file://" + escaped
	}
	return "file:" + escaped
}

// connect opens a connection and sets it up.
func (d *database) connect(ctx context.Context, writes bool) (*conn, error) {
	raw, err := d.options.Driver.Open(d.name)
	if err != nil {
		return nil, err
	}
	c := newConn(raw, d.options.Statements)
	c.keep = d.memory
	pragmas := []string{
		"PRAGMA busy_timeout = " + strconv.FormatInt(d.options.BusyTimeout.Milliseconds(), 10),
		"PRAGMA foreign_keys = ON",
		"PRAGMA synchronous = " + d.options.Synchronous,
		"PRAGMA temp_store = MEMORY",
		"PRAGMA trusted_schema = OFF",
	}
	if d.options.CacheSize != 0 {
		pragmas = append(pragmas, "PRAGMA cache_size = "+strconv.Itoa(d.options.CacheSize))
	}
	switch {
	case !writes:
		pragmas = append(pragmas, "PRAGMA query_only = ON")
	case !d.memory:
		pragmas = append(pragmas, "PRAGMA journal_mode = WAL")
	}
	for _, pragma := range pragmas {
		if err := d.set(ctx, c, pragma); err != nil {
			_ = c.close()
			return nil, err
		}
	}
	return c, nil
}

// set runs a pragma. SQLite does not wait for others when it changes the journal
// mode, whatever the busy timeout says: two processes that open a new file at once
// would get in each other's way.
func (d *database) set(ctx context.Context, c *conn, pragma string) error {
	for end := time.Now().Add(d.options.BusyTimeout); ; {
		_, err := c.exec(ctx, orm.Statement{SQL: pragma, Once: true})
		if err == nil || !(ddl.Dialect{}).Busy(err) || time.Now().After(end) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func (d *database) Dialect() orm.Dialect { return d.dialect }

func (d *database) Schema() schema.Dialect { return ddl.Dialect{} }

func (d *database) Classify(err error) error {
	switch {
	case errors.Is(err, errClosed), errors.Is(err, errMoved):
		return fmt.Errorf("%w: %w", orm.ErrUnavailable, err)
	case errors.Is(err, errQueue):
		return fmt.Errorf("%w: %w", orm.ErrLocked, err)
	}
	return classify(err)
}

// BufferRows is true in memory, where there is no write-ahead log and an open
// result makes writers wait.
func (d *database) BufferRows() bool { return d.memory }

func (d *database) pool(write bool) *pool.Pool[*conn] {
	if write {
		return d.writer
	}
	return d.readers
}

func (d *database) Query(ctx context.Context, s orm.Statement) (orm.Rows, error) {
	p := d.pool(s.Write)
	c, err := p.Take(ctx)
	if err != nil {
		return nil, err
	}
	return c.query(ctx, s, p)
}

func (d *database) Exec(ctx context.Context, s orm.Statement) (orm.Result, error) {
	c, err := d.writer.Take(ctx)
	if err != nil {
		return orm.Result{}, err
	}
	defer d.writer.Give(c)
	return c.exec(ctx, s)
}

func (d *database) Close() error {
	// The last connection to close moves the write-ahead log into the file;
	// that must be the one that can write.
	return errors.Join(d.readers.Close(), d.writer.Close())
}

// tx is a transaction. It has its connection to itself.
type tx struct {
	conn          *conn
	pool          *pool.Pool[*conn]
	noForeignKeys bool
}

func (d *database) Begin(ctx context.Context, options orm.TxOptions) (orm.Tx, error) {
	t := &tx{pool: d.pool(!options.ReadOnly), noForeignKeys: options.WithoutForeignKeys}
	var err error
	if t.conn, err = t.pool.Take(ctx); err != nil {
		return nil, err
	}
	begin := "BEGIN IMMEDIATE"
	if options.ReadOnly || d.options.ReadOnly {
		begin = "BEGIN"
	}
	if t.noForeignKeys {
		// The pragma does nothing inside a transaction.
		err = t.conn.run(ctx, "PRAGMA foreign_keys = OFF")
	}
	if err == nil {
		err = t.conn.run(ctx, begin)
	}
	if err != nil {
		t.finish(context.WithoutCancel(ctx))
		return nil, err
	}
	return t, nil
}

// KeepsRows is true: what is left of an open result is read before the next statement
// that writes.
func (t *tx) KeepsRows() bool { return true }

func (t *tx) Query(ctx context.Context, s orm.Statement) (orm.Rows, error) {
	return t.conn.query(ctx, s, nil)
}

func (t *tx) Exec(ctx context.Context, s orm.Statement) (orm.Result, error) {
	return t.conn.exec(ctx, s)
}

func (t *tx) Commit(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	err := t.conn.run(ctx, "COMMIT")
	if err != nil {
		_ = t.conn.run(ctx, "ROLLBACK")
	}
	t.finish(ctx)
	return err
}

func (t *tx) Rollback(ctx context.Context) error {
	err := t.conn.run(ctx, "ROLLBACK")
	if err != nil && strings.Contains(err.Error(), "no transaction is active") {
		// SQLite has rolled back by itself: the disk was full, or the
		// statement was interrupted.
		err = nil
	}
	if err != nil {
		t.pool.Discard(t.conn)
		return err
	}
	t.finish(ctx)
	return nil
}

// finish gives the connection back in the state in which it was taken.
func (t *tx) finish(ctx context.Context) {
	if t.noForeignKeys {
		if err := t.conn.run(ctx, "PRAGMA foreign_keys = ON"); err != nil {
			t.pool.Discard(t.conn)
			return
		}
	}
	t.pool.Give(t.conn)
}
