// Package db gives an app a database: it joins packages orm and migrate to
// package retort.
//
//	app := retort.New(retort.Config{Name: "blog", DatabaseURL: "sqlite:blog.db"})
//	app.Install(db.Open(""))
//
// # What it brings
//
// Every request, command and background function of the app has the database on
// its context, so that a query takes the [retort.Ctx] and nothing else. The
// connection is made at the first query: a command that needs no database works
// without one, and a database that is away answers 503 and is used again as soon
// as it is back.
//
// What the database refuses is answered as what it is: 404 for a row that does
// not exist, 409 for one that exists already, 503 while the database is away,
// 507 when it is full.
//
// The commands makemigrations, migrate, showmigrations and sqlmigrate are added
// to the program; [Migrate] is the same for a program that migrates when it
// starts. [Atomic] makes each request of a route, a blueprint or the app one
// transaction.
//
// In debug mode the error page lists the statements of the request, and the log
// points out slow ones and those that repeat.
package db

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/orm"
)

// Options are the details of [Open].
type Options struct {
	// SlowQuery is how long a statement may take before the log of debug mode
	// points it out. Default: 100ms.
	SlowQuery time.Duration
	// Hooks see every statement, for tracing and measuring.
	Hooks []orm.QueryHook
}

// Extension is the database of an app, made by [Open].
type Extension struct {
	url     string
	options Options
	app     *retort.App

	conn atomic.Pointer[orm.DB] // nil until it is open

	mu       sync.Mutex // held to open and to close
	closed   bool
	failure  error // of the last attempt to open
	failedAt time.Time

	watching atomic.Bool // debug mode: statements are recorded
}

// Open returns the extension that connects an app to the database of a URL,
// "sqlite:blog.db"; the package of its driver must be imported. An empty URL
// stands for the app's [retort.Config].DatabaseURL.
func Open(url string, options ...Options) *Extension {
	e := &Extension{url: url}
	if len(options) > 0 {
		e.options = options[0]
	}
	if e.options.SlowQuery == 0 {
		e.options.SlowQuery = 100 * time.Millisecond
	}
	return e
}

// Name returns "db".
func (e *Extension) Name() string { return "db" }

// Install implements [retort.Extension].
func (e *Extension) Install(app *retort.App) error {
	if e.app != nil {
		return errors.New("db: the extension is installed already; make one with db.Open for each app")
	}
	e.app = app
	app.ExtendContext(func(ctx context.Context) context.Context {
		return orm.WithOpener(ctx, e.database)
	})
	app.OnStartup(e.start)
	app.OnShutdown(e.close)
	app.ReadinessCheck("database", func(ctx context.Context) error {
		conn, err := e.database(ctx)
		if err != nil {
			return err
		}
		return conn.Ping(ctx)
	})
	app.OnReady(func(net.Addr) {
		if app.Config().Debug {
			app.Go("check of the migrations", e.warnPending)
		}
	})
	app.TranslateError(translate)
	app.Before(e.watch)
	app.DebugSection(statements)
	app.Check(e.check)
	app.Command(e.migrateCommand(), e.makeCommand(), e.showCommand(), e.sqlCommand())
	return nil
}

// Opening is tried for openTimeout, and not again within openPause after it has
// failed: requests that need the database fail quickly while it is away, and
// are well again soon after it is back.
const (
	openTimeout = 2 * time.Second
	openPause   = time.Second
)

// start opens the database before the app serves. A database that is away is
// only a warning, since it may come back; a URL that cannot be right is an error.
func (e *Extension) start(ctx context.Context) error {
	e.watching.Store(e.app.Config().Debug)
	_, err := e.database(ctx)
	if isAway(err) {
		return nil
	}
	return err
}

// isAway reports that a database may be there again later.
func isAway(err error) bool {
	return errors.Is(err, orm.ErrUnavailable) || errors.Is(err, orm.ErrLocked)
}

// database returns the connection, opening it if need be.
func (e *Extension) database(ctx context.Context) (*orm.DB, error) {
	if conn := e.conn.Load(); conn != nil {
		return conn, nil
	}
	return e.open(ctx)
}

func (e *Extension) open(ctx context.Context) (*orm.DB, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if conn := e.conn.Load(); conn != nil {
		return conn, nil
	}
	if e.closed {
		return nil, fmt.Errorf("%w: the app has been shut down", orm.ErrUnavailable)
	}
	if e.failure != nil && time.Since(e.failedAt) < openPause {
		return nil, e.failure
	}
	cfg := e.app.Config()
	url := e.url
	if url == "" {
		url = cfg.DatabaseURL
	}
	if url == "" {
		return nil, errors.New("db: no database is configured; set DATABASE_URL, or give db.Open a URL such as sqlite:site.db")
	}
	// Others wait for this attempt too, so it does not end with one request.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), openTimeout)
	defer cancel()
	conn, err := orm.Open(ctx, url)
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("%w: no answer within %v: %w", orm.ErrUnavailable, openTimeout, err)
	}
	if err != nil {
		if e.failure == nil && isAway(err) {
			e.app.Logger().Error("the database cannot be opened", "error", err)
		}
		e.failure, e.failedAt = err, time.Now()
		return nil, err
	}
	if e.failure != nil {
		e.app.Logger().Info("the database is back")
		e.failure = nil
	}
	if cfg.Debug {
		conn.AddHook(watcher{})
	}
	for _, h := range e.options.Hooks {
		conn.AddHook(h)
	}
	e.conn.Store(conn)
	return conn, nil
}

// close closes the database for good.
func (e *Extension) close(context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
	if conn := e.conn.Load(); conn != nil {
		return conn.Close()
	}
	return nil
}

// Atomic makes each request one transaction: what the handler wrote is kept if it
// returns without an error, and nothing of it if it fails or panics. It is put
// where it is wanted:
//
//	app.Post("/transfer", transfer).Use(db.Atomic)
//	shop.Use(db.Atomic) // every route of the blueprint
//
// Requests that only read (GET, HEAD, OPTIONS) run without one. A response that
// streams holds the transaction, and on SQLite all other writers, until it ends.
func Atomic(next retort.Handler) retort.Handler {
	return func(c *retort.Ctx) error {
		switch c.Method() {
		case "GET", "HEAD", "OPTIONS":
			return next(c)
		}
		conn, err := orm.DBFrom(c)
		if err != nil {
			return err
		}
		return conn.Atomic(c, orm.TxOptions{}, func(ctx context.Context) error {
			return next(c.WithContext(ctx))
		})
	}
}

var _ retort.Extension = (*Extension)(nil)
