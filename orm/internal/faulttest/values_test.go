package faulttest_test

import (
	"bytes"
	"context"
	"errors"
	"math"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
)

// Values that no column can hold are one kind of error on all databases, and nothing is
// written.
func TestValuesThatCannotBeStored(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := contextWithRows(t, kind)
		a := Accounts.Fields()
		b := Accounts.Where(orm.Eq(&a.Name, "b"))
		update := func(set ...orm.Assignment) func(ctx context.Context) error {
			return func(ctx context.Context) error {
				_, err := b.Update(ctx, set...)
				return err
			}
		}
		insert := func(row *Account) func(ctx context.Context) error {
			return func(ctx context.Context) error { return Accounts.Insert(ctx, row) }
		}
		for name, run := range map[string]func(ctx context.Context) error{
			"NUL":                      insert(&Account{Name: "a\x00b"}),
			"NUL in a long text":       insert(&Account{Name: "x", Note: "a\x00b"}),
			"not UTF-8":                insert(&Account{Name: "\xff"}),
			"not UTF-8 in a long text": insert(&Account{Name: "x", Note: "caf\xe9"}),
			"too long":                 insert(&Account{Name: strings.Repeat("é", 201)}),
			"NUL in an update":         update(orm.Set(&a.Note, "\x00")),
			"not UTF-8 in an update":   update(orm.Set(&a.Note, "\xc3\x28")),
			"a sum out of range":       update(orm.Set(&a.Balance, orm.Add(&a.Balance, math.MaxInt64))),
			"a product out of range":   update(orm.Set(&a.Balance, orm.F(&a.Balance).Add(int64(math.MaxInt64/2)).Mul(3))),
			"a small sum out of range": update(orm.Set(&a.Small, orm.F(&a.Small).Add(40_000))),
			"a number out of range":    update(orm.Set(&a.Small, 40_000)),
		} {
			err := orm.Atomic(ctx, run)
			if !errors.Is(err, orm.ErrValue) {
				t.Errorf("%s: %v", name, err)
			}
		}
		row, err := b.Get(ctx)
		if err != nil || row.Balance != 7 || row.Small != 0 || row.Note != "" {
			t.Errorf("%+v, %v", row, err)
		}
		if n, err := Accounts.Count(ctx); n != 2 || err != nil {
			t.Errorf("%d rows, %v", n, err)
		}
	})
}

// To look for what no row can have finds nothing, or is such an error; it is never
// another one.
func TestValuesThatCannotBeFound(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := contextWithRows(t, kind)
		a := Accounts.Fields()
		many := make([]string, 40)
		for i := range many {
			many[i] = strconv.Itoa(i)
		}
		for name, cond := range map[string]orm.Cond{
			"NUL":               orm.Eq(&a.Name, "\x00"),
			"NUL in":            orm.In(&a.Name, "\x00", "x"),
			"NUL in many":       orm.In(&a.Name, append(many, "\x00")...),
			"NUL contained":     orm.Contains(&a.Name, "\x00"),
			"not UTF-8":         orm.Eq(&a.Name, "\xff"),
			"not UTF-8 in many": orm.In(&a.Name, append(many, "\xff")...),
			"not UTF-8 folded":  orm.IContains(&a.Name, "\xff"),
			"a number":          orm.F(&a.Small).Eq(1 << 40),
			"a lookup's number": orm.Lookup("small", "99999999999999999999"),
			"a lookup's range":  orm.Lookup("small__range", "1,70000"),
			"a lookup's text":   orm.Lookup("name", "\x00"),
			"a lookup's date":   orm.Lookup("at__year", "99999"),
		} {
			rows, err := Accounts.Where(cond).All(ctx)
			_, isLookup := errors.AsType[*orm.LookupError](err)
			if err != nil && !isLookup && !errors.Is(err, orm.ErrValue) || len(rows) != 0 {
				t.Errorf("%s: %d rows, %v", name, len(rows), err)
			}
		}
	})
}

func TestLargeValues(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := kind.Context(t)
		a := Accounts.Fields()
		// A packet of MySQL has 16 MB, and what is larger is sent in several.
		size := 300_000
		if kind.Name == "mysql" {
			size = 1_500_000
		}
		row := &Account{Name: "large", Note: strings.Repeat("é'\\\"\n", size), Data: bytes.Repeat([]byte{0, 1, 255, '\''}, 2*size)}
		must(t, Accounts.Insert(ctx, row))
		got, err := Accounts.Where(orm.Eq(&a.ID, row.ID)).Get(ctx)
		if err != nil || got.Note != row.Note || !bytes.Equal(got.Data, row.Data) {
			t.Errorf("%d and %d bytes came back, %v", len(got.Note), len(got.Data), err)
		}
		row.Data = append(row.Data, 'x')
		must(t, Accounts.UpdateRow(ctx, row, &a.Data))
		if n, err := Accounts.Where(orm.Eq(&a.Data, row.Data)).Count(ctx); n != 1 || err != nil {
			t.Error(n, err)
		}
	})
}

func TestManyValuesIn(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := contextWithRows(t, kind)
		a := Accounts.Fields()
		const many = 70_000
		numbers, texts := make([]int64, many), make([]string, many)
		for i := range many {
			numbers[i], texts[i] = int64(i), strconv.Itoa(i)
		}
		texts[many-1] = "b"
		for name, tt := range map[string]struct {
			cond orm.Cond
			want int64
		}{
			"numbers": {orm.In(&a.Balance, numbers...), 2}, "texts": {orm.In(&a.Name, texts...), 1},
			"not numbers": {orm.NotIn(&a.Balance, numbers...), 0}, "a lookup": {orm.Not(orm.Lookup("name__in", strings.Join(texts, ","))), 1},
		} {
			if n, err := Accounts.Where(tt.cond).Count(ctx); n != tt.want || err != nil {
				t.Errorf("%s: %d, %v", name, n, err)
			}
		}
		keys := make([]*Account, 1200)
		for i := range keys {
			keys[i] = &Account{Name: "row", Balance: -1}
		}
		must(t, Accounts.Insert(ctx, keys...))
		if n, err := Accounts.Where(orm.Eq(&a.Balance, -1)).Delete(ctx); n != 1200 || err != nil {
			t.Errorf("%d deleted, %v", n, err)
		}
	})
}

// Two transactions that lock the same rows in opposite orders: on a server one of them
// ends with ErrDeadlock and succeeds when it is tried again; SQLite has one writer at a
// time.
func TestDeadlock(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := contextWithRows(t, kind)
		a := Accounts.Fields()
		meet := func(retries int) [2]error {
			var wg, both sync.WaitGroup
			var errs [2]error
			if kind.Name != "sqlite" {
				both.Add(2)
			}
			for i, names := range [2][2]string{{"a", "b"}, {"b", "a"}} {
				wg.Go(func() {
					first := kind.Name != "sqlite"
					errs[i] = orm.AtomicWith(ctx, orm.TxOptions{Retries: retries}, func(ctx context.Context) error {
						for _, name := range names {
							if _, err := Accounts.Where(orm.Eq(&a.Name, name)).Update(ctx, orm.Set(&a.Small, orm.F(&a.Small).Add(1))); err != nil {
								return err
							}
							if first {
								first = false
								both.Done()
								both.Wait()
							}
						}
						return nil
					})
				})
			}
			wg.Wait()
			return errs
		}
		wins := int16(2)
		if errs := meet(0); kind.Name != "sqlite" {
			wins = 1
			if (errs[0] == nil) == (errs[1] == nil) || !errors.Is(errors.Join(errs[:]...), orm.ErrDeadlock) {
				t.Errorf("%v", errs)
			}
		}
		if errs := meet(5); errs[0] != nil || errs[1] != nil {
			t.Errorf("tried again: %v", errs)
		}
		rows, err := Accounts.All(ctx)
		must(t, err)
		for _, row := range rows {
			if row.Small != wins+2 {
				t.Errorf("%s has %d, not %d", row.Name, row.Small, wins+2)
			}
		}
	})
}
