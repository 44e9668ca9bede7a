package migrate

import (
	"context"
	"time"
)

// lockName is the advisory lock that all processes take before they migrate.
const lockName = "retort migrate"

// firstReport is how long it waits before it says so, and nextReport how long
// until it says so again.
const (
	firstReport = time.Second
	nextReport  = 10 * time.Second
)

// lock takes the advisory lock and tells while it waits for it.
func lock(ctx context.Context, db Database, waiting func(time.Duration)) (unlock func(), err error) {
	if waiting == nil {
		return db.Lock(ctx, lockName)
	}
	type answer struct {
		unlock func()
		err    error
	}
	start := time.Now()
	answers := make(chan answer, 1)
	go func() {
		unlock, err := db.Lock(ctx, lockName)
		answers <- answer{unlock, err}
	}()
	timer := time.NewTimer(firstReport)
	defer timer.Stop()
	for {
		select {
		case a := <-answers:
			return a.unlock, a.err
		case <-timer.C:
			waiting(time.Since(start))
			timer.Reset(nextReport)
		}
	}
}

// lockPatience is how long a transaction waits for other processes that
// migrate, and lockPause how long it sleeps between two tries.
const (
	lockPatience = 10 * time.Minute
	lockPause    = 50 * time.Millisecond
)

// transaction runs fn in a transaction, and waits while another process keeps
// it from beginning.
func transaction(ctx context.Context, db Database, options TransactionOptions, waiting func(time.Duration), fn func(context.Context) error) error {
	start := time.Now()
	told := start
	for {
		began := false
		err := db.Transaction(ctx, options, func(ctx context.Context) error {
			began = true
			return fn(ctx)
		})
		if began || !db.Dialect().Busy(err) || time.Since(start) > lockPatience {
			return err
		}
		if waiting != nil && time.Since(told) > firstReport {
			told = time.Now()
			waiting(time.Since(start))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(lockPause):
		}
	}
}
