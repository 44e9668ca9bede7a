package orm

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// compiler turns queries of one model into the SQL of one dialect. It is made
// for one statement. The first error stops it.
type compiler struct {
	dialect Dialect
	root    *node
	alias   string // of the root's table
	buf     []byte
	args    []any
	loads   []loaded // the values among args that come from literals
	err     error

	base    scope  // of the statement itself
	scope   *scope // where the writing is
	aliases map[string]bool
	outer   *compiler // of the query around, if this is a subquery
	// withDeleted is whether related rows marked as deleted are there.
	withDeleted bool
	source      source           // what stands for the root's table, if that is something else
	commons     map[*tree]string // the names of the common table expressions declared here
	tables      []joinedTable
	zone        *time.Location // in which days are looked at; nil for UTC

	inline bool // values as SQL text, columns without table: for constraints
	flat   bool // relations to many are joined: for the columns of a Select
	groups bool // rows are grouped: aggregates over them may stand here
	// joinedTo are the relations to many that the columns of a Select join.
	joinedTo []*node
	uses     []use // of relations to many by the aggregates of a group
	noWindow error // why a value over a window cannot stand here; nil if it can
	// columnNames are the names of the columns where others depend on them.
	columnNames []string
}

// scope is a SELECT: the statement's own, or that of an EXISTS or of an aggregate,
// which binds one relation to many. A barrier hides what is bound outside of it.
type scope struct {
	outer   *scope
	barrier bool
	bound   *node
	along   []*node // relations to many behind bound that are joined in this SELECT too
	alias   string
	joins   []join
	joined  bool // no SELECT of its own: the rows are joined to the statement's
}

// join is a table joined for the node at path.
type join struct {
	path  string
	alias string
	left  bool
	sql   string
}

func newCompiler(d Dialect, m *ModelInfo) *compiler {
	c := &compiler{dialect: d, root: m.names.root, alias: m.aliasIn(d), buf: make([]byte, 0, 512)}
	c.scope = &c.base
	return c
}

func (c *compiler) fail(err error) {
	if c.err == nil {
		c.err = err
	}
}

func (c *compiler) text(s string) { c.buf = append(c.buf, s...) }

func (c *compiler) quote(name string) { c.buf = c.dialect.Quote(c.buf, name) }

func (c *compiler) qualified(alias, column string) {
	c.quote(alias)
	c.text(".")
	c.quote(column)
}

// arg writes a value: a parameter, or inline where there are none.
func (c *compiler) arg(v any) {
	if c.inline {
		b, err := c.dialect.Literal(c.buf, v)
		if err != nil {
			c.fail(err)
		}
		c.buf = b
		return
	}
	c.args = append(c.args, c.dialect.Bind(v))
	c.buf = c.dialect.Placeholder(c.buf, len(c.args))
}

func (c *compiler) nextPlaceholder() string {
	if c.inline {
		c.fail(fmt.Errorf("orm: this condition cannot stand in a constraint or index"))
	}
	return string(c.dialect.Placeholder(nil, len(c.args)+1))
}

// sub returns what write writes.
func (c *compiler) sub(write func()) string {
	start := len(c.buf)
	write()
	s := string(c.buf[start:])
	c.buf = c.buf[:start]
	return s
}

// resolve finds what a ref names; on an error the node is nil.
func (c *compiler) resolve(r ref) (*node, target) {
	n, t, err := c.find(r)
	for m := n; err == nil && m.parent != nil; m = m.parent {
		err = m.parent.model.resolve()
	}
	if err != nil {
		c.fail(err)
		return nil, target{}
	}
	return n, t
}

func (c *compiler) find(r ref) (*node, target, error) {
	if (c.outer != nil || c.tables != nil) && c.root.tree.find(r.ptr) == nil {
		if n := c.joinedTable(r); n != nil {
			return r.within(n)
		}
		if n := c.outerNode(r.ptr); n != nil {
			return r.within(n)
		}
	}
	return r.resolve(c.root)
}

// step goes through a relation of n, whose model's relations it makes sure of.
func (c *compiler) step(n *node, f *FieldInfo) *node {
	if err := f.model.resolve(); err != nil {
		c.fail(err)
	}
	return n.step(f)
}

// column writes a column of a node, joining what is needed. The primary key
// behind a foreign key is the foreign key itself: no join.
func (c *compiler) column(n *node, f *FieldInfo) {
	if n == nil || c.err != nil {
		return
	}
	if len(f.Parts) > 0 {
		for i, part := range f.Parts {
			if i > 0 {
				c.text(", ")
			}
			c.column(n, part)
		}
		return
	}
	if f.Column == "" {
		c.fail(fmt.Errorf("orm: %s.%s is a relation to many and has no column; name a field behind it with To()", f.model.Name, f.Name))
		return
	}
	for n.parent != nil && n.field.Relation.Kind == ToOne {
		own := keyColumn(n, f)
		if own == nil {
			break
		}
		f, n = own, n.parent
	}
	if n.tree.outer {
		c.outerColumn(n, f)
		return
	}
	if c.inline {
		if n.parent != nil {
			c.fail(fmt.Errorf("orm: a constraint or index of %s names %s__%s, which is of another table", c.root.model.Name, n.path, f.Snake))
		}
		c.quote(f.Column)
		return
	}
	c.qualified(c.aliasOf(n), f.Column)
}

// keyColumn is the column of the foreign key that leads to n which is the same as f, a
// column of the key there; nil if f is another.
func keyColumn(n *node, f *FieldInfo) *FieldInfo {
	pk := n.model.PrimaryKey
	if f == n.field.Relation.Key() {
		return n.field
	}
	if n.field.Relation.spec.to != "" {
		return nil
	}
	for i, part := range pk.Parts {
		if part == f {
			return n.field.Parts[i]
		}
	}
	return nil
}

func (c *compiler) outerColumn(n *node, f *FieldInfo) {
	o, at := c.outward(n)
	if at == nil {
		return
	}
	alias := o.aliasOf(at)
	if o.err != nil {
		c.fail(o.err)
	}
	c.qualified(alias, f.Column)
}

// aliasOf returns the alias under which a node's table is in reach.
func (c *compiler) aliasOf(n *node) string {
	if n.parent == nil {
		if n.tree != c.root.tree {
			if alias, _ := c.joinedAs(n.tree); alias != "" {
				return alias
			}
		}
		return c.alias
	}
	m := n.many()
	s := &c.base
	if m != nil {
		if bound := c.boundScope(m); bound != nil {
			s = bound
		} else if !c.flat {
			c.fail(fmt.Errorf("orm: %s is a relation to many and cannot be used here: it would repeat rows", m.path))
			return ""
		}
	}
	if s.bound != nil && n.path == s.bound.path {
		return s.alias
	}
	if s.joined {
		s = &c.base
	}
	return c.join(s, n).alias
}

// boundScope finds the EXISTS around that binds m.
func (c *compiler) boundScope(m *node) *scope {
	for s := c.scope; s != nil && !s.barrier; s = s.outer {
		if s.bound != nil && (s.bound.path == m.path || contains(s.along, m)) {
			return s
		}
	}
	return nil
}

// join brings the table of n into the FROM of s, once.
func (c *compiler) join(s *scope, n *node) join {
	for _, j := range s.joins {
		if j.path == n.path {
			return j
		}
	}
	parent := c.aliasOf(n.parent)
	if c.err != nil {
		return join{}
	}
	j := join{path: n.path, left: n.field.mayLeadNowhere() || n.field.Relation.spec.many}
	for _, outer := range s.joins {
		if n.parent.path == outer.path && outer.left {
			j.left = true
		}
	}
	j.alias = c.newAlias(n.path)
	kind := " JOIN "
	if j.left {
		kind = " LEFT JOIN "
	}
	j.sql = c.sub(func() {
		r := n.field.Relation
		switch r.Kind {
		case ToOne:
			c.text(kind)
			c.table(n.model.Table, j.alias)
			c.text(" ON ")
			c.equalColumns(j.alias, r.Key().columnNames(), parent, n.field.columnNames())
		case ToMany:
			c.text(kind)
			c.table(n.model.Table, j.alias)
			c.text(" ON ")
			c.equalColumns(j.alias, r.via.columnNames(), parent, n.field.ownerKey().columnNames())
		case ManyMany:
			through := c.newAlias(n.path + "__join")
			c.text(kind)
			c.table(r.join.table, through)
			c.text(" ON ")
			c.equalColumns(through, r.join.owner, parent, n.parent.model.PrimaryKey.columnNames())
			c.text(kind)
			c.table(n.model.Table, j.alias)
			c.text(" ON ")
			c.equalColumns(j.alias, n.model.PrimaryKey.columnNames(), through, r.join.target)
		}
	})
	s.joins = append(s.joins, j)
	return j
}

// exists writes an EXISTS that binds the relation to many m for inner.
func (c *compiler) exists(m *node, inner func()) {
	c.text("EXISTS ")
	c.related(m, nil, func() { c.text("1") }, func() {
		c.text(" AND ")
		c.text(parenthesised(c.sub(inner)))
	})
}

// related writes a SELECT of the rows of the relation to many m of one row, bound
// for what column and and write, as are the relations along that are joined to it.
func (c *compiler) related(m *node, along []*node, column, and func()) {
	parent := c.aliasOf(m.parent)
	if c.err != nil {
		return
	}
	s := &scope{outer: c.scope, bound: m, along: along, alias: c.newAlias(m.path)}
	c.scope = s
	columns := c.sub(column)
	cond := c.sub(and)
	c.scope = s.outer
	r := m.field.Relation
	c.text("(SELECT ")
	c.text(columns)
	c.text(" FROM ")
	owner, ownerColumns := s.alias, []string(nil)
	if r.Kind == ManyMany {
		through := c.newAlias(m.path + "__join")
		c.table(r.join.table, through)
		c.text(" JOIN ")
		c.table(m.model.Table, s.alias)
		c.text(" ON ")
		c.equalColumns(s.alias, m.model.PrimaryKey.columnNames(), through, r.join.target)
		owner, ownerColumns = through, r.join.owner
	} else {
		c.table(m.model.Table, s.alias)
		ownerColumns = r.via.columnNames()
	}
	c.joins(s)
	c.text(" WHERE ")
	c.equalColumns(owner, ownerColumns, parent, m.field.ownerKey().columnNames())
	if mark := m.model.softDelete; mark != nil && !c.withDeleted {
		c.text(" AND ")
		c.qualified(s.alias, mark.Column)
		c.text(" IS NULL")
	}
	c.text(cond)
	c.text(")")
}

// parenthesised keeps an OR inside from spilling over.
func parenthesised(cond string) string { return "(" + cond + ")" }

func (c *compiler) joins(s *scope) {
	for _, j := range s.joins {
		c.text(j.sql)
	}
}

// table writes a table in a FROM, with its alias if that is another name.
func (c *compiler) table(name, alias string) {
	c.quote(name)
	if alias != name {
		c.text(" AS ")
		c.quote(alias)
	}
}

// newAlias makes a name that the statement does not use yet, in any case of letters:
// databases take "Author" and "author" for one.
func (c *compiler) newAlias(path string) string {
	if c.aliases == nil {
		c.aliases = map[string]bool{strings.ToLower(c.alias): true}
	}
	alias := objectName(path)
	for n := 2; c.aliases[strings.ToLower(alias)]; n++ {
		alias = objectName(path, strconv.Itoa(n))
	}
	c.aliases[strings.ToLower(alias)] = true
	return alias
}

// where writes the WHERE of a query. Each call of Where is a group of its own:
// its conditions on a relation to many concern one related row, those of
// another call perhaps another.
func (c *compiler) where(groups []expr) {
	for i, group := range groups {
		if i == 0 {
			c.text(" WHERE ")
		} else {
			c.text(" AND ")
		}
		if len(groups) > 1 {
			c.text("(")
		}
		c.all1(group)
		if len(groups) > 1 {
			c.text(")")
		}
	}
}

func (c *compiler) failf(format string, args ...any) {
	c.fail(fmt.Errorf("orm: "+format, args...))
}
