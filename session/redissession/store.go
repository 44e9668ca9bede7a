package redissession

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/redis/go-redis/v9"

	"github.com/retort-web/retort/internal/redisclient"
	"github.com/retort-web/retort/session"
)

// A session is a hash at prefix + "s:" + its key: r is its revision, d what
// session.Session.Encode wrote, u its user. It expires by itself. The sessions
// of a user are a sorted set at prefix + "u:" + the user, each at the time in
// milliseconds when it expires.

// store keeps sessions in a Redis server.
type store struct {
	client *redisclient.Client
	prefix string
}

// scripts change a session and the set of its user as one.
var (
	// ARGV: prefix, old key, new key, revision loaded, revision, data, user,
	// expires in milliseconds, whether it began anew.
	saveScript = redis.NewScript(`
local prefix, old, new = ARGV[1], ARGV[2], ARGV[3]
if old ~= '' then
  local kept = redis.call('HMGET', prefix .. 's:' .. old, 'r', 'd', 'u')
  if kept[1] then
    if kept[1] ~= ARGV[4] then return kept[2] end
    if old ~= new then redis.call('DEL', prefix .. 's:' .. old) end
    if kept[3] ~= '' then redis.call('ZREM', prefix .. 'u:' .. kept[3], old) end
  elseif ARGV[9] == '0' then
    return 0
  end
end
redis.call('HSET', prefix .. 's:' .. new, 'r', ARGV[5], 'd', ARGV[6], 'u', ARGV[7])
redis.call('PEXPIREAT', prefix .. 's:' .. new, ARGV[8])
if ARGV[7] ~= '' then
  local set, time = prefix .. 'u:' .. ARGV[7], redis.call('TIME')
  redis.call('ZADD', set, ARGV[8], new)
  redis.call('ZREMRANGEBYSCORE', set, '-inf', time[1] * 1000)
  local last = redis.call('ZREVRANGE', set, 0, 0, 'WITHSCORES')
  if last[2] then redis.call('PEXPIREAT', set, last[2]) end
end
return 1`)

	// ARGV: prefix, key, user or "" for whoever's it is.
	deleteScript = redis.NewScript(`
local name = ARGV[1] .. 's:' .. ARGV[2]
local user = redis.call('HGET', name, 'u')
if not user or ARGV[3] ~= '' and user ~= ARGV[3] then return 0 end
if user ~= '' then redis.call('ZREM', ARGV[1] .. 'u:' .. user, ARGV[2]) end
return redis.call('DEL', name)`)

	// ARGV: prefix, user, key to keep.
	deleteAllScript = redis.NewScript(`
local set, n = ARGV[1] .. 'u:' .. ARGV[2], 0
for _, key in ipairs(redis.call('ZRANGE', set, 0, -1)) do
  if key ~= ARGV[3] then
    n = n + redis.call('DEL', ARGV[1] .. 's:' .. key)
    redis.call('ZREM', set, key)
  end
end
return n`)
)

// tokenSize is the length of an ID; no other token is worth asking for.
var tokenSize = len(session.New().ID())

func (s *store) Load(ctx context.Context, token string) (*session.Session, error) {
	if len(token) != tokenSize {
		return session.New(), nil
	}
	var data []byte
	err := s.client.Do(ctx, func(ctx context.Context, r redis.Cmdable) (err error) {
		data, err = r.HGet(ctx, s.prefix+"s:"+session.Key(token), "d").Bytes()
		return err
	})
	if errors.Is(err, redis.Nil) {
		return session.New(), nil
	}
	if err != nil {
		return nil, err
	}
	found, err := session.Restore(token, data)
	if err != nil {
		return session.New(), nil // written by another version of the program
	}
	return found, nil
}

func (s *store) Replaced(ctx context.Context, id string) (bool, error) {
	if len(id) != tokenSize {
		return false, nil
	}
	return session.WasReplaced(ctx, s, id)
}

// maxAttempts bounds how often a save begins again because other requests of the
// same visitor were faster. One of them succeeds each time.
const maxAttempts = 50

func (s *store) Save(ctx context.Context, visit *session.Session) (string, error) {
	old := ""
	if visit.StoredID() != "" {
		old = session.Key(visit.StoredID())
	}
	anew := 0
	if visit.BeganAnew() {
		anew = 1
	}
	for range maxAttempts {
		answer, err := s.run(ctx, saveScript, old, session.Key(visit.ID()), visit.Revision(), visit.Revision()+1,
			visit.Encode(), visit.User(), visit.Expires().UnixMilli(), anew)
		if err != nil {
			return "", err
		}
		switch answer := answer.(type) {
		case string:
			if err := visit.Merge([]byte(answer)); err != nil {
				return "", err
			}
		case int64:
			if answer == 0 {
				return "", session.ErrGone
			}
			session.NoteReplaced(ctx, s, visit)
			return visit.ID(), nil
		}
	}
	return "", fmt.Errorf("redissession: the session was changed by others %d times while it was saved", maxAttempts)
}

// run runs a script, whose first argument is the prefix.
func (s *store) run(ctx context.Context, script *redis.Script, args ...any) (answer any, err error) {
	args = append([]any{s.prefix}, args...)
	err = s.client.Do(ctx, func(ctx context.Context, r redis.Cmdable) error {
		answer, err = script.Run(ctx, r, nil, args...).Result()
		return err
	})
	return answer, err
}

// count runs a script that returns a number.
func (s *store) count(ctx context.Context, script *redis.Script, args ...any) (int, error) {
	answer, err := s.run(ctx, script, args...)
	n, _ := answer.(int64)
	return int(n), err
}

func (s *store) Delete(ctx context.Context, visit *session.Session) error {
	_, err := s.run(ctx, deleteScript, session.Key(visit.StoredID()), "")
	return err
}

func (s *store) List(ctx context.Context, user string) ([]session.Info, error) {
	var list []session.Info
	err := s.client.Do(ctx, func(ctx context.Context, r redis.Cmdable) error {
		keys, err := r.ZRevRange(ctx, s.prefix+"u:"+user, 0, session.MaxListed-1).Result()
		if err != nil || len(keys) == 0 {
			return err
		}
		values := make([]*redis.StringCmd, len(keys))
		_, err = r.Pipelined(ctx, func(p redis.Pipeliner) error {
			for i, key := range keys {
				values[i] = p.HGet(ctx, s.prefix+"s:"+key, "d")
			}
			return nil
		})
		if err != nil && !errors.Is(err, redis.Nil) { // one of them has expired
			return err
		}
		list = nil
		for i, key := range keys {
			data, err := values[i].Bytes()
			if err != nil {
				continue
			}
			if info, err := session.DescribeStored(key, data); err == nil {
				list = append(list, info)
			}
		}
		return nil
	})
	slices.SortStableFunc(list, func(a, b session.Info) int {
		return cmp.Or(b.LastSeen.Compare(a.LastSeen), cmp.Compare(a.Key, b.Key))
	})
	return list, err
}

func (s *store) End(ctx context.Context, user, key string) (int, error) {
	return s.count(ctx, deleteScript, key, user)
}

func (s *store) EndAll(ctx context.Context, user, keep string) (int, error) {
	return s.count(ctx, deleteAllScript, user, keep)
}

// DeleteExpired has nothing to do: the server forgets by itself.
func (s *store) DeleteExpired(context.Context, int) (int, error) { return 0, nil }

var _ session.ServerStore = (*store)(nil)
