package orm

import (
	"errors"
	"strconv"
)

// Window says over which rows a value is computed, beside the row it is a value of.
type Window struct {
	// PartitionBy are fields or expressions: rows with the same values in them
	// make a partition. Default: all rows are one.
	PartitionBy []any
	// OrderBy is the order of the rows of a partition.
	OrderBy []Order
	// Frame is the part of the partition an aggregate is computed over. Default: all
	// of it or, with an order, from its beginning to the row and its equals.
	Frame Frame
}

// Frame is the part of a partition around a row; see [RowsBetween].
type Frame struct{ sql string }

// Bound is one end of a [Frame].
type Bound struct{ sql string }

// The ends of a frame that need no number.
var (
	CurrentRow         = Bound{"CURRENT ROW"}
	UnboundedPreceding = Bound{"UNBOUNDED PRECEDING"}
	UnboundedFollowing = Bound{"UNBOUNDED FOLLOWING"}
)

// Preceding is so many rows, or units of a range, before the row.
func Preceding(n uint) Bound { return Bound{strconv.FormatUint(uint64(n), 10) + " PRECEDING"} }

// Following is so many rows, or units of a range, after the row.
func Following(n uint) Bound { return Bound{strconv.FormatUint(uint64(n), 10) + " FOLLOWING"} }

// RowsBetween is the frame from one row to another, both included:
//
//	orm.RowsBetween(orm.Preceding(2), orm.CurrentRow)
func RowsBetween(start, end Bound) Frame { return frame("ROWS", start, end) }

// RangeBetween is the frame of the rows whose value in the window's order is in a range
// around that of the row.
func RangeBetween(start, end Bound) Frame { return frame("RANGE", start, end) }

// GroupsBetween is the frame from one group of equal rows to another. MySQL has none.
func GroupsBetween(start, end Bound) Frame { return frame("GROUPS", start, end) }

func frame(unit string, start, end Bound) Frame {
	return Frame{" " + unit + " BETWEEN " + start.sql + " AND " + end.sql}
}

// ExcludeCurrentRow leaves the row itself out of the frame. MySQL cannot.
func (f Frame) ExcludeCurrentRow() Frame { return Frame{f.sql + " EXCLUDE CURRENT ROW"} }

// ExcludeTies leaves out the rows that are the row's equals in the window's order. MySQL
// cannot.
func (f Frame) ExcludeTies() Frame { return Frame{f.sql + " EXCLUDE TIES"} }

// ExcludeGroup leaves out the row and its equals. MySQL cannot.
func (f Frame) ExcludeGroup() Frame { return Frame{f.sql + " EXCLUDE GROUP"} }

// The functions below are of rows in a [Window], which [Expr.Over] gives.

// RowNumber is the number of the row in its partition, from 1.
func RowNumber() Expr { return Expr{newCall("row_number")} }

// Rank is the number of the row, the same for equals, with gaps after them.
func Rank() Expr { return Expr{newCall("rank")} }

// DenseRank is the number of the row, the same for equals, without gaps.
func DenseRank() Expr { return Expr{newCall("dense_rank")} }

// PercentRank is the rank as a part of all, from 0 to 1.
func PercentRank() Expr { return Expr{newCall("percent_rank")} }

// CumeDist is the part of the rows that are not after the row, more than 0 up to 1.
func CumeDist() Expr { return Expr{newCall("cume_dist")} }

// NTile is the number of the row's bucket, of n as equal as can be.
func NTile(n int) Expr { return Expr{newCall("ntile", whole(n))} }

// Lag is the value in the row that is so many rows before; NULL if there is none.
func Lag(field any, rows int) Expr { return rowCall("lag", field, rows) }

// Lead is the value in the row that is so many rows after; NULL if there is none.
func Lead(field any, rows int) Expr { return rowCall("lead", field, rows) }

// FirstValue is the value in the first row of the frame.
func FirstValue(field any) Expr {
	return likeFirst(&call{f: Function{Name: "first_value"}, null: true}, F(field), nil)
}

// LastValue is the value in the last row of the frame, which is the row itself unless
// the window says otherwise.
func LastValue(field any) Expr {
	return likeFirst(&call{f: Function{Name: "last_value"}, null: true}, F(field), nil)
}

// NthValue is the value in the row of that number in the frame, from 1.
func NthValue(field any, n int) Expr { return rowCall("nth_value", field, n) }

func rowCall(name string, field any, n int) Expr {
	return likeFirst(&call{f: Function{Name: name}, null: true}, F(field), []any{whole(n)})
}

// Over computes an aggregate, or one of the functions of rows, over a window:
//
//	orm.RowNumber().Over(orm.Window{PartitionBy: orm.Fields(&p.Author), OrderBy: orm.By(orm.Desc(&p.Views))})
//
// It stands in Select and OrderBy, and in Where, where it sees the rows that the
// other calls of Where leave.
func (e Expr) Over(w Window) Expr {
	switch of := e.e.(type) {
	case *aggregate, *call:
		o := &window{of: of, order: w.OrderBy, frame: w.Frame}
		for _, field := range w.PartitionBy {
			o.partition = append(o.partition, operandOf(field))
		}
		return Expr{o}
	}
	return Expr{&invalid{errors.New("orm: Over is for aggregates and functions of rows such as Rank")}}
}

// window is a value computed over the rows around one.
type window struct {
	of        operand
	partition []operand
	order     []Order
	frame     Frame
}

func (e *window) write(c *compiler) {
	if c.noWindow != nil {
		c.fail(c.noWindow)
		return
	}
	if a, ok := e.of.(*aggregate); ok {
		if m, _ := a.relation(c); m != nil {
			c.failf("an aggregate over %s is a value of one row; a window is over the rows of the query", m.path)
			return
		}
		a.plain(c)
	} else {
		e.of.write(c)
	}
	c.text(" OVER (")
	for i, of := range e.partition {
		if i == 0 {
			c.text("PARTITION BY ")
		} else {
			c.text(", ")
		}
		of.write(c)
	}
	c.order(e.order)
	c.text(e.frame.sql)
	c.text(")")
}

// parts are those of what is computed, but not that itself: it is no aggregate of a
// group.
func (e *window) parts() []expr {
	list := append(partsOf(e.of), operands(e.partition)...)
	for _, o := range e.order {
		list = append(list, o.of)
	}
	return list
}

func (e *window) visit(c *compiler, f func(*node)) {
	for _, part := range e.parts() {
		part.visit(c, f)
	}
}

func (e *window) mayBeNull(c *compiler) bool { return e.of.mayBeNull(c) }

func (e *window) target(c *compiler) target { return e.of.target(c) }
