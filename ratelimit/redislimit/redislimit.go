// Package redislimit counts for all processes of a site together, in a Redis
// server or one that speaks as it does such as Valkey:
//
//	store, err := redislimit.Open("redis://localhost:6379/0")
//	defer store.Close()
//
// See package ratelimit. A server that does not answer is an error within two
// seconds, and at once for a moment after that.
package redislimit

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/retort-web/retort/internal/redisclient"
	"github.com/retort-web/retort/ratelimit"
)

// Options change what [Open] makes.
type Options struct {
	// Prefix begins the names of what is kept, for servers that several sites
	// share. Default: "retort:limit:".
	Prefix string
}

// Store counts in a Redis server. [Open] makes it.
type Store struct {
	client *redisclient.Client
	prefix string
}

// Open returns a store in the server of a URL: redis://user:password@host:6379/0,
// rediss:// for TLS, unix:///path. It connects when it is first used. Each step of
// a call may take a second; dial_timeout=5s and read_timeout=5s behind a "?" say
// otherwise.
func Open(url string, options ...Options) (*Store, error) {
	client, err := redisclient.Open(url)
	if err != nil {
		return nil, err
	}
	var o Options
	if len(options) > 0 {
		o = options[0]
	}
	return &Store{client, cmp.Or(o.Prefix, "retort:limit:")}, nil
}

// Close closes the connections.
func (s *Store) Close() error { return s.client.Close() }

// takeScript is [ratelimit.Decide] in the server, with its clock, in microseconds.
// A key holds the time at which its quota is whole again, and expires then.
//
// ARGV: interval, capacity, cost.
var takeScript = redis.NewScript(`
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, capacity, n = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local whole = math.max((tonumber(redis.call('GET', KEYS[1])) or 0) - now, 0)
if whole > capacity then whole = capacity end
local after = whole + interval * n
if n > 0 and after <= capacity then
  redis.call('SET', KEYS[1], string.format('%.0f', now + after), 'PX', math.ceil(after / 1000))
end
return string.format('%.0f', whole)`)

// Take implements [ratelimit.Store].
func (s *Store) Take(ctx context.Context, key string, l ratelimit.Limit, n int) (ratelimit.Result, error) {
	if err := l.Check(); err != nil {
		return ratelimit.Result{}, err
	}
	interval := l.Interval().Truncate(time.Microsecond)
	cost := n
	if n < 0 || n > l.BurstSize() {
		cost = 0 // which is refused, and changes nothing
	}
	var whole int64
	err := s.client.Do(ctx, func(ctx context.Context, r redis.Cmdable) (err error) {
		whole, err = takeScript.Run(ctx, r, []string{s.prefix + key},
			interval.Microseconds(), interval.Microseconds()*int64(l.BurstSize()), cost).Int64()
		return err
	})
	if err != nil {
		return ratelimit.Result{}, err
	}
	// The same arithmetic, so the same answer.
	l.Window = interval * time.Duration(l.Requests)
	result, _ := ratelimit.Decide(time.Duration(whole)*time.Microsecond, l, n)
	return result, nil
}

// Forget implements [ratelimit.Store].
func (s *Store) Forget(ctx context.Context, key string) error {
	err := s.client.Do(ctx, func(ctx context.Context, r redis.Cmdable) error { return r.Del(ctx, s.prefix+key).Err() })
	if errors.Is(err, redis.Nil) {
		return nil
	}
	return err
}

var _ ratelimit.Store = (*Store)(nil)
