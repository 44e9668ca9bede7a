package orm

import (
	"context"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"unsafe"
)

// Raw runs a SELECT of one's own and returns its rows as models. Its columns are
// matched by name; the primary key must be among them, and a field whose column is
// missing stays zero. Values go into args, never into the text.
//
// It goes where the queries of the model go: the database that a router names, or a replica if
// the statement only reads, which one does that begins with SELECT or VALUES and locks no rows.
func (s *Query[P]) Raw(ctx context.Context, sql string, args ...any) ([]P, error) {
	rows, err := s.use().raw(ctx, sql, args)
	return rowsOf[P](rows), err
}

func (q *query) raw(ctx context.Context, sql string, args []any) ([]unsafe.Pointer, error) {
	if err := q.ready(); err != nil {
		return nil, err
	}
	m := q.model
	op := Write
	if onlyReads(sql) {
		op = Read
	}
	db, err := m.database(ctx, op)
	if err != nil {
		return nil, err
	}
	row := &segment{}
	var list []unsafe.Pointer
	err = raw(ctx, db, sql, args, func(columns []string) ([]Cell, error) { return m.rawCells(columns, row) }, func(scan func() error) error {
		row.base = m.alloc()
		if err := scan(); err != nil {
			return err
		}
		m.attachRow(row.base)
		list = append(list, row.base)
		return nil
	})
	return list, err
}

// RawSelect runs a SELECT of one's own and returns its rows. Row is a struct whose
// fields have the names of the columns in snake case, or a tag with another one
// (`orm:"column=n"`), or, for one column, a type that a field can have. Each column must
// have a field; a field without a column stays zero. Values go into args, never into the
// text. It belongs to no model, and so goes to the default database or the one of [Using].
//
//	type row struct { Author string; Posts int }
//	rows, err := orm.RawSelect[row](ctx, `SELECT author, count(*) AS posts FROM … GROUP BY author`)
func RawSelect[Row any](ctx context.Context, sql string, args ...any) ([]Row, error) {
	var list []Row
	var row, zero Row
	db, err := DBFrom(ctx)
	if err != nil {
		return nil, err
	}
	err = raw(ctx, db, sql, args, func(columns []string) ([]Cell, error) {
		return structCells(columns, reflect.TypeFor[Row](), &segment{base: unsafe.Pointer(&row)})
	}, func(scan func() error) error {
		row = zero
		err := scan()
		list = append(list, row)
		return err
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// raw runs a SELECT whose cells are known when its columns are.
func raw(ctx context.Context, db *DB, sql string, args []any, cells func(columns []string) ([]Cell, error), each func(scan func() error) error) error {
	rows, err := db.QueryRows(ctx, sql, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	list, err := cells(rows.Columns())
	if err != nil {
		return err
	}
	for rows.Next() {
		if err := each(func() error { return rows.Scan(list) }); err != nil {
			return err
		}
	}
	return closeRows(rows)
}

// readingStatement is the beginning of a statement that reads, after comments.
var (
	readingStatement = regexp.MustCompile(`(?is)^(?:\s+|--[^\n]*\n|/\*.*?\*/|\()*(?:SELECT|VALUES)\b`)
	lockingClause    = regexp.MustCompile(`(?is)\bFOR\s+(?:NO\s+KEY\s+)?(?:UPDATE|KEY|SHARE)\b|\bLOCK\s+IN\b|\bINTO\b`)
)

// onlyReads reports whether a statement can go to a replica. One that only looks like
// locking does not, which does no harm.
func onlyReads(sql string) bool {
	return readingStatement.MatchString(sql) && !lockingClause.MatchString(sql)
}

func (m *ModelInfo) rawCells(columns []string, row *segment) ([]Cell, error) {
	cells := make([]Cell, len(columns))
	keyed := 0
	for i, column := range columns {
		f := m.byColumn[column]
		if f == nil {
			return nil, fmt.Errorf("orm: Raw of %s: the result has a column %q, which the model has not", m.Name, column)
		}
		if f.PrimaryKey {
			keyed++
		}
		cells[i] = Cell{codec: f.codec, offset: f.offset, segment: row, field: f}
	}
	if keyed < len(m.PrimaryKey.columns()) {
		return nil, fmt.Errorf("orm: Raw of %s: the primary key %q is missing from the result", m.Name, m.PrimaryKey.columnNames())
	}
	return cells, nil
}

// structCells ties columns to the fields of a struct by their names, or one column to a
// value.
func structCells(columns []string, t reflect.Type, row *segment) ([]Cell, error) {
	if c, err := codecOf(t, false); err == nil {
		if len(columns) != 1 {
			return nil, fmt.Errorf("orm: RawSelect of %d columns into a %s; give it a struct", len(columns), t)
		}
		return []Cell{{codec: c, segment: row}}, nil
	}
	if t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("orm: RawSelect into a %s; give it a struct with a field for each column", t)
	}
	cells := make([]Cell, len(columns))
	for i, column := range columns {
		found := false
		for _, f := range reflect.VisibleFields(t) {
			if !f.IsExported() || f.Anonymous || !namesColumn(f, column) {
				continue
			}
			c, err := codecOf(f.Type, hasTag(f, "json"))
			if err != nil {
				return nil, fmt.Errorf("orm: RawSelect: %s: %w", f.Name, err)
			}
			cells[i], found = Cell{codec: c, offset: offsetOf(t, f.Index), segment: row}, true
			break
		}
		if !found {
			return nil, fmt.Errorf("orm: RawSelect: %s has no field for the column %q", t, column)
		}
	}
	return cells, nil
}

func namesColumn(f reflect.StructField, column string) bool {
	if words, err := parseTag(f.Tag.Get("orm")); err == nil && words["column"] != "" {
		return words["column"] == column
	}
	return strings.EqualFold(snake(f.Name), column) || strings.EqualFold(f.Name, column)
}

// offsetOf is where a field of embedded structs lies in the outermost one.
func offsetOf(t reflect.Type, index []int) (offset uintptr) {
	for _, i := range index {
		f := t.Field(i)
		offset += f.Offset
		t = f.Type
	}
	return offset
}

// RawExpr is an expression in SQL of one's own, for what this package cannot say. Each {}
// in it stands for one of the arguments, which are fields, expressions and values: they
// never become part of the text.
//
//	orm.RawExpr("similarity({}, {})", &p.Title, text)
//
// The text itself must not come from outside of the program.
func RawExpr(sql string, args ...any) Expr {
	e := &rawExpr{text: strings.Split(sql, "{}")}
	for _, arg := range args {
		e.args = append(e.args, argument(arg))
	}
	if len(e.text) != len(args)+1 {
		return Expr{&invalid{fmt.Errorf("orm: RawExpr with %d times {} and %d arguments", len(e.text)-1, len(args))}}
	}
	return Expr{e}
}

// RawCond is a condition in SQL of one's own; see [RawExpr].
func RawCond(sql string, args ...any) Cond { return Cond{RawExpr(sql, args...).e} }

type rawExpr struct {
	text []string
	args []operand
}

func (e *rawExpr) write(c *compiler) {
	c.text("(")
	for i, text := range e.text {
		c.text(text)
		if i < len(e.args) {
			e.args[i].write(c)
		}
	}
	c.text(")")
}

func (e *rawExpr) parts() []expr { return operands(e.args) }

func (e *rawExpr) visit(c *compiler, f func(*node)) {
	for _, arg := range e.args {
		arg.visit(c, f)
	}
}

func (*rawExpr) mayBeNull(*compiler) bool { return true }

func (*rawExpr) target(*compiler) target { return target{} }
