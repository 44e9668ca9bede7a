// Package dbsession keeps the sessions of an app in its database:
//
//	app.Install(
//		db.Open(""),
//		dbsession.New(),
//	)
//
// The cookie then holds nothing but a random ID, and the table retort_sessions,
// which migrate makes, only a hash of that. A session ends on the server: a
// logout is one, a user's sessions can be listed and ended, and of two requests
// at once none undoes the work of the other. See package session.
//
// Expired sessions are deleted once an hour by a program that serves, and by the
// command clearsessions.
package dbsession

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/internal/sessioncleaner"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/session"
	_ "github.com/retort-web/retort/session/dbsession/migrations" // of the table
)

// Options change what [New] makes.
type Options struct {
	// Database is the name of one of several databases, see [orm.Databases].
	// Default: the one that was given to db.Open.
	Database string

	// CleanEvery is how often a program that serves deletes the sessions that
	// have expired, a thousand at a time. Default: an hour; negative never does,
	// and leaves it to the command clearsessions.
	CleanEvery time.Duration
}

// Extension keeps an app's sessions in its database. [New] makes it.
type Extension struct {
	options Options
	app     *retort.App
}

// New returns the extension.
func New(options ...Options) *Extension {
	e := &Extension{}
	if len(options) > 0 {
		e.options = options[0]
	}
	return e
}

// Name returns "dbsession".
func (e *Extension) Name() string { return "dbsession" }

// Install implements [retort.Extension].
func (e *Extension) Install(app *retort.App) error {
	store, err := e.Store(app)
	if err != nil {
		return err
	}
	app.SessionStore(store)
	return nil
}

// Store prepares the app for the sessions and returns their store: what Install does, for
// an extension that puts another store in front, such as cachedsession.
func (e *Extension) Store(app *retort.App) (session.ServerStore, error) {
	if e.app != nil {
		return nil, errors.New("dbsession: the extension is installed already; make one with dbsession.New for each app")
	}
	e.app = app
	app.OnStartup(func(ctx context.Context) error {
		if _, err := orm.DBFrom(ctx); errors.Is(err, orm.ErrNoDatabase) {
			return fmt.Errorf("dbsession: the app has no database; install db.Open: %w", err)
		}
		return nil
	})
	sessioncleaner.Install(app, e.options.CleanEvery)
	return NewStore(e.options.Database), nil
}

var _ retort.Extension = (*Extension)(nil)
