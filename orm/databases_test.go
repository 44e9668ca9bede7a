package orm_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
)

// counted is a database and the number of statements it was sent.
type counted struct {
	*orm.DB
	mu   sync.Mutex
	n    int
	last orm.QueryEvent
}

func (c *counted) QueryStart(ctx context.Context, _ *orm.QueryEvent) context.Context { return ctx }

func (c *counted) QueryEnd(_ context.Context, e *orm.QueryEvent) {
	c.mu.Lock()
	c.n++
	c.last = *e
	c.mu.Unlock()
}

// system is what the last event calls the database.
func (c *counted) system(t *testing.T) string {
	t.Helper()
	must(t, c.Ping(t.Context()))
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last.System
}

// took returns the number of statements since it was last called.
func (c *counted) took() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.n
	c.n = 0
	return n
}

func newCounted(t *testing.T) *counted {
	t.Helper()
	c := &counted{DB: testdb.SQLite.Open(t)}
	testdb.CreateTables(t, c.DB)
	c.AddHook(c)
	return c
}

func TestRouters(t *testing.T) {
	t.Parallel()
	main, reports := newCounted(t), newCounted(t)
	databases := &orm.Databases{
		Default: orm.Opened(main.DB), Named: map[string]orm.Opener{"reports": orm.Opened(reports.DB)},
		Routers: []orm.Router{orm.RouterFunc(func(_ context.Context, m *orm.ModelInfo, _ orm.Operation) string {
			switch m.Name {
			case "Tag":
				return "reports"
			case "Item":
				return "nowhere"
			}
			return ""
		})},
	}
	ctx := databases.Context(t.Context())
	must(t, Tags.Insert(ctx, &Tag{Name: "a"}, &Tag{Name: "b"}))
	must(t, Users.Insert(ctx, &User{Username: "u"}))
	g := Tags.Fields()
	for name, want := range map[string]struct {
		ctx  context.Context
		tags int64
	}{"routed": {ctx, 2}, "default": {orm.Using(ctx, "default"), 0}, "named": {orm.Using(ctx, "reports"), 2}, "chosen": {orm.WithDB(ctx, main.DB), 0}} {
		if n, err := Tags.Count(want.ctx); n != want.tags || err != nil {
			t.Errorf("%s: %d, %v", name, n, err)
		}
	}
	if n, err := Tags.Where(orm.Eq(&g.Name, "a")).Update(ctx, orm.Set(&g.Name, "c")); n != 1 || err != nil {
		t.Error(n, err)
	}
	if n, err := Tags.Where(orm.Eq(&g.Name, "c")).Delete(ctx); n != 1 || err != nil {
		t.Error(n, err)
	}
	if names, err := orm.Select[string](Tags, orm.As("", &g.Name)).All(ctx); err != nil || len(names) != 1 {
		t.Error(names, err)
	}
	// A transaction of the default database has no part in the other one.
	failed := errors.New("no")
	err := orm.Atomic(ctx, func(ctx context.Context) error {
		must(t, Tags.Insert(ctx, &Tag{Name: "kept"}))
		must(t, Users.Insert(ctx, &User{Username: "undone"}))
		return failed
	})
	tags, _ := Tags.Count(ctx)
	users, _ := Users.Count(ctx)
	if !errors.Is(err, failed) || tags != 2 || users != 1 {
		t.Error(err, tags, users)
	}
	if _, err := Items.Count(ctx); !errors.Is(err, orm.ErrNoDatabase) || !strings.Contains(err.Error(), "default, reports") {
		t.Error(err)
	}
	if _, err := Users.Count(orm.Using(ctx, "other")); !errors.Is(err, orm.ErrNoDatabase) {
		t.Error(err)
	}
	// Relations do not lead from one database to another.
	_, err = Posts.With(&Posts.Fields().Tags).All(ctx)
	if err == nil || !strings.Contains(err.Error(), `Post.Tags leads from database "default" to Tag in database "reports"`) {
		t.Error(err)
	}
	if err := databases.Check(ctx); err == nil || !strings.Contains(err.Error(), "Post.Tags leads") || !strings.Contains(err.Error(), `to "nowhere"`) {
		t.Error(err)
	}
}

func TestReplicas(t *testing.T) {
	t.Parallel()
	main, one, two := newCounted(t), newCounted(t), newCounted(t)
	for _, db := range []*counted{main, one, two} {
		must(t, Tags.Insert(orm.WithDB(t.Context(), db.DB), &Tag{Name: "replicated"}))
		db.took()
	}
	databases := &orm.Databases{Default: orm.Opened(main.DB), Replicas: []orm.Opener{orm.Opened(one.DB), orm.Opened(two.DB)}}
	count := func(ctx context.Context) {
		t.Helper()
		if n, err := Tags.Count(ctx); n == 0 || err != nil {
			t.Error(n, err)
		}
	}
	expect := func(name string, primary, replicas int) {
		t.Helper()
		if m, a, b := main.took(), one.took(), two.took(); m != primary || a+b != replicas || replicas > 1 && (a == 0 || b == 0) {
			t.Errorf("%s: the default database took %d, the replicas %d and %d", name, m, a, b)
		}
	}
	ctx := databases.Context(t.Context())
	for range 4 {
		count(ctx)
	}
	expect("reading", 0, 4)
	count(orm.Using(ctx, "default"))
	expect("the default by name", 1, 0)
	must(t, orm.AtomicWith(ctx, orm.TxOptions{ReadOnly: true}, func(ctx context.Context) error {
		count(ctx)
		return nil
	}))
	expect("a transaction", 1, 0)
	count(ctx)
	expect("after it, as nothing was written", 0, 1)
	must(t, Tags.Insert(context.WithValue(ctx, new(int), 1), &Tag{Name: "new"}))
	count(ctx)
	expect("a request sees what it has written", 2, 0)
	count(databases.Context(ctx))
	expect("another request", 0, 1)

	// A replica that is away is passed over, and nobody notices.
	must(t, one.Close())
	for range 4 {
		count(databases.Context(t.Context()))
	}
	if m, b := main.took(), two.took(); m > 1 || m+b != 4 {
		t.Errorf("one replica is away: %d and %d", m, b)
	}
	must(t, two.Close())
	for range 4 {
		count(databases.Context(t.Context()))
	}
	if m := main.took(); m != 4 {
		t.Errorf("both are away: %d", m)
	}
}

func TestTheContextFromOutsideOfATransaction(t *testing.T) {
	t.Parallel()
	// In a file: there, readers do not wait for a writer.
	db := testdb.OpenURL(t, "sqlite:"+filepath.Join(t.TempDir(), "test.db"))
	testdb.CreateTables(t, db)
	db.CheckTransactions(true)
	ctx := orm.WithDB(t.Context(), db)
	must(t, Tags.Insert(ctx, &Tag{Name: "before"}))
	must(t, orm.Atomic(ctx, func(inner context.Context) error {
		if err := Tags.Insert(ctx, &Tag{Name: "x"}); !errors.Is(err, orm.ErrOutsideTransaction) {
			t.Error("a statement:", err)
		}
		if _, err := Tags.All(ctx); !errors.Is(err, orm.ErrOutsideTransaction) {
			t.Error("a query:", err)
		}
		if err := orm.Atomic(ctx, func(context.Context) error { return nil }); !errors.Is(err, orm.ErrOutsideTransaction) {
			t.Error("a transaction:", err)
		}
		must(t, Tags.Insert(inner, &Tag{Name: "inside"}))
		// It is possible on purpose, and does not see the new row.
		for _, from := range []context.Context{ctx, inner} {
			if n, err := Tags.Count(orm.Outside(from)); n != 1 || err != nil {
				t.Error("outside on purpose:", n, err)
			}
		}
		// Other goroutines have their own business.
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := Tags.All(ctx); err != nil {
				t.Error("another goroutine:", err)
			}
		})
		wg.Wait()
		orm.OnCommit(inner, func(ctx context.Context) {
			if n, err := Tags.Count(ctx); n != 2 || err != nil {
				t.Error("after the commit:", n, err)
			}
		})
		return nil
	}))
	func() {
		defer func() { _ = recover() }()
		_ = orm.Atomic(ctx, func(context.Context) error { panic("over") })
	}()
	must(t, Tags.Insert(ctx, &Tag{Name: "after"}))
}
