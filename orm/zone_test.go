package orm_test

import (
	"strings"
	"testing"
	"time"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
)

func TestLookupsInAZone(t *testing.T) {
	t.Parallel()
	oslo := must1[*time.Location](t)(time.LoadLocation("Europe/Oslo"))
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := blog(t, kind)
		p := Posts.Fields()
		late := time.Date(2031, 12, 31, 23, 30, 15, 0, time.UTC) // half past midnight of the next year in Oslo
		must1[int64](t)(Posts.Where(orm.Eq(&p.Title, "a")).Update(ctx, orm.Set(&p.Published, &late)))
		there := orm.WithZone(ctx, oslo)
		if kind.Name == "mysql" && second(Posts.Where(orm.Lookup("published__hour", 0)).Count(there)) != nil {
			t.Log("the server has no time zones")
			there = nil
		}
		for _, tt := range []struct {
			path      string
			value     any
			utc, oslo int64
		}{
			{"published__date", "2031-12-31", 1, 0},
			{"published__date", "2032-01-01", 0, 1},
			{"published__date", late, 1, 1},
			{"published__year", 2031, 1, 0},
			{"published__year", "2032", 0, 1},
			{"published__date__gte", "2032-01-01", 0, 1},
			{"published__date__in", "2031-12-31,2031-12-30", 1, 0},
			{"published__date__gt", late, 0, 0},
			{"published__month", 1, 0, 1},
			{"published__hour", 0, 0, 1},
			{"published__time", "23:30:15", 1, 0},
			{"published__time", orm.NewTimeOfDay(0, 30, 15, 0), 0, 1},
			{"published__time__lt", "00:31", 0, 1},
			{"published__time__range", "23:30:15,23:31", 1, 0},
		} {
			q := Posts.Where(orm.Eq(&p.Title, "a"), orm.Lookup(tt.path, tt.value))
			if n := must1[int64](t)(q.Count(ctx)); n != tt.utc {
				t.Errorf("%s %v in UTC: %d", tt.path, tt.value, n)
			}
			if there == nil {
				continue
			}
			if n := must1[int64](t)(q.Count(there)); n != tt.oslo {
				t.Errorf("%s %v in Oslo: %d", tt.path, tt.value, n)
			}
			if n := int64(len(must1[[]*Post](t)(q.InZone(time.UTC).All(there)))); n != tt.utc {
				t.Errorf("%s %v by InZone: %d", tt.path, tt.value, n)
			}
			if n := must1[int64](t)(Posts.Where(orm.InQuery(&p.ID, q, &p.ID)).Count(there)); n != tt.oslo {
				t.Errorf("%s %v in a subquery in Oslo: %d", tt.path, tt.value, n)
			}
		}
		if there == nil {
			return
		}
		hours := must1[[]int64](t)(orm.Select[int64](Posts.Where(orm.Eq(&p.Title, "a")), orm.As("", orm.Extract(orm.Hour, &p.Published))).All(there))
		if len(hours) != 1 || hours[0] != 0 {
			t.Errorf("the hour in Oslo: %v", hours)
		}
		if n := must1[int64](t)(Posts.Where(orm.Eq(&p.Title, "a"), orm.Lookup("published__hour", 0)).Update(there, orm.Set(&p.Views, orm.Extract(orm.Year, &p.Published)))); n != 1 {
			t.Errorf("%d rows are of the first hour in Oslo", n)
		}
		if post := must1[*Post](t)(Posts.Where(orm.Eq(&p.Title, "a")).Get(ctx)); post.Views != 2032 {
			t.Errorf("the year in Oslo: %d", post.Views)
		}
	})
}

func TestZonesWithoutAName(t *testing.T) {
	t.Parallel()
	ctx := blog(t, testdb.SQLite)
	for _, zone := range []*time.Location{time.Local, time.FixedZone("here", 3600)} {
		for _, err := range []error{
			second(Posts.InZone(zone).Where(orm.Lookup("published__hour", 1)).All(ctx)),
			second(Posts.Where(orm.Lookup("published__hour", 1)).Count(orm.WithZone(ctx, zone))),
		} {
			if err == nil || !strings.Contains(err.Error(), "zone") {
				t.Errorf("%v: %v", zone, err)
			}
		}
	}
	if err := second(Posts.Where(orm.Lookup("published__time", "half past")).Count(ctx)); err == nil {
		t.Error("half past is a time")
	}
}
