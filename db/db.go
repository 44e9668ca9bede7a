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
// The commands makemigrations, migrate, showmigrations, sqlmigrate, lintmigrations,
// squashmigrations and rebasemigrations are added
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
	"net"
	"strconv"
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
	// Databases are further databases: their URLs, by the names under which
	// [orm.Using] and the routers know them.
	Databases map[string]string
	// Replicas are the URLs of copies of the database that follow it. They serve
	// queries that only read, see [orm.Databases].
	Replicas []string
	// ZeroDowntime lets makemigrations always write steps during which a site goes
	// on, as its flag --zero-downtime does.
	ZeroDowntime bool
	// Routers decide which database the queries of a model go to. Default: the one
	// that was given to [Open].
	Routers []orm.Router
}

// Extension is the database of an app, or several, made by [Open].
type Extension struct {
	link      *link   // to the default database
	links     []*link // to all
	databases *orm.Databases
	options   Options
	app       *retort.App

	watching atomic.Bool // debug mode: statements are recorded
	guard    *orm.QueryGuard
}

// Open returns the extension that connects an app to the database of a URL,
// "sqlite:blog.db"; the package of its driver must be imported. An empty URL
// stands for the app's [retort.Config].DatabaseURL.
func Open(url string, options ...Options) *Extension {
	e := &Extension{guard: &orm.QueryGuard{Report: reportRepeated}}
	if len(options) > 0 {
		e.options = options[0]
	}
	if e.options.SlowQuery == 0 {
		e.options.SlowQuery = 100 * time.Millisecond
	}
	e.link = e.newLink("", url)
	e.databases = &orm.Databases{Default: e.link.database, Named: map[string]orm.Opener{}, Routers: e.options.Routers}
	for name, url := range e.options.Databases {
		e.databases.Named[name] = e.newLink(name, url).database
	}
	for i, url := range e.options.Replicas {
		e.databases.Replicas = append(e.databases.Replicas, e.newLink("replica "+strconv.Itoa(i+1), url).database)
	}
	return e
}

func (e *Extension) newLink(name, url string) *link {
	l := &link{extension: e, name: name, url: url}
	e.links = append(e.links, l)
	return l
}

// Name returns "db".
func (e *Extension) Name() string { return "db" }

// Install implements [retort.Extension].
func (e *Extension) Install(app *retort.App) error {
	if e.app != nil {
		return errors.New("db: the extension is installed already; make one with db.Open for each app")
	}
	e.app = app
	if len(e.links) == 1 && len(e.options.Routers) == 0 {
		app.ExtendContext(func(ctx context.Context) context.Context {
			return orm.WithOpener(ctx, e.database)
		})
	} else {
		app.ExtendContext(e.databases.Context)
		// Each request remembers for itself what it has written.
		app.Use(func(next retort.Handler) retort.Handler {
			return func(c *retort.Ctx) error { return next(c.WithContext(e.databases.Context(c))) }
		})
	}
	app.OnStartup(e.start)
	app.OnShutdown(e.close)
	app.ReadinessCheck("database", func(ctx context.Context) error {
		conn, err := e.database(ctx)
		if err != nil {
			return err
		}
		return conn.Ping(ctx)
	})
	app.OnReady(func(net.Addr) { app.Go("check of the migrations", e.warnPending) })
	app.TranslateError(translate)
	app.Before(e.watch)
	app.DebugSection(statements)
	app.Check(e.check)
	app.Command(e.migrateCommand(), e.makeCommand(), e.showCommand(), e.sqlCommand(), e.lintCommand(), e.inspectCommand(), e.rebaseCommand(), e.squashCommand())
	return nil
}

// start opens the database before the app serves. A database that is away is
// only a warning, since it may come back; a URL that cannot be right is an error.
func (e *Extension) start(ctx context.Context) error {
	e.watching.Store(e.app.Config().Debug)
	if _, named := e.options.Databases[orm.DefaultDatabase]; named {
		return errors.New("db: the name \"default\" is that of the database given to db.Open; give the other one another name")
	}
	if err := orm.CheckModels(); err != nil {
		return err
	}
	if len(e.options.Routers) > 0 {
		if err := e.databases.Check(ctx); err != nil {
			return err
		}
	}
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

// database returns the default database, opening it if need be.
func (e *Extension) database(ctx context.Context) (*orm.DB, error) { return e.link.database(ctx) }

// close closes the databases for good.
func (e *Extension) close(context.Context) error {
	var errs []error
	for _, l := range e.links {
		errs = append(errs, l.close())
	}
	return errors.Join(errs...)
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
