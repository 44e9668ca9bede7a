package postgres_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/orm/postgres"
)

// openQueue opens a database with so many connections.
func openQueue(t *testing.T, conns string) (*orm.DB, postgres.Queue) {
	t.Helper()
	db, queue, err := postgres.OpenQueue(t.Context(), server(t).URL(t)+"&pool_max_conns="+conns)
	must(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db, queue
}

func ask(ctx context.Context, t *testing.T, db *orm.DB) {
	t.Helper()
	if _, err := db.Values(ctx, "SELECT $1::int", 1); err != nil {
		t.Error(err)
	}
}

// until runs step until there is what is waited for.
func until(t *testing.T, what string, there func() bool, step func()) {
	t.Helper()
	for start := time.Now(); !there(); step() {
		if time.Since(start) > 60*time.Second {
			t.Fatal("no", what)
		}
	}
}

// TestRequestsShareFewConnections runs many requests of many statements.
func TestRequestsShareFewConnections(t *testing.T) {
	t.Parallel()
	db, queue := openQueue(t, "2")
	var wg sync.WaitGroup
	for range 12 {
		wg.Go(func() {
			for range 5 {
				ctx, end := context.WithCancel(t.Context())
				for range 20 {
					ask(ctx, t, db)
				}
				end()
			}
		})
	}
	wg.Wait()
	until(t, "end of the holding", func() bool { return queue.Held() == 0 }, runtime.Gosched)
	// All are there again.
	must(t, db.Atomic(t.Context(), orm.TxOptions{}, func(inside context.Context) error {
		return db.Atomic(orm.Outside(inside), orm.TxOptions{}, func(context.Context) error { return nil })
	}))
}

// holding begins a request that holds the only connection, while another one waits for it:
// the channel is closed when that one has had it.
func holding(t *testing.T, db *orm.DB, queue postgres.Queue) (ctx context.Context, end func(), served chan struct{}) {
	t.Helper()
	ctx, end = context.WithCancel(t.Context())
	t.Cleanup(end)
	served = make(chan struct{})
	begin := make(chan struct{})
	go func() {
		defer close(served)
		<-begin
		ask(t.Context(), t, db)
	}()
	must(t, db.Atomic(ctx, orm.TxOptions{}, func(context.Context) error {
		close(begin)
		until(t, "other request", func() bool { return queue.Waiting() == 1 }, runtime.Gosched)
		return nil
	}))
	return ctx, end, served
}

// TestOthersGetTheirTurn lets a request hold the only connection in different ways.
func TestOthersGetTheirTurn(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]func(ctx context.Context, end func(), db *orm.DB, served chan struct{}){
		"it asks without end": func(ctx context.Context, _ func(), db *orm.DB, served chan struct{}) {
			for {
				select {
				case <-served:
					return
				default:
					ask(ctx, t, db)
				}
			}
		},
		"it does something else": func(ctx context.Context, _ func(), db *orm.DB, _ chan struct{}) {
			for range 3 {
				ask(ctx, t, db)
			}
		},
		"it ends": func(ctx context.Context, end func(), db *orm.DB, _ chan struct{}) {
			for range 3 {
				ask(ctx, t, db)
			}
			end()
		},
		"it ends within a statement": func(ctx context.Context, end func(), db *orm.DB, _ chan struct{}) {
			for range 2 {
				ask(ctx, t, db)
			}
			time.AfterFunc(5*time.Millisecond, end)
			if _, err := db.Values(ctx, "SELECT pg_sleep(60)"); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, queue := openQueue(t, "1")
			ctx, end, served := holding(t, db, queue)
			test(ctx, end, db, served)
			select {
			case <-served:
			case <-time.After(60 * time.Second):
				t.Fatal("the other request waits for ever")
			}
			ask(t.Context(), t, db)
		})
	}
}

// TestCloseWhileHeld closes the database between two statements of a request.
func TestCloseWhileHeld(t *testing.T) {
	t.Parallel()
	db, queue := openQueue(t, "1")
	ctx, _, served := holding(t, db, queue)
	for range 3 {
		ask(ctx, t, db)
	}
	<-served
	must(t, db.Close())
	if _, err := db.Values(ctx, "SELECT 1"); !errors.Is(err, orm.ErrUnavailable) {
		t.Error(err)
	}
}
