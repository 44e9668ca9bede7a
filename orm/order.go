package orm

// Order is one term of an order.
type Order struct {
	of    operand
	desc  bool
	nulls string
}

const (
	nullsFirst = " NULLS FIRST"
	nullsLast  = " NULLS LAST"
)

// Asc orders by a field, or by an [Expr], upwards. NULL comes before all values,
// unless NullsLast says otherwise.
func Asc(field any) Order { return Order{of: operandOf(field)} }

// Desc orders by a field, or by an [Expr], downwards. NULL comes after all values,
// unless NullsFirst says otherwise.
func Desc(field any) Order { return Order{of: operandOf(field), desc: true} }

// By lists the terms of [Meta.OrderBy].
func By(terms ...Order) []Order { return terms }

// NullsFirst puts NULL before all values.
func (o Order) NullsFirst() Order {
	o.nulls = nullsFirst
	return o
}

// NullsLast puts NULL after all values.
func (o Order) NullsLast() Order {
	o.nulls = nullsLast
	return o
}

// order writes an ORDER BY.
func (c *compiler) order(terms []Order) {
	before := " ORDER BY "
	for _, term := range c.eachColumn(terms) {
		if term.of == nil {
			c.failf("an empty Order{}")
			return
		}
		if _, isValue := term.of.(*value); isValue {
			continue // it orders nothing, and MySQL would take it for the number of a column
		}
		c.text(before)
		before = ", "
		if term.nulls != "" && c.dialect.Quirks().NoNullsOrder {
			term.of.write(c)
			c.text(" IS NULL")
			if term.nulls == nullsFirst {
				c.text(" DESC")
			}
			c.text(", ")
			term.nulls = ""
		}
		term.of.write(c)
		if term.desc {
			c.text(" DESC")
		}
		c.text(c.nulls(term))
	}
}

// nulls says where NULL stands in a term, if that must be said: on all databases it is
// less than any value.
func (c *compiler) nulls(term Order) string {
	if term.nulls != "" || !c.dialect.Quirks().NullsLarge || !term.of.mayBeNull(c) {
		return term.nulls
	}
	if term.desc {
		return nullsLast
	}
	return nullsFirst
}
