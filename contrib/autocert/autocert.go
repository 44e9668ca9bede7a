// Package autocert gets a site's certificates from an ACME authority such as
// Let's Encrypt (RFC 8555), and renews them.
//
//	app.Install(autocert.New(autocert.Options{Hosts: []string{"example.com"}, Email: "ops@example.com"}))
//
// The site is then served over TLS on [retort.Config].Addr, which is usually
// ":443", and plain HTTP on RedirectAddr is sent there. Certificates and the
// account's key are kept in a folder, so that a restart asks for nothing; one
// folder must not be shared by several machines.
package autocert

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/server"
)

// Options say which certificates to get. Hosts is required.
type Options struct {
	// Hosts are the names to get certificates for, exactly. Others are refused,
	// so that nobody can make the site ask for theirs.
	Hosts []string
	// Email is where the authority writes to when a renewal fails.
	Email string
	// Dir keeps certificates and keys. Default: "certificates" in the user's
	// cache folder, below the program's name.
	Dir string
	// RedirectAddr answers plain HTTP with a redirect and with the authority's
	// challenges. Default: ":80"; "-" does not listen.
	RedirectAddr string
	// DirectoryURL is the authority. Default: Let's Encrypt.
	DirectoryURL string
}

// Extension is what [retort.App.Install] takes.
type Extension struct {
	options Options
	manager *autocert.Manager
}

// New makes the extension. Using it means to accept the authority's terms.
func New(o Options) *Extension { return &Extension{options: o} }

// Name is part of [retort.Extension].
func (*Extension) Name() string { return "autocert" }

// Install is part of [retort.Extension].
func (e *Extension) Install(app *retort.App) error {
	if len(e.options.Hosts) == 0 {
		return errors.New("autocert: Options.Hosts is empty; name the hosts to get certificates for")
	}
	dir := e.options.Dir
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return fmt.Errorf("autocert: no folder for certificates; set Options.Dir: %w", err)
		}
		dir = filepath.Join(cache, app.Config().Name, "certificates")
	}
	e.manager = &autocert.Manager{
		Prompt: autocert.AcceptTOS, HostPolicy: autocert.HostWhitelist(e.options.Hosts...),
		Cache: autocert.DirCache(dir), Email: e.options.Email,
	}
	if e.options.DirectoryURL != "" {
		e.manager.Client = &acme.Client{DirectoryURL: e.options.DirectoryURL}
	}
	app.UseTLS(server.NewTLS(e.manager.TLSConfig()))
	if e.options.RedirectAddr != "-" {
		app.OnReady(func(net.Addr) { e.redirect(app) })
	}
	return nil
}

// redirect serves plain HTTP until the app shuts down. The site itself goes on
// without it: the authority's challenges also work over TLS.
func (e *Extension) redirect(app *retort.App) {
	addr := e.options.RedirectAddr
	if addr == "" {
		addr = ":80"
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		app.Logger().Error("plain HTTP is not redirected", "error", err)
		return
	}
	s := &http.Server{
		Handler:           e.manager.HTTPHandler(nil),
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second,
		IdleTimeout: 30 * time.Second, MaxHeaderBytes: 64 << 10,
	}
	app.Go("autocert redirect", func(ctx context.Context) {
		defer context.AfterFunc(ctx, func() {
			stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			_ = s.Shutdown(stop)
		})()
		if err := s.Serve(listener); err != nil && !errors.Is(err, http.ErrServerClosed) {
			app.Logger().Error("plain HTTP is not redirected", "error", err)
		}
	})
}
