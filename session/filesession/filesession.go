// Package filesession keeps the sessions of an app in a folder:
//
//	app.Install(filesession.New("/var/lib/shop/sessions"))
//
// The cookie then holds nothing but a random ID, and the folder only a hash of
// that: see package session. It is for sites on one machine that have no database
// and shall not forget who is logged in when they are restarted. Several processes
// may share a folder on a local disk, but not on Windows.
//
// Expired sessions are deleted once an hour by a program that serves, and by the
// command clearsessions.
package filesession

import (
	"errors"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/internal/sessioncleaner"
	"github.com/retort-web/retort/session"
)

// Options change what [New] makes.
type Options struct {
	// CleanEvery is how often a program that serves deletes the sessions that
	// have expired. Default: an hour; negative never does, and leaves it to the
	// command clearsessions.
	CleanEvery time.Duration
}

// Extension keeps an app's sessions in a folder. [New] makes it.
type Extension struct {
	folder  string
	options Options
	app     *retort.App
}

// New returns the extension for a folder, which is made if it is not there. It
// must be the program's alone: see [NewStore].
func New(folder string, options ...Options) *Extension {
	e := &Extension{folder: folder}
	if len(options) > 0 {
		e.options = options[0]
	}
	return e
}

// Name returns "filesession".
func (e *Extension) Name() string { return "filesession" }

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
		return nil, errors.New("filesession: the extension is installed already; make one with filesession.New for each app")
	}
	store, err := NewStore(e.folder)
	if err != nil {
		return nil, err
	}
	e.app = app
	sessioncleaner.Install(app, e.options.CleanEvery)
	return store, nil
}

var _ retort.Extension = (*Extension)(nil)
