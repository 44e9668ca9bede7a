package orm

import (
	"errors"
	"slices"
)

// Count is the number of rows whose field is not NULL. Given a relation to many, such
// as &p.Comments, it counts related rows.
//
// An aggregate over a relation to many is a value of each row: it is computed by a
// subquery of its own, so that several never multiply each other, and stands wherever
// an expression can: in Where, OrderBy, Select, Set. An aggregate over the rows of the
// query themselves groups the rows, and so needs a [Select].
//
//	Posts.Where(orm.Count(&p.Comments).Gt(3))
//	orm.Select[row](Posts.GroupBy(&p.Author), orm.As("Posts", orm.Count(&p.ID)))
func Count(field any) Expr { return newAggregate("count", field) }

// CountDistinct is the number of different values of a field.
func CountDistinct(field any) Expr { return Count(field).Distinct() }

// Sum is the sum of a field; NULL if there is nothing to add.
func Sum(field any) Expr { return newAggregate("sum", field) }

// Avg is the average of a field; NULL if there is nothing to average.
func Avg(field any) Expr { return newAggregate("avg", field) }

// Min is the least value of a field; NULL if there is none.
func Min(field any) Expr { return newAggregate("min", field) }

// Max is the greatest value of a field; NULL if there is none.
func Max(field any) Expr { return newAggregate("max", field) }

// StdDev is the standard deviation of a field over all its values.
func StdDev(field any) Expr { return newAggregate("stddev", field) }

// StdDevSample is the standard deviation of a field, estimated from a sample.
func StdDevSample(field any) Expr { return newAggregate("stddev_samp", field) }

// Variance is the variance of a field over all its values.
func Variance(field any) Expr { return newAggregate("variance", field) }

// VarianceSample is the variance of a field, estimated from a sample.
func VarianceSample(field any) Expr { return newAggregate("var_samp", field) }

// BitAnd is the bits set in all values of a field.
func BitAnd(field any) Expr { return newAggregate("bit_and", field) }

// BitOr is the bits set in some value of a field.
func BitOr(field any) Expr { return newAggregate("bit_or", field) }

// BitXor is the bits set in an odd number of values of a field.
func BitXor(field any) Expr { return newAggregate("bit_xor", field) }

// AnyValue is the value of a field in one of the rows, whichever.
func AnyValue(field any) Expr { return newAggregate("any_value", field) }

// StringAgg is the texts of a field one after the other, with a separator between. Their
// order is that of [Expr.OrderBy].
func StringAgg(field any, separator string) Expr {
	return newAggregate("string_agg", field, &value{separator})
}

func newAggregate(name string, field any, more ...operand) Expr {
	return Expr{&aggregate{name: name, of: operandOf(field), more: more}}
}

// change returns the expression with its aggregate changed.
func (e Expr) change(what string, change func(a *aggregate)) Expr {
	a, ok := e.e.(*aggregate)
	if !ok {
		return Expr{&invalid{errors.New("orm: " + what + " is for aggregates such as Count")}}
	}
	changed := *a
	change(&changed)
	return Expr{&changed}
}

// Filter makes an aggregate take only the rows that meet all conditions. If it counts
// rows of a relation to many, conditions on the relation concern the row counted:
//
//	orm.Count(&p.ID).Filter(orm.Eq(&p.Status, Live))
//	orm.Count(&a.Posts).Filter(orm.Eq(&a.Posts.To().Status, Live))
func (e Expr) Filter(conds ...Cond) Expr {
	return e.change("Filter", func(a *aggregate) {
		filter := &logic{kids: exprs(conds)}
		if a.filter != nil {
			filter.kids = add(filter.kids, a.filter.kids...)
		}
		a.filter = filter
	})
}

// Distinct makes an aggregate take each value once.
func (e Expr) Distinct() Expr {
	return e.change("Distinct", func(a *aggregate) { a.distinct = true })
}

// OrderBy is the order in which [StringAgg] takes the values.
func (e Expr) OrderBy(terms ...Order) Expr {
	return e.change("OrderBy", func(a *aggregate) { a.order = slices.Clone(terms) })
}

// Default is e, or value where e is NULL, as a sum of nothing is.
func (e Expr) Default(value any) Expr { return Coalesce(e, value) }

// aggregate is a value computed of many rows.
type aggregate struct {
	name     string
	of       operand
	more     []operand
	distinct bool
	filter   *logic // nil for all rows
	order    []Order
}

func (e *aggregate) write(c *compiler) {
	m, along := e.relation(c)
	switch {
	case c.err != nil:
	case m != nil && c.groups:
		e.ofGroup(c, m, along)
	case m != nil:
		e.correlated(c, m, along)
	case !c.groups:
		c.failf("an aggregate over the rows of %s stands where rows are not grouped; use orm.Select or orm.Aggregate, and Having for its conditions", c.root.model.Name)
	default:
		c.uses = append(c.uses, use{nil, e.multiplies()})
		e.plain(c)
	}
}

// relation finds the relation to many that the aggregate is computed over, and those
// behind it on the way: none if it is over the rows of the SELECT itself.
func (e *aggregate) relation(c *compiler) (m *node, along []*node) {
	e.nodes(c, func(n *node) {
		var chain []*node
		for at := n.many(); at != nil && !n.tree.outer; at = at.parent.many() {
			if c.boundScope(at) == nil && !contains(c.joinedTo, at) {
				chain = append(chain, at)
			}
		}
		if len(chain) == 0 {
			return
		}
		first := chain[len(chain)-1]
		if m != nil && m.path != first.path {
			c.failf("an aggregate concerns both %s and %s; make two of it", m.path, first.path)
		}
		if m = first; len(chain)-1 > len(along) {
			along = chain[:len(chain)-1]
		}
	})
	return m, along
}

// nodes calls f for the nodes of the fields that are aggregated.
func (e *aggregate) nodes(c *compiler, f func(*node)) {
	if n, t := e.related(c); n != nil {
		f(c.step(n, t.field))
		return
	}
	e.of.visit(c, f)
}

// related finds the relation to many that is counted, if that is what of names.
func (e *aggregate) related(c *compiler) (*node, target) {
	if r, ok := asRef(e.of); ok && e.name == "count" {
		if n, t := c.resolve(r); n != nil && t.field.toMany() {
			return n, t
		}
	}
	return nil, target{}
}

// plain writes the aggregate over the rows of the SELECT it stands in.
func (e *aggregate) plain(c *compiler) {
	if e.filter == nil {
		e.function(c, func() { c.ofRows(func() { e.value(c) }) })
		return
	}
	// FILTER (WHERE …) says the same, but not on every database.
	e.function(c, func() {
		c.text("CASE WHEN ")
		outer := c.scope
		e.nodes(c, c.bindJoined)
		c.ofRows(func() { c.all(e.filter.kids) })
		c.scope = outer
		c.text(" THEN ")
		c.ofRows(func() { e.value(c) })
		c.text(" END")
	})
}

// function writes the aggregate of what value writes.
func (e *aggregate) function(c *compiler, value func()) {
	f := Function{Name: e.name, Args: 1 + len(e.more), Distinct: e.distinct}
	if t := e.of.target(c); t.field != nil {
		f.Type = t.field.Kind
	}
	c.spelled(f, func(i int) {
		switch {
		case i == orderArgument:
			c.order(e.order)
		case i == 0:
			value()
		default:
			e.more[i-1].write(c)
		}
	})
}

// value writes what is aggregated.
func (e *aggregate) value(c *compiler) {
	if n, t := e.related(c); n != nil {
		pk := t.field.Relation.Target().PrimaryKey
		if len(pk.Parts) > 0 {
			e.several(c)
		}
		c.column(c.step(n, t.field), pk.columns()[0])
		return
	}
	if parts := c.partsOf(e.of); parts != nil {
		e.several(c)
		parts[0].write(c)
		return
	}
	e.of.write(c)
}

// several is met where a key of several columns is aggregated: it can only be counted.
func (e *aggregate) several(c *compiler) {
	if e.name != "count" || e.distinct {
		c.failf("a key of several columns is aggregated, of which only the plain Count makes sense; name one of its columns")
	}
}

// bindJoined makes conditions on the relations to many that lead to n concern the row
// that is joined, which is the one being counted.
func (c *compiler) bindJoined(n *node) {
	for m := n.many(); m != nil && c.err == nil; m = m.parent.many() {
		if c.boundScope(m) == nil {
			c.scope = &scope{outer: c.scope, bound: m, alias: c.aliasOf(m), joined: true}
		}
	}
}

// correlated writes a subquery that computes the aggregate over the relation m of one
// row.
func (e *aggregate) correlated(c *compiler, m *node, along []*node) {
	groups := c.groups
	c.groups = false
	c.related(m, along, func() { e.function(c, func() { e.value(c) }) }, func() {
		if e.filter != nil {
			c.text(" AND ")
			c.text(parenthesised(c.sub(func() { c.all(e.filter.kids) })))
		}
	})
	c.groups = groups
}

// ofGroup writes the aggregate over the relation m of all rows of a group. Joining the
// relation would repeat the rows for other aggregates, so that those that can be
// made of the values of single rows are.
func (e *aggregate) ofGroup(c *compiler, m *node, along []*node) {
	of := func(name string) {
		part := *e
		part.name = name
		part.correlated(c, m, along)
	}
	switch {
	case e.distinct && e.name != "min" && e.name != "max", !slices.Contains([]string{"count", "sum", "avg", "min", "max"}, e.name):
		c.uses = append(c.uses, use{m, e.multiplies()})
		e.plain(c)
	case e.name == "avg":
		c.text("(SUM(")
		of("sum")
		c.text(") * 1.0E0 / NULLIF(SUM(")
		of("count")
		c.text("), 0))")
	case e.name == "count":
		c.text("COALESCE(SUM(")
		of("count")
		c.text("), 0)")
	default:
		c.text(map[string]string{"sum": "SUM(", "min": "MIN(", "max": "MAX("}[e.name])
		of(e.name)
		c.text(")")
	}
}

// use is a relation to many that an aggregate of a group needs to be joined.
type use struct {
	relation *node // nil for an aggregate over the rows themselves
	counts   bool  // each row, so that none may be repeated
}

// checkRepeats refuses aggregates whose rows a join of another relation to many
// repeats: their result would be too large, and nobody would see it.
func (c *compiler) checkRepeats() {
	for _, joined := range c.uses {
		for _, u := range c.uses {
			if joined.relation != nil && u.counts && (u.relation == nil || u.relation.path != joined.relation.path) {
				c.failf("an aggregate that needs all rows of %s would make another count rows more than once; ask for it in a query of its own", joined.relation.path)
				return
			}
		}
	}
}

// visit reports nothing: an aggregate looks at related rows on its own.
func (e *aggregate) visit(*compiler, func(*node)) {}

func (e *aggregate) mayBeNull(*compiler) bool { return e.name != "count" }

func (e *aggregate) target(c *compiler) target {
	if e.name == "min" || e.name == "max" || e.name == "any_value" {
		return e.of.target(c)
	}
	return target{}
}

// multiplies reports an aggregate that counts a row as often as it comes.
func (e *aggregate) multiplies() bool {
	switch e.name {
	case "min", "max", "any_value", "bit_and", "bit_or":
		return false
	}
	return !e.distinct
}
