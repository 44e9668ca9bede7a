package db

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/retort-web/retort/orm"
)

// link is the way to one database. It connects at the first query and, after a failure,
// again.
type link struct {
	extension *Extension
	name      string // for messages; empty for the default database
	url       string

	conn atomic.Pointer[orm.DB] // nil until it is open

	mu       sync.Mutex // held to open and to close
	closed   bool
	failure  error // of the last attempt to open
	failedAt time.Time
}

// Opening is tried for openTimeout, and not again within openPause after it has
// failed: requests that need the database fail quickly while it is away, and
// are well again soon after it is back.
const (
	openTimeout = 2 * time.Second
	openPause   = time.Second
)

// database returns the connection, opening it if need be.
func (l *link) database(ctx context.Context) (*orm.DB, error) {
	if conn := l.conn.Load(); conn != nil {
		return conn, nil
	}
	return l.open(ctx)
}

func (l *link) open(ctx context.Context) (*orm.DB, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if conn := l.conn.Load(); conn != nil {
		return conn, nil
	}
	if l.closed {
		return nil, fmt.Errorf("%w: the app has been shut down", orm.ErrUnavailable)
	}
	if l.failure != nil && time.Since(l.failedAt) < openPause {
		return nil, l.failure
	}
	app := l.extension.app
	url := l.url
	if url == "" && l.name == "" {
		url = app.Config().DatabaseURL
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
	if err != nil && l.name != "" {
		err = fmt.Errorf("db: database %s: %w", l.name, err)
	}
	if err != nil {
		if l.failure == nil && isAway(err) {
			app.Logger().Error("the database cannot be opened", "error", err)
		}
		l.failure, l.failedAt = err, time.Now()
		return nil, err
	}
	if l.failure != nil {
		app.Logger().Info("the database is back")
		l.failure = nil
	}
	if app.Config().Debug {
		conn.AddHook(watcher{l.extension.guard})
		conn.CheckTransactions(true)
	}
	for _, h := range l.extension.options.Hooks {
		conn.AddHook(h)
	}
	l.conn.Store(conn)
	return conn, nil
}

// close closes the database for good.
func (l *link) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	if conn := l.conn.Load(); conn != nil {
		return conn.Close()
	}
	return nil
}
