// Package redissession keeps the sessions of an app in a Redis server, or one
// that speaks as it does such as Valkey, which several processes share:
//
//	app.Install(redissession.New("redis://localhost:6379/0"))
//
// The cookie then holds nothing but a random ID, and the server only a hash of
// that. See package session. While the server is away, pages do not wait for it:
// see [retort.SessionConfig].Away.
package redissession

import (
	"cmp"
	"context"
	"errors"
	"os"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/internal/redisclient"
	"github.com/retort-web/retort/session"
)

// Options change what [New] makes.
type Options struct {
	// Prefix begins the names of what is kept, for servers that several sites
	// share. Default: "retort:session:".
	Prefix string
}

// Extension keeps an app's sessions in a Redis server. [New] makes it.
type Extension struct {
	url     string
	options Options
	client  *redisclient.Client
}

// New returns the extension for the server of a URL: redis://user:password@host:6379/0,
// rediss:// for TLS, unix:///path. An empty one stands for the environment's
// REDIS_URL. Each step of a call may take a second; dial_timeout=5s and
// read_timeout=5s behind a "?" say otherwise.
func New(url string, options ...Options) *Extension {
	e := &Extension{url: url}
	if len(options) > 0 {
		e.options = options[0]
	}
	e.options.Prefix = cmp.Or(e.options.Prefix, "retort:session:")
	return e
}

// Name returns "redissession".
func (e *Extension) Name() string { return "redissession" }

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
// an extension that puts this store in front of another, such as cachedsession.
func (e *Extension) Store(app *retort.App) (session.ServerStore, error) {
	if e.client != nil {
		return nil, errors.New("redissession: the extension is installed already; make one with redissession.New for each app")
	}
	url := cmp.Or(e.url, os.Getenv("REDIS_URL"))
	if url == "" {
		return nil, errors.New("redissession: no URL of a server; give one to New or set REDIS_URL")
	}
	s, client, err := newStore(url, e.options.Prefix)
	if err != nil {
		return nil, err
	}
	e.client = client
	app.OnShutdown(func(context.Context) error { return client.Close() })
	return s, nil
}

func newStore(url, prefix string) (session.ServerStore, *redisclient.Client, error) {
	client, err := redisclient.Open(url)
	if err != nil {
		return nil, nil, err
	}
	return &store{client, prefix}, client, nil
}

var _ retort.Extension = (*Extension)(nil)
