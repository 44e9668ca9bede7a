package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
	"time"

	"github.com/retort-web/retort/signing"
)

const (
	// DefaultLifetime is how long a session lives that is not used.
	DefaultLifetime = 31 * 24 * time.Hour

	// MaxCookie is the size in bytes of a Set-Cookie header above which
	// [Manager.Commit] refuses it. Browsers drop larger ones without a word,
	// some of them from 4093 bytes on.
	MaxCookie = 4093

	// tokenLifetime is how long a session lives that holds only CSRF tokens.
	tokenLifetime = 24 * time.Hour

	// maxCandidates bounds how many cookies of one name are tried.
	maxCandidates = 4
)

// Options say how a [Manager] treats sessions and their cookie. The zero value
// is right for most sites.
type Options struct {
	// Name of the cookie. Over TLS it gets the prefix "__Host-", which keeps
	// other hosts and plain HTTP from planting one (RFC 6265bis, 4.1.3), or
	// "__Secure-" if Domain or Path rule that out. Default: "session".
	Name string

	// Path the cookie is sent to. Default: "/".
	Path string

	// Domain makes the cookie go to a domain and all its subdomains. Default:
	// only the host that set it.
	Domain string

	// Lifetime ends a session that was not used for this long, whether its
	// cookie is permanent or not. One that holds nothing but the secret of its
	// CSRF tokens, as programs leave that fetch forms without cookies, ends after
	// a day at most. Default: 31 days. See [Session.ExpireAfter].
	Lifetime time.Duration

	// AbsoluteLifetime ends a session this long after it began, by the first
	// visit or a login, however much it is used. Default: no such limit.
	AbsoluteLifetime time.Duration

	// Touch is how old the note of the last use may get while a session is only
	// read: noting it takes a cookie and, on a server, a write. Default: a tenth
	// of Lifetime; on a server, where the note is shown in the list of a user's
	// sessions, at most ten minutes.
	Touch time.Duration

	// RefreshEachRequest notes every use of a session at once. Lifetime is
	// then exact, at the price of a cookie, and a write for stores on the
	// server, in each response that used the session.
	RefreshEachRequest bool

	// Address returns the visitor's address, which stores on the server keep for
	// the list of a user's sessions. Default: that of the connection.
	Address func(r *http.Request) string

	// SameSite says which requests from other sites carry the cookie.
	// Default: http.SameSiteLaxMode, plain links only.
	SameSite http.SameSite

	// Secure treats every request as if it came over TLS, for sites behind a
	// proxy that does not say so. Default: only those that did.
	Secure bool

	// Partitioned keeps a cookie of a page embedded in other sites apart for
	// each of them (CHIPS). It takes effect over TLS only.
	Partitioned bool
}

// Manager brings sessions from requests and into responses. Where it takes a
// context next to a request, that is what the store gets. It is safe for
// concurrent use.
type Manager struct {
	store   Store
	options Options
	secured string // the name of the cookie over TLS
}

// NewManager checks the options and returns a manager of the sessions in store.
func NewManager(store Store, o Options) (*Manager, error) {
	o.Name = cmp.Or(o.Name, "session")
	o.Path = cmp.Or(o.Path, "/")
	o.Lifetime = cmp.Or(o.Lifetime, DefaultLifetime)
	if o.SameSite == 0 || o.SameSite == http.SameSiteDefaultMode {
		o.SameSite = http.SameSiteLaxMode
	}
	if o.Address == nil {
		o.Address = peerAddress
	}
	m := &Manager{store: store, options: o, secured: "__Secure-" + o.Name}
	if o.Domain == "" && o.Path == "/" {
		m.secured = "__Host-" + o.Name
	}
	switch {
	case store == nil:
		return nil, errors.New("session: no store; give NewManager a NewCookieStore")
	case o.Lifetime < 0 || o.AbsoluteLifetime < 0 || o.Touch < 0:
		return nil, errors.New("session: a lifetime is negative; use 0 for the default")
	case o.SameSite == http.SameSiteNoneMode && !o.Secure:
		return nil, errors.New("session: browsers refuse SameSite=None without Secure; set Secure too")
	case strings.HasPrefix(o.Name, "__"):
		return nil, fmt.Errorf("session: cookie name %q: the prefix is added when it applies; leave it out", o.Name)
	case !strings.HasPrefix(o.Path, "/"):
		return nil, fmt.Errorf("session: cookie path %q does not begin with a slash", o.Path)
	}
	for _, secure := range []bool{false, true} {
		if err := m.cookie("x", secure).Valid(); err != nil {
			return nil, fmt.Errorf("session: options make no valid cookie: %w", err)
		}
	}
	return m, nil
}

// CookieName returns the name of the cookie in requests over TLS (secure) or
// without.
func (m *Manager) CookieName(secure bool) string {
	if secure || m.options.Secure {
		return m.secured
	}
	return m.options.Name
}

// Load returns the session of a request, secure saying whether the client
// reached us over TLS. A missing, broken, unknown or expired cookie gives a new
// session; an error comes from a store that is away. Of several cookies of the
// name (set for different paths or domains) the first that holds a session is
// taken, and the first few only are looked at.
//
// An ID that a login has replaced a moment ago, which requests under way still bring, gives
// a new session too, of which nothing is kept: no cookie of it can undo the login. See
// [Replacer].
func (m *Manager) Load(ctx context.Context, r *http.Request, secure bool) (*Session, error) {
	var room [maxCandidates]string
	for _, value := range cookieValues(room[:0], r, m.CookieName(secure)) {
		if value == "" {
			continue
		}
		s, err := m.store.Load(ctx, value)
		known := err == nil && !s.isNew && m.alive(s)
		if store, ok := m.store.(Replacer); ok && err == nil && !known {
			s = New()
			s.discarded, err = store.Replaced(ctx, value)
			known = s.discarded
		}
		if err != nil {
			return nil, fmt.Errorf("session: load: %w", err)
		}
		if known {
			return s, nil
		}
	}
	return New(), nil
}

// cookieValues appends the values of the cookies of a name to values, as far as there is
// room for them, as [http.Request.CookiesNamed] has them, without a Cookie for each: every
// request of a visitor comes here.
func cookieValues(values []string, r *http.Request, name string) []string {
	for _, line := range r.Header["Cookie"] {
		for line != "" {
			var pair string
			pair, line, _ = strings.Cut(line, ";")
			key, value, _ := strings.Cut(textproto.TrimString(pair), "=")
			if textproto.TrimString(key) != name {
				continue
			}
			if n := len(value); n > 1 && value[0] == '"' && value[n-1] == '"' {
				value = value[1 : n-1]
			}
			if len(values) == cap(values) {
				return values
			}
			if inCookie(value) {
				values = append(values, value)
			}
		}
	}
	return values
}

// inCookie reports whether a cookie can have the value, in which there is no semicolon
// (RFC 6265, section 4.1.1, and spaces and commas, as browsers do).
func inCookie(value string) bool {
	for i := range len(value) {
		if c := value[i]; c < 0x20 || c >= 0x7f {
			return false
		}
	}
	return strings.IndexByte(value, '"') < 0 && strings.IndexByte(value, '\\') < 0
}

// alive reports whether a stored session may still be used, and notes when it was asked.
func (m *Manager) alive(s *Session) bool {
	s.loaded = time.Now().Unix()
	horizon := s.loaded + seconds(signing.ClockSkew)
	if s.saved > horizon || s.created > horizon {
		return false
	}
	if s.loaded-s.saved > m.lifetime(s) {
		return false
	}
	limit := m.options.AbsoluteLifetime
	return limit == 0 || s.loaded-s.created <= seconds(limit)
}

// lifetime returns how many seconds a session lives that is not used.
func (m *Manager) lifetime(s *Session) int64 {
	switch {
	case s.lifetime > 0:
		return s.lifetime
	case s.hasTokensOnly():
		return seconds(min(m.options.Lifetime, tokenLifetime))
	}
	return seconds(m.options.Lifetime)
}

// due reports whether the use of an unchanged session is to be noted: that of the moment
// when it was loaded.
func (m *Manager) due(s *Session) bool {
	if s.isNew || !s.accessed {
		return false
	}
	if m.options.RefreshEachRequest {
		return true
	}
	every := seconds(m.options.Touch)
	if every == 0 {
		every = (m.lifetime(s) + 9) / 10
		if _, ok := m.store.(ServerStore); ok {
			every = min(every, seconds(10*time.Minute))
		}
	}
	return s.loaded-s.saved >= every
}

// Commit saves the session if need be and sets the headers of the response. It
// is called once, before the header is written.
//
//   - A session that was not touched leaves the response alone.
//   - One that was read or changed adds "Vary: Cookie" and, unless the handler
//     chose a Cache-Control of its own, "Cache-Control: private, no-store", so
//     that no cache shows the page to someone else or after a logout.
//   - One that was changed is saved and its cookie set. Such a response cannot
//     be public: the directives "public" and "s-maxage" give way to "private".
//   - One that was emptied is deleted, and so is its cookie.
//
// An error means that the session was not saved and no cookie was set: a value
// that JSON cannot hold, a [*TooLargeError], [ErrNoKey], [ErrGone] for changes to a
// session that was deleted meanwhile, or a store that is away. Changes that another
// request made meanwhile stay, unless both changed the same value.
func (m *Manager) Commit(ctx context.Context, w http.ResponseWriter, r *http.Request, s *Session, secure bool) error {
	if !s.accessed && !s.Modified() {
		return nil
	}
	defer func() { s.committed = true }()
	vary(w.Header())
	if h := w.Header(); len(h["Cache-Control"]) == 0 || h["Cache-Control"][0] == "" {
		h["Cache-Control"] = privateStore
	}
	if s.discarded {
		return nil
	}
	if s.err != nil {
		return s.err
	}
	if s.IsEmpty() {
		if !s.Modified() {
			return nil
		}
		return m.remove(ctx, w, r, s, secure)
	}
	if !s.Modified() && !m.due(s) {
		return nil
	}
	return m.save(ctx, w, r, s, secure)
}

func (m *Manager) save(ctx context.Context, w http.ResponseWriter, r *http.Request, s *Session, secure bool) error {
	s.expires = m.expiry(s)
	s.agent, s.address = clip(r.UserAgent()), m.options.Address(r)
	for {
		token, err := m.store.Save(ctx, s)
		if errors.Is(err, ErrGone) {
			if s.missed() {
				s.fail(ErrGone)
				return ErrGone
			}
			return nil
		}
		if err != nil {
			return fmt.Errorf("session: save: %w", err)
		}
		c := m.cookie(token, secure)
		if s.Permanent {
			// Less than a second left would read as "delete".
			c.MaxAge = max(1, int(time.Until(s.expires)/time.Second))
		}
		if err := c.Valid(); err != nil {
			return fmt.Errorf("session: the store's token does not fit into a cookie: %w", err)
		}
		line := c.String()
		if len(line) <= MaxCookie {
			w.Header().Add("Set-Cookie", line)
			keepPrivate(w.Header())
			return nil
		}
		if !s.forgetFlashes() {
			return tooLarge(s, len(line))
		}
	}
}

func (m *Manager) remove(ctx context.Context, w http.ResponseWriter, r *http.Request, s *Session, secure bool) error {
	if !s.isNew {
		if err := m.store.Delete(ctx, s); err != nil {
			return fmt.Errorf("session: delete: %w", err)
		}
	}
	var room [1]string
	if len(cookieValues(room[:0], r, m.CookieName(secure))) == 0 {
		return nil
	}
	c := m.cookie("", secure)
	c.MaxAge = -1
	c.Expires = time.Unix(1, 0) // for clients that do not know Max-Age
	w.Header().Add("Set-Cookie", c.String())
	keepPrivate(w.Header())
	return nil
}

func (m *Manager) expiry(s *Session) time.Time {
	end := time.Now().Add(time.Duration(m.lifetime(s)) * time.Second)
	if limit := m.options.AbsoluteLifetime; limit > 0 {
		if last := s.Created().Add(limit); last.Before(end) {
			return last
		}
	}
	return end
}

func (m *Manager) cookie(value string, secure bool) *http.Cookie {
	o := &m.options
	secure = secure || o.Secure
	return &http.Cookie{
		Name: m.CookieName(secure), Value: value, Path: o.Path, Domain: o.Domain,
		HttpOnly: true, Secure: secure, SameSite: o.SameSite, Partitioned: o.Partitioned && secure,
	}
}

// seconds rounds up, so that no positive duration becomes none.
func seconds(d time.Duration) int64 {
	return int64((d + time.Second - 1) / time.Second)
}

// TooLargeError says that a session does not fit into a cookie.
type TooLargeError struct {
	Size    int      // of the Set-Cookie header, in bytes
	Largest []string // names of the largest values, the largest first
}

func tooLarge(s *Session, size int) error {
	e := &TooLargeError{Size: size}
	names := s.Keys()
	for len(names) > 0 && len(e.Largest) < 3 {
		largest := 0
		for i, name := range names {
			if len(s.values[name]) > len(s.values[names[largest]]) {
				largest = i
			}
		}
		e.Largest = append(e.Largest, names[largest])
		names = slices.Delete(names, largest, largest+1)
	}
	return e
}

func (e *TooLargeError) Error() string {
	msg := fmt.Sprintf("session: the cookie would be %d bytes, browsers keep at most %d; "+
		"keep ids instead of the things themselves, or use a store on the server", e.Size, MaxCookie)
	if len(e.Largest) > 0 {
		msg += fmt.Sprintf(" (largest values: %s)", strings.Join(e.Largest, ", "))
	}
	return msg
}
