package orm_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
)

// Inside of a transaction Each reads in parts where the database has cursors, so that the loop
// can do what it likes with the same transaction, and the memory it takes does not grow.
func TestEachInATransaction(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		g := Tags.Fields()
		tags := make([]*Tag, 700)
		for i := range tags {
			tags[i] = &Tag{Name: fmt.Sprintf("many-%03d", i)}
		}
		must(t, Tags.Insert(ctx, tags...))
		db := must1[*orm.DB](t)(orm.DBFrom(ctx))
		log := &queryLog{}
		db.AddHook(log)
		many := Tags.Where(orm.StartsWith(&g.Name, "many-")).OrderBy(orm.Asc(&g.Name)).With(&g.Posts)
		must(t, orm.Atomic(ctx, func(ctx context.Context) error {
			log.all()
			n := 0
			for tag, err := range many.Each(ctx) {
				must(t, err)
				if tag.Name != tags[n].Name {
					t.Fatalf("%s at %d", tag.Name, n)
				}
				if n++; n%300 == 0 {
					must(t, orm.Atomic(ctx, func(ctx context.Context) error {
						return Tags.UpdateRow(ctx, &Tag{Model: tag.Model, Name: "seen-" + tag.Name}, &g.Name)
					}))
					// What fails in an Atomic of its own does not end the loop.
					if err := orm.Atomic(ctx, func(ctx context.Context) error { return Tags.Insert(ctx, &Tag{Name: tags[0].Name}) }); !orm.IsUnique(err) {
						t.Errorf("%v", err)
					}
				}
			}
			if n != len(tags) {
				t.Errorf("%d rows of %d", n, len(tags))
			}
			fetches := 0
			for _, e := range log.all() {
				if strings.HasPrefix(e.SQL, "FETCH") {
					fetches++
				}
			}
			if kind.Name == "postgres" && fetches != 3 {
				t.Errorf("%d parts", fetches)
			}
			// Two at once, one of which ends early, and one without rows.
			for a, err := range many.Each(ctx) {
				must(t, err)
				for b, err := range many.Limit(3).Each(ctx) {
					must(t, err)
					if b.ID == 0 {
						t.Error(a, b)
					}
				}
				if a.Name > "many-260" {
					break
				}
			}
			for range Tags.Where(orm.Eq(&g.Name, "none")).Each(ctx) {
				t.Error("a row that is not there")
			}
			if kind.Name == "postgres" {
				if open := must1[[][]any](t)(db.Values(ctx, "SELECT count(*) FROM pg_cursors WHERE name LIKE 'orm%'")); open[0][0] != int64(0) {
					t.Errorf("%v cursors stay open", open)
				}
			}
			return nil
		}))
		err := orm.Atomic(ctx, func(ctx context.Context) error {
			for range many.Each(ctx) {
				return errors.Join(errors.New("enough"), second(db.Exec(ctx, "SELECT nonsense FROM nowhere")))
			}
			return nil
		})
		if err == nil || !strings.Contains(err.Error(), "enough") {
			t.Error(err)
		}
		if n := must1[int64](t)(Tags.Where(orm.StartsWith(&g.Name, "seen-")).Count(ctx)); n != 2 {
			t.Errorf("%d rows were written", n)
		}
	})
}
