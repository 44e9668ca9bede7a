package filesession

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/retort-web/retort/session"
)

// A session of the key "abcd…" is the file sessions/ab/abcd…: what
// session.Session.Encode wrote, with the time at which it expires as that of its last
// change. The sessions of a user are empty files users/cd/cdef…/abcd…, of which the
// second name is the hash of the user. Whoever changes a session holds the lock of its
// first two digits, the file locks/ab.
//
// All names are hexadecimal digits of hashes, so nothing that a client sends is ever part
// of a path.

const (
	folderMode = 0o700
	fileMode   = 0o600
)

// NewStore returns a store of sessions in a folder, which it makes if it is not there.
//
// Whoever can write to the folder can log in as anybody, so it must belong to the user that
// the program runs as, and nobody else may write to it. Otherwise NewStore fails.
func NewStore(folder string) (session.ServerStore, error) {
	if folder == "" {
		return nil, errors.New("filesession: no folder given")
	}
	folder, err := filepath.Abs(folder) // wherever the program goes later
	if err != nil {
		return nil, fmt.Errorf("filesession: %w", err)
	}
	if err := os.MkdirAll(folder, folderMode); err != nil {
		return nil, fmt.Errorf("filesession: %w", err)
	}
	info, err := os.Stat(folder)
	if err != nil {
		return nil, fmt.Errorf("filesession: %w", err)
	}
	if err := checkOwner(info); err != nil {
		return nil, fmt.Errorf("filesession: %s %w: who can write to it can log in as anybody; "+
			"give a folder that is the program's alone (chmod 700)", folder, err)
	}
	return &store{folder: folder}, nil
}

type store struct {
	folder string
	locks  [shards]sync.Mutex // of this process, before those of the files

	mu    sync.Mutex
	sweep int // the shard where DeleteExpired goes on
}

func (s *store) sessionPath(key string) string {
	return filepath.Join(s.folder, "sessions", key[:2], key)
}

func (s *store) userPath(user string) string {
	hash := session.Key(user)
	return filepath.Join(s.folder, "users", hash[:2], hash)
}

// tokenSize is the length of an ID; no other token is worth looking for.
var tokenSize = len(session.New().ID())

func (s *store) Load(_ context.Context, token string) (*session.Session, error) {
	if len(token) != tokenSize {
		return session.New(), nil
	}
	data, err := s.read(session.Key(token))
	if err != nil || data == nil {
		return session.New(), err
	}
	found, err := session.Restore(token, data)
	if err != nil || !time.Now().Before(found.Expires()) {
		return session.New(), nil
	}
	return found, nil
}

// read returns what is kept under a key, nil if there is nothing.
func (s *store) read(key string) ([]byte, error) {
	data, err := os.ReadFile(s.sessionPath(key))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return data, err
}

func (s *store) Replaced(ctx context.Context, id string) (bool, error) {
	if len(id) != tokenSize {
		return false, nil
	}
	return session.WasReplaced(ctx, s, id)
}

func (s *store) Save(ctx context.Context, visit *session.Session) (string, error) {
	if err := s.save(visit); err != nil {
		return "", err
	}
	session.NoteReplaced(ctx, s, visit)
	return visit.ID(), nil
}

func (s *store) save(visit *session.Session) error {
	key, old := session.Key(visit.ID()), ""
	if visit.StoredID() != "" {
		old = session.Key(visit.StoredID())
	}
	unlock, err := s.lock(key, cmp.Or(old, key))
	if err != nil {
		return err
	}
	defer unlock()

	oldUser := ""
	if old != "" {
		data, err := s.read(old)
		if err != nil {
			return err
		}
		kept, err := session.Restore(visit.StoredID(), data)
		switch {
		case err != nil && !visit.BeganAnew(): // nothing is there, or nothing that can be read
			return session.ErrGone
		case err == nil:
			oldUser = kept.User()
			// What is kept counts one more at each save.
			if kept.Revision() != visit.Revision() {
				if err := visit.Merge(data); err != nil {
					return err
				}
			}
		}
	}
	staged, err := s.stage(key, visit)
	if err != nil {
		return err
	}
	if visit.User() != "" {
		if err := s.mark(visit.User(), key); err != nil {
			_ = os.Remove(staged)
			return err
		}
	}
	// The old one goes first: who is stopped in between is logged out, and not logged in twice.
	if old != "" && old != key {
		if _, err := s.drop(oldUser, old); err != nil {
			_ = os.Remove(staged)
			return err
		}
	}
	if err := os.Rename(staged, s.sessionPath(key)); err != nil {
		_ = os.Remove(staged)
		return err
	}
	if old == key && oldUser != "" && oldUser != visit.User() {
		s.unmark(oldUser, key)
	}
	return nil
}

// stagedPrefix begins the names of files that are being written.
const stagedPrefix = "new-"

// stage writes a session to a file next to where it is to be, so that readers see all of it
// or nothing.
func (s *store) stage(key string, visit *session.Session) (path string, err error) {
	folder := filepath.Dir(s.sessionPath(key))
	if err := os.MkdirAll(folder, folderMode); err != nil {
		return "", err
	}
	f, err := os.CreateTemp(folder, stagedPrefix) // for its owner only
	if err != nil {
		return "", err
	}
	_, err = f.Write(visit.Encode())
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Chtimes(f.Name(), time.Time{}, visit.Expires())
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}

// maxAttempts bounds how often a note is tried again as others of the same user come and go.
const maxAttempts = 1000

// mark notes that a session is the user's.
func (s *store) mark(user, key string) error {
	folder := s.userPath(user)
	for attempt := 0; ; attempt++ {
		err := os.MkdirAll(folder, folderMode)
		if err == nil {
			var f *os.File
			f, err = os.OpenFile(filepath.Join(folder, key), os.O_CREATE|os.O_WRONLY, fileMode)
			if err == nil {
				return f.Close()
			}
		}
		// Another made the folder, or removed it as it was empty.
		again := errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrExist)
		if !again || attempt == maxAttempts {
			return err
		}
	}
}

// unmark takes the note back, and the user's folder with the last one. What is left behind
// of it stands for nothing.
func (s *store) unmark(user, key string) {
	folder := s.userPath(user)
	_ = os.Remove(filepath.Join(folder, key))
	_ = os.Remove(folder) // which fails unless it is empty
}

// drop deletes a session and reports whether it was there. The caller holds its lock.
func (s *store) drop(user, key string) (bool, error) {
	err := os.Remove(s.sessionPath(key))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	if user != "" {
		s.unmark(user, key)
	}
	return err == nil, nil
}

// describe returns what is kept under a key, and whether there is something that can be
// read.
func (s *store) describe(key string) (session.Info, bool, error) {
	data, err := s.read(key)
	if err != nil || data == nil {
		return session.Info{}, false, err
	}
	info, err := session.DescribeStored(key, data)
	return info, err == nil, nil
}

func (s *store) Delete(_ context.Context, visit *session.Session) error {
	key := session.Key(visit.StoredID())
	unlock, err := s.lock(key, key)
	if err != nil {
		return err
	}
	defer unlock()
	info, _, err := s.describe(key)
	if err != nil {
		return err
	}
	_, err = s.drop(info.User, key)
	return err
}

// keysOf returns the keys of what may be the user's sessions.
func (s *store) keysOf(user string) ([]string, error) {
	entries, err := os.ReadDir(s.userPath(user))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var keys []string
	for _, entry := range entries {
		if isKey(entry.Name()) {
			keys = append(keys, entry.Name())
		}
	}
	return keys, err
}

// isKey reports whether a file has a name as [session.Key] makes them.
func isKey(name string) bool {
	for i := range len(name) {
		if c := name[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return len(name) == 64
}

func (s *store) List(ctx context.Context, user string) ([]session.Info, error) {
	keys, err := s.keysOf(user)
	if err != nil {
		return nil, err
	}
	var list []session.Info
	for _, key := range keys {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		info, ok, err := s.describe(key)
		if err != nil {
			return nil, err
		}
		if ok && info.User == user && time.Now().Before(info.Expires) {
			list = append(list, info)
		}
	}
	slices.SortFunc(list, func(a, b session.Info) int {
		return cmp.Or(b.LastSeen.Compare(a.LastSeen), cmp.Compare(a.Key, b.Key))
	})
	return list[:min(len(list), session.MaxListed)], nil
}

func (s *store) End(_ context.Context, user, key string) (int, error) {
	if !isKey(key) {
		return 0, nil
	}
	return s.end(user, key)
}

func (s *store) end(user, key string) (int, error) {
	unlock, err := s.lock(key, key)
	if err != nil {
		return 0, err
	}
	defer unlock()
	info, ok, err := s.describe(key)
	switch {
	case err != nil:
		return 0, err
	case !ok || info.User != user:
		s.unmark(user, key) // left by a program that was stopped
		return 0, nil
	}
	if done, err := s.drop(user, key); !done || err != nil {
		return 0, err
	}
	return 1, nil
}

func (s *store) EndAll(_ context.Context, user, keep string) (ended int, err error) {
	keys, err := s.keysOf(user)
	for _, key := range keys {
		if key == keep {
			continue
		}
		n, endErr := s.end(user, key)
		ended, err = ended+n, errors.Join(err, endErr) // the others are to end all the same
	}
	return ended, err
}

var _ session.ServerStore = (*store)(nil)
