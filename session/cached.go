package session

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"log/slog"
	"strconv"
	"time"

	"github.com/retort-web/retort/internal/outage"
)

// CachedOptions change what [NewCachedStore] makes.
type CachedOptions struct {
	// Fresh is how long a copy in the fast store is believed, at most. It bounds for how
	// long a session that was ended is still found if the fast store could not be told of
	// it. Default: 5 minutes.
	Fresh time.Duration

	// Logger returns where it is said that the fast store is away: once a minute at most.
	// Default: [slog.Default].
	Logger func() *slog.Logger
}

// NewCachedStore returns a store that keeps copies of the sessions of a lasting store in
// a fast one. A session is read from the fast store, and only if that has no copy from the
// lasting one; it is written to both, and deleted from both. The lasting store decides what
// counts: what it has not kept is nowhere, and it lists the sessions of a user. While the
// fast store is away, the lasting one does all the work.
//
// The fast store must be one that all processes share, unless there is only one.
func NewCachedStore(fast, lasting ServerStore, o CachedOptions) ServerStore {
	if o.Fresh <= 0 {
		o.Fresh = 5 * time.Minute
	}
	if o.Logger == nil {
		o.Logger = slog.Default
	}
	return &cachedStore{fast: fast, lasting: lasting, options: o}
}

// cachedStore keeps a copy as a value of a session of its own in the fast store, under an
// ID that follows from the key of the original: so every store serves, the copy has its own
// time to expire, and nobody logs in with it.
//
// No old copy stays, in whichever order requests at the same time come to the fast store.
// The value's name is the original's revision, and the highest counts: as sessions merge,
// who writes an older one removes no newer one. And the end of a session leaves a mark,
// next to which copies count for nothing: who has read the session before cannot bring it
// back, nor who reads it while the transaction that has deleted it is open.
type cachedStore struct {
	fast, lasting ServerStore
	options       CachedOptions
	outage        outage.Log
}

// cachedEnded is the name of the mark.
const cachedEnded = "ended"

// copyID is the ID of the copy of a session with that key.
func copyID(key string) string {
	sum := sha256.Sum256([]byte("copy " + key))
	return base64.RawURLEncoding.EncodeToString(sum[:]) // as long as an ID
}

func (c *cachedStore) Load(ctx context.Context, token string) (*Session, error) {
	if len(token) != len(copyID("")) {
		return New(), nil
	}
	kept, err := c.loadCopy(ctx, Key(token))
	if err != nil {
		return c.lasting.Load(ctx, token)
	}
	revision := newest(kept)
	if found, ok := Get[copied](kept, revisionName(revision)); ok && !kept.Has(cachedEnded) {
		if s, err := Restore(token, found.Data); err == nil && time.Now().Before(s.Expires()) {
			s.revision, s.saved = revision, found.Saved
			return s, nil
		}
	}
	s, err := c.lasting.Load(ctx, token)
	if err == nil && !s.isNew {
		c.putCopy(ctx, kept, s, s.revision, s.saved)
	}
	return s, err
}

// copied is what is kept of a session. A copy is no use of it, so that the time when it was
// last saved is not that of Data.
type copied struct {
	Saved int64
	Data  []byte
}

// newest returns the highest revision of which there is a copy, 0 if there is none.
func newest(kept *Session) (revision int64) {
	for name := range kept.values {
		if n, err := strconv.ParseInt(name, 10, 64); err == nil {
			revision = max(revision, n)
		}
	}
	return revision
}

func revisionName(revision int64) string { return strconv.FormatInt(revision, 10) }

func (c *cachedStore) Save(ctx context.Context, s *Session) (string, error) {
	token, err := c.lasting.Save(ctx, s)
	if err != nil {
		if errors.Is(err, ErrGone) {
			c.end(ctx, Key(s.storedID))
		}
		return "", err
	}
	if s.storedID != "" && s.storedID != s.id {
		c.end(ctx, Key(s.storedID))
	}
	if kept, err := c.loadCopy(ctx, Key(token)); err == nil {
		c.putCopy(ctx, kept, s, s.revision+1, time.Now().Unix())
	}
	return token, nil
}

func (c *cachedStore) Delete(ctx context.Context, s *Session) error {
	err := c.lasting.Delete(ctx, s)
	c.end(ctx, Key(s.storedID))
	return err
}

func (c *cachedStore) Replaced(ctx context.Context, id string) (bool, error) {
	if store, ok := c.lasting.(Replacer); ok {
		return store.Replaced(ctx, id)
	}
	return false, nil
}

// loadCopy returns what the fast store has of the session with a key, a new session if it
// has nothing.
func (c *cachedStore) loadCopy(ctx context.Context, key string) (*Session, error) {
	kept, err := c.fast.Load(ctx, copyID(key))
	return kept, c.note(ctx, err)
}

// putCopy adds a copy of a session, of that revision and saved then, to what is kept, unless
// there is one as new, or the mark.
func (c *cachedStore) putCopy(ctx context.Context, kept, s *Session, revision, saved int64) {
	if kept.Has(cachedEnded) || newest(kept) >= revision {
		return
	}
	expires := s.Expires()
	if until := time.Now().Add(c.options.Fresh); until.Before(expires) {
		expires = until
	}
	c.saveCopy(ctx, kept, Key(s.ID()), revisionName(revision), copied{saved, s.Encode()}, expires)
}

// end marks that a session has ended, whether anybody waits for it or not.
func (c *cachedStore) end(ctx context.Context, key string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTimeout)
	defer cancel()
	if kept, err := c.loadCopy(ctx, key); err == nil {
		c.saveCopy(ctx, kept, key, cachedEnded, true, time.Now().Add(c.options.Fresh))
	}
}

// endTimeout bounds how long marking takes.
const endTimeout = 10 * time.Second

// saveCopy puts a value in place of those that are kept. What others put there meanwhile
// stays next to it.
func (c *cachedStore) saveCopy(ctx context.Context, kept *Session, key, name string, value any, expires time.Time) {
	if kept.isNew {
		kept = New()
		kept.id = copyID(key)
		kept.storedID = kept.id // another may have made it meanwhile
	}
	kept.Delete(kept.Keys()...)
	kept.Set(name, value)
	kept.anew = true // it may have expired meanwhile
	kept.expires = expires
	_, err := c.fast.Save(ctx, kept)
	_ = c.note(ctx, err)
}

// note logs that the fast store is away, or back again. That a request was given up says
// nothing about the store.
func (c *cachedStore) note(ctx context.Context, err error) error {
	switch {
	case err == nil:
		c.outage.Back(c.options.Logger(), "the fast store of the sessions is back")
	case ctx.Err() == nil:
		c.outage.Away(c.options.Logger(), "the fast store of the sessions is away: they come from the lasting one", err)
	}
	return err
}

func (c *cachedStore) List(ctx context.Context, user string) ([]Info, error) {
	return c.lasting.List(ctx, user)
}

func (c *cachedStore) End(ctx context.Context, user, key string) (int, error) {
	n, err := c.lasting.End(ctx, user, key)
	if n > 0 {
		c.end(ctx, key)
	}
	return n, err
}

// EndAll ends what the list shows one by one, as that tells which copies to end.
func (c *cachedStore) EndAll(ctx context.Context, user, keep string) (ended int, err error) {
	for {
		list, err := c.lasting.List(ctx, user)
		if err != nil {
			return ended, err
		}
		before := ended
		for _, info := range list {
			if info.Key == keep {
				continue
			}
			n, err := c.End(ctx, user, info.Key)
			ended += n
			if err != nil {
				return ended, err
			}
		}
		if ended == before {
			break
		}
	}
	n, err := c.lasting.EndAll(ctx, user, keep) // what cannot be listed
	return ended + n, err
}

func (c *cachedStore) DeleteExpired(ctx context.Context, limit int) (int, error) {
	n, err := c.lasting.DeleteExpired(ctx, limit)
	if err != nil || n >= limit {
		return n, err
	}
	copies, err := c.fast.DeleteExpired(ctx, limit-n)
	if c.note(ctx, err) != nil {
		return n, nil // they count for nothing
	}
	return n + copies, nil
}

var _ ServerStore = (*cachedStore)(nil)
