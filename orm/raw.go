package orm

import (
	"context"
	"fmt"
	"unsafe"
)

// Raw runs a SELECT of one's own and returns its rows as models. Its columns are
// matched by name; the primary key must be among them, and a field whose column is
// missing stays zero. Values go into args, never into the text.
func (s QuerySet[T]) Raw(ctx context.Context, sql string, args ...any) ([]*T, error) {
	if err := s.use().ready(); err != nil {
		return nil, err
	}
	db, err := DBFrom(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := db.QueryRows(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	m := s.use().model
	row := &segment{}
	cells, err := m.rawCells(rows.Columns(), row)
	if err != nil {
		return nil, err
	}
	var list []unsafe.Pointer
	for rows.Next() {
		row.base = m.alloc()
		if err := rows.Scan(cells); err != nil {
			return nil, err
		}
		m.attachRow(row.base)
		list = append(list, row.base)
	}
	return rowsOf[T](list), closeRows(rows)
}

func (m *ModelInfo) rawCells(columns []string, row *segment) ([]Cell, error) {
	cells := make([]Cell, len(columns))
	keyed := false
	for i, column := range columns {
		f := m.byColumn[column]
		if f == nil {
			return nil, fmt.Errorf("orm: Raw of %s: the result has a column %q, which the model has not", m.Name, column)
		}
		keyed = keyed || f.PrimaryKey
		cells[i] = Cell{codec: f.codec, offset: f.offset, segment: row, field: f}
	}
	if !keyed {
		return nil, fmt.Errorf("orm: Raw of %s: the primary key %q is missing from the result", m.Name, m.PrimaryKey.Column)
	}
	return cells, nil
}
