package orm

import (
	"context"
	"fmt"
)

// contextScope is what a context carries: a database, or the way to it, and the
// transaction in it.
type contextScope struct {
	db    *DB
	open  func(ctx context.Context) (*DB, error)
	tx    *transaction
	outer *contextScope
	// routing decides, by model, between several databases.
	routing *routing
	// through is a scope that does not choose a database: a transaction's.
	through bool
	// outside is a scope that transactions around it do not reach.
	outside bool
}

type scopeKey struct{}

func scopeOf(ctx context.Context) *contextScope {
	s, _ := ctx.Value(scopeKey{}).(*contextScope)
	return s
}

// WithDB returns a context whose queries go to db. Inside a transaction of db they stay
// part of it.
func WithDB(ctx context.Context, db *DB) context.Context {
	scope := &contextScope{db: db, outer: scopeOf(ctx)}
	for s := scope.outer; s != nil && !s.outside; s = s.outer {
		if s.db == db {
			// Inside a transaction of this database it goes on: a statement
			// beside it would wait for what the transaction holds.
			scope.tx = s.tx
			break
		}
	}
	return context.WithValue(ctx, scopeKey{}, scope)
}

// WithOpener returns a context whose queries go to the database that open returns. It
// is called by each query, with the query's context, and so may connect at the first
// one, and again after a failure; otherwise it should be quick.
func WithOpener(ctx context.Context, open func(ctx context.Context) (*DB, error)) context.Context {
	return context.WithValue(ctx, scopeKey{}, &contextScope{open: open, outer: scopeOf(ctx)})
}

// DBFrom returns the database of the context, or ErrNoDatabase.
func DBFrom(ctx context.Context) (*DB, error) {
	s := scopeOf(ctx)
	switch {
	case s != nil && s.db != nil:
		return s.db, nil
	case s != nil && s.open != nil:
		return s.open(ctx)
	}
	return nil, ErrNoDatabase
}

type nameKey string

// WithNamed returns a context in which [Using] finds db under a name.
func WithNamed(ctx context.Context, name string, db *DB) context.Context {
	return context.WithValue(ctx, nameKey(name), db)
}

// Using returns a context whose queries go to the database of that name, which
// [WithNamed] or [Databases] has put there, whatever routers say:
//
//	report, err := Sales.All(orm.Using(ctx, "reports"))
func Using(ctx context.Context, name string) context.Context {
	if db, _ := ctx.Value(nameKey(name)).(*DB); db != nil {
		return WithDB(ctx, db)
	}
	for s := scopeOf(ctx); s != nil; s = s.outer {
		if s.routing == nil {
			continue
		}
		d := s.routing.databases
		if name == DefaultDatabase {
			return WithOpener(ctx, d.Default)
		}
		if open := d.Named[name]; open != nil {
			return WithOpener(ctx, open)
		}
	}
	return WithOpener(ctx, func(context.Context) (*DB, error) {
		return nil, fmt.Errorf("%w: there is none named %q; see orm.WithNamed and orm.Databases", ErrNoDatabase, name)
	})
}

// Outside returns a context whose queries are no part of the transaction that ctx is in:
// what is written with it stays, whatever becomes of the transaction. On SQLite, where
// one writes at a time, it can only read while a transaction is open.
func Outside(ctx context.Context) context.Context {
	base := scopeOf(ctx)
	scope := &contextScope{outside: true, outer: base}
	for base != nil {
		scope.db, scope.open, scope.routing = base.db, base.open, base.routing
		if !base.through {
			break
		}
		base = base.outer
	}
	return context.WithValue(ctx, scopeKey{}, scope)
}

// isOutside reports that the context was made by [Outside].
func isOutside(ctx context.Context) bool {
	s := scopeOf(ctx)
	return s != nil && s.outside
}

// transactionOf finds the transaction of db that the context is in, or nil.
func (db *DB) transactionOf(ctx context.Context) *transaction {
	for s := scopeOf(ctx); s != nil && !s.outside; s = s.outer {
		if s.db == db && s.tx != nil {
			return s.tx
		}
	}
	return nil
}
