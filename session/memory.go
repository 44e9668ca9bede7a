package session

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"
)

// MemoryOptions change what [NewMemoryStore] makes.
type MemoryOptions struct {
	// Max is how many sessions are kept. One more pushes out the one that was
	// used least recently of a handful looked at. Default: 100,000.
	Max int
}

// NewMemoryStore returns a store that keeps sessions in the memory of this
// process: for tests, and for sites of one process that may forget them when it
// ends.
func NewMemoryStore(o MemoryOptions) ServerStore {
	return &memoryStore{
		max: cmp.Or(max(o.Max, 0), 100_000), kept: map[string]*memoryEntry{}, users: map[string]map[string]*memoryEntry{},
	}
}

// memoryStore keeps sessions by the keys of their IDs.
type memoryStore struct {
	max   int
	mu    sync.Mutex
	kept  map[string]*memoryEntry
	users map[string]map[string]*memoryEntry // those of each user
}

type memoryEntry struct {
	data     []byte // never changed in place
	revision int64
	user     string
	saved    time.Time
	expires  time.Time
}

func (m *memoryStore) Load(_ context.Context, token string) (*Session, error) {
	m.mu.Lock()
	entry := m.kept[Key(token)]
	m.mu.Unlock()
	if entry == nil || time.Now().After(entry.expires) {
		return New(), nil
	}
	s, err := Restore(token, entry.data)
	if err != nil {
		return New(), nil
	}
	return s, nil
}

func (m *memoryStore) Replaced(ctx context.Context, id string) (bool, error) {
	return WasReplaced(ctx, m, id)
}

func (m *memoryStore) Save(ctx context.Context, s *Session) (string, error) {
	token, err := m.save(s)
	if err == nil {
		NoteReplaced(ctx, m, s)
	}
	return token, err
}

func (m *memoryStore) save(s *Session) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s.storedID != "" {
		old := m.kept[Key(s.storedID)]
		switch {
		case old != nil && old.revision != s.revision:
			if err := s.Merge(old.data); err != nil {
				return "", err
			}
		case old == nil && !s.anew:
			return "", ErrGone
		}
		m.drop(Key(s.storedID))
	}
	m.makeRoom()
	entry := &memoryEntry{data: s.Encode(), revision: s.revision + 1, user: s.user, saved: time.Now(), expires: s.Expires()}
	key := Key(s.ID())
	m.kept[key] = entry
	if s.user != "" {
		if m.users[s.user] == nil {
			m.users[s.user] = map[string]*memoryEntry{}
		}
		m.users[s.user][key] = entry
	}
	return s.ID(), nil
}

func (m *memoryStore) Delete(_ context.Context, s *Session) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.drop(Key(s.storedID))
	return nil
}

// drop forgets a session and reports whether it was there.
func (m *memoryStore) drop(key string) bool {
	entry := m.kept[key]
	if entry == nil {
		return false
	}
	delete(m.kept, key)
	if of := m.users[entry.user]; of != nil {
		if delete(of, key); len(of) == 0 {
			delete(m.users, entry.user)
		}
	}
	return true
}

// makeRoom forgets the least recently used of a few sessions if there are too
// many.
func (m *memoryStore) makeRoom() {
	for len(m.kept) >= m.max {
		oldest, seen := "", 0
		for key, entry := range m.kept {
			if oldest == "" || entry.saved.Before(m.kept[oldest].saved) {
				oldest = key
			}
			if seen++; seen == 8 {
				break
			}
		}
		m.drop(oldest)
	}
}

func (m *memoryStore) List(_ context.Context, user string) ([]Info, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []Info
	for key, entry := range m.users[user] {
		if time.Now().After(entry.expires) {
			continue
		}
		if info, err := DescribeStored(key, entry.data); err == nil {
			list = append(list, info)
		}
	}
	slices.SortFunc(list, func(a, b Info) int {
		return cmp.Or(b.LastSeen.Compare(a.LastSeen), cmp.Compare(a.Key, b.Key))
	})
	return list[:min(len(list), MaxListed)], nil
}

func (m *memoryStore) End(_ context.Context, user, key string) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.users[user][key] == nil || !m.drop(key) {
		return 0, nil
	}
	return 1, nil
}

func (m *memoryStore) EndAll(_ context.Context, user, keep string) (n int, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key := range m.users[user] {
		if key != keep && m.drop(key) {
			n++
		}
	}
	return n, nil
}

func (m *memoryStore) DeleteExpired(_ context.Context, limit int) (n int, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key, entry := range m.kept {
		if n == limit {
			break
		}
		if time.Now().After(entry.expires) && m.drop(key) {
			n++
		}
	}
	return n, nil
}

var _ ServerStore = (*memoryStore)(nil)
