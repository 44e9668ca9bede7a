package ratelimit

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"hash/maphash"
	"math/bits"
	"sync"
	"time"
)

// MemoryOptions change what [NewMemory] makes.
type MemoryOptions struct {
	// Max is how many keys are kept, some 200 bytes each. Beyond that those are
	// forgotten that have used least of their quota. Default: 100,000.
	Max int
}

// NewMemory returns a store that counts in this process alone. Each process of a
// site then allows the whole limit.
func NewMemory(o MemoryOptions) Store {
	m := &memory{seed: maphash.MakeSeed(), begin: time.Now(), max: max(1, cmp.Or(max(o.Max, 0), 100_000)/shards)}
	for i := range m.shards {
		m.shards[i].entries = map[string]entry{}
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
	mu      sync.Mutex
	entries map[string]entry
}

// entry is the [State] of a key, with times since the beginning.
type entry struct {
	at      time.Duration
	expires time.Duration
	slope   float32 // how much of the quota is given back in a nanosecond
	count   int32
}

func newEntry(s State, l Limit, now time.Duration) entry {
	left := s.Expires(l)
	return entry{now + s.At, now + left, s.used(l) / float32(left), int32(s.Count)} //nolint:gosec // at most maxCount
}

func (e entry) state(now time.Duration) State { return State{e.at - now, int(e.count)} }

// used is how much of the quota is used up.
func (e entry) used(now time.Duration) float32 { return float32(e.expires-now) * e.slope }

// place is where a key is kept, and what it is called there.
type place struct {
	shard int
	key   string
}

func (m *memory) place(key string) place {
	if len(key) > maxKey {
		key = digest(key)
	}
	return place{int(maphash.String(m.seed, key) % shards), key} //nolint:gosec // less than shards
}

// digest stands for a key that is too long to be kept.
func digest(key string) string {
	sum := sha256.Sum256([]byte(key))
	return "sha256:" + base64.RawURLEncoding.EncodeToString(sum[:])
}

// lock locks the shards of the places, in the one order that nobody waits in a
// circle in, and returns their set for unlock.
func (m *memory) lock(places []place) (set uint32) {
	for _, p := range places {
		set |= 1 << p.shard
	}
	for rest := set; rest != 0; rest &= rest - 1 {
		m.shards[bits.TrailingZeros32(rest)].mu.Lock()
	}
	return set
}

func (m *memory) unlock(set uint32) {
	for ; set != 0; set &= set - 1 {
		m.shards[bits.TrailingZeros32(set)].mu.Unlock()
	}
}

// usual is how many charges are counted without more memory.
const usual = 4

func (m *memory) Take(_ context.Context, charges ...Charge) (Result, error) {
	if err := CheckCharges(charges); err != nil {
		return Result{}, err
	}
	var placeRoom [usual]place
	var stateRoom [usual]State
	places, states := placeRoom[:0], stateRoom[:0]
	for i := range charges {
		places = append(places, m.place(charges[i].Key))
	}
	defer m.unlock(m.lock(places))
	now := time.Since(m.begin)
	for _, p := range places {
		states = append(states, m.shards[p.shard].entries[p.key].state(now))
	}
	result := Decide(states, charges)
	if result.Allowed {
		for i, p := range places {
			if charges[i].Cost > 0 {
				m.keep(p, states[i], charges[i].Limit, now)
			}
		}
	}
	return result, nil
}

func (m *memory) Return(_ context.Context, charges ...Charge) error {
	if err := CheckCharges(charges); err != nil {
		return err
	}
	for i := range charges {
		m.giveBack(&charges[i])
	}
	return nil
}

func (m *memory) giveBack(c *Charge) {
	p := m.place(c.Key)
	s := &m.shards[p.shard]
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, ok := s.entries[p.key]; ok {
		now := time.Since(m.begin)
		m.keep(p, e.state(now).Return(c.Limit, c.Cost), c.Limit, now)
	}
}

// keep keeps a state in a shard that is locked.
func (m *memory) keep(p place, state State, l Limit, now time.Duration) {
	s := &m.shards[p.shard]
	if state.Expires(l) <= 0 {
		delete(s.entries, p.key)
		return
	}
	if _, known := s.entries[p.key]; !known && len(s.entries) >= m.max {
		s.makeRoom(now)
	}
	s.entries[p.key] = newEntry(state, l, now)
}

func (m *memory) Forget(_ context.Context, keys ...string) error {
	for _, key := range keys {
		p := m.place(key)
		s := &m.shards[p.shard]
		s.mu.Lock()
		delete(s.entries, p.key)
		s.mu.Unlock()
	}
	return nil
}

// makeRoom forgets, of a few keys, those that have expired, or else the one that has
// used least of its quota: who is at the end of theirs cannot make it forgotten by
// coming under many other names.
func (s *shard) makeRoom(now time.Duration) {
	least, of, seen, freed := "", float32(2), 0, false
	for key, e := range s.entries {
		if e.expires <= now {
			delete(s.entries, key)
			freed = true
		} else if used := e.used(now); used < of {
			least, of = key, used
		}
		if seen++; seen == 16 {
			break
		}
	}
	if !freed {
		delete(s.entries, least)
	}
}

var _ Store = (*memory)(nil)
