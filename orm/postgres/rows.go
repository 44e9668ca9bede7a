package postgres

import (
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/retort-web/retort/orm"
)

// rows is an open result, of one of two kinds.
type rows struct {
	result   *pgconn.ResultReader
	simple   pgx.Rows   // of the simple protocol
	plan     *statement // nil while the columns are not known
	affected int64
	err      error
	ready    bool // the first row is there and was not handed out
	closed   bool

	// Who has the connection while the rows are open, one of the two: outside of a
	// transaction the database gets it back, and the server may be asked to send no
	// more, which harms nothing else there.
	conn *conn
	tx   *tx
}

// start waits for the first row, or the end, at which the result is closed.
func (r *rows) start() error {
	r.ready = r.advance()
	if r.ready {
		return nil
	}
	r.Close()
	return r.err
}

func (r *rows) advance() bool {
	if r.simple != nil {
		return r.simple.Next()
	}
	return r.result.NextRow()
}

// values are those of the row it stands at, valid until the next.
func (r *rows) values() [][]byte {
	switch {
	case r.closed:
		return nil // the connection may have other rows by now
	case r.simple != nil:
		return r.simple.RawValues()
	}
	return r.result.Values()
}

// columns tells how the columns are read. Those that are not known before the result
// arrives come as text.
func (r *rows) columns() []column {
	if r.plan == nil {
		fields := []pgconn.FieldDescription(nil)
		if r.simple != nil {
			fields = r.simple.FieldDescriptions()
		} else {
			fields = r.result.FieldDescriptions()
		}
		r.plan = &statement{columns: make([]column, len(fields))}
		for i, f := range fields {
			r.plan.columns[i] = textColumnOf(f.Name, f.DataTypeOID)
		}
	}
	return r.plan.columns
}

func (r *rows) Columns() []string {
	columns := r.columns()
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.name
	}
	return names
}

func (r *rows) Next() bool {
	if r.ready {
		r.ready = false
		return true
	}
	if r.closed || r.err != nil {
		return false
	}
	return r.advance()
}

var errColumns = errors.New("postgres: the result has other columns than asked for")

func (r *rows) Scan(cells []orm.Cell) error {
	columns, values := r.columns(), r.values()
	if len(cells) != len(values) || len(columns) != len(cells) {
		return errColumns
	}
	for i, raw := range values {
		if raw == nil {
			if err := cells[i].SetNull(); err != nil {
				return err
			}
			continue
		}
		if err := columns[i].scan(&cells[i], raw); err != nil {
			return err
		}
	}
	return nil
}

func (r *rows) Values() ([]any, error) {
	columns, values := r.columns(), r.values()
	if len(columns) != len(values) {
		return nil, errColumns
	}
	list := make([]any, len(columns))
	for i, c := range columns {
		if values[i] == nil {
			continue
		}
		v, err := c.value(values[i])
		if err != nil {
			return nil, fmt.Errorf("postgres: column %s: %w", c.name, err)
		}
		list[i] = v
	}
	return list, nil
}

func (r *rows) Err() error { return r.err }

func (r *rows) Close() {
	if r.closed {
		return
	}
	r.closed, r.ready = true, false
	var tag pgconn.CommandTag
	if r.simple != nil {
		r.simple.Close()
		tag, r.err = r.simple.CommandTag(), r.simple.Err()
	} else {
		r.columns() // the names are gone with the result
		stopped := r.drain()
		if tag, r.err = r.result.Close(); stopped && isCancelled(r.err) {
			r.err = nil
		}
	}
	r.affected = tag.RowsAffected()
	switch {
	case r.conn != nil:
		r.conn.db.give(r.conn)
	case r.tx != nil:
		r.tx.busy = false
	}
}

// drainRows is how many rows that nobody wants are read before the server is asked to
// stop, which takes a connection of its own.
const drainRows = 200

// drain makes short work of the rows that were not read.
func (r *rows) drain() (stopped bool) {
	if r.conn == nil {
		return false
	}
	for range drainRows {
		if !r.result.NextRow() {
			return false
		}
	}
	r.conn.cancel()
	return true
}
