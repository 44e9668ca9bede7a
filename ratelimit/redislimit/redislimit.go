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
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
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

// A key of a usual limit holds the time at which its quota is whole again, one of a
// limit with a Wait how many were allowed and when the last was: "7:1790000000000000".
// Times are those of the server's clock in microseconds since 1970. Keys expire when
// they say nothing any more.
//
// The scripts get six arguments for each key: the interval (of a limit with a Wait:
// Requests), the capacity, Wait (0 of a usual limit), MaxWait, Window and the cost. They return, for each key, what was kept: a time counted from now, and a
// count.

// readState defines the state of key i, as [ratelimit.State.Now] has it.
const readState = `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local function arg(i, n) return tonumber(ARGV[(i - 1) * 6 + n]) end
local function state(i)
  local kept = redis.call('GET', KEYS[i]) or ''
  if arg(i, 3) == 0 then
    return math.min(math.max((tonumber(kept) or 0) - now, 0), arg(i, 2)), 0
  end
  local count, last = string.match(kept, '^(%d+):(%d+)$')
  if not count then return 0, 0 end
  local at = math.min(tonumber(last) - now, 0)
  if at <= -arg(i, 5) then return 0, 0 end
  return at, tonumber(count)
end
local function keep(i, at, count)
  local value, left = string.format('%.0f', now + at), at
  if arg(i, 3) > 0 then
    value, left = string.format('%d:%s', count, value), at + arg(i, 5)
    if count <= 0 then left = 0 end
  end
  if left > 0 then
    redis.call('SET', KEYS[i], value, 'PX', math.ceil(left / 1000))
  else
    redis.call('DEL', KEYS[i])
  end
end
`

// takeScript is [ratelimit.Decide] in the server.
var takeScript = redis.NewScript(readState + `
local found, allowed = {}, true
for i = 1, #KEYS do
  local at, count = state(i)
  local n = arg(i, 6)
  found[2 * i - 1], found[2 * i] = at, count
  if n < 0 or n > (arg(i, 3) == 0 and arg(i, 2) / arg(i, 1) or arg(i, 1)) then
    allowed = false
  elseif arg(i, 3) == 0 then
    if at + arg(i, 1) * n > arg(i, 2) or n == 0 and at + arg(i, 1) > arg(i, 2) then allowed = false end
  else
    local wait = 0
    if count >= arg(i, 1) then wait = math.min(arg(i, 3) * 2 ^ math.min(count - arg(i, 1), 60), arg(i, 4)) end
    if at + wait > 0 then allowed = false end
  end
end
if allowed then
  for i = 1, #KEYS do
    local n = arg(i, 6)
    if n > 0 and arg(i, 3) == 0 then
      keep(i, found[2 * i - 1] + arg(i, 1) * n, 0)
    elseif n > 0 then
      keep(i, 0, math.min(found[2 * i] + n, 1073741824))
    end
  end
end
return found`)

// returnScript is [ratelimit.State.Return] in the server.
var returnScript = redis.NewScript(readState + `
for i = 1, #KEYS do
  local at, count = state(i)
  local n = arg(i, 6)
  if n > 0 and arg(i, 3) == 0 then
    if at > 0 then keep(i, at - arg(i, 1) * n, 0) end
  elseif n > 0 and count > 0 then
    keep(i, at, count - n)
  end
end
return 0`)

// maxKey bounds the names of what is kept, in bytes: a key may be what a stranger sent.
const maxKey = 200

// name is what a key is called in the server.
func (s *Store) name(key string) string {
	if len(key) > maxKey {
		sum := sha256.Sum256([]byte(key))
		key = "sha256:" + base64.RawURLEncoding.EncodeToString(sum[:])
	}
	return s.prefix + key
}

// run runs a script on the keys of the charges.
func (s *Store) run(ctx context.Context, script *redis.Script, charges []ratelimit.Charge) (reply any, err error) {
	keys, args := make([]string, len(charges)), make([]any, 0, 6*len(charges))
	for i, c := range charges {
		keys[i] = s.name(c.Key)
		l := c.Limit
		cost := min(c.Cost, l.BurstSize()+1)
		first, second := l.Interval().Microseconds(), l.Interval().Microseconds()*int64(l.BurstSize())
		if l.Wait > 0 {
			first = int64(l.Requests)
		}
		args = append(args, first, second, l.Wait.Microseconds(), l.LongestWait().Microseconds(), l.Window.Microseconds(), cost)
	}
	err = s.client.Do(ctx, func(ctx context.Context, r redis.Cmdable) (err error) {
		reply, err = script.Run(ctx, r, keys, args...).Result()
		return err
	})
	return reply, err
}

// Take implements [ratelimit.Store].
func (s *Store) Take(ctx context.Context, charges ...ratelimit.Charge) (ratelimit.Result, error) {
	if err := ratelimit.CheckCharges(charges); err != nil {
		return ratelimit.Result{}, err
	}
	if len(charges) == 0 {
		return ratelimit.Decide(nil, nil), nil
	}
	reply, err := s.run(ctx, takeScript, charges)
	if err != nil {
		return ratelimit.Result{}, err
	}
	found, _ := reply.([]any)
	if len(found) != 2*len(charges) {
		return ratelimit.Result{}, fmt.Errorf("redislimit: the server answers %d numbers for %d keys", len(found), len(charges))
	}
	// The same arithmetic, so the same answer.
	states, whole := make([]ratelimit.State, len(charges)), slices.Clone(charges)
	for i := range charges {
		at, _ := found[2*i].(int64)
		count, _ := found[2*i+1].(int64)
		states[i] = ratelimit.State{At: time.Duration(at) * time.Microsecond, Count: int(count)}
		whole[i].Limit = inMicroseconds(charges[i].Limit)
	}
	return ratelimit.Decide(states, whole), nil
}

// inMicroseconds is a limit as the server counts it.
func inMicroseconds(l ratelimit.Limit) ratelimit.Limit {
	if l.Wait == 0 {
		l.Window = l.Interval().Truncate(time.Microsecond) * time.Duration(l.Requests)
	} else {
		l.Wait, l.MaxWait, l.Window = l.Wait.Truncate(time.Microsecond), l.LongestWait().Truncate(time.Microsecond), l.Window.Truncate(time.Microsecond)
	}
	return l
}

// Return implements [ratelimit.Store].
func (s *Store) Return(ctx context.Context, charges ...ratelimit.Charge) error {
	if err := ratelimit.CheckCharges(charges); err != nil {
		return err
	}
	if len(charges) == 0 {
		return nil
	}
	_, err := s.run(ctx, returnScript, charges)
	return err
}

// Forget implements [ratelimit.Store].
func (s *Store) Forget(ctx context.Context, keys ...string) error {
	if len(keys) == 0 {
		return nil
	}
	full := make([]string, len(keys))
	for i, key := range keys {
		full[i] = s.name(key)
	}
	return s.client.Do(ctx, func(ctx context.Context, r redis.Cmdable) error { return r.Del(ctx, full...).Err() })
}

var _ ratelimit.Store = (*Store)(nil)
