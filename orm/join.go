package orm

// joined is the condition that a row is related to a key through a join table.
type joined struct {
	join *joinTable
	pk   *FieldInfo // of the rows asked for
	key  any
}

func (e *joined) write(c *compiler) {
	c.rowValue(c.alias, e.pk.columnNames())
	c.text(" IN (SELECT ")
	c.columnNamesOf("", e.join.target)
	c.text(" FROM ")
	c.quote(e.join.table)
	c.text(" WHERE ")
	c.equalKey("", e.join.owner, e.key)
	c.text(")")
}

func (*joined) visit(*compiler, func(*node)) {}

func (*joined) mayBeNull(*compiler) bool { return false }
