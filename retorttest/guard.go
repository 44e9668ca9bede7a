package retorttest

import (
	"context"
	"sync"
	"testing"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/orm"
)

// NoRepeatedQueries returns a context whose queries fail the test when one line of the
// program runs the same one more than four times: a loop that asks the database for
// each row. The context is one with a database; [Client.NoRepeatedQueries] is the same
// for requests.
//
//	ctx := retorttest.NoRepeatedQueries(t, app.Context())
func NoRepeatedQueries(t testing.TB, ctx context.Context) context.Context { //nolint:revive // t comes first in a test's helpers
	t.Helper()
	db, err := orm.DBFrom(ctx)
	if err != nil {
		t.Fatalf("retorttest: %v", err)
	}
	g := &guard{t: t}
	t.Cleanup(g.end)
	g.queries.Report = g.report
	db.AddHook(&g.queries)
	return g.watch(ctx, true)
}

// guard tells a test of queries in loops.
type guard struct {
	queries orm.QueryGuard

	mu sync.Mutex
	t  testing.TB // nil when the test has ended
}

// newGuard guards the app's database; an app without one, or with one that is away, is
// not guarded.
func newGuard(t testing.TB, app *retort.App) *guard {
	g := &guard{t: t}
	if db, err := orm.DBFrom(app.Context()); err == nil {
		g.queries.Report = g.report
		db.AddHook(&g.queries)
	}
	return g
}

type strictKey struct{}

// watch returns a context whose queries are counted together.
func (g *guard) watch(ctx context.Context, strict bool) context.Context {
	return context.WithValue(g.queries.Watch(ctx), strictKey{}, strict)
}

func (g *guard) report(ctx context.Context, r orm.RepeatedQuery) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.t == nil {
		return
	}
	if strict, _ := ctx.Value(strictKey{}).(bool); strict {
		g.t.Error(r)
	} else {
		g.t.Log(r)
	}
}

// end makes the guard silent: what outlives a test must not write to its log.
func (g *guard) end() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.t = nil
}
