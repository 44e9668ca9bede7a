// Package cachedsession keeps the sessions of an app in a store that lasts, and copies of
// them in a faster one from which they are read:
//
//	app.Install(
//		db.Open(""),
//		cachedsession.New(redissession.New(""), dbsession.New()),
//	)
//
// Reading a session then asks the fast store only; changing one writes both. The lasting
// store decides what counts, so that the fast one may be emptied or away at any time: the
// lasting one does the work meanwhile, and the log says so. See [session.NewCachedStore].
//
// It pays where nearly all requests read a session and few change it.
package cachedsession

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/session"
)

// Source makes a store for an app: the extensions of packages redissession, dbsession and
// filesession, or [Store]. They are given to [New], and not installed.
type Source interface {
	Store(app *retort.App) (session.ServerStore, error)
}

// Options change what [New] makes.
type Options struct {
	// Fresh is how long a copy is believed, at most: see [session.CachedOptions].
	// Default: 5 minutes.
	Fresh time.Duration
}

// Extension keeps an app's sessions in two stores. [New] makes it.
type Extension struct {
	fast, lasting Source
	options       Options
}

// New returns the extension for a fast store in front of a lasting one.
func New(fast, lasting Source, options ...Options) *Extension {
	e := &Extension{fast: fast, lasting: lasting}
	if len(options) > 0 {
		e.options = options[0]
	}
	return e
}

// Name returns "cachedsession".
func (e *Extension) Name() string { return "cachedsession" }

// Install implements [retort.Extension].
func (e *Extension) Install(app *retort.App) error {
	if e.fast == nil || e.lasting == nil {
		return errors.New("cachedsession: a store is missing; give New a fast one and a lasting one")
	}
	lasting, err := e.lasting.Store(app)
	if err != nil {
		return fmt.Errorf("cachedsession: the lasting store: %w", err)
	}
	fast, err := e.fast.Store(app)
	if err != nil {
		return fmt.Errorf("cachedsession: the fast store: %w", err)
	}
	app.SessionStore(session.NewCachedStore(fast, lasting, session.CachedOptions{
		Fresh:  e.options.Fresh,
		Logger: func() *slog.Logger { return app.Logger() },
	}))
	return nil
}

// Store returns the source of a store that there is already: one of your own, or
// session.NewMemoryStore as the fast one of a program that runs as a single process.
func Store(store session.ServerStore) Source { return ready{store} }

type ready struct{ store session.ServerStore }

func (r ready) Store(*retort.App) (session.ServerStore, error) { return r.store, nil }

var _ retort.Extension = (*Extension)(nil)
