package orm

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
)

// QueryGuard finds the same statement run again and again from the same line of a
// program: a loop that asks the database once for each row, where a With or a Load before
// it would have asked once for all. It is a [QueryHook] for development and tests:
//
//	guard := &orm.QueryGuard{Report: func(_ context.Context, r orm.RepeatedQuery) { t.Error(r) }}
//	db.AddHook(guard)
//	ctx = guard.Watch(ctx)    // a request, or a test
//
// It may be shared by any number of goroutines.
type QueryGuard struct {
	// Limit is how often a statement may run from one line. Default: 4.
	Limit int
	// Report is told of a statement that has run more often than that, once for
	// each line and context watched.
	Report func(ctx context.Context, r RepeatedQuery)
}

// RepeatedQuery is a statement that runs in a loop.
type RepeatedQuery struct {
	SQL   string
	Times int    // so far
	File  string // of the line that runs it
	Line  int
	// Relation is what the query loads for one row, as Post.Author; empty for a query
	// that is not of a relation.
	Relation string
}

// String says what to do.
func (r RepeatedQuery) String() string {
	return fmt.Sprintf("orm: %s:%d has run the same query %d times; %s: %s", r.File, r.Line, r.Times, r.Hint(), r.SQL)
}

// Hint is what to do: it names the With that is missing.
func (r RepeatedQuery) Hint() string {
	if model, field, ok := strings.Cut(r.Relation, "."); ok {
		return fmt.Sprintf("add With(&p.%s) to the query of %s, or orm.Load(ctx, rows, &p.%s) before the loop", field, model, field)
	}
	return "load what it asks for with With, or with orm.Load or orm.In before the loop"
}

// relationKey is where the context of a query of the rows behind a relation of one row
// has the field.
type relationKey struct{}

// told returns a context that tells the guard what the rows are read for.
func (q *query) told(ctx context.Context) context.Context {
	if q.rare().relation == nil {
		return ctx
	}
	return context.WithValue(ctx, relationKey{}, q.rare().relation)
}

type watchKey struct{ guard *QueryGuard }

// watched is what has run under one context.
type watched struct {
	mu    sync.Mutex
	times map[watchedLine]int
}

type watchedLine struct {
	sql string
	pc  uintptr
}

// Watch returns a context whose statements are counted together, apart from those of
// other contexts.
func (g *QueryGuard) Watch(ctx context.Context) context.Context {
	return context.WithValue(ctx, watchKey{g}, &watched{times: map[watchedLine]int{}})
}

// QueryStart counts a statement.
func (g *QueryGuard) QueryStart(ctx context.Context, e *QueryEvent) context.Context {
	w, _ := ctx.Value(watchKey{g}).(*watched)
	if w == nil || strings.HasPrefix(e.SQL, "INSERT") || strings.HasPrefix(e.SQL, "FETCH") {
		return ctx
	}
	frame := callerOutside()
	w.mu.Lock()
	line := watchedLine{e.SQL, frame.PC}
	w.times[line]++
	times := w.times[line]
	w.mu.Unlock()
	limit := g.Limit
	if limit == 0 {
		limit = 4
	}
	if times == limit+1 && g.Report != nil {
		r := RepeatedQuery{SQL: e.SQL, Times: times, File: frame.File, Line: frame.Line}
		if f, ok := ctx.Value(relationKey{}).(*FieldInfo); ok {
			r.Relation = f.model.Name + "." + f.Name
		}
		g.Report(ctx, r)
	}
	return ctx
}

// QueryEnd does nothing.
func (g *QueryGuard) QueryEnd(context.Context, *QueryEvent) {}

// ownFunctions is how the names of this package's functions begin.
const ownFunctions = "github.com/retort-web/retort/orm."

// callerOutside finds the line, outside of this package, that runs a statement.
// Hooks that wrap the guard may stand between.
func callerOutside() runtime.Frame {
	var pcs [64]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs[:])])
	for inside := false; ; {
		frame, more := frames.Next()
		// The loop body of an iterator has the name of the function around it.
		own := strings.HasPrefix(frame.Function, ownFunctions)
		if inside && !own && !strings.HasPrefix(frame.Function, "runtime.") {
			return frame
		}
		inside = inside || own
		if !more {
			return runtime.Frame{}
		}
	}
}

var _ QueryHook = (*QueryGuard)(nil)
