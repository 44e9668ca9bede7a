package orm

// Order is one term of an order.
type Order struct {
	of    operand
	desc  bool
	nulls string
}

// Asc orders by a field, or by an [Expr], upwards. Where NULL stands depends
// on the database, unless NullsFirst or NullsLast says it.
func Asc(field any) Order { return Order{of: operandOf(field)} }

// Desc orders by a field, or by an [Expr], downwards.
func Desc(field any) Order { return Order{of: operandOf(field), desc: true} }

// By lists the terms of [Meta.OrderBy].
func By(terms ...Order) []Order { return terms }

// NullsFirst puts NULL before all values.
func (o Order) NullsFirst() Order {
	o.nulls = " NULLS FIRST"
	return o
}

// NullsLast puts NULL after all values.
func (o Order) NullsLast() Order {
	o.nulls = " NULLS LAST"
	return o
}

// order writes an ORDER BY.
func (c *compiler) order(terms []Order) {
	for i, term := range terms {
		if i == 0 {
			c.text(" ORDER BY ")
		} else {
			c.text(", ")
		}
		if term.of == nil {
			c.failf("an empty Order{}")
			return
		}
		term.of.write(c)
		if term.desc {
			c.text(" DESC")
		}
		c.text(term.nulls)
	}
}
