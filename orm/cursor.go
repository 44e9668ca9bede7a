package orm

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"time"
	"unsafe"
)

// ErrCursor is a cursor that is not one of the query's own: shortened on its way, or of
// a query with another order. As cursors come from URLs it is a fault of the request.
var ErrCursor = errors.New("orm: not a cursor of this query")

// CursorPage is one page of a query's rows, found by the values of its neighbours: a
// [CursorPageOf] pointers to them.
type CursorPage[T any] = CursorPageOf[*T]

// CursorPageOf has the rows of a [CursorPage] in Items.
type CursorPageOf[P any] struct {
	Items []P
	// Next and Previous are the cursors of the pages beside; empty if there is none.
	Next, Previous string
}

// CursorPage returns up to size rows from a place on: the page after, or before, that
// which gave the cursor, or the first page if it is empty. Unlike [Query.Page] it counts
// nothing and skips nothing, so that the thousandth page costs no more than the first,
// and rows that come or go meanwhile neither repeat nor hide others.
//
// The order may be any, of fields, of relations to one and of expressions; the primary
// key is added to it. Where the order does not say, NULL is less than any value. A cursor
// is text for URLs. It is not secret and holds the values of the row at the edge.
func (s *Query[P]) CursorPage(ctx context.Context, cursor string, size int) (CursorPageOf[P], error) {
	page, err := s.use().cursorPage(ctx, cursor, size)
	return CursorPageOf[P]{rowsOf[P](page.Items), page.Next, page.Previous}, err
}

func (q *query) cursorPage(ctx context.Context, cursor string, size int) (page CursorPageOf[unsafe.Pointer], err error) {
	switch {
	case size < 1:
		return page, fmt.Errorf("orm: a page of %d rows", size)
	case q.limited || q.offset > 0:
		return page, errors.New("orm: CursorPage of a query with Limit or Offset; use Derived before")
	}
	if err := q.ready(); err != nil {
		return page, err
	}
	db, err := q.model.database(ctx, Read)
	if err != nil {
		return page, err
	}
	terms := q.cursorTerms()
	signature, err := q.orderSignature(db, terms)
	if err != nil {
		return page, err
	}
	at, err := parseCursor(cursor, signature, len(terms))
	if err != nil {
		return page, err
	}
	d := q.derive()
	d.order, d.ordered = terms, true
	d.limit, d.limited = size+1, true
	if at.Back {
		d.order = reversed(terms)
	}
	if at.Values != nil {
		d.where = add[expr](d.where, afterValues(d.order, at.Values))
	}
	rows, edges, err := d.allWith(ctx, d.order)
	if err != nil {
		return page, err
	}
	more := len(rows) > size
	if more {
		rows, edges = rows[:size], edges[:size]
	}
	if at.Back {
		slices.Reverse(rows)
		slices.Reverse(edges)
	}
	page.Items = rows
	if len(rows) == 0 {
		return page, nil
	}
	if more || at.Back {
		page.Next, err = formatCursor(edges[len(edges)-1], false, signature)
	}
	if err == nil && (at.Back && more || !at.Back && at.Values != nil) {
		page.Previous, err = formatCursor(edges[0], true, signature)
	}
	return page, err
}

// cursorTerms is the order with the primary key as its last term and a place for NULL.
func (q *query) cursorTerms() []Order {
	terms := newCompiler(portable{}, q.model).eachColumn(add(q.orderTerms(), Order{of: q.model.keyRef()}))
	for i := range terms {
		if terms[i].nulls == "" {
			terms[i].nulls = nullsFirst
			if terms[i].desc {
				terms[i].nulls = nullsLast
			}
		}
	}
	return terms
}

// orderSignature tells orders apart, so that a cursor of another one is found out.
func (q *query) orderSignature(db *DB, terms []Order) (string, error) {
	c := newCompiler(db.backend.Dialect(), q.model)
	c.source = q.rare().source
	c.order(terms)
	h := fnv.New32a()
	h.Write(c.buf)
	return strconv.FormatUint(uint64(h.Sum32()), 36), c.err
}

// afterValues is the condition that a row comes after the one with these values: that
// it does by the first term, or is equal there and does by the others.
func afterValues(terms []Order, values []any) expr {
	after := &logic{or: true}
	var equal []expr
	for i, term := range terms {
		v := values[i]
		var beyond expr
		switch {
		case v == nil && term.nulls == nullsFirst:
			beyond = &isNull{term.of, true}
		case v == nil:
			beyond = &logic{or: true} // nothing comes after NULL
		default:
			op := ">"
			if term.desc {
				op = "<"
			}
			beyond = &compare{op, term.of, plainParameter{v}}
			if term.nulls == nullsLast {
				beyond = &logic{or: true, kids: []expr{beyond, &isNull{term.of, false}}}
			}
		}
		after.kids = append(after.kids, &logic{kids: add(equal, beyond)})
		if v == nil {
			equal = append(equal, &isNull{term.of, false})
		} else {
			equal = append(equal, &compare{"=", term.of, plainParameter{v}})
		}
	}
	return after
}

// plainParameter is a value as a column gave it.
type plainParameter struct{ v any }

func (e plainParameter) write(c *compiler) { c.arg(e.v) }

func (plainParameter) visit(*compiler, func(*node)) {}

func (plainParameter) mayBeNull(*compiler) bool { return false }

// allWith reads all rows, and with each the values it is ordered by.
func (q *query) allWith(ctx context.Context, order []Order) (list []unsafe.Pointer, values [][]any, err error) {
	db, err := q.begin(ctx)
	if err != nil {
		return nil, nil, err
	}
	if q.never() {
		return nil, nil, q.check(db, order)
	}
	plan, err := q.loadPlan()
	if err != nil {
		return nil, nil, err
	}
	r, err := q.newChosenReader(q.model, plan)
	if err != nil {
		return nil, nil, err
	}
	for _, term := range order {
		r.extra = append(r.extra, term.of)
	}
	r.values = make([]any, len(order))
	rows, err := q.open(ctx, db, order, r)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		row, err := r.row(rows)
		if err != nil {
			return nil, nil, err
		}
		list, values = append(list, row), append(values, slices.Clone(r.values))
	}
	if err := closeRows(rows); err != nil {
		return nil, nil, err
	}
	return list, values, r.root.loadMany(ctx, db)
}

// cursorPlace is what a cursor says.
type cursorPlace struct {
	Order  string   `json:"o"`
	Back   bool     `json:"b,omitempty"`
	Packed []string `json:"v"`
	Values []any    `json:"-"`
}

func formatCursor(values []any, back bool, signature string) (string, error) {
	at := cursorPlace{Order: signature, Back: back}
	for _, v := range values {
		packed, err := packValue(v)
		if err != nil {
			return "", err
		}
		at.Packed = append(at.Packed, packed)
	}
	b, err := json.Marshal(at)
	return base64.RawURLEncoding.EncodeToString(b), err
}

// maxCursor bounds the text of a cursor.
const maxCursor = 8192

func parseCursor(text, signature string, n int) (at cursorPlace, err error) {
	if text == "" {
		return at, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if len(text) > maxCursor || err != nil || json.Unmarshal(b, &at) != nil || at.Order != signature || len(at.Packed) != n {
		return cursorPlace{}, ErrCursor
	}
	at.Values = make([]any, n)
	for i, packed := range at.Packed {
		if at.Values[i], err = unpackValue(packed); err != nil {
			return cursorPlace{}, ErrCursor
		}
	}
	return at, nil
}

// packValue writes a plain value with a letter for its type before it.
func packValue(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "n", nil
	case bool:
		return "b" + strconv.FormatBool(v), nil
	case int64:
		return "i" + strconv.FormatInt(v, 10), nil
	case float64:
		return "f" + strconv.FormatFloat(v, 'g', -1, 64), nil
	case string:
		return "s" + v, nil
	case []byte:
		return "x" + base64.RawStdEncoding.EncodeToString(v), nil
	case time.Time:
		return "t" + v.UTC().Format(time.RFC3339Nano), nil
	}
	return "", fmt.Errorf("orm: rows cannot be paged by a %T", v)
}

func unpackValue(packed string) (any, error) {
	if packed == "" {
		return nil, ErrCursor
	}
	switch text := packed[1:]; packed[0] {
	case 'n':
		return nil, nil
	case 'b':
		return strconv.ParseBool(text)
	case 'i':
		return strconv.ParseInt(text, 10, 64)
	case 'f':
		return strconv.ParseFloat(text, 64)
	case 's':
		return text, nil
	case 'x':
		return base64.RawStdEncoding.DecodeString(text)
	case 't':
		return time.Parse(time.RFC3339Nano, text)
	}
	return nil, ErrCursor
}
