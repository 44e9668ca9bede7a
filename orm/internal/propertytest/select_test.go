package propertytest_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/retort-web/retort/orm"
)

// values is a row of computed values.
type values struct {
	ID     int64
	Int    *int64
	Float  *float64
	Text   *string
	Time   *time.Time
	Is     bool
	Number *int64
}

func (v values) String() string {
	return fmt.Sprintf("{%d %s %s %s %s %v %s}", v.ID, shown(v.Int), shown(v.Float), shown(v.Text), shown(v.Time), v.Is, shown(v.Number))
}

func shown[V any](v *V) string {
	if v == nil {
		return "NULL"
	}
	return fmt.Sprintf("%#v", *v)
}

// as is a computed value as a field of a row has it.
func as[V any](v any) *V {
	if v == nil {
		return nil
	}
	value := v.(V)
	return &value
}

// columns asks for computed values of rows.
func (g *generator) columns() question {
	q := g.order(g.where())
	n, f, s, at, c, m := g.int(3), g.float(2), g.string(3), g.time(1), g.apart().cond(2), g.int(1)
	var answer []values
	for _, i := range q.rows {
		e := env{world: g.world, item: i}
		answer = append(answer, values{
			i.ID, as[int64](n.eval(e)), as[float64](f.eval(e)), as[string](s.eval(e)), as[time.Time](at.eval(e)), c.eval(e) == isTrue, as[int64](m.eval(e)),
		})
	}
	i := Items.Fields()
	p := orm.Select[values](
		q.sql, orm.As("ID", &i.ID), orm.As("Int", n.sql), orm.As("Float", f.sql), orm.As("Text", s.sql),
		orm.As("Time", at.sql), orm.As("Is", orm.F(c.sql)), orm.As("Number", m.sql),
	)
	text := fmt.Sprintf("%s\nselect %s\n%s\n%s\n%s\n%s\n%s", q.text, n.text, f.text, s.text, at.text, c.text, m.text)
	return question{text, answer, func(ctx context.Context) (any, error) { return p.All(ctx) }, p.SQL}
}

// group is a row of aggregates.
type group struct {
	Key                      *int64
	Rows, Count, Filtered    int64
	Sum, Least, Most, Labels *int64
	Mean, Weight             *float64
}

func (g group) String() string {
	return fmt.Sprintf("{%s: %d %d %d %s %s %s %s %s %s}", shown(g.Key), g.Rows, g.Count, g.Filtered, shown(g.Sum), shown(g.Least), shown(g.Most), shown(g.Labels), shown(g.Mean), shown(g.Weight))
}

// groups asks for aggregates of groups.
func (g *generator) groups() question {
	i := Items.Fields()
	own := itemScope(i)
	own.computed = nil // aggregates of aggregates are refused where they would count rows twice
	q, by, of, filter := g.where(), g.apart().int(1), g.in(own).int(2), g.apart().cond(1)
	atLeast := int64(g.IntN(3))
	byKey := map[any][]*Item{}
	for _, i := range q.rows {
		k := by.eval(env{world: g.world, item: i})
		byKey[k] = append(byKey[k], i)
	}
	var answer []group
	for k, rows := range byKey {
		if int64(len(rows)) >= atLeast {
			answer = append(answer, g.groupOf(k, rows, of, filter))
		}
	}
	slices.SortFunc(answer, func(a, b group) int {
		x, y := any(nil), any(nil)
		if a.Key != nil {
			x = *a.Key
		}
		if b.Key != nil {
			y = *b.Key
		}
		return compareNulls(x, y, false, 0)
	})
	p := orm.Select[group](
		q.sql.GroupBy(by.sql).Having(orm.Count(&i.ID).Ge(atLeast)).OrderBy(orm.Asc(by.sql)),
		orm.As("Key", by.sql), orm.As("Rows", orm.Count(&i.ID)), orm.As("Count", orm.Count(of.sql)),
		orm.As("Filtered", orm.Count(&i.ID).Filter(filter.sql)), orm.As("Sum", orm.Sum(of.sql)),
		orm.As("Least", orm.Min(of.sql)), orm.As("Most", orm.Max(of.sql)), orm.As("Labels", orm.Sum(&i.Labels.To().Weight)),
		orm.As("Mean", orm.Avg(of.sql)), orm.As("Weight", orm.Avg(&i.Labels.To().Weight)),
	)
	text := fmt.Sprintf("%s\ngroup by %s\nof %s\nfilter %s\nat least %d", q.text, by.text, of.text, filter.text, atLeast)
	return question{text, answer, func(ctx context.Context) (any, error) {
		got, err := p.All(ctx)
		for i := range got {
			got[i].Mean, got[i].Weight = rounded(got[i].Mean), rounded(got[i].Weight)
		}
		return got, err
	}, p.SQL}
}

// rounded leaves out the last digits, of which databases have more or fewer.
func rounded(f *float64) *float64 {
	if f == nil {
		return nil
	}
	r := math.Round(*f*1e9) / 1e9
	return &r
}

// mean is the average of values that are not NULL.
func mean(values []any) *float64 {
	if len(values) == 0 {
		return nil
	}
	f := float64(sum(values).(int64)) / float64(len(values))
	return rounded(&f)
}

// distinct asks for the different values of an expression.
func (g *generator) distinct() question {
	q, of := g.where(), g.int(2)
	type row struct{ V *int64 }
	var found []any
	seen := map[any]bool{}
	for _, i := range q.rows {
		if v := of.eval(env{world: g.world, item: i}); !seen[v] {
			seen[v] = true
			found = append(found, v)
		}
	}
	slices.SortFunc(found, func(a, b any) int { return compareNulls(a, b, true, 0) })
	var answer []row
	for _, v := range found {
		answer = append(answer, row{as[int64](v)})
	}
	p := orm.Select[row](q.sql.Distinct().OrderBy(orm.Desc(of.sql)), orm.As("V", of.sql))
	return question{q.text + "\ndistinct " + of.text, answer, func(ctx context.Context) (any, error) { return p.All(ctx) }, p.SQL}
}

func (g *generator) groupOf(k any, rows []*Item, of expr, filter cond) group {
	row := group{Key: as[int64](k), Rows: int64(len(rows))}
	var list, weights []any
	for _, i := range rows {
		e := env{world: g.world, item: i}
		if v := of.eval(e); v != nil {
			list = append(list, v)
		}
		if filter.eval(e) == isTrue {
			row.Filtered++
		}
		for _, l := range g.world.labelsOf[i.ID] {
			weights = append(weights, int64(l.Weight))
		}
	}
	row.Count = int64(len(list))
	row.Sum, row.Least, row.Most, row.Labels = as[int64](sum(list)), as[int64](least(list)), as[int64](greatest(list)), as[int64](sum(weights))
	row.Mean, row.Weight = mean(list), mean(weights)
	return row
}

var errUndo = errors.New("undo")

// update asks for what rows have after an update, which is undone.
func (g *generator) update() question {
	b := Items.Fields()
	q := g.page(g.order(g.where()))
	// What is set is computed from the row itself.
	to := g.in(ownScope("", b, func(e env) *Item { return e.item })).int(2)
	type row struct{ ID, B int64 }
	var answer []row
	for _, i := range g.world.items {
		r := row{i.ID, int64(i.B)}
		if slices.Contains(q.rows, i) {
			r.B = -1000
			if v := to.eval(env{world: g.world, item: i}); v != nil {
				r.B = v.(int64)
			}
		}
		answer = append(answer, r)
	}
	all := orm.Select[row](Items.OrderBy(orm.Asc(&b.ID)), orm.As("ID", &b.ID), orm.As("B", &b.B))
	return question{q.text + "\nset " + to.text, answer, func(ctx context.Context) (any, error) {
		var got []row
		err := orm.Atomic(ctx, func(ctx context.Context) error {
			n, err := q.sql.UpdateAll(ctx, orm.Set(&b.B, orm.Coalesce(to.sql, -1000)))
			if err == nil && n != int64(len(q.rows)) {
				err = fmt.Errorf("%d rows were changed, not %d", n, len(q.rows))
			}
			if err != nil {
				return err
			}
			if got, err = all.All(ctx); err != nil {
				return err
			}
			return errUndo
		})
		if errors.Is(err, errUndo) {
			err = nil
		}
		return got, err
	}, q.sql.SQL}
}
