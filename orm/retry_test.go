package orm_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/retort-web/retort/orm"
)

// failing is a backend whose statements fail as told, one after the other.
type failing struct {
	recorder
	exec   []error
	commit []error
}

func next(list *[]error) error {
	if len(*list) == 0 {
		return nil
	}
	err := (*list)[0]
	*list = (*list)[1:]
	return err
}

func (f *failing) Begin(ctx context.Context, _ orm.TxOptions) (orm.Tx, error) {
	return failingTx{f}, nil
}

type failingTx struct{ *failing }

func (t failingTx) Exec(ctx context.Context, s orm.Statement) (orm.Result, error) {
	if err := next(&t.failing.exec); err != nil {
		return orm.Result{}, err
	}
	return t.recorder.Exec(ctx, s)
}

func (t failingTx) Commit(context.Context) error { return next(&t.failing.commit) }

func (t failingTx) Rollback(context.Context) error {
	t.sent = append(t.sent, orm.Statement{SQL: "ROLLBACK"})
	return nil
}

func TestRetriesOfATransaction(t *testing.T) {
	t.Parallel()
	deadlock := fmt.Errorf("%w: by the driver", orm.ErrDeadlock)
	conflict := fmt.Errorf("%w: by the driver", orm.ErrSerialization)
	for _, tt := range []struct {
		name         string
		retries      int
		exec, commit []error
		runs         int
		want         error
	}{
		{"without retries", 0, []error{deadlock}, nil, 1, orm.ErrDeadlock},
		{"one is enough", 3, []error{deadlock}, nil, 2, nil},
		{"a serialization failure at the commit", 3, nil, []error{conflict}, 2, nil},
		{"not more than asked for", 2, []error{deadlock, deadlock, deadlock}, nil, 3, orm.ErrDeadlock},
		{"other errors are final", 3, []error{errors.New("syntax")}, nil, 1, orm.ErrBrokenTransaction},
		{"a lost commit is never repeated", 3, nil, []error{orm.ErrUnavailable}, 1, orm.ErrCommitUnknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := &failing{exec: tt.exec, commit: tt.commit}
			ctx := orm.WithDB(t.Context(), orm.NewDB(f))
			runs, committed := 0, 0
			err := orm.AtomicWith(ctx, orm.TxOptions{Retries: tt.retries}, func(ctx context.Context) error {
				runs++
				orm.OnCommit(ctx, func(context.Context) { committed++ })
				// Even if the program does not mind the error.
				_ = Tags.Insert(ctx, &Tag{Name: "a"})
				return nil
			})
			if !errors.Is(err, tt.want) || runs != tt.runs || committed == 1 != (err == nil) {
				t.Errorf("%d runs, %d hooks, %v", runs, committed, err)
			}
		})
	}
}

func TestADeadlockEndsTheWholeTransaction(t *testing.T) {
	t.Parallel()
	// SAVEPOINT works, the statement in it does not.
	f := &failing{exec: []error{nil, orm.ErrDeadlock}}
	ctx := orm.WithDB(t.Context(), orm.NewDB(f))
	err := orm.Atomic(ctx, func(ctx context.Context) error {
		inner := orm.Atomic(ctx, func(ctx context.Context) error { return Tags.Insert(ctx, &Tag{Name: "a"}) })
		if !errors.Is(inner, orm.ErrDeadlock) {
			t.Error(inner)
		}
		if err := Tags.Insert(ctx, &Tag{Name: "b"}); !errors.Is(err, orm.ErrBrokenTransaction) {
			t.Errorf("what the database has ended goes on: %v", err)
		}
		return nil
	})
	if !errors.Is(err, orm.ErrDeadlock) {
		t.Error(err)
	}
	if n := len(f.sent); n != 2 || f.sent[1].SQL != "ROLLBACK" {
		t.Errorf("%v", f.sent)
	}
}

func TestRetryStopsWithTheContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(orm.WithDB(t.Context(), orm.NewDB(&failing{exec: slices.Repeat([]error{orm.ErrDeadlock}, 100)})))
	runs := 0
	err := orm.AtomicWith(ctx, orm.TxOptions{Retries: 100}, func(ctx context.Context) error {
		if runs++; runs == 2 {
			cancel()
		}
		return Tags.Insert(ctx, &Tag{Name: "a"})
	})
	if !errors.Is(err, context.Canceled) || runs > 3 {
		t.Error(runs, err)
	}
}

func TestAHookThatPanicsLeavesTheOthers(t *testing.T) {
	t.Parallel()
	ctx := orm.WithDB(t.Context(), orm.NewDB(&failing{}))
	var called []int
	defer func() {
		if p := recover(); p != "first" || !slices.Equal(called, []int{1, 2, 3}) {
			t.Errorf("panic %v, called %v", p, called)
		}
	}()
	_ = orm.Atomic(ctx, func(ctx context.Context) error {
		orm.OnCommit(ctx, func(context.Context) { called = append(called, 1); panic("first") })
		orm.OnCommit(ctx, func(context.Context) { called = append(called, 2) })
		orm.OnCommit(ctx, func(context.Context) { called = append(called, 3) })
		return nil
	})
	t.Error("the panic was lost")
}
