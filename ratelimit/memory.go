package ratelimit

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"hash/maphash"
	"sync"
	"time"
)

// MemoryOptions change what [NewMemory] makes.
type MemoryOptions struct {
	// Max is how many keys are kept, some 150 bytes each. Beyond that those
	// whose quota is nearest to being whole are forgotten. Default: 100,000.
	Max int
}

// NewMemory returns a store that counts in this process alone. Each process of a
// site then allows the whole limit.
func NewMemory(o MemoryOptions) Store {
	m := &memory{seed: maphash.MakeSeed(), begin: time.Now(), max: max(1, cmp.Or(max(o.Max, 0), 100_000)/shards)}
	for i := range m.shards {
		m.shards[i].whole = map[string]time.Duration{}
	}
	return m
}

const (
	shards = 32

	// maxKey bounds how long a key is kept as it is.
	maxKey = 64
)

// memory counts in shards, so that requests seldom wait for each other. Times
// are durations since begin, of the clock that nobody can set.
type memory struct {
	seed   maphash.Seed
	begin  time.Time
	max    int // keys of a shard
	shards [shards]shard
}

type shard struct {
	mu    sync.Mutex
	whole map[string]time.Duration // when the quota of a key is whole again
}

func (m *memory) Take(_ context.Context, key string, l Limit, n int) (Result, error) {
	if err := l.Check(); err != nil {
		return Result{}, err
	}
	s, key := m.shard(key)
	now := time.Since(m.begin)
	s.mu.Lock()
	defer s.mu.Unlock()
	was, known := s.whole[key]
	result, whole := Decide(was-now, l, n)
	if result.Allowed && n > 0 {
		if !known && len(s.whole) >= m.max {
			s.makeRoom(now)
		}
		s.whole[key] = now + whole
	}
	return result, nil
}

func (m *memory) Forget(_ context.Context, key string) error {
	s, key := m.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.whole, key)
	return nil
}

// shard returns where a key is counted, and the key that it is kept under.
func (m *memory) shard(key string) (*shard, string) {
	if len(key) > maxKey {
		key = digest(key)
	}
	return &m.shards[maphash.String(m.seed, key)%shards], key
}

// digest stands for a key that is too long to be kept.
func digest(key string) string {
	sum := sha256.Sum256([]byte(key))
	return "sha256:" + base64.RawURLEncoding.EncodeToString(sum[:])
}

// makeRoom forgets, of a few keys, those whose quota is whole, or else the one
// that is nearest to it.
func (s *shard) makeRoom(now time.Duration) {
	nearest, seen, freed := "", 0, false
	for key, whole := range s.whole {
		if whole <= now {
			delete(s.whole, key)
			freed = true
		} else if nearest == "" || whole < s.whole[nearest] {
			nearest = key
		}
		if seen++; seen == 16 {
			break
		}
	}
	if !freed {
		delete(s.whole, nearest)
	}
}

var _ Store = (*memory)(nil)
