package session

import (
	"context"
	"errors"
)

// ErrGone is what a store on the server returns from Save for a session that
// was deleted while the request ran, by a logout in another window for
// example. It must not be created again. What the request has changed of it is lost, of
// which [Manager.Commit] and [Session.Err] tell; who only read it, or was shown its
// messages or a token, misses nothing and gets no error.
var ErrGone = errors.New("session: deleted during the request; its changes are not kept")

// Store keeps sessions. It must be safe for concurrent use by many requests. One
// on the server is also a [ServerStore].
type Store interface {
	// Load returns the session of a token, the value of a cookie: whatever a
	// client cares to send. For a broken, unknown or expired token it returns
	// New() and no error, and never uses the token for the new session. An
	// error says that the store cannot be asked now.
	//
	// A store on the server returns Restore(token, data).
	Load(ctx context.Context, token string) (*Session, error)

	// Save keeps the session and returns the token that stands for it.
	//
	// On the server: if StoredID is empty, it creates. If StoredID equals ID,
	// it updates, and returns ErrGone if there is nothing to update. If they
	// differ, it creates under ID and deletes what is under StoredID; if there
	// is nothing to delete it returns ErrGone, unless the session BeganAnew.
	// Updating and deleting, if what is kept is not of the session's Revision,
	// it gives that to Session.Merge and tries again.
	Save(ctx context.Context, s *Session) (token string, err error)

	// Delete forgets what is kept under StoredID. That there is nothing is no
	// error.
	Delete(ctx context.Context, s *Session) error
}

// ServerStore is a store on the server. It uses [Session.ID] as the token and
// keeps the bytes of [Session.Encode] until [Session.Expires], under the [Key] of
// the ID rather than the ID itself, so that a copy of its table logs nobody in.
// Package session/sessiontest checks that a store follows these rules.
type ServerStore interface {
	Store

	// List returns the sessions of a user that have not expired, last used
	// first, at most [MaxListed]. It returns DescribeStored(key, data) of each.
	List(ctx context.Context, user string) ([]Info, error)

	// End deletes the session of that key if it is the user's, and returns how
	// many it deleted.
	End(ctx context.Context, user, key string) (int, error)

	// EndAll deletes the sessions of a user, all but the one of the key keep,
	// which may be empty, and returns how many.
	EndAll(ctx context.Context, user, keep string) (int, error)

	// DeleteExpired deletes sessions that have expired, at most limit, and
	// returns how many. A store that does so by itself returns 0.
	DeleteExpired(ctx context.Context, limit int) (int, error)
}
