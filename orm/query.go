package orm

import (
	"errors"
	"fmt"
	"slices"
	"time"
	"unsafe"
)

// query is what a QuerySet says. It never changes: each step copies it, so that what few
// queries have lies apart.
type query struct {
	model   *ModelInfo
	where   []expr // one for each Where: see compiler.where
	order   []Order
	with    []withRelation
	limit   int
	offset  int
	limited bool
	ordered bool // OrderBy was called: the model's order does not apply

	distinct bool
	// withDeleted includes rows marked as deleted.
	withDeleted bool
	zone        *time.Location
	unusual     *unusual // what few queries have, to be read by rare and written by own
	// only is the memory of where while it has one condition.
	only [1]expr
}

// unusual is what few queries have. Several may share it: it never changes.
type unusual struct {
	lock    *rowLock
	choices []choice // of the fields to read: see LoadOnly
	group   []operand
	having  []expr
	whole   bool   // all rows are one group, see Aggregate
	source  source // what stands for the table; nil for the table itself
	from    *cte   // the common table expression that is the model
	tables  []tableJoin
	// relation is that of one row whose related rows these are; nil otherwise.
	relation *FieldInfo
	err      error
}

// usual is that of most queries.
var usual unusual

// rare is what few queries have, to be read only.
func (q *query) rare() *unusual {
	if q.unusual == nil {
		return &usual
	}
	return q.unusual
}

// own is a copy of what few queries have, for a query that was just derived to change.
func (q *query) own() *unusual {
	own := *q.rare()
	q.unusual = &own
	return &own
}

// derive returns a copy to be changed by one step.
func (q *query) derive() *query {
	d := *q
	return &d
}

// restrict adds a condition to a query that was just derived.
func (q *query) restrict(e expr) {
	if len(q.where) == 0 {
		q.only[0] = e
		q.where = q.only[:]
		return
	}
	q.where = add(q.where, e)
}

// add returns the list with items added, never in the memory of the old one:
// two queries derived from the same one must not write over each other.
func add[E any](list []E, items ...E) []E {
	return append(slices.Clip(list), items...)
}

// ready reports what stands against running the query: an error made while it
// was built, or a model that is not registered or whose relations lead nowhere.
func (q *query) ready() error {
	if q.model == nil {
		return errors.New("orm: a zero QuerySet; queries start from the one that Register returned")
	}
	if q.rare().err != nil {
		return q.rare().err
	}
	if q.model.mistake != nil {
		return fmt.Errorf("orm: %w", q.model.mistake)
	}
	if !q.model.registered {
		return fmt.Errorf("orm: %s is not registered", q.model.Type)
	}
	return q.model.resolve()
}

// never reports that the conditions exclude every row.
func (q *query) never() bool {
	return slices.ContainsFunc(q.where, never) || q.limited && q.limit == 0
}

// orderTerms is the order that applies.
func (q *query) orderTerms() []Order {
	if q.ordered || q.model == nil {
		return q.order
	}
	return q.model.meta.OrderBy
}

// keyOrder is the order that applies, or that of the primary key if there is
// none, so that one row of many is always the same.
func (q *query) keyOrder() []Order {
	if terms := q.orderTerms(); len(terms) > 0 || q.model == nil {
		return terms
	}
	return []Order{{of: q.model.keyRef()}}
}

// keyRef names the primary key.
func (m *ModelInfo) keyRef() ref {
	return ref{unsafe.Add(m.names.root.base, m.PrimaryKey.offset), m.PrimaryKey.Type}
}

// withRelation is a relation to load, and the query of its rows if not all.
type withRelation struct {
	ref  ref
	only *query
}

// Only is a relation to many of which [Query.With] loads the rows of a query, in
// its order, instead of all rows:
//
//	Posts.With(orm.Only(&p.Comments, Comments.Where(orm.Eq(&c.Approved, true))))
//
// The relation then has just those rows. The query may have a With of its own. Its Limit
// and Offset are those of each row: Limit(3) loads the first three comments of each post.
func Only[T any](relation any, rows QuerySet[T]) Related {
	return Related{relation, rows.use()}
}

// Related is made by [Only].
type Related struct {
	relation any
	only     *query
}

func withOf(relation any) (withRelation, error) {
	var w withRelation
	if r, ok := relation.(Related); ok {
		relation, w.only = r.relation, r.only
	}
	var err error
	w.ref, err = refOf(relation)
	return w, err
}

// loadNode is a relation to be loaded with the rows, and those behind it.
type loadNode struct {
	field *FieldInfo
	kids  []*loadNode
	only  *query
}

// loadPlan makes the tree of relations to load of the paths given to With.
func (q *query) loadPlan() ([]*loadNode, error) {
	if len(q.with) == 0 {
		return nil, nil
	}
	root := &loadNode{}
	for _, w := range q.with {
		n, t, err := w.ref.resolve(q.model.names.root)
		if err != nil {
			return nil, err
		}
		if t.field.Relation == nil {
			return nil, fmt.Errorf("orm: With takes relations, and %s.%s is not one", t.field.model.Name, t.field.Name)
		}
		at := root
		for _, f := range append(n.fields(), t.field) {
			if err := f.model.resolve(); err != nil {
				return nil, err
			}
			if err := f.Relation.Target().resolve(); err != nil {
				return nil, err
			}
			at = at.kid(f)
		}
		if err := at.restrict(w.only); err != nil {
			return nil, err
		}
	}
	return root.kids, nil
}

// restrict makes the node load the rows of a query only.
func (l *loadNode) restrict(only *query) error {
	if only == nil {
		return nil
	}
	if err := only.ready(); err != nil {
		return err
	}
	f := l.field
	switch {
	case !f.Relation.spec.many:
		return fmt.Errorf("orm: Only is for relations to many, which %s.%s is not", f.model.Name, f.Name)
	case only.model != f.Relation.Target():
		return fmt.Errorf("orm: Only of %s.%s is given a query of %s, not of %s", f.model.Name, f.Name, only.model.Name, f.Relation.Target().Name)
	case only.distinct || len(only.rare().group) > 0 || only.rare().source != nil || only.rare().lock != nil:
		return fmt.Errorf("orm: Only of %s.%s is given a query with Distinct, GroupBy, ForUpdate or another source than its table, which cannot be per row", f.model.Name, f.Name)
	}
	plan, err := only.loadPlan()
	l.only, l.kids = only, append(l.kids, plan...)
	return err
}

func (l *loadNode) kid(f *FieldInfo) *loadNode {
	for _, kid := range l.kids {
		if kid.field == f {
			return kid
		}
	}
	kid := &loadNode{field: f}
	l.kids = append(l.kids, kid)
	return kid
}
