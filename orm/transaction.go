package orm

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"
)

// TxOptions are the options of a transaction. The zero value is the database's
// usual one.
type TxOptions struct {
	// Isolation is the isolation level. Default: the database's.
	Isolation Isolation
	// ReadOnly promises that nothing is written. On SQLite such a
	// transaction does not wait for writers.
	ReadOnly bool
	// Deferrable makes a transaction that is Serializable and ReadOnly wait, when it begins, for
	// a moment from which on it can neither fail nor make others fail, as long reports should
	// on PostgreSQL. The other databases need no such thing.
	Deferrable bool
	// Durable refuses to be nested: when Atomic returns nil, the data is
	// written, whoever called.
	Durable bool
	// Retries is how often the whole transaction is tried again after a deadlock or
	// a serialization failure ([ErrDeadlock], [ErrSerialization]). Then fn runs
	// again from its beginning: it must do nothing beside the database that
	// cannot be done twice. Default: 0.
	Retries int
	// WithoutForeignKeys lets foreign keys lead nowhere until the end of the
	// transaction, where the database can; migrations rebuild tables so. It
	// cannot be nested.
	WithoutForeignKeys bool
}

// Isolation is an isolation level of SQL.
type Isolation string

// The isolation levels. SQLite is always serializable.
const (
	DefaultIsolation Isolation = ""
	ReadCommitted    Isolation = "READ COMMITTED"
	RepeatableRead   Isolation = "REPEATABLE READ"
	Serializable     Isolation = "SERIALIZABLE"
)

func (o TxOptions) check() error {
	switch o.Isolation {
	case DefaultIsolation, ReadCommitted, RepeatableRead, Serializable:
	default:
		return fmt.Errorf("orm: there is no isolation level %q; use orm.ReadCommitted, orm.RepeatableRead or orm.Serializable", o.Isolation)
	}
	if o.Deferrable && (!o.ReadOnly || o.Isolation != Serializable) {
		return errors.New("orm: only a transaction that is ReadOnly and Serializable can be Deferrable")
	}
	return nil
}

// transaction is a running transaction.
type transaction struct {
	db *DB
	tx Tx

	mu     sync.Mutex
	depth  int   // savepoints open
	serial int   // of savepoints made
	broken error // the error after which nothing works until a rollback
	ended  bool
	hooks  []commitHook

	committed bool // OnCommit calls at once
}

type commitHook struct {
	ctx   context.Context
	fn    func(ctx context.Context)
	depth int // of the savepoint it was made in
}

// Atomic runs fn in a transaction of the context's database: if it returns nil
// all it did is written, if it returns an error or panics nothing is. The
// transaction travels on the context given to fn. Inside another Atomic it is a
// savepoint: its failure undoes its own part, and the outer one decides over all.
//
// After a statement has failed, all further ones in the same Atomic return
// [ErrBrokenTransaction]. What may fail and be handled goes into an Atomic of its
// own. Fields of rows are not set back.
func Atomic(ctx context.Context, fn func(ctx context.Context) error) error {
	return AtomicWith(ctx, TxOptions{}, fn)
}

// AtomicWith is [Atomic] with options, which apply to the outermost only.
func AtomicWith(ctx context.Context, options TxOptions, fn func(ctx context.Context) error) error {
	db, err := DBFrom(ctx)
	if err != nil {
		return err
	}
	return db.Atomic(ctx, options, fn)
}

// Atomic is [AtomicWith] for this database, whichever the context carries; the
// context given to fn carries this one.
func (db *DB) Atomic(ctx context.Context, options TxOptions, fn func(ctx context.Context) error) error {
	if tx := db.transactionOf(ctx); tx != nil {
		if options.Durable || options.WithoutForeignKeys {
			return errors.New("orm: a transaction that is durable or without foreign keys cannot be inside another")
		}
		return tx.savepoint(ctx, fn)
	}
	if err := options.check(); err != nil {
		return err
	}
	if db.closed.Load() {
		return fmt.Errorf("%w: it was closed", ErrUnavailable)
	}
	if err := db.checkOutside(ctx); err != nil {
		return err
	}
	for attempt := 0; ; attempt++ {
		err := db.attempt(ctx, options, fn)
		if attempt >= options.Retries || !IsRetryable(err) {
			return err
		}
		if waitErr := backOff(ctx, attempt); waitErr != nil {
			return errors.Join(err, waitErr)
		}
	}
}

// attempt runs fn in a transaction, once.
func (db *DB) attempt(ctx context.Context, options TxOptions, fn func(ctx context.Context) error) error {
	begun, err := db.backend.Begin(ctx, options)
	if err != nil {
		return db.failure(ctx, nil, err)
	}
	tx := &transaction{db: db, tx: begun}
	if !options.ReadOnly {
		noteWrite(ctx)
	}
	inner := context.WithValue(ctx, scopeKey{}, &contextScope{db: db, tx: tx, outer: scopeOf(ctx), through: true})
	if err := tx.runInside(inner, fn); err != nil {
		if broken := tx.brokenBy(); IsRetryable(broken) && !IsRetryable(err) {
			err = errors.Join(err, broken) // what fn made of it does not hide it
		}
		return err
	}
	tx.mu.Lock()
	tx.committed = true
	tx.mu.Unlock()
	runHooks(tx.hooks)
	return nil
}

// IsRetryable reports whether err is of a transaction that may well succeed when it is
// run again from its beginning: a deadlock or a serialization failure.
func IsRetryable(err error) bool {
	return errors.Is(err, ErrDeadlock) || errors.Is(err, ErrSerialization)
}

// The pause before a transaction is tried again doubles from backOffFirst to backOffMost.
const (
	backOffFirst = 5 * time.Millisecond
	backOffMost  = time.Second
)

// backOff waits for a random part of the pause, so that those who met do not meet again.
func backOff(ctx context.Context, attempt int) error {
	pause := backOffMost
	if attempt < 8 {
		pause = min(pause, backOffFirst<<attempt)
	}
	timer := time.NewTimer(pause/2 + rand.N(pause/2)) //nolint:gosec // no secret
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// runHooks calls all hooks, in order. One that panics keeps none of the others from being
// called; then the panic goes on.
func runHooks(hooks []commitHook) {
	if len(hooks) == 0 {
		return
	}
	defer runHooks(hooks[1:])
	hooks[0].fn(hooks[0].ctx)
}

// runInside is run, known to [DB.CheckTransactions].
func (tx *transaction) runInside(ctx context.Context, fn func(ctx context.Context) error) error {
	defer tx.db.enter()()
	return tx.run(ctx, fn)
}

// run calls fn and ends the transaction, whichever way fn is left.
func (tx *transaction) run(ctx context.Context, fn func(ctx context.Context) error) (err error) {
	finished := false
	defer func() {
		if finished {
			return
		}
		// A panic, or runtime.Goexit, is on its way through.
		tx.end()
		_ = tx.tx.Rollback(context.WithoutCancel(ctx))
	}()
	err = fn(ctx)
	finished = true
	if err == nil {
		err = tx.usable()
	}
	if err == nil {
		err = ctx.Err()
	}
	tx.end()
	if err != nil {
		if rollbackErr := tx.tx.Rollback(context.WithoutCancel(ctx)); rollbackErr != nil {
			err = errors.Join(err, fmt.Errorf("orm: rollback: %w", rollbackErr))
		}
		return err
	}
	err = tx.db.failure(ctx, nil, tx.tx.Commit(ctx))
	if errors.Is(err, ErrUnavailable) {
		err = fmt.Errorf("%w: %w", ErrCommitUnknown, err)
	}
	return err
}

// end makes contexts that still carry the transaction useless.
func (tx *transaction) end() {
	tx.mu.Lock()
	tx.ended = true
	tx.mu.Unlock()
}

// usable reports what stands against another statement.
func (tx *transaction) usable() error {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	switch {
	case tx.ended:
		return ErrTransactionDone
	case tx.broken != nil:
		return fmt.Errorf("%w (%w)", ErrBrokenTransaction, tx.broken)
	}
	return nil
}

func (tx *transaction) brokenBy() error {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	return tx.broken
}

// broke notes the failure of a statement.
func (tx *transaction) broke(err error) {
	tx.mu.Lock()
	if tx.broken == nil {
		tx.broken = err
	}
	tx.mu.Unlock()
}

// savepoint runs fn so that its failure undoes its own part only.
func (tx *transaction) savepoint(ctx context.Context, fn func(ctx context.Context) error) (err error) {
	if err := tx.usable(); err != nil {
		return err
	}
	tx.mu.Lock()
	tx.serial++
	tx.depth++
	depth := tx.depth
	name := "retort_" + strconv.Itoa(tx.serial)
	tx.mu.Unlock()
	if _, err := tx.db.exec(ctx, Statement{SQL: "SAVEPOINT " + name}); err != nil {
		return err
	}
	finished := false
	defer func() {
		if !finished {
			_ = tx.rollbackTo(ctx, name, depth)
		}
	}()
	err = fn(ctx)
	finished = true
	if err == nil {
		err = tx.usable()
	}
	if err != nil {
		if rollbackErr := tx.rollbackTo(ctx, name, depth); rollbackErr != nil {
			err = errors.Join(err, rollbackErr)
		}
		return err
	}
	if _, err := tx.db.exec(ctx, Statement{SQL: "RELEASE SAVEPOINT " + name}); err != nil {
		return errors.Join(err, tx.rollbackTo(ctx, name, depth))
	}
	tx.mu.Lock()
	tx.depth = depth - 1
	for i := range tx.hooks {
		// What the savepoint wanted done on commit, the outer block wants now.
		tx.hooks[i].depth = min(tx.hooks[i].depth, depth-1)
	}
	tx.mu.Unlock()
	return nil
}

// isOver reports an error after which nothing is left of the whole transaction: MySQL
// rolls all of it back after a deadlock, and what comes next would be written for itself.
func isOver(broken error) bool { return IsRetryable(broken) || errors.Is(broken, ErrUnavailable) }

// rollbackTo undoes what was done since a savepoint and makes the transaction
// usable again.
func (tx *transaction) rollbackTo(ctx context.Context, name string, depth int) error {
	ctx = context.WithoutCancel(ctx)
	tx.mu.Lock()
	broken := tx.broken
	if isOver(broken) {
		tx.mu.Unlock()
		return nil
	}
	tx.broken = nil
	tx.depth = depth - 1
	kept := tx.hooks[:0]
	for _, h := range tx.hooks {
		if h.depth < depth {
			kept = append(kept, h)
		}
	}
	clear(tx.hooks[len(kept):])
	tx.hooks = kept
	tx.mu.Unlock()
	_, err := tx.db.exec(ctx, Statement{SQL: "ROLLBACK TO SAVEPOINT " + name})
	if err == nil {
		_, err = tx.db.exec(ctx, Statement{SQL: "RELEASE SAVEPOINT " + name})
	}
	if err != nil && broken != nil {
		tx.broke(broken)
	}
	return err
}

// OnCommit calls fn when the context's transaction is written: in the order of
// the calls, after the outermost Atomic has committed, with a context outside of
// it. What was asked for in a savepoint that is rolled back, or in a transaction
// that is, is never called. Without a transaction fn is called at once. A function that
// panics keeps the others from nothing: they are called, and then the panic goes on.
func OnCommit(ctx context.Context, fn func(ctx context.Context)) {
	s := currentTransaction(ctx)
	if s == nil {
		fn(ctx)
		return
	}
	outside := context.WithValue(ctx, scopeKey{}, &contextScope{db: s.db, outer: s.outer, through: true})
	s.tx.mu.Lock()
	if s.tx.committed {
		s.tx.mu.Unlock()
		fn(outside)
		return
	}
	s.tx.hooks = append(s.tx.hooks, commitHook{outside, fn, s.tx.depth})
	s.tx.mu.Unlock()
}

// currentTransaction finds the scope of the transaction that queries of the context
// take part in, or nil.
func currentTransaction(ctx context.Context) *contextScope {
	s := scopeOf(ctx)
	if s == nil || s.tx != nil {
		return s
	}
	db, err := DBFrom(ctx)
	for ; err == nil && s != nil; s = s.outer {
		if s.tx != nil && s.db == db {
			return s
		}
	}
	return nil
}

// InTransaction reports whether the context is in a transaction.
func InTransaction(ctx context.Context) bool { return currentTransaction(ctx) != nil }
