package session

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"time"
)

// Login binds the session to a user: call it when the visitor has proved who
// they are. The session gets a new ID and CSRF secret, so that one which someone
// planted or saw before is worthless, and its age counts from now. What the
// visitor had collected before stays; what belonged to another user, or to the
// same one with another authHash, goes.
//
// The user is an ID of the user that never changes and is given to nobody else
// later. The authHash stands for what the login rests on, such as a keyed hash of
// the password hash: a page compares it with [Session.HasAuthHash], so that a new
// password ends the sessions of the old one, wherever they are kept. It may be
// empty.
//
// A login of the user who is logged in already confirms it: see
// [Session.LoggedIn].
func (s *Session) Login(user, authHash string) {
	if s.user != "" && (s.user != user || !s.HasAuthHash(authHash)) {
		s.Clear()
	}
	now := time.Now().Unix()
	s.user, s.authHash, s.loggedIn, s.created = user, authHash, now, now
	s.anew = true
	s.Rotate()
}

// Renew keeps the login under a new authHash and a new ID: call it after the
// user has changed the password in this session, which ends their others.
func (s *Session) Renew(authHash string) {
	s.authHash = authHash
	s.Rotate()
}

// User returns the user that [Session.Login] has bound the session to, or "".
func (s *Session) User() string {
	s.accessed = true
	return s.user
}

// HasAuthHash reports whether authHash is that of the login. It compares in
// constant time.
func (s *Session) HasAuthHash(authHash string) bool {
	s.accessed = true
	return subtle.ConstantTimeCompare([]byte(s.authHash), []byte(authHash)) == 1
}

// LoggedIn returns when the user last logged in, the zero time if nobody has: a
// page that wants the password again for what cannot be undone looks at it.
func (s *Session) LoggedIn() time.Time {
	s.accessed = true
	if s.user == "" {
		return time.Time{}
	}
	return time.Unix(s.loggedIn, 0)
}

// Clear ends the session: user, values, flash messages, the CSRF secret and the
// ID go, and the cookie is deleted. What is set afterwards starts a new session.
// Call it at logout.
func (s *Session) Clear() {
	s.values, s.changed, s.flashes, s.Permanent, s.lifetime = nil, nil, nil, false, 0
	s.user, s.authHash, s.loggedIn = "", "", 0
	s.created = time.Now().Unix()
	s.anew, s.cleared = true, true
	s.Rotate()
}

// Rotate keeps what is in the session and gives it a new ID and a new CSRF
// secret. Call it whenever the visitor's rights change; [Session.Login] and
// [Session.Clear] do so themselves. An ID or token that someone planted or saw
// before is then worthless.
func (s *Session) Rotate() {
	s.id, s.hasSecret, s.tokens = "", false, false
	s.SetModified()
}

// ExpireAfter ends this session when it was not used for that long, in place of
// [Options].Lifetime; 0 goes back to that.
func (s *Session) ExpireAfter(d time.Duration) {
	s.accessed = true
	s.lifetime = seconds(max(d, 0))
}

// ID identifies the session until [Session.Rotate]: 256 random bits as 43
// characters of URL-safe base64, made when first asked for. Stores on the
// server use it as the token in the cookie, so treat it like a password: it
// belongs into no log and no page.
func (s *Session) ID() string {
	if s.id == "" {
		var b [32]byte
		rand.Read(b[:]) // never fails: the runtime ends the program instead
		s.id = base64.RawURLEncoding.EncodeToString(b[:])
		s.SetModified()
	}
	return s.id
}

// StoredID is the ID under which a store on the server found the session,
// empty if it is new. After [Session.Rotate] it differs from [Session.ID], and
// saving the session must delete what is kept under it.
func (s *Session) StoredID() string { return s.storedID }

// BeganAnew reports whether [Session.Clear] or [Session.Login] gave the session a
// life of its own: a store creates it even if what is under StoredID was deleted
// meanwhile.
func (s *Session) BeganAnew() bool { return s.anew }

// Key returns the name under which a store on the server keeps the session with
// this ID: its SHA-256 in 64 hexadecimal digits. Whoever reads the store cannot
// get back to the ID.
func Key(id string) string {
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:])
}
