package template

import (
	"sync"
	"sync/atomic"
)

const defaultCacheSize = 1000

// templateCache keeps compiled templates. A template that is found is only
// marked; when room is needed, a hand goes round and takes the first one that
// was not used since it last came by. So reading needs no exclusive lock.
type templateCache struct {
	size    int // 0: the default, negative: no limit
	mu      sync.RWMutex
	entries map[string]*cacheEntry
	ring    []*cacheEntry
	hand    int
}

type cacheEntry struct {
	name string
	t    *Template
	used atomic.Bool
}

func (c *templateCache) get(name string) *Template {
	c.mu.RLock()
	defer c.mu.RUnlock()
	e := c.entries[name]
	if e == nil {
		return nil
	}
	if !e.used.Load() {
		e.used.Store(true)
	}
	return e.t
}

// put adds a template and gives the one to use: the one that someone else has
// added meanwhile, unless it is to be replaced.
func (c *templateCache) put(name string, t *Template, replace bool) *Template {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.entries[name]; e != nil {
		if replace {
			e.t = t
		}
		return e.t
	}
	if c.entries == nil {
		c.entries = map[string]*cacheEntry{}
	}
	e := &cacheEntry{name: name, t: t}
	c.entries[name] = e
	limit := c.size
	if limit == 0 {
		limit = defaultCacheSize
	}
	if limit < 0 || len(c.ring) < limit {
		c.ring = append(c.ring, e)
		return t
	}
	for c.ring[c.hand].used.Swap(false) {
		c.hand = (c.hand + 1) % len(c.ring)
	}
	delete(c.entries, c.ring[c.hand].name)
	c.ring[c.hand] = e
	c.hand = (c.hand + 1) % len(c.ring)
	return t
}
