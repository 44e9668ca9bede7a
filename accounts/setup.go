package accounts

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"sync"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/form"
)

// setup is the page on which the developer of a site without users makes the first
// one. Its address has a token that is in the memory of this process alone.
type setup struct {
	mu    sync.Mutex
	token string // "" if there is no such page
	out   io.Writer
}

// is reports whether this is the token.
func (s *setup) is(token string) bool {
	return s.token != "" && subtle.ConstantTimeCompare([]byte(s.token), []byte(token)) == 1
}

// offerSetup prints the address of the page when the site is served in debug mode and
// has no users.
func (e *Extension) offerSetup(addr net.Addr) {
	if !e.app.Config().Debug {
		return
	}
	empty, err := e.noUsers(e.app.Context())
	if err != nil {
		// The tables may not be there yet, which others say better.
		e.app.Logger().Debug("no first login is offered", slog.Any("error", err))
		return
	}
	if !empty {
		return
	}
	s := &e.setup
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token = rand.Text()
	path, err := e.app.URL("accounts.setup", "token", s.token)
	if err != nil {
		e.app.Logger().Error("no first login is offered", slog.Any("error", err))
		return
	}
	_, _ = fmt.Fprintf(s.out, "\n  There is no user yet. Make the first, who may do everything, once and from this machine:\n  %s\n\n", e.origin(addr)+e.app.Config().Root+path)
}

// origin is where the developer's browser finds the site, or "" if this process does
// not know.
func (e *Extension) origin(addr net.Addr) string {
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil || os.Getenv("RETORT_DEV") == "1" {
		return "" // a Unix socket, or the development tool is in between
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	cfg := e.app.Config()
	scheme := "http"
	if cfg.TLS.Active(cfg.Server.CertFile, cfg.Server.KeyFile) {
		scheme = "https"
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}

func (e *Extension) noUsers(ctx context.Context) (bool, error) {
	exists, err := auth.Users.Exists(ctx)
	return !exists, err
}

// maySetUp reports whether the page is there for a request; the lock is held.
func (e *Extension) maySetUp(c *retort.Ctx) error {
	if !c.DebugAllowed() || !e.setup.is(c.Param("token")) {
		return retort.NotFound("")
	}
	empty, err := e.noUsers(c)
	if err == nil && !empty {
		e.setup.token = ""
		err = retort.NotFound("")
	}
	return err
}

type setupForm struct {
	Email string `label:"E-mail address" validate:"required,email,max=254" autocomplete:"username"`
	newPassword
}

// setUp makes the first user. Of two requests at the same time one is first.
func (e *Extension) setUp(c *retort.Ctx) error {
	e.setup.mu.Lock()
	defer e.setup.mu.Unlock()
	if err := e.maySetUp(c); err != nil {
		return err
	}
	user := auth.Users.New()
	f := form.For(c, func(in *setupForm) form.Options {
		return form.Options{
			Help: form.Texts{&in.Password: e.passwordHelp(c)},
			Clean: form.Clean(func(_ context.Context, in *setupForm) error {
				user.Email = in.Email
				if err := in.Validate(); err != nil {
					return err
				}
				return e.auth.CheckPassword(user, "password", in.Password)
			}),
		}
	})
	more, err := e.options.SignUpFields.of(c, nil)
	if err != nil {
		return err
	}
	made := false
	if f.Submitted() && allValid(f, more) {
		user, made, err = e.create(c, more, func(u *auth.User) { u.Email, u.Staff, u.Superuser = user.Email, true, true }, f.Value().Password)
	}
	if err = errors.Join(err, f.Err()); err != nil {
		return err
	}
	if !made {
		return e.page(c, statusOf(f, more), "setup.html", showMore(map[string]any{"form": f}, more))
	}
	if err := e.auth.Verify(c, user); err != nil {
		return err
	}
	e.setup.token = ""
	if err := e.auth.Login(c, user, false); err != nil {
		return err
	}
	return e.goTo(c, e.options.AfterLogin)
}
