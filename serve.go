package retort

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/retort-web/retort/server"
)

func (a *App) serveCommand() Command {
	var addr string
	var debugMode bool
	return Command{
		Name: "serve", Short: "Serve the site (also without a command)", WithoutApp: true,
		Examples: "app serve\napp serve --debug\napp serve --addr :80\napp serve --addr unix:/run/app.sock",
		Flags: func(fs *flag.FlagSet) {
			fs.StringVar(&addr, "addr", "", "address to serve on (default "+a.config.Addr+")")
			fs.BoolVar(&debugMode, "debug", false, "development mode: error pages, templates read from disk")
		},
		Run: func(ctx context.Context, in *Invocation) error {
			if addr != "" || debugMode {
				a.SetConfig(func(cfg *Config) {
					if addr != "" {
						cfg.Addr = addr
					}
					if debugMode {
						cfg.Debug, cfg.AccessLog = true, true
					}
				})
			}
			return a.serve(ctx, in)
		},
	}
}

// UseTLS serves over TLS with the configuration given, in place of certificate
// files: it is how an extension brings certificates from elsewhere.
func (a *App) UseTLS(c *tls.Config) {
	a.mustNotBeFrozen("a TLS configuration")
	a.tls = c
}

// Serve serves until ctx ends or the process is told to stop, and returns when
// every request that was begun has been answered.
func (a *App) Serve(ctx context.Context) error {
	return a.serve(ctx, &Invocation{App: a, Out: os.Stdout, Err: os.Stderr})
}

func (a *App) serve(ctx context.Context, in *Invocation) error {
	if err := a.Startup(ctx); err != nil {
		return err
	}
	cfg := &a.config
	s := &server.Server{
		Addr: cfg.Addr, Handler: a, Logger: a.logger,
		TLSConfig: a.tls, CertFile: cfg.Server.CertFile, KeyFile: cfg.Server.KeyFile,
		ReadHeaderTimeout: cfg.Server.ReadHeaderTimeout, ReadTimeout: cfg.Server.ReadTimeout,
		WriteTimeout: cfg.Server.WriteTimeout, IdleTimeout: cfg.Server.IdleTimeout,
		MaxHeaderBytes: int(cfg.Server.MaxHeaderBytes),
		DrainDelay:     cfg.Server.DrainDelay, ShutdownTimeout: cfg.Server.ShutdownTimeout,
		OnReady: func(addr net.Addr) {
			a.announce(in, addr)
			for _, fn := range a.life.ready {
				a.protect("OnReady hook", func() { fn(addr) })
			}
		},
		OnDraining: func() {
			a.draining.Store(true)
			a.logger.Info("shutting down")
		},
	}
	err := s.Run(ctx)
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), cfg.Server.ShutdownTimeout)
	defer cancel()
	return errors.Join(err, a.Shutdown(stop))
}

// announce says where the site is, on a line of its own for a person.
func (a *App) announce(in *Invocation, addr net.Addr) {
	url := a.address(addr)
	if !isTerminal(os.Stderr) && !a.config.Debug {
		a.logger.Info("serving", "app", a.config.Name, "address", url)
		return
	}
	mode := ""
	if a.config.Debug {
		mode = "  Debug mode: for this machine only, never for the web.\n"
	}
	fmt.Fprintf(in.Err, "\n  %s is served on %s\n%s  Stop it with Ctrl-C.\n\n", a.config.Name, url, mode)
}

// address returns the URL of an address that is listened on.
func (a *App) address(addr net.Addr) string {
	if addr.Network() == "unix" {
		return "unix:" + addr.String()
	}
	scheme := "http"
	if a.config.Server.CertFile != "" || a.tls != nil {
		scheme = "https"
	}
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return addr.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return scheme + "://" + host + ":" + port + "/"
}
