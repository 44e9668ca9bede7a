package orm_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
)

// queryLog keeps the statements it sees.
type queryLog struct {
	mu     sync.Mutex
	events []orm.QueryEvent
}

type hookKey struct{}

func (l *queryLog) QueryStart(ctx context.Context, _ *orm.QueryEvent) context.Context {
	return context.WithValue(ctx, hookKey{}, true)
}

func (l *queryLog) QueryEnd(ctx context.Context, e *orm.QueryEvent) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if ctx.Value(hookKey{}) == nil {
		panic("the context of QueryStart is lost")
	}
	l.events = append(l.events, *e)
}

func (l *queryLog) all() []orm.QueryEvent {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := l.events
	l.events = nil
	return list
}

func TestHooksSeeStatements(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		db, err := orm.DBFrom(ctx)
		must(t, err)
		log := &queryLog{}
		db.AddHook(log)
		p := Posts.Fields()
		if _, err := Posts.Where(orm.Gt(&p.Views, 2)).All(ctx); err != nil {
			t.Fatal(err)
		}
		if _, err := Posts.Where(orm.Gt(&p.Views, 2)).Update(ctx, orm.Set(&p.Rating, 1)); err != nil {
			t.Fatal(err)
		}
		_ = Tags.Insert(ctx, &Tag{Name: "go"})
		_ = orm.Atomic(ctx, func(ctx context.Context) error { _, err := Tags.Count(ctx); return err })
		events := log.all()
		if len(events) != 4 {
			t.Fatalf("%d events", len(events))
		}
		if e := events[0]; e.Rows != 3 || len(e.Args) != 1 || e.Duration <= 0 || e.InTx || !strings.HasPrefix(e.SQL, "SELECT") {
			t.Errorf("%+v", e)
		}
		if e := events[1]; e.Rows != 3 || !strings.HasPrefix(e.SQL, "UPDATE") {
			t.Errorf("%+v", e)
		}
		if e := events[2]; !orm.IsUnique(e.Err) {
			t.Errorf("%+v", e)
		}
		if e := events[3]; !e.InTx || e.Err != nil {
			t.Errorf("%+v", e)
		}
	})
}
