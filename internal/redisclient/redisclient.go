// Package redisclient connects to a Redis server, or one that speaks as it does
// such as Valkey, for those who must go on when it is away: they learn at once
// that it is, in place of waiting for it.
package redisclient

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// ErrAway says that the server has not answered a moment ago and was not asked
// again.
var ErrAway = errors.New("redis is away")

const (
	// wait bounds how long each step of a call takes, so that a page goes on
	// without the server. The options dial_timeout, read_timeout and so on of the
	// URL say otherwise.
	wait = time.Second

	// pause is how long a server that did not answer is left alone.
	pause = time.Second
)

func init() {
	// The library logs each failed connection; errors are returned as well, and
	// whoever gets them logs once.
	redis.SetLogger(&logging.VoidLogger{})
}

// Client is a pool of connections to one server. It is safe for concurrent use.
type Client struct {
	redis *redis.Client
	bound time.Duration // for one call with all its steps
	until atomic.Int64  // in nanoseconds since 1970; the server is left alone till then
	last  atomic.Pointer[error]
}

// Open makes a client for a URL, redis://user:password@host:6379/0, rediss:// for
// TLS or unix:///path. It does not connect before the first call.
func Open(url string) (*Client, error) {
	o, err := redis.ParseURL(url)
	if err != nil {
		// The error of the library may quote the password.
		return nil, errors.New("redis: the URL is not valid; give one such as redis://:password@localhost:6379/0")
	}
	for _, timeout := range []*time.Duration{&o.DialTimeout, &o.ReadTimeout, &o.WriteTimeout, &o.PoolTimeout} {
		if *timeout <= 0 {
			*timeout = wait
		}
	}
	o.ContextTimeoutEnabled = true
	o.DialerRetries = 1
	o.MaxRetries = 1 // a connection that has died since its last use
	o.DisableIdentity = true
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return &Client{redis: redis.NewClient(o), bound: o.DialTimeout + o.ReadTimeout}, nil
}

// Do calls fn, which sends commands. An error that is not the server's own answer
// makes the calls of the next moment fail with ErrAway.
func (c *Client) Do(ctx context.Context, fn func(ctx context.Context, r redis.Cmdable) error) error {
	if until := c.until.Load(); until != 0 {
		now := time.Now().UnixNano()
		// Of those who come after the pause, one asks.
		if now < until || !c.until.CompareAndSwap(until, now+int64(pause)) {
			if last := c.last.Load(); last != nil {
				return fmt.Errorf("%w: %w", ErrAway, *last)
			}
			return ErrAway
		}
	}
	bounded, cancel := context.WithTimeout(ctx, c.bound)
	defer cancel()
	err := fn(bounded, c.redis)
	answer, isAnswer := errors.AsType[redis.Error](err)
	switch {
	case err == nil || isAnswer && !isAway(answer):
		c.until.Store(0)
	case ctx.Err() != nil: // the caller did not wait
		if c.until.Load() != 0 {
			c.until.Store(1) // so the next one asks
		}
	default:
		c.last.Store(&err)
		c.until.Store(time.Now().Add(pause).UnixNano())
	}
	return err
}

// isAway reports whether an answer of the server means that it cannot serve now.
func isAway(err redis.Error) bool {
	return redis.IsLoadingError(err) || redis.IsReadOnlyError(err) || redis.IsMasterDownError(err)
}

// Close closes the connections.
func (c *Client) Close() error { return c.redis.Close() }
