package migrate

import (
	"context"
	"fmt"
	"time"

	"github.com/retort-web/retort/orm/schema"
)

// Options are the details of [Graph.Apply].
type Options struct {
	// Fake records migrations as applied or undone and changes nothing else.
	Fake bool
	// FakeInitial only records the first migration of an app when the tables
	// that it creates exist already, with all their columns: for a database
	// that was made by other means. Tables that lack columns are an error.
	FakeInitial bool
	// Allows tells whether a table belongs into this database, for programs with
	// several: what an operation does to another is left out here. The model is
	// empty for SQL and Go code that names none. Default: all tables do.
	Allows func(app, model string) bool
	// Waiting is told, again and again, that another process migrates and for
	// how long this one has waited for it. Default: nobody is.
	Waiting func(elapsed time.Duration)
	// LockTimeout is how long a statement waits for the locks that others hold on
	// its table; while it waits, all who come after it wait for it. Then it lets
	// them pass and is tried again, on PostgreSQL with the whole migration. In
	// whole seconds on MySQL, not for statements that run concurrently, and of no
	// meaning on SQLite. Default: 5s; a negative one waits as long as it takes.
	LockTimeout time.Duration
	// LockAttempts is how often it is tried, with pauses between of up to 10s.
	// Default: 20.
	LockAttempts int
	// Blocked is told of each attempt that failed. Default: nobody is.
	Blocked func(Blocked)
	// Progress is told before and after each migration. Default: nobody is.
	Progress func(Event)
}

// Event is one moment of [Graph.Apply].
type Event struct {
	Step Step
	// Done is false before the migration and true after it.
	Done bool
	// Skipped says that another process did it in the meantime.
	Skipped bool
	Elapsed time.Duration
}

// Apply brings the database to the target and returns the steps that it took.
// When a step fails, those before it stay done, and are returned with the
// error.
//
// Everything that can be refused is refused before anything is changed: a
// conflict, an inconsistent history, a step backward that cannot be undone.
func (g *Graph) Apply(ctx context.Context, db Database, target Target, options Options) ([]Step, error) {
	unlock, err := lock(ctx, db, options.Waiting)
	if err != nil {
		return nil, fmt.Errorf("migrate: wait for other processes that migrate: %w", err)
	}
	defer unlock()
	return g.apply(ctx, db, target, options)
}

func (g *Graph) apply(ctx context.Context, db Database, target Target, options Options) ([]Step, error) {
	work, err := g.allWork(ctx, db, target, options)
	if err != nil {
		return nil, err
	}
	if len(work) == 0 {
		return nil, g.recordFinished(ctx, db, options.Waiting)
	}
	if err := createTables(ctx, db, needsJournal(work), options.Waiting); err != nil {
		return nil, advised(db, err)
	}
	if err := g.recordFinished(ctx, db, options.Waiting); err != nil {
		return nil, err
	}
	progress := options.Progress
	if progress == nil {
		progress = func(Event) {}
	}
	var done []Step
	for _, w := range work {
		w.locks = newLocks(db.Dialect(), options)
		start := time.Now()
		progress(Event{Step: w.step})
		skipped, err := w.run(ctx, db, options.Waiting)
		if err != nil {
			return done, w.explain(advised(db, err))
		}
		progress(Event{Step: w.step, Done: true, Skipped: skipped, Elapsed: time.Since(start)})
		if !skipped {
			done = append(done, w.step)
		}
	}
	return done, g.recordFinished(ctx, db, options.Waiting)
}

// advised adds to an error what to do about it, if the database's dialect knows.
func advised(db Database, err error) error {
	if adviser, ok := db.Dialect().(schema.Adviser); ok {
		if advice := adviser.Advice(err); advice != "" {
			return fmt.Errorf("%w; %s", err, advice)
		}
	}
	return err
}

// allWork returns what is to be done to reach the target, ready to run.
func (g *Graph) allWork(ctx context.Context, db Database, target Target, options Options) ([]*work, error) {
	applied, err := readHistory(ctx, db)
	if err != nil {
		return nil, err
	}
	unfinished, err := readJournal(ctx, db)
	if err != nil {
		return nil, err
	}
	if g, applied, _, err = g.on(applied, unfinished); err != nil {
		return nil, err
	}
	if !options.Fake {
		if err := g.consistent(applied); err != nil {
			return nil, err
		}
	}
	steps, err := g.plan(applied, target)
	if err != nil {
		return nil, err
	}
	if !options.Fake {
		if err := g.ahead(applied, steps); err != nil {
			return nil, err
		}
		if steps, err = unfinished.first(steps); err != nil {
			return nil, err
		}
	}
	work, err := g.prepare(steps, applied, db.Dialect(), options)
	if err != nil {
		return nil, err
	}
	for _, w := range work {
		w.journal = unfinished[w.step.ID()]
	}
	if options.FakeInitial {
		err = fakeInitial(ctx, db, work)
	}
	return work, err
}
