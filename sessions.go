package retort

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/retort-web/retort/session"
)

// Session returns the visitor's session, loaded at first use. A cookie that is
// broken, expired or not ours gives a new, empty session. It is saved before
// the response's first byte: later changes are lost.
//
// While the store of the sessions is away, the visitor is nobody and nothing is
// kept, and [SessionConfig].Away says whether the page is answered at all.
func (c *Ctx) Session() *session.Session {
	if c.session == nil {
		s, err := c.app.sessions.Load(c, c.request, c.Secure())
		switch {
		case err == nil && !s.IsNew():
			c.app.outage.Back(c.app.logger, "the store of the sessions is back")
		case err != nil:
			c.noteStoreAway(err)
			s = session.New()
			s.Discard() // the visitor's own session is there again when the store is
		}
		c.session = s
	}
	return c.session
}

// commitSession sends the session cookie if the session was changed. The error
// says that the page must not be answered as it is.
func (c *Ctx) commitSession(status int) error {
	if status >= 500 {
		// What a failed request changed half-way is not kept.
		c.session.Discard()
	}
	c.saved = c.session.Modified()
	if c.app.config.SecretKey == "" && c.saved && !c.app.sessions.OnServer() {
		c.app.warnSecret()
	}
	ctx := context.Context(c)
	if c.saved && c.app.sessions.OnServer() {
		// A logout counts even if the client does not wait for the answer.
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(c), saveTimeout)
		defer cancel()
	}
	err := c.app.sessions.Commit(ctx, &c.response, c.request, c.session, c.Secure())
	switch {
	case err == nil && c.saved && status < 500 && !c.seldom.storeAway:
		c.app.outage.Back(c.app.logger, "the store of the sessions is back")
	case err == nil:
	case errors.Is(err, session.ErrGone): // which the log is told of at the end
		if c.pending.set && status < 400 {
			return errSessionEnded
		}
	case isOurMistake(err):
		c.Logger().Error("the session was not saved", "error", err)
	default:
		c.noteStoreAway(err)
	}
	if c.seldom.storeAway && c.app.config.Session.Away == "fail" && status < 500 {
		return errSessionsAway
	}
	return nil
}

// saveTimeout bounds how long a request waits for its session to be saved.
const saveTimeout = 10 * time.Second

// noteStoreAway notes that the store did not answer this request.
func (c *Ctx) noteStoreAway(err error) {
	c.rarely().storeAway = true
	if !errors.Is(err, context.Canceled) || !c.clientGone() {
		c.app.outage.Away(c.app.logger, "the store of the sessions is away: visitors are nobody until it is back", err)
	}
}

var errSessionsAway = &HTTPError{
	Status: http.StatusServiceUnavailable,
	Detail: "The site cannot tell who you are at the moment. Try again soon.",
	Header: http.Header{"Retry-After": {"5"}},
}

// errSessionEnded answers a request that changed a session which was deleted meanwhile.
// What the request has done elsewhere is done.
var errSessionEnded = &HTTPError{
	Status: http.StatusBadRequest,
	Detail: "Your session ended meanwhile, perhaps by a logout in another window. Load the page again and see what was kept.",
	Cause:  session.ErrGone,
}

// isOurMistake reports whether a session was not saved because of what is in it
// or how the app is configured, and not because the store is away.
func isOurMistake(err error) bool {
	_, large := errors.AsType[*session.TooLargeError](err)
	return large || errors.Is(err, session.ErrNoKey) || errors.Is(err, session.ErrValue)
}

// warnSecret says, once, that sessions do not outlive the program.
func (a *App) warnSecret() {
	a.secretOnce.Do(func() {
		a.logger.Warn("no SECRET_KEY is set: sessions and tokens end when the program does", "hint", "set SECRET_KEY to 32 or more random characters")
	})
}

// Flash keeps a message for the next page that shows messages. The usual
// categories are info, success, warning and error.
func (c *Ctx) Flash(category, text string) { c.Session().Flash(category, text) }

// Flashes returns the messages of those categories, or all, and forgets them.
func (c *Ctx) Flashes(categories ...string) []session.FlashMessage {
	if c.session == nil && c.request.Header["Cookie"] == nil {
		c.Vary("Cookie") // but the page may be cached, which one with a session is not
		return nil
	}
	return c.Session().Flashes(categories...)
}

// Cookie is a cookie to send. The zero value of each field is the safe choice:
// for this host, the whole site, scripts cannot read it, other sites do not
// send it, and it is Secure when the connection is.
type Cookie struct {
	Name    string
	Value   string
	MaxAge  time.Duration // 0: until the browser closes; negative: delete it
	Path    string        // default: "/"
	Domain  string        // default: this host only
	Scripts bool          // JavaScript may read it
	// SameSite is when other sites may send it. Default: Lax. None needs a
	// secure connection.
	SameSite    http.SameSite
	Partitioned bool
}

// SetCookie sends a cookie with the answer. What a cookie's value cannot hold
// is percent-encoded, and decoded by [Ctx.Cookie].
func (c *Ctx) SetCookie(k Cookie) {
	cookie := http.Cookie{
		Name: k.Name, Value: escapeCookie(k.Value), Path: k.Path, Domain: k.Domain, HttpOnly: !k.Scripts,
		SameSite: k.SameSite, Secure: c.Secure() || k.SameSite == http.SameSiteNoneMode || k.Partitioned, Partitioned: k.Partitioned,
	}
	if cookie.Path == "" {
		cookie.Path = "/"
	}
	if cookie.SameSite == 0 {
		cookie.SameSite = http.SameSiteLaxMode
	}
	switch {
	case k.MaxAge > 0:
		cookie.MaxAge = int((k.MaxAge + time.Second - 1) / time.Second)
	case k.MaxAge < 0:
		cookie.MaxAge = -1
	}
	if err := cookie.Valid(); err != nil {
		panic("retort: SetCookie: " + err.Error())
	}
	if line := cookie.String(); len(line) > session.MaxCookie {
		c.Logger().Warn("the cookie is too large for some browsers, which drop it", "cookie", k.Name, "bytes", len(line), "limit", session.MaxCookie)
	}
	http.SetCookie(c.writer, &cookie)
}

// escapeCookie percent-encodes what may not be in a cookie's value (RFC 6265,
// section 4.1.1), and the percent sign itself.
func escapeCookie(s string) string {
	return escapeBytes(s, func(b byte) bool {
		return b > ' ' && b < 0x7f && b != '"' && b != ',' && b != ';' && b != '\\' && b != '%'
	})
}

// DeleteCookie makes the browser forget a cookie; path and domain must be
// those it was set with.
func (c *Ctx) DeleteCookie(k Cookie) {
	k.Value, k.MaxAge = "", -1
	c.SetCookie(k)
}
