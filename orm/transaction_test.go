package orm_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
)

var errOwn = errors.New("own error")

func insertTag(ctx context.Context, name string) error {
	return Tags.Insert(ctx, &Tag{Name: name})
}

func tagNames(t *testing.T, ctx context.Context) string {
	t.Helper()
	names, err := orm.Select[string](Tags.OrderBy(orm.Asc(&Tags.Fields().ID)), orm.As("", &Tags.Fields().Name)).All(ctx)
	must(t, err)
	return strings.Join(names, " ")
}

func TestAtomic(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		for _, tt := range []struct {
			name string
			fn   func(ctx context.Context) error
			want string
			err  error
		}{
			{"success is written", func(ctx context.Context) error { return insertTag(ctx, "a") }, "a", nil},
			{"an error undoes", func(ctx context.Context) error {
				return errors.Join(insertTag(ctx, "a"), errOwn)
			}, "", errOwn},
			{"what is nested is written with the outer", func(ctx context.Context) error {
				return errors.Join(insertTag(ctx, "a"), orm.Atomic(ctx, func(ctx context.Context) error { return insertTag(ctx, "b") }))
			}, "a b", nil},
			{"what is nested is undone with the outer", func(ctx context.Context) error {
				return errors.Join(orm.Atomic(ctx, func(ctx context.Context) error { return insertTag(ctx, "b") }), errOwn)
			}, "", errOwn},
			{"a nested failure undoes its own part", func(ctx context.Context) error {
				if err := insertTag(ctx, "a"); err != nil {
					return err
				}
				err := orm.Atomic(ctx, func(ctx context.Context) error {
					return errors.Join(insertTag(ctx, "b"), errOwn)
				})
				if !errors.Is(err, errOwn) {
					return err
				}
				return insertTag(ctx, "c")
			}, "a c", nil},
			{"a failed statement in a savepoint leaves the outer usable", func(ctx context.Context) error {
				if err := insertTag(ctx, "a"); err != nil {
					return err
				}
				err := orm.Atomic(ctx, func(ctx context.Context) error { return insertTag(ctx, "a") })
				if !orm.IsUnique(err) {
					return fmt.Errorf("not unique: %w", err)
				}
				return insertTag(ctx, "b")
			}, "a b", nil},
			{"a failed statement breaks the transaction", func(ctx context.Context) error {
				_ = insertTag(ctx, "a")
				_ = insertTag(ctx, "a")
				return insertTag(ctx, "b")
			}, "", orm.ErrBrokenTransaction},
			{"a failed statement that is ignored still undoes", func(ctx context.Context) error {
				_ = insertTag(ctx, "a")
				_ = insertTag(ctx, "a")
				return nil
			}, "", orm.ErrBrokenTransaction},
			{"three deep", func(ctx context.Context) error {
				return orm.Atomic(ctx, func(ctx context.Context) error {
					_ = orm.Atomic(ctx, func(ctx context.Context) error {
						_ = insertTag(ctx, "x")
						return errOwn
					})
					return orm.Atomic(ctx, func(ctx context.Context) error { return insertTag(ctx, "y") })
				})
			}, "y", nil},
			{"not found does not break", func(ctx context.Context) error {
				if _, err := Tags.Get(ctx); !errors.Is(err, orm.ErrNotFound) {
					return err
				}
				return insertTag(ctx, "a")
			}, "a", nil},
		} {
			t.Run(tt.name, func(t *testing.T) {
				t.Parallel()
				ctx := open(t, kind)
				if err := orm.Atomic(ctx, tt.fn); !errors.Is(err, tt.err) {
					t.Errorf("error %v, want %v", err, tt.err)
				}
				if got := tagNames(t, ctx); got != tt.want {
					t.Errorf("got %q, want %q", got, tt.want)
				}
				// Whatever happened, the database works on.
				must(t, insertTag(ctx, "after"))
			})
		}
	})
}

func TestPanicRollsBack(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := open(t, kind)
		for name, run := range map[string]func(){
			"outermost": func() {
				_ = orm.Atomic(ctx, func(ctx context.Context) error {
					_ = insertTag(ctx, "a")
					panic("boom")
				})
			},
			"nested": func() {
				_ = orm.Atomic(ctx, func(ctx context.Context) error {
					return orm.Atomic(ctx, func(ctx context.Context) error {
						_ = insertTag(ctx, "a")
						panic("boom")
					})
				})
			},
		} {
			func() {
				defer func() {
					if r := recover(); r != "boom" {
						t.Errorf("%s: panic %v", name, r)
					}
				}()
				run()
			}()
			if got := tagNames(t, ctx); got != "" {
				t.Errorf("%s: %q", name, got)
			}
		}
		must(t, orm.Atomic(ctx, func(ctx context.Context) error {
			func() {
				defer func() { _ = recover() }()
				_ = orm.Atomic(ctx, func(ctx context.Context) error {
					_ = insertTag(ctx, "a")
					panic("boom")
				})
			}()
			return insertTag(ctx, "b")
		}))
		if got := tagNames(t, ctx); got != "b" {
			t.Error(got)
		}
	})
}

func TestOnCommit(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := open(t, kind)
		var calls []string
		call := func(ctx context.Context, name string) {
			orm.OnCommit(ctx, func(ctx context.Context) {
				if orm.InTransaction(ctx) {
					t.Errorf("%s is called in a transaction", name)
				}
				calls = append(calls, name+":"+tagNames(t, ctx))
			})
		}
		call(ctx, "at once")
		_ = orm.Atomic(ctx, func(ctx context.Context) error {
			call(ctx, "rolled back")
			return errOwn
		})
		must(t, orm.Atomic(ctx, func(outer context.Context) error {
			call(outer, "first")
			_ = orm.Atomic(outer, func(ctx context.Context) error {
				call(ctx, "dropped with its savepoint")
				_ = orm.Atomic(ctx, func(ctx context.Context) error {
					call(ctx, "dropped with the savepoint around it")
					return nil
				})
				return errOwn
			})
			must(t, orm.Atomic(outer, func(ctx context.Context) error {
				call(ctx, "nested")
				return nil
			}))
			call(outer, "last")
			orm.OnCommit(outer, func(ctx context.Context) { call(outer, "asked for in a callback") })
			if len(calls) != 1 {
				t.Error("called before the commit")
			}
			return insertTag(outer, "a")
		}))
		want := "at once:|first:a|nested:a|last:a|asked for in a callback:a"
		if got := strings.Join(calls, "|"); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
}

func TestContextOfAnEndedTransaction(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := open(t, kind)
		var kept context.Context
		must(t, orm.Atomic(ctx, func(ctx context.Context) error {
			kept = ctx
			return nil
		}))
		if err := insertTag(kept, "a"); !errors.Is(err, orm.ErrTransactionDone) {
			t.Error(err)
		}
		if err := orm.Atomic(kept, func(context.Context) error { return nil }); !errors.Is(err, orm.ErrTransactionDone) {
			t.Error(err)
		}
	})
}

func TestTransactionOptions(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := open(t, kind)
		err := orm.AtomicWith(ctx, orm.TxOptions{ReadOnly: true}, func(ctx context.Context) error { return insertTag(ctx, "a") })
		if !errors.Is(err, orm.ErrReadOnly) {
			t.Error(err)
		}
		durable := orm.TxOptions{Durable: true, Isolation: orm.Serializable}
		must(t, orm.AtomicWith(ctx, durable, func(ctx context.Context) error {
			if err := orm.AtomicWith(ctx, durable, func(context.Context) error { return nil }); err == nil {
				t.Error("a durable transaction inside another")
			}
			return nil
		}))
		noKeys := orm.TxOptions{WithoutForeignKeys: true}
		comment := &Comment{Post: orm.FK[Post]{ID: 77}}
		must(t, orm.AtomicWith(ctx, noKeys, func(ctx context.Context) error {
			author := &User{Username: "late"}
			must(t, Comments.Insert(ctx, comment))
			must(t, Users.Insert(ctx, author))
			return Posts.Insert(ctx, &Post{Model: orm.Model{ID: 77}, Title: "late", Author: orm.FK[User]{ID: author.ID}})
		}))
		comment.ID = 0
		comment.Post.SetID(78)
		if err := Comments.Insert(ctx, comment); !orm.IsForeignKey(err) {
			t.Error("foreign keys stay off:", err)
		}
		if !errors.Is(orm.AtomicWith(ctx, noKeys, func(context.Context) error { return errOwn }), errOwn) {
			t.Error("error lost")
		}
		if err := Comments.Insert(ctx, comment); !orm.IsForeignKey(err) {
			t.Error("foreign keys stay off after a rollback:", err)
		}
	})
}

func TestReadThenWriteNeverFindsTheDatabaseLocked(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]string{"file": "sqlite:" + t.TempDir() + "/x.db", "memory": "sqlite::memory:"} {
		ctx := openURL(t, url)
		post := &Post{Title: "x", Slug: "x"}
		author := &User{Username: "x"}
		must(t, Users.Insert(ctx, author))
		post.Author.Set(author)
		must(t, Posts.Insert(ctx, post))
		p := Posts.Fields()
		one := Posts.Where(orm.Eq(&p.ID, post.ID))
		var wg sync.WaitGroup
		stop, stopped := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(stopped)
			for {
				select {
				case <-stop:
					return
				default:
					if _, err := one.Get(ctx); err != nil {
						t.Error(name, err)
						return
					}
				}
			}
		}()
		for range 4 {
			wg.Go(func() {
				for range 100 {
					err := orm.Atomic(ctx, func(ctx context.Context) error {
						row, err := one.Get(ctx)
						if err != nil {
							return err
						}
						row.Views++
						return Posts.UpdateRow(ctx, row, &p.Views)
					})
					if err != nil {
						t.Error(name, err)
						return
					}
				}
			})
		}
		wg.Wait()
		close(stop)
		<-stopped
		if row, err := one.Get(ctx); err != nil || row.Views != 400 {
			t.Errorf("%s: %d updates were kept, want 400 (%v)", name, row.Views, err)
		}
	}
}

func TestCancelledContext(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		cancelled, cancel := context.WithCancel(ctx)
		cancel()
		if _, err := Posts.All(cancelled); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if err := insertTag(cancelled, "a"); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		inner, cancelInner := context.WithCancel(ctx)
		err := orm.Atomic(inner, func(ctx context.Context) error {
			must(t, insertTag(ctx, "b"))
			cancelInner()
			return nil
		})
		if !errors.Is(err, context.Canceled) {
			t.Error("a transaction whose context ended is written:", err)
		}
		short, cancelShort := context.WithTimeout(ctx, 50*time.Millisecond)
		defer cancelShort()
		db, _ := orm.DBFrom(ctx)
		start := time.Now()
		endless := `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT MAX(i) FROM n`
		if kind.Name == "mysql" {
			endless = `SELECT SLEEP(30)`
		}
		_, err = db.Values(short, endless)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 20*time.Second {
			t.Error(err, time.Since(start))
		}
		// A writer that waits for another one gives up with its context. Elsewhere
		// they do not wait for each other.
		must(t, orm.Atomic(ctx, func(context.Context) error {
			if kind.Name != "sqlite" {
				return nil
			}
			short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
			defer cancel()
			if err := insertTag(short, "c"); !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
			return nil
		}))
		if got := tagNames(t, ctx); got != "go web db unused" {
			t.Error(got)
		}
	})
}

func TestSeveralDatabases(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		one, two := open(t, kind), open(t, kind)
		first, err := orm.DBFrom(one)
		must(t, err)
		second, err := orm.DBFrom(two)
		must(t, err)
		must(t, orm.Atomic(one, func(ctx context.Context) error {
			must(t, insertTag(ctx, "a"))
			other := orm.WithDB(ctx, second)
			if orm.InTransaction(other) {
				t.Error("a transaction of another database")
			}
			must(t, insertTag(other, "b"))
			// Back on the first, the transaction is still there.
			if n, err := Tags.Count(orm.WithDB(other, first)); n != 1 || err != nil {
				t.Error(n, err)
			}
			return nil
		}))
		if a, b := tagNames(t, one), tagNames(t, two); a != "a" || b != "b" {
			t.Error(a, b)
		}
	})
}

func TestClosedDatabase(t *testing.T) {
	t.Parallel()
	db, err := orm.Open(t.Context(), "sqlite::memory:")
	must(t, err)
	ctx := orm.WithDB(t.Context(), db)
	must(t, db.Ping(ctx))
	must(t, db.Close())
	must(t, db.Close())
	if _, err := Posts.All(ctx); !errors.Is(err, orm.ErrUnavailable) {
		t.Error(err)
	}
	if err := orm.Atomic(ctx, func(context.Context) error { return nil }); !errors.Is(err, orm.ErrUnavailable) {
		t.Error(err)
	}
}

func TestNamedAndLateDatabases(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx, other := open(t, kind), open(t, kind)
		reports, err := orm.DBFrom(other)
		must(t, err)
		ctx = orm.WithNamed(ctx, "reports", reports)
		must(t, insertTag(orm.Using(ctx, "reports"), "r"))
		if a, b := tagNames(t, ctx), tagNames(t, other); a != "" || b != "r" {
			t.Error(a, b)
		}
		if err := insertTag(orm.Using(ctx, "nothing"), "x"); !errors.Is(err, orm.ErrNoDatabase) || !strings.Contains(err.Error(), `"nothing"`) {
			t.Error(err)
		}
		away := true
		late := orm.WithOpener(t.Context(), func(context.Context) (*orm.DB, error) {
			if away {
				return nil, orm.ErrUnavailable
			}
			return reports, nil
		})
		if err := insertTag(late, "x"); !errors.Is(err, orm.ErrUnavailable) {
			t.Error(err)
		}
		away = false
		must(t, orm.Atomic(late, func(ctx context.Context) error {
			calls := 0
			again := orm.WithOpener(ctx, func(context.Context) (*orm.DB, error) { return reports, nil })
			orm.OnCommit(again, func(context.Context) { calls++ })
			if calls != 0 || !orm.InTransaction(again) {
				t.Error("the transaction is lost behind an opener")
			}
			return insertTag(again, "late")
		}))
		if got := tagNames(t, other); got != "r late" {
			t.Error(got)
		}
	})
}

func TestWithDBInsideATransactionOfThatDatabaseKeepsIt(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := open(t, kind)
		db, err := orm.DBFrom(ctx)
		must(t, err)
		undo := errors.New("undo")
		err = orm.Atomic(ctx, func(ctx context.Context) error {
			if err := Tags.Insert(orm.WithDB(ctx, db), &Tag{Name: "kept inside"}); err != nil {
				return err
			}
			return undo
		})
		if !errors.Is(err, undo) {
			t.Fatal(err)
		}
		n, err := Tags.Where(orm.Eq(&Tags.Fields().Name, "kept inside")).Count(ctx)
		must(t, err)
		if n != 0 {
			t.Errorf("the row was written beside the transaction: %d rows", n)
		}
	})
}
