// Package session remembers a visitor between requests: who is logged in, what
// lies in the cart, the message to show on the next page.
//
//	keys, err := signing.New(secret)
//	sessions, err := session.NewManager(session.NewCookieStore(keys, session.CookieOptions{}), session.Options{})
//
//	s, err := sessions.Load(r, r.TLS != nil)
//	s.Set("user", 42)
//	id, ok := session.Get[int](s, "user")
//	err = sessions.Commit(w, r, s, r.TLS != nil) // before the first byte of the body
//
// A [Session] is the visitor's values during one request. A [Manager] reads it
// from the request's cookie and writes it back with the right cookie flags and
// cache headers. A [Store] decides where the values live: the one here keeps
// them in the cookie itself, encrypted; others keep them on the server and put
// only an id into the cookie.
//
// # Values
//
// Values are kept as JSON and decoded when they are read, so anything that
// encoding/json can write and read again survives: numbers, strings, times,
// slices, maps and structs with exported fields. What [Get] returns is a copy.
// Changing it changes nothing until it is given to [Session.Set] again:
//
//	cart, _ := session.Get[[]Item](s, "cart")
//	cart = append(cart, item)
//	s.Set("cart", cart)
//
// # Sessions in cookies
//
// They need no database and no clean-up. In return they are small (about 3 kB),
// an old copy of one stays valid until it expires, also after a logout, and of
// two requests at the same time the later answer wins. Where that matters, use
// a store on the server; nothing else changes.
//
// # Users
//
// [Session.Login] binds a session to a user, [Session.Clear] ends it. On a
// server [Manager.List] tells which sessions a user has, and
// [Manager.EndOthers] ends all but one of them.
package session

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// ErrCommitted says that a session was changed after its cookie had been sent,
// so the change could not be kept. [Session.Err] reports it.
var ErrCommitted = errors.New("session: changed after the response began; change it before the first byte is written")

// ErrValue says that a value cannot be written as JSON. [Session.Err] and
// [Manager.Commit] report it.
var ErrValue = errors.New("session: a value cannot be kept")

// Session holds what is remembered of one visitor. It belongs to one request
// and is not safe for concurrent use.
type Session struct {
	// Permanent makes the cookie outlive the browser window, for as long as
	// [Options.Lifetime] says. Default: the browser forgets it when it closes.
	Permanent bool

	values  map[string][]byte // JSON
	changed map[string]bool   // names of values set or deleted in this request
	flashes []flash

	id       string // made when first asked for
	storedID string
	secret   [csrfSecretSize]byte // of the CSRF tokens, made from id when needed
	tokens   bool                 // a CSRF token was given out
	created  int64                // seconds since 1970
	saved    int64
	loaded   int64 // when a manager found it alive
	revision int64 // how often it was saved before
	expires  time.Time
	lifetime int64 // of its own, in seconds; 0 is that of the options

	user     string
	authHash string
	loggedIn int64

	agent   string
	address string

	hasSecret    bool
	isNew        bool
	accessed     bool
	modified     bool
	meant        bool // modified by what the visitor would miss
	wasPermanent bool
	wasLifetime  int64
	anew         bool // Clear or Login gave it a life of its own
	cleared      bool // what was stored of it is not to come back
	committed    bool
	discarded    bool
	err          error
}

// New returns an empty session. Stores return it for a token they do not know.
func New() *Session {
	return &Session{isNew: true, created: time.Now().Unix()}
}

// Get returns the value of key as a T, and whether there is one that can be
// read as a T. The value is a copy.
func Get[T any](s *Session, key string) (T, bool) {
	var v T
	s.accessed = true
	raw, ok := s.values[key]
	if !ok {
		return v, false
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		var zero T // whatever was filled in before the mistake
		return zero, false
	}
	return v, true
}

// Get returns the value of key as JSON has it: nil, bool, string, int64 for a
// whole number, float64 for another, []any or map[string]any. It is nil if
// there is none. Templates use it; code rather uses the typed function [Get].
func (s *Session) Get(key string) any {
	s.accessed = true
	raw, ok := s.values[key]
	if !ok {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil
	}
	return plain(v)
}

// plain turns the numbers of a decoded JSON value into int64 where they fit,
// which float64 would round from 2⁵³ on.
func plain(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		f, err := v.Float64()
		if err != nil {
			return math.Inf(1)
		}
		return f
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = plain(v[k])
		}
	}
	return v
}

// Set keeps a value under key. A value that JSON cannot write leaves the
// session as it was and makes [Session.Err], and with it [Manager.Commit],
// return an error. Setting what is there already is not a change.
func (s *Session) Set(key string, value any) {
	raw, err := json.Marshal(value)
	if err != nil {
		s.accessed = true
		s.fail(fmt.Errorf("%w: value of %q: %w", ErrValue, key, err))
		return
	}
	if old, ok := s.values[key]; ok && bytes.Equal(old, raw) {
		s.accessed = true
		return
	}
	if s.values == nil {
		s.values = make(map[string][]byte)
	}
	s.values[key] = raw
	s.change(key)
}

// change notes which value this request has changed.
func (s *Session) change(key string) {
	if s.changed == nil {
		s.changed = make(map[string]bool)
	}
	s.changed[key] = true
	s.SetModified()
}

// Delete removes values. Unknown keys are no change.
func (s *Session) Delete(keys ...string) {
	s.accessed = true
	for _, key := range keys {
		if _, ok := s.values[key]; ok {
			delete(s.values, key)
			s.change(key)
		}
	}
}

// Has reports whether there is a value under key.
func (s *Session) Has(key string) bool {
	s.accessed = true
	_, ok := s.values[key]
	return ok
}

// Keys returns the names of all values, sorted.
func (s *Session) Keys() []string {
	s.accessed = true
	keys := make([]string, 0, len(s.values))
	for key := range s.values {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// Len returns the number of values.
func (s *Session) Len() int {
	s.accessed = true
	return len(s.values)
}

// IsNew reports whether the request brought no session that is still valid.
func (s *Session) IsNew() bool { return s.isNew }

// Created returns when the session began, by the first visit or a login.
func (s *Session) Created() time.Time { return time.Unix(s.created, 0) }

// Expires returns when the session ends unless it is used again, for stores
// that keep it with the values. [Manager.Commit] decides it; a session that no
// manager has seen lives for [DefaultLifetime].
func (s *Session) Expires() time.Time {
	if s.expires.IsZero() {
		return time.Now().Add(DefaultLifetime)
	}
	return s.expires
}

// IsEmpty reports whether there is nothing to remember. An empty session is
// never stored.
func (s *Session) IsEmpty() bool {
	return !s.tokens && s.isBare()
}

// hasTokensOnly reports whether nobody would miss the session but a form.
func (s *Session) hasTokensOnly() bool {
	return s.tokens && s.isBare()
}

// isBare reports whether there is nothing but tokens at most.
func (s *Session) isBare() bool {
	return len(s.values) == 0 && s.user == "" && !slices.ContainsFunc(s.flashes, flash.unread)
}

// Accessed reports whether the session was read or changed, so that the
// response depends on the cookie.
func (s *Session) Accessed() bool { return s.accessed }

// Modified reports whether the session was changed and will be saved.
func (s *Session) Modified() bool {
	return s.modified || s.Permanent != s.wasPermanent || s.lifetime != s.wasLifetime
}

// SetModified has the session saved even if none of its values was changed.
func (s *Session) SetModified() {
	s.meant = true
	s.note()
}

// note has the session saved for what the visitor does not miss if it is not: that
// messages were shown, that a token was given out.
func (s *Session) note() {
	s.accessed = true
	s.modified = true
	if s.committed {
		s.fail(ErrCommitted)
	}
}

// missed reports whether something is lost if the session is not saved.
func (s *Session) missed() bool {
	return s.meant || s.Permanent != s.wasPermanent || s.lifetime != s.wasLifetime
}

// Discard gives up all changes of this request: [Manager.Commit] saves nothing
// and sends no cookie, as is right for the response to a failed request.
func (s *Session) Discard() { s.discarded = true }

// Err returns the first thing that went wrong: a value that could not be kept,
// [ErrCommitted], or after [Manager.Commit] that the session was deleted while the
// request changed it, [ErrGone].
func (s *Session) Err() error { return s.err }

func (s *Session) fail(err error) {
	if s.err == nil {
		s.err = err
	}
}

// Format prints a placeholder whatever the verb, so that no log shows what a
// session holds.
func (s *Session) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "session.Session(%d)", len(s.values))
}
