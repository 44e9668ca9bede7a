package migrate

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/retort-web/retort/orm/schema"
)

// A statement that changes a table waits for all who use it, and all who come after it
// wait for the statement: one forgotten transaction stops a site. So it gives up soon, lets
// the others pass, and tries again.

// The defaults of [Options].
const (
	defaultLockTimeout  = 5 * time.Second
	defaultLockAttempts = 20
)

// The pause before the next attempt grows from lockPauseFirst to lockPauseMost.
const (
	lockPauseFirst = 500 * time.Millisecond
	lockPauseMost  = 10 * time.Second
)

// looks is how often it is asked, during the timeout, who is in the way.
const looks = 4

// Blocked is told each time that a migration has waited in vain for a lock.
type Blocked struct {
	Step    Step
	Attempt int // counted from 1
	Of      int // attempts, after which the migration fails
	Pause   time.Duration
	// By says who held the lock, as far as the database tells.
	By []string
}

// locks is how a run waits for the locks of others. Nil waits as long as it takes.
type locks struct {
	waiter   schema.LockWaiter
	timeout  time.Duration
	attempts int
	blocked  func(Blocked)
}

func newLocks(d schema.Dialect, o Options) *locks {
	waiter, ok := d.(schema.LockWaiter)
	if !ok || o.LockTimeout < 0 {
		return nil
	}
	l := &locks{waiter: waiter, timeout: o.LockTimeout, attempts: o.LockAttempts, blocked: o.Blocked}
	if l.timeout == 0 {
		l.timeout = defaultLockTimeout
	}
	if l.attempts <= 0 {
		l.attempts = defaultLockAttempts
	}
	if l.blocked == nil {
		l.blocked = func(Blocked) {}
	}
	return l
}

// try calls fn until it is not refused a lock. fn runs a transaction that calls begin with
// its context first, and end last.
func (l *locks) try(ctx context.Context, db Database, step Step, fn func(begin, end func(context.Context) error) error) error {
	nothing := func(context.Context) error { return nil }
	if l == nil {
		return fn(nothing, nothing)
	}
	pause := lockPauseFirst
	var by []string // as last seen
	for attempt := 1; ; attempt++ {
		w := &watch{}
		err := fn(func(inside context.Context) error { return l.begin(ctx, inside, db, w) }, func(inside context.Context) error { return l.end(inside, db) })
		if seen := w.stop(); len(seen) > 0 {
			by = seen
		}
		switch {
		case err == nil || ctx.Err() != nil || !db.Dialect().Busy(err):
			return err
		case attempt == l.attempts:
			return l.explain(err, by)
		}
		l.blocked(Blocked{Step: step, Attempt: attempt, Of: l.attempts, Pause: pause, By: by})
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return errors.Join(err, ctx.Err())
		case <-timer.C:
		}
		pause = min(2*pause, lockPauseMost)
	}
}

// begin sets the timeout in a transaction and has it watched from outside.
func (l *locks) begin(outside, inside context.Context, db Database, w *watch) error {
	begin, _ := l.waiter.LockTimeout(l.timeout)
	for _, statement := range begin {
		if err := db.Exec(inside, statement); err != nil {
			return err
		}
	}
	rows, err := db.Query(inside, l.waiter.Session())
	if err != nil || len(rows) == 0 {
		return err
	}
	w.start(outside, db, l.waiter.Blockers(text(rows[0][0])), l.timeout/looks)
	return nil
}

func (l *locks) end(inside context.Context, db Database) error {
	_, end := l.waiter.LockTimeout(l.timeout)
	for _, statement := range end {
		if err := db.Exec(inside, statement); err != nil {
			return err
		}
	}
	return nil
}

func (l *locks) explain(err error, by []string) error {
	who := "others"
	if len(by) > 0 {
		who = strings.Join(by, "; ")
	}
	return fmt.Errorf("%w; it waited %d times, each for %v, for locks held by %s; end them, or migrate again when they are done (--lock-timeout lets it wait longer at a time)",
		err, l.attempts, l.timeout, who)
}

// watch asks, while a transaction runs, for whom it waits.
type watch struct {
	cancel context.CancelFunc
	done   chan []string
}

func (w *watch) start(ctx context.Context, db Database, query string, every time.Duration) {
	ctx, w.cancel = context.WithCancel(ctx)
	w.done = make(chan []string, 1)
	go func() {
		ticker := time.NewTicker(max(every, time.Millisecond))
		defer ticker.Stop()
		var by []string
		for {
			select {
			case <-ctx.Done():
				w.done <- by
				return
			case <-ticker.C:
			}
			// Who may not look, or finds no connection free, learns less.
			if rows, err := db.Query(ctx, query); err == nil && len(rows) > 0 {
				by = by[:0:0]
				for _, row := range rows {
					by = append(by, text(row[0]))
				}
			}
		}
	}()
}

// stop ends the watch and returns whom it saw last.
func (w *watch) stop() []string {
	if w.cancel == nil {
		return nil
	}
	w.cancel()
	return <-w.done
}

// locking is a statement that waits for those who use a table, and may be run in a
// transaction.
var (
	locking    = regexp.MustCompile(`(?is)^\s*(ALTER\s+(TABLE|INDEX|SEQUENCE|VIEW)|DROP\s+(TABLE|INDEX|VIEW|TRIGGER)|CREATE\s+(UNIQUE\s+|FULLTEXT\s+|SPATIAL\s+)?(INDEX|TRIGGER|TABLE\b.*\bREFERENCES)\b|RENAME\s+TABLE|COMMENT\s+ON|TRUNCATE|DO\s+\$do\$)`)
	concurrent = regexp.MustCompile(`(?i)\bCONCURRENTLY\b`)
)

func waitsForTables(sql string) bool {
	return locking.MatchString(sql) && !concurrent.MatchString(withoutText(sql))
}

// exec runs a statement outside of a transaction, or in one of its own if it may have to
// wait for others.
func (w *work) exec(ctx context.Context, db Database, sql string, args ...any) error {
	if w.locks == nil || !waitsForTables(sql) {
		return db.Exec(ctx, sql, args...)
	}
	return w.locks.try(ctx, db, w.step, func(begin, end func(context.Context) error) error {
		return db.Transaction(ctx, TransactionOptions{}, func(ctx context.Context) error {
			if err := begin(ctx); err != nil {
				return err
			}
			if err := db.Exec(ctx, sql, args...); err != nil {
				return err
			}
			return end(ctx)
		})
	})
}
