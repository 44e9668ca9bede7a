package orm

// LockOption changes what [Query.ForUpdate] does.
type LockOption struct{ change func(l *rowLock) }

// The options of [Query.ForUpdate]. A database that does not have one says so.
var (
	// NoWait makes the query fail at once if a row is locked.
	NoWait = LockOption{func(l *rowLock) { l.NoWait = true }}
	// SkipLocked leaves out rows that are locked.
	SkipLocked = LockOption{func(l *rowLock) { l.SkipLocked = true }}
	// NoKey lets others insert rows that refer to the locked ones.
	NoKey = LockOption{func(l *rowLock) { l.NoKey = true }}
	// ForShare lets others read and lock the rows in the same way, but not change them.
	ForShare = LockOption{func(l *rowLock) { l.Share = true }}
)

// LockOf locks the rows of relations to one that the query loads by With, and not only
// its own. The prototype itself stands for its own rows:
//
//	Posts.With(&p.Author).ForUpdate(orm.LockOf(p, &p.Author))
//
// MariaDB locks the rows of all tables of a query, whatever is given here.
func LockOf(relations ...any) LockOption {
	return LockOption{func(l *rowLock) { l.of = append(l.of, relations...) }}
}

// rowLock is how a query locks its rows.
type rowLock struct {
	Lock
	of []any
}

// ForUpdate locks the rows that are read until the transaction around ends, so that
// nobody changes them between. Outside of a transaction it is an error. On SQLite, where
// a transaction that may write is the only one, there is nothing to lock, and options do
// nothing.
func (s *Query[P]) ForUpdate(options ...LockOption) *Query[P] {
	return typed[P](s.use().forUpdate(options))
}

func (q *query) forUpdate(options []LockOption) *query {
	d := q.derive()
	d.own().lock = &rowLock{}
	for _, o := range options {
		if o.change != nil {
			o.change(d.rare().lock)
		}
	}
	return d
}

// lock writes what locks the rows of a SELECT.
func (c *compiler) lock(q *query) {
	l := q.rare().lock.Lock
	switch {
	case l.NoWait && l.SkipLocked:
		c.failf("ForUpdate with NoWait and SkipLocked; a locked row is either an error or left out")
		return
	case l.NoKey && c.dialect.Quirks().NoKeyLocks:
		c.failf("%s has no lock that lets others insert rows that refer to the locked ones; leave out NoKey", c.dialect.Name())
		return
	case q.rare().source != nil || q.distinct:
		c.failf("ForUpdate of a query whose rows are not those of a table; lock rows by their keys, with InQuery")
		return
	}
	for _, relation := range q.rare().lock.of {
		r, err := refOf(relation)
		if err != nil {
			c.fail(err)
			return
		}
		if c.root.model.isWhole(r) {
			l.Tables = append(l.Tables, c.alias)
			continue
		}
		n, t := c.resolve(r)
		if n == nil {
			return
		}
		if t.field.Relation == nil || t.field.Relation.spec.many {
			c.failf("LockOf takes relations to one, which %s is not", t.name())
			return
		}
		joined := c.step(n, t.field)
		if !c.joinedHere(joined) {
			c.failf("LockOf %s, which the query does not load; add it to With", t.name())
			return
		}
		l.Tables = append(l.Tables, c.aliasOf(joined))
	}
	if len(q.rare().lock.of) == 0 {
		l.Tables = []string{c.alias}
	}
	c.buf = c.dialect.Lock(c.buf, l)
}

// joinedHere reports whether the statement joins a node's table.
func (c *compiler) joinedHere(n *node) bool {
	for _, j := range c.base.joins {
		if j.path == n.path {
			return true
		}
	}
	return false
}
