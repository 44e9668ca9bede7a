package retort

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

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
			if (addr != "" || debugMode) && a.Prepared() {
				return UsageError("the program uses the app before Run, so --addr and --debug come too late; set RETORT_ADDR and RETORT_DEBUG")
			}
			if addr != "" || debugMode {
				a.SetConfig(func(cfg *Config) {
					if addr != "" {
						cfg.Addr = addr
					}
					if debugMode {
						cfg.Debug = true
					}
				})
			}
			return a.serve(ctx, in)
		},
	}
}

// UseTLS sets [Config].TLS: it is how an extension brings certificates from
// elsewhere.
func (a *App) UseTLS(t *server.TLS) {
	a.SetConfig(func(cfg *Config) { cfg.TLS = t })
}

// checkTLS finds certificates that nothing would use.
func (cfg *Config) checkTLS() error {
	if cfg.Server.CertFile != "" && cfg.TLS == nil {
		return errors.New(`retort: server.cert_file is set, but the program is built without TLS; add TLS: server.TLSFiles("", "") to the retort.Config given to New`)
	}
	return nil
}

// usesTLS reports whether the site speaks TLS itself.
func (cfg *Config) usesTLS() bool { return cfg.TLS.Active(cfg.Server.CertFile, cfg.Server.KeyFile) }

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
		TLS: cfg.TLS, CertFile: cfg.Server.CertFile, KeyFile: cfg.Server.KeyFile, H2C: cfg.Server.H2C,
		ReadHeaderTimeout: cfg.Server.ReadHeaderTimeout, ReadTimeout: cfg.Server.ReadTimeout,
		WriteTimeout: cfg.Server.WriteTimeout, IdleTimeout: cfg.Server.IdleTimeout,
		MaxHeaderBytes: int(cfg.Server.MaxHeaderBytes), MaxHeaders: cfg.Server.MaxHeaders,
		DrainDelay: cfg.Server.DrainDelay, ShutdownTimeout: cfg.Server.ShutdownTimeout,
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
	if underDevTool() {
		s.IdleGrace = time.Millisecond // it holds the requests back, so that none is on its way
	}
	release := spareCollections()
	err := s.Run(ctx)
	release()
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), cfg.Server.ShutdownTimeout)
	defer cancel()
	return errors.Join(err, a.Shutdown(stop))
}

// announce says where the site is, on a line of its own for a person.
func (a *App) announce(in *Invocation, addr net.Addr) {
	if underDevTool() {
		return // the tool says where it serves; this address is behind it
	}
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
	if a.config.usesTLS() {
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
	return scheme + "://" + host + ":" + port + a.config.Root + "/"
}
