package propertytest_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
)

var (
	seed      = flag.Uint64("seed", 0, "of the random questions; 0 takes one from the clock")
	first     = flag.Uint64("first", 0, "the number of the first question")
	questions = flag.Uint64("questions", 300, "how many are asked")
	items     = flag.Int("items", 60, "how many rows there are")
)

// question is one that every database is asked, and the answer. What ask returns is
// compared with it.
type question struct {
	text   string
	answer any
	ask    func(ctx context.Context) (any, error)
	sql    func(ctx context.Context) (string, []any, error)
}

func TestDatabasesAnswerAsMemoryDoes(t *testing.T) {
	t.Parallel()
	s := *seed
	if s == 0 {
		s = uint64(time.Now().UnixNano())
	}
	w := newWorld(rand.New(rand.NewPCG(s, 0)), *items)
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := kind.Context(t)
		w.store(t, ctx)
		wrong := 0
		for n := *first + 1; n <= *first+*questions; n++ {
			q := newQuestion(rand.New(rand.NewPCG(s, n)), w)
			got, err := q.ask(ctx)
			if err == nil && reflect.DeepEqual(got, q.answer) {
				continue
			}
			sql, args, _ := q.sql(ctx)
			t.Errorf("question %d, -seed %d -first %d -questions 1 -items %d\n%s\ngot  %v, %v\nwant %v\n%s\n%v", n, s, n-1, *items, q.text, got, err, q.answer, sql, args)
			if wrong++; wrong == 5 {
				t.Fatal("and so on")
			}
		}
	})
}

func newQuestion(r *rand.Rand, w *world) question {
	g := &generator{Rand: r, scope: itemScope(Items.Fields()), world: w, used: map[string]bool{}}
	switch g.IntN(9) {
	case 0, 1, 2:
		return g.rows()
	case 3, 4:
		return g.columns()
	case 5:
		return g.groups()
	case 6:
		return g.sets()
	case 7:
		return g.distinct()
	}
	return g.update()
}

// query is a query of items, and the items.
type query struct {
	sql  orm.QuerySet[Item]
	rows []*Item
	text string
}

// where makes one or two calls of Where.
func (g *generator) where() query {
	q := query{Items.OrderBy(), g.world.items, "items"}
	for range 1 + g.IntN(2) {
		q = g.keep(q, g.apart().cond(3))
	}
	if g.IntN(6) == 0 {
		// Chosen among the rows of a page.
		q = g.page(g.order(q))
		q.sql, q.text = q.sql.Derived(), "derived("+q.text+")"
		q = g.keep(q, g.apart().cond(1))
	}
	return q
}

func (g *generator) keep(q query, c cond) query {
	not := g.IntN(4) == 0
	var rows []*Item
	for _, i := range q.rows {
		if (c.eval(env{world: g.world, item: i}) == isTrue) != not {
			rows = append(rows, i)
		}
	}
	if not {
		return query{q.sql.Exclude(c.sql), rows, q.text + " exclude " + c.text}
	}
	return query{q.sql.Where(c.sql), rows, q.text + " where " + c.text}
}

// rows asks for rows in an order, and how many there are.
func (g *generator) rows() question {
	q := g.page(g.order(g.where()))
	type answer struct {
		IDs   []int64
		Count int64
		Any   bool
	}
	return question{
		q.text,
		answer{ids(q.rows), int64(len(q.rows)), len(q.rows) > 0},
		func(ctx context.Context) (any, error) {
			rows, err := q.sql.All(ctx)
			if err != nil {
				return nil, err
			}
			n, err := q.sql.Count(ctx)
			if err != nil {
				return nil, err
			}
			exists, err := q.sql.Exists(ctx)
			return answer{ids(rows), n, exists}, err
		}, q.sql.SQL,
	}
}

// sets asks for unions and what else sets have, of queries with limits among them.
func (g *generator) sets() question {
	a, b := g.page(g.order(g.where())), g.order(g.where())
	in := func(list []*Item, i *Item) bool { return slices.Contains(list, i) }
	c := query{}
	switch g.IntN(4) {
	case 0:
		c = query{a.sql.Union(b.sql), slices.Clone(a.rows), "union"}
		for _, i := range b.rows {
			if !in(a.rows, i) {
				c.rows = append(c.rows, i)
			}
		}
	case 1:
		c = query{a.sql.UnionAll(b.sql), slices.Concat(a.rows, b.rows), "unionall"}
	case 2:
		c = query{a.sql.Intersect(b.sql), slices.DeleteFunc(slices.Clone(a.rows), func(i *Item) bool { return !in(b.rows, i) }), "intersect"}
	default:
		c = query{a.sql.Except(b.sql), slices.DeleteFunc(slices.Clone(a.rows), func(i *Item) bool { return in(b.rows, i) }), "except"}
	}
	c.text = c.text + "(" + a.text + "; " + b.text + ")"
	if g.IntN(2) == 0 {
		c = g.keep(c, g.apart().cond(1))
	}
	c = g.order(c)
	return question{c.text, ids(c.rows), func(ctx context.Context) (any, error) {
		rows, err := c.sql.All(ctx)
		return ids(rows), err
	}, c.sql.SQL}
}

func ids(rows []*Item) []int64 {
	list := make([]int64, len(rows))
	for n, i := range rows {
		list[n] = i.ID
	}
	return list
}

// order orders rows by values, and by their keys where those are alike.
func (g *generator) order(q query) query {
	var terms []orm.Order
	var compare []func(a, b *Item) int
	for range g.IntN(3) {
		of := pick(g, g.int(2), g.float(1), g.string(1), g.time(1))
		desc, nulls := g.IntN(2) == 0, g.IntN(3)
		term := orm.Asc(of.sql)
		if desc {
			term = orm.Desc(of.sql)
		}
		switch nulls {
		case 1:
			term = term.NullsFirst()
		case 2:
			term = term.NullsLast()
		}
		terms = append(terms, term)
		compare = append(compare, func(a, b *Item) int {
			x, y := of.eval(env{world: g.world, item: a}), of.eval(env{world: g.world, item: b})
			return compareNulls(x, y, desc, nulls)
		})
		q.text += fmt.Sprint(" order ", of.text, " desc ", desc, " nulls ", nulls)
	}
	i := Items.Fields()
	q.sql = q.sql.OrderBy(append(terms, orm.Asc(&i.ID))...)
	q.rows = slices.Clone(q.rows)
	slices.SortStableFunc(q.rows, func(a, b *Item) int {
		for _, c := range compare {
			if order := c(a, b); order != 0 {
				return order
			}
		}
		return int(a.ID - b.ID)
	})
	return q
}

// compareNulls orders values, of which nulls says where NULL stands: 0 for less than any
// value, 1 for first, 2 for last.
func compareNulls(x, y any, desc bool, nulls int) int {
	sign := 1
	if desc {
		sign = -1
	}
	switch {
	case x == nil && y == nil:
		return 0
	case x != nil && y != nil:
		return sign * compareValues(x, y)
	case nulls == 1:
		sign = 1
	case nulls == 2:
		sign = -1
	}
	if x == nil {
		return -sign
	}
	return sign
}

// page leaves out rows at the beginning and the end, now and then.
func (g *generator) page(q query) query {
	limit, offset := g.IntN(12), g.IntN(6)
	switch g.IntN(3) {
	case 0:
		q.sql, q.rows = q.sql.Limit(limit), q.rows[:min(limit, len(q.rows))]
		q.text += fmt.Sprint(" limit ", limit)
	case 1:
		q.sql, q.rows = q.sql.Limit(limit).Offset(offset), q.rows[min(offset, len(q.rows)):]
		q.rows = q.rows[:min(limit, len(q.rows))]
		q.text += fmt.Sprint(" limit ", limit, " offset ", offset)
	}
	return q
}
