// Package mysql connects package orm to MySQL, 8.0.19 and later, and to MariaDB, 10.6 and
// later. Importing it registers the URL schemes "mysql" and "mariadb":
//
//	import _ "github.com/retort-web/retort/orm/mysql"
//
//	db, err := orm.Open(ctx, "mysql://user:password@127.0.0.1:3306/blog")
//
// # Sessions
//
// Connections are set up so that queries mean the same as on other databases: text is
// UTF-8 and compared by code point, with case and trailing spaces; what does not fit is
// an error and never cut (strict mode); times are UTC; names are quoted with ", texts
// with ', and a backslash is just a character; || joins texts. The number of rows changed
// is that of the rows found, also of those that had the values already.
//
// Transactions are READ COMMITTED unless they ask for another level: with MySQL's own
// default, REPEATABLE READ, a transaction that waited for another would not see what that
// one has written.
//
// # Cancellation
//
// When a context ends, the server is told, on a connection of its own, to stop the
// statement (KILL QUERY). A connection that does not come back from it in a few seconds
// is closed.
package mysql

import (
	"context"
	"fmt"

	driver "github.com/go-sql-driver/mysql"

	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/orm/schema"
	ddl "github.com/retort-web/retort/orm/schema/mysql"
)

func init() {
	orm.RegisterDriver("mysql", opener{})
	orm.RegisterDriver("mariadb", opener{})
}

type opener struct{}

// Open implements orm.Driver.
func (opener) Open(ctx context.Context, rawURL string) (orm.Backend, error) {
	cfg, options, err := parseURL(rawURL)
	if err != nil {
		return nil, err
	}
	return open(ctx, cfg, options)
}

// Open opens the database of a URL without options, mysql://user:password@host/name.
func Open(ctx context.Context, url string, options Options) (*orm.DB, error) {
	cfg, fromURL, err := parseURL(url)
	if err != nil {
		return nil, err
	}
	if fromURL != (Options{}) {
		return nil, fmt.Errorf("mysql: options are given both in the URL and beside it")
	}
	if err := options.check(); err != nil {
		return nil, err
	}
	b, err := open(ctx, cfg, options)
	if err != nil {
		return nil, err
	}
	return orm.NewDB(b), nil
}

// database is an open database.
type database struct {
	options Options
	server  *server
	pool    connections
	dialect dialect
}

func open(ctx context.Context, cfg *driver.Config, options Options) (*database, error) {
	options.setDefaults()
	s, err := newServer(cfg, options)
	if err != nil {
		return nil, err
	}
	d := &database{options: options, server: s, pool: newPool(options, s.connect)}
	c, err := d.pool.Take(ctx)
	if err != nil {
		return nil, d.Classify(fmt.Errorf("mysql: connecting: %w", err))
	}
	d.pool.Give(c)
	d.dialect = s.dialect
	return d, nil
}

func (d *database) Dialect() orm.Dialect { return d.dialect }

func (d *database) Schema() schema.Dialect { return ddl.Dialect{MariaDB: d.dialect.mariaDB} }

func (d *database) Classify(err error) error { return classify(err) }

// Query takes another connection when one turns out to be dead before it was asked
// anything that changes data.
func (d *database) Query(ctx context.Context, s orm.Statement) (orm.Rows, error) {
	for {
		c, err := d.pool.Take(ctx)
		if err != nil {
			return nil, err
		}
		r, err := c.query(ctx, s, func() { d.pool.Give(c) })
		if c.again(err, s.Write) {
			continue
		}
		return r, err
	}
}

func (d *database) Exec(ctx context.Context, s orm.Statement) (orm.Result, error) {
	for {
		c, err := d.pool.Take(ctx)
		if err != nil {
			return orm.Result{}, err
		}
		result, err := c.exec(ctx, s)
		d.pool.Give(c)
		if c.again(err, s.Write) {
			continue
		}
		return result, err
	}
}

func (d *database) Close() error { return d.pool.Close() }

// tx is a transaction. It has its connection to itself.
type tx struct {
	conn          *conn
	pool          connections
	noForeignKeys bool
}

func (d *database) Begin(ctx context.Context, options orm.TxOptions) (orm.Tx, error) {
	for {
		c, err := d.pool.Take(ctx)
		if err != nil {
			return nil, err
		}
		t := &tx{conn: c, pool: d.pool, noForeignKeys: options.WithoutForeignKeys}
		err = t.begin(ctx, options)
		if err == nil {
			c.inTx = true
			return t, nil
		}
		c.broken.Store(true) // and with it what of the beginning was done
		d.pool.Give(c)
		if !c.again(err, false) {
			return nil, err
		}
	}
}

func (t *tx) begin(ctx context.Context, options orm.TxOptions) error {
	var statements []string
	if t.noForeignKeys {
		statements = append(statements, "SET foreign_key_checks = 0")
	}
	if options.Isolation != orm.DefaultIsolation {
		// It is for the next transaction only.
		statements = append(statements, "SET TRANSACTION ISOLATION LEVEL "+string(options.Isolation))
	}
	begin := "START TRANSACTION"
	if options.ReadOnly {
		begin += " READ ONLY"
	}
	for _, sql := range append(statements, begin) {
		if err := t.conn.run(ctx, sql); err != nil {
			return err
		}
	}
	return nil
}

// KeepsRows is true: what is left of an open result is read before the next statement.
func (t *tx) KeepsRows() bool { return true }

func (t *tx) Query(ctx context.Context, s orm.Statement) (orm.Rows, error) {
	return t.conn.query(ctx, s, func() {})
}

func (t *tx) Exec(ctx context.Context, s orm.Statement) (orm.Result, error) {
	return t.conn.exec(ctx, s)
}

// Commit is not interrupted by the end of the context: nobody would know what became
// of it.
func (t *tx) Commit(ctx context.Context) error { return t.end(ctx, "COMMIT") }

func (t *tx) Rollback(ctx context.Context) error {
	err := t.end(ctx, "ROLLBACK")
	if isLost(err) || isInterrupted(err) {
		// The connection is closed, and the server rolls back what it has left.
		return nil
	}
	return err
}

func (t *tx) end(ctx context.Context, sql string) error {
	ctx = context.WithoutCancel(ctx)
	err := t.conn.run(ctx, sql)
	if t.noForeignKeys && err == nil {
		if t.conn.run(ctx, "SET foreign_key_checks = 1") != nil {
			t.conn.broken.Store(true)
		}
	}
	if err != nil {
		t.conn.broken.Store(true)
	}
	t.conn.inTx = false
	t.pool.Give(t.conn)
	return err
}
