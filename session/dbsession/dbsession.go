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
	"math/rand/v2"
	"net"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/orm"
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
	if e.options.CleanEvery == 0 {
		e.options.CleanEvery = time.Hour
	}
	return e
}

// Name returns "dbsession".
func (e *Extension) Name() string { return "dbsession" }

// Install implements [retort.Extension].
func (e *Extension) Install(app *retort.App) error {
	if e.app != nil {
		return errors.New("dbsession: the extension is installed already; make one with dbsession.New for each app")
	}
	e.app = app
	app.SessionStore(NewStore(e.options.Database))
	app.OnStartup(func(ctx context.Context) error {
		if _, err := orm.DBFrom(ctx); errors.Is(err, orm.ErrNoDatabase) {
			return fmt.Errorf("dbsession: the app has no database; install db.Open: %w", err)
		}
		return nil
	})
	if e.options.CleanEvery > 0 {
		app.OnReady(func(net.Addr) { app.Go("clean-up of the sessions", e.clean) })
	}
	app.Command(retort.Command{
		Name:  "clearsessions",
		Short: "delete sessions that have expired",
		Long:  "Deletes the sessions that have expired, a thousand at a time.",
		Run: func(ctx context.Context, in *retort.Invocation) error {
			n, err := app.Sessions().DeleteExpired(ctx)
			if err == nil {
				_, err = fmt.Fprintf(in.Out, "%d expired sessions deleted\n", n)
			}
			return err
		},
	})
	return nil
}

// clean deletes expired sessions again and again. Processes that started together
// do so at different times.
func (e *Extension) clean(ctx context.Context) {
	wait := time.Duration(rand.Int64N(int64(e.options.CleanEvery))) //nolint:gosec // no secret
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		wait = e.options.CleanEvery
		if _, err := e.app.Sessions().DeleteExpired(ctx); err != nil && ctx.Err() == nil {
			e.app.Logger().Warn("expired sessions were not deleted", "error", err)
		}
	}
}

var _ retort.Extension = (*Extension)(nil)
