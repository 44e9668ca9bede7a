package session

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"time"
)

// Replacer is a [ServerStore] that knows for a minute which IDs were replaced by others: its
// Save calls [NoteReplaced] when it has saved a session under another ID than it had.
//
// A browser sends several requests at once, some of them with the ID that a login has just
// replaced. Whoever comes with that is nobody, and must not get the cookie of a new session
// either: it could reach the browser after that of the login, and log the visitor out.
type Replacer interface {
	// Replaced reports whether an ID that the store does not know was replaced: what
	// [WasReplaced] says.
	Replaced(ctx context.Context, id string) (bool, error)
}

// replacedFor is how long it is known that an ID was replaced.
const replacedFor = time.Minute

// replacedID is the ID of the note about an ID, which follows from it.
func replacedID(id string) string {
	sum := sha256.Sum256([]byte("replaced " + id))
	return base64.RawURLEncoding.EncodeToString(sum[:]) // as long as an ID
}

// NoteReplaced keeps in a store that the ID under which it had a session, which it has just
// saved, is replaced, if it is: by a session of its own, which expires. If the store cannot,
// nothing but that is lost.
func NoteReplaced(ctx context.Context, store ServerStore, saved *Session) {
	id := saved.storedID
	if id == "" || id == saved.id {
		return
	}
	note := New()
	note.id, note.lifetime, note.expires = replacedID(id), seconds(replacedFor), time.Now().Add(replacedFor)
	note.Set("replaced", true)
	_, _ = store.Save(ctx, note)
}

// WasReplaced is [Replacer].Replaced for a store.
func WasReplaced(ctx context.Context, store ServerStore, id string) (bool, error) {
	note, err := store.Load(ctx, replacedID(id))
	return err == nil && !note.isNew && time.Now().Unix()-note.saved <= note.lifetime, err
}
