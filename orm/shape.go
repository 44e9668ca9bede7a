package orm

import (
	"encoding/binary"
	"math"
	"reflect"
	"slices"
	"sync"
	"unsafe"
)

// shape is a query compiled before: its text, and how the arguments are found in another
// query that differs from it in values only.
type shape struct {
	sql     string
	codecs  []*codec     // of the values of the conditions, in their order
	set     []*FieldInfo // of an UPDATE
	plan    []*loadNode
	readers sync.Pool // of *reader, which are used again
}

// shapeName tells shapes of a database apart. The form is not a hash but all that the
// text depends on: two queries of one form have the same text.
type shapeName struct {
	model *ModelInfo
	form  string
}

// maxShapes is how many shapes a database keeps. Programs have far fewer, unless
// they put queries together of what users send; then it starts anew now and then.
const maxShapes = 2000

// maxForm is how long a form may be that is worth keeping.
const maxForm = 2048

// shapes are the shapes of the queries of a database.
type shapes struct {
	mu     sync.RWMutex
	byName map[shapeName]*shape
}

func (s *shapes) find(m *ModelInfo, form []byte) *shape {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.byName[shapeName{m, string(form)}] // makes no string
}

func (s *shapes) keep(m *ModelInfo, form []byte, made *shape) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byName == nil || len(s.byName) >= maxShapes {
		s.byName = map[shapeName]*shape{}
	}
	s.byName[shapeName{m, string(form)}] = made
}

// selectKind is what a SELECT is for.
type selectKind byte

const (
	forRows selectKind = iota
	forCount
	forExistence
)

// compiled is a SELECT that is ready to be sent.
type compiled struct {
	Statement
	reader *reader // for rows
	shape  *shape  // that gets the reader back; nil if the text is not kept
}

// compile makes the SELECT of a query, of a shape that was compiled before if it can.
func (q *query) compile(db *DB, kind selectKind, order []Order) (compiled, error) {
	o := outlines.Get().(*outline)
	defer o.done()
	o.query = q
	o.trace(kind, order)
	if o.unknown {
		s, _, err := q.compileAnew(db, kind, order)
		return s, err
	}
	if known := db.shapes.find(q.model, o.form); known != nil {
		if args, ok := o.args(db.backend.Dialect(), known.codecs); ok {
			s := compiled{Statement: Statement{SQL: known.sql, Args: args}, shape: known}
			if kind == forRows {
				s.reader = known.newReader(q.model)
			}
			return s, nil
		}
		s, _, err := q.compileAnew(db, kind, order)
		return s, err
	}
	s, loads, err := q.compileAnew(db, kind, order)
	if err == nil {
		if made := o.shape(db.backend.Dialect(), &s, loads); made != nil {
			db.shapes.keep(q.model, o.form, made)
		}
	}
	return s, err
}

// compileAnew compiles a query, and tells the values of its conditions in the order in
// which they became arguments.
func (q *query) compileAnew(db *DB, kind selectKind, order []Order) (compiled, []loaded, error) {
	var s compiled
	c := newCompiler(db.backend.Dialect(), q.model)
	switch kind {
	case forRows:
		plan, err := q.loadPlan()
		if err != nil {
			return s, nil, err
		}
		if s.reader, err = q.newChosenReader(q.model, plan); err != nil {
			return s, nil, err
		}
		c.selectRows(q, order, s.reader)
		if c.err == nil {
			s.reader.plan = plan
			s.reader.makeCells()
		}
	case forCount:
		c.selectCount(q)
	case forExistence:
		c.selectExists(q)
	}
	s.SQL, s.Args = string(c.buf), c.args
	return s, c.loads, c.err
}

// newReader takes a reader that is not in use.
func (s *shape) newReader(m *ModelInfo) *reader {
	if r, ok := s.readers.Get().(*reader); ok {
		return r
	}
	r := newReader(m, s.plan)
	r.makeCells()
	return r
}

// done is called when the rows have been read: the reader is free for the next query.
func (s *compiled) done() {
	if s.shape != nil && s.reader != nil {
		s.reader.root.reset()
		s.reader.result = watchedRows{}
		clear(s.reader.owners)
		s.shape.readers.Put(s.reader)
	}
	s.reader = nil
}

// reset lets go of the rows read.
func (s *loadSegment) reset() {
	s.base, s.rows, s.known, s.met, s.slab = nil, nil, nil, nil, slab{}
	for _, kid := range s.kids {
		kid.reset()
	}
}

// outline writes the form of a query and gathers the values in it.
type outline struct {
	query  *query
	form   []byte
	values []*literal
	// unknown is set at a part whose text may depend on more than its form.
	unknown bool
}

// outlines are free for the next query: each has memory for a form.
var outlines = sync.Pool{New: func() any { return new(outline) }}

func (o *outline) done() {
	clear(o.values)
	*o = outline{form: o.form[:0], values: o.values[:0]}
	outlines.Put(o)
}

// The parts of a form begin with a letter each, and lists with their length, so that no
// two forms are alike.
func (o *outline) trace(kind selectKind, order []Order) {
	q := o.query
	if q.rare().source != nil || q.rare().lock != nil || q.rare().group != nil || q.rare().having != nil || q.rare().whole || q.rare().choices != nil || q.rare().tables != nil || q.rare().from != nil {
		o.unknown = true
		return
	}
	o.form = append(o.form, byte(kind), flag(q.distinct), flag(q.withDeleted), flag(q.limited), flag(q.offset > 0))
	if q.limited {
		o.number(min(q.limit, plainLimit+1))
	}
	o.number(len(q.with))
	for _, w := range q.with {
		o.unknown = o.unknown || w.only != nil
		o.ref(w.ref)
	}
	o.list(q.where)
	if kind != forRows && (q.limited || q.offset > 0) {
		order = q.keyOrder() // it decides which rows those are
	}
	o.number(len(order))
	for _, term := range order {
		o.form = append(o.form, flag(term.desc), nullsLetter(term.nulls))
		o.operand(term.of)
	}
	o.unknown = o.unknown || len(o.form) > maxForm
}

func flag(b bool) byte {
	if b {
		return 1
	}
	return 0
}

func nullsLetter(nulls string) byte {
	switch nulls {
	case nullsFirst:
		return 'f'
	case nullsLast:
		return 'l'
	}
	return '-'
}

func (o *outline) number(n int) { o.form = binary.AppendVarint(o.form, int64(n)) }

func (o *outline) list(kids []expr) {
	o.number(len(kids))
	for _, kid := range kids {
		o.expr(kid)
	}
}

// ref writes the address that names a field. It is one of the model's own names, for
// another one is a mistake and has no text; those never move.
func (o *outline) ref(r ref) {
	o.form = append(o.form, 'r')
	o.form = binary.NativeEndian.AppendUint64(o.form, uint64(uintptr(r.ptr)))
	o.form = binary.NativeEndian.AppendUint64(o.form, uint64(typeAddress(r.typ)))
}

// typeAddress is where the description of a type lies, which is what tells types apart.
func typeAddress(t reflect.Type) uintptr {
	return uintptr((*[2]unsafe.Pointer)(unsafe.Pointer(&t))[1])
}

func (o *outline) operand(e operand) {
	if r, ok := asRef(e); ok {
		o.ref(r)
		return
	}
	o.unknown = true
}

func (o *outline) value(e expr) {
	if l, ok := e.(*literal); ok {
		o.form = append(o.form, 'v')
		o.values = append(o.values, l)
		return
	}
	o.unknown = true
}

func (o *outline) expr(e expr) {
	if o.unknown || len(o.form) > maxForm {
		o.unknown = true
		return
	}
	switch e := e.(type) {
	case *compare:
		o.form = append(o.form, 'c', byte(len(e.op)))
		o.form = append(o.form, e.op...)
		o.operand(e.left)
		if r, ok := asRef(e.right); ok {
			o.ref(r)
			return
		}
		o.value(e.right)
	case *logic:
		o.form = append(o.form, 'l', flag(e.or))
		o.list(e.kids)
	case *not:
		o.form = append(o.form, 'n')
		o.expr(e.kid)
	case *isNull:
		o.form = append(o.form, 'u', flag(e.not))
		o.operand(e.of)
	case *between:
		o.form = append(o.form, 'b')
		o.operand(e.of)
		o.value(e.low)
		o.value(e.high)
	case *inList:
		o.form = append(o.form, 'i', flag(e.not))
		o.operand(e.of)
		o.number(len(e.values))
		if len(e.values) > inlineValues {
			o.unknown = true
			return
		}
		for _, v := range e.values {
			o.value(v)
		}
	case *hasRow:
		o.form = append(o.form, 'h')
		o.ref(e.relation)
	default:
		o.unknown = true
	}
}

// args are the arguments of a query of a known shape; false if one of them is NULL, of
// which the text does depend, or cannot be sent.
func (o *outline) args(d Dialect, codecs []*codec) ([]any, bool) {
	q := o.query
	n := len(codecs)
	if q.limited && q.limit > plainLimit || q.offset > 0 {
		n += 2
	}
	args, ok := o.appendValues(make([]any, 0, n), d, codecs)
	if !ok {
		return nil, false
	}
	switch {
	case q.limited && q.limit > plainLimit:
		args = append(args, d.Bind(int64(q.limit)))
	case !q.limited && q.offset > 0:
		args = append(args, d.Bind(int64(math.MaxInt64)))
	}
	if q.offset > 0 {
		args = append(args, d.Bind(int64(q.offset)))
	}
	return args, true
}

// appendValues appends the values of the conditions.
func (o *outline) appendValues(args []any, d Dialect, codecs []*codec) ([]any, bool) {
	for i, c := range codecs {
		v, err := c.load(o.values[i].p)
		if err != nil || v == nil {
			return nil, false
		}
		args = append(args, d.Bind(v))
	}
	return args, true
}

// loaded is a value that became an argument.
type loaded struct {
	of    *literal
	codec *codec
}

// shape makes the shape of a query that was compiled anew; nil if the arguments are not
// just the values of its conditions, in their order, and its limits.
func (o *outline) shape(d Dialect, s *compiled, loads []loaded) *shape {
	made := &shape{sql: s.SQL, codecs: o.codecs(loads)}
	if made.codecs == nil {
		return nil
	}
	args, ok := o.args(d, made.codecs)
	if !ok || !sameArgs(args, s.Args) {
		return nil
	}
	if s.reader != nil {
		made.plan = s.reader.plan
	}
	return made
}

// codecs are those of the values of the conditions; nil if others became arguments.
func (o *outline) codecs(loads []loaded) []*codec {
	if len(loads) != len(o.values) {
		return nil
	}
	list := make([]*codec, len(loads))
	for i, l := range loads {
		if l.of != o.values[i] {
			return nil
		}
		list[i] = l.codec
	}
	return list
}

func sameArgs(a, b []any) bool {
	return slices.EqualFunc(a, b, func(a, b any) bool { return reflect.DeepEqual(a, b) })
}
