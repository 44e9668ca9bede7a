package orm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/retort-web/retort/orm/schema"
)

// DB is an open database. Its methods may be called concurrently.
type DB struct {
	backend Backend
	hooks   atomic.Pointer[[]QueryHook]
	closed  atomic.Bool
	standIn atomic.Pointer[standIn] // of a replica
	guard   insiders
	shapes  shapes
}

// Open connects to the database of a URL. The scheme chooses the driver, whose
// package must be imported:
//
//	import _ "github.com/retort-web/retort/orm/sqlite"
//
//	db, err := orm.Open(ctx, "sqlite:blog.db")
func Open(ctx context.Context, url string) (*DB, error) {
	if err := registered(); err != nil {
		return nil, err
	}
	d, err := driverOf(url)
	if err != nil {
		return nil, err
	}
	b, err := d.Open(ctx, url)
	if err != nil {
		return nil, err
	}
	return NewDB(b), nil
}

// NewDB makes a DB of an open backend; it is for driver packages.
func NewDB(b Backend) *DB { return &DB{backend: b} }

// Close closes the database. Running statements are finished first.
func (db *DB) Close() error {
	db.closed.Store(true)
	return db.backend.Close()
}

// Dialect is "sqlite", "postgres" or "mysql".
func (db *DB) Dialect() string { return db.backend.Dialect().Name() }

// Schema writes the database's DDL.
func (db *DB) Schema() schema.Dialect { return db.backend.Schema() }

// Ping reports whether the database answers.
func (db *DB) Ping(ctx context.Context) error {
	_, err := db.Values(ctx, "SELECT 1")
	return err
}

// AddHook adds a hook for statements that start from now on. Hooks start in the
// order in which they were added and end in the opposite one.
func (db *DB) AddHook(h QueryHook) {
	for {
		old := db.hooks.Load()
		var list []QueryHook
		if old != nil {
			list = slices.Clone(*old)
		}
		list = append(list, h)
		if db.hooks.CompareAndSwap(old, &list) {
			return
		}
	}
}

// Exec runs a statement that returns no rows, in the context's transaction if
// it is in one. Values go into args, never into the text.
func (db *DB) Exec(ctx context.Context, sql string, args ...any) (Result, error) {
	plain, err := plainArgs(args)
	if err != nil {
		return Result{}, err
	}
	return db.exec(ctx, Statement{SQL: sql, Args: db.bind(plain), Write: true, Once: len(args) == 0})
}

// QueryRows runs a statement that returns rows, in the context's transaction if
// it is in one. The rows must be closed.
func (db *DB) QueryRows(ctx context.Context, sql string, args ...any) (Rows, error) {
	plain, err := plainArgs(args)
	if err != nil {
		return nil, err
	}
	return db.query(ctx, Statement{SQL: sql, Args: db.bind(plain), Write: !reads(sql)})
}

// Values runs a statement and returns its rows as plain values: nil, bool,
// int64, float64, string, []byte or time.Time.
func (db *DB) Values(ctx context.Context, sql string, args ...any) ([][]any, error) {
	rows, err := db.QueryRows(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list [][]any
	for rows.Next() {
		values, err := rows.Values()
		if err != nil {
			return nil, err
		}
		list = append(list, values)
	}
	return list, closeRows(rows)
}

// reads recognises the statements that certainly only read.
func reads(sql string) bool {
	word := strings.ToUpper(strings.TrimLeft(sql, " \t\r\n("))
	return strings.HasPrefix(word, "SELECT") || strings.HasPrefix(word, "VALUES") || strings.HasPrefix(word, "EXPLAIN")
}

func plainArgs(args []any) ([]any, error) {
	plain := make([]any, len(args))
	for i, arg := range args {
		var err error
		if plain[i], err = plainValue(arg); err != nil {
			return nil, fmt.Errorf("orm: argument %d: %w", i+1, err)
		}
	}
	return plain, nil
}

func (db *DB) bind(args []any) []any {
	for i := range args {
		args[i] = db.backend.Dialect().Bind(args[i])
	}
	return args
}

// rowKeeper is a [Tx] whose open results stay readable, with the rows they had when they
// were asked for, while other statements of the transaction run.
type rowKeeper interface{ KeepsRows() bool }

// mustBuffer reports that an open result would be in the way of other
// statements.
func (db *DB) mustBuffer(ctx context.Context) bool {
	if tx := db.transactionOf(ctx); tx != nil {
		keeper, ok := tx.tx.(rowKeeper)
		return !ok || !keeper.KeepsRows()
	}
	b, ok := db.backend.(interface{ BufferRows() bool })
	return ok && b.BufferRows()
}

// querier is where the context's statements go.
func (db *DB) querier(ctx context.Context) (Querier, *transaction, error) {
	if db.closed.Load() {
		return nil, nil, fmt.Errorf("%w: it was closed", ErrUnavailable)
	}
	tx := db.transactionOf(ctx)
	if tx == nil {
		return db.backend, nil, db.checkOutside(ctx)
	}
	return tx.tx, tx, tx.usable()
}

func (db *DB) exec(ctx context.Context, s Statement) (Result, error) {
	if s.Write {
		noteWrite(ctx)
	}
	to, tx, err := db.querier(ctx)
	if err != nil {
		return Result{}, err
	}
	ctx, end := db.begin(ctx, s, tx)
	result, err := to.Exec(ctx, s)
	err = db.failure(ctx, tx, err)
	if end != nil {
		end(result.Affected, err)
	}
	return result, err
}

// query runs a statement that returns rows. Where a replica does not answer, the database
// that it is a copy of does.
func (db *DB) query(ctx context.Context, s Statement) (Rows, error) {
	return db.queryInto(ctx, s, new(watchedRows))
}

// queryInto is query in memory of the caller's, which is free again when nobody reads the
// rows any more.
func (db *DB) queryInto(ctx context.Context, s Statement, into *watchedRows) (Rows, error) {
	if s.Write {
		noteWrite(ctx)
	}
	rows, err := db.queryHere(ctx, s, into)
	if err != nil && !s.Write && errors.Is(err, ErrUnavailable) {
		if instead := db.standIn.Load(); instead != nil {
			instead.away()
			if primary, openErr := instead.open(ctx); openErr == nil && primary != db {
				return primary.queryInto(ctx, s, into)
			}
		}
	}
	return rows, err
}

func (db *DB) queryHere(ctx context.Context, s Statement, into *watchedRows) (Rows, error) {
	to, tx, err := db.querier(ctx)
	if err != nil {
		return nil, err
	}
	ctx, end := db.begin(ctx, s, tx)
	rows, err := to.Query(ctx, s)
	if err != nil {
		err = db.failure(ctx, tx, err)
		if end != nil {
			end(0, err)
		}
		return nil, err
	}
	*into = watchedRows{Rows: rows, db: db, tx: tx, ctx: ctx, end: end}
	return into, nil
}

// failure classifies an error and marks the transaction it happened in.
func (db *DB) failure(ctx context.Context, tx *transaction, err error) error {
	if err == nil {
		return nil
	}
	if ctxErr := ctx.Err(); ctxErr != nil && !errors.Is(err, ctxErr) {
		err = fmt.Errorf("orm: %w (%w)", ctxErr, err)
	} else if ctxErr == nil {
		err = db.backend.Classify(err)
	}
	if tx != nil {
		tx.broke(err)
	}
	return err
}

// begin tells the hooks of a statement; the function tells them of its end and
// is nil if there are none.
func (db *DB) begin(ctx context.Context, s Statement, tx *transaction) (context.Context, func(rows int64, err error)) {
	hooks := db.hooks.Load()
	if hooks == nil {
		return ctx, nil
	}
	e := &QueryEvent{System: db.system(), SQL: s.SQL, Args: s.Args, InTx: tx != nil, Start: time.Now()}
	contexts := make([]context.Context, len(*hooks))
	for i, h := range *hooks {
		ctx = h.QueryStart(ctx, e)
		contexts[i] = ctx
	}
	return ctx, func(rows int64, err error) {
		e.Duration, e.Rows, e.Err = time.Since(e.Start), rows, err
		for i, h := range slices.Backward(*hooks) {
			h.QueryEnd(contexts[i], e)
		}
	}
}

// watchedRows classifies the errors of reading and tells the hooks of the end.
type watchedRows struct {
	Rows
	db    *DB
	tx    *transaction
	ctx   context.Context
	end   func(rows int64, err error)
	count int64
	err   error
	done  bool
}

func (r *watchedRows) Next() bool {
	if r.done || !r.Rows.Next() {
		return false
	}
	r.count++
	return true
}

// Scan keeps the error for the hooks.
func (r *watchedRows) Scan(cells []Cell) error {
	err := r.Rows.Scan(cells)
	if err != nil {
		r.err = err
	}
	return err
}

func (r *watchedRows) Err() error {
	if err := r.Rows.Err(); err != nil && r.err == nil {
		r.err = r.db.failure(r.ctx, r.tx, err)
	}
	return r.err
}

func (r *watchedRows) Close() {
	if r.done {
		return
	}
	r.done = true
	r.Rows.Close()
	err := r.Err()
	if r.end != nil {
		r.end(r.count, err)
	}
}
