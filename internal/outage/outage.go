// Package outage logs that something is away: once a minute, and not once a
// request, and once more when it is back.
package outage

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// every is the least time between two lines that say it is away.
const every = time.Minute

// Log is the log of one thing that may be away. The zero value is ready to use,
// by many requests at once.
type Log struct {
	away   atomic.Bool
	mu     sync.Mutex
	since  time.Time
	logged time.Time // last, for something that comes and goes
	told   bool      // of this time that it is away
	failed int
}

// Away notes a request that failed as the thing is away, and logs message with
// the error and the number of requests if it is time to.
func (l *Log) Away(logger *slog.Logger, message string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if !l.away.Load() {
		l.since, l.told, l.failed = now, false, 0
		l.away.Store(true)
	}
	l.failed++
	if now.Sub(l.logged) < every {
		return
	}
	l.logged, l.told = now, true
	logger.Error(message, "error", err, "requests", l.failed)
}

// Back notes that the thing has answered, and logs message if that it was away
// has been. It costs next to nothing while all is well.
func (l *Log) Back(logger *slog.Logger, message string) {
	if !l.away.Load() {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.away.Swap(false) && l.told {
		logger.Info(message, "after", time.Since(l.since).Round(time.Millisecond), "requests", l.failed)
	}
}
