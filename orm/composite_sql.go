package orm

import "strings"

// columnar is an operand that can be several columns.
type columnar interface {
	// parts are the columns one by one, nil for a single one.
	parts(c *compiler) []operand
}

// partsOf are the columns of an operand that has several.
func (c *compiler) partsOf(e expr) []operand {
	if several, ok := e.(columnar); ok {
		return several.parts(c)
	}
	return nil
}

func (r ref) parts(c *compiler) []operand {
	n, t := c.resolve(r)
	return n.parts(t.field)
}

func (p place) parts(*compiler) []operand { return p.node.parts(p.t.field) }

func (e *lookupField) parts(c *compiler) []operand {
	p, ok := e.place(c)
	if !ok {
		return nil
	}
	return c.partsOf(p)
}

func (n *node) parts(f *FieldInfo) []operand {
	if n == nil || f == nil || len(f.Parts) == 0 {
		return nil
	}
	list := make([]operand, len(f.Parts))
	for i, part := range f.Parts {
		list[i] = place{n, target{part, part.codec}}
	}
	return list
}

// columnList is columns of a table that is no model's, or of a statement over one table,
// where alias is empty.
type columnList struct {
	alias string
	names []string
}

func (e columnList) write(c *compiler) { c.columnNamesOf(e.alias, e.names) }

func (columnList) visit(*compiler, func(*node)) {}

func (columnList) mayBeNull(*compiler) bool { return false }

func (columnList) target(*compiler) target { return target{} }

func (e columnList) parts(*compiler) []operand {
	if len(e.names) < 2 {
		return nil
	}
	list := make([]operand, len(e.names))
	for i, name := range e.names {
		list[i] = columnList{e.alias, []string{name}}
	}
	return list
}

// columnNamesOf writes columns with commas between.
func (c *compiler) columnNamesOf(alias string, names []string) {
	for i, name := range names {
		if i > 0 {
			c.text(", ")
		}
		if alias == "" {
			c.quote(name)
		} else {
			c.qualified(alias, name)
		}
	}
}

// rowValue writes columns as one value.
func (c *compiler) rowValue(alias string, names []string) {
	if len(names) == 1 {
		c.columnNamesOf(alias, names)
		return
	}
	c.text("(")
	c.columnNamesOf(alias, names)
	c.text(")")
}

// equalColumns writes that columns of two tables are the same, one by one.
func (c *compiler) equalColumns(alias string, names []string, other string, others []string) {
	for i, name := range names {
		if i > 0 {
			c.text(" AND ")
		}
		c.qualified(alias, name)
		c.text(" = ")
		c.qualified(other, others[i])
	}
}

// equalKey writes that columns have the values of a key.
func (c *compiler) equalKey(alias string, names []string, key any) {
	values, ok := key.(Tuple)
	if !ok {
		values = Tuple{key}
	}
	for i, name := range names {
		if i > 0 {
			c.text(" AND ")
		}
		c.columnNamesOf(alias, []string{name})
		c.text(" = ")
		c.arg(values[i])
	}
}

// argList writes the values of a key with commas between.
func (c *compiler) argList(key any) {
	values, ok := key.(Tuple)
	if !ok {
		values = Tuple{key}
	}
	for i, v := range values {
		if i > 0 {
			c.text(", ")
		}
		c.arg(v)
	}
}

// compareParts writes a comparison of several columns.
func (c *compiler) compareParts(e *compare, parts []operand) {
	t := e.left.target(c)
	v, isValue := c.value(e.right, t)
	if c.err != nil {
		return
	}
	if isValue && v == nil {
		switch e.op {
		case "=", "<>":
			(&isNull{e.left, e.op == "<>"}).write(c)
		default:
			c.failf("%s is compared with NULL by %s, which is never true", t.name(), e.op)
		}
		return
	}
	right := make([]expr, len(parts))
	if values, ok := v.(Tuple); isValue && ok && len(values) == len(parts) {
		for i, value := range values {
			right[i] = bound{value}
		}
	} else if others := c.partsOf(e.right); !isValue && len(others) == len(parts) {
		for i, other := range others {
			right[i] = other
		}
	} else {
		c.failf("%s has %d columns and is compared with what has not", t.name(), len(parts))
		return
	}
	between := " AND "
	switch e.op {
	case "=":
	case "<>":
		between = " OR "
	default:
		// Row values are compared from left to right, as keys are ordered.
		c.tuple(parts)
		c.text(" " + e.op + " ")
		c.text("(")
		for i, r := range right {
			if i > 0 {
				c.text(", ")
			}
			r.write(c)
		}
		c.text(")")
		return
	}
	c.text("(")
	for i, part := range parts {
		if i > 0 {
			c.text(between)
		}
		part.write(c)
		c.text(" " + e.op + " ")
		right[i].write(c)
	}
	if e.op == "<>" && e.left.mayBeNull(c) {
		c.text(" OR ")
		parts[0].write(c)
		c.text(" IS NULL")
	}
	c.text(")")
}

// bound is a value that is encoded already.
type bound struct{ v any }

func (b bound) write(c *compiler) { c.arg(b.v) }

func (bound) visit(*compiler, func(*node)) {}

func (bound) mayBeNull(*compiler) bool { return false }

func (c *compiler) tuple(parts []operand) {
	c.text("(")
	for i, part := range parts {
		if i > 0 {
			c.text(", ")
		}
		part.write(c)
	}
	c.text(")")
}

// operandAsRow writes an operand as one value, in parentheses if it has several columns.
func (c *compiler) operandAsRow(of operand) {
	if parts := c.partsOf(of); parts != nil {
		c.tuple(parts)
		return
	}
	of.write(c)
}

// inTuples writes that columns have the values of one of the tuples. Those that begin
// alike are together, so that the last column is compared with a list: a form that every
// database finds by an index.
func (c *compiler) inTuples(parts []operand, tuples []Tuple) {
	if len(parts) == 1 {
		c.inValues(parts[0], tuples)
		return
	}
	var firsts []any
	groups := map[any][]Tuple{}
	for _, t := range tuples {
		key := mapKey(t[0])
		if _, known := groups[key]; !known {
			firsts = append(firsts, t[0])
		}
		groups[key] = append(groups[key], t[1:])
	}
	c.alternatives(len(firsts), func(i int) {
		parts[0].write(c)
		c.text(" = ")
		c.arg(firsts[i])
		c.text(" AND ")
		c.inTuples(parts[1:], groups[mapKey(firsts[i])])
	})
}

func (c *compiler) inValues(of operand, tuples []Tuple) {
	values := make([]any, len(tuples))
	for i, t := range tuples {
		values[i] = t[0]
	}
	c.inPlain(of, false, values)
}

// alternatives writes n conditions joined by OR, in halves that parsers can take.
func (c *compiler) alternatives(n int, write func(i int)) {
	var some func(from, to int)
	some = func(from, to int) {
		if to-from > maxChain {
			middle := (from + to) / 2
			some(from, middle)
			c.text(" OR ")
			some(middle, to)
			return
		}
		c.text("(")
		for i := from; i < to; i++ {
			if i > from {
				c.text(" OR ")
			}
			write(i)
		}
		c.text(")")
	}
	if n > maxChain {
		c.text("(")
		some(0, n)
		c.text(")")
		return
	}
	some(0, n)
}

// nullParts writes whether columns are NULL: a key of which one part is NULL refers to
// nothing.
func (c *compiler) nullParts(parts []operand, not bool) {
	test, between := " IS NULL", " OR "
	if not {
		test, between = " IS NOT NULL", " AND "
	}
	texts := make([]string, len(parts))
	for i, part := range parts {
		texts[i] = c.sub(func() { part.write(c) }) + test
	}
	c.text(parenthesised(strings.Join(texts, between)))
}

// eachColumn are the terms of an order with a term for each column.
func (c *compiler) eachColumn(terms []Order) []Order {
	for i, term := range terms {
		parts := c.partsOf(term.of)
		if parts == nil {
			continue
		}
		list := add(terms[:i:i])
		for _, part := range parts {
			single := term
			single.of = part
			list = append(list, single)
		}
		return append(list, c.eachColumn(terms[i+1:])...)
	}
	return terms
}
