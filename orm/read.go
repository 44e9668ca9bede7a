package orm

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"unsafe"
)

// reader reads the rows of one SELECT into structs. It is made for one run.
type reader struct {
	root  *loadSegment
	plan  []*loadNode
	cells []Cell
	// of the rows of a many-to-many relation: the join table that gives each
	// row its owner, the owners asked for, and the owner last read, in one of two forms
	through *joinTable
	keys    []expr
	pk      *FieldInfo // of the owners
	owners  []any
	number  int64 // where pk is an integer
	// expressions read beside the rows, and their values in the row last read
	extra  []operand
	values []any
	result watchedRows
}

// owner is the key of the owner last read.
func (r *reader) owner() (any, error) {
	if len(r.owners) == 1 {
		return r.owners[0], nil
	}
	return r.pk.plainKey(r.owners)
}

// loadSegment is a table whose rows are read, and the relations loaded with it.
type loadSegment struct {
	segment
	model  *ModelInfo
	fields []*FieldInfo   // those that are read; nil for all
	via    *FieldInfo     // the foreign key that leads here, nil for the root
	kids   []*loadSegment // relations to one, in the same SELECT
	many   []*loadNode    // relations to many, each a SELECT of its own
	// rows are kept where relations to many are to be loaded for them.
	rows []unsafe.Pointer
}

// reading are the columns in the order they are read: the key first, since it
// tells whether there is a row.
func (m *ModelInfo) reading() []*FieldInfo {
	key := m.PrimaryKey.columns()[0]
	if m.columns[0] == key {
		return m.columns
	}
	order := []*FieldInfo{key}
	for _, f := range m.columns {
		if f != key {
			order = append(order, f)
		}
	}
	return order
}

// reading are the columns of the segment that are read.
func (s *loadSegment) reading() []*FieldInfo {
	if s.fields != nil {
		return s.fields
	}
	return s.model.reading()
}

func newReader(m *ModelInfo, plan []*loadNode) *reader {
	r := &reader{}
	r.root = newSegment(m, nil, plan)
	return r
}

func newSegment(m *ModelInfo, via *FieldInfo, plan []*loadNode) *loadSegment {
	s := &loadSegment{model: m, via: via, segment: segment{alloc: m.alloc}}
	for _, node := range plan {
		if node.field.Relation.spec.many {
			s.many = append(s.many, node)
			continue
		}
		s.kids = append(s.kids, newSegment(node.field.Relation.Target(), node.field, node.kids))
	}
	return s
}

// makeCells lays out the cells in the order in which selectRows writes columns.
func (r *reader) makeCells() {
	switch {
	case r.through == nil:
	case r.pk.isInteger():
		r.cells = append(r.cells, Cell{codec: &integerCodec, segment: &segment{base: unsafe.Pointer(&r.number)}})
	default:
		r.owners = make([]any, len(r.through.owner))
		for i := range r.owners {
			r.cells = append(r.cells, Cell{codec: &anyCodec, segment: &segment{base: unsafe.Pointer(&r.owners[i])}})
		}
	}
	r.addCells(r.root)
	for i := range r.values {
		r.cells = append(r.cells, Cell{codec: &anyCodec, segment: &segment{base: unsafe.Pointer(&r.values[i])}})
	}
}

func (r *reader) addCells(s *loadSegment) {
	r.cells = slices.Grow(r.cells, len(s.model.columns))
	for i, f := range s.reading() {
		r.cells = append(r.cells, Cell{codec: f.codec, offset: f.offset, segment: &s.segment, first: i == 0, field: f})
	}
	for _, kid := range s.kids {
		r.addCells(kid)
	}
}

// integerCodec keeps an integer.
var integerCodec = codec{direct: reflect.Int64, store: storeInt64}

// anyCodec keeps a value as it comes.
var anyCodec = codec{store: func(p unsafe.Pointer, v any) error {
	*(*any)(p) = v
	return nil
}}

// row reads the row the result stands at.
func (r *reader) row(rows Rows) (unsafe.Pointer, error) {
	if err := rows.Scan(r.cells); err != nil {
		return nil, err
	}
	r.root.finish()
	return r.root.base, nil
}

// finish ties the structs of one row together.
func (s *loadSegment) finish() {
	if s.base == nil {
		return
	}
	s.model.attachRow(s.base)
	if s.fields != nil {
		notePartial(s.base, s.fields)
	}
	for _, kid := range s.kids {
		kid.finish()
		kid.via.setRow(unsafe.Add(s.base, kid.via.offset), kid.base)
	}
	if len(s.many) > 0 {
		s.rows = append(s.rows, s.base)
	}
}

// segments lists the tables in the order of their columns.
func (r *reader) segments() []*loadSegment {
	var list []*loadSegment
	var walk func(s *loadSegment)
	walk = func(s *loadSegment) {
		list = append(list, s)
		for _, kid := range s.kids {
			walk(kid)
		}
	}
	walk(r.root)
	return list
}

// open sends the SELECT of a query.
func (q *query) open(ctx context.Context, db *DB, order []Order, r *reader) (Rows, error) {
	q = q.zoned(ctx)
	c := newCompiler(db.backend.Dialect(), q.model)
	c.selectRows(q, order, r)
	if c.err != nil {
		return nil, c.err
	}
	r.makeCells()
	return db.query(ctx, Statement{SQL: string(c.buf), Args: c.args})
}

// SQL returns the statement that All would send to the context's database, and its
// arguments, for logs and for learning. Relations to many are loaded by further
// statements, which depend on the rows.
func (s *Query[P]) SQL(ctx context.Context) (string, []any, error) { return s.use().sql(ctx) }

func (q *query) sql(ctx context.Context) (string, []any, error) {
	db, err := q.begin(ctx)
	if err != nil {
		return "", nil, err
	}
	c, err := q.zoned(ctx).compile(db, forRows, q.orderTerms())
	return c.SQL, c.Args, err
}

// begin checks that the query can run and finds its database.
func (q *query) begin(ctx context.Context) (*DB, error) {
	if err := q.ready(); err != nil {
		return nil, err
	}
	if len(q.rare().group) > 0 || len(q.rare().having) > 0 {
		return nil, fmt.Errorf("orm: a query of %s with GroupBy or Having has no rows of the model; use orm.Select", q.model.Name)
	}
	db, err := q.database(ctx)
	if err == nil && q.rare().lock != nil && db.transactionOf(ctx) == nil {
		err = errors.New("orm: ForUpdate outside of a transaction, where the lock would end at once; use orm.Atomic")
	}
	return db, err
}

// all reads all rows, with their relations.
func (q *query) all(ctx context.Context, order []Order) ([]unsafe.Pointer, error) {
	db, err := q.begin(ctx)
	if err != nil {
		return nil, err
	}
	q = q.zoned(ctx)
	if q.never() {
		return nil, q.check(db, order)
	}
	s, err := q.compile(db, forRows, order)
	if err != nil {
		return nil, err
	}
	defer s.done()
	r := s.reader
	rows, err := db.queryInto(q.told(ctx), s.Statement, &r.result)
	if err != nil {
		return nil, err
	}
	var list []unsafe.Pointer
	most := math.MaxInt
	if q.limited {
		most = q.limit
	}
	if most <= 1000 {
		list = make([]unsafe.Pointer, 0, min(most, 100))
	}
	r.root.together(most)
	// What comes after the last row asked for is left to Close, which has less to do
	// where a database looks for the next row when it is asked for it.
	for !(q.limited && len(list) == q.limit) && rows.Next() {
		row, err := r.row(rows)
		if err != nil {
			rows.Close()
			return nil, err
		}
		list = append(list, row)
	}
	if err := closeRows(rows); err != nil {
		return nil, err
	}
	return list, r.root.loadMany(ctx, db)
}

// check compiles the query without sending it, so that a mistake in it shows
// even when its conditions exclude every row.
func (q *query) check(db *DB, order []Order) error {
	_, _, err := q.compileAnew(db, forRows, order)
	return err
}

// closeRows ends the reading of all rows.
func closeRows(rows Rows) error {
	rows.Close()
	return rows.Err()
}

// streamChunk is how many rows a stream gathers before it loads their relations
// to many.
const streamChunk = 256

// stream hands out the rows while they arrive. In a transaction, where the one
// connection must stay free for what the loop does, they come by a cursor, or the backend
// reads what is left when a statement is in the way. On a database where an open result
// would hold up writers they are all read first.
func (q *query) stream(ctx context.Context, yield func(unsafe.Pointer) bool) error {
	db, err := q.begin(ctx)
	if err != nil {
		return err
	}
	q = q.zoned(ctx)
	if d, ok := db.backend.Dialect().(cursorDialect); ok && db.transactionOf(ctx) != nil {
		return q.streamCursor(ctx, db, d, yield)
	}
	if db.mustBuffer(ctx) {
		list, err := q.all(ctx, q.orderTerms())
		if err != nil {
			return err
		}
		for _, row := range list {
			if !yield(row) {
				break
			}
		}
		return nil
	}
	if q.never() {
		return q.check(db, q.orderTerms())
	}
	s, err := q.compile(db, forRows, q.orderTerms())
	if err != nil {
		return err
	}
	defer s.done()
	r := s.reader
	rows, err := db.queryInto(q.told(ctx), s.Statement, &r.result)
	if err != nil {
		return err
	}
	defer rows.Close()
	size := 1
	for _, s := range r.segments() {
		if len(s.many) > 0 {
			size = streamChunk
		}
	}
	chunk := make([]unsafe.Pointer, 0, size)
	flush := func() (bool, error) {
		if err := r.root.loadMany(ctx, db); err != nil {
			return false, err
		}
		for _, row := range chunk {
			if !yield(row) {
				return false, nil
			}
		}
		chunk = chunk[:0]
		return true, nil
	}
	for rows.Next() {
		row, err := r.row(rows)
		if err != nil {
			return err
		}
		if chunk = append(chunk, row); len(chunk) == size {
			if more, err := flush(); err != nil || !more {
				return err
			}
		}
	}
	if err := closeRows(rows); err != nil {
		return err
	}
	_, err = flush()
	return err
}

// loadMany loads the relations to many of the rows gathered in s and in the
// relations to one behind it, and forgets the rows.
func (s *loadSegment) loadMany(ctx context.Context, db *DB) error {
	for _, node := range s.many {
		if err := node.load(ctx, db, s.rows); err != nil {
			return err
		}
	}
	s.rows = nil
	for _, kid := range s.kids {
		if err := kid.loadMany(ctx, db); err != nil {
			return err
		}
	}
	return nil
}

func (q *query) count(ctx context.Context) (int64, error) {
	var n int64
	err := q.single(ctx, forCount, func(v any) error { return storeInt64(unsafe.Pointer(&n), v) })
	return n, err
}

func (q *query) exists(ctx context.Context) (bool, error) {
	found := false
	err := q.anyRow().single(ctx, forExistence, func(any) error {
		found = true
		return nil
	})
	return found, err
}

// single runs a SELECT of one value.
func (q *query) single(ctx context.Context, kind selectKind, read func(any) error) error {
	db, err := q.begin(ctx)
	if err != nil {
		return err
	}
	q = q.zoned(ctx)
	if q.never() {
		return q.check(db, q.orderTerms())
	}
	s, err := q.compile(db, kind, nil)
	if err != nil {
		return err
	}
	rows, err := db.query(ctx, s.Statement)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		values, err := rows.Values()
		if err != nil {
			return err
		}
		if err := read(values[0]); err != nil {
			return err
		}
	}
	return closeRows(rows)
}
