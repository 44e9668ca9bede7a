package static

import (
	"container/list"
	"sync"
)

// cache keeps compressed contents up to a total size, the least recently used going first.
type cache struct {
	limit int64

	mu      sync.Mutex
	size    int64
	order   list.List // of cached, the most recently used in front
	entries map[string]*list.Element
}

type cached struct {
	key     string
	content []byte
}

func newCache(limit int64) *cache {
	return &cache{limit: limit, entries: make(map[string]*list.Element)}
}

func (c *cache) get(key string) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entries[key]
	if e == nil {
		return nil
	}
	c.order.MoveToFront(e)
	return e.Value.(cached).content
}

func (c *cache) put(key string, content []byte) {
	if int64(len(content)) > c.limit {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.entries[key]; e != nil {
		c.remove(e)
	}
	c.entries[key] = c.order.PushFront(cached{key, content})
	c.size += int64(len(content))
	for c.size > c.limit {
		c.remove(c.order.Back())
	}
}

func (c *cache) remove(e *list.Element) {
	entry := c.order.Remove(e).(cached)
	delete(c.entries, entry.key)
	c.size -= int64(len(entry.content))
}
